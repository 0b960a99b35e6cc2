"""Make a table of the paper from result files."""

from importlib import import_module

from deepunits.console import job
from deepunits.storage import save_npz, write_text

with job(log=snakemake.log[0]):
    table = import_module(f"deepunits.paper.tables.{snakemake.params.name}")
    files = {name: paths for name, paths in snakemake.input.items() if name != "modules"}
    made = table.tabulate(**files, **snakemake.params.arguments)
    for name, path in snakemake.output.items():
        if path.endswith(".npz"):
            save_npz(path, **made[name])
        else:
            write_text(path, made[name].convert_dtypes().to_csv(index=False, float_format="%.6g"))
