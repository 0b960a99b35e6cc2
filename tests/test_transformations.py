"""Transformations against SciPy's image functions; firing scores and curves against units that are understood."""

import numpy as np
import pytest
from scipy import ndimage

from deepunits.errors import UserError
from deepunits.invariance.transformations import (
    TransformationCurves,
    at_distances,
    firing_scores,
    strongest_examples,
    top_mean,
    trace_transformation,
    transform,
    transformation_matrix,
    unit_activations,
)
from deepunits.models.network import Network

SHAPE = (7, 11)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def scipy_transform(image, kind, amount):
    """The same by scipy.ndimage, padded so that it too takes pixels beyond the border to be 0."""
    pad = 20
    padded = np.pad(image.reshape(SHAPE), pad)
    if kind == "rotation":
        moved = ndimage.rotate(padded, amount, reshape=False, order=1)
    elif kind == "scaling":
        centre = (np.array(padded.shape) - 1) / 2
        moved = ndimage.affine_transform(padded, np.eye(2) / amount, centre - centre / amount, order=1)
    else:
        shift = (amount, 0) if kind == "vertical_translation" else (0, amount)
        moved = ndimage.shift(padded, shift, order=1)
    return moved[pad:-pad, pad:-pad].ravel()


@pytest.mark.parametrize(
    "kind, amounts",
    [
        ("rotation", (-170.0, -30.0, 0.0, 13.7, 90.0, 180.0)),
        ("vertical_translation", (-2.0, -0.3, 0.0, 1.0, 4.6)),
        ("horizontal_translation", (-2.0, -0.3, 0.0, 1.0, 4.6)),
        ("scaling", (0.4, 0.9, 1.0, 1.3, 2.5)),
    ],
)
def test_transformed_images_are_those_of_scipy(rng, kind, amounts):
    images = rng.normal(size=(3, 77))
    found = transform(images, kind, amounts, SHAPE)
    assert found.shape == (3, len(amounts), 77)
    for i, image in enumerate(images):
        for a, amount in enumerate(amounts):
            np.testing.assert_allclose(found[i, a], scipy_transform(image, kind, amount), atol=1e-7)


@pytest.mark.parametrize(
    "kind, amount", [("rotation", 0), ("rotation", 360), ("vertical_translation", 0), ("scaling", 1)]
)
def test_no_transformation_is_the_identity(kind, amount):
    np.testing.assert_array_equal(transformation_matrix(kind, amount, SHAPE).toarray(), np.eye(77))


def test_a_quarter_turn_is_exact():
    square = np.arange(25.0).reshape(5, 5)
    found = transform(square.reshape(1, 25), "rotation", [90.0], (5, 5))[0, 0]
    np.testing.assert_array_equal(found.reshape(5, 5), np.rot90(square))


def test_the_background_fills_what_comes_from_beyond():
    image = np.full((1, 77), 2.0, np.float32)
    found = transform(image, "vertical_translation", [3.0], SHAPE, background=0.5)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.reshape(SHAPE)[:3], 0.5)
    np.testing.assert_array_equal(found.reshape(SHAPE)[3:], 2.0)


@pytest.mark.parametrize("kind, amount, message", [("shear", 1.0, "'shear'"), ("scaling", 0.0, "above 0")])
def test_unknown_transformations_are_refused(kind, amount, message):
    with pytest.raises(UserError, match=message):
        transformation_matrix(kind, amount, SHAPE)


# --- curves ---


def ring(radius=2.2, size=9):
    """A picture that rotation leaves alone, but for interpolation."""
    rows, columns = np.indices((size, size)) - (size - 1) / 2
    return np.exp(-((np.hypot(rows, columns) - radius) ** 2)).ravel()


def test_a_linear_unit_falls_with_the_square_of_the_distance_whatever_the_transformation(rng):
    """On the sphere around its own filter h = b + ‖w‖ρ (1 - ε²/2), along every path."""
    w, b = rng.normal(size=(5, 77)), rng.normal(size=5)
    units = np.array([3, 0, 4])
    optimum = 2 * w[units]
    amounts = np.linspace(-2, 2, 9)
    found = trace_transformation(Network([w], [b]), 1, units, optimum, "horizontal_translation", amounts, SHAPE)
    lengths = np.linalg.norm(w[units], axis=1)
    expected = b[units, None] + (2 * lengths**2)[:, None] * (1 - found.distances**2 / 2)
    np.testing.assert_allclose(found.activations, expected, rtol=1e-10)
    assert (found.distances[:, 4] == 0).all() and (found.distances[:, [0, 8]] > 0.5).all()


def test_a_round_picture_does_not_leave_its_place_when_it_is_turned():
    network = Network([ring()[None]], [np.zeros(1)])
    amounts = np.linspace(-180, 180, 25)
    turned = trace_transformation(network, 1, np.array([0]), ring()[None], "rotation", amounts, (9, 9))
    moved = trace_transformation(network, 1, np.array([0]), ring()[None], "vertical_translation", [-2.0, 0, 2], (9, 9))
    assert turned.distances.max() < 0.2 < 0.7 < moved.distances.max()


def test_the_highest_activation_at_a_distance_is_that_of_the_better_way():
    curves = TransformationCurves(
        units=np.array([0, 1]),
        amounts=np.array([-2.0, -1, 0, 1, 2]),
        distances=np.array([[1.0, 0.5, 0, 0.5, 1.5], [0.8, 0.8, 0, 0.4, 0.2]]),
        activations=np.array([[-4.0, 3, 5, 1, 0], [1.0, 2, 6, 4, 5]]),
    )
    found = at_distances(curves, [0.0, 0.25, 0.5, 1.0, 1.5, 1.6])
    np.testing.assert_allclose(found[0], [5, 4, 3, 0.5, 0, np.nan])
    np.testing.assert_allclose(found[1], [6, 4.75, 3.5, np.nan, np.nan, np.nan])


def test_a_picture_that_leaves_the_frame_is_refused():
    network = Network([ring()[None]], [np.zeros(1)])
    with pytest.raises(UserError, match="vertical_translation by 9"):
        trace_transformation(network, 1, np.array([0]), ring()[None], "vertical_translation", [0, 9], (9, 9))


# --- firing scores ---


def score(network, units, examples, references, kind="rotation", amounts=(-90.0, -40.0, 0.0, 40.0, 90.0), **options):
    return firing_scores(network, 1, units, examples, references, kind, amounts, (9, 9), **options)


def test_a_unit_that_sees_a_ring_is_invariant_to_rotation_and_one_that_sees_a_bar_is_not(rng):
    bar = np.zeros((9, 9))
    bar[4, 1:8] = 1
    weights = np.stack([bar.ravel(), ring()])
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    network, units = Network([weights], [np.zeros(2)]), np.array([1, 0])
    examples = rng.normal(size=(1000, 81))
    found = score(network, units, examples, 3 * weights[units][:, None], rate=0.05)
    np.testing.assert_allclose(found.global_rates, 0.05)
    np.testing.assert_allclose(found.local_rates, [1, 0.2])  # the bar fires for itself, unturned, alone
    np.testing.assert_allclose(found.scores, [20, 4])


def test_rates_agree_with_counting(rng):
    network, units = Network([rng.normal(size=(7, 81))], [rng.normal(size=7)]), np.array([5, 0, 2])
    examples, references = rng.normal(size=(301, 81)), rng.normal(size=(3, 4, 81))
    found = score(network, units, examples, references, "horizontal_translation", (-1.0, 0.0, 2.5), rate=0.1)
    for u, unit in enumerate(units):
        assert (network.activations(examples, 1)[:, unit] >= found.thresholds[u]).sum() == 30
        fires = []
        for reference in references[u]:
            for amount in (-1.0, 0.0, 2.5):
                moved = transformation_matrix("horizontal_translation", amount, (9, 9)) @ reference
                fires.append(network.activations(moved[None], 1)[0, unit] >= found.thresholds[u])
        np.testing.assert_allclose(found.local_rates[u], np.mean(fires))
    assert (found.local_rates > 0).any()


def test_a_unit_that_repeats_its_activation_fires_more_often_and_never_scores_infinity():
    network = Network([np.zeros((1, 81))], [np.zeros(1)])
    found = score(network, np.array([0]), np.ones((101, 81)), np.ones((1, 2, 81)))
    assert found.global_rates[0] == 1 and found.scores[0] == 1


@pytest.mark.parametrize("rate", [0.0001, 1.1])
def test_rates_that_cannot_be_had_are_refused(rng, rate):
    network, examples = Network([ring()[None]], [np.zeros(1)]), rng.normal(size=(101, 81))
    with pytest.raises(UserError, match="rate"):
        score(network, np.array([0]), examples, ring()[None, None], rate=rate)


def test_an_unknown_unit_is_refused(rng):
    with pytest.raises(UserError, match="unit 3"):
        unit_activations(Network([rng.normal(size=(3, 5))], [np.zeros(3)]), 1, np.array([3]), rng.normal(size=(2, 5)))


def test_activations_are_the_networks_own_in_the_order_of_the_units(rng, monkeypatch):
    monkeypatch.setattr("deepunits.invariance.transformations.BLOCK", 7)
    network, x = Network([rng.normal(size=(5, 11))], [rng.normal(size=5)]), rng.normal(size=(23, 11))
    units = np.array([4, 0, 2])
    np.testing.assert_allclose(unit_activations(network, 1, units, x), network.activations(x, 1)[:, units])


def test_the_strongest_examples_are_in_order():
    activations = np.array([[3.0, 0.0], [1.0, 5.0], [2.0, 7.0]])
    np.testing.assert_array_equal(strongest_examples(activations, 2), [[0, 2], [2, 1]])


def test_top_mean():
    scores = np.array([1.0, 9.0, 3.0, 5.0, 7.0])
    assert top_mean(scores, share=0.4) == 8
    assert top_mean(scores, share=0.01) == 9
    np.testing.assert_array_equal(top_mean(np.stack([scores, -scores]).T, share=0.4, axis=0), [8, -2])
