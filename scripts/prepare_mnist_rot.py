"""Fetch mnist-rot, or make it from MNIST."""

from deepunits.console import job
from deepunits.data import mnist_rot
from deepunits.data.examples import load_prepared, save_examples
from deepunits.data.sources import Sources

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.output
    sources = Sources(params.directory, params.cache, params.sources, params.substitutes)
    mnist_splits, mnist_record = load_prepared(snakemake.input.mnist, snakemake.input.mnist_provenance)
    splits, record = mnist_rot.prepare(
        sources, seed=params.seed, mnist_splits=mnist_splits, mnist_record=mnist_record
    )
    save_examples(files.examples, files.provenance, splits=splits, record=record)
