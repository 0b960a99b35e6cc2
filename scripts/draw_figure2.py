"""Draw Figure 2 from the activation maxima of three models, on natural images and on Silhouettes."""

from deepunits.console import job
from deepunits.figures import figure2
from deepunits.figures.sheet import save

with job(log=snakemake.log[0]):
    files = snakemake.input
    figure, numbers = figure2.draw(files.dbn, files.sdae, files.silhouettes, files.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
