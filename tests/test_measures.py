"""Measures of invariance against closed forms, exact sums and other implementations."""

import math

import numpy as np
import pytest
from scipy import ndimage, stats

from deepunits.errors import UserError
from deepunits.invariance.measures import (
    area,
    compare,
    departures,
    explained_by_rotation,
    log_sigmoid,
    mean_over_units,
    normalized,
    slope,
)


def test_log_sigmoid_is_exact_at_both_ends():
    np.testing.assert_allclose(log_sigmoid([0.0, 1.5, -3.0]), [math.log(1 / (1 + math.exp(-a))) for a in (0, 1.5, -3)])
    np.testing.assert_allclose(log_sigmoid(np.float32([-1e4, 800.0])), [-1e4, 0.0])
    assert log_sigmoid(40.0) == pytest.approx(-math.exp(-40), rel=1e-12)  # where log(sigmoid) in float64 gives 0
    assert log_sigmoid(np.float32([1.0])).dtype == np.float64


def test_normalized_curve_of_linear_units_has_no_bias_and_no_scale():
    epsilons = np.array([0.0, 0.3, 1.1, 2.0])
    scale, bias = np.array([[3.0], [0.2]]), np.array([[-7.0], [5.0]])
    curves = normalized(bias + scale * (1 - epsilons**2 / 2), epsilons)
    np.testing.assert_allclose(curves, np.tile(1 - epsilons**2 / 4, (2, 1)), atol=1e-12)


def test_area_under_the_normalized_linear_curve():
    epsilons = np.linspace(0, 2, 2001)
    assert area(1 - epsilons**2 / 4, epsilons) == pytest.approx(4 / 3, rel=1e-6)


def test_area_and_slope_of_uneven_grids():
    epsilons = np.array([0.0, 0.1, 0.7, 2.0])
    curves = np.array([[1.0, 3.0, 2.0, -5.0], [4.0, 4.0, 4.0, 4.0], [1.0, 0.9, 0.3, -1.0]])
    np.testing.assert_allclose(area(curves, epsilons), [0.2 + 1.5 - 1.95, 8.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(slope(curves, epsilons), [np.polyfit(epsilons, c, 1)[0] for c in curves], atol=1e-12)
    assert slope(curves, epsilons)[2] == pytest.approx(-1.0)


@pytest.mark.parametrize("ends", [(0.1, 2.0), (0.0, 1.9)])
def test_normalizing_needs_both_ends(ends):
    with pytest.raises(UserError, match="need 0 to 2"):
        normalized(np.ones((3, 2)), np.array(ends))


def test_a_dead_unit_cannot_be_normalized():
    with pytest.raises(UserError, match="dead"):
        normalized(np.array([[1.0, 0.0], [2.0, 2.0]]), np.array([0.0, 2.0]))


def test_interval_of_the_mean_of_many_units_is_the_normal_one():
    values = np.random.default_rng(0).gamma(2.0, size=(1009, 3)) * [1.0, 10.0, 0.1]
    mean, low, high = mean_over_units(values, seed=1)
    error = values.std(axis=0, ddof=1) / math.sqrt(1009)
    np.testing.assert_allclose(mean, values.mean(axis=0))
    np.testing.assert_allclose((mean - low) / error, 1.96, rtol=0.1)
    np.testing.assert_allclose((high - mean) / error, 1.96, rtol=0.1)


def test_the_points_of_a_curve_are_resampled_together():
    ramp = np.random.default_rng(0).normal(size=(53, 1)) * np.array([1.0, 2.0, 0.0])
    mean, low, high = mean_over_units(ramp, seed=3)
    np.testing.assert_allclose([2 * low[0], 2 * high[0]], [low[1], high[1]])
    assert low[2] == high[2] == mean[2] == 0


def test_intervals_cover_the_true_mean_as_often_as_they_say():
    rng = np.random.default_rng(5)
    covered = 0
    for seed in range(100):
        _, low, high = mean_over_units(rng.normal(3.0, 1.0, size=61), seed=seed)
        covered += low <= 3.0 <= high
    assert stats.binomtest(covered, 100, 0.94).pvalue > 1e-3


def test_seed_alone_decides_the_interval():
    values = np.random.default_rng(0).normal(size=31)
    assert mean_over_units(values, seed=1) == mean_over_units(values, seed=1)
    assert mean_over_units(values, seed=1) != mean_over_units(values, seed=2)


def test_comparison_of_layers():
    lower, upper = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 0.0, 5.0, 9.0])
    found = compare(lower, upper, seed=0)
    pairs = [(u > v) + 0.5 * (u == v) for u in upper for v in lower]
    assert found["superiority"] == pytest.approx(np.mean(pairs))
    assert found["difference"] == pytest.approx(2.0)
    assert found["low"] < 2.0 < found["high"]
    opposite = compare(upper, lower, seed=0)
    assert opposite["difference"] == pytest.approx(-2.0)
    assert opposite["superiority"] == pytest.approx(1 - found["superiority"])


def test_an_interval_of_the_difference_leaves_out_zero_where_the_layers_differ():
    rng = np.random.default_rng(2)
    found = compare(rng.normal(0, 1, 211), rng.normal(1, 1, 307), seed=0)
    error = math.sqrt(1 / 211 + 1 / 307)
    assert (found["high"] - found["low"]) / error == pytest.approx(2 * 1.96, rel=0.15)
    assert 0 < found["low"] < found["high"]


def test_departures_are_orthogonal_to_the_optimum_and_keep_the_rest():
    rng = np.random.default_rng(0)
    optimum, inputs = rng.normal(size=7), rng.normal(size=(5, 3, 7))
    found = departures(inputs, optimum)
    np.testing.assert_allclose(found @ optimum, 0, atol=1e-12)
    along = (inputs - found) / optimum
    np.testing.assert_allclose(along, np.broadcast_to(along[..., :1], along.shape))


def bar(angle, shape=(27, 23)):
    """Draw half a bar from the middle outwards, at `angle` degrees counter-clockwise from the right."""
    y, x = np.mgrid[: shape[0], : shape[1]] - np.array(shape)[:, None, None] // 2
    along = x * math.cos(math.radians(angle)) - y * math.sin(math.radians(angle))
    across = x * math.sin(math.radians(angle)) + y * math.cos(math.radians(angle))
    return ((along > 0) & (along < 9)) * np.exp(-(across**2) / 4)


def test_a_turned_picture_is_explained_by_its_angle():
    angles = [0, 10, 60, -90, 170]
    frames = np.array([bar(a).ravel() for a in angles])
    found, correlations, unrotated = explained_by_rotation(frames, (27, 23))
    np.testing.assert_allclose(found, angles, atol=2)
    assert (correlations > 0.9).all()
    assert unrotated[0] == pytest.approx(1) and unrotated[3] < 0.2
    y, x = np.mgrid[:27, :23] - np.array([[[13]], [[11]]])
    disc = (y**2 + x**2 <= 11**2).ravel()
    assert unrotated[2] == pytest.approx(np.corrcoef(frames[0, disc], frames[2, disc])[0, 1])


def test_noise_is_not_explained_by_rotation():
    rng = np.random.default_rng(0)
    frames = ndimage.gaussian_filter(rng.normal(size=(5, 27, 23)), (0, 1, 1)).reshape(5, -1)
    _, correlations, _ = explained_by_rotation(frames, (27, 23))
    assert correlations[0] == pytest.approx(1)
    assert (correlations[1:] < 0.6).all()
