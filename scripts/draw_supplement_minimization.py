"""Draw the lowest activations beside the highest, and those in random directions."""

from deepunits.console import job
from deepunits.figures import supplement_minimization
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = supplement_minimization.draw(files.searches, snakemake.params.place, files.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
