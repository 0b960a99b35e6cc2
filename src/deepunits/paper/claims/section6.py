"""The claims of section 6: after fine-tuning, with depth, between models, and about known transformations."""

from functools import partial

import numpy as np

from deepunits.invariance.measures import area, compare, log_sigmoid
from deepunits.invariance.transformations import transform
from deepunits.invariance.transformed_optima import normalized_curves
from deepunits.models.trained import load_network
from deepunits.paper.claims.claim import WHERE, cases, statement
from deepunits.paper.claims.section4 import (
    ALIKE,
    BELOW,
    CONVERGED,
    MAXIMA,
    MAXIMIZED,
    best_of,
    likeness_among_starts,
    share_converged,
)
from deepunits.paper.pictures import correlation, highest_cosine, square
from deepunits.paper.statistics import over_units, wilson_interval
from deepunits.storage import load_npz

STATEMENTS = []
claim = partial(statement, STATEMENTS)

DISTANCE = 0.8  # ε at which known transformations are compared: most of them reach it
FARTHER = 0.05  # of the normalized activation: a difference that counts
CORRELATED = 1.0  # ε at which manifolds are held against transformed optima

# The networks as classifiers, after supervised learning.
FINE_TUNED = {"dataset": ["mnist", "silhouettes", "mnist_rot"], "model": ["dbn", "sdae"]}
CLASSIFIER = "models/{dataset}/{model}/classifier.npz"
TUNED_MAXIMA = "units/{dataset}/{model}/fine_tuned/layer{layer}/activation_maximization.npz"
TUNED_MANIFOLDS = "units/{dataset}/{model}/fine_tuned/layer{layer}/invariance.npz"
STUDIED = cases(dataset=["mnist", "natural_images", "silhouettes", "mnist_rot"], model=["dbn", "sdae"], layer=[2, 3])
TRANSFORMATIONS = "units/{dataset}/{model}/layer{layer}/transformations.npz"

about_fine_tuned = {
    "cases": cases(**FINE_TUNED, layer=[2, 3]),
    "where": f"{WHERE} fine-tuned",
    "maxima": TUNED_MAXIMA,
}
claim(
    "fine-tuned-convergence",
    "6",
    "After supervised learning, too, activation maximization converges.",
    **CONVERGED,
    **about_fine_tuned,
)(share_converged)

claim(
    "fine-tuned-unimodal",
    "6",
    "After supervised learning the observations are similar: most starts yield the same pattern.",
    **ALIKE,
    **about_fine_tuned,
)(likeness_among_starts)


def gain_over_single_filters(maxima, maxima_above, filters, *, seed):
    """Return how much less the maxima of a layer are like single filters (n, P) than those of the layer below."""
    below, above = (highest_cosine(best_of(path), filters) for path in (maxima, maxima_above))
    found = compare(above, below, seed=seed)
    return found["difference"], found["low"], found["high"], {"below": below.mean(), "above": above.mean()}


UPWARDS = "{dataset} {model}{tuned} layers {layer} and {upper} ({below:.2f} and {above:.2f})"
complicated = {
    "statistic": "mean over units of the cosine between the maximum and the first-layer filter most like it, a layer's "
    "less that of the layer above",
    "threshold": ">= 0",
    "why": "the sign is the statement",
    "where": UPWARDS,
}


def upwards(tuned="", **fields):
    """Return the cases of a layer and the one above it."""
    return [case | {"upper": case["layer"] + 1, "tuned": tuned} for case in cases(**fields, layer=[1, 2])]


@claim(
    "more-complicated",
    "6",
    "Units of higher layers represent more complicated features, combinations of those below.",
    cases=upwards(**MAXIMIZED),
    maxima=MAXIMA,
    maxima_above=MAXIMA.replace("layer}", "upper}"),
    filters=BELOW,
    **complicated,
)
def complication(case, maxima, maxima_above, filters):
    return gain_over_single_filters(maxima, maxima_above, load_npz(filters)["weights"], seed=case.seed)


@claim(
    "fine-tuned-more-complicated",
    "6",
    "After supervised learning features seem more complicated at higher layers.",
    cases=upwards(" fine-tuned", **FINE_TUNED),
    maxima=TUNED_MAXIMA,
    maxima_above=TUNED_MAXIMA.replace("layer}", "upper}"),
    classifier=CLASSIFIER,
    **complicated,
)
def fine_tuned_complication(case, maxima, maxima_above, classifier):
    return gain_over_single_filters(maxima, maxima_above, load_network(classifier).weights[0], seed=case.seed)


@claim(
    "fine-tuned-faster-below",
    "6",
    "After supervised learning, too, the activation falls faster along ε in a layer than in the layer above it.",
    "mean area under log(sigmoid(activation)), a layer's less that of the layer below",
    ">= 0",
    "the sign is the statement",
    cases=upwards(" fine-tuned", dataset=FINE_TUNED["dataset"], model=["sdae"]),
    where=UPWARDS,
    manifolds=TUNED_MANIFOLDS,
    manifolds_above=TUNED_MANIFOLDS.replace("layer}", "upper}"),
)
def gain_in_area(case, manifolds, manifolds_above):
    below, above = map(areas, (manifolds, manifolds_above))
    if min(len(below), len(above)) < 2:  # too few units are live
        return None
    found = compare(below, above, seed=case.seed)
    return found["difference"], found["low"], found["high"], {"below": below.mean(), "above": above.mean()}


def areas(manifolds):
    """Return the areas under the curves of Figure 7 of the units whose activation changes at all, (U,)."""
    found = load_npz(manifolds)
    heights = found["activations"].max(axis=1)
    live = np.ptp(heights, axis=1) > 0
    return area(log_sigmoid(heights[live]), found["epsilons"])


@claim(
    "different-features",
    "6",
    "The two deep architectures learn quite different features.",
    "median over the first-layer filters of the DBN of the highest cosine with one of the SDAE, without its sign",
    "<= 0.9",
    "pictures of that cosine look the same",
    cases=cases(dataset=MAXIMIZED["dataset"], model=["dbn"], other=["sdae"]),
    where="{dataset} layer 1",
    filters=BELOW,
    others="models/{dataset}/{other}/layer1.npz",
)
def likeness_to_the_other_model(case, filters, others):
    dbn, sdae = (load_npz(path)["weights"] for path in (filters, others))
    return over_units(highest_cosine(dbn, sdae), seed=case.seed)


@claim(
    "rotations-or-translations",
    "6",
    "One can tell whether a unit is more invariant to rotations or to translations.",
    f"share of units of which a rotation leaves a normalized activation that is {FARTHER} higher or lower than a "
    f"translation does, at ε = {DISTANCE}",
    ">= 0.5",
    "most units: half",
    cases=STUDIED,
    where=f"{WHERE} (rotations {{rotations:.0%}}, translations {{translations:.0%}} of {{count}} units)",
    transformations=TRANSFORMATIONS,
)
def share_told_apart(case, transformations):
    measured = load_npz(transformations)
    kept = normalized_curves(measured, np.array([DISTANCE]))[..., 0]
    kinds = list(measured["kinds"])
    rotation = kept[kinds.index("rotation")]
    shifts = kept[[kinds.index(f"{way}_translation") for way in ("horizontal", "vertical")]]
    ahead = (rotation - shifts.max(axis=0))[np.isfinite(rotation) & np.isfinite(shifts).all(axis=0)]
    if not len(ahead):
        return None
    told = np.abs(ahead) >= FARTHER
    fields = {"rotations": (ahead >= FARTHER).mean(), "translations": (ahead <= -FARTHER).mean(), "count": len(ahead)}
    return told.mean(), *wilson_interval(int(told.sum()), len(told)), fields


@claim(
    "grouped-by-transformation",
    "6",
    "Manifolds can be decomposed into known transformations, and units grouped by these.",
    "median over units of the correlation of the manifold with the optimum as a rotation, a translation or a scaling "
    f"makes it most alike, less that with it as it is, at ε = {CORRELATED:g}",
    ">= 0.1",
    "a tenth of correlation explains something",
    cases=STUDIED,
    where=f"{WHERE} ({{groups}})",
    transformations=TRANSFORMATIONS,
    manifolds="units/{dataset}/{model}/layer{layer}/invariance.npz",
)
def gain_by_transforming(case, transformations, manifolds):
    measured, found = load_npz(transformations), load_npz(manifolds)
    at = int(np.abs(found["epsilons"] - CORRELATED).argmin())
    frames, optima = found["inputs"][:, 0, at], found["optimum"][found["shown_units"]]
    gains = []
    for kind, amounts in zip(measured["kinds"], measured["amounts"], strict=True):
        made = [transform(square(optima), kind, amount).reshape(optima.shape) for amount in amounts]
        gains.append(np.max([correlation(frames, x) for x in made], axis=0) - correlation(frames, optima))
    counts = np.bincount(np.argmax(gains, axis=0), minlength=len(gains))
    groups = ", ".join(f"{kind.replace('_', ' ')} {n}" for kind, n in zip(measured["kinds"], counts, strict=True))
    return *over_units(np.max(gains, axis=0), seed=case.seed), {"groups": groups}
