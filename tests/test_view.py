"""Units whose truth is known: searches find optima, manifolds and curvatures that have a closed form."""

import numpy as np
import pytest
from scipy.optimize import brentq

from deepunits.errors import UserError
from deepunits.invariance.hessian import hessian, hessian_vector_product, principal_curvatures
from deepunits.invariance.manifold import trace_manifold
from deepunits.models.network import Network
from deepunits.models.view import QuadraticForms, View, energy_units
from deepunits.visualize.activation_maximization import maximize_activation

SIDE, NORM = 12, 3.0
PIXELS = SIDE**2
EPSILONS = np.linspace(0, 2, 21)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def gabor(angle, frequency, phase, width=2.0):
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    along = x * np.cos(angle) + y * np.sin(angle)
    return (np.exp(-(x**2 + y**2) / (2 * width**2)) * np.cos(2 * np.pi * frequency * along + phase)).ravel()


def quadrature_pairs(count):
    """Return pairs of Gabors in quadrature, orthogonal and of norm 1, (count, 2, P)."""
    pairs = []
    for n in range(count):
        even, odd = (gabor(n * np.pi / count, 0.2, phase) for phase in (0, np.pi / 2))
        odd -= (odd @ even) / (even @ even) * even
        pairs.append([even / np.linalg.norm(even), odd / np.linalg.norm(odd)])
    return np.array(pairs)


def maximize(network, rng, **options):
    settings = {"norm": NORM, "restarts": 4, "learning_rate": 0.1, "threshold": 1e-9, "max_steps": 20_000} | options
    return maximize_activation(network, 1, np.arange(network.units(1)), **settings, rng=rng)


def trace(network, optimum, rng, step, **options):
    settings = {"trials": 1, "perturbation": 0.05, "learning_rate": 0.1, "threshold": 1e-8, "max_steps": 3000}
    settings |= {"unwhitening": np.eye(PIXELS), "epsilons": EPSILONS} | options
    units = np.arange(len(optimum))
    return trace_manifold(network, 1, units, optimum, norm=NORM, step=step, rng=rng, shown=units, **settings)


@pytest.mark.parametrize("step", ["plain", "tangent"])
def test_the_manifold_of_a_complex_cell_is_its_phase(rng, step):
    pairs = quadrature_pairs(5)
    cells = energy_units(pairs)
    maxima = maximize(cells, rng)
    assert maxima.converged.all()
    np.testing.assert_allclose(maxima.activations, NORM**2, rtol=1e-5)
    phases = np.arctan2(*np.moveaxis(maxima.inputs @ pairs.swapaxes(1, 2), 2, 0)[::-1])
    assert (np.ptp(phases, axis=1) > 0.1).all()  # each start has a phase of its own

    found = trace(cells, maxima.best, rng, step, trials=3)  # one may start where the phase has no slope
    near, best = EPSILONS <= 1.9, found.activations.sum(axis=2).argmax(axis=1)
    kept = found.activations[np.arange(5), best]
    assert (kept[:, near] / kept[:, :1]).min() >= 0.999
    seen = np.einsum("uep,ukp->uek", found.inputs[np.arange(5), best], pairs)
    phase = np.arctan2(seen[..., 1], seen[..., 0])
    travelled = np.arccos(np.cos(phase - phase[:, :1]))[:, near]  # either way: both are as high
    np.testing.assert_allclose(
        travelled, np.broadcast_to(2 * np.arcsin(EPSILONS[near] / 2), travelled.shape), atol=0.05
    )


def test_whitened_steps_keep_less_of_a_complex_cell_and_the_ridge_gives_it_back(rng):
    cells, scales = energy_units(quadrature_pairs(3)), 1 / np.arange(1, PIXELS + 1)
    basis = np.linalg.qr(rng.normal(size=(PIXELS, PIXELS)))[0]
    best, kept = maximize(cells, rng).best, []
    for ridge in (0.01, 1.0, 100.0):
        variances = scales / scales.mean() + ridge
        unwhitening = basis * np.sqrt(variances / variances.max()) @ basis.T
        options = {"learning_rate": 0.3, "threshold": 1e-5, "epsilons": [0.0, 0.5, 1.0]}
        found = trace(cells, best, rng, "whitened", unwhitening=unwhitening.astype(np.float32), **options)
        kept.append((found.activations[:, 0, 2] / found.activations[:, 0, 0]).mean())
    assert kept[0] < kept[1] < kept[2] and kept[0] < 0.99 and kept[2] > 0.999


def test_the_curve_of_a_linear_unit_is_known(rng):
    linear = rng.normal(size=(7, PIXELS)).astype(np.float32)
    forms = QuadraticForms(np.zeros((7, PIXELS, PIXELS), np.float32), linear)
    maxima = maximize(forms, rng, restarts=1, learning_rate=10.0)
    expected = NORM * np.linalg.norm(linear, axis=1, keepdims=True)
    np.testing.assert_allclose(maxima.activations, expected, rtol=1e-4)
    curves = trace(forms, maxima.best, rng, "plain", learning_rate=1.0, threshold=0.0).activations[:, 0] / expected
    np.testing.assert_allclose(curves, np.broadcast_to(1 - EPSILONS**2 / 2, curves.shape), atol=1e-4)


def extremum(hessian, linear):
    """Return the highest value of a quadratic form on the sphere: with (λ - H) x = f the multiplier λ by bisection."""
    values, vectors = np.linalg.eigh(hessian.astype(np.float64))
    parts = vectors.T @ linear.astype(np.float64)

    def excess(multiplier):
        return np.linalg.norm(parts / (multiplier - values)) - NORM

    multiplier = brentq(excess, values[-1] + 1e-9, values[-1] + np.linalg.norm(parts) / NORM + 1, xtol=1e-12)
    x = vectors @ (parts / (multiplier - values))
    return x @ hessian @ x / 2 + linear @ x, x


def test_a_quadratic_form_has_its_extremum_and_curvatures(rng):
    symmetric = rng.normal(size=(3, PIXELS, PIXELS)) / 12
    hessians = (symmetric + symmetric.swapaxes(1, 2)).astype(np.float32)
    linear = rng.normal(size=(3, PIXELS)).astype(np.float32)
    forms = QuadraticForms(hessians, linear, np.array([1.0, -2.0, 0.5], np.float32))
    maxima = maximize(forms, rng)
    for unit in range(3):
        value, x = extremum(hessians[unit], linear[unit])
        assert maxima.activations[unit].max() == pytest.approx(value + forms.constants[unit], rel=1e-4)
        np.testing.assert_allclose(maxima.best[unit], x, atol=0.02 * NORM)
        np.testing.assert_allclose(hessian(forms, 1, unit, x.astype(np.float32)), hessians[unit], atol=1e-5)
        found = principal_curvatures(forms, 1, unit, x.astype(np.float32)).curvatures
        tangent = np.linalg.svd(np.eye(PIXELS) - np.outer(x, x) / NORM**2)[0][:, :-1]
        along = (x @ hessians[unit] @ x + linear[unit] @ x) / NORM**2
        expected = np.linalg.eigvalsh(tangent.T @ hessians[unit].astype(float) @ tangent)[::-1] - along
        np.testing.assert_allclose(found, expected, atol=1e-4)


class Elsewhere(View):
    """One of our own networks, as any other network is seen."""

    def __init__(self, network):
        super().__init__(network.pixels, network.depth)
        self.network, self.units, self.activations = network, network.units, network.activations

    def value_and_gradient(self, x, layer, units):
        return self.network.unit_gradient(x, layer, units)


@pytest.fixture
def network(rng):
    sizes = ((23, PIXELS), (19, 23), (11, 19))
    weights = [rng.normal(0, 3 / np.sqrt(n), size=(m, n)).astype(np.float32) for m, n in sizes]
    return Network(weights, [rng.normal(size=m).astype(np.float32) for m, _ in sizes])


def test_a_network_seen_from_elsewhere_gives_the_same(network):
    found = [
        maximize_activation(
            seen, 3, np.arange(11), norm=NORM, restarts=2, learning_rate=0.1, threshold=1e-8, max_steps=3000,
            rng=np.random.default_rng(1),
        )
        for seen in (network, Elsewhere(network))
    ]  # fmt: skip
    np.testing.assert_allclose(found[0].activations, found[1].activations, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found[0].inputs, found[1].inputs, atol=1e-3 * NORM)
    manifolds = [
        trace_manifold(
            seen, 3, np.arange(11), found[0].best, norm=NORM, epsilons=EPSILONS, trials=1, perturbation=0.05,
            unwhitening=np.eye(PIXELS), learning_rate=0.1, threshold=1e-7, max_steps=1000, rng=np.random.default_rng(2),
        )
        for seen in (network, Elsewhere(network))
    ]  # fmt: skip
    np.testing.assert_allclose(manifolds[0].activations, manifolds[1].activations, rtol=1e-3, atol=1e-3)


def test_differences_of_gradients_are_the_hessian(network, rng):
    x, vectors = (rng.normal(size=(6, PIXELS)).astype(np.float32) for _ in range(2))
    units = np.array([0, 3, 3, 10, 7, 1])
    one, other = (hessian_vector_product(seen, 3, units, x, vectors) for seen in (network, Elsewhere(network)))
    np.testing.assert_allclose(one, other, atol=0.01 * np.abs(one).max())


def test_what_does_not_fit_is_one_sentence(network):
    with pytest.raises(UserError, match=r"hessians have shape \(3, 4\); give \(units, pixels, pixels\)"):
        QuadraticForms(np.zeros((3, 4)))
    with pytest.raises(UserError, match=r"linear parts \(2, 4\)"):
        QuadraticForms(np.zeros((3, 4, 4)), np.zeros((2, 4)))
    with pytest.raises(UserError, match="layer 4 was asked for, but the network has layers 1 to 3"):
        Elsewhere(network).unit_gradient(np.zeros((1, PIXELS), np.float32), 4, np.array([0]))
    with pytest.raises(UserError, match="layer 3 has units 0 to 10; unit 11 was asked for"):
        Elsewhere(network).unit_activation(np.zeros((1, PIXELS), np.float32), 3, np.array([11]))
