"""Draw a sheet of the units of a model."""

from deepunits.console import job
from deepunits.drawing.overview import draw
from deepunits.drawing.sheet import save

with job(log=snakemake.log[0]):
    figure, numbers = draw(**{name: paths for name, paths in snakemake.input.items() if name != "modules"})
    save(figure, numbers, **dict(snakemake.output.items()))
