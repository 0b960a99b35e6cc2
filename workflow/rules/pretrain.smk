"""Greedy layer-wise pretraining: one job a layer, on the trained layers below it (§3).

Needs: results/datasets/<dataset>/examples.npz
Makes: results/models/<dataset>/<model>/layer<k>.npz and layer<k>_history.csv

Two jobs of one thread side by side train faster than one job of two. The checkpoint that an interrupted job resumes
from is no output, because Snakemake deletes the outputs of a job that failed; update() keeps the earlier ones instead.
"""


rule pretrain:
    message:
        "Train layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        lower=lambda wildcards: layers_up_to(wildcards, int(wildcards.layer) - 1),
        examples="results/datasets/{dataset}/examples.npz",
        modules=modules("pretrain_layer"),
    output:
        layer=update("results/models/{dataset}/{model}/layer{layer}.npz"),
        history=update("results/models/{dataset}/{model}/layer{layer}_history.csv"),
    params:
        kind=kind,
        settings=layer_settings,
        deformation=deformation,
        seed=config["seed"],
        device=config["device"],
        checkpoint=lambda wildcards, output: checkpoint_of(output.layer),
    log:
        "results/logs/models/{dataset}/{model}/layer{layer}.log",
    benchmark:
        "results/benchmarks/models/{dataset}/{model}/layer{layer}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    priority: 10  # all else waits for it
    resources:
        mem_mb=1500,
        gpu=GPU,
    script:
        "../../scripts/pretrain_layer.py"


RESULTS += [
    f"results/models/{dataset}/{model}/layer{k}{file}"
    for dataset, model, k in LAYERS
    for file in (".npz", "_history.csv")
]
