"""A sheet of the units of any model: `snakemake --cores all sheet` draws those of the user's own images and networks, if any.

Needs: the layers of the model or network.json, the unit tools' files in results/units/, the examples and provenance.json
Makes: results/sheets/<dataset>/<model>.pdf, .png, .svg, .npz with the numbers drawn, and .csv with a row a layer
"""

# Of images or of a network of the user's own.
OWN = [
    (dataset, model)
    for dataset in config["units"]
    for model, of_kind in config["kinds"][dataset].items()
    if own_path(dataset) or of_kind == "network"
]


rule draw_sheet:
    message:
        "Draw a sheet of the {wildcards.dataset} {wildcards.model}"
    input:
        network=whole_network,
        maxima=tool_files("activation_maximization"),
        invariance=tool_files("invariance"),
        combination=tool_files("linear_combination"),
        sampling=tool_files("sampling"),
        examples="results/datasets/{dataset}/examples.npz",
        provenance="results/datasets/{dataset}/provenance.json",
        modules=modules("draw_sheet"),
    output:
        pdf="results/sheets/{dataset}/{model}.pdf",
        png=report("results/sheets/{dataset}/{model}.png", caption="../report/caption.rst", category="Sheets"),
        svg="results/sheets/{dataset}/{model}.svg",
        numbers="results/sheets/{dataset}/{model}.npz",
        table=report("results/sheets/{dataset}/{model}.csv", caption="../report/caption.rst", category="Sheets"),
    params:
        caption="Units of each layer: what excites them, by every tool, and the curves of their invariance.",
    log:
        "results/logs/sheets/{dataset}/{model}.log",
    benchmark:
        "results/benchmarks/sheets/{dataset}/{model}.tsv"
    conda:
        "../../environment.yml"
    localrule: True
    threads: 1
    resources:
        mem_mb=1000,
    script:
        "../../scripts/draw_sheet.py"


SHEETS = [
    f"results/sheets/{dataset}/{model}.{ending}"
    for dataset, model in OWN or [(d, m) for d in config["units"] for m in config["kinds"][d]]
    for ending in ("pdf", "png", "svg", "npz", "csv")
]
RESULTS += SHEETS if OWN else []


localrules:
    sheet,


rule sheet:
    message:
        "The sheets are made"
    input:
        SHEETS,
