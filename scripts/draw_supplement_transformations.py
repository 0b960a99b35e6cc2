"""Draw how units answer to known transformations."""

from deepunits.console import job
from deepunits.figures import supplement_transformations
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = supplement_transformations.draw(
        files.transformations, files.invariance, files.table, snakemake.params.place, files.provenance
    )
    save(figure, numbers, **dict(snakemake.output.items()))
