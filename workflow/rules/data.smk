"""The datasets, fetched and verified.

Needs: nothing, or the files that data.directory holds.
Makes: results/datasets/<dataset>/examples.npz and provenance.json, which says where the data came from
"""

# A relative folder of the user's is found from the repository, wherever the run takes place.
DATA_FOLDERS = {
    key: config["data"][key] and str(Path(workflow.basedir, Path(config["data"][key]).expanduser()))
    for key in ("directory", "cache")
}
if DATA_FOLDERS["directory"] and not Path(DATA_FOLDERS["directory"]).is_dir():
    sys.exit(f"error: config key data.directory names {DATA_FOLDERS['directory']}, which is no folder; correct it.")


# What examples are drawn or made with, where they are no plain files.
PATCHES = config["datasets"]["natural_images"]
DRAWING = {
    "natural_images": {"seed": config["seed"], "patches": PATCHES["patches"], "clip": PATCHES["clip"]},
    "mnist_rot": {"seed": config["seed"]},
}


# The datasets that are prepared as others are, and differ from them in how training sees them.
SAME_FILES = {"mnist_originals": "mnist"}


localrules:  # a cluster's nodes may have no network
    prepare,


rule prepare:
    message:
        "Fetch and verify {wildcards.dataset}"
    input:
        modules=lambda wildcards: modules(f"prepare_{SAME_FILES.get(wildcards.dataset, wildcards.dataset)}"),
    output:
        examples=update("results/datasets/{dataset}/examples.npz"),  # stays if the job fails
        provenance=update("results/datasets/{dataset}/provenance.json"),
    params:
        **DATA_FOLDERS,
        sources=config["data"]["sources"],
        substitutes=config["data"]["substitutes"],
        files=lambda wildcards: SAME_FILES.get(wildcards.dataset, wildcards.dataset),
        drawing=lambda wildcards: DRAWING.get(wildcards.dataset),
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
        "../../scripts/prepare_{params.files}.py"


RESULTS += examples_of(*config["datasets"]) + provenance_of(*config["datasets"])
