"""The datasets, fetched and verified.

Needs: nothing, or the files that data.directory holds.
Makes: results/datasets/<dataset>/examples.npz and provenance.json, which says where the data came from
"""

DATA_FOLDERS = {key: from_repository(config["data"][key]) for key in ("directory", "cache")}
if DATA_FOLDERS["directory"] and not Path(DATA_FOLDERS["directory"]).is_dir():
    folder = os.path.abspath(DATA_FOLDERS["directory"])
    sys.exit(f"error: config key data.directory names {folder}, which is no folder; correct it.")
for dataset in config["datasets"]:
    if own_path(dataset) and not Path(own_path(dataset)).exists():
        sys.exit(
            f"error: config key datasets.{dataset}.path names {os.path.abspath(own_path(dataset))}, "
            "which is not there; correct it."
        )


localrules:  # a cluster's nodes may have no network
    prepare,


rule prepare:
    message:
        "Fetch and verify {wildcards.dataset}"
    input:
        lambda wildcards: own_path(wildcards.dataset) or [],
        modules=lambda wildcards: modules("prepare", f"deepunits.data.{reader(wildcards)}"),
    output:
        examples=update("results/datasets/{dataset}/examples.npz"),  # stays if the job fails
        provenance=update("results/datasets/{dataset}/provenance.json"),
    params:
        **DATA_FOLDERS,
        sources=config["data"]["sources"],
        substitutes=config["data"]["substitutes"],
        reader=reader,
        drawing=drawing,
        files=lambda wildcards: listing(own_path(wildcards.dataset)),
    log:
        "results/logs/datasets/{dataset}.log",
    benchmark:
        "results/benchmarks/datasets/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
    script:
        "../../scripts/prepare.py"


RESULTS += examples_of(*config["datasets"]) + provenance_of(*config["datasets"])
