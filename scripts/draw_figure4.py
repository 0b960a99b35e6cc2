"""Draw Figure 4 from the results of three methods on the same units."""

from deepunits.console import job
from deepunits.figures import figure4
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = figure4.draw(
        files.sampling, files.linear_combination, files.activation_maximization, files.provenance
    )
    save(figure, numbers, **dict(snakemake.output.items()))
