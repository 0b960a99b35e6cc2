"""Measures of invariance against curves whose areas, slopes and intervals are known."""

import numpy as np
import pytest
from scipy import ndimage, stats

from deepunits.errors import UserError
from deepunits.invariance.measures import (
    area_under_curve,
    departures,
    difference_of_means,
    explained_by_rotation,
    layer_invariance,
    log_sigmoid,
    mean_over_units,
    normalized,
    slope,
)

EPSILONS = np.linspace(0, 2, 201)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_log_sigmoid_is_stable_at_both_ends():
    h = np.array([-1e4, -100, -3, 0, 3, 100], dtype=np.float32)
    near = np.log(1 / (1 + np.exp(-np.array([-3.0, 0, 3]))))
    np.testing.assert_allclose(log_sigmoid(h), [-1e4, -100, *near, -np.exp(-100)], rtol=1e-12)


def test_areas_and_slopes_of_known_curves():
    curves = np.stack([1 - EPSILONS**2 / 4, 3 - 5 * EPSILONS, np.full(201, 7.0)])
    np.testing.assert_allclose(area_under_curve(EPSILONS, curves), [4 / 3, -4, 14], rtol=1e-4)
    # The least-squares line through a parabola over an interval has the slope of its chord
    np.testing.assert_allclose(slope(EPSILONS, curves), [-0.5, -5, 0], atol=1e-12)


def test_uneven_distances_weigh_as_they_should():
    epsilons = np.array([0, 0.1, 0.5, 2])
    np.testing.assert_allclose(area_under_curve(epsilons, 3 - 5 * epsilons), -4)
    values = np.array([1.0, 3, -2, 0])
    np.testing.assert_allclose(slope(epsilons, values), stats.linregress(epsilons, values).slope)


def test_normalized_curves_forget_scale_and_offset():
    falls = np.array([[9.0], [0.1], [40.0]]) * (1 - EPSILONS**2 / 2) + np.array([[-5.0], [3.0], [0.0]])
    np.testing.assert_allclose(normalized(falls), np.tile(1 - EPSILONS**2 / 4, (3, 1)), atol=1e-12)


def test_dead_units_have_no_normalized_curve():
    found = normalized(np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    assert np.isnan(found[:2]).all()
    np.testing.assert_allclose(found[2], [1, 0.5, 0])


def test_layer_invariance_takes_the_highest_trial_at_each_distance():
    linear = 30 * (1 - EPSILONS**2 / 2)
    bump = np.where(abs(EPSILONS - 1) < 0.3, 5.0, -50.0)
    found = layer_invariance(EPSILONS, np.stack([[linear, bump], [linear, linear]]))
    higher = np.where(abs(EPSILONS - 1) < 0.3, np.maximum(linear, 5), np.maximum(linear, -50))
    expected = np.array([higher, linear])
    np.testing.assert_allclose(found.area, area_under_curve(EPSILONS, log_sigmoid(expected)))
    np.testing.assert_allclose(found.slope, slope(EPSILONS, log_sigmoid(expected)))
    np.testing.assert_allclose(found.normalized_area[1], 4 / 3, rtol=1e-4)
    assert found.area.shape == (2,)


def test_curves_that_stop_short_are_not_compared():
    with pytest.raises(UserError, match="from 0 to 2"):
        layer_invariance(np.array([0, 1.9]), np.ones((3, 1, 2)))


def test_intervals_of_a_mean_are_those_of_the_normal_law_for_many_units(rng):
    values = rng.normal(size=(1501, 3)) * [1, 5, 0.1] + [0, 2, -1]
    found = mean_over_units(values, seed=3)
    np.testing.assert_allclose(found.value, values.mean(axis=0))
    half = 1.96 * values.std(axis=0) / np.sqrt(1501)
    np.testing.assert_allclose(found.value - found.low, half, rtol=0.1)
    np.testing.assert_allclose(found.high - found.value, half, rtol=0.1)


def test_intervals_agree_with_scipys_bootstrap(rng):
    values = rng.exponential(size=37)
    found = mean_over_units(values, seed=3)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20000, rng=rng).confidence_interval
    np.testing.assert_allclose([found.low, found.high], theirs, rtol=0.04)


def test_the_difference_of_two_layers_has_the_interval_of_both(rng):
    a, b = rng.normal(size=901), 3 + 2 * rng.normal(size=1201)
    found = difference_of_means(a, b, seed=3)
    np.testing.assert_allclose(found.value, b.mean() - a.mean())
    half = 1.96 * np.hypot(a.std() / np.sqrt(901), b.std() / np.sqrt(1201))
    np.testing.assert_allclose([found.value - found.low, found.high - found.value], half, rtol=0.1)


def test_a_layer_beside_itself_differs_by_nothing(rng):
    values = rng.normal(size=(301, 2))
    found = difference_of_means(values, values, seed=3)
    np.testing.assert_allclose(found.value, 0, atol=1e-12)
    assert (found.low < 0).all() and (found.high > 0).all()  # resampled apart, not in step


def test_the_same_seed_gives_the_same_interval(rng):
    values = rng.normal(size=11)
    assert mean_over_units(values, seed=3) == mean_over_units(values, seed=3)
    assert mean_over_units(values, seed=3).low != mean_over_units(values, seed=4).low


def test_units_without_a_curve_are_left_out(rng):
    values = rng.normal(size=(11, 3))
    with_dead = np.insert(values, 4, np.nan, axis=0)
    np.testing.assert_allclose(mean_over_units(with_dead, seed=1).value, values.mean(axis=0))
    np.testing.assert_allclose(difference_of_means(with_dead, values, seed=1).value, 0, atol=1e-12)
    with pytest.raises(UserError, match="dead"):
        mean_over_units(np.full((3, 2), np.nan), seed=1)


def test_departures_are_orthogonal_and_keep_the_rest(rng):
    inputs, optimum = rng.normal(size=(3, 5, 7)), rng.normal(size=7)
    found = departures(inputs, optimum)
    np.testing.assert_allclose(found @ optimum, 0, atol=1e-12)
    rest = inputs - found
    np.testing.assert_allclose(rest, (rest @ optimum)[..., None] / (optimum @ optimum) * optimum, atol=1e-12)


# --- rotation ---


def picture(rng, size=15):
    rows, columns = np.indices((size, size)) - (size - 1) / 2
    noise = ndimage.gaussian_filter(rng.normal(size=(size, size)), 1.5)
    return noise * (np.hypot(rows, columns) < size / 2 - 1.5)


def test_rotated_frames_are_explained_by_their_angles(rng):
    angles = np.array([[0, 20, -44, 170], [0, -10, 90, -120]])
    firsts = [picture(rng), picture(rng)]
    frames = np.array(
        [
            [ndimage.rotate(first, a, reshape=False, order=1).ravel() for a in row]
            for first, row in zip(firsts, angles, strict=True)
        ]
    )
    found = explained_by_rotation(frames, (15, 15))
    np.testing.assert_array_equal(found.angles, angles)
    np.testing.assert_allclose(found.correlations, 1, atol=0.01)
    np.testing.assert_allclose(found.unrotated[:, 0], 1)
    assert (found.unrotated[:, 1:] < 0.95).all()


def test_correlation_is_that_of_numpy_over_the_disc(rng):
    frames = rng.normal(size=(1, 2, 35))
    found = explained_by_rotation(frames, (5, 7), step=90)
    rows, columns = np.indices((5, 7)) - np.array([[[2]], [[3]]])
    disc = (rows**2 + columns**2 <= 4).ravel()
    np.testing.assert_allclose(found.unrotated[0, 1], np.corrcoef(frames[0][:, disc])[0, 1])


def test_noise_is_not_explained_by_rotation(rng):
    frames = np.stack([[picture(rng).ravel(), rng.normal(size=225)] for _ in range(5)])
    assert explained_by_rotation(frames, (15, 15)).correlations[:, 1].max() < 0.5
