"""Measure the paper's claims from the result files and write them as a table."""

import pandas as pd

from deepunits.claims import as_markdown
from deepunits.console import job
from deepunits.data.examples import load_examples, load_labels, load_provenance, substitute
from deepunits.invariance.claims import claims_about_layers, claims_about_output
from deepunits.storage import load_npz, write_text
from deepunits.visualize.claims import (
    claims_about_gabors,
    claims_about_maxima,
    claims_about_methods,
    claims_about_objects,
    first_layer_claim,
    samples_claim,
)

with job(log=snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    seed = params.seed
    records = map(load_provenance, files.provenance)
    stands_in = dict(zip(params.datasets, map(substitute, records), strict=True))
    rows = []

    def measured(dataset, found):
        rows.extend(claim.row() | {"substitute": stands_in[dataset]} for claim in found)

    first_layers = iter(files.first_layers)
    for (dataset, model, layer), path in zip(params.maxima, files.maxima, strict=True):
        name, maxima = f"{dataset} {model} layer {layer}", load_npz(path)
        if layer == 1:
            weights = load_npz(next(first_layers))["weights"]
            measured(dataset, [first_layer_claim(name, maxima, weights, seed=seed)])
        else:
            measured(dataset, claims_about_maxima(name, maxima, seed=seed))
    compared = (params.compared, files.compared, files.sampling, files.combination, files.examples)
    for dataset, maxima, sampling, combination, examples in zip(*compared, strict=True):
        found = claims_about_methods(
            f"{dataset} dbn layer 2",
            load_npz(maxima),
            load_npz(sampling),
            load_npz(combination),
            load_examples(examples, "test"),
            seed=seed,
        )
        measured(dataset, found)
    patches = "natural_images"
    measured(patches, [samples_claim(f"{patches} dbn layer 2", load_npz(files.patch_samples), seed=seed)])
    outlines = "silhouettes"
    found = claims_about_objects(
        f"{outlines} sdae layer 3",
        load_npz(files.outline_maxima),
        load_examples(files.outlines, "train"),
        load_labels(files.outlines, "train"),
        load_examples(files.outlines, "test"),
        seed=seed,
    )
    measured(outlines, found)
    units = pd.read_csv(files.units)
    measured(patches, claims_about_gabors(units[units["dataset"] == patches].to_dict("records")))
    hidden = load_npz(files.hidden)["inputs"]
    for model, maxima, manifolds in zip(params.classified, files.outputs, files.output_manifolds, strict=True):
        name, found = f"mnist_rot {model}", (load_npz(maxima), load_npz(manifolds))
        measured("mnist_rot", claims_about_output(name, *found, hidden, label=4, seed=seed))
    table = pd.read_csv(files.invariance)
    for dataset in params.layered:
        rows_of = table[table["dataset"] == dataset].to_dict("records")
        measured(dataset, claims_about_layers(dataset, rows_of))
    write_text(snakemake.output.csv, pd.DataFrame(rows).to_csv(index=False))
    write_text(snakemake.output.markdown, as_markdown(rows))
