"""The unit tools against closed forms and enumeration."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from tolerances import assert_single

from deepunits.errors import UserError
from deepunits.models.network import Network
from deepunits.models.rbm import RBM
from deepunits.randomness import generator, uniform
from deepunits.visualize import activation_maximization
from deepunits.visualize.activation_maximization import maximize_activation
from deepunits.visualize.linear_combination import combine_filters
from deepunits.visualize.sampling import sample_clamped_units

SIZES, NORM = (11, 7, 5, 3), 4.0
# A threshold of a few times the rounding of single precision.
OPTIONS = {"norm": NORM, "restarts": 5, "learning_rate": 3.0, "threshold": 3e-7, "max_steps": 2000}


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    shapes = list(zip(SIZES[1:], SIZES[:-1], strict=True))
    return Network(
        [0.5 * rng.normal(size=s).astype(np.float32) for s in shapes],
        [rng.normal(size=s[0]).astype(np.float32) for s in shapes],
    )


def test_first_layer_solution_is_the_scaled_filter(network):
    units = np.array([6, 0, 3])
    found = maximize_activation(network, 1, units, rng=generator(1), **OPTIONS)
    w = network.weights[0][units]
    lengths = np.linalg.norm(w, axis=1, keepdims=True)
    np.testing.assert_allclose(found.inputs, np.repeat((NORM * w / lengths)[:, None], 5, axis=1), atol=0.02)
    expected = NORM * lengths + network.biases[0][units][:, None]
    assert_single(found.activations, np.repeat(expected, 5, axis=1))
    assert found.converged.all()


@pytest.mark.parametrize("layer", [2, 3])
def test_deep_solutions_are_maxima_on_the_sphere(network, layer):
    units = np.arange(SIZES[layer])
    found = maximize_activation(network, layer, units, rng=generator(1), **OPTIONS)
    assert found.inputs.shape == (len(units), 5, SIZES[0])
    np.testing.assert_allclose(np.linalg.norm(found.inputs, axis=2), NORM, rtol=1e-5)
    x, rows = found.inputs.reshape(-1, SIZES[0]), np.repeat(units, 5)
    activation, gradient = network.unit_gradient(x, layer, rows)
    assert_single(found.activations.ravel(), activation)
    radial = (gradient * x).sum(axis=1, keepdims=True) * x / NORM**2
    along = np.linalg.norm(gradient - radial, axis=1) / np.linalg.norm(gradient, axis=1)
    assert found.converged.any() and (along[found.converged.ravel()] < 0.05).all()
    noise = np.random.default_rng(2).normal(size=(1000, SIZES[0]))
    noise *= NORM / np.linalg.norm(noise, axis=1, keepdims=True)
    assert (found.activations.max(axis=1) > network.activations(noise, layer).max(axis=0)).all()


@pytest.mark.parametrize("sizes", [SIZES, (3, 7, 5, 4)], ids=["more pixels than filters", "fewer"])
@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("preconditioned", [False, True])
def test_each_step_is_along_the_gradient_and_back_to_the_sphere(sizes, layer, preconditioned, monkeypatch):
    monkeypatch.setattr(activation_maximization, "BLOCK", 4)  # so that rows enter and leave
    rng = np.random.default_rng(3)
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    network = Network(
        [rng.normal(size=s).astype(np.float32) for s in shapes],
        [rng.normal(size=s[0]).astype(np.float32) for s in shapes],
    )
    mixing = rng.normal(size=(sizes[0], sizes[0]))
    matrix = (mixing @ mixing.T / sizes[0] if preconditioned else np.eye(sizes[0])).astype(np.float32)
    units, steps = np.array([2, 0]), 13
    found = maximize_activation(
        network,
        layer,
        units,
        rng=generator(1),
        preconditioner=matrix if preconditioned else None,
        **OPTIONS | {"learning_rate": 0.2, "threshold": 0.0, "max_steps": steps},
    )
    x = uniform(generator(1), np.empty((10, sizes[0]), np.float32)).astype(np.float64)
    for step in range(steps + 1):
        x += 0.2 * network.unit_gradient(x, layer, np.repeat(units, 5))[1] @ matrix if step else 0
        x *= NORM / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(found.inputs.reshape(x.shape), x, atol=1e-4)


def test_rounding_does_not_grow_where_the_gradient_points_inwards():
    """A unit that every filter inhibits is highest at 0; each return to the sphere then magnifies what went before."""
    pixels, norm = 3, 1.5
    filters = 2 * np.concatenate([np.eye(pixels), -np.eye(pixels)]).astype(np.float32)
    above = -np.array([[1, 1.1, 1.2, 1.05, 1.15, 1.25], [1, 1, 1, 1, 1, 1]], np.float32)
    network = Network([filters, above], [np.full(6, -2, np.float32), np.zeros(2, np.float32)])
    options = OPTIONS | {"norm": norm, "learning_rate": 0.05, "threshold": 0.0, "max_steps": 3000}
    found = maximize_activation(network, 2, np.arange(2), rng=generator(0), **options)
    x = found.inputs.reshape(-1, pixels)
    gradient = network.unit_gradient(x, 2, np.repeat([0, 1], 5))[1]
    radial = (gradient * x).sum(axis=1, keepdims=True) * x / norm**2
    assert ((gradient * x).sum(axis=1) < -0.1).all()
    assert (np.linalg.norm(gradient - radial, axis=1) < 1e-3 * np.linalg.norm(gradient, axis=1)).all()


def test_rows_that_leave_the_batch_keep_their_own_unit_and_input(network):
    found = maximize_activation(network, 2, np.array([4, 1, 2]), rng=generator(1), **OPTIONS)
    assert len(np.unique(found.steps)) > 1
    for row, unit in enumerate(found.units):
        expected = network.activations(found.inputs[row], 2)[:, unit]
        assert_single(found.activations[row], expected)


def test_rows_that_wait_for_a_place_end_where_they_would_have_beside_the_others(network, monkeypatch):
    together = maximize_activation(network, 2, np.array([4, 1, 2]), rng=generator(1), **OPTIONS)
    monkeypatch.setattr(activation_maximization, "BLOCK", 2)
    apart = maximize_activation(network, 2, np.array([4, 1, 2]), rng=generator(1), **OPTIONS)
    np.testing.assert_array_equal(apart.converged, together.converged)
    np.testing.assert_allclose(apart.steps, together.steps, atol=2)
    np.testing.assert_allclose(apart.inputs, together.inputs, atol=0.01)


def test_without_units_there_is_nothing_to_ascend(network):
    found = maximize_activation(network, 2, np.array([], int), rng=generator(1), **OPTIONS)
    assert found.inputs.shape == (0, 5, SIZES[0]) and found.converged.shape == (0, 5)


def test_the_step_limit_is_kept_and_said(network):
    found = maximize_activation(network, 3, np.arange(3), rng=generator(1), **OPTIONS | {"max_steps": 2})
    assert (found.steps == 2).all() and not found.converged.any()
    np.testing.assert_allclose(np.linalg.norm(found.inputs, axis=2), NORM, rtol=1e-5)


def test_best_is_the_start_of_highest_activation(network):
    found = maximize_activation(network, 3, np.arange(3), rng=generator(1), **OPTIONS | {"max_steps": 2})
    for u in range(3):
        np.testing.assert_array_equal(found.best[u], found.inputs[u, np.argmax(found.activations[u])])


def test_unknown_layer_of_activation_maximization(network):
    with pytest.raises(UserError, match="layer 4"):
        maximize_activation(network, 4, np.arange(3), rng=generator(1), **OPTIONS)


def tiny_dbn():
    rng = np.random.default_rng(4)
    shapes = [(5, 7), (4, 5)]
    return [
        RBM(1.5 * rng.normal(size=(h, v)).astype("f4"), np.zeros(h, "f4"), 0.1 * rng.normal(size=v).astype("f4"))
        for h, v in shapes
    ]


def binary_states(size):
    return ((np.arange(2**size)[:, None] >> np.arange(size)) & 1).astype(np.float64)


def exact_clamped_mean(rbms, unit):
    """E[x | h_i = 1] by summing over all states of both hidden layers of a two-layer DBN."""
    first, second = rbms
    h1, h2 = binary_states(5), binary_states(4)
    log_weights = (h1 @ second.visible_bias)[:, None] + h2 @ second.hidden_bias + h1 @ second.weights.T @ h2.T
    log_h1 = logsumexp(log_weights[:, h2[:, unit] == 1], axis=1)
    return np.exp(log_h1 - logsumexp(log_h1)) @ expit(h1 @ first.weights + first.visible_bias)


def test_clamped_sampling_agrees_with_the_enumerated_conditional_distribution():
    rbms, units = tiny_dbn(), np.array([2, 0, 3])
    samples, mean = sample_clamped_units(rbms, units, steps=3000, every=3, chains=20, kept=11, rng=generator(1))
    exact = np.stack([exact_clamped_mean(rbms, unit) for unit in units])
    assert samples.shape == (3, 11, 7)
    np.testing.assert_allclose(mean, exact, atol=0.01)
    assert abs(exact - exact.mean(axis=0)).max() > 0.05  # the units differ, so a mixed-up clamp would show


def test_a_first_layer_unit_is_sampled_too():
    rbm, h = tiny_dbn()[0], binary_states(5)
    log_h = h @ rbm.hidden_bias + np.logaddexp(0, h @ rbm.weights + rbm.visible_bias).sum(axis=1)
    log_h = log_h[h[:, 1] == 1]
    exact = np.exp(log_h - logsumexp(log_h)) @ expit(h[h[:, 1] == 1] @ rbm.weights + rbm.visible_bias)
    mean = sample_clamped_units([rbm], np.array([1]), steps=3000, every=3, chains=20, kept=1, rng=generator(1))[1]
    np.testing.assert_allclose(mean[0], exact, atol=0.01)


def test_the_mean_is_over_all_draws_when_all_are_kept():
    samples, mean = sample_clamped_units(
        tiny_dbn(), np.array([1, 3]), steps=20, every=5, chains=3, kept=12, rng=generator(1)
    )
    np.testing.assert_allclose(samples.mean(axis=1), mean, atol=1e-6)


@pytest.mark.parametrize("change, message", [({"units": np.array([4])}, "units 0 to 3"), ({"kept": 13}, "13 samples")])
def test_sampling_refuses_what_it_cannot_give(change, message):
    options = {"units": np.array([0]), "steps": 20, "every": 5, "chains": 3, "kept": 2, "rng": generator(1)} | change
    with pytest.raises(UserError, match=message):
        sample_clamped_units(tiny_dbn(), **options)


def test_linear_combination_of_all_filters_is_the_matrix_product():
    rng = np.random.default_rng(0)
    w1, w2, w3 = (rng.normal(size=s) for s in ((7, 11), (5, 7), (3, 5)))
    np.testing.assert_allclose(combine_filters([w1, w2], 7), w2 @ w1)
    np.testing.assert_allclose(combine_filters([w1, w2, w3], 100), w3 @ w2 @ w1)


def test_linear_combination_keeps_the_strongest_of_either_sign():
    w1 = np.eye(5)
    w2 = np.array([[0.1, -5.0, 3.0, -0.2, 4.0], [1.0, 0.0, -2.0, 7.0, -3.0]])
    np.testing.assert_array_equal(combine_filters([w1, w2], 2), [[0, -5, 0, 0, 4], [0, 0, 0, 7, -3]])
    w3 = np.array([[2.0, -3.0]])
    np.testing.assert_array_equal(combine_filters([w1, w2, w3], 1), [[0, 0, 0, -21.0, 0]])


@pytest.mark.gpu
@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("preconditioned", [False, True])
def test_on_a_gpu_maxima_are_those_of_the_cpu(network, gpu, layer, preconditioned):
    """From the same starts: the generator of the CPU serves both."""
    cupy, units = gpu, np.arange(3)
    matrix = np.diag(np.linspace(0.5, 1.5, SIZES[0])).astype(np.float32)

    class SameStarts:
        def random(self, shape, dtype):
            return cupy.asarray(uniform(generator(1), np.empty(shape, dtype)))

    options = OPTIONS | {"threshold": 0.0, "max_steps": 20, "learning_rate": 0.2}
    on_cpu = maximize_activation(
        network, layer, units, rng=generator(1), preconditioner=matrix if preconditioned else None, **options
    )
    on_gpu = maximize_activation(
        network.to(cupy),
        layer,
        units,
        rng=SameStarts(),
        preconditioner=cupy.asarray(matrix) if preconditioned else None,
        **options,
    )
    np.testing.assert_allclose(on_gpu.inputs, on_cpu.inputs, atol=1e-3)
    np.testing.assert_allclose(on_gpu.activations, on_cpu.activations, atol=1e-3)
