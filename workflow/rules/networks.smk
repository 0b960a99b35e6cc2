"""Networks that were trained elsewhere, built once to see that they can be.

Needs: the user's code and weights, results/datasets/<dataset>/provenance.json
Makes: results/models/<dataset>/<network>/network.json, which stands for the network in the rules of the units
"""

for dataset, networks in config["networks"].items():
    for name in networks:
        for key, path in own_files(dataset, name).items():
            if not Path(path).is_file():
                sys.exit(
                    f"error: config key networks.{dataset}.{name}.{key} names {os.path.abspath(path)}, "
                    "which is no file; correct it."
                )


rule describe_network:
    message:
        "Build the network {wildcards.model} of {wildcards.dataset}"
    input:
        own=lambda wildcards: list(own_files(wildcards.dataset, wildcards.model).values()),
        examples="results/datasets/{dataset}/examples.npz",
        provenance="results/datasets/{dataset}/provenance.json",
        modules=modules("describe_network", "deepunits.models.torch_view"),
    output:
        description="results/models/{dataset}/{model}/network.json",
    params:
        settings=network_settings,
    log:
        "results/logs/models/{dataset}/{model}/network.log",
    benchmark:
        "results/benchmarks/models/{dataset}/{model}/network.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
    script:
        "../../scripts/describe_network.py"


RESULTS += [f"results/models/{dataset}/{name}/network.json" for dataset, name, k in NETWORKS if k == 1]
