"""The claims of section 6 on toy results of which the answer is known, both ways."""

import numpy as np
import pytest
from test_techniques import FILTERS, PIXELS, UNITS, layer, maxima, verdict_on

from deepunits.invariance.transformations import transformation_matrices
from deepunits.paper.claims import section6


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_maxima_of_higher_layers_are_less_like_single_filters(measured, rng):
    filters = rng.normal(size=(FILTERS, PIXELS))
    simple, mixed = filters[:UNITS, None], rng.normal(size=(UNITS, 1, PIXELS))
    places = [f"units/mnist/dbn/layer{k}/activation_maximization.npz" for k in (2, 3)]
    for found, expected in (((simple, mixed), "holds"), ((mixed, simple), "fails")):
        stored = {place: maxima(inputs) for place, inputs in zip(places, found, strict=True)}
        files = stored | {"models/mnist/dbn/layer1.npz": layer(filters)}
        assert verdict_on(measured, section6, "more-complicated", files)["verdict"] == expected


def tuned(k, tool="activation_maximization", model="dbn"):
    return f"units/mnist/{model}/fine_tuned/layer{k}/{tool}.npz"


def classifier(filters):
    return {
        "weights_1": filters.astype(np.float32),
        "bias_1": np.zeros(len(filters), np.float32),
        "weights_out": np.ones((10, len(filters)), np.float32),
        "bias_out": np.zeros(10, np.float32),
    }


def test_fine_tuned_maxima_of_higher_layers_are_less_like_single_filters(measured, rng):
    filters = rng.normal(size=(FILTERS, PIXELS))
    simple, mixed = maxima(filters[:UNITS, None]), maxima(rng.normal(size=(UNITS, 1, PIXELS)))
    for first, second, expected in ((simple, mixed, "holds"), (mixed, simple, "fails")):
        files = {tuned(2): first, tuned(3): second, "models/mnist/dbn/classifier.npz": classifier(filters)}
        row = verdict_on(measured, section6, "fine-tuned-more-complicated", files)
        assert row["verdict"] == expected and "fine-tuned layers 2 and 3" in row["where"]


def test_fine_tuned_units_are_asked_for_one_pattern_and_convergence(measured, rng):
    pattern = rng.normal(size=(40, 1, PIXELS))
    for noise, converged, expected in ((0.01, True, "holds"), (9.0, False, "fails")):
        found = maxima(pattern + noise * rng.normal(size=(40, 5, PIXELS)))
        found["converged"][:] = converged
        for name in ("fine-tuned-unimodal", "fine-tuned-convergence"):
            assert verdict_on(measured, section6, name, {tuned(3): found})["verdict"] == expected


def test_areas_of_fine_tuned_layers_are_those_of_live_units(measured, rng):
    epsilons = np.linspace(0, 2, 5)
    falls = 3 - rng.uniform(0.9, 1.1, size=(UNITS, 2, 1)) * epsilons**2
    falls[0] = -50  # dead
    for steep, expected in ((4, "holds"), (0.25, "fails")):
        files = {
            tuned(1, "invariance", "sdae"): {"activations": 3 - steep * (3 - falls), "epsilons": epsilons},
            tuned(2, "invariance", "sdae"): {"activations": falls, "epsilons": epsilons},
        }
        row = verdict_on(measured, section6, "fine-tuned-faster-below", files)
        assert row["verdict"] == expected


def test_models_with_the_same_features_are_not_different(measured, rng):
    filters = rng.normal(size=(FILTERS, 25))
    for others, expected in ((rng.normal(size=(FILTERS, 25)), "holds"), (-3 * rng.permutation(filters), "fails")):
        files = {"models/mnist/dbn/layer1.npz": layer(filters), "models/mnist/sdae/layer1.npz": layer(others)}
        assert verdict_on(measured, section6, "different-features", files)["verdict"] == expected


def transformed(rng, falls):
    """Return what transformations take of the activation, by a share of ε² for each kind, and how far they go."""
    kinds = np.array(["rotation", "horizontal_translation", "vertical_translation", "scaling"])
    distances = np.broadcast_to([1.0, 0.5, 0.0, 0.5, 1.0], (4, UNITS, 5))
    activations = 1 - np.reshape(falls, (4, 1, 1)) * distances**2 * rng.uniform(0.9, 1.1, size=(UNITS, 1))
    amounts = np.array([[-20, -10, 0, 10, 20], [-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2], [0.5, 0.7, 1, 1.4, 2]])
    ends = {"highest": np.ones(UNITS), "opposite": np.full(UNITS, -1.0)}
    return ends | {"kinds": kinds, "amounts": amounts, "distances": distances, "activations": activations}


def test_units_are_told_by_rotations_and_translations(measured, rng):
    place = "units/mnist/sdae/layer3/transformations.npz"
    for falls, expected in (((0.2, 0.9, 0.8, 0.5), "holds"), ((0.5, 0.5, 0.9, 0.5), "fails")):
        found = verdict_on(measured, section6, "rotations-or-translations", {place: transformed(rng, falls)})
        assert found["verdict"] == expected
    assert "translations 0% of 13 units)" in found["where"]


def test_units_are_grouped_by_what_explains_their_manifolds(measured, rng):
    y, x = np.mgrid[:15, :15] - 7.0
    optima = np.stack([np.exp(-((x - a) ** 2) / 20 - (y + a) ** 2 / 3) for a in np.linspace(-2, 2, UNITS)])
    optima = optima.reshape(UNITS, -1)
    moved = optima @ transformation_matrices("horizontal_translation", [2.0], (15, 15))[0].T
    for frames, expected in ((moved, "holds"), (optima, "fails")):
        files = {
            "units/mnist/sdae/layer2/transformations.npz": transformed(rng, (1, 1, 1, 1)),
            "units/mnist/sdae/layer2/invariance.npz": {
                "epsilons": np.array([0.0, 1.0, 2.0]),
                "inputs": np.stack([optima, frames, -optima], axis=1)[:, None],
                "optimum": optima,
                "shown_units": np.arange(UNITS),
            },
        }
        row = verdict_on(measured, section6, "grouped-by-transformation", files)
        assert row["verdict"] == expected
        assert (f"horizontal translation {UNITS}" in row["where"]) == (expected == "holds")
