"""Fetch, verify and split the Silhouettes."""

from deepunits.console import job
from deepunits.data import silhouettes
from deepunits.data.examples import save_examples
from deepunits.data.sources import Sources

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.output
    sources = Sources(params.directory, params.cache, params.sources, params.substitutes)
    splits, record = silhouettes.prepare(sources)
    save_examples(files.examples, files.provenance, splits=splits, record=record)
