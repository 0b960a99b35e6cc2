"""The datasets, fetched and verified.

Needs: nothing, or the files that data.directory holds.
Makes: results/datasets/<dataset>/examples.npz and provenance.json, which says where the data came from; if asked for,
       results/figures/contact_sheet.pdf, .png, .svg and .npz: digits beside the deformations that training sees
"""

# A relative folder of the user's is found from the repository, wherever the run takes place.
DATA_FOLDERS = {
    key: config["data"][key] and str(Path(workflow.basedir, Path(config["data"][key]).expanduser()))
    for key in ("directory", "cache")
}
if DATA_FOLDERS["directory"] and not Path(DATA_FOLDERS["directory"]).is_dir():
    sys.exit(f"error: config key data.directory names {DATA_FOLDERS['directory']}, which is no folder; correct it.")


localrules:  # a cluster's nodes may have no network
    prepare_mnist,
    contact_sheet,


rule prepare_mnist:
    message:
        "Fetch and verify MNIST"
    input:
        modules=modules("prepare_mnist"),
    output:
        examples=update("results/datasets/mnist/examples.npz"),  # stays if the job fails
        provenance=update("results/datasets/mnist/provenance.json"),
    params:
        **DATA_FOLDERS,
        sources=config["data"]["sources"],
        substitutes=config["data"]["substitutes"],
    log:
        "results/logs/datasets/mnist.log",
    benchmark:
        "results/benchmarks/datasets/mnist.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
    script:
        "../../scripts/prepare_mnist.py"


rule contact_sheet:
    message:
        "Draw digits beside their deformations"
    input:
        examples="results/datasets/mnist/examples.npz",
        provenance="results/datasets/mnist/provenance.json",
        modules=modules("draw_contact_sheet"),
    output:
        pdf="results/figures/contact_sheet.pdf",
        png=report("results/figures/contact_sheet.png", caption="../report/contact_sheet.rst", category="Data"),
        svg="results/figures/contact_sheet.svg",
        numbers="results/figures/contact_sheet.npz",
    params:
        deformation=config["datasets"]["mnist"]["deformation"],
        seed=config["seed"],
    log:
        "results/logs/figures/contact_sheet.log",
    benchmark:
        "results/benchmarks/figures/contact_sheet.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
    script:
        "../../scripts/draw_contact_sheet.py"
