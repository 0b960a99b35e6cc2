"""Manifold tracing against closed forms: linear units, quadratic forms, and Algorithm 1 run word for word."""

import numpy as np
import pytest
from scipy.optimize import brentq

from deepunits.errors import UserError
from deepunits.invariance import manifold
from deepunits.invariance.manifold import perturbed_starts, trace_manifold
from deepunits.invariance.projection import farthest, project
from deepunits.models.network import Network
from deepunits.visualize.activation_maximization import to_norm

PIXELS, NORM = 11, 3.0
EPSILONS = (0.0, 0.1, 0.4, 0.9, 1.3, 1.8, 2.0)


class Quadratic:
    """Units h(x) = x'Hx/2 + f'x + c, whose constrained maxima are known (Berkes and Wiskott, 2006).

    They see x through the responses of 13 filters, which determine it.
    """

    def __init__(self, units, rng):
        self.h = rng.normal(size=(units, PIXELS, PIXELS))
        self.h += self.h.transpose(0, 2, 1)
        self.f, self.c = rng.normal(size=(units, PIXELS)), rng.normal(size=units)
        self.weights = [rng.normal(size=(PIXELS + 2, PIXELS))]
        self.inverse = np.linalg.pinv(self.weights[0])

    def check_units(self, layer, units):
        assert layer == 1 and max(units) < len(self.f)

    def unit_gradient(self, x, layer, units):
        hx = np.einsum("nij,nj->ni", self.h[units], x)
        return (x * (0.5 * hx + self.f[units])).sum(axis=1) + self.c[units], hx + self.f[units]

    def unit_activation(self, x, layer, units):
        return self.unit_gradient(x, layer, units)[0]

    def responses(self, x):
        return x @ self.weights[0].T

    def unit_gradient_from(self, responses, layer, units):
        activation, gradient = self.unit_gradient(responses @ self.inverse.T, layer, units)
        return activation, gradient @ self.inverse

    def unit_activation_from(self, responses, layer, units):
        return self.unit_gradient_from(responses, layer, units)[0]


def highest_on_sphere(h, f, radius):
    """Return the x of norm `radius` that maximises x'hx/2 + f'x: the bisection of Berkes and Wiskott (2006)."""
    values, vectors = np.linalg.eigh(h)
    g = vectors.T @ f

    def excess(multiplier):
        return np.linalg.norm(g / (multiplier - values)) - radius

    top = values[-1]
    multiplier = brentq(excess, top + 1e-9, top + np.linalg.norm(f) / radius + 1e-9, xtol=1e-14)
    return vectors @ (g / (multiplier - values))


def highest_at_distance(h, f, optimum, epsilon):
    """Return the best point at distance εr from `optimum`: a quadratic form on a sphere of one dimension less."""
    centre = (1 - epsilon**2 / 2) * optimum
    radius = NORM * epsilon * np.sqrt(1 - epsilon**2 / 4)
    basis = np.linalg.svd(optimum[None])[2][1:]
    return centre + basis.T @ highest_on_sphere(basis @ h @ basis.T, basis @ (h @ centre + f), radius)


def root_covariance(rng, condition=30.0):
    vectors = np.linalg.qr(rng.normal(size=(PIXELS, PIXELS)))[0]
    return (vectors * np.geomspace(1, condition, PIXELS) ** 0.5) @ vectors.T


def settings(**changed):
    rng = np.random.default_rng(3)
    return {
        "norm": NORM,
        "epsilons": EPSILONS,
        "trials": 3,
        "perturbation": 0.05,
        "unwhitening": root_covariance(rng),
        "learning_rate": 0.05,
        "threshold": 1e-13,
        "max_steps": 20000,
        "rng": rng,
    } | changed


@pytest.fixture
def quadratic():
    return Quadratic(5, np.random.default_rng(1))


@pytest.fixture
def optima(quadratic):
    return np.array([highest_on_sphere(h, f, NORM) for h, f in zip(quadratic.h, quadratic.f, strict=True)])


@pytest.fixture
def linear():
    rng = np.random.default_rng(2)
    return Network([rng.normal(size=(7, PIXELS))], [rng.normal(size=7)])


def sigmoid_network(dtype=np.float64):
    rng = np.random.default_rng(5)
    sizes = (PIXELS, 7, 5, 3)
    weights = [(1.5 * rng.normal(size=(sizes[k], sizes[k - 1]))).astype(dtype) for k in (1, 2, 3)]
    return Network(weights, [rng.normal(size=size).astype(dtype) for size in sizes[1:]])


# --- the projection ---


@pytest.mark.parametrize("epsilon", [0.01, 0.5, 1.0, 1.5, 1.99])
def test_projections_are_the_nearest_and_the_farthest_feasible_points(epsilon):
    rng = np.random.default_rng(0)
    optimum, x = to_norm(rng.normal(size=(1, PIXELS)), NORM), rng.normal(size=(1, PIXELS))
    nearest = project(x, optimum, epsilon)
    opposite = farthest(nearest, optimum, epsilon)
    u = rng.normal(size=(4001, PIXELS))  # feasible points made without the projection
    u -= np.outer(u @ optimum[0] / NORM**2, optimum)
    others = (1 - epsilon**2 / 2) * optimum + to_norm(u, NORM * np.sqrt(1 - (1 - epsilon**2 / 2) ** 2))
    distances = np.linalg.norm(others - x, axis=1)
    assert np.linalg.norm(nearest - x) <= distances.min()
    assert np.linalg.norm(opposite - x) >= distances.max()
    for point in (nearest, opposite):
        np.testing.assert_allclose(np.linalg.norm(point), NORM, rtol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(point - optimum), epsilon * NORM, rtol=1e-12)


def test_projection_of_a_point_nearly_along_the_optimum_is_feasible_in_single_precision():
    rng = np.random.default_rng(0)
    optimum = to_norm(rng.normal(size=(13, 701)).astype(np.float32), np.float32(NORM))
    x = 100 * optimum + rng.normal(size=optimum.shape).astype(np.float32) * np.float32(1e-2)
    for epsilon in (0.02, 1.0, 1.98):
        nearest = project(x, optimum, epsilon)
        for point in (nearest, farthest(nearest, optimum, epsilon)):
            assert point.dtype == np.float32
            np.testing.assert_allclose(np.linalg.norm(point, axis=1), NORM, rtol=1e-5)
            np.testing.assert_allclose(np.linalg.norm(point - optimum, axis=1), epsilon * NORM, rtol=1e-5)


# --- the starts ---


def test_starts_are_perturbed_along_the_covariance_of_the_data():
    rng = np.random.default_rng(4)
    root = root_covariance(rng)
    starts = perturbed_starts(
        np.ones((1, PIXELS)), trials=20011, perturbation=0.1, norm=NORM, unwhitening=root, rng=rng
    )[0]
    steps = starts - 1
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), 0.1 * NORM)
    variances, axes = np.linalg.eigh(root @ root)
    found = ((steps @ axes) ** 2).mean(axis=0)
    assert (np.diff(found) > 0).all()  # the more the data vary along an axis, the farther the starts are apart along it
    off_axis = (steps @ axes).T @ (steps @ axes) / len(steps) - np.diag(found)
    assert abs(off_axis).max() < 0.02 * found.max()


# --- closed forms ---


@pytest.mark.parametrize("step", ["plain", "whitened", "tangent"])
def test_linear_unit(linear, step):
    units = np.array([4, 0, 2])
    optimum = to_norm(linear.weights[0][units].copy(), NORM)
    found = trace_manifold(linear, 1, units, optimum, **settings(step=step))
    w, b = linear.weights[0][units], linear.biases[0][units]
    expected = b[:, None] + (w * optimum).sum(axis=1)[:, None] * (1 - found.epsilons**2 / 2)
    np.testing.assert_allclose(found.activations, np.repeat(expected[:, None], 3, axis=1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("step, learning_rate", [("plain", 0.05), ("tangent", 0.005)])
def test_quadratic_form_is_maximised_at_every_distance(quadratic, optima, step, learning_rate):
    units = np.arange(5)
    found = trace_manifold(quadratic, 1, units, optima, **settings(step=step, learning_rate=learning_rate))
    for u in units:
        for e, epsilon in enumerate(EPSILONS[1:-1], start=1):
            best = highest_at_distance(quadratic.h[u], quadratic.f[u], optima[u], epsilon)
            highest = quadratic.unit_activation(best[None], 1, np.array([u]))[0]
            np.testing.assert_allclose(found.activations[u, :, e].max(), highest, rtol=1e-4)
            assert (found.activations[u, :, e] <= highest + 1e-4 * abs(highest)).all()


def test_curvature_of_the_path_at_the_optimum(quadratic, optima):
    small = np.array([0.0, 0.01, 0.02, 0.03])
    found = trace_manifold(quadratic, 1, np.arange(5), optima, **settings(epsilons=small, step="plain", shown=range(5)))
    for u in range(5):
        h, f, x = quadratic.h[u], quadratic.f[u], optima[u]
        t = found.inputs[u, 0, 1].astype(float) - x
        t -= (t @ x) / NORM**2 * x
        w = t / np.linalg.norm(t)
        arc = 2 * NORM * np.arcsin(small / 2)  # length of the path along the sphere
        a = quadratic.unit_activation(found.inputs[u, 0].astype(float), 1, np.full(4, u))
        curvature = 2 * (a[1] - a[0]) / arc[1] ** 2
        np.testing.assert_allclose(curvature, w @ h @ w - (x @ h @ x + f @ x) / NORM**2, rtol=0.05)


def test_the_smallest_curvature_is_that_of_the_paths_begin(quadratic, optima):
    found = trace_manifold(quadratic, 1, np.arange(5), optima, **settings(epsilons=(0.0, 0.01), step="plain"))
    arc = 2 * NORM * np.arcsin(0.01 / 2)
    for u in range(5):
        h, f, x = quadratic.h[u], quadratic.f[u], optima[u]
        basis = np.linalg.svd(x[None])[2][1:]
        flattest = np.linalg.eigvalsh(basis @ h @ basis.T)[-1] - (x @ h @ x + f @ x) / NORM**2
        drop = quadratic.unit_activation(x[None], 1, np.array([u]))[0] + flattest * arc**2 / 2
        np.testing.assert_allclose(found.activations[u].max(axis=0)[1], drop, rtol=1e-5)


def test_the_whitened_search_converges_where_cg_has_no_way_to_go_and_g_has(quadratic, optima):
    kwargs = settings(epsilons=(0.4,), learning_rate=0.002, max_steps=300, shown=range(5))
    found = trace_manifold(quadratic, 1, np.arange(5), optima, **kwargs)
    x = found.inputs[:, 0, 0].astype(float)
    gradient = quadratic.unit_gradient(x, 1, np.arange(5))[1]
    ended = np.flatnonzero(found.converged[:, 0, 0])  # others change from one projection to the other for ever
    assert len(ended) > 0
    for u in ended:
        normals = np.linalg.qr(np.stack([optima[u], x[u]], axis=1))[0]  # of the two constraints
        share = [
            np.linalg.norm(v - normals @ (normals.T @ v)) / np.linalg.norm(v)
            for v in (kwargs["unwhitening"] @ kwargs["unwhitening"] @ gradient[u], gradient[u])
        ]
        assert share[0] < 1e-5 and share[1] > 0.05


# --- Algorithm 1, word for word ---


def algorithm_1(network, layer, unit, x_opt, start, epsilon, whitening, learning_rate, iterations):
    """Run Algorithm 1 of the paper in the whitened space, one unit, and return x = W⁻¹ y after each iteration."""
    w, back = whitening, np.linalg.inv(whitening)
    units, y, iterates = np.array([unit]), w @ start, []
    for _ in range(iterations):
        gradient = network.unit_gradient((back @ y)[None], layer, units)[1][0]
        y = y + learning_rate * back.T @ gradient  # ∂h(W⁻¹y)/∂y
        nearest = project((back @ y)[None], x_opt[None], epsilon)
        solutions = [w @ point[0] for point in (nearest, farthest(nearest, x_opt[None], epsilon))]
        y = max(solutions, key=lambda s: network.unit_activation((back @ s)[None], layer, units)[0])
        iterates.append(back @ y)
    return np.array(iterates)


def test_the_step_in_x_gives_the_iterates_of_algorithm_1_in_y():
    network, unit, rng = sigmoid_network(), 1, np.random.default_rng(6)
    x_opt = to_norm(rng.normal(size=(1, PIXELS)), NORM)
    root = root_covariance(rng)
    common = settings(unwhitening=root, trials=1, epsilons=(0.7,), learning_rate=0.02, threshold=0.0, shown=(unit,))
    common.pop("rng"), common.pop("max_steps")
    start = perturbed_starts(
        x_opt, trials=1, perturbation=0.05, norm=NORM, unwhitening=root, rng=np.random.default_rng(7)
    )[0, 0]
    expected = algorithm_1(network, 3, unit, x_opt[0], start, 0.7, np.linalg.inv(root), 0.02, 9)
    assert np.linalg.norm(expected[8] - expected[2]) > 0.1  # the search does go somewhere
    for iterations in (2, 3, 9):
        found = trace_manifold(
            network, 3, np.array([unit]), x_opt, max_steps=iterations, rng=np.random.default_rng(7), **common
        )
        assert found.steps == iterations
        np.testing.assert_allclose(found.inputs[0, 0, 0], expected[iterations - 1], rtol=1e-5, atol=1e-6)


# --- any network ---


@pytest.fixture
def traced():
    """Manifolds of a deep single-precision network, and what they were traced with."""
    network, rng = sigmoid_network(np.float32), np.random.default_rng(8)
    units = np.array([2, 0, 1])
    optimum = to_norm(rng.normal(size=(3, PIXELS)).astype(np.float32), np.float32(NORM))
    kwargs = settings(threshold=1e-6, max_steps=500, shown=(0, 1, 2))
    return network, units, optimum, kwargs, trace_manifold(network, 3, units, optimum, **kwargs)


def test_every_point_is_feasible_and_has_the_activation_reported(traced):
    network, units, optimum, _, found = traced
    np.testing.assert_allclose(np.linalg.norm(found.inputs, axis=3), NORM, rtol=1e-5)
    distances = np.linalg.norm(found.inputs - optimum[:, None, None], axis=3)
    np.testing.assert_allclose(distances, np.broadcast_to(NORM * found.epsilons, distances.shape), atol=1e-5 * NORM)
    again = network.activations(found.inputs.reshape(-1, PIXELS), 3).reshape(*found.activations.shape, 3)
    for row, unit in enumerate(units):
        np.testing.assert_allclose(found.activations[row], again[row, ..., unit], rtol=1e-4, atol=1e-5)


def test_the_path_begins_at_the_optimum_and_ends_at_its_antipode(traced):
    network, units, optimum, _, found = traced
    for e, end in ((0, optimum), (-1, -optimum)):
        assert (found.inputs[:, :, e] == end[:, None]).all()
        np.testing.assert_allclose(
            found.activations[:, :, e], np.repeat(network.unit_activation(end, 3, units)[:, None], 3, axis=1), rtol=1e-5
        )
        assert (found.steps[:, :, e] == 0).all() and found.converged[:, :, e].all()


def test_of_the_two_solutions_the_higher_is_taken(traced):
    network, units, optimum, _, found = traced
    for e in range(1, len(EPSILONS) - 1):
        mirrored = 2 * (1 - found.epsilons[e] ** 2 / 2) * optimum[:, None] - found.inputs[:, :, e]
        activation = network.unit_activation(mirrored.reshape(-1, PIXELS), 3, np.repeat(units, 3))
        assert (activation.reshape(3, 3) <= found.activations[:, :, e] + 1e-5).all()


def test_rows_do_not_depend_on_the_rows_searched_beside_them(traced, monkeypatch):
    network, units, optimum, _, found = traced
    monkeypatch.setattr(manifold, "BLOCK", 2)  # so that blocks cut through units
    kwargs = settings(threshold=1e-6, max_steps=500, shown=(0, 1))
    again = trace_manifold(network, 3, units, optimum, **kwargs)
    np.testing.assert_allclose(again.activations, found.activations, rtol=1e-3, atol=1e-3)
    assert (again.shown_units == [0, 1]).all()
    np.testing.assert_allclose(again.inputs, found.inputs[1:], atol=0.05 * NORM)


def test_a_search_takes_the_same_steps_whoever_leaves_the_batch_before_it(quadratic, optima, monkeypatch):
    kwargs = {"step": "plain", "threshold": 1e-5}
    together = trace_manifold(quadratic, 1, np.arange(5), optima, **settings(**kwargs))
    monkeypatch.setattr(manifold, "BLOCK", 1)
    alone = trace_manifold(quadratic, 1, np.arange(5), optima, **settings(**kwargs))
    assert len(np.unique(together.steps[:, :, 1])) > 3
    np.testing.assert_array_equal(together.steps, alone.steps)


def test_the_limit_on_steps_is_reported(traced):
    network, units, optimum, _, _ = traced
    found = trace_manifold(network, 3, units, optimum, **settings(threshold=0.0, max_steps=4))
    assert (found.steps[:, :, 1:-1] == 4).all() and not found.converged[:, :, 1:-1].all()


def test_minimizing_is_maximizing_the_opposite_network(quadratic, optima):
    opposite = Quadratic(5, np.random.default_rng(1))
    opposite.h, opposite.f, opposite.c = -quadratic.h, -quadratic.f, -quadratic.c
    units = np.arange(5)
    low = trace_manifold(quadratic, 1, units, optima, **settings(step="plain", minimize=True))
    np.testing.assert_array_equal(
        low.activations, -trace_manifold(opposite, 1, units, optima, **settings(step="plain")).activations
    )
    high = trace_manifold(quadratic, 1, units, optima, **settings(step="plain"))
    assert (low.activations < high.activations)[..., 1:-1].all()


# --- what is refused ---


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"epsilons": (0.0, 2.1)}, "epsilon is 2.1"),
        ({"epsilons": (-0.1, 1.0)}, "epsilon is -0.1"),
        ({"epsilons": (0.0, np.nan)}, "epsilon is nan"),
        ({"epsilons": (0.5, 0.5)}, "ascending"),
        ({"norm": 1.001 * NORM}, "optimum of unit 6 is off the sphere"),
        ({"perturbation": 0.0}, "perturbation is 0"),
        ({"max_steps": 1}, "max_steps is 1"),
        ({"step": "white"}, "step is 'white'; set it to one of plain, whitened, tangent"),
        ({"shown": (3,)}, "unit 3 is to be shown"),
        ({"unwhitening": np.diag(np.arange(PIXELS))}, "covariance of the data is singular"),
        ({"learning_rate": np.inf}, "learning_rate is inf; give a number above 0"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bad_settings_are_refused(linear, changed, message):
    optimum = to_norm(linear.weights[0][[6]].copy(), NORM)
    with pytest.raises(UserError, match=message):
        trace_manifold(linear, 1, np.array([6]), optimum, **settings(**changed))


def test_an_unknown_unit_is_refused(linear):
    with pytest.raises(UserError, match="unit 7 was asked for"):
        trace_manifold(linear, 1, np.array([7]), to_norm(np.ones((1, PIXELS)), NORM), **settings())


@pytest.mark.gpu
def test_on_a_gpu_the_curves_are_the_same(traced, gpu):
    network, units, optimum, _, found = traced
    rng = np.random.default_rng(3)
    kwargs = settings(threshold=1e-6, max_steps=500, shown=(0, 1, 2), unwhitening=root_covariance(rng))
    kwargs["rng"] = gpu.random.default_rng(3)
    on_gpu = trace_manifold(network.to(gpu), 3, units, gpu.asarray(optimum), **kwargs)
    np.testing.assert_allclose(on_gpu.activations.max(axis=1), found.activations.max(axis=1), rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(np.linalg.norm(on_gpu.inputs, axis=3), NORM, rtol=1e-5)
