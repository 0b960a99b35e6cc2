"""The claims of section 5: invariance of layers, manifolds of output units."""

from functools import partial

import numpy as np

from deepunits.invariance.measures import departures, explained_by_rotation
from deepunits.paper.claims.claim import cases, rows_of, statement
from deepunits.paper.statistics import cosine, cosine_among_starts, over_units
from deepunits.storage import load_npz

STATEMENTS = []
claim = partial(statement, STATEMENTS)

FARTHEST = 2**0.5  # ε up to which manifolds are compared: beyond, all of them turn into the optimum's opposite
LABEL = 4  # the output unit whose manifolds Figure 6 shows
OUTPUT = cases(dataset=["mnist_rot"], model=["dbn", "sdae"], label=[LABEL])
MAXIMA = "units/{dataset}/{model}/output/activation_maximization.npz"
MANIFOLDS = "units/{dataset}/{model}/output/invariance.npz"

# The layers, by dataset, that the paper sees fall faster along ε than the layer above them (section 5.3).
FASTER_BELOW = {"mnist": (1, 2), "natural_images": (1,), "silhouettes": (1, 2), "mnist_rot": (1,)}
CURVES = {"log_sigmoid": "log(sigmoid(activation))", "normalized": "(h(ε) - h(2)) / (h(0) - h(2))"}


@claim(
    "multimodal-{dataset}-{model}-output",
    "5.2",
    "The maximum of an output unit depends on the random start.",
    "median over output units of the mean pairwise cosine among starts, {dataset} {model} "
    "(label 4: {cosines[4]:.2f}, label 5: {cosines[5]:.2f}; hidden units of Figure 1: {hidden:.3f})",
    "<= 0.9",
    cases=OUTPUT,
    maxima=MAXIMA,
    hidden="units/mnist/sdae/layer3/activation_maximization.npz",  # which the paper finds unimodal
)
def likeness_among_starts(case, maxima, hidden):
    cosines = cosine_among_starts(load_npz(maxima)["inputs"])
    of_hidden = np.median(cosine_among_starts(load_npz(hidden)["inputs"]))
    return *over_units(cosines, seed=case.seed), {"cosines": cosines, "hidden": of_hidden}


def near_frames(manifolds, label):
    """Return the manifolds of an output unit up to `FARTHEST`.

    Parameters
    ----------
    manifolds : path
    label : int

    Returns
    -------
    optimum : array (P,)
    frames : array (T, 1 + E', P)
        The optimum and what follows it.
    converged : array (T, E') of bool
    """
    found = load_npz(manifolds)
    epsilons = found["epsilons"]
    near = np.flatnonzero((epsilons > 0) & (epsilons <= FARTHEST))
    optimum, inputs = (found[array][label].astype(float) for array in ("optimum", "inputs"))
    return optimum, inputs[:, [0, *near]], found["converged"][label][:, near]


@claim(
    "manifolds-differ-{dataset}-{model}-output-{label}",
    "5.2",
    "Manifolds from slightly different starts become quite different.",
    "mean over pairs of trials and ε up to √2 of the cosine between their departures from the optimum, "
    "{dataset} {model}, label {label} ({converged:.0%} of the searches converged)",
    "<= 0.5",
    cases=OUTPUT,
    manifolds=MANIFOLDS,
)
def likeness_among_trials(case, manifolds):
    optimum, frames, converged = near_frames(manifolds, case.label)
    ways = departures(frames[:, 1:], optimum)
    first, second = np.triu_indices(len(ways), 1)
    likeness = cosine(ways[first], ways[second]).mean(axis=1)
    return *over_units(likeness, np.mean, seed=case.seed), {"converged": converged.mean()}


@claim(
    "rotations-{dataset}-{model}-output-{label}",
    "5.2",
    "The manifolds capture rotations of the optimum.",
    "mean over trials and ε up to √2 of the correlation with the optimum as it is best turned, less the "
    "{unturned:.2f} with it as it is, {dataset} {model}, label {label} (turned by {angle:.0f}° in the mean)",
    ">= 0.1",
    cases=OUTPUT,
    manifolds=MANIFOLDS,
)
def gain_by_turning(case, manifolds):
    optimum, frames, _ = near_frames(manifolds, case.label)
    side = round(len(optimum) ** 0.5)
    explained = [explained_by_rotation(trial, (side, side)) for trial in frames]
    angles, turned, unturned = np.moveaxis(explained, 1, 0)[..., 1:]
    gain = over_units((turned - unturned).mean(axis=1), np.mean, seed=case.seed)
    return *gain, {"unturned": unturned.mean(), "angle": np.abs(angles).mean()}


LAYERS = [
    {"dataset": dataset, "lower": lower, "upper": lower + 1, "curve": curve, "identity": curve.replace("_", "-")}
    for dataset, faster in FASTER_BELOW.items()
    for lower in faster
    for curve in CURVES
]

# On all units by the configured search; and, for the units shown, by the search that agrees with the claim least.
for suffix, which in (
    ("", "all {units} units"),
    ("-any-search", "the least of {searches} searches of {units} units ({search})"),
):

    @claim(
        "faster-below-{dataset}-{lower}-{upper}-{identity}" + suffix,
        "5.3",
        "The activation falls faster along ε in layer {lower} than in layer {upper}.",
        f"mean area under {{drawn}}, layer {{upper}} less layer {{lower}}, {{dataset}} {{model}}, {which}",
        ">= 0",
        cases=[case | {"suffix": suffix} for case in LAYERS],
        table="tables/invariance.csv",
    )
    def gain_in_area(case, table):
        areas = rows_of(table, dataset=case.dataset, layer=case.upper, curve=case.curve, measure="area")
        measured = [row for row in areas if np.isfinite(row["difference"])]
        if not measured:  # too few units are live
            return None
        row = measured[0]  # the configured search, over all units
        if case.suffix:
            row = min(measured[1:], key=lambda row: row["difference"], default=row)
        fields = {"searches": len(measured) - 1, "drawn": CURVES[case.curve]}
        fields |= {name: row[name] for name in ("model", "units", "search")}
        return row["difference"], row["difference_low"], row["difference_high"], fields
