"""Fine-tuning: classifiers from pretrained layers and, to compare, from random weights (§4.4, footnote 8).

Needs: results/datasets/<dataset>/examples.npz and results/models/<dataset>/<model>/layer<k>.npz
Makes: results/models/<dataset>/<start>/classifier.npz, where <start> is a model or random
"""


rule fine_tune:
    message:
        "Fine-tune the {wildcards.dataset} {wildcards.start} classifier"
    input:
        layers=pretrained_layers,
        examples="results/datasets/{dataset}/examples.npz",
        modules=modules("fine_tune"),
    output:
        classifier=update("results/models/{dataset}/{start}/classifier.npz"),
    params:
        settings=classifier_settings,
        deformation=deformation,
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/models/{dataset}/{start}/classifier.log",
    benchmark:
        "results/benchmarks/models/{dataset}/{start}/classifier.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    priority: 5
    resources:
        mem_mb=2000,
        gpu=GPU,
    script:
        "../../scripts/fine_tune.py"


RESULTS += [f"results/models/{dataset}/{start}/classifier.npz" for dataset, start in CLASSIFIERS]
