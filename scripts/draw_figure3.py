"""Draw Figure 3 from samples with one unit clamped."""

from deepunits.console import job
from deepunits.figures import figure3
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = figure3.draw(files.sampling, files.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
