"""Write the explorer, the page and what it shows of each model."""

from pathlib import Path

from deepunits.console import job
from deepunits.drawing.explorer import write_explorer

with job(log=snakemake.log[0]):
    files = {name: paths for name, paths in snakemake.input.items() if name not in ("modules", "template")}
    write_explorer(Path(snakemake.output.page).parent, snakemake.params.models, **files)
