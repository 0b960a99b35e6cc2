"""Fetch the whitened natural images and draw patches from them."""

from deepunits.console import job
from deepunits.data import natural_images
from deepunits.data.examples import save_examples
from deepunits.data.sources import Sources

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.output
    sources = Sources(params.directory, params.cache, params.sources, params.substitutes)
    splits, record = natural_images.prepare(sources, **params.drawing)
    save_examples(files.examples, files.provenance, splits=splits, record=record)
