"""Three ways to see a unit: activation maximization, sampling, linear combination (§4.1, §4.2, §2.1).

Needs: results/models/<dataset>/<model>/layer<k>.npz, or network.json, and, for the norm, results/statistics/<dataset>.npz
Makes: activation_maximization.npz, sampling.npz (DBN) and linear_combination.npz in
       results/units/<dataset>/<model>/layer<k>/
"""


rule maximize_activation:
    message:
        "Maximise activations in layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        network=network_of,
        statistics="results/statistics/{dataset}.npz",
        modules=modules("maximize_activation"),
    output:
        maxima="results/units/{dataset}/{model}/layer{layer}/activation_maximization.npz",
    params:
        shown=unit_settings("shown"),
        settings=maximization_settings,
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/layer{layer}/activation_maximization.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/layer{layer}/activation_maximization.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    priority: 2  # before the figures, for which nothing waits
    resources:
        mem_mb=1000,
        gpu=GPU,
    script:
        "../../scripts/maximize_activation.py"


rule sample_clamped_units:
    message:
        "Sample from clamped units in layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        layers=boltzmann_machines,
        modules=modules("sample_clamped_units"),
    output:
        samples="results/units/{dataset}/{model}/layer{layer}/sampling.npz",
    params:
        shown=unit_settings("shown"),
        sampling=unit_settings("sampling"),
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/layer{layer}/sampling.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/layer{layer}/sampling.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    priority: 2
    resources:
        mem_mb=1000,
        gpu=GPU,
    script:
        "../../scripts/sample_clamped_units.py"


rule combine_filters:
    message:
        "Combine filters for layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        layers=lambda wildcards: layers_up_to(wildcards, int(wildcards.layer)),
        modules=modules("combine_filters"),
    output:
        filters="results/units/{dataset}/{model}/layer{layer}/linear_combination.npz",
    params:
        shown=unit_settings("shown"),
        kept=lambda wildcards: unit_settings("linear_combination")(wildcards)["kept"],
    log:
        "results/logs/units/{dataset}/{model}/layer{layer}/linear_combination.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/layer{layer}/linear_combination.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    priority: 2
    resources:
        mem_mb=1000,
    script:
        "../../scripts/combine_filters.py"


for dataset, model, k in LAYERS + NETWORKS:
    tools = config["units"].get(dataset, {})
    unit = f"results/units/{dataset}/{model}/layer{k}"
    if "activation_maximization" in tools:
        RESULTS.append(f"{unit}/activation_maximization.npz")
    if "linear_combination" in tools and config["kinds"][dataset][model] == "dbn" and k > 1:
        RESULTS.append(f"{unit}/linear_combination.npz")
    if "sampling" in tools and config["kinds"][dataset][model] == "dbn" and k == 2:
        RESULTS.append(f"{unit}/sampling.npz")
