"""Measure claims of the paper on result files."""

from importlib import import_module
from pathlib import Path

import pandas as pd

from deepunits.console import job
from deepunits.data.examples import stands_in_for
from deepunits.paper.claims.claim import COLUMNS
from deepunits.storage import write_text

with job(log=snakemake.log[0]):
    params, rows = snakemake.params, []
    substitutes = {Path(path).parent.name: stands_in_for(path) for path in snakemake.input.provenance}
    root = Path(snakemake.input.provenance[0]).parents[2]
    for name in params.sections:
        for statement in import_module(f"deepunits.paper.claims.{name}").STATEMENTS:
            if statement.name not in params.get("statements", [statement.name]):
                continue
            for dataset, row in statement.rows(set(snakemake.input), seed=params.seed, root=root):
                rows.append(row | {"substitute": substitutes[dataset]})
    table = pd.DataFrame(rows, columns=[*COLUMNS, "substitute"])
    write_text(snakemake.output.csv, table.to_csv(index=False))
