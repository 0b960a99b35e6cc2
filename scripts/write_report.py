"""Write the page that opens on what a run found, from what there is."""

from pathlib import Path

from deepunits.console import job
from deepunits.paper.report import report
from deepunits.storage import write_text

with job(log=snakemake.log[0]):
    params, page = snakemake.params, Path(snakemake.output.page)
    write_text(page, report(page.parent, params.figures, params.tables, params.device, params.seeds))
