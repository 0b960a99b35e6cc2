"""Fetch and verify mnist-rot, or make it from MNIST."""

from deepunits.console import job
from deepunits.data import mnist_rot
from deepunits.data.examples import save_examples
from deepunits.data.sources import Sources

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.output
    sources = Sources(params.directory, params.cache, params.sources, params.substitutes)
    splits, record = mnist_rot.prepare(sources, **params.drawing)
    save_examples(files.examples, files.provenance, splits=splits, record=record)
