"""The scorecard: the paper's claims, measured, and the remarks of section 5 that it makes without numbers.

Needs: the unit tools' files in results/units/, tables, the first layers of the models, the examples, the statistics of
       the dataset that the supplement studies, and the datasets' provenance.json, which marks substitutes
Makes: results/claims.csv and claims.md, results/tables/supplement.csv and supplement.md

A statement is measured wherever its files are among the inputs. To add one, write it into deepunits.paper.claims.<section>,
and a file of a new kind into the inputs.
"""

MAXIMIZED = [
    (d, m) for d in ("mnist", "natural_images", "silhouettes") for m in ("dbn", "sdae") if m in config["models"][d]
]


def claims(message, sections, datasets, files, csv, markdown, caption, category="Claims"):
    """Return what a rule that measures claims is made of."""
    row = {"message": message, "sections": sections, "datasets": datasets, "files": files, "csv": csv}
    return row | {"markdown": markdown, "caption": " ".join(caption.split()), "category": category}


CLAIMS = {
    "claims": claims(
        "Measure the claims",
        ["section4", "section5"],
        MEASURED,
        [f"results/models/{d}/{m}/layer1.npz" for d, m in MAXIMIZED]
        + [path for d, m in MAXIMIZED for path in maxima_of(d, m)]
        + second_layers("sampling")
        + second_layers("linear_combination")
        + examples_of(*COMPARED, "silhouettes")
        + expand("results/tables/{table}.csv", table=["units", "invariance"])
        + expand(
            "results/units/mnist_rot/{m}/output/{file}.npz",
            m=CLASSIFIED,
            file=["activation_maximization", "invariance"],
        ),
        csv="results/claims.csv",
        markdown="results/claims.md",
        caption="The paper's claims as statistics of this run: value, interval, threshold and verdict.",
    ),
    "supplement": claims(
        "Tabulate the remarks",
        ["remarks"],
        [STUDY["dataset"]],
        [f"{STUDIED_LAYER}/curvatures.npz", f"{STUDIED_LAYER}/searches.npz"]
        + [f"results/statistics/{STUDY['dataset']}.npz"],
        csv="results/tables/supplement.csv",
        markdown="results/tables/supplement.md",
        caption="""The remarks of section 5 that the paper gives without numbers, as statistics of this run: value, 95 %
        bootstrap interval over units, threshold and verdict.""",
        category="Supplement",
    ),
}


for name, row in CLAIMS.items():

    rule:
        name:
            f"measure_{name}"
        message:
            row["message"]
        input:
            row["files"],
            provenance=provenance_of(*row["datasets"]),
            modules=modules("measure_claims", *(f"deepunits.paper.claims.{section}" for section in row["sections"])),
        output:
            csv=report(row["csv"], caption="../../report/caption.rst", category=row["category"]),
            markdown=row["markdown"],
        params:
            sections=row["sections"],
            seed=config["seed"],
            caption=row["caption"],
        log:
            f"results/logs/{name}.log",
        benchmark:
            f"results/benchmarks/{name}.tsv"
        conda:
            "../../../environment.yml"
        threads: 1
        resources:
            mem_mb=1000,
        script:
            "../../../scripts/measure_claims.py"


RESULTS += [path for row in CLAIMS.values() for path in (row["csv"], row["markdown"])]
