"""The claims of sections 2.1 to 4.3: the three techniques, each by itself, and the links between them."""

from functools import partial

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from deepunits.data.examples import load_examples
from deepunits.models.trained import load_network
from deepunits.paper.claims.claim import WHERE, cases, statement, untested
from deepunits.paper.claims.section4 import (
    BELOW,
    COMBINATION,
    COMPARED,
    EXAMPLES,
    LAYER,
    MAXIMA,
    MAXIMIZED,
    SAMPLING,
    STACK,
    best_of,
)
from deepunits.paper.pictures import matched_cosine
from deepunits.paper.statistics import (
    cosine,
    over_units,
    rank_correlation,
    scale_reduction,
    wilson_interval,
)
from deepunits.randomness import generator, uniform
from deepunits.storage import load_npz
from deepunits.visualize.linear_combination import strongest
from deepunits.visualize.starts import cosine_among_starts

STATEMENTS = []
claim = partial(statement, STATEMENTS)

FEW = 10  # filters in a combination of "only the very few most strongly connected"
EXAMINED = 100  # held-out examples at which gradients are looked at
STRONGEST = 9  # examples of a unit that are looked at together
CLIMBED = 6  # units that the other optimizer climbs for


def combinations(weights, filters, kept):
    """Return the combination of all `filters` below, and of the `kept` most strongly connected: (units, P) each."""
    return weights @ filters, strongest(weights, kept) @ filters


@claim(
    "few-filters",
    "4.4",
    "About 100 filters of the layer below are enough for the linear combination.",
    "median over units of the cosine between the combination of 100 filters and that of all",
    ">= 0.9",
    "pictures of that cosine look the same",
    cases=COMPARED,
    layer=LAYER,
    below=BELOW,
)
def likeness_of_combinations(case, layer, below):
    weights, filters = load_npz(layer)["weights"], load_npz(below)["weights"]
    return over_units(cosine(*combinations(weights, filters, 100)), seed=case.seed)


@claim(
    "misleading-filters",
    "2.1",
    "A combination of very few filters misleads where not a few large weights dominate, but many are alike.",
    f"rank correlation over units of the share of the squared weights in the {FEW} largest with the cosine between "
    "their combination and that of all",
    ">= 0",
    "the sign is the statement",
    cases=COMPARED,
    layer=LAYER,
    below=BELOW,
)
def likeness_where_few_dominate(case, layer, below):
    weights, filters = load_npz(layer)["weights"], load_npz(below)["weights"]
    share = (strongest(weights, FEW) ** 2).sum(axis=1) / (weights**2).sum(axis=1)
    return rank_correlation(share, cosine(*combinations(weights, filters, FEW)), seed=case.seed)


untested(
    STATEMENTS,
    "label-clamped",
    "2.2",
    "With the label clamped, a DBN with a label layer gives samples of a class.",
    "the DBNs of section 3 have no label units",
)


@claim(
    "mixing",
    "4.1",
    "To estimate the expectation is efficient if the Markov chain mixes well, which is not always the case.",
    "median over units of the potential scale reduction (Gelman and Rubin, 1992) of the pixels among the chains of a "
    "unit",
    "<= 1.1",
    "the bound in use; 1 of chains that agree",
    cases=COMPARED,
    sampling=SAMPLING,
)
def disagreement_of_chains(case, sampling):
    found = load_npz(sampling)
    return over_units(scale_reduction(found["samples"], found["chain"]), seed=case.seed)


@claim(
    "other-inputs",
    "4.2",
    "There is no need to search among examples: other inputs of the same norm activate a unit more.",
    "share of units that the maximum activates more than any held-out example, scaled to its norm",
    ">= 0.9",
    "all of 36 units give an interval from 0.9 on",
    cases=cases(**MAXIMIZED, layer=[3]),
    where=f"{WHERE}, {{count}} units",
    maxima=MAXIMA,
    examples=EXAMPLES,
    **STACK,
)
def share_above_examples(case, maxima, examples, **stack):
    found = load_npz(maxima)
    activations = activations_of_examples(found["units"], examples, stack, norm=found["norm"])
    above = found["activations"].max(axis=1) > activations.max(axis=0)
    return above.mean(), *wilson_interval(int(above.sum()), len(above)), {"count": len(above)}


def activations_of_examples(units, examples, stack, norm=None):
    """Return the activations (n, U) of third-layer `units` at the held-out examples, as they are or of some `norm`."""
    network, held_out = load_network([stack[name] for name in sorted(stack)]), load_examples(examples, "test")
    if norm is not None:
        held_out = held_out * (norm / np.linalg.norm(held_out, axis=1, keepdims=True)).astype(np.float32)
    return network.activations(held_out, network.depth)[:, units]


@claim(
    "strongest-examples",
    "4.2",
    "The maximum shows what the examples that activate a unit most have in common.",
    f"median over units of the cosine between the maximum and the mean of the {STRONGEST} strongest held-out examples, "
    "means over units removed, less that between two different units",
    ">= 0.1",
    "0 if they had nothing to do with each other",
    cases=cases(**MAXIMIZED, layer=[3]),
    where=f"{WHERE} (of different units {{mismatched:.2f}})",
    maxima=MAXIMA,
    examples=EXAMPLES,
    **STACK,
)
def likeness_to_strongest(case, maxima, examples, **stack):
    found, held_out = load_npz(maxima), load_examples(examples, "test")
    order = np.argsort(-activations_of_examples(found["units"], examples, stack), axis=0)[:STRONGEST]
    means, best = held_out[order].mean(axis=0), best_of(maxima)
    mismatched = np.median(matched_cosine(best, np.roll(means, 1, axis=0)))
    gain = over_units(matched_cosine(best, means) - mismatched, seed=case.seed)
    return *gain, {"mismatched": mismatched}


@claim(
    "averaging",
    "4.2",
    "To average the solutions of a unit or to choose the best characterises it alike.",
    "median over units of the cosine between the mean of the solutions and the best",
    ">= 0.9",
    "pictures of that cosine look the same",
    cases=cases(**MAXIMIZED, layer=[2, 3]),
    maxima=MAXIMA,
)
def likeness_of_the_average(case, maxima):
    return over_units(cosine(load_npz(maxima)["inputs"].mean(axis=1), best_of(maxima)), seed=case.seed)


@claim(
    "concentrated-samples",
    "4.3",
    "The more the samples of a unit concentrate, the more their mean is like the maximum.",
    "rank correlation over units of the mean pairwise cosine among samples with the cosine of their mean and the "
    "maximum, means over units removed",
    ">= 0",
    "the sign is the statement",
    cases=COMPARED,
    maxima=MAXIMA,
    sampling=SAMPLING,
)
def likeness_where_samples_concentrate(case, maxima, sampling):
    found = load_npz(sampling)
    concentration = cosine_among_starts(found["samples"] - found["samples"].mean(axis=(0, 1)))
    return rank_correlation(concentration, matched_cosine(best_of(maxima), found["mean"]), seed=case.seed)


@claim(
    "gradient-along-combination",
    "4.3",
    "Where the first layer does not saturate, the gradient points along the linear combination of its filters.",
    "median over units of the cosine of gradient and combination, at the third of the held-out examples that saturate "
    "the unit's filters least, less that at the third that saturates them most",
    ">= 0",
    "the sign is the statement",
    cases=COMPARED,
    where=f"{WHERE} (at the least saturating third {{least:.2f}})",
    layer=LAYER,
    below=BELOW,
    maxima=MAXIMA,
    combination=COMBINATION,
    examples=EXAMPLES,
)
def likeness_of_gradient(case, layer, below, maxima, combination, examples):
    network, combined = load_network([below, layer]), load_npz(combination)["filters"]
    held_out, units = load_examples(examples, "test")[:EXAMINED], load_npz(maxima)["units"]
    means = expit(network.activations(held_out, 1))
    slopes = 4 * means * (1 - means)  # 1 where a filter does not saturate, 0 where it does
    likeness = []
    for unit, pattern in zip(units, combined, strict=True):
        weights = np.abs(network.weights[1][unit])
        order = np.argsort(slopes @ weights)
        _, gradient = network.unit_gradient(held_out, 2, np.full(EXAMINED, unit))
        cosines, third = cosine(gradient, pattern)[order], EXAMINED // 3
        likeness.append((cosines[:third].mean(), cosines[-third:].mean()))
    most, least = np.transpose(likeness)
    return *over_units(least - most, seed=case.seed), {"least": np.median(least)}


@claim(
    "other-optimizer",
    "4.4, footnote 10",
    "Better methods of optimization, such as conjugate gradient, do not lead to different conclusions.",
    "median over units of the cosine between the maximum and what L-BFGS finds on the same sphere from another start",
    ">= 0.9",
    "patterns of that cosine look the same",
    cases=cases(**MAXIMIZED, layer=[2]),
    where=f"{WHERE}, {CLIMBED} units",
    layer=LAYER,
    below=BELOW,
    maxima=MAXIMA,
)
def likeness_to_other_optimizer(case, layer, below, maxima):
    network, found = load_network([below, layer]), load_npz(maxima)
    starts = uniform(generator(case.seed, "L-BFGS"), np.empty((CLIMBED, network.pixels), np.float32))
    climbed = [
        climb(network, 2, unit, start, found["norm"])
        for unit, start in zip(found["units"][:CLIMBED], starts, strict=True)
    ]
    return over_units(cosine(np.array(climbed), best_of(maxima)[:CLIMBED]), seed=case.seed)


def climb(network, layer, unit, start, norm):
    """Return what L-BFGS finds on the sphere of radius `norm`, by scaling every point onto it, shape (P,)."""

    def descent(z):
        length = np.linalg.norm(z)
        x = (norm / length * z).astype(np.float32)
        activation, gradient = network.unit_gradient(x[None], layer, np.array([unit]))
        gradient = gradient[0].astype(np.float64)
        along = z / length
        return -float(activation[0]), -norm / length * (gradient - (gradient @ along) * along)

    z = minimize(descent, start.astype(np.float64), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return norm / np.linalg.norm(z) * z
