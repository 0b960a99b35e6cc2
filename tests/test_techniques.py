"""The claims about the three techniques, on networks and pictures of which the answer is known, both ways."""

import json

import numpy as np
import pytest

from deepunits.models.network import Network
from deepunits.paper import statistics
from deepunits.paper.claims import comparison, section4, techniques
from deepunits.paper.statistics import perplexity

UNITS, FILTERS, PIXELS = 13, 37, 9
CHAIN = np.arange(5) % 2  # of five samples
LAYER2 = "models/mnist/dbn/layer2.npz"
MAXIMA, COMBINATION, SAMPLING = (
    f"units/mnist/dbn/layer2/{name}.npz" for name in ("activation_maximization", "linear_combination", "sampling")
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def layer(weights, bias=0.0):
    """Return the arrays of a trained layer."""
    hidden, visible = weights.shape
    arrays = {"weights": weights, "hidden_bias": np.full(hidden, bias), "visible_bias": np.zeros(visible)}
    record = json.dumps({"kind": "dbn", "settings": {}})
    return {name: a.astype(np.float32) for name, a in arrays.items()} | {"metadata": np.array(record)}


def maxima(inputs, activations=None):
    """Return what activation maximization stores of solutions (U, R, P)."""
    shape = inputs.shape[:2]
    return {
        "units": np.arange(len(inputs)),
        "inputs": inputs,
        "activations": np.ones(shape) if activations is None else activations,
        "converged": np.ones(shape, bool),
        "norm": np.array(np.linalg.norm(inputs[0, 0])),
    }


def verdict_on(measured, section, name, files):
    rows = measured(section, files).values()
    [row] = [row for row in rows if row["statement"] == name]
    return row


def test_the_rank_correlation_is_that_of_the_ranks(rng):
    a = rng.normal(size=60)
    value, low, high = statistics.rank_correlation(a, np.exp(a), seed=1)
    assert value == pytest.approx(1) and low == pytest.approx(1) and high == pytest.approx(1)
    value, low, high = statistics.rank_correlation(a, rng.normal(size=60), seed=1)
    assert low < value < high and low < 0.2 and high > -0.2
    assert statistics.rank_correlation(a, np.ones(60), seed=1) == (0.0, 0.0, 0.0)


def test_few_filters_are_enough_where_few_weights_are_large(measured, rng):
    below = layer(rng.normal(size=(211, PIXELS)))
    weights = rng.normal(size=(UNITS, 211))
    for strong, expected in ((weights * (np.arange(211) < 50), "holds"), (np.ones_like(weights), "fails")):
        files = {LAYER2: layer(strong), "models/mnist/dbn/layer1.npz": below}
        assert verdict_on(measured, techniques, "few-filters", files)["verdict"] == expected


def test_few_filters_mislead_where_weights_are_alike(measured, rng):
    below, powers = layer(rng.normal(size=(FILTERS, 101))), np.linspace(0, 9, 40)[:, None]
    weights = rng.uniform(0.2, 1, size=(40, FILTERS)) ** powers  # from all alike to a few that dominate
    files = {LAYER2: layer(weights), "models/mnist/dbn/layer1.npz": below}
    row = verdict_on(measured, techniques, "misleading-filters", files)
    assert row["verdict"] == "holds" and row["value"] > 0.8


def three_layers(rng):
    """Return the files of a network whose third-layer units are nearly linear, and the directions that they see."""
    weights = [0.1 * rng.normal(size=shape) for shape in ((FILTERS, PIXELS), (FILTERS, FILTERS), (UNITS, FILTERS))]
    files = {f"models/mnist/dbn/layer{k + 1}.npz": layer(w) for k, w in enumerate(weights)}
    directions = weights[2] @ weights[1] @ weights[0]
    return files, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def test_maxima_are_held_against_examples_of_their_norm(measured, rng):
    files, directions = three_layers(rng)
    place = "units/mnist/dbn/layer3/activation_maximization.npz"
    files["datasets/mnist/examples.npz"] = {"test_images": (9 * rng.random((70, PIXELS))).astype(np.float32)}

    network = Network(
        *([files[f"models/mnist/dbn/layer{k}.npz"][n] for k in (1, 2, 3)] for n in ("weights", "hidden_bias"))
    )
    for solutions, expected in ((directions, 1.0), (-directions, 0.0)):
        found = network.unit_activation(solutions.astype(np.float32), 3, np.arange(UNITS))
        stored = maxima(solutions[:, None], found[:, None])
        row = verdict_on(measured, techniques, "other-inputs", files | {place: stored})
        assert row["value"] == expected


def test_the_strongest_examples_share_what_the_maximum_shows(measured, rng):
    files, directions = three_layers(rng)
    place = "units/mnist/dbn/layer3/activation_maximization.npz"
    files["datasets/mnist/examples.npz"] = {"test_images": rng.normal(size=(900, PIXELS)).astype(np.float32)}
    for solutions, expected in ((directions, "holds"), (np.roll(directions, 1, axis=0), "fails")):
        row = verdict_on(measured, techniques, "strongest-examples", files | {place: maxima(solutions[:, None])})
        assert row["verdict"] == expected


def test_the_average_is_like_the_best_of_solutions_that_are_alike(measured, rng):
    pattern = rng.normal(size=(UNITS, 1, PIXELS))
    for noise, expected in ((0.1, "holds"), (9.0, "fails")):
        stored = maxima(pattern + noise * rng.normal(size=(UNITS, 5, PIXELS)), rng.random((UNITS, 5)))
        assert verdict_on(measured, techniques, "averaging", {MAXIMA: stored})["verdict"] == expected


def test_the_mean_of_samples_is_like_the_maximum_where_they_concentrate(measured, rng):
    best, noise = rng.normal(size=(40, PIXELS)), np.linspace(0.1, 9, 40)
    samples = best[:, None] + noise[:, None, None] * rng.normal(size=(40, 5, PIXELS))
    for drawn, expected in ((samples, "holds"), (samples[::-1], "fails")):  # or the other way round
        files = {
            MAXIMA: maxima(best[:, None]),
            SAMPLING: {"samples": drawn, "mean": samples.mean(axis=1), "chain": CHAIN},
        }
        assert verdict_on(measured, techniques, "concentrated-samples", files)["verdict"] == expected


def test_gradients_point_along_the_combination_where_filters_do_not_saturate(measured, rng):
    filters, weights = 3 * rng.normal(size=(FILTERS, PIXELS)), rng.normal(size=(UNITS, FILTERS))
    strength = np.repeat([0.01, 3.0], 60)[:, None]  # examples that saturate nothing, and nearly all
    files = {
        LAYER2: layer(weights),
        "models/mnist/dbn/layer1.npz": layer(filters),
        MAXIMA: maxima(rng.normal(size=(UNITS, 1, PIXELS))),
        "datasets/mnist/examples.npz": {
            "test_images": rng.permutation(strength * rng.normal(size=(120, PIXELS))).astype(np.float32)
        },
    }
    combined = weights @ filters
    for pattern, expected in ((combined, "holds"), (-combined, "fails")):
        row = verdict_on(
            measured, techniques, "gradient-along-combination", files | {COMBINATION: {"filters": pattern}}
        )
        assert row["verdict"] == expected
        assert ("third 1.00)" in row["where"]) == (expected == "holds")


def test_another_optimizer_finds_the_maximum_of_a_nearly_linear_unit(measured, rng):
    filters, weights = 0.1 * rng.normal(size=(FILTERS, PIXELS)), 0.1 * rng.normal(size=(UNITS, FILTERS))
    files = {LAYER2: layer(weights), "models/mnist/dbn/layer1.npz": layer(filters)}
    directions = (weights @ filters)[:, None]
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    for solutions, expected in ((directions, "holds"), (directions[::-1], "fails")):
        row = verdict_on(measured, techniques, "other-optimizer", files | {MAXIMA: maxima(solutions)})
        assert row["verdict"] == expected


def test_perplexity_counts_what_is_as_likely():
    np.testing.assert_allclose(perplexity(np.array([[0.5, 0.5, 0], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3]])), [2, 1, 3])


def test_chains_that_stay_apart_do_not_mix(measured, rng):
    chain = np.arange(60) % 3
    apart = rng.normal(size=(UNITS, 3, PIXELS))[:, chain]
    for distance, expected in ((0.0, "holds"), (3.0, "fails")):
        samples = distance * apart + rng.normal(size=(UNITS, 60, PIXELS))
        row = verdict_on(measured, techniques, "mixing", {SAMPLING: {"samples": samples, "chain": chain}})
        assert row["verdict"] == expected


def test_the_scale_reduction_is_that_of_two_chains_by_hand():
    samples = np.array([1.0, 3.0, 5.0, 7.0])[None, :, None]  # chains 1, 5 and 3, 7: means 3 and 5, variances 8 and 8
    chain = np.array([0, 1, 0, 1])
    between, within = 2 * ((3 - 4) ** 2 + (5 - 4) ** 2), 8.0
    expected = np.sqrt((within / 2 + between / 2) / within)
    np.testing.assert_allclose(statistics.scale_reduction(samples, chain), [expected])


def test_modes_are_the_kinds_of_digits_in_a_row_of_samples(measured, rng):
    judge = {"weights_out": np.eye(10, PIXELS + 1, dtype=np.float32), "bias_out": np.zeros(10, np.float32)}
    for kinds, expected in ((2, "holds"), (8, "fails")):
        shown = (np.arange(UNITS)[:, None] + rng.integers(0, kinds, size=(UNITS, 50))) % 10
        samples = np.eye(10, PIXELS + 1)[shown]
        files = {SAMPLING: {"samples": samples}, "models/mnist/random/classifier.npz": judge}
        row = verdict_on(measured, comparison, "modes", files)
        assert row["verdict"] == expected and abs(row["value"] - kinds) < 1


def test_pseudo_digits_are_like_a_digit(measured, rng):
    digits, noise = rng.random((60, 100)), maxima(rng.normal(size=(40, 2, 100)))
    place, below = (f"units/mnist/dbn/layer{k}/activation_maximization.npz" for k in (3, 1))
    files = {"datasets/mnist/examples.npz": {"test_images": digits.astype(np.float32)}, below: noise}
    alike = maxima(np.repeat(2 * digits[:40, None] - 1, 2, axis=1))
    for found, value, expected in ((alike, 1.0, "holds"), (noise, 0.0, "undecided")):
        row = verdict_on(measured, section4, "pseudo-digits", files | {place: found})
        assert (row["value"], row["verdict"]) == (value, expected) and "units 0.00)" in row["where"]


def test_maxima_in_the_box_are_held_against_free_ones(measured, rng):
    files, directions = three_layers(rng)
    place = "units/mnist/dbn/layer3/activation_maximization.npz"
    smooth = np.tile(np.arange(9.0) / 9, (UNITS, 2, 1))  # of norm 1.6: the box holds 3
    checkered = np.tile(np.indices((3, 3)).sum(axis=0).ravel() % 2 - 0.5, (UNITS, 2, 1))
    for inputs, expected in ((smooth, "holds"), (checkered, "fails")):
        row = verdict_on(measured, section4, "restricted", files | {place: maxima(inputs)})
        assert row["verdict"] == expected


def test_an_ascent_in_the_box_stays_there_and_climbs(rng):
    weights = rng.normal(size=(UNITS, 25)).astype(np.float32)
    network = Network([weights], [np.zeros(UNITS, np.float32)])
    starts = rng.random((UNITS, 25), dtype=np.float32)
    found = section4.climb_in_the_box(network, 1, np.arange(UNITS), starts, 2.0)
    assert found.min() >= 0 and found.max() <= 1 and np.linalg.norm(found, axis=1).max() <= 2.0001
    best = np.maximum(weights, 0)
    best *= 2 / np.linalg.norm(best, axis=1, keepdims=True)  # if no pixel reaches 1
    free = best.max(axis=1) <= 1
    reached = (found * weights).sum(axis=1)[free] / (best * weights).sum(axis=1)[free]
    assert free.any() and reached.min() > 0.99


def test_means_of_samples_are_held_against_digits(measured, rng):
    digits = rng.random((60, 100)).astype(np.float32)
    examples = {"datasets/mnist/examples.npz": {"test_images": digits}}
    for mean, expected in ((3 * digits[:50] + 1, "holds"), (rng.normal(size=(50, 100)), "fails")):
        files = examples | {SAMPLING: {"samples": np.zeros((50, 2, 100)), "mean": mean}}
        assert verdict_on(measured, comparison, "means-like-digits", files)["verdict"] == expected


def test_corners_are_told_from_edges(measured):
    y, x = np.mgrid[:12, :12] - 5.5
    edges = np.stack([np.tanh(3 * (x * np.cos(a) + y * np.sin(a))) for a in np.linspace(0, 3, 13)]).reshape(13, 1, -1)
    corners = np.stack([np.where((x > c) & (y > c), 1.0, -1.0) for c in np.linspace(-2, 2, 13)]).reshape(13, 1, -1)
    first, second = (f"units/natural_images/sdae/layer{k}/activation_maximization.npz" for k in (1, 2))
    for below, above, expected in ((edges, corners, "holds"), (corners, edges, "fails")):
        row = verdict_on(measured, section4, "corners", {first: maxima(below), second: maxima(above)})
        assert row["verdict"] == expected


def test_features_learned_at_two_rates_are_compared_by_frequency(measured, rng):
    noise = rng.normal(size=(UNITS, 144))
    smooth = np.tile(np.sin(np.arange(12) / 2), (UNITS, 12)) + 0.01 * noise
    for other, expected in ((smooth, "fails"), (noise, "holds")):
        files = {
            "models/natural_images/dbn/layer1.npz": layer(smooth),
            "models/natural_images/slow/layer1.npz": layer(other),
        }
        assert verdict_on(measured, section4, "rates-of-divergence", files)["verdict"] == expected


def test_a_combination_of_parts_has_the_lesser_extent(measured, rng):
    whole = rng.uniform(1, 2, size=(UNITS, PIXELS))
    part = whole * (np.arange(PIXELS) < 3)
    for maximum, linear, expected in ((whole, part, "holds"), (part, whole, "fails")):
        files = {MAXIMA: maxima(maximum[:, None]), COMBINATION: {"filters": linear}}
        assert verdict_on(measured, comparison, "parts-of-maxima", files)["verdict"] == expected
