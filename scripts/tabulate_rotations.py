"""Measure how well the manifolds of output units are explained by rotating their optimum."""

import pandas as pd

from deepunits.console import job
from deepunits.data.examples import load_provenance, substitute
from deepunits.invariance.comparison import rotation_rows
from deepunits.storage import load_npz, write_text

with job(log=snakemake.log[0]):
    files, params, rows = snakemake.input, snakemake.params, []
    stands_in = substitute(load_provenance(files.provenance[0]))
    for model, path in zip(params.models, files.manifolds, strict=True):
        stored = load_npz(path)
        for label in params.labels:
            frames = rotation_rows(stored["epsilons"], stored["inputs"][label], stored["activations"][label])
            rows += [{"model": model, "label": label} | row | {"substitute": stands_in} for row in frames]
    write_text(snakemake.output.table, pd.DataFrame(rows).to_csv(index=False, float_format="%.6g"))
