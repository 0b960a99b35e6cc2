"""Draw what whitening changes in the search for manifolds."""

from deepunits.console import job
from deepunits.figures import supplement_whitening
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = supplement_whitening.draw(files.searches, snakemake.params.place, files.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
