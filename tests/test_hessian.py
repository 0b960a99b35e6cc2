"""Hessians and curvatures against central differences and the closed forms of quadratic functions."""

import numpy as np
import pytest

from deepunits.errors import UserError
from deepunits.invariance.hessian import (
    curvatures_on_sphere,
    hessian,
    hessian_vector_product,
    move_along,
    principal_invariances,
    tangent_basis,
    variance_along,
)
from deepunits.models.network import Network

SIZES, NORM = (11, 7, 5, 3), 2.5


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def network(rng):
    shapes = list(zip(SIZES[1:], SIZES[:-1], strict=True))
    return Network([rng.normal(size=s) for s in shapes], [rng.normal(size=s[0]) for s in shapes])


@pytest.fixture
def quadratic(rng):
    """H, f and a point x of x'Hx/2 + f'x."""
    h = rng.normal(size=(11, 11))
    return h + h.T, rng.normal(size=11), on_sphere(rng.normal(size=11))


def on_sphere(x):
    return NORM * x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_products_agree_with_central_differences_of_the_gradient(network, rng, layer):
    units = np.array([2, 0, 1, 2])
    x, v = rng.normal(size=(4, 11)), rng.normal(size=(4, 5, 11))
    found = hessian_vector_product(network, x, layer, units, v)
    assert found.shape == v.shape
    for k in range(5):
        ahead, behind = (network.unit_gradient(x + s * 1e-5 * v[:, k], layer, units)[1] for s in (1, -1))
        np.testing.assert_allclose(found[:, k], (ahead - behind) / 2e-5, atol=1e-8)
    assert (abs(found).max() > 0.01) == (layer > 1)


def test_hessian_of_a_second_layer_unit_is_known_in_closed_form(network, rng):
    x, units = rng.normal(size=(3, 11)), np.array([4, 1, 0])
    found = hessian(network, x, 2, units)
    h = network.outputs_below(x, 2)[1]
    bend = network.weights[1][units] * h * (1 - h) * (1 - 2 * h)
    expected = np.einsum("ki,nk,kj->nij", network.weights[0], bend, network.weights[0])
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_single_precision_stays_single_and_close(network, rng):
    single = Network([w.astype("f4") for w in network.weights], [b.astype("f4") for b in network.biases])
    x, units = rng.normal(size=(3, 11)), np.array([2, 0, 1])
    found = hessian(single, x.astype("f4"), 3, units)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, hessian(network, x, 3, units), atol=1e-4)


def test_the_tangent_basis_is_orthonormal_and_orthogonal_to_the_point(rng):
    for x in (rng.normal(size=11), np.eye(11)[0], -np.eye(11)[0], np.eye(11)[7]):
        basis = tangent_basis(x)
        np.testing.assert_allclose(basis.T @ basis, np.eye(10), atol=1e-12)
        np.testing.assert_allclose(x @ basis, 0, atol=1e-12)


def test_curvatures_of_a_quadratic_are_those_of_berkes_and_wiskott(quadratic):
    h, f, x = quadratic
    curvatures, directions, radial = curvatures_on_sphere(h, h @ x + f, x)
    assert curvatures.shape == (10,) and directions.shape == (10, 11)
    np.testing.assert_allclose(radial, -(x @ h @ x + f @ x) / NORM**2)
    closed = [w @ h @ w - (x @ h @ x + f @ x) / NORM**2 for w in directions]
    np.testing.assert_allclose(curvatures, closed, atol=1e-10)
    assert (np.diff(curvatures) <= 0).all()
    np.testing.assert_allclose(directions @ directions.T, np.eye(10), atol=1e-12)
    np.testing.assert_allclose(directions @ x, 0, atol=1e-12)
    # Berkes and Wiskott's own way to the same numbers: Gram-Schmidt from x, then the eigenvalues in that basis
    basis = np.linalg.qr(np.column_stack([x, np.eye(11)[:, :10]]))[0][:, 1:]
    expected = np.linalg.eigvalsh(basis.T @ h @ basis) - (x @ h @ x + f @ x) / NORM**2
    np.testing.assert_allclose(curvatures, expected[::-1], atol=1e-10)


def test_no_tangent_bends_less_than_the_first_direction_or_more_than_the_last(quadratic, rng):
    h, f, x = quadratic
    curvatures, _, radial = curvatures_on_sphere(h, h @ x + f, x)
    tangents = rng.normal(size=(1001, 10)) @ tangent_basis(x).T
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    found = np.einsum("ni,ij,nj->n", tangents, h, tangents) + radial
    assert curvatures[-1] <= found.min() and found.max() <= curvatures[0]


def test_curvature_is_the_second_derivative_along_the_great_circle(network, rng):
    units, x = np.array([2, 0]), on_sphere(rng.normal(size=(2, 11)))
    found = principal_invariances(network, 3, units, x, kept=7)
    assert found.directions.shape == (2, 7, 11) and found.curvatures.shape == (2, 10)
    directions = found.directions.astype(np.float64)
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    arc = 1e-3
    epsilon = 2 * np.sin(arc / NORM / 2)
    for k in range(7):
        ahead, behind = (move_along(x, s * directions[:, k], [epsilon])[:, 0] for s in (1, -1))
        here, ahead, behind = (network.unit_activation(p, 3, units) for p in (x, ahead, behind))
        np.testing.assert_allclose((ahead - 2 * here + behind) / arc**2, found.curvatures[:, k], atol=1e-4)


def test_each_unit_keeps_its_own_optimum(network, rng):
    units, x = np.array([4, 0, 2]), on_sphere(rng.normal(size=(3, 11)))
    together = principal_invariances(network, 2, units, x, kept=3)
    for u in range(3):
        alone = principal_invariances(network, 2, units[u : u + 1], x[u : u + 1], kept=3)
        np.testing.assert_allclose(together.curvatures[u], alone.curvatures[0])
        np.testing.assert_allclose(together.radial[u], alone.radial[0])


def test_a_pixel_that_nothing_sees_bends_as_the_sphere_does(rng):
    weights = [rng.normal(size=(7, 11)), rng.normal(size=(5, 7))]
    weights[0][:, 4] = 0
    network, x = Network(weights, [np.zeros(7), np.zeros(5)]), rng.normal(size=(1, 11))
    x[:, 4] = 0
    found = principal_invariances(network, 2, np.array([3]), x, kept=10)
    # The pixel shares its curvature with the other directions that no weight reaches: look at their span.
    same = np.isclose(found.curvatures[0], found.radial[0], atol=1e-6)
    np.testing.assert_allclose((found.directions[0][same, 4] ** 2).sum(), 1, atol=1e-6)


def test_moving_along_a_direction_stays_on_the_sphere_at_the_given_distances(rng):
    x = on_sphere(rng.normal(size=(3, 1, 11)))
    directions = np.stack([tangent_basis(row)[:, :5].T for row in x[:, 0]])
    epsilons = np.array([0.0, 0.3, 1.0, 1.7, 2.0])
    points = move_along(x, directions, epsilons)
    assert points.shape == (3, 5, 5, 11)
    np.testing.assert_allclose(np.linalg.norm(points, axis=-1), NORM)
    distances = np.linalg.norm(points - x[:, :, None], axis=-1)
    np.testing.assert_allclose(distances, np.broadcast_to(epsilons * NORM, (3, 5, 5)), atol=1e-12)
    ahead = np.einsum("uep,up->ue", points[:, 1], directions[:, 1])
    assert (ahead[:, 1:4] > 0).all()


def test_variance_along_is_one_on_average_and_the_eigenvalue_along_an_axis():
    covariance = np.diag([1.0, 2.0, 3.0, 5.0, 9.0])
    np.testing.assert_allclose(variance_along(np.eye(5), covariance), [0.25, 0.5, 0.75, 1.25, 2.25])
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    np.testing.assert_allclose(variance_along(basis.T[None], covariance).mean(), 1)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"layer": 4}, "layer 4"),
        ({"units": np.array([5])}, "unit 5"),
        ({"kept": 11}, "11 directions"),
        ({"kept": 0}, "0 directions"),
    ],
)
def test_what_does_not_exist_is_refused(network, rng, change, message):
    given = {"layer": 2, "units": np.array([0]), "optimum": rng.normal(size=(1, 11)), "kept": 3} | change
    with pytest.raises(UserError, match=message):
        principal_invariances(network, **given)


@pytest.mark.parametrize("epsilon", [-0.1, 2.1, np.nan])
def test_moving_farther_than_the_antipode_is_refused(rng, epsilon):
    with pytest.raises(UserError, match="outside"):
        move_along(rng.normal(size=(1, 11)), rng.normal(size=(1, 11)), [epsilon])


@pytest.mark.gpu
def test_devices_agree(network, rng):
    import cupy

    units, x = np.array([2, 0]), on_sphere(rng.normal(size=(2, 11)))
    host = principal_invariances(network, 3, units, x, kept=3)
    device = principal_invariances(network.to(cupy), 3, units, cupy.asarray(x), kept=3)
    np.testing.assert_allclose(device.curvatures, host.curvatures, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(abs((device.directions * host.directions).sum(axis=2)), 1, rtol=1e-4)
