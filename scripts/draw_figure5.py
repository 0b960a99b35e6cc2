"""Draw Figure 5 from a search in three dimensions."""

from deepunits.console import job
from deepunits.figures import figure5
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    figure, numbers = figure5.draw()
    save(figure, numbers, **dict(snakemake.output.items()))
