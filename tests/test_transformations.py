"""Transformations against SciPy's and known moves of pixels; firing rates and curves against units made to measure."""

import numpy as np
import pytest
from scipy import ndimage
from tolerances import assert_single

from deepunits.errors import UserError
from deepunits.invariance.firing import FiringInvariance, firing_invariance, mean_of_top
from deepunits.invariance.transformations import amounts, transform, transformation_matrices
from deepunits.invariance.transformed_optima import curves, highest_at, normalized_curves, transformed_optima
from deepunits.models.network import Network

SHAPE = (13, 11)
PIXELS = 13 * 11


def picture(seed=0, shape=SHAPE):
    """Draw a smooth picture that fades out before the frame."""
    image = np.zeros(shape)
    inner = np.random.default_rng(seed).normal(size=(shape[0] - 6, shape[1] - 6))
    image[3:-3, 3:-3] = inner
    return ndimage.gaussian_filter(image, 0.8)


def transformed(kind, amount, image, **kwargs):
    matrix = transformation_matrices(kind, [amount], image.shape, **kwargs)[0]
    return (matrix @ image.ravel()).reshape(image.shape)


# --- the matrices ---


@pytest.mark.parametrize("kind, none", [("rotation", 0), ("horizontal_translation", 0), ("scaling", 1)])
def test_the_amount_that_does_nothing_is_the_identity(kind, none):
    np.testing.assert_allclose(transformation_matrices(kind, [none], SHAPE)[0], np.eye(PIXELS), atol=1e-6)


def test_whole_pixels_are_moved_to_the_right_and_down():
    image = picture()
    right, down = transformed("horizontal_translation", 2, image), transformed("vertical_translation", -3, image)
    np.testing.assert_allclose(right[:, 2:], image[:, :-2], atol=1e-6)
    np.testing.assert_allclose(right[:, :2], 0, atol=1e-6)
    np.testing.assert_allclose(down[:-3], image[3:], atol=1e-6)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_counter_clockwise(quarters):
    image = picture(shape=(11, 11))
    np.testing.assert_allclose(transformed("rotation", 90 * quarters, image), np.rot90(image, quarters), atol=1e-6)


@pytest.mark.parametrize("angle", [-35.0, 12.5, 160.0])
def test_any_angle_as_scipy_rotates(angle):
    image = picture()
    expected = ndimage.rotate(image, angle, reshape=False, order=3, mode="grid-constant")
    np.testing.assert_allclose(transformed("rotation", angle, image), expected, atol=1e-6)


@pytest.mark.parametrize("factor", [0.5, 1.7])
def test_scaling_multiplies_the_width_of_a_blob(factor):
    y, x = np.mgrid[-20:21, -20:21]
    blob = np.exp(-(x**2 + y**2) / (2 * 3.0**2))
    expected = np.exp(-(x**2 + y**2) / (2 * (factor * 3.0) ** 2))
    np.testing.assert_allclose(transformed("scaling", factor, blob), expected, atol=0.01)


def test_beyond_the_frame_is_nothing_or_the_nearest_pixel():
    image = np.full(SHAPE, 7.0)
    assert transformed("horizontal_translation", 4, image)[5, 0] == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(transformed("horizontal_translation", 4, image, edge="nearest"), 7.0, rtol=1e-5)


MOVES = [("rotation", 30.0), ("horizontal_translation", 1.5), ("vertical_translation", -2.3), ("scaling", 1.3)]


@pytest.mark.parametrize("edge", ["grid-constant", "nearest"])
@pytest.mark.parametrize(("kind", "amount"), [*MOVES, ("scaling", 0.6)])
def test_a_matrix_is_the_transformation_and_colours_go_together(kind, amount, edge):
    images = np.random.default_rng(0).normal(size=(2, 7, 5, 3)).astype(np.float32)
    [matrix] = transformation_matrices(kind, [amount], (7, 5, 3), edge=edge)
    moved = (images.reshape(2, -1) @ matrix.T).reshape(images.shape)
    for colour in range(3):
        assert_single(moved[..., colour], transform(images[..., colour], kind, amount, edge=edge))


@pytest.mark.parametrize(("kind", "amount"), [*MOVES, ("horizontal_translation", 2.0), ("vertical_translation", -6.0)])
def test_what_a_spline_spreads_over_the_frame_ends_before_subnormal_numbers(kind, amount):
    [matrix] = transformation_matrices(kind, [amount], (28, 28))
    faintest = abs(matrix[matrix != 0]).min() / 255  # a pixel of a byte, moved
    assert faintest > 1e9 * np.finfo(np.float32).tiny


def test_unknown_kinds_and_impossible_factors_are_refused():
    with pytest.raises(UserError, match="'shear' is no kind of transformation; choose among rotation"):
        transformation_matrices("shear", [1], SHAPE)
    with pytest.raises(UserError, match="scaling by 0"):
        transformation_matrices("scaling", [1.0, 0.0], SHAPE)


def test_amounts_go_both_ways_and_do_nothing_in_between():
    np.testing.assert_allclose(amounts("rotation", 90, 2), [-90, -45, 0, 45, 90])
    np.testing.assert_allclose(amounts("scaling", 4, 2), [1 / 4, 1 / 2, 1, 2, 4])
    assert amounts("scaling", 1.3, 5)[5] == 1 and amounts("vertical_translation", 2.2, 3)[3] == 0


# --- firing ---


def cyclic_shifts(pixels):
    """Return all cyclic shifts of a row of pixels as matrices."""
    return np.array([np.roll(np.eye(pixels), k, axis=0) for k in range(pixels)], np.float32)


def test_scores_of_an_invariant_a_selective_and_a_contrary_unit():
    rng = np.random.default_rng(0)
    examples = rng.exponential(size=(3001, 7)).astype(np.float32)
    weights = np.zeros((3, 7), np.float32)
    weights[0] = 1.0  # the sum of all pixels: no shift changes it
    weights[1, 4] = 1.0  # a single pixel: no shift but the first keeps it
    weights[2] = -1.0  # the opposite of the first: fires at low activations
    found = firing_invariance(Network([weights], [np.ones(3, np.float32)]), 1, [2, 0, 1], examples, cyclic_shifts(7))
    np.testing.assert_allclose(found.global_rates, 30 / 3001)
    np.testing.assert_allclose(found.local_rates[:2], 1.0)
    np.testing.assert_allclose(found.scores[:2], 3001 / 30)
    assert 1 / 7 <= found.local_rates[2] < 1 / 7 + 0.1  # by chance another pixel exceeds the threshold too


def test_a_unit_may_fire_at_low_activations():
    rng = np.random.default_rng(1)
    examples = rng.normal(size=(1009, 5)).astype(np.float32)
    examples[:11] = -20 - np.arange(11)[:, None]  # inputs that no shift changes, at the low end only
    network = Network([np.array([[1.0, 0, 0, 0, 0]], np.float32)], [np.zeros(1, np.float32)])
    found = firing_invariance(network, 1, [0], examples, cyclic_shifts(5), strongest=7)
    assert found.signs == [-1] and found.local_rates == [1.0]
    high = firing_invariance(network, 1, [0], examples, cyclic_shifts(5), strongest=7, signs=(1,))
    assert high.signs == [1] and high.local_rates < 0.5


def test_a_dead_unit_is_no_more_invariant_than_chance():
    network = Network([np.zeros((1, 5), np.float32)], [np.ones(1, np.float32)])
    examples = np.random.default_rng(0).normal(size=(211, 5)).astype(np.float32)
    assert firing_invariance(network, 1, [0], examples, cyclic_shifts(5), strongest=2).scores == [1.0]


def test_mean_score_of_the_top_share():
    scores = np.array([3.0, 1.0, 10.0, 4.0, 2.0])
    found = FiringInvariance(np.arange(5), scores, scores, scores, scores)
    assert found.top(0.4) == 7.0
    assert found.top(0.01) == 10.0
    assert found.top(1.0) == 4.0


def test_mean_of_top_of_each_resample():
    scores = np.random.default_rng(0).normal(size=(7, 11, 3))
    expected = np.sort(scores, axis=1)[:, -4:].mean(axis=1)
    np.testing.assert_allclose(mean_of_top(scores, 0.4, axis=1), expected)


def test_too_few_examples_are_refused():
    network = Network([np.ones((1, 5), np.float32)], [np.zeros(1, np.float32)])
    with pytest.raises(UserError, match="fire at 3 of 301 examples, and the 20 strongest"):
        firing_invariance(network, 1, [0], np.ones((301, 5), np.float32), cyclic_shifts(5))


def test_the_share_that_fires_is_a_whole_number_of_examples():
    network = Network([np.eye(1, 5, dtype=np.float32)], [np.zeros(1, np.float32)])
    examples = np.random.default_rng(0).normal(size=(100, 5)).astype(np.float32)
    found = firing_invariance(network, 1, [0], examples, cyclic_shifts(5), global_rate=0.29, strongest=29)
    assert found.global_rates == [0.29]


def test_no_units_have_no_scores_and_no_curves():
    network, examples = Network([np.ones((3, 5), np.float32)], [np.zeros(3, np.float32)]), np.ones((301, 5), np.float32)
    found = firing_invariance(network, 1, np.arange(0), examples, cyclic_shifts(5), strongest=1)
    assert found.scores.shape == found.local_rates.shape == (0,)
    none = np.empty((0, 5), np.float32)
    distances, activations = transformed_optima(network, 1, np.arange(0), none, cyclic_shifts(5), norm=1.0)
    assert distances.shape == activations.shape == (0, 5)


def test_an_unknown_unit_is_refused():
    network = Network([np.ones((3, 5), np.float32)], [np.zeros(3, np.float32)])
    with pytest.raises(UserError, match="unit 3 was asked for"):
        firing_invariance(network, 1, [0, 3], np.ones((301, 5), np.float32), cyclic_shifts(5), strongest=1)


# --- transformed optima ---


def test_rotation_of_a_linear_units_optimum():
    weights = np.stack([picture(seed, (13, 13)).ravel() for seed in (1, 2, 3)]).astype(np.float32)
    network, norm = Network([weights], [np.full(3, 0.5, np.float32)]), 3.0
    units = np.array([2, 0])
    optimum = norm * weights[units] / np.linalg.norm(weights[units], axis=1, keepdims=True)
    angles = np.linspace(-180, 180, 25)
    distances, activations = transformed_optima(
        network, 1, units, optimum, transformation_matrices("rotation", angles, (13, 13)), norm=norm
    )
    # the activation of a linear unit is a function of the distance alone, whatever the transformation
    slope = norm * np.linalg.norm(weights[units], axis=1)[:, None]
    np.testing.assert_allclose(activations, 0.5 + slope * (1 - distances**2 / 2), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(distances[:, 12], 0, atol=1e-5)
    np.testing.assert_allclose(distances[:, 0], distances[:, -1], atol=1e-5)  # half a turn either way
    assert (distances[:, [0, 6, 18]] > 0.5).all()


def test_an_optimum_that_leaves_the_frame_is_refused():
    network = Network([np.ones((1, PIXELS), np.float32)], [np.zeros(1, np.float32)])
    optimum, away = np.ones((1, PIXELS), np.float32), np.zeros((1, PIXELS, PIXELS), np.float32)
    with pytest.raises(UserError, match="leaves nothing of an optimum in the frame"):
        transformed_optima(network, 1, np.array([0]), optimum, away, norm=np.sqrt(PIXELS))


def test_paths_that_miss_the_optimum_are_refused():
    network = Network([picture().reshape(1, -1).astype(np.float32)], [np.zeros(1, np.float32)])
    optimum = network.weights[0] / np.linalg.norm(network.weights[0])
    turns = transformation_matrices("rotation", [-20, 20], SHAPE)
    with pytest.raises(UserError, match="add the amount 0"):
        transformed_optima(network, 1, np.array([0]), optimum, turns, norm=1.0)


def test_curves_take_the_higher_of_both_ways_and_stop_where_no_way_goes_on():
    distances = np.array([[0.8, 0.4, 1e-7, 0.5, 1.0]])
    activations = np.array([[2.0, 6.0, 9.0, 5.0, 1.0]])
    found = highest_at(distances, activations, np.array([0.0, 0.2, 0.4, 0.6, 0.9, 1.0, 1.1]))
    np.testing.assert_allclose(found, [[9.0, 7.5, 6.0, 4.2, 1.8, 1.0, np.nan]], rtol=1e-5)


def test_curves_that_turn_back_meet_a_distance_more_than_once():
    found = highest_at(np.array([[0.0, 1.0, 1.0, 0.5]]), np.array([[5.0, 0.0, 2.0, 4.0]]), np.array([0.75, 1.0]))
    np.testing.assert_allclose(found, [[3.0, 2.0]])


def test_curves_of_linear_units_are_exact_between_few_amounts():
    """Rotated optima of linear units: between two angles too the activation is 1 - ε²/4 of its range."""
    weights = np.stack([picture(seed, (13, 13)).ravel() for seed in (1, 2, 3)]).astype(np.float32)
    network, norm, units = Network([weights], [np.full(3, 0.5, np.float32)]), 3.0, np.arange(3)
    optimum = norm * weights / np.linalg.norm(weights, axis=1, keepdims=True)
    moved = [
        transformed_optima(network, 1, units, optimum, transformation_matrices(kind, values, (13, 13)), norm=norm)
        for kind, values in (("rotation", [-60, 0, 60]), ("scaling", [0.8, 1, 1.25]))
    ]
    measured = {
        "distances": np.array([distances for distances, _ in moved]),
        "activations": np.array([activations for _, activations in moved]),
        "highest": network.unit_activation(optimum, 1, units),
        "opposite": network.unit_activation(-optimum, 1, units),
    }
    epsilons = np.array([0.0, 0.11, 0.37, 1.99])
    found = normalized_curves(measured, epsilons)
    assert found.shape == (2, 3, 4) and np.isnan(found[:, :, 3]).all()
    np.testing.assert_allclose(found[:, :, :3], np.broadcast_to(1 - epsilons[:3] ** 2 / 4, (2, 3, 3)), atol=1e-4)
    slopes = norm * np.linalg.norm(weights, axis=1)[:, None]
    np.testing.assert_allclose(
        curves(measured, epsilons)[0, :, :3], 0.5 + slopes * (1 - epsilons[:3] ** 2 / 2), rtol=1e-3
    )
