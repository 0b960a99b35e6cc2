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


def explored(tool, output=True):
    """Return a unit tool's files of all models, and of the output units unless it has none."""
    files = [file for model in SEEN for file in tool_files(tool)(model)]
    return files + [f"results/units/{d}/{start}/output/{tool}.npz" for d, start in OUTPUTS if output]


def networks_explored():
    """Return the files of the networks of all models, and the classifiers of which the output units are seen."""
    found = [whole_network(model) for model in SEEN]
    files = [file for files in found for file in ([files] if isinstance(files, str) else files)]
    return files + [f"results/models/{d}/{start}/classifier.npz" for d, start in OUTPUTS]


rule explorer:
    message:
        "Make the explorer"
    input:
        network=networks_explored(),
        maxima=explored("activation_maximization"),
        invariance=explored("invariance"),
        most_invariant=explored("most_invariant", output=False),
        combination=explored("linear_combination", output=False),
        sampling=explored("sampling", output=False),
        transformations=explored("transformations", output=False),
        examples=examples_of(*EXPLORED),
        provenances=provenance_of(*EXPLORED),
        template=os.path.relpath(Path(workflow.basedir, "src/deepunits/drawing/explorer.html")),
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
