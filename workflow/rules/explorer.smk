"""The explorer of every unit, a page for a browser: `snakemake --cores all explorer`.

Needs: the layers of the models, classifier.npz or network.json, the unit tools' files in results/units/, the examples
       and provenance.json
Makes: results/explorer/index.html, and beside it a folder <dataset>/<model> of numbers and images for each model
"""

from types import SimpleNamespace

EXPLORED = {
    dataset: {model: list(layers(config, dataset, model)) for model in config["kinds"][dataset]}
    for dataset in config["units"]
}
OUTPUTS = [(d, start) for d, start in CLASSIFIERS if f"results/units/{d}/{start}/output/invariance.npz" in RESULTS]
SEEN = [SimpleNamespace(dataset=dataset, model=model) for dataset, models in EXPLORED.items() for model in models]
for dataset, start in OUTPUTS:
    EXPLORED[dataset].setdefault(start, []).append("output")
TOOLS = (
    "activation_maximization",
    "invariance",
    "most_invariant",
    "linear_combination",
    "sampling",
    "transformations",
)
SEEN_FILES = {tool: [file for model in SEEN for file in tool_files(tool)(model)] for tool in TOOLS}
OUTPUT_FILES = {
    tool: [f"results/units/{d}/{start}/output/{tool}.npz" for d, start in OUTPUTS]
    for tool in ("activation_maximization", "invariance")
}


rule explorer:
    message:
        "Make the explorer"
    input:
        network=[whole_network(model) for model in SEEN]
        + [f"results/models/{d}/{start}/classifier.npz" for d, start in OUTPUTS],
        maxima=SEEN_FILES["activation_maximization"] + OUTPUT_FILES["activation_maximization"],
        invariance=SEEN_FILES["invariance"] + OUTPUT_FILES["invariance"],
        most_invariant=SEEN_FILES["most_invariant"],
        combination=SEEN_FILES["linear_combination"],
        sampling=SEEN_FILES["sampling"],
        transformations=SEEN_FILES["transformations"],
        examples=examples_of(*EXPLORED),
        provenances=provenance_of(*EXPLORED),
        template=from_repository("src/deepunits/drawing/explorer.html"),
        modules=modules("make_explorer"),
    output:
        page="results/explorer/index.html",
        folders=[directory(f"results/explorer/{d}/{m}") for d, models in EXPLORED.items() for m in models],
    params:
        models=EXPLORED,
    log:
        "results/logs/explorer.log",
    benchmark:
        "results/benchmarks/explorer.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
    script:
        "../../scripts/make_explorer.py"


RESULTS += rules.explorer.output
