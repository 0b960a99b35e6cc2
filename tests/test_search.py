"""Searches as they are configured, against the tracing that they configure."""

import numpy as np
import pytest
from tolerances import assert_single

from deepunits.invariance.manifold import trace_manifold
from deepunits.invariance.search import optima, search, variants
from deepunits.models.network import Network
from deepunits.randomness import generator
from deepunits.visualize.activation_maximization import maximize_activation

PIXELS, NORM = 13, 3.0
SETTINGS = {
    "epsilons": 6,
    "trials": 2,
    "perturbation": 0.05,
    "step": "whitened",
    "learning_rate": 0.5,
    "threshold": 1e-6,
    "max_steps": 300,
}
ASCENT = {"learning_rate": 0.3, "threshold": 1e-7, "max_steps": 3000}


@pytest.fixture
def network():
    rng = np.random.default_rng(1)
    shapes = ((11, PIXELS), (7, 11))
    weights = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    return Network(weights, [np.zeros(len(w), np.float32) for w in weights])


@pytest.fixture
def statistics():
    rng = np.random.default_rng(2)
    factor = rng.normal(size=(PIXELS, PIXELS))
    covariance = factor @ factor.T
    eigenvalues, eigenvectors = np.linalg.eigh(covariance)
    axes = {"eigenvalues": eigenvalues, "eigenvectors": eigenvectors}
    return {"mean_norm": NORM, "covariance": covariance, "regularization": 0.1, **axes}


def maxima(network, units):
    found = maximize_activation(network, 2, np.arange(units), norm=NORM, restarts=5, rng=generator(0), **ASCENT)
    return vars(found)


def test_optima_are_the_best_of_the_units_shown_and_maxima_of_the_others(network):
    shown = maxima(network, 3)
    found = optima(network, 2, shown, ASCENT, rng=generator(1))
    assert found.shape == (7, PIXELS) and found.dtype == np.float32
    activation = network.unit_activation(found, 2, np.arange(7))
    assert_single(activation[:3], shown["activations"].max(axis=1))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), NORM, rtol=1e-5)
    gradient = network.unit_gradient(found, 2, np.arange(7))[1]
    along = (gradient * found).sum(axis=1) / (np.linalg.norm(gradient, axis=1) * NORM)
    np.testing.assert_allclose(along, 1, atol=1e-3)  # on the sphere there is no way up


def test_all_units_shown_leave_nothing_to_find(network):
    shown = maxima(network, 7)
    found = optima(network, 2, shown, None, rng=None)
    np.testing.assert_allclose(
        network.unit_activation(found, 2, np.arange(7)), shown["activations"].max(axis=1), rtol=1e-5
    )


@pytest.mark.parametrize("step", ["plain", "whitened"])
def test_a_search_is_the_tracing_it_configures(network, statistics, step):
    """In steps of C over its largest eigenvalue, C being the regularized covariance."""
    units, optimum = np.arange(7), optima(network, 2, maxima(network, 7), None, rng=None)
    settings = SETTINGS | {"step": step, "max_steps": 5}
    found = search(network, 2, units, optimum, statistics, settings, rng=generator(3), shown=[2], ridge=10.0)
    covariance = statistics["covariance"] + 1.0 * np.eye(PIXELS)
    values, vectors = np.linalg.eigh(covariance)
    expected = trace_manifold(
        network,
        2,
        units,
        optimum,
        norm=NORM,
        epsilons=[0, 0.4, 0.8, 1.2, 1.6, 2],
        trials=2,
        perturbation=0.05,
        unwhitening=(vectors * values**0.5) @ vectors.T,
        learning_rate=0.5 / (values[-1] if step == "whitened" else 1),
        threshold=1e-6,
        max_steps=5,
        rng=generator(3),
        step=step,
        shown=[2],
    )
    np.testing.assert_allclose(found.activations, expected.activations, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.inputs, expected.inputs, atol=1e-2)


def test_variants_change_one_thing_each():
    found = list(variants(SETTINGS, {"steps": ["plain", "tangent"], "regularizations": [0.1]}))
    assert [name for name, _, _ in found] == ["plain", "tangent", "whitened, regularization x 0.1"]
    assert [settings["step"] for _, settings, _ in found] == ["plain", "tangent", "whitened"]
    assert [ridge for _, _, ridge in found] == [1, 1, 0.1]
    assert all({key for key in SETTINGS if settings[key] != SETTINGS[key]} <= {"step"} for _, settings, _ in found)
