"""Invariance: manifolds of all units, of hidden layers and of output units, and what is measured on them (§5).

Needs: the trained layers and classifiers, results/units/…/activation_maximization.npz, results/statistics/<dataset>.npz;
       to tell dead units, the examples
Makes: invariance.npz in results/units/<dataset>/<model>/layer<k>/ and …/output/, invariance_variants.npz in
       results/units/<dataset>/<model>/, and in results/tables/ invariance.csv, invariance_curves.npz,
       invariance_models.csv, invariance_curves_dbn.npz and rotations.csv
"""

# Figure 7 is about the SDAE (§5.3), the output units are those of mnist-rot's pretrained classifiers (§5.2). Models are
# compared where there are both.
MEASURED = [dataset for dataset in config["units"] if "sdae" in config["models"][dataset]]
PAIRED = [dataset for dataset in MEASURED if "dbn" in config["models"][dataset]]
CLASSIFIED = [model for model in ("dbn", "sdae") if model in config["classifiers"]["mnist_rot"]]
LABELS = [4, 5]  # of Figure 6


use rule maximize_activation as maximize_output with:
    message:
        "Maximise activations of the output units of the {wildcards.dataset} {wildcards.model}"
    input:
        network="results/models/{dataset}/{model}/classifier.npz",
        statistics=rules.maximize_activation.input.statistics,
        modules=rules.maximize_activation.input.modules,
    output:
        maxima="results/units/{dataset}/{model}/output/activation_maximization.npz",
    params:
        settings=output_settings("activation_maximization"),
    log:
        "results/logs/units/{dataset}/{model}/output/activation_maximization.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/output/activation_maximization.tsv"


rule trace_manifolds:
    message:
        "Trace manifolds in layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        network=lambda wildcards: layers_up_to(wildcards, int(wildcards.layer)),
        maxima="results/units/{dataset}/{model}/layer{layer}/activation_maximization.npz",
        statistics="results/statistics/{dataset}.npz",
        modules=modules("trace_manifolds"),
    output:
        manifolds="results/units/{dataset}/{model}/layer{layer}/invariance.npz",
    params:
        maximization=maximization_settings,
        search=hidden_settings("invariance"),
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/layer{layer}/invariance.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/layer{layer}/invariance.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        gpu=GPU,
    script:
        "../../scripts/trace_manifolds.py"


use rule trace_manifolds as trace_output_manifolds with:
    message:
        "Trace manifolds of the output units of the {wildcards.dataset} {wildcards.model}"
    input:
        network="results/models/{dataset}/{model}/classifier.npz",
        maxima=rules.maximize_output.output.maxima,
        statistics=rules.trace_manifolds.input.statistics,
        modules=rules.trace_manifolds.input.modules,
    output:
        manifolds="results/units/{dataset}/{model}/output/invariance.npz",
    params:
        maximization=output_settings("activation_maximization"),
        search=output_settings("invariance"),
    log:
        "results/logs/units/{dataset}/{model}/output/invariance.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/output/invariance.tsv"


rule vary_search:
    message:
        "Trace manifolds of the {wildcards.dataset} {wildcards.model} by other searches"
    input:
        layers=expand("results/models/{{dataset}}/{{model}}/layer{k}.npz", k=[1, 2, 3]),
        manifolds=expand("results/units/{{dataset}}/{{model}}/layer{k}/invariance.npz", k=[1, 2, 3]),
        statistics="results/statistics/{dataset}.npz",
        modules=modules("vary_search"),
    output:
        variants="results/units/{dataset}/{model}/invariance_variants.npz",
    params:
        search=hidden_settings("invariance"),
        varied=lambda wildcards: unit_settings("invariance")(wildcards)["variants"],
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/invariance_variants.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/invariance_variants.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        gpu=GPU,
    script:
        "../../scripts/vary_search.py"


rule tabulate_invariance:
    message:
        "Tabulate the invariance of the layers"
    input:
        layers=expand("results/models/{dataset}/sdae/layer{k}.npz", dataset=MEASURED, k=[1, 2, 3]),
        manifolds=expand("results/units/{dataset}/sdae/layer{k}/invariance.npz", dataset=MEASURED, k=[1, 2, 3]),
        variants=expand("results/units/{dataset}/sdae/invariance_variants.npz", dataset=MEASURED),
        examples=expand("results/datasets/{dataset}/examples.npz", dataset=MEASURED),
        provenance=provenance_of(*MEASURED),
        modules=modules("tabulate_invariance"),
    output:
        table=report("results/tables/invariance.csv", caption="../report/invariance.rst", category="Tables"),
        curves="results/tables/invariance_curves.npz",
    params:
        searches={dataset: config["units"][dataset]["invariance"]["step"] for dataset in MEASURED},
        seed=config["seed"],
    log:
        "results/logs/tables/invariance.log",
    benchmark:
        "results/benchmarks/tables/invariance.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
    script:
        "../../scripts/tabulate_invariance.py"


rule compare_models:
    message:
        "Compare the models by their invariance"
    input:
        layers=expand(
            "results/models/{dataset}/{model}/layer{k}.npz", dataset=PAIRED, model=["dbn", "sdae"], k=[1, 2, 3]
        ),
        manifolds=expand(
            "results/units/{dataset}/{model}/layer{k}/invariance.npz",
            dataset=PAIRED,
            model=["dbn", "sdae"],
            k=[1, 2, 3],
        ),
        examples=expand("results/datasets/{dataset}/examples.npz", dataset=PAIRED),
        provenance=provenance_of(*PAIRED),
        modules=modules("compare_models"),
    output:
        table=report(
            "results/tables/invariance_models.csv", caption="../report/invariance_models.rst", category="Tables"
        ),
        curves="results/tables/invariance_curves_dbn.npz",
    params:
        datasets=PAIRED,
        seed=config["seed"],
    log:
        "results/logs/tables/invariance_models.log",
    benchmark:
        "results/benchmarks/tables/invariance_models.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
    script:
        "../../scripts/compare_models.py"


rule tabulate_rotations:
    message:
        "Tabulate how far rotation explains the manifolds"
    input:
        manifolds=[f"results/units/mnist_rot/{model}/output/invariance.npz" for model in CLASSIFIED],
        provenance=provenance_of("mnist_rot"),
        modules=modules("tabulate_rotations"),
    output:
        table=report("results/tables/rotations.csv", caption="../report/rotations.rst", category="Tables"),
    params:
        models=CLASSIFIED,
        labels=LABELS,
    log:
        "results/logs/tables/rotations.log",
    benchmark:
        "results/benchmarks/tables/rotations.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/tabulate_rotations.py"
