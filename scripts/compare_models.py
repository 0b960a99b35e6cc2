"""Measure how the models of each dataset differ in how invariant the units of their layers are."""

import pandas as pd

from deepunits.console import job
from deepunits.data.examples import load_examples, load_provenance, substitute
from deepunits.invariance.comparison import (
    EXAMPLES,
    MODEL_COLUMNS,
    MODELS,
    dataset_curves,
    dead_units,
    model_rows,
    traced_layers,
)
from deepunits.models.stack import load_layer
from deepunits.storage import load_npz, save_npz, write_text

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.input
    rows, drawn = [], {}
    for number, dataset in enumerate(params.datasets):
        examples = load_examples(files.examples[number], "test")[:EXAMPLES]
        stands_in = substitute(load_provenance(files.provenance[number]))
        models = {}
        for place, model in enumerate(MODELS, start=len(MODELS) * number):
            three = slice(3 * place, 3 * place + 3)
            layers, manifolds = map(load_layer, files.layers[three]), list(map(load_npz, files.manifolds[three]))
            models[model] = traced_layers(manifolds, dead_units(layers, examples))
        epsilons = manifolds[0]["epsilons"]
        compared = model_rows(models, epsilons, seed=params.seed)
        rows += [{"dataset": dataset} | row | {"substitute": stands_in} for row in compared]
        drawn |= dataset_curves(dataset, models["dbn"], epsilons)
    table = pd.DataFrame(rows, columns=MODEL_COLUMNS)
    write_text(snakemake.output.table, table.convert_dtypes().to_csv(index=False, float_format="%.6g"))
    save_npz(snakemake.output.curves, **drawn)
