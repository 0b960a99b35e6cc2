"""Tabulate how invariant the layers are to known transformations, by two measures."""

import pandas as pd

from deepunits.console import job
from deepunits.data.examples import load_provenance, substitute
from deepunits.invariance.remarks import TRANSFORMATION_COLUMNS, transformation_rows
from deepunits.storage import load_npz, write_text

with job(log=snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    stands_in = substitute(load_provenance(files.provenance))
    rows = []
    for layer, paths in enumerate(zip(files.transformations, files.invariance, strict=True), start=1):
        measured, traced = map(load_npz, paths)
        found = transformation_rows(measured, traced, top=params.top, seed=params.seed)
        place = {"dataset": params.dataset, "model": params.model, "layer": layer}
        rows += [place | row | {"substitute": stands_in} for row in found]
    table = pd.DataFrame(rows, columns=TRANSFORMATION_COLUMNS)
    write_text(snakemake.output.table, table.convert_dtypes().to_csv(index=False))
