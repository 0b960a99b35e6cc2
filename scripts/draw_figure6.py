"""Draw Figure 6 from the activation maxima and the manifolds of output units."""

from deepunits.console import job
from deepunits.figures import figure6
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = figure6.draw(files.maxima, files.invariance, files.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
