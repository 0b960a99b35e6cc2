"""The studies of the supplement of section 5: what the paper tried and set aside, and known transformations.

Needs: results/models/<dataset>/<model>/layer<k>.npz, the statistics and examples of the dataset, and in
       results/units/<dataset>/<model>/ activation_maximization.npz of the layer studied and invariance.npz of layers 1
       to 3; results/models/mnist_rot/sdae/classifier.npz
Makes: results/units/natural_images/known_units.npz; curvatures.npz and searches.npz of the layer studied, transformations.npz of layers 1 to 3 and
       preconditioned_maximization.npz of the output units, in results/units/<dataset>/<model>/

Their figures and tables are rows of those tables.
"""


rule maximize_preconditioned:
    message:
        "Maximise preconditioned activations of the output units of the {wildcards.dataset} {wildcards.model}"
    input:
        classifier="results/models/{dataset}/{model}/classifier.npz",
        statistics="results/statistics/{dataset}.npz",
        modules=modules("maximize_preconditioned"),
    output:
        maxima="results/units/{dataset}/{model}/output/preconditioned_maximization.npz",
    params:
        settings=STUDY["preconditioned"],
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/output/preconditioned_maximization.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/output/preconditioned_maximization.tsv"
    conda:
        "../../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        gpu=GPU,
    script:
        "../../../scripts/maximize_preconditioned.py"


rule measure_curvatures:
    message:
        "Measure curvatures in layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        layers=lambda wildcards: layers_up_to(wildcards, int(wildcards.layer)),
        maxima="results/units/{dataset}/{model}/layer{layer}/activation_maximization.npz",
        statistics="results/statistics/{dataset}.npz",
        modules=modules("measure_curvatures"),
    output:
        curvatures="results/units/{dataset}/{model}/layer{layer}/curvatures.npz",
    params:
        units=STUDY["units"],
        distances=STUDY["searches"]["distances"],
    log:
        "results/logs/units/{dataset}/{model}/layer{layer}/curvatures.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/layer{layer}/curvatures.tsv"
    conda:
        "../../../environment.yml"
    threads: 1
    priority: 2
    resources:
        mem_mb=1000,
    script:
        "../../../scripts/measure_curvatures.py"


rule compare_searches:
    message:
        "Compare searches in layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        layers=lambda wildcards: layers_up_to(wildcards, int(wildcards.layer)),
        maxima="results/units/{dataset}/{model}/layer{layer}/activation_maximization.npz",
        statistics="results/statistics/{dataset}.npz",
        modules=modules("compare_searches"),
    output:
        searches="results/units/{dataset}/{model}/layer{layer}/searches.npz",
    params:
        units=STUDY["units"],
        settings=STUDY["searches"],
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/layer{layer}/searches.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/layer{layer}/searches.tsv"
    conda:
        "../../../environment.yml"
    threads: 1
    priority: 2
    resources:
        mem_mb=1000,
        gpu=GPU,
    script:
        "../../../scripts/compare_searches.py"


rule measure_transformations:
    message:
        "Transform optima and examples of layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        network=network_of,
        invariance="results/units/{dataset}/{model}/layer{layer}/invariance.npz",
        examples="results/datasets/{dataset}/examples.npz",
        provenance="results/datasets/{dataset}/provenance.json",
        modules=modules("measure_transformations"),
    output:
        transformations="results/units/{dataset}/{model}/layer{layer}/transformations.npz",
    params:
        **{name: STUDY["transformations"][name] for name in ("units", "amounts", "global_rate", "strongest")},
        largest={
            "rotation": STUDY["transformations"]["rotation"],
            "horizontal_translation": STUDY["transformations"]["translation"],
            "vertical_translation": STUDY["transformations"]["translation"],
            "scaling": STUDY["transformations"]["scaling"],
        },
        edge=lambda wildcards: config["datasets"][wildcards.dataset]["edge"],
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/layer{layer}/transformations.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/layer{layer}/transformations.tsv"
    conda:
        "../../../environment.yml"
    threads: 1
    priority: 2
    resources:
        mem_mb=1500,
        gpu=GPU,
    script:
        "../../../scripts/measure_transformations.py"


rule trace_known_units:
    message:
        "Trace the manifolds of units whose truth is known"
    input:
        statistics="results/statistics/natural_images.npz",
        modules=modules("trace_known_units"),
    output:
        known=KNOWN_UNITS,
    params:
        distances=STUDY["searches"]["distances"],
        seed=config["seed"],
    log:
        "results/logs/units/natural_images/known_units.log",
    benchmark:
        "results/benchmarks/units/natural_images/known_units.tsv"
    conda:
        "../../../environment.yml"
    threads: 1
    priority: 2
    resources:
        mem_mb=500,
    script:
        "../../../scripts/trace_known_units.py"


STUDIES = [
    KNOWN_UNITS,
    f"results/units/mnist_rot/{DRAWN}/output/preconditioned_maximization.npz",
    f"{STUDIED_LAYER}/curvatures.npz",
    f"{STUDIED_LAYER}/searches.npz",
    *expand(f"{STUDIED}/layer{{k}}/transformations.npz", k=[1, 2, 3]),
]
RESULTS += STUDIES


localrules:
    supplement,


rule supplement:
    message:
        "The supplement is made"
    input:
        STUDIES,
        [path for path in RESULTS if "figures/supplement_" in path],
        expand("results/tables/{table}.csv", table=["supplement", "transformations", "known_units"]),
