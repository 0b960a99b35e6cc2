"""Invariance: manifolds of all units, of hidden layers and of output units, and what is measured on them (§5).

Needs: the trained layers and classifiers, results/units/…/activation_maximization.npz, results/statistics/<dataset>.npz
Makes: invariance.npz in results/units/<dataset>/<model>/layer<k>/, …/output/ and, of the layers of a classifier,
       …/fine_tuned/layer<k>/; most_invariant.npz in results/units/<dataset>/<model>/layer<k>/;
       invariance_variants.npz in results/units/<dataset>/<model>/
"""


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
        network=network_of,
        maxima="results/units/{dataset}/{model}/layer{layer}/activation_maximization.npz",
        statistics="results/statistics/{dataset}.npz",
        modules=modules("trace_manifolds"),
    output:
        manifolds="results/units/{dataset}/{model}/layer{layer}/invariance.npz",
        most_invariant="results/units/{dataset}/{model}/layer{layer}/most_invariant.npz",
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
    priority: 2
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


use rule maximize_activation as maximize_fine_tuned with:
    message:
        "Maximise activations in layer {wildcards.layer} of the fine-tuned {wildcards.dataset} {wildcards.model}"
    input:
        network="results/models/{dataset}/{model}/classifier.npz",
        statistics=rules.maximize_activation.input.statistics,
        modules=rules.maximize_activation.input.modules,
    output:
        maxima="results/units/{dataset}/{model}/fine_tuned/layer{layer}/activation_maximization.npz",
    log:
        "results/logs/units/{dataset}/{model}/fine_tuned/layer{layer}/activation_maximization.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/fine_tuned/layer{layer}/activation_maximization.tsv"


use rule trace_manifolds as trace_fine_tuned_manifolds with:
    message:
        "Trace manifolds in layer {wildcards.layer} of the fine-tuned {wildcards.dataset} {wildcards.model}"
    input:
        network="results/models/{dataset}/{model}/classifier.npz",
        maxima=rules.maximize_fine_tuned.output.maxima,
        statistics=rules.trace_manifolds.input.statistics,
        modules=rules.trace_manifolds.input.modules,
    output:
        manifolds="results/units/{dataset}/{model}/fine_tuned/layer{layer}/invariance.npz",
    log:
        "results/logs/units/{dataset}/{model}/fine_tuned/layer{layer}/invariance.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/fine_tuned/layer{layer}/invariance.tsv"


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
    priority: 2
    resources:
        mem_mb=1000,
        gpu=GPU,
    script:
        "../../scripts/vary_search.py"


RESULTS += [
    f"results/units/{dataset}/{model}/layer{k}/invariance.npz"
    for dataset, model, k in LAYERS + NETWORKS
    if dataset in config["units"]
]
for dataset, start in CLASSIFIERS:
    tools = config["units"].get(dataset, {})
    if started_from(dataset, start) == "random":
        continue
    if "output" in tools.get("activation_maximization", {}):
        RESULTS.append(f"results/units/{dataset}/{start}/output/activation_maximization.npz")
    if "output" in tools.get("invariance", {}):
        RESULTS.append(f"results/units/{dataset}/{start}/output/invariance.npz")
