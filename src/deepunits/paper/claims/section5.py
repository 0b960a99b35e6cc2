"""The claims of section 5: invariance of layers, manifolds of output units."""

from functools import partial

import numpy as np
from scipy.spatial.distance import cdist

from deepunits.data.examples import load_examples, load_labels
from deepunits.invariance.measures import departures, explained_by_rotation
from deepunits.paper.claims.claim import cases, rows_of, statement
from deepunits.paper.pictures import texture
from deepunits.paper.statistics import cosine, over_units
from deepunits.storage import load_npz
from deepunits.visualize.starts import cosine_among_starts

STATEMENTS = []
claim = partial(statement, STATEMENTS)

FARTHEST = 2**0.5  # ε up to which manifolds are compared: beyond, all of them turn into the optimum's opposite
LABEL = 4  # the output unit whose manifolds Figure 6 shows
SHOWN = [4, 5]  # the output units whose maxima it shows
EXAMINED = 10000  # held-out digits that these are held against
OUTPUT = cases(dataset=["mnist_rot"], model=["dbn", "sdae", "smooth"], label=[LABEL])
MAXIMA = "units/{dataset}/{model}/output/activation_maximization.npz"
MANIFOLDS = "units/{dataset}/{model}/output/invariance.npz"

# The layers, by dataset, that the paper sees fall faster along ε than the layer above them (section 5.3).
FASTER_BELOW = {"mnist": (1, 2), "natural_images": (1,), "silhouettes": (1, 2), "mnist_rot": (1,)}
CURVES = {"log_sigmoid": "log(sigmoid(activation))", "normalized": "(h(ε) - h(2)) / (h(0) - h(2))"}


@claim(
    "multimodal",
    "5.2",
    "The maximum of an output unit depends on the random start.",
    "median over output units of the mean pairwise cosine among starts",
    "<= 0.9",
    "where hidden units count as unimodal",
    where="{dataset} {model} (label 4: {cosines[4]:.2f}, label 5: {cosines[5]:.2f}; hidden units of Figure 1: "
    "{hidden:.3f})",
    cases=OUTPUT,
    maxima=MAXIMA,
    hidden="units/mnist/sdae/layer3/activation_maximization.npz",  # which the paper finds unimodal
)
def likeness_among_starts(case, maxima, hidden):
    cosines = cosine_among_starts(load_npz(maxima)["inputs"])
    of_hidden = np.median(cosine_among_starts(load_npz(hidden)["inputs"]))
    return *over_units(cosines, seed=case.seed), {"cosines": cosines, "hidden": of_hidden}


@claim(
    "rotated-labels",
    "5.2",
    "The maxima of the labels 4 and 5 are a variety of rotated fours and fives.",
    "mean over starts of the correlation with the nearest held-out digit of the label, less that with the nearest of "
    "another",
    ">= 0",
    "the sign is the statement",
    cases=OUTPUT,
    where="{dataset} {model} ({nearest:.2f} with the nearest of the label)",
    maxima=MAXIMA,
    examples="datasets/{dataset}/examples.npz",
)
def likeness_to_the_label(case, maxima, examples):
    found = load_npz(maxima)["inputs"]
    digits, labels = (load(examples, "test")[:EXAMINED] for load in (load_examples, load_labels))
    own, other = [], []
    for label in SHOWN:
        likeness = 1 - cdist(found[label], digits, "correlation")
        own.append(likeness[:, labels == label].max(axis=1))
        other.append(likeness[:, labels != label].max(axis=1))
    margin = np.concatenate(own) - np.concatenate(other)
    return *over_units(margin, np.mean, seed=case.seed), {"nearest": np.mean(own)}


@claim(
    "smooth-labels",
    "5.2",
    "One sees digits in the maxima of the labels 4 and 5.",
    "median over starts of the share of the power above a quarter of a cycle a pixel",
    "<= 0.11",
    "that of digits; 0.4 in noise",
    cases=OUTPUT,
    where="{dataset} {model}",
    maxima=MAXIMA,
)
def texture_of_labels(case, maxima):
    return over_units(texture(np.concatenate(load_npz(maxima)["inputs"][SHOWN])), seed=case.seed)


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
    "manifolds-differ",
    "5.2",
    "Manifolds from slightly different starts become quite different.",
    "mean over pairs of trials and ε up to √2 of the cosine between their departures from the optimum",
    "<= 0.5",
    "two departures of that cosine are 60° apart",
    where="{dataset} {model}, label {label} ({converged:.0%} of the searches converged)",
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
    "rotations",
    "5.2",
    "The manifolds capture rotations of the optimum.",
    "mean over trials and ε from 1 to √2 of the correlation with the optimum as it is best turned, less that with "
    "it as it is",
    ">= 0.3",
    "a turn is then plain to see",
    where="{dataset} {model}, label {label} (unturned {unturned:.2f}; turned by {angle:.0f}° in the mean)",
    cases=OUTPUT,
    manifolds=MANIFOLDS,
)
def gain_by_turning(case, manifolds):
    optimum, frames, _ = near_frames(manifolds, case.label)
    far = np.linalg.norm(frames[0, 1:] - optimum, axis=1) >= (1 - 1e-4) * np.linalg.norm(optimum)
    side = round(len(optimum) ** 0.5)
    explained = [explained_by_rotation(trial, (side, side)) for trial in frames]
    angles, turned, unturned = np.moveaxis(explained, 1, 0)[..., 1:][..., far]
    gain = over_units((turned - unturned).mean(axis=1), np.mean, seed=case.seed)
    return *gain, {"unturned": unturned.mean(), "angle": np.abs(angles).mean()}


# On all units by the configured search; and, for the units shown, by the search that agrees with the claim least.
SEARCHES = {"all": "all {units} units", "any-search": "the least of {searches} searches of {units} units ({search})"}

for curve, drawn in CURVES.items():

    @claim(
        "faster-below" + ("" if curve == "log_sigmoid" else "-" + curve),
        "5.3",
        "The activation falls faster along ε in a layer than in the layer above it.",
        f"mean area under {drawn}, a layer's less that of the layer below",
        ">= 0",
        "the sign is the statement",
        where="{dataset} {model} layers {lower} and {upper}, {which}",
        cases=[
            {"dataset": dataset, "lower": lower, "upper": lower + 1, "curve": curve, "searched": searched}
            for dataset, faster in FASTER_BELOW.items()
            for lower in faster
            for searched in SEARCHES
        ],
        table="tables/invariance.csv",
    )
    def gain_in_area(case, table):
        areas = rows_of(table, dataset=case.dataset, layer=case.upper, curve=case.curve, measure="area")
        measured = [row for row in areas if np.isfinite(row["difference"])]
        if not measured:  # too few units are live
            return None
        row = measured[0]  # the configured search, over all units
        if case.searched != "all":
            row = min(measured[1:], key=lambda row: row["difference"], default=row)
        which = SEARCHES[case.searched].format(**row, searches=len(measured) - 1)
        return row["difference"], row["difference_low"], row["difference_high"], {"model": row["model"], "which": which}
