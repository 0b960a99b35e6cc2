"""Draw Figure 1 from the activation maxima of a DBN and an SDAE on MNIST."""

from deepunits.console import job
from deepunits.figures import figure1
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = figure1.draw(files.dbn, files.sdae, files.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
