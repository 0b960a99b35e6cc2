"""Measure the paper's claims from the result files and write them as a table."""

import pandas as pd

from deepunits import claims
from deepunits.console import job
from deepunits.data.examples import load_examples
from deepunits.storage import load_npz, write_text

with job(log=snakemake.log[0]):
    seed = snakemake.params.seed
    measured = []
    for (model, layer), path in zip(snakemake.params.maxima, snakemake.input.maxima, strict=True):
        name, maxima = f"mnist {model} layer {layer}", load_npz(path)
        if layer == 1:
            weights = load_npz(snakemake.input[f"{model}_layer1"])["weights"]
            measured.append(claims.first_layer_claim(name, maxima, weights, seed=seed))
        else:
            measured += claims.claims_about_maxima(name, maxima, seed=seed)
    measured += claims.claims_about_methods(
        "mnist dbn layer 2",
        load_npz(snakemake.input.compared),
        load_npz(snakemake.input.sampling),
        load_npz(snakemake.input.linear_combination),
        load_examples(snakemake.input.examples, "test"),
        seed=seed,
    )
    write_text(snakemake.output.csv, pd.DataFrame([claim.row() for claim in measured]).to_csv(index=False))
    write_text(snakemake.output.markdown, claims.as_markdown(measured))
