"""What section 5 sets aside: random walks, remarks, preconditioned ascents, on units whose answers are known."""

import numpy as np
import pytest
from tolerances import assert_single

from deepunits.invariance.alternatives import SEARCHES, random_walks
from deepunits.invariance.manifold import trace_manifold
from deepunits.invariance.transformations import transformation_matrices
from deepunits.invariance.transformed_optima import transformed_optima
from deepunits.models.network import Network
from deepunits.paper.tables.transformations import COLUMNS, KEPT_AT, manifold_curves, transformation_rows
from deepunits.visualize.activation_maximization import maximize_activation, to_norm

PIXELS, NORM = 11, 3.0
EPSILONS = np.array([0.0, 0.4, 1.0, 1.7, 2.0])


def root_covariance(rng, condition=30.0):
    vectors = np.linalg.qr(rng.normal(size=(PIXELS, PIXELS)))[0]
    return (vectors * np.geomspace(1, condition, PIXELS) ** 0.5) @ vectors.T


@pytest.fixture
def linear():
    rng = np.random.default_rng(2)
    return Network([rng.normal(size=(7, PIXELS)).astype(np.float32)], [rng.normal(size=7).astype(np.float32)])


@pytest.fixture
def deep():
    rng = np.random.default_rng(5)
    sizes = (PIXELS, 7, 5, 3)
    weights = [(0.6 * rng.normal(size=(sizes[k], sizes[k - 1]))).astype(np.float32) for k in (1, 2, 3)]
    return Network(weights, [rng.normal(size=size).astype(np.float32) for size in sizes[1:]])


def optima_of_linear(network, units):
    return to_norm(network.weights[0][units].copy(), np.float32(NORM))


# --- random walks ---


@pytest.mark.parametrize("root", [None, root_covariance(np.random.default_rng(0)).astype(np.float32)])
def test_random_walks_of_linear_units_fall_as_any_walk_does(linear, root):
    units = np.array([3, 0])
    optimum = optima_of_linear(linear, units)
    rng = np.random.default_rng(1)
    found = random_walks(linear, 1, units, optimum, EPSILONS, count=13, root=root, rng=rng)
    slopes = NORM * np.linalg.norm(linear.weights[0][units], axis=1)[:, None]
    assert_single(found, linear.biases[0][units, None] + slopes * (1 - EPSILONS**2 / 2))


def test_random_walks_go_where_the_data_vary(deep):
    """A root that leaves one direction only makes every walk the walk along it."""
    units = np.array([1])
    optimum = to_norm(np.random.default_rng(3).normal(size=(1, PIXELS)).astype(np.float32), np.float32(NORM))
    towards = np.zeros(PIXELS)
    towards[4] = 1
    root = np.outer(towards, towards).astype(np.float32)
    found = random_walks(deep, 3, units, optimum, [1.0], count=7, root=root, rng=np.random.default_rng(0))
    u = towards - optimum[0] * optimum[0, 4] / NORM**2
    ends = [0.5 * optimum + sign * NORM * np.sqrt(0.75) * u / np.linalg.norm(u) for sign in (1, -1)]
    expected = max(deep.unit_activation(end.astype(np.float32), 3, units)[0] for end in ends)
    assert found[0, 0] == pytest.approx(expected, rel=1e-5)


# --- the searches ---


def test_the_searches_are_those_of_their_names(deep):
    """Of the four, the lowest ends lowest, and no other ends above the plain one, which alone climbs by g."""
    units = np.arange(3)
    maxima = maximize_activation(
        deep,
        3,
        units,
        norm=NORM,
        restarts=5,
        learning_rate=0.5,
        threshold=1e-7,
        max_steps=5000,
        rng=np.random.default_rng(0),
    )
    optimum = to_norm(maxima.best.astype(np.float64), NORM)
    found = {
        name: trace_manifold(
            deep,
            3,
            units,
            optimum,
            norm=NORM,
            epsilons=[0.0, 0.2, 0.4],
            trials=1,
            perturbation=0.05,
            unwhitening=root_covariance(np.random.default_rng(3), condition=5.0),
            learning_rate=0.2,
            threshold=1e-8,
            max_steps=500,
            rng=np.random.default_rng(1),
            **search,
        ).activations[:, 0, 2]
        for name, search in SEARCHES.items()
    }
    assert (found["lowest"] < found["whitened"] - 1e-3).all()
    assert (found["whitened"] < found["plain"] - 1e-5).all()
    np.testing.assert_allclose(found["tangent"], found["plain"], atol=1e-3)


# --- preconditioning ---


def test_preconditioned_ascent_of_a_linear_unit_ends_along_the_covariance_times_its_weights(linear):
    """At its end C g is parallel to x, and the activation is lower than the maximum unless C is a multiple of I."""
    units, root = np.array([2, 6, 0]), root_covariance(np.random.default_rng(4))
    covariance = (root @ root).astype(np.float32)
    settings = {"norm": NORM, "restarts": 3, "learning_rate": 0.05, "threshold": 1e-9, "max_steps": 5000}
    found = maximize_activation(linear, 1, units, **settings, rng=np.random.default_rng(0), preconditioner=covariance)
    expected = to_norm(linear.weights[0][units] @ covariance, np.float32(NORM))
    np.testing.assert_allclose(found.inputs, np.broadcast_to(expected[:, None], found.inputs.shape), atol=2e-3)
    plain = maximize_activation(linear, 1, units, **settings, rng=np.random.default_rng(0))
    assert (found.activations < plain.activations.min(axis=1, keepdims=True) - 0.1).all()


def test_preconditioned_ascent_of_a_deep_unit_ends_where_the_preconditioned_gradient_is_radial(deep):
    root = root_covariance(np.random.default_rng(4), condition=5.0)
    covariance = (root @ root).astype(np.float32)
    found = maximize_activation(
        deep,
        3,
        np.arange(3),
        norm=NORM,
        restarts=1,
        learning_rate=0.3,
        threshold=1e-8,
        max_steps=5000,
        rng=np.random.default_rng(0),
        preconditioner=covariance,
    )
    gradient = deep.unit_gradient(found.best, 3, np.arange(3))[1]
    for step, x in zip(gradient @ covariance, found.best, strict=True):
        assert step @ x / np.linalg.norm(step) / np.linalg.norm(x) > 0.999


# --- the table of transformations ---


def measured_and_traced(side=7):
    """Measure linear units, of which everything is known, and their manifolds."""
    rng = np.random.default_rng(6)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    window = np.exp(-(x**2 + y**2) / 6).ravel()
    network = Network([(rng.normal(size=(5, side**2)) * window).astype(np.float32)], [np.ones(5, np.float32)])
    units = np.array([0, 2, 3])
    optimum = optima_of_linear(network, units)
    kinds, found = ["rotation", "scaling"], {"distances": [], "activations": []}
    for kind, amounts in zip(kinds, ([-120, -60, 0, 60, 120], [0.9, 0.95, 1, 1.05, 1.1]), strict=True):
        matrices = transformation_matrices(kind, amounts, (side, side))
        distances, activations = transformed_optima(network, 1, units, optimum, matrices, norm=NORM)
        found["distances"].append(distances)
        found["activations"].append(activations)
    measured = {name: np.array(values) for name, values in found.items()} | {
        "units": units,
        "kinds": np.array(kinds),
        "scores": np.array([[1.0, 9.0, 5.0], [2.0, 2.0, 2.0]]),
        "highest": network.unit_activation(optimum, 1, units),
        "opposite": network.unit_activation(-optimum, 1, units),
    }
    slopes = NORM * np.linalg.norm(network.weights[0], axis=1)[:, None, None]
    epsilons = np.linspace(0, 2, 41)
    trials = np.array([[0.0], [-0.3]]) * np.sin(np.pi * epsilons / 2)  # the second trial is the worse
    traced = {"units": np.arange(5), "epsilons": epsilons, "activations": 1 + slopes * (1 - epsilons**2 / 2) + trials}
    return measured, traced


def test_linear_units_keep_as_much_under_every_change():
    measured, traced = measured_and_traced()
    rotation, scaling, manifold = transformation_rows(measured, traced, top=0.4, seed=0)
    expected = 1 - KEPT_AT**2 / 4
    for row in (rotation, manifold):
        assert row["kept"] == pytest.approx(expected, abs=1e-3) and row["reaching"] == 3
        assert row["kept_low"] == pytest.approx(row["kept_high"], abs=2e-3)
    assert scaling["reaching"] == 0 and "kept" not in scaling  # a tenth of the size takes no optimum so far
    assert rotation["firing"] == 9.0 and scaling["firing"] == scaling["firing_low"] == 2.0
    assert rotation["firing_low"] < 9.0 <= rotation["firing_high"]
    assert {*rotation} | {"dataset", "model", "layer", "substitute"} == {*COLUMNS}


def test_a_layer_without_live_units_has_rows_without_numbers():
    measured, traced = measured_and_traced()
    none = {name: array[:0] for name, array in measured.items() if name in ("units", "highest", "opposite")}
    none |= {name: measured[name][:, :0] for name in ("scores", "distances", "activations")}
    rows = transformation_rows(measured | none, traced, top=0.4, seed=0)
    assert [row["reaching"] for row in rows] == [0, 0, 0]
    assert not any("firing" in row or "kept" in row for row in rows)


def test_manifold_curves_are_those_of_the_units_wanted():
    _, traced = measured_and_traced()
    heights, relative = manifold_curves(traced, np.array([1, 4]), np.array([0.0, 0.525, 2.0]))
    np.testing.assert_allclose(heights[:, [0, 2]], traced["activations"][[1, 4], 0][:, [0, -1]])
    np.testing.assert_allclose(relative, np.tile([1, 1 - 0.525**2 / 4, 0], (2, 1)), atol=1e-3)
