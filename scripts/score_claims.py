"""Make the scorecard of the paper's statements from the claims as they were measured."""

from pathlib import Path

import pandas as pd

from deepunits.console import job
from deepunits.data.examples import stands_in_for
from deepunits.paper.claims.scorecard import as_markdown, score
from deepunits.storage import write_text
from deepunits.tables import read_table

with job(log=snakemake.log[0]):
    measured = pd.concat([read_table(path) for path in snakemake.input.claims])
    substitutes = {Path(path).parent.name: stands_in_for(path) for path in snakemake.input.provenance}
    rows = score(measured)
    write_text(snakemake.output.csv, pd.DataFrame(rows).to_csv(index=False))
    write_text(snakemake.output.markdown, as_markdown(rows, substitutes, snakemake.params.seeds))
