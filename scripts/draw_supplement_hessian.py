"""Draw what the eigenvectors of the Hessian show of units."""

from deepunits.console import job
from deepunits.figures import supplement_hessian
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = supplement_hessian.draw(files.curvatures, snakemake.params.place, files.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
