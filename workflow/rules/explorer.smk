"""The explorer of every unit, a page for a browser: `snakemake --cores all explorer`.

Needs: the layers of the models or network.json, the unit tools' files in results/units/, the examples and provenance.json
Makes: results/explorer/index.html, and beside it a folder <dataset>/<model> of numbers and images for each model
"""

EXPLORED = {
    dataset: {model: layers(config, dataset, model) for model in config["kinds"][dataset]}
    for dataset in config["units"]
}


rule explore_model:
    message:
        "Lay out the units of the {wildcards.dataset} {wildcards.model}"
    input:
        network=whole_network,
        maxima=tool_files("activation_maximization"),
        invariance=tool_files("invariance"),
        combination=tool_files("linear_combination"),
        sampling=tool_files("sampling"),
        transformations=tool_files("transformations"),
        examples="results/datasets/{dataset}/examples.npz",
        provenance="results/datasets/{dataset}/provenance.json",
        modules=modules("make_explorer"),
    output:
        folder=directory("results/explorer/{dataset}/{model}"),
    log:
        "results/logs/explorer/{dataset}/{model}.log",
    benchmark:
        "results/benchmarks/explorer/{dataset}/{model}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
    script:
        "../../scripts/make_explorer.py"


rule explorer:
    message:
        "Make the explorer"
    input:
        models=[f"results/explorer/{d}/{m}" for d, models in EXPLORED.items() for m in models],
        provenances=[f"results/datasets/{d}/provenance.json" for d in EXPLORED],
        template=os.path.relpath(Path(workflow.basedir, "src/deepunits/drawing/explorer.html")),
        modules=modules("make_explorer"),
    output:
        page="results/explorer/index.html",
    params:
        models=EXPLORED,
    log:
        "results/logs/explorer.log",
    benchmark:
        "results/benchmarks/explorer.tsv"
    conda:
        "../../environment.yml"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/make_explorer.py"


RESULTS += rules.explorer.input.models + rules.explorer.output
