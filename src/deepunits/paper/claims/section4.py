"""The claims of section 4.4 about activation maximization and what the units look like: Figures 1 and 2."""

from functools import partial

import numpy as np
from scipy.spatial.distance import cdist

from deepunits.data.examples import load_examples, load_labels
from deepunits.invariance.measures import compare
from deepunits.models.trained import load_network
from deepunits.paper.claims.claim import WHERE, cases, rows_of, statement
from deepunits.paper.pictures import (
    cornerness,
    likeness_to_classes,
    mean_frequency,
    square_smoothness,
)
from deepunits.paper.statistics import cosine, over_units, wilson_interval
from deepunits.paper.tables.units import GABOR
from deepunits.randomness import generator, uniform
from deepunits.storage import load_npz
from deepunits.visualize.activation_maximization import best_solutions, to_norm
from deepunits.visualize.starts import cosine_among_starts

OUTLINES = 0.9  # share of the outlines in a dataset that count as whole objects
LIKE_A_DIGIT = 0.5  # correlation with a digit from which a picture looks like one
SMOOTH = 0.5  # correlation between adjacent pixels from which a picture is not noise
RESTRICTED_STEPS = 100  # of the ascent whose pixels stay in [0, 1]

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
BELOW = "models/{dataset}/{model}/layer1.npz"
STACK = {f"layer{k}": f"models/{{dataset}}/{{model}}/layer{k}.npz" for k in (1, 2, 3)}


def variation_of_maxima(activations):
    """Return the coefficient of variation of the maximal activations (U, R) of each unit, shape (U,)."""
    return activations.std(axis=1) / np.abs(activations.mean(axis=1))


def best_of(maxima):
    """Return the input of highest activation of each unit, (U, P), in the file `maxima`."""
    found = load_npz(maxima)
    return best_solutions(found["inputs"], found["activations"])


@claim(
    "filter",
    "4.2",
    "In the first layer the maximum is proportional to the filter itself.",
    "mean over units of the least cosine with the filter among starts",
    ">= 0.999",
    "1 but for rounding and the threshold of the ascent",
    cases=cases(**MAXIMIZED, layer=[1]),
    maxima=MAXIMA,
    layer=LAYER,
)
def likeness_to_filter(case, maxima, layer):
    found, weights = load_npz(maxima), load_npz(layer)["weights"]
    worst = cosine(found["inputs"], weights[found["units"]][:, None]).min(axis=1)
    return over_units(worst, np.mean, seed=case.seed)


# What is asked of the maxima of any network: of those here, and in section 6 after fine-tuning.
ALIKE = {
    "statistic": "median over units of the mean pairwise cosine among starts",
    "threshold": ">= 0.9",
    "why": "patterns of that cosine look the same",
}
CONVERGED = {
    "statistic": "share of ascents that converge",
    "threshold": ">= 0.95",
    "why": "all but a few of 9 ascents of each unit",
}
about_maxima = {"cases": cases(**MAXIMIZED, layer=[2, 3]), "maxima": MAXIMA}


@claim(
    "unimodal",
    "4.4",
    "Most random initializations yield roughly the same input pattern.",
    **about_maxima,
    **ALIKE,
)
def likeness_among_starts(case, maxima):
    return over_units(cosine_among_starts(load_npz(maxima)["inputs"]), seed=case.seed)


@claim(
    "close-maxima",
    "4.4",
    "The maximal values of the activation are quite close to each other.",
    "median over units of the coefficient of variation among starts",
    "<= 0.02",
    "a fiftieth of the activation is quite close",
    **about_maxima,
)
def variation_among_starts(case, maxima):
    return over_units(variation_of_maxima(load_npz(maxima)["activations"]), seed=case.seed)


@claim(
    "one-rate",
    "4.4",
    "The same learning rate of the gradient ascent works for all units of a layer.",
    **about_maxima,
    **CONVERGED,
)
def share_converged(case, maxima):
    return over_units(load_npz(maxima)["converged"].mean(axis=1), np.mean, seed=case.seed)


@claim(
    "restricted",
    "4.4",
    "To keep the pixels of a maximum in [0, 1], as those of digits are, produces worse results.",
    "median over units of the correlation between adjacent pixels of the maximum in [0, 1] less that of the other",
    "<= 0",
    "worse is nearer to noise",
    cases=cases(dataset=["mnist"], model=["dbn", "sdae"], layer=[2, 3]),
    where=f"{WHERE} (which has {{share:.0%}} of the activation)",
    maxima=MAXIMA,
    **STACK,
)
def loss_in_the_box(case, maxima, **stack):
    network, found = load_network([stack[name] for name in sorted(stack)]), load_npz(maxima)
    starts = uniform(generator(case.seed, "restricted"), np.empty((len(found["units"]), network.pixels), np.float32))
    inputs = climb_in_the_box(network, case.layer, found["units"], starts, found["norm"])
    share = network.unit_activation(inputs, case.layer, found["units"]) / found["activations"].max(axis=1)
    loss = square_smoothness(inputs) - square_smoothness(best_of(maxima))
    return *over_units(loss, seed=case.seed), {"share": np.median(share)}


def climb_in_the_box(network, layer, units, starts, norm):
    """Return where ascents end whose points have the norm ρ and pixels in [0, 1], a row for each of `units`.

    The steps are shares of ρ that shrink from a tenth to nothing, since a point at a side of the box never rests.
    """
    x = np.clip(to_norm(starts, norm), 0, 1)
    for step in np.linspace(0.1, 0, RESTRICTED_STEPS, endpoint=False, dtype=np.float32):
        _, gradient = network.unit_gradient(x, layer, units)
        x = np.clip(x + to_norm(gradient, step * norm), 0, 1)
        x = np.clip(to_norm(x, norm), 0, 1)
    return x


# What is said of a layer trained on natural images, the units that it is said of, and how many of these are to be so.
for model, layer, suffix, says, threshold, why in (
    ("sdae", 1, "", "The first-layer filters of the SDAE are Gabor-like.", ">= 0.7", "most of them"),
    ("dbn", 1, "", "Those of the DBN, which minimise its reconstruction error, are not.", "<= 0.35", "half as many"),
    ("dbn", 2, "_shown", "Yet its second layer is a mixture of Gabor-like features and gratings.", ">= 0.25", "a part"),
):

    @claim(
        f"gabor-{model}-{layer}",
        "4.4",
        says,
        f"share of live units with a Gabor fit of R² above {GABOR}",
        threshold,
        why,
        where=f"{WHERE}, {{count}} units",
        cases=cases(dataset=["natural_images"], model=[model], layer=[layer], suffix=[suffix]),
        table="tables/units.csv",
    )
    def share_of_gabors(case, table):
        [row] = rows_of(table, dataset=case.dataset, model=case.model, layer=case.layer)
        share, count = row[f"gabor_share{case.suffix}"], int(row[f"fitted{case.suffix}"])
        return (share, *wilson_interval(round(share * count), count), {"count": count}) if count else None


@claim(
    "corners",
    "4.4",
    "Complicated units detect, for instance, corners at the second and third layer of the SDAE.",
    "mean over units of the lesser over the greater eigenvalue of the structure tensor of the maximum, less that in "
    "the first layer",
    ">= 0",
    "edges that run in one direction give 0, the sign is the statement",
    cases=cases(dataset=["natural_images"], model=["sdae"], layer=[2, 3]),
    where=f"{WHERE} ({{above:.2f}}; in the first {{below:.2f}})",
    maxima=MAXIMA,
    first="units/{dataset}/{model}/layer1/activation_maximization.npz",
)
def gain_in_corners(case, maxima, first):
    below, above = (cornerness(best_of(path)) for path in (first, maxima))
    found = compare(below, above, seed=case.seed)
    return found["difference"], found["low"], found["high"], {"below": below.mean(), "above": above.mean()}


@claim(
    "rates-of-divergence",
    "4.4, footnote 12",
    "Different learning rates of Contrastive Divergence induce features that are qualitatively different.",
    "difference, without its sign, of the mean spatial frequency of the filters at a tenth of the rate, cycles a pixel",
    ">= 0.02",
    "a tenth of the filters' own frequency",
    cases=[{"dataset": "natural_images", "model": "dbn", "other": "slow"}],
    where="{dataset} {model} layer 1 ({usual:.3f}; at the lower rate {slow:.3f})",
    filters=BELOW,
    others="models/{dataset}/{other}/layer1.npz",
)
def change_of_frequency(case, filters, others):
    usual, slow = (mean_frequency(load_npz(path)["weights"]) for path in (filters, others))
    found = compare(usual, slow, seed=case.seed)
    value, low, high = (found[key] for key in ("difference", "low", "high"))
    fields = {"usual": usual.mean(), "slow": slow.mean()}
    return (value, low, high, fields) if value >= 0 else (-value, -high, -low, fields)


def like_a_digit(images, examples):
    """Return which of some images (n, P) correlate with a held-out digit at `LIKE_A_DIGIT` or more, (n,) of bool."""
    return 1 - cdist(images, load_examples(examples, "test"), "correlation").min(axis=1) >= LIKE_A_DIGIT


@claim(
    "pseudo-digits",
    "4.4",
    "Some maxima of the third layer look like pseudo-digits.",
    f"share of units whose maximum correlates with a held-out digit at {LIKE_A_DIGIT} or more",
    ">= 0.05",
    "some of the units shown",
    cases=cases(dataset=["mnist"], model=["dbn", "sdae"], layer=[3]),
    where=f"{WHERE}, {{count}} units (of as many first-layer units {{below:.2f}})",
    maxima=MAXIMA,
    below="units/{dataset}/{model}/layer1/activation_maximization.npz",
    examples=EXAMPLES,
)
def share_of_digits(case, maxima, below, examples):
    share, first = (like_a_digit(best_of(path), examples) for path in (maxima, below))
    interval = wilson_interval(int(share.sum()), len(share))
    return share.mean(), *interval, {"count": len(share), "below": first.mean()}


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


for kind, says, which, threshold, why in (
    ("whole-objects", "A few units look like detectors of whole objects.", "as", ">= 0.03", "a few of 144"),
    ("parts", "Most units encode parts of objects.", f"smooth (at least {SMOOTH}) and not as", ">= 0.5", "most: half"),
):

    @claim(
        kind,
        "4.4",
        says,
        f"share of units whose maximum is {which} like a class mean as {100 * OUTLINES:.0f} % of held-out outlines are",
        threshold,
        why,
        where=f"{WHERE}, {{count}} units (correlation at least {{least:.2f}})",
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
    "not-noise",
    "4.4",
    "What the units look like is interpretable.",
    "median over units of the correlation between adjacent pixels of the maximum",
    f">= {SMOOTH}",
    "0 in noise",
    cases=OUTLINED,
    maxima=MAXIMA,
)
def smoothness_of_maxima(case, maxima):
    return over_units(square_smoothness(best_of(maxima)), seed=case.seed)
