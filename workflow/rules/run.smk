"""The record of a full run.

Needs: everything that a full run makes
Makes: results/run.json
"""

FIGURES = [1, 2, 3, 4, 5, 6, 7, "7_normalised", "7_dbn"]

# Every file of a full run, and not the last ones only, so that Snakemake makes again whichever is deleted.
RESULTS = [
    "results/claims.csv",
    "results/claims.md",
    *expand("results/tables/{table}.csv", table=["units", "errors", "invariance", "invariance_models", "rotations"]),
    *expand("results/tables/{curves}.npz", curves=["invariance_curves", "invariance_curves_dbn"]),
    *[f"results/models/{dataset}/{start}/classifier.npz" for dataset, start in CLASSIFIERS],
    *expand("results/figures/figure{n}.{kind}", n=FIGURES, kind=["pdf", "png", "svg", "npz"]),
    *expand("results/datasets/{dataset}/{file}", dataset=config["datasets"], file=["examples.npz", "provenance.json"]),
    *expand("results/statistics/{dataset}.npz", dataset=config["datasets"]),
    *SUPPLEMENT,
]
for model in CLASSIFIED:
    RESULTS += expand(
        "results/units/mnist_rot/{model}/output/{file}.npz", model=model, file=["activation_maximization", "invariance"]
    )
for dataset in MEASURED:
    RESULTS.append(f"results/units/{dataset}/sdae/invariance_variants.npz")
    RESULTS += expand("results/units/{dataset}/sdae/layer{k}/invariance.npz", dataset=dataset, k=[1, 2, 3])
for dataset in PAIRED:
    RESULTS += expand("results/units/{dataset}/dbn/layer{k}/invariance.npz", dataset=dataset, k=[1, 2, 3])
for dataset, model, layer in LAYERS:
    RESULTS += [
        f"results/models/{dataset}/{model}/layer{layer}.npz",
        f"results/models/{dataset}/{model}/layer{layer}_history.csv",
    ]
    if dataset in config["units"]:
        RESULTS.append(f"results/units/{dataset}/{model}/layer{layer}/activation_maximization.npz")
    if model == "dbn" and layer > 1 and "linear_combination" in config["units"].get(dataset, {}):
        RESULTS.append(f"results/units/{dataset}/{model}/layer{layer}/linear_combination.npz")
for dataset in config["units"]:
    if "sampling" in config["units"][dataset]:
        RESULTS.append(f"results/units/{dataset}/dbn/layer2/sampling.npz")


localrules:
    record_run,


rule record_run:
    message:
        "Record the run"
    input:
        RESULTS,
        modules=modules("record_run"),
    output:
        record="results/run.json",
    params:
        config=config,
        repository=workflow.basedir,
        benchmarks="results/benchmarks",
    log:
        "results/logs/run.log",
    benchmark:
        "results/benchmarks/run.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/record_run.py"
