"""The claims of section 4: maxima, the three techniques compared, what the units look like."""

from functools import partial

import numpy as np
from scipy.spatial.distance import cdist

from deepunits.data.examples import load_examples, load_labels
from deepunits.paper.claims.claim import cases, rows_of, statement
from deepunits.paper.statistics import cosine, cosine_among_starts, over_units, wilson_interval
from deepunits.paper.tables.units import GABOR
from deepunits.storage import load_npz
from deepunits.visualize.activation_maximization import best_solutions

OUTLINES = 0.9  # share of the outlines in a dataset that count as whole objects
SMOOTH = 0.5  # correlation between adjacent pixels from which a picture is not noise

STATEMENTS = []
claim = partial(statement, STATEMENTS)

# Where the statements are measured: Figures 1 and 2; Figures 3 and 4; the third layer of Figure 2's Silhouettes.
MAXIMIZED = {"dataset": ["mnist", "natural_images", "silhouettes"], "model": ["dbn", "sdae"]}
COMPARED = cases(dataset=["mnist", "natural_images"], model=["dbn"], layer=[2])
OUTLINED = cases(dataset=["silhouettes"], model=["sdae"], layer=[3])

# The result files that they are measured on.
EXAMPLES = "datasets/{dataset}/examples.npz"
LAYER = "models/{dataset}/{model}/layer{layer}.npz"
MAXIMA = "units/{dataset}/{model}/layer{layer}/activation_maximization.npz"
SAMPLING = "units/{dataset}/{model}/layer{layer}/sampling.npz"
COMBINATION = "units/{dataset}/{model}/layer{layer}/linear_combination.npz"

WHERE = "{dataset} {model} layer {layer}"
IDENTITY = "{dataset}-{model}-layer-{layer}"


def variation_of_maxima(activations):
    """Return the coefficient of variation of the maximal activations (U, R) of each unit, shape (U,)."""
    return activations.std(axis=1) / np.abs(activations.mean(axis=1))


def matched_cosine(a, b):
    """Return how alike two pictures of the same unit are beyond what all units share: cosines, shape (U,).

    The mean over units is taken off both `a` and `b` (U, P) first, since all means of digits are alike.
    """
    return cosine(a - a.mean(axis=0), b - b.mean(axis=0))


def distance_to_data(inputs, examples):
    """Return the distance from each of `inputs` (n, P) to the nearest of `examples` (m, P), shape (n,)."""
    return cdist(inputs, examples).min(axis=1)


def likeness_to_classes(inputs, examples, labels):
    """Return the highest correlation of each of `inputs` with the mean example of a class.

    Parameters
    ----------
    inputs : array (n, P)
    examples : array (m, P)
    labels : array (m,) of int

    Returns
    -------
    array (n,)
    """
    means = np.array([examples[labels == label].mean(axis=0) for label in np.unique(labels)])
    return (1 - cdist(inputs, means, "correlation")).max(axis=1)


def smoothness(images, shape):
    """Return the correlation between adjacent pixels (Moran's I) in each of some images, (n,): about 0 in noise.

    Parameters
    ----------
    images : array (n, P)
    shape : (int, int)
        Rows and columns of an image.
    """
    pixels = (images - images.mean(axis=1, keepdims=True)).reshape(-1, *shape)
    across = (pixels[:, :, 1:] * pixels[:, :, :-1]).mean(axis=(1, 2))
    down = (pixels[:, 1:] * pixels[:, :-1]).mean(axis=(1, 2))
    return (across + down) / (2 * (pixels**2).mean(axis=(1, 2)))


def best_of(maxima):
    """Return the input of highest activation of each unit, (U, P), in the file `maxima`."""
    found = load_npz(maxima)
    return best_solutions(found["inputs"], found["activations"])


@claim(
    f"filter-{IDENTITY}",
    "4.2",
    "In the first layer the maximum is proportional to the filter itself.",
    f"mean over units of the least cosine with the filter among starts, {WHERE}",
    ">= 0.999",
    cases=cases(**MAXIMIZED, layer=[1]),
    maxima=MAXIMA,
    layer=LAYER,
)
def likeness_to_filter(case, maxima, layer):
    found, weights = load_npz(maxima), load_npz(layer)["weights"]
    worst = cosine(found["inputs"], weights[found["units"]][:, None]).min(axis=1)
    return over_units(worst, np.mean, seed=case.seed)


about_maxima = {"cases": cases(**MAXIMIZED, layer=[2, 3]), "maxima": MAXIMA}


@claim(
    f"unimodal-{IDENTITY}",
    "4.4",
    "Most random initializations yield roughly the same input pattern.",
    f"median over units of the mean pairwise cosine among starts, {WHERE}",
    ">= 0.9",
    **about_maxima,
)
def likeness_among_starts(case, maxima):
    return over_units(cosine_among_starts(load_npz(maxima)["inputs"]), seed=case.seed)


@claim(
    f"close-maxima-{IDENTITY}",
    "4.4",
    "The maximal values of the activation are quite close to each other.",
    f"median over units of the coefficient of variation among starts, {WHERE}",
    "<= 0.02",
    **about_maxima,
)
def variation_among_starts(case, maxima):
    return over_units(variation_of_maxima(load_npz(maxima)["activations"]), seed=case.seed)


@claim(
    f"one-rate-{IDENTITY}",
    "4.4",
    "The same learning rate of the gradient ascent works for all units of a layer.",
    f"share of ascents that converge, {WHERE}",
    ">= 0.95",
    **about_maxima,
)
def share_converged(case, maxima):
    return over_units(load_npz(maxima)["converged"].mean(axis=1), np.mean, seed=case.seed)


@claim(
    f"linear-like-maximum-{IDENTITY}",
    "4.4",
    "Linear combination and activation maximization are quite similar.",
    f"median over units of their cosine, mean over units removed, {WHERE}",
    ">= 0.5",
    cases=COMPARED,
    maxima=MAXIMA,
    combination=COMBINATION,
)
def likeness_to_combination(case, maxima, combination):
    return over_units(matched_cosine(best_of(maxima), load_npz(combination)["filters"]), seed=case.seed)


@claim(
    f"samples-differ-{IDENTITY}",
    "4.4",
    "Sampling gives whole examples where the other two give parts: it is less like the maximum.",
    f"median over units of cosine(maximum, linear) - cosine(maximum, sampling mean), {WHERE}",
    ">= 0",
    cases=COMPARED,
    maxima=MAXIMA,
    combination=COMBINATION,
    sampling=SAMPLING,
)
def likeness_to_combination_beyond_samples(case, maxima, combination, sampling):
    best = best_of(maxima)
    linear = matched_cosine(best, load_npz(combination)["filters"])
    return over_units(linear - matched_cosine(best, load_npz(sampling)["mean"]), seed=case.seed)


@claim(
    f"samples-like-data-{IDENTITY}",
    "4.4",
    "Samples are much more likely to be part of the distribution of examples than maxima.",
    f"median over units of distance to the nearest example, samples less maximum, {WHERE}",
    "<= 0",
    cases=COMPARED,
    maxima=MAXIMA,
    sampling=SAMPLING,
    examples=EXAMPLES,
)
def distance_of_samples_less_maximum(case, maxima, sampling, examples):
    held_out, samples = load_examples(examples, "test"), load_npz(sampling)["samples"]
    distances = distance_to_data(samples.reshape(-1, samples.shape[2]), held_out).reshape(samples.shape[:2])
    return over_units(distances.mean(axis=1) - distance_to_data(best_of(maxima), held_out), seed=case.seed)


@claim(
    f"one-pattern-{IDENTITY}",
    "4.4",
    "Samples of natural image patches are of the same pattern, for a given unit.",
    f"median over units of the mean pairwise cosine among samples, {WHERE}",
    ">= 0.5",
    cases=cases(dataset=["natural_images"], model=["dbn"], layer=[2]),
    sampling=SAMPLING,
)
def likeness_among_samples(case, sampling):
    return over_units(cosine_among_starts(load_npz(sampling)["samples"]), seed=case.seed)


# What is said of a layer trained on natural images, the units that it is said of, and how many of these are to be so.
for model, layer, suffix, says, threshold in (
    ("sdae", 1, "", "The first-layer filters of the SDAE are Gabor-like.", ">= 0.7"),
    ("dbn", 1, "", "Those of the DBN, which minimise its reconstruction error, are not.", "<= 0.35"),
    ("dbn", 2, "_shown", "Yet its second layer is a mixture of Gabor-like features and gratings.", ">= 0.25"),
):

    @claim(
        f"gabor-{model}-layer-{layer}",
        "4.4",
        says,
        f"share of {{count}} live units with a Gabor fit of R² above {GABOR}, {WHERE}",
        threshold,
        cases=cases(dataset=["natural_images"], model=[model], layer=[layer], suffix=[suffix]),
        table="tables/units.csv",
    )
    def share_of_gabors(case, table):
        [row] = rows_of(table, dataset=case.dataset, model=case.model, layer=case.layer)
        share, count = row[f"gabor_share{case.suffix}"], int(row[f"fitted{case.suffix}"])
        return (share, *wilson_interval(round(share * count), count), {"count": count}) if count else None


def wholes_and_parts(maxima, examples):
    """Tell which maxima are like whole objects, and which like parts of them.

    A maximum counts as a whole object if it is as much like the mean of a class as most outlines are, and as a part if
    it is not but is smooth, too. Means of classes are blurred, so a blob in the middle counts as a whole object.

    Parameters
    ----------
    maxima, examples : path
        Square images.

    Returns
    -------
    whole, part : arrays (U,) of bool
    least : float
        The correlation with the mean of a class from which an object counts as whole.
    """
    best, means = best_of(maxima), (load_examples(examples, "train"), load_labels(examples, "train"))
    least = np.quantile(likeness_to_classes(load_examples(examples, "test"), *means), 1 - OUTLINES)
    whole = likeness_to_classes(best, *means) >= least
    return whole, ~whole & (square_smoothness(best) >= SMOOTH), least


def square_smoothness(images):
    """Return the :func:`smoothness` of square images (n, P), shape (n,)."""
    side = round(images.shape[1] ** 0.5)
    return smoothness(images, (side, side))


for kind, says, which, threshold in (
    ("whole-objects", "A few units look like detectors of whole objects.", "as", ">= 0.03"),
    ("parts", "Most units encode parts of objects.", f"smooth (at least {SMOOTH}) and not as", ">= 0.5"),
):

    @claim(
        f"{kind}-{IDENTITY}",
        "4.4",
        says,
        f"share of {{count}} units whose maximum is {which} like a class mean as {100 * OUTLINES:.0f} % of held-out "
        f"outlines are (correlation at least {{least:.2f}}), {WHERE}",
        threshold,
        cases=[case | {"kind": kind} for case in OUTLINED],
        maxima=MAXIMA,
        examples=EXAMPLES,
    )
    def share_of_objects(case, maxima, examples):
        whole, part, least = wholes_and_parts(maxima, examples)
        found = {"whole-objects": whole, "parts": part}[case.kind]
        interval = wilson_interval(int(found.sum()), len(found))
        return float(found.mean()), *interval, {"count": len(found), "least": least}


@claim(
    f"not-noise-{IDENTITY}",
    "4.4",
    "What the units look like is interpretable.",
    f"median over units of the correlation between adjacent pixels of the maximum, {WHERE}",
    f">= {SMOOTH}",
    cases=OUTLINED,
    maxima=MAXIMA,
)
def smoothness_of_maxima(case, maxima):
    return over_units(square_smoothness(best_of(maxima)), seed=case.seed)
