"""Hessians against central differences, curvatures against those of paths and of quadratic forms."""

import numpy as np
import pytest

from deepunits.errors import UserError
from deepunits.invariance.hessian import (
    curvatures_on_sphere,
    hessian,
    hessian_vector_product,
    principal_curvatures,
    variance_along,
    walk_along,
)
from deepunits.models.network import Network
from deepunits.visualize.activation_maximization import maximize_activation, to_norm

SIZES, NORM = (11, 7, 5, 3), 3.0


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    weights = [1.5 * rng.normal(size=(SIZES[k], SIZES[k - 1])) for k in (1, 2, 3)]
    return Network(weights, [rng.normal(size=size) for size in SIZES[1:]])


def unit_and_input(network, layer, seed=1):
    rng = np.random.default_rng(seed)
    return int(rng.integers(0, SIZES[layer])), to_norm(rng.normal(size=(1, SIZES[0])), NORM)[0]


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_products_are_central_differences_of_the_gradient(network, layer):
    rng = np.random.default_rng(2)
    units, x, vectors = rng.integers(0, SIZES[layer], 13), rng.normal(size=(13, 11)), rng.normal(size=(13, 11))
    step = 1e-5
    above = network.unit_gradient(x + step * vectors, layer, units)[1]
    below = network.unit_gradient(x - step * vectors, layer, units)[1]
    found = hessian_vector_product(network, layer, units, x, vectors)
    np.testing.assert_allclose(found, (above - below) / (2 * step), rtol=1e-6, atol=1e-8)


def test_hessian_of_a_second_layer_unit_in_closed_form(network):
    unit, x = unit_and_input(network, 2)
    w1, b1, w2 = network.weights[0], network.biases[0], network.weights[1][unit]
    s = 1 / (1 + np.exp(-(w1 @ x + b1)))
    expected = w1.T @ np.diag(w2 * s * (1 - s) * (1 - 2 * s)) @ w1
    np.testing.assert_allclose(hessian(network, 2, unit, x), expected, rtol=1e-10, atol=1e-12)


def test_hessian_is_symmetric(network):
    unit, x = unit_and_input(network, 3)
    found = hessian(network, 3, unit, x)
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    assert abs(found).max() > 0.1


@pytest.mark.parametrize("layer", [2, 3])
def test_curvatures_are_those_of_the_activation_along_great_circles(network, layer):
    unit, x = unit_and_input(network, layer)
    found = principal_curvatures(network, layer, unit, x)
    angle = 1e-3
    for curvature, w in zip(found.curvatures, found.directions, strict=True):
        circle = np.array([np.cos(t) * x + np.sin(t) * NORM * w for t in (-angle, 0, angle)])
        before, here, after = network.unit_activation(circle, layer, np.full(3, unit))
        np.testing.assert_allclose((before - 2 * here + after) / (NORM * angle) ** 2, curvature, rtol=1e-4, atol=1e-5)


def test_curvatures_of_a_quadratic_form_are_those_of_berkes_and_wiskott():
    rng = np.random.default_rng(4)
    h, f, x = rng.normal(size=(7, 7)), rng.normal(size=7), rng.normal(size=7)
    h += h.T
    found = curvatures_on_sphere(h, h @ x + f, x)
    for curvature, w in zip(found.curvatures, found.directions, strict=True):
        assert curvature == pytest.approx(w @ h @ w - (x @ h @ x + f @ x) / (x @ x))
    tangents = rng.normal(size=(1009, 7))
    tangents -= np.outer(tangents @ x / (x @ x), x)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    bends = np.einsum("nw,wv,nv->n", tangents, h, tangents) - (x @ h @ x + f @ x) / (x @ x)
    assert found.curvatures[-1] <= bends.min() and bends.max() <= found.curvatures[0]


def test_directions_are_orthogonal_and_the_flattest_comes_first(network):
    unit, x = unit_and_input(network, 3)
    found = principal_curvatures(network, 3, unit, x)
    frame = np.vstack([found.directions, x / NORM])
    np.testing.assert_allclose(frame @ frame.T, np.eye(11), atol=1e-12)
    assert (np.diff(found.curvatures) <= 0).all()


def test_linear_units_are_curved_alike_in_all_directions(network):
    w = network.weights[0][4]
    optimum = NORM * w / np.linalg.norm(w)
    found = principal_curvatures(network, 1, 4, optimum)
    np.testing.assert_allclose(found.curvatures, -np.linalg.norm(w) / NORM)  # only the sphere is curved


def test_at_a_maximum_no_curvature_is_positive(network):
    single = Network([w.astype(np.float32) for w in network.weights], [b.astype(np.float32) for b in network.biases])
    maxima = maximize_activation(
        single,
        3,
        np.arange(3),
        norm=NORM,
        restarts=3,
        learning_rate=0.05,
        threshold=1e-8,
        max_steps=5000,
        rng=np.random.default_rng(0),
    )
    for unit, optimum in enumerate(maxima.best):
        assert principal_curvatures(network, 3, unit, optimum.astype(float)).curvatures[0] < 1e-3


def test_walks_begin_as_their_curvature_says_and_end_opposite(network):
    unit, x = unit_and_input(network, 3)
    gradient = network.unit_gradient(x[None], 3, np.array([unit]))[1][0]
    flat = principal_curvatures(network, 3, unit, x)
    epsilons = np.array([0.0, 0.003, 1.0, 2.0])
    activations, inputs = walk_along(network, 3, unit, x, flat.directions, epsilons)
    assert activations.shape == (10, 4) and inputs.shape == (10, 4, 11)
    np.testing.assert_allclose(np.linalg.norm(inputs, axis=2), NORM, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(inputs - x, axis=2), np.broadcast_to(NORM * epsilons, (10, 4)), atol=1e-5)
    np.testing.assert_allclose(inputs[:, 3], np.tile(-x, (10, 1)), atol=1e-6)
    arc = 2 * NORM * np.arcsin(epsilons[1] / 2)
    slope = abs(flat.directions @ gradient)  # of the two ways the one that rises
    expected = activations[:, 0] + slope * arc + flat.curvatures * arc**2 / 2
    np.testing.assert_allclose(activations[:, 1], expected, atol=2e-5)
    mirrored = x - inputs[:, 2]  # the other point at ε = 1 on each great circle
    assert (network.unit_activation(mirrored, 3, np.full(10, unit)) <= activations[:, 2] + 1e-5).all()


def test_variance_along_directions_is_that_of_projected_data():
    rng = np.random.default_rng(3)
    data, directions = rng.normal(size=(501, 7)) @ rng.normal(size=(7, 7)), 5 * rng.normal(size=(3, 7))
    projected = (data @ directions.T / np.linalg.norm(directions, axis=1)).var(axis=0, ddof=1)
    expected = projected / data.var(axis=0, ddof=1).mean()
    np.testing.assert_allclose(variance_along(directions, np.cov(data.T)), expected)


def test_an_unknown_unit_is_refused(network):
    with pytest.raises(UserError, match="unit 5 was asked for"):
        hessian_vector_product(network, 2, np.array([5]), np.ones((1, 11)), np.ones((1, 11)))
