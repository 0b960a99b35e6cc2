"""The paper's claims, measured, and the remarks of section 5 that it makes without numbers.

Needs: the unit tools' files in results/units/, tables, the layers of the models, a classifier, the examples, the statistics
       of the dataset that the supplement studies, and the datasets' provenance.json, which marks substitutes
Makes: results/claims.csv and results/tables/supplement.csv

A statement is measured wherever its files are among the inputs. To add one, write it into deepunits.paper.claims.<section>,
and a file of a new kind into the inputs.
"""

MAXIMIZED = [
    (d, m) for d in ("mnist", "natural_images", "silhouettes") for m in ("dbn", "sdae") if m in config["models"][d]
]


def claims(message, sections, datasets, files, csv, caption, category="Claims"):
    """Return what a rule that measures claims is made of."""
    row = {"message": message, "sections": sections, "datasets": datasets, "files": files, "csv": csv}
    return row | {"caption": " ".join(caption.split()), "category": category}


CLAIMS = {
    "claims": claims(
        "Measure the claims",
        ["techniques", "section4", "comparison", "section5", "section6"],
        MEASURED,
        [f"results/models/{d}/{m}/layer{k}.npz" for d, m in MAXIMIZED for k in (1, 2, 3)]
        + [
            f"results/models/mnist/random/classifier.npz"
            for start in config["classifiers"]["mnist"]
            if start == "random"
        ]
        + [path for d, m in MAXIMIZED for path in maxima_of(d, m)]
        + [f"results/models/{d}/{m}/layer1.npz" for d, m, k in FITTED if k == 1]
        + [f"results/models/{d}/{m}/classifier.npz" for d, m in FINE_TUNED]
        + [
            f"results/units/{d}/{m}/fine_tuned/layer{k}/{tool}.npz"
            for d, m in FINE_TUNED
            for k in (1, 2, 3)
            for tool in ["activation_maximization"] + ["invariance"] * (m == "sdae")
        ]
        + expand(f"{STUDIED}/layer{{k}}/{{tool}}.npz", k=[2, 3], tool=["transformations", "invariance"])
        + second_layers("sampling")
        + second_layers("linear_combination")
        + examples_of(*{d: None for d, _ in MAXIMIZED}, "mnist_rot")
        + expand("results/tables/{table}.csv", table=["units", "invariance"])
        + expand(
            "results/units/mnist_rot/{m}/output/{file}.npz",
            m=CLASSIFIED,
            file=["activation_maximization", "invariance"],
        ),
        csv="results/claims.csv",
        caption="The paper's claims as statistics of this run: where, value, interval, threshold and verdict.",
    ),
    "supplement": claims(
        "Tabulate the remarks",
        ["remarks"],
        list(dict.fromkeys([STUDY["dataset"], "natural_images"])),
        [f"{STUDIED_LAYER}/curvatures.npz", f"{STUDIED_LAYER}/searches.npz", KNOWN_UNITS]
        + [f"results/statistics/{STUDY['dataset']}.npz"],
        csv="results/tables/supplement.csv",
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
        priority: 3
        resources:
            mem_mb=1000,
        script:
            "../../../scripts/measure_claims.py"


RESULTS += [row["csv"] for row in CLAIMS.values()]
