"""Draw Figure 7, or its supplement, from the curves of the layers."""

from deepunits.console import job
from deepunits.figures import figure7
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    figure, numbers = figure7.draw(files.curves, params.datasets, params.curve, params.model, files.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
