"""Draw activation maxima found with and without a preconditioned gradient."""

from deepunits.console import job
from deepunits.figures import supplement_preconditioned
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = supplement_preconditioned.draw(files.maxima, files.preconditioned, files.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
