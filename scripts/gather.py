"""Put the rows of several tables below each other, and say in a column which each is from."""

import pandas as pd

from deepunits.console import job
from deepunits.storage import write_text
from deepunits.tables import read_table

with job(log=snakemake.log[0]):
    params, tables = snakemake.params, map(read_table, snakemake.input.tables)
    gathered = pd.concat(dict(zip(params.sources, tables, strict=True)), names=[params.column, None])
    write_text(snakemake.output.table, gathered.reset_index(params.column).to_csv(index=False))
