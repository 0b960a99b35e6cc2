"""Draw a figure of the paper from result files."""

from importlib import import_module

from deepunits.console import job
from deepunits.drawing.sheet import save

with job(log=snakemake.log[0]):
    figure = import_module(f"deepunits.paper.figures.{snakemake.params.drawn_by}")
    files = {name: paths for name, paths in snakemake.input.items() if name != "modules"}
    drawn, numbers = figure.draw(**files, **snakemake.params.arguments)
    save(drawn, numbers, **dict(snakemake.output.items()))
