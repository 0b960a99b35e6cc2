"""The tables.

Needs: the trained layers, the activation maxima on natural images, the classifiers
Makes: results/tables/units.csv and errors.csv
"""

LAYERS = [
    (dataset, model, layer)
    for dataset, models in config["models"].items()
    for model in models
    for layer in layers(config, dataset, model)
]
FITTED = [key for key in LAYERS if key[0] == "natural_images"]  # with Gabor functions


rule tabulate_units:
    message:
        "Tabulate the units"
    input:
        layers=[f"results/models/{dataset}/{model}/layer{k}.npz" for dataset, model, k in LAYERS],
        maxima=[
            f"results/units/{dataset}/{model}/layer{k}/activation_maximization.npz" for dataset, model, k in FITTED
        ],
        examples=expand("results/datasets/{dataset}/examples.npz", dataset=config["models"]),
        provenance=expand("results/datasets/{dataset}/provenance.json", dataset=config["models"]),
        modules=modules("tabulate_units"),
    output:
        table=report("results/tables/units.csv", caption="../report/units.rst", category="Tables"),
    params:
        layers=LAYERS,
        fitted=FITTED,
        datasets=list(config["models"]),
    log:
        "results/logs/tables/units.log",
    benchmark:
        "results/benchmarks/tables/units.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
    script:
        "../../scripts/tabulate_units.py"


rule tabulate_errors:
    message:
        "Tabulate the errors"
    input:
        classifiers=[f"results/models/{dataset}/{start}/classifier.npz" for dataset, start in CLASSIFIERS],
        provenance=expand("results/datasets/{dataset}/provenance.json", dataset=config["classifiers"]),
        modules=modules("tabulate_errors"),
    output:
        table=report("results/tables/errors.csv", caption="../report/errors.rst", category="Tables"),
    params:
        classifiers=CLASSIFIERS,
        deformed=[dataset for dataset, settings in config["datasets"].items() if "deformation" in settings],
        datasets=list(config["classifiers"]),
    log:
        "results/logs/tables/errors.log",
    benchmark:
        "results/benchmarks/tables/errors.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/tabulate_errors.py"
