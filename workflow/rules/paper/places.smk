"""Where the paper looks: the datasets, models and layers that its figures, tables and claims are about."""

COMPARED = ["mnist", "natural_images"]  # of Figures 3 and 4
# Figure 7 is about SDAEs (§5.3). Models are compared where there are both. Other datasets are not the paper's.
MEASURED = [
    dataset
    for dataset in ("mnist", "natural_images", "silhouettes", "mnist_rot")
    if dataset in config["units"] and "sdae" in config["models"][dataset]
]
PAIRED = [dataset for dataset in MEASURED if "dbn" in config["models"][dataset]]
CLASSIFIED = [name for name in ("dbn", "sdae", "smooth") if name in config["classifiers"]["mnist_rot"]]  # of §5.2
# Hidden layers of classifiers that are looked at again after fine-tuning (§6).
FINE_TUNED = [
    (d, m)
    for d, m in CLASSIFIERS
    if d in ("mnist", "silhouettes", "mnist_rot") and m in ("dbn", "sdae") and d in config["units"]
]
DRAWN = "smooth"  # the classifier of mnist-rot that Figure 6 draws
LABELS = [4, 5]  # of Figure 6

# The layer that the supplement of section 5 studies, and the model that it is of.
STUDY = config["supplement"]
STUDY_PLACE = [STUDY["dataset"], STUDY["model"], STUDY["layer"]]
STUDIED = f"results/units/{STUDY['dataset']}/{STUDY['model']}"
STUDIED_LAYER = f"{STUDIED}/layer{STUDY['layer']}"

KNOWN_UNITS = "results/units/natural_images/known_units.npz"  # patches of its size and covariance

# The trials of the search for pictures: what is measured, and what is set otherwise.
TRIALS = {
    f"{picture}_{name}": (search, changes)
    for picture, search in config["pictures"].items()
    for name, changes in search["trials"].items()
}


def measured_in_trial(wildcards):
    """Return the files that the statements of a trial's picture are measured on."""
    search, _ = TRIALS[wildcards.trial]
    sys.path.insert(0, str(Path(workflow.basedir, "src")))
    from deepunits.paper.claims.scorecard import statements

    root = f"results/pictures/{wildcards.trial}"
    files = [
        f"{root}/{template.format(**case)}"
        for statement in statements()
        if statement.name in search["statements"]
        for case in statement.cases
        if search["where"].items() <= case.items()
        for template in statement.reads.values()
    ]
    if not files:
        sys.exit(
            f"error: the picture of {wildcards.trial} is nowhere measured by {', '.join(search['statements'])}; name "
            "statements of src/deepunits/paper/claims and places of theirs under pictures in the configuration."
        )
    return files
