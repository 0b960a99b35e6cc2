"""The tables, with the curves of Figure 7 that two of them are made with.

Needs: the trained layers, the classifiers, the unit tools' files in results/units/, the examples and provenance.json
Makes: results/tables/<table>.csv, invariance_curves.npz and invariance_curves_dbn.npz

To add a table, write deepunits.paper.tables.<module>, named as the table is, and add a row here.
"""

FITTED = [key for key in LAYERS if key[0] == "natural_images"]  # with Gabor functions


def table(message, datasets, arguments, category="Tables", curves=None, caption="", **files):
    """Return a row of the table of tables: what `tabulate` of the module takes, and what the report says of it."""
    row = {"message": message, "datasets": datasets, "arguments": arguments, "category": category}
    return row | {"curves": {"curves": curves} if curves else {}, "caption": " ".join(caption.split()), "files": files}


def three_layers(pattern, models, datasets):
    """Return a file of each of the first three layers of models."""
    return expand(f"results/{pattern}", dataset=datasets, model=models, k=[1, 2, 3])


TABLES = {
    "units": table(
        "Tabulate the units",
        list(config["models"]),
        {"places": LAYERS, "fitted": FITTED, "datasets": list(config["models"])},
        layers=[f"results/models/{dataset}/{model}/layer{k}.npz" for dataset, model, k in LAYERS],
        maxima=[
            f"results/units/{dataset}/{model}/layer{k}/activation_maximization.npz" for dataset, model, k in FITTED
        ],
        examples=examples_of(*config["models"]),
        caption="""Hidden units of every layer: how many are dead, that is, hardly change over test examples, and on
        natural images how many of the live ones are like Gabor functions (R² of a fitted one above 0.7): of all filters
        of the first layer, and of the activation maxima that Figure 2 shows. A median and a share stand for the live
        units alone.""",
    ),
    "errors": table(
        "Tabulate the errors",
        list(config["classifiers"]),
        {
            "places": CLASSIFIERS,
            "deformed": [dataset for dataset, settings in config["datasets"].items() if settings.get("deformation")],
            "datasets": list(config["classifiers"]),
        },
        classifiers=[f"results/models/{dataset}/{start}/classifier.npz" for dataset, start in CLASSIFIERS],
        caption="""Classification errors in per cent, with 95 % intervals (Wilson) over the test examples, beside the
        published ones. The validation error is that of the epoch whose weights were kept; where training was then
        repeated on training and validation examples together, that of the first training and not of the network
        tested.""",
    ),
    "invariance": table(
        "Tabulate the invariance of the layers",
        MEASURED,
        {
            "model": "sdae",
            "steps": {dataset: config["units"][dataset]["invariance"]["step"] for dataset in MEASURED},
            "seed": config["seed"],
        },
        curves="results/tables/invariance_curves.npz",
        layers=three_layers("models/{dataset}/{model}/layer{k}.npz", ["sdae"], MEASURED),
        manifolds=three_layers("units/{dataset}/{model}/layer{k}/invariance.npz", ["sdae"], MEASURED),
        variants=expand("results/units/{dataset}/sdae/invariance_variants.npz", dataset=MEASURED),
        examples=examples_of(*MEASURED),
        caption="""The area under the curves of Figure 7, and the slope of the straight line fitted to them: mean over
        the live units of each layer with its 95 % bootstrap interval; the difference to the layer below with its
        interval; the probability that a unit exceeds one of the layer below. The same for the normalised curves and,
        for the units shown, for other searches: without whitening, and with other regularisations of the
        covariance.""",
    ),
    "invariance_models": table(
        "Compare the models by their invariance",
        PAIRED,
        {"datasets": PAIRED, "seed": config["seed"]},
        curves="results/tables/invariance_curves_dbn.npz",
        layers=three_layers("models/{dataset}/{model}/layer{k}.npz", ["dbn", "sdae"], PAIRED),
        manifolds=three_layers("units/{dataset}/{model}/layer{k}/invariance.npz", ["dbn", "sdae"], PAIRED),
        examples=examples_of(*PAIRED),
        caption="""DBNs and SDAEs compared by the area under the curves of Figure 7 and the slope of the straight line
        fitted to them, layer by layer: live and dead units of each, mean over the live ones with its 95 % bootstrap
        interval; the difference, SDAE less DBN, with its interval; the probability that a unit of the SDAE exceeds one
        of the DBN. The same for the normalised curves; those of the first layer, whose units are linear, are one curve
        but for how near the searches came to their ends.""",
    ),
    "rotations": table(
        "Tabulate how far rotation explains the manifolds",
        ["mnist_rot"],
        {"models": CLASSIFIED, "labels": LABELS},
        manifolds=[f"results/units/mnist_rot/{model}/output/invariance.npz" for model in CLASSIFIED],
        caption="""How well the frames of the manifolds of the output units 4 and 5 are explained by rotating their first
        one: the angle, in degrees counter-clockwise, at which it correlates best with the frame, that correlation, and
        that of the first frame as it is.""",
    ),
    "transformations": table(
        "Tabulate the transformations",
        [STUDY["dataset"]],
        {"dataset": STUDY["dataset"], "model": STUDY["model"], "top": STUDY["transformations"]["top"]}
        | {"seed": config["seed"]},
        category="Supplement",
        transformations=expand(f"{STUDIED}/layer{{k}}/transformations.npz", k=[1, 2, 3]),
        invariance=expand(f"{STUDIED}/layer{{k}}/invariance.npz", k=[1, 2, 3]),
        caption="""How invariant the layers are to known transformations, with 95 % bootstrap intervals over units.
        firing: the score of Goodfellow et al. (2009) of the top-scoring units; kept: the normalized activation at
        ε = 0.8, of which a linear unit keeps 0.84, over the units that the transformation takes so far (reaching). The
        rows of the manifold are those of section 5.1.""",
    ),
    "known_units": table(
        "Tabulate the units whose truth is known",
        ["natural_images"],
        {},
        category="Supplement",
        known=KNOWN_UNITS,
        caption="""How well searches for manifolds find those of units whose invariances are known, at three distances:
        the share of the highest activation that they reach, the distance from the nearest optimum in units of ρ, and by
        how much the angle travelled among the optima, in radians, differs from 2 arcsin(ε / 2).""",
    ),
}


for name, row in TABLES.items():

    rule:
        name:
            f"tabulate_{name}"
        message:
            row["message"]
        input:
            **row["files"],
            provenance=provenance_of(*row["datasets"]),
            modules=modules("tabulate", f"deepunits.paper.tables.{name}"),
        output:
            **row["curves"],
            table=report(f"results/tables/{name}.csv", caption="../../report/caption.rst", category=row["category"]),
        params:
            name=name,
            arguments=row["arguments"],
            caption=row["caption"],
        log:
            f"results/logs/tables/{name}.log",
        benchmark:
            f"results/benchmarks/tables/{name}.tsv"
        conda:
            "../../../environment.yml"
        threads: 1
        priority: 2
        resources:
            mem_mb=1500,
        script:
            "../../../scripts/tabulate.py"


RESULTS += expand("results/tables/{name}.csv", name=TABLES)
RESULTS += [path for row in TABLES.values() for path in row["curves"].values()]
RESULTS += TABLES["invariance"]["files"]["variants"]
