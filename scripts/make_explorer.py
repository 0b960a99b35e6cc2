"""Write what the explorer shows of a model, or the page that has all models."""

from deepunits.console import job
from deepunits.drawing.explorer import page, write_model
from deepunits.storage import write_text

with job(log=snakemake.log[0]):
    files = {name: paths for name, paths in snakemake.input.items() if name != "modules"}
    if "page" in snakemake.output.keys():
        provenances = dict(zip(snakemake.params.models, files["provenances"], strict=True))
        write_text(snakemake.output.page, page(snakemake.params.models, provenances))
    else:
        write_model(snakemake.output.folder, **files)
