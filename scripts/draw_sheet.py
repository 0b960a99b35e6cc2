"""Draw a sheet of the units of a model, and tabulate its layers."""

import pandas as pd

from deepunits.console import job
from deepunits.drawing.overview import draw, summary
from deepunits.drawing.sheet import save
from deepunits.storage import write_text

with job(log=snakemake.log[0]):
    files = {name: paths for name, paths in snakemake.input.items() if name != "modules"}
    figure, numbers = draw(**files)
    save(figure, numbers, **{name: path for name, path in snakemake.output.items() if name != "table"})
    table = pd.DataFrame(summary(files["maxima"], files["invariance"])).round(4)
    write_text(snakemake.output.table, table.to_csv(index=False))
