"""The paper's choice of hyperparameters (§4.4), on request: `snakemake --cores all select`.

Needs: results/datasets/<dataset>/examples.npz
Makes: results/selection/selection.csv, a table of every point tried, and results/selection/winners.yaml, the best ones as
       a file for --configfile; results/selection/<dataset>/<model>/<point>.json, one job a point

MNIST and Silhouettes by the classification error of validation examples after fine-tuning, natural images by their
reconstruction error in the first layer.
"""

from functools import cache

from snakemake.utils import Paramspace

SEARCHES = [
    (dataset, model) for dataset, search in config["selection"].items() for model in ("dbn", "sdae") if model in search
]


@cache
def space(dataset, model):
    """Return the grid of a search as a Paramspace."""
    from pandas import MultiIndex  # here, so that no other target waits for the import

    grid = config["selection"][dataset][model]
    points = MultiIndex.from_product(grid.values(), names=grid).to_frame(index=False)
    return Paramspace(points, filename_params="*", single_wildcard="point")


def point(wildcards):
    """Return the hyperparameters of a point, by name."""
    chosen = space(wildcards.dataset, wildcards.model).instance(wildcards)
    return {name: value.item() for name, value in chosen.items()}


def searched_layers(wildcards):
    """Return the settings of the layers that are trained at a point: the first one where that decides, or all."""
    settings = config["models"][wildcards.dataset][wildcards.model]
    return settings if wildcards.dataset in config["classifiers"] else {"layer1": settings["layer1"]}


def searched_classifier(wildcards):
    """Return the settings of the classifier whose error decides, without those for deformed digits; or None."""
    settings = config["classifiers"].get(wildcards.dataset, {}).get(wildcards.model)
    return settings and {key: value for key, value in settings.items() if key != "deformed"}


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
        point=point,
        layers=searched_layers,
        classifier=searched_classifier,
        examples=lambda wildcards: config["selection"][wildcards.dataset]["examples"],
        epochs=lambda wildcards: config["selection"][wildcards.dataset].get("epochs"),
        deformation=lambda wildcards: config["datasets"][wildcards.dataset].get("deformation"),
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
        trials=lambda wildcards: [
            f"results/selection/{dataset}/{model}/{point}.json"
            for dataset, model in SEARCHES
            for point in space(dataset, model).instance_patterns
        ],
        modules=modules("choose_winners"),
    output:
        table="results/selection/selection.csv",
        winners="results/selection/winners.yaml",
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
