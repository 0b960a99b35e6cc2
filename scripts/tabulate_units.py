"""Count the dead units of every layer, and measure how much those on natural images are like Gabor functions."""

import pandas as pd

from deepunits.claims import best_of
from deepunits.console import job
from deepunits.data.examples import load_examples, load_provenance, substitute
from deepunits.models.stack import load_layer
from deepunits.storage import load_npz, write_text
from deepunits.tables import UNIT_COLUMNS, unit_row

EXAMPLES = 2000  # test examples, the same that pretraining counts dead units on

with job(log=snakemake.log[0]):
    files = snakemake.input
    examples = {
        dataset: load_examples(path, "test")[:EXAMPLES]
        for dataset, path in zip(snakemake.params.datasets, files.examples, strict=True)
    }
    records = dict(zip(snakemake.params.datasets, map(load_provenance, files.provenance), strict=True))
    maxima = dict(zip(map(tuple, snakemake.params.fitted), files.maxima, strict=True))
    rows, stack = [], []
    for (dataset, model, layer), path in zip(snakemake.params.layers, files.layers, strict=True):
        stack = [*stack[: layer - 1], load_layer(path)]
        key = dataset, model, layer
        best = best_of(load_npz(maxima[key])) if key in maxima else None
        row = unit_row(dataset, model, stack, examples[dataset], best)
        rows.append(row | {"substitute": substitute(records[dataset])})
    table = pd.DataFrame(rows, columns=UNIT_COLUMNS)
    write_text(snakemake.output.table, table.convert_dtypes().to_csv(index=False))
