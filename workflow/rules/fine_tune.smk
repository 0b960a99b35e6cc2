"""Fine-tuning: classifiers from pretrained layers and, to compare, from random weights (§4.4, footnote 8).

Needs: results/datasets/<dataset>/examples.npz and results/models/<dataset>/<model>/layer<k>.npz
Makes: results/models/<dataset>/<start>/classifier.npz and, trained on deformed examples, classifier_deformed.npz, where
       <start> is dbn, sdae or random
"""

CLASSIFIERS = [
    (dataset, start, on)
    for dataset, starts in config["classifiers"].items()
    for start, settings in starts.items()
    for on in ("", "_deformed")
    if not on or "deformed" in settings
]


def pretrained_layers(wildcards):
    """Return the files of all layers of the model that a classifier starts from."""
    if wildcards.start == "random":
        return []
    last = layers(config, wildcards.dataset, wildcards.start)[-1]
    return [f"results/models/{wildcards.dataset}/{wildcards.start}/layer{k}.npz" for k in range(1, last + 1)]


def classifier_settings(wildcards):
    """Return how a classifier is trained."""
    if tuple(wildcards) not in CLASSIFIERS:
        key = ".".join(["classifiers", wildcards.dataset, wildcards.start, *(["deformed"] if wildcards.on else [])])
        sys.exit(f"error: config key {key} is missing, but a classifier that needs it was asked for; add it.")
    settings = dict(config["classifiers"][wildcards.dataset][wildcards.start])
    deformed = settings.pop("deformed", {})
    return settings | deformed if wildcards.on else settings


rule fine_tune:
    message:
        "Fine-tune the {wildcards.dataset} {wildcards.start} classifier{wildcards.on}"
    input:
        layers=pretrained_layers,
        examples="results/datasets/{dataset}/examples.npz",
        modules=modules("fine_tune"),
    output:
        classifier=update("results/models/{dataset}/{start}/classifier{on}.npz"),
    wildcard_constraints:
        start="dbn|sdae|random",
        on="(_deformed)?",
    params:
        settings=classifier_settings,
        deformation=lambda wildcards: config["datasets"]["mnist"]["deformation"] if wildcards.on else None,
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/models/{dataset}/{start}/classifier{on}.log",
    benchmark:
        "results/benchmarks/models/{dataset}/{start}/classifier{on}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    priority: 5
    resources:
        mem_mb=2000,
        gpu=GPU,
    script:
        "../../scripts/fine_tune.py"
