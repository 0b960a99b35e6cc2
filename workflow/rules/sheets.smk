"""A sheet of the units of any model: `snakemake --cores all sheet` draws those of the user's own images, if there are any.

Needs: the layers of the model, the unit tools' files in results/units/, the examples and provenance.json
Makes: results/sheets/<dataset>/<model>.pdf, .png, .svg, and .npz with the numbers drawn
"""

OWN = [dataset for dataset in config["units"] if own_path(dataset)]


rule draw_sheet:
    message:
        "Draw a sheet of the {wildcards.dataset} {wildcards.model}"
    input:
        network=lambda wildcards: [
            f"results/models/{wildcards.dataset}/{wildcards.model}/layer{k}.npz" for k in layers_looked_at(wildcards)
        ],
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
    for dataset in OWN or config["units"]
    for model in config["models"][dataset]
    for ending in ("pdf", "png", "svg", "npz")
]
RESULTS += SHEETS if OWN else []


localrules:
    sheet,


rule sheet:
    message:
        "The sheets are made"
    input:
        SHEETS,
