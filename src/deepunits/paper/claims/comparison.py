"""The claims of section 4.4 about sampling a unit, and about the three techniques compared: Figures 3 and 4."""

from functools import partial

import numpy as np

from deepunits.data.examples import load_examples
from deepunits.models.trained import load_network
from deepunits.paper.claims.claim import WHERE, cases, statement
from deepunits.paper.claims.section4 import (
    COMBINATION,
    COMPARED,
    EXAMPLES,
    LIKE_A_DIGIT,
    MAXIMA,
    SAMPLING,
    best_of,
    like_a_digit,
)
from deepunits.paper.pictures import distance_to_data, extent, matched_cosine, mean_frequency
from deepunits.paper.statistics import over_units, perplexity, wilson_interval
from deepunits.storage import load_npz
from deepunits.visualize.starts import cosine_among_starts

STATEMENTS = []
claim = partial(statement, STATEMENTS)


@claim(
    "linear-like-maximum",
    "4.4",
    "Linear combination and activation maximization are quite similar.",
    "median over units of their cosine, mean over units removed",
    ">= 0.5",
    "of two different units it is 0 in the mean",
    where=f"{WHERE} (of different units {{mismatched:.2f}})",
    cases=COMPARED,
    maxima=MAXIMA,
    combination=COMBINATION,
)
def likeness_to_combination(case, maxima, combination):
    best, filters = best_of(maxima), load_npz(combination)["filters"]
    mismatched = np.median(matched_cosine(best, np.roll(filters, 1, axis=0)))
    return *over_units(matched_cosine(best, filters), seed=case.seed), {"mismatched": mismatched}


@claim(
    "samples-differ",
    "4.4",
    "Sampling gives whole examples where the other two give parts: it is less like the maximum.",
    "median over units of cosine(maximum, linear) - cosine(maximum, sampling mean)",
    ">= 0",
    "the sign is the statement",
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
    "samples-like-data",
    "4.4",
    "Samples are much more likely to be part of the distribution of examples than maxima.",
    "median over units of distance to the nearest held-out example, samples less maximum",
    "<= 0",
    "the sign is the statement",
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
    "one-pattern",
    "4.4",
    "Samples of natural image patches are of the same pattern, for a given unit.",
    "median over units of the mean pairwise cosine among samples, mean over units removed",
    ">= 0.3",
    "a common pattern is then seen in a row; of samples of different units it is 0",
    cases=cases(dataset=["natural_images"], model=["dbn"], layer=[2]),
    sampling=SAMPLING,
)
def likeness_among_samples(case, sampling):
    samples = load_npz(sampling)["samples"]
    return over_units(cosine_among_starts(samples - samples.mean(axis=(0, 1))), seed=case.seed)


@claim(
    "modes",
    "4.4",
    "There seem to be one or two modes for each unit of MNIST.",
    "median over units of the perplexity of the digits that a network trained without the DBN sees in a unit's samples",
    "<= 3.5",
    "a row then holds mostly two kinds of digits; 10 if all were alike",
    cases=cases(dataset=["mnist"], model=["dbn"], layer=[2]),
    where=f"{WHERE} (of the samples of all units together {{pooled:.1f}})",
    sampling=SAMPLING,
    judge="models/{dataset}/random/classifier.npz",
)
def perplexity_of_samples(case, sampling, judge):
    samples, network = load_npz(sampling)["samples"], load_network(judge)
    classes = network.activations(samples.reshape(-1, network.pixels), network.depth).argmax(axis=1)
    shares = np.eye(network.units(network.depth))[classes].reshape(*samples.shape[:2], -1).mean(axis=1)
    return *over_units(perplexity(shares), seed=case.seed), {"pooled": perplexity(shares.mean(axis=0))}


@claim(
    "means-like-digits",
    "4.4",
    "The mean of a unit's samples is almost always in the shape of a digit.",
    f"share of units whose mean of samples correlates with a held-out digit at {LIKE_A_DIGIT} or more",
    ">= 0.9",
    "almost always",
    cases=cases(dataset=["mnist"], model=["dbn"], layer=[2]),
    where=f"{WHERE}, {{count}} units",
    sampling=SAMPLING,
    examples=EXAMPLES,
)
def share_of_means_like_digits(case, sampling, examples):
    like = like_a_digit(load_npz(sampling)["mean"], examples)
    return like.mean(), *wilson_interval(int(like.sum()), len(like)), {"count": len(like)}


@claim(
    "sharper",
    "4.4",
    "Activation maximization tends to find sharper patterns than linear combination.",
    "median over units of the mean spatial frequency of the maximum less that of the combination, cycles a pixel",
    ">= 0",
    "the sign is the statement",
    cases=COMPARED,
    where=f"{WHERE} ({{maximum:.3f}} and {{linear:.3f}})",
    maxima=MAXIMA,
    combination=COMBINATION,
)
def gain_in_frequency(case, maxima, combination):
    maximum, linear = (mean_frequency(images) for images in (best_of(maxima), load_npz(combination)["filters"]))
    fields = {"maximum": np.median(maximum), "linear": np.median(linear)}
    return *over_units(maximum - linear, seed=case.seed), fields


@claim(
    "parts-of-maxima",
    "4.4",
    "Linear combination finds only parts of the features that activation maximization finds.",
    "median over units of the number of pixels that hold the power of the combination, less that of the maximum",
    "<= 0",
    "the sign is the statement",
    cases=COMPARED,
    where=f"{WHERE} ({{linear:.0f}} and {{maximum:.0f}} pixels)",
    maxima=MAXIMA,
    combination=COMBINATION,
)
def loss_in_extent(case, maxima, combination):
    maximum, linear = (extent(images) for images in (best_of(maxima), load_npz(combination)["filters"]))
    fields = {"maximum": np.median(maximum), "linear": np.median(linear)}
    return *over_units(linear - maximum, seed=case.seed), fields
