"""Put the rows of a table of several seeds below each other."""

import pandas as pd

from deepunits.console import job
from deepunits.storage import write_text

with job(log=snakemake.log[0]):
    seeds, tables = snakemake.params.seeds, map(pd.read_csv, snakemake.input.tables)
    gathered = pd.concat(dict(zip(seeds, tables, strict=True)), names=["seed", None]).reset_index("seed")
    write_text(snakemake.output.table, gathered.to_csv(index=False))
