"""Measure how invariant the units of every layer are, by the configured search and by others."""

import pandas as pd

from deepunits.console import job
from deepunits.data.examples import load_examples, load_provenance, substitute
from deepunits.invariance.comparison import COLUMNS, EXAMPLES, dataset_curves, dead_units, layer_rows, searches
from deepunits.models.stack import load_layer
from deepunits.storage import load_npz, save_npz, write_text

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.input
    rows, drawn = [], {}
    for number, (dataset, step) in enumerate(params.searches.items()):
        three = slice(3 * number, 3 * number + 3)
        layers, manifolds = map(load_layer, files.layers[three]), list(map(load_npz, files.manifolds[three]))
        variants, examples = load_npz(files.variants[number]), load_examples(files.examples[number], "test")[:EXAMPLES]
        stands_in = substitute(load_provenance(files.provenance[number]))
        epsilons = manifolds[0]["epsilons"]
        found = list(searches(step, manifolds, variants, dead_units(layers, examples)))
        for search, traced in found:
            about = {"dataset": dataset, "model": "sdae", "search": search}
            measured = layer_rows(traced, epsilons, seed=params.seed)
            rows += [about | row | {"substitute": stands_in} for row in measured]
        drawn |= dataset_curves(dataset, found[0][1], epsilons)
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_text(snakemake.output.table, table.convert_dtypes().to_csv(index=False, float_format="%.6g"))
    save_npz(snakemake.output.curves, **drawn)
