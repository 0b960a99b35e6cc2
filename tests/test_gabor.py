"""Gabor fits: functions that are Gabors are recovered, those that are not get no credit."""

import numpy as np
import pytest

from deepunits.errors import UserError
from deepunits.gabor import LEAST_WIDTH, fit_gabors, gabor_pairs, pixel_grid

SIDE = 13
GRID = pixel_grid(SIDE**2)


def parameters(count, seed=0):
    """Return centres, waves and widths of Gabors that lie well inside the image."""
    rng = np.random.default_rng(seed)
    frequency, angle = rng.uniform(0.08, 0.35, count), rng.uniform(0, 2 * np.pi, count)
    centre, widths = rng.uniform(3, SIDE - 4, (count, 2)), rng.uniform(1.2, 3, (count, 2))
    return np.column_stack([centre, frequency * np.cos(angle), frequency * np.sin(angle), widths])


def gabor(centre, wave, widths, amplitude, phase):
    """Return a Gabor function (side, side), written out for one pixel at a time."""
    image = np.empty((SIDE, SIDE))
    direction = np.array(wave) / np.hypot(*wave)
    for y in range(SIDE):
        for x in range(SIDE):
            dy, dx = y - centre[0], x - centre[1]
            along = direction[0] * dy + direction[1] * dx
            across = np.sqrt(max(dy**2 + dx**2 - along**2, 0))
            envelope = np.exp(-(along**2) / (2 * widths[0] ** 2) - across**2 / (2 * widths[1] ** 2))
            image[y, x] = amplitude * envelope * np.cos(2 * np.pi * (wave[0] * dy + wave[1] * dx) + phase)
    return image


def filters_of(values, seed=1):
    rng = np.random.default_rng(seed)
    images = [gabor(v[:2], v[2:4], v[4:], rng.uniform(0.1, 5), rng.uniform(0, 2 * np.pi)) for v in values]
    return np.array(images).reshape(len(values), -1)


def test_the_pair_is_the_function_written_out():
    values = parameters(3)
    pairs = gabor_pairs(values, GRID)
    for v, pair in zip(values, pairs, strict=True):
        np.testing.assert_allclose(pair[:, 0], gabor(v[:2], v[2:4], v[4:], 1, 0).ravel(), atol=1e-12)
        np.testing.assert_allclose(pair[:, 1], gabor(v[:2], v[2:4], v[4:], 1, -np.pi / 2).ravel(), atol=1e-12)


def test_gabors_are_recovered_whatever_their_size_and_offset():
    values = parameters(60)
    fit = fit_gabors(filters_of(values) + 0.7)
    assert (fit.r_squared > 0.98).all()
    exact = fit.r_squared > 1 - 1e-6
    assert exact.mean() > 0.9
    np.testing.assert_allclose(np.hypot(*fit.wave[exact].T), np.hypot(*values[exact, 2:4].T), rtol=0.02)
    np.testing.assert_allclose(fit.centre[exact], values[exact, :2], atol=0.1)
    np.testing.assert_allclose(fit.widths[exact], values[exact, 4:], rtol=0.05)


def test_what_is_fitted_and_what_is_left_make_the_filter():
    """R² is the share of the variance, and the fit is no worse than the function it was made of."""
    values, rng = parameters(20), np.random.default_rng(2)
    clean = filters_of(values)
    noise = 0.3 * clean.std(axis=1, keepdims=True) * rng.standard_normal(clean.shape)
    fit = fit_gabors(clean + noise)
    centred = clean + noise - (clean + noise).mean(axis=1, keepdims=True)
    left = ((centred - fit.fitted) ** 2).sum(axis=1) / (centred**2).sum(axis=1)
    np.testing.assert_allclose(fit.r_squared, 1 - left, atol=1e-10)
    by_the_truth = 1 - (noise - noise.mean(axis=1, keepdims=True)).var(axis=1) / centred.var(axis=1)
    assert (fit.r_squared > by_the_truth - 0.02).all()


def test_noise_and_single_pixels_are_no_gabors():
    rng = np.random.default_rng(3)
    assert fit_gabors(rng.standard_normal((40, SIDE**2))).r_squared.max() < 0.4
    dots = np.eye(SIDE**2)[[40, 84, 100]]
    fit = fit_gabors(dots)
    assert fit.r_squared.max() < 0.7
    assert fit.widths.min() >= LEAST_WIDTH


def test_size_and_sign_do_not_matter():
    filters = np.random.default_rng(4).standard_normal((5, SIDE**2))
    np.testing.assert_allclose(fit_gabors(-1e-3 * filters).r_squared, fit_gabors(filters).r_squared, atol=1e-6)


def test_a_constant_filter_is_refused():
    filters = np.random.default_rng(5).standard_normal((3, 49))
    filters[1] = 0.25
    with pytest.raises(UserError, match="filter 1 is constant"):
        fit_gabors(filters)
