"""Fine-tuning: classifiers from pretrained layers and, to compare, from random weights (§4.4, footnote 8).

Needs: results/datasets/<dataset>/examples.npz and results/models/<dataset>/<model>/layer<k>.npz
Makes: results/models/<dataset>/<start>/classifier.npz and, trained on deformed examples, classifier_deformed.npz, where
       <start> is dbn, sdae or random
"""


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
