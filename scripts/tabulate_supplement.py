"""Measure the remarks of section 5 that the paper gives without numbers, and write them as a table."""

import pandas as pd

from deepunits.claims import COLUMNS
from deepunits.console import job
from deepunits.data.examples import load_provenance, substitute
from deepunits.invariance.remarks import claims_about_curvatures, claims_about_searches
from deepunits.storage import load_npz, write_text

with job(log=snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    covariance = load_npz(files.statistics)["covariance"]
    found = [
        *claims_about_curvatures(params.name, load_npz(files.curvatures), seed=params.seed),
        *claims_about_searches(params.name, load_npz(files.searches), covariance, seed=params.seed),
    ]
    stands_in = substitute(load_provenance(files.provenance))
    rows = [claim.row() | {"substitute": stands_in} for claim in found]
    write_text(snakemake.output.table, pd.DataFrame(rows, columns=[*COLUMNS, "substitute"]).to_csv(index=False))
