"""The paper's choice of hyperparameters (§4.4), on request: `snakemake --cores all select`.

Needs: results/datasets/<dataset>/examples.npz
Makes: results/selection/selection.csv, a table of every point tried, and results/selection/winners.yaml, the best ones as
       a file for --configfile; results/selection/<dataset>/<model>/<point>.json, one job a point

A dataset with classifiers is searched by the classification error of validation examples after fine-tuning, any other by
their reconstruction error in the first layer.
"""


rule try_point:
    message:
        "Try {wildcards.point} for the {wildcards.dataset} {wildcards.model}"
    input:
        examples="results/datasets/{dataset}/examples.npz",
        modules=modules("try_point"),
    output:
        trial="results/selection/{dataset}/{model}/{point}.json",
    wildcard_constraints:
        point="[^/]+",
    params:
        kind=kind,
        point=lambda wildcards: point(config, wildcards),
        layers=lambda wildcards: searched_layers(config, wildcards.dataset, wildcards.model),
        classifier=lambda wildcards: searched_classifier(config, wildcards.dataset, wildcards.model),
        examples=lambda wildcards: config["selection"][wildcards.dataset]["examples"],
        epochs=lambda wildcards: config["selection"][wildcards.dataset].get("epochs"),
        deformation=deformation,
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/selection/{dataset}/{model}/{point}.log",
    benchmark:
        "results/benchmarks/selection/{dataset}/{model}/{point}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        gpu=GPU,
    script:
        "../../scripts/try_point.py"


rule select:
    message:
        "Select the hyperparameters"
    input:
        trials=lambda wildcards: [f"results/selection/{name}.json" for name in points(config)],
        provenance=expand("results/datasets/{dataset}/provenance.json", dataset=config["selection"]),
        modules=modules("choose_winners"),
    output:
        table="results/selection/selection.csv",
        winners="results/selection/winners.yaml",
    params:
        datasets=list(config["selection"]),
    log:
        "results/logs/selection/selection.log",
    benchmark:
        "results/benchmarks/selection/selection.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/choose_winners.py"
