"""Fetch, verify and split a dataset, or make it, by the reader that the configuration names."""

from importlib import import_module

from deepunits.console import job
from deepunits.data.examples import save_examples
from deepunits.data.sources import Sources

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.output
    reader = import_module(f"deepunits.data.{params.reader}")
    sources = Sources(params.directory, params.cache, params.sources, params.substitutes)
    splits, record = reader.prepare(sources, **params.drawing)
    save_examples(files.examples, files.provenance, splits=splits, record=record)
