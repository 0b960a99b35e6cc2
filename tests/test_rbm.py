"""Oracles of a restricted Boltzmann machine small enough that everything about it can be summed exactly."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp

from deepunits.models.rbm import RBM, ContrastiveDivergence
from deepunits.randomness import generator

VISIBLE, HIDDEN = 7, 5


def binary_states(size):
    """Return all binary vectors of the given size, shape (2**size, size)."""
    return ((np.arange(2**size)[:, None] >> np.arange(size)) & 1).astype(np.float64)


def joint_log_weights(rbm):
    """Return -E(v, h) for all visible (rows) and hidden (columns) states."""
    v, h = binary_states(rbm.weights.shape[1]), binary_states(rbm.weights.shape[0])
    return (v @ rbm.visible_bias)[:, None] + h @ rbm.hidden_bias + v @ rbm.weights.T @ h.T


@pytest.fixture
def rbm():
    rng = np.random.default_rng(3)
    return RBM(rng.normal(size=(HIDDEN, VISIBLE)), rng.normal(size=HIDDEN), rng.normal(size=VISIBLE))


def as_float32(rbm):
    return RBM(*(getattr(rbm, name).astype(np.float32) for name in ("weights", "hidden_bias", "visible_bias")))


def test_partition_function_is_the_same_over_visibles_and_over_hiddens(rbm):
    over_visibles = logsumexp(-rbm.free_energy(binary_states(VISIBLE)))
    transposed = RBM(rbm.weights.T, rbm.visible_bias, rbm.hidden_bias)
    over_hiddens = logsumexp(-transposed.free_energy(binary_states(HIDDEN)))
    np.testing.assert_allclose(over_visibles, logsumexp(joint_log_weights(rbm)), rtol=1e-12)
    np.testing.assert_allclose(over_hiddens, over_visibles, rtol=1e-12)


def test_conditional_means_agree_with_enumeration(rbm):
    log_weights = joint_log_weights(rbm)
    given_visible = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True)) @ binary_states(HIDDEN)
    given_hidden = np.exp(log_weights - logsumexp(log_weights, axis=0)).T @ binary_states(VISIBLE)
    np.testing.assert_allclose(rbm.mean_hidden(binary_states(VISIBLE)), given_visible, atol=1e-12)
    np.testing.assert_allclose(rbm.mean_visible(binary_states(HIDDEN)), given_hidden, atol=1e-12)


@pytest.mark.parametrize("name", ["weights", "hidden_bias", "visible_bias"])
def test_free_energy_gradient_by_central_differences(rbm, name):
    visible = np.random.default_rng(1).random((3, VISIBLE))
    hidden = rbm.mean_hidden(visible)
    analytic = {
        "weights": -hidden.T @ visible,
        "hidden_bias": -hidden.sum(axis=0),
        "visible_bias": -visible.sum(axis=0),
    }[name]
    parameter, step = getattr(rbm, name), 1e-5
    numeric = np.empty_like(parameter)
    for index in np.ndindex(parameter.shape):
        value = parameter[index]
        parameter[index] = value + step
        above = rbm.free_energy(visible).sum()
        parameter[index] = value - step
        numeric[index] = (above - rbm.free_energy(visible).sum()) / (2 * step)
        parameter[index] = value
    np.testing.assert_allclose(analytic, numeric, rtol=1e-6, atol=1e-8)


def test_gaussian_free_energy_and_means_agree_with_enumeration(rbm):
    rbm.visible = "gaussian"
    v, h = np.random.default_rng(1).normal(size=(3, VISIBLE)), binary_states(HIDDEN)
    energy = 0.5 * ((v - rbm.visible_bias) ** 2).sum(axis=1)[:, None] - h @ rbm.hidden_bias - v @ rbm.weights.T @ h.T
    np.testing.assert_allclose(rbm.free_energy(v), -logsumexp(-energy, axis=1), rtol=1e-12)
    given_visible = np.exp(-energy - logsumexp(-energy, axis=1, keepdims=True)) @ h
    np.testing.assert_allclose(rbm.mean_hidden(v), given_visible, atol=1e-12)
    # p(v | h) is normal around W'h + c, so the gradient of -E at that mean is 0.
    mean = rbm.mean_visible(h)
    np.testing.assert_allclose(mean - rbm.visible_bias, h @ rbm.weights, atol=1e-12)


def test_gaussian_visible_states_are_drawn_around_their_mean(rbm):
    model = as_float32(rbm)
    model.visible = "gaussian"
    hidden = np.tile(binary_states(HIDDEN)[19].astype(np.float32), (20_000, 1))
    noise, out = np.empty((2, 20_000, VISIBLE), np.float32)
    model.sample_visible(generator(1), hidden, noise, out)
    np.testing.assert_allclose(out.mean(axis=0), model.mean_visible(hidden[:1])[0], atol=0.04)
    np.testing.assert_allclose(np.cov(out.T), np.eye(VISIBLE), atol=0.05)


def test_gaussian_reconstruction_error_is_half_the_squared_error(rbm):
    rbm.visible = "gaussian"
    x = np.random.default_rng(5).normal(size=(3, VISIBLE))
    np.testing.assert_allclose(
        rbm.reconstruction_error(x), 0.5 * ((x - rbm.reconstruct(x)) ** 2).sum(axis=1).mean(), rtol=1e-12
    )


def test_reconstruction_error_is_the_cross_entropy(rbm):
    x = np.random.default_rng(5).random((3, VISIBLE))
    y = expit(expit(x @ rbm.weights.T + rbm.hidden_bias) @ rbm.weights + rbm.visible_bias)
    expected = -(x * np.log(y) + (1 - x) * np.log(1 - y)).sum(axis=1).mean()
    np.testing.assert_allclose(rbm.reconstruction_error(x), expected, rtol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"gibbs_steps": 3}, {"persistent": True}, {"momentum": 0.5}])
def test_training_raises_the_exact_log_likelihood(settings):
    rng = generator(7)
    data = np.array([[1, 1, 1, 0, 0, 0, 1], [0, 0, 0, 1, 1, 1, 0], [1, 0, 1, 0, 1, 0, 1]], np.float32)
    weights = 0.01 * rng.standard_normal((HIDDEN, VISIBLE), dtype=np.float32)
    rbm = RBM.initialise(weights, data.mean(axis=0))
    trainer = ContrastiveDivergence(rbm, batch=30, **settings)

    def log_likelihood():
        return (-rbm.free_energy(data)).mean() - logsumexp(-rbm.free_energy(binary_states(VISIBLE)))

    before = log_likelihood()
    for _ in range(600):
        trainer.step(np.tile(data, (10, 1)), 0.1, rng)
    assert log_likelihood() > before + 1.0
    assert log_likelihood() < -np.log(3) + 1e-6  # no distribution gives three patterns more than a third each


def test_step_follows_the_difference_of_the_two_phases(rbm):
    """The in-place update equals the textbook one, computed from the states that the step itself ended with."""
    model = as_float32(rbm)
    before = as_float32(rbm)
    visible = np.random.default_rng(2).random((11, VISIBLE)).astype(np.float32)
    trainer = ContrastiveDivergence(model, batch=11, weight_decay=0.5)
    trainer.step(visible, 0.1, generator(1))
    reconstruction = trainer.visibles[11:]
    assert set(np.unique(reconstruction)) <= {0, 1}
    data, fantasy = before.mean_hidden(visible), before.mean_hidden(reconstruction)
    weights = before.weights + 0.1 * ((data.T @ visible - fantasy.T @ reconstruction) / 11 - 0.5 * before.weights)
    np.testing.assert_allclose(model.weights, weights, atol=1e-6)
    np.testing.assert_allclose(model.hidden_bias, before.hidden_bias + 0.1 * (data - fantasy).mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(
        model.visible_bias, before.visible_bias + 0.1 * (visible - reconstruction).mean(axis=0), atol=1e-6
    )


def test_sparsity_draws_the_biases_alone_towards_the_target(rbm):
    visible = np.random.default_rng(2).random((11, VISIBLE)).astype(np.float32)
    active = as_float32(rbm).mean_hidden(visible).mean(axis=0)
    trained = []
    for cost in (0.0, 0.7):
        trained.append(as_float32(rbm))
        trainer = ContrastiveDivergence(trained[-1], batch=11, sparsity_target=0.1, sparsity_cost=cost)
        trainer.step(visible, 0.3, generator(1))
    free, drawn = trained
    np.testing.assert_allclose(drawn.hidden_bias - free.hidden_bias, 0.3 * 0.7 * (0.1 - active), atol=1e-6)
    np.testing.assert_array_equal(drawn.weights, free.weights)
    np.testing.assert_array_equal(drawn.visible_bias, free.visible_bias)


def test_hidden_units_become_as_sparse_as_the_target():
    """On inputs that are noise, where nothing else moves the mean activity for long."""
    rng = generator(3)
    rbm = RBM.initialise(0.01 * rng.standard_normal((HIDDEN, VISIBLE), dtype=np.float32), np.full(VISIBLE, 0.5))
    trainer = ContrastiveDivergence(rbm, batch=50, sparsity_target=0.2, sparsity_cost=3.0)
    data = (rng.random((50, VISIBLE)) < 0.5).astype(np.float32)
    for _ in range(500):
        trainer.step(data, 0.05, rng)
    np.testing.assert_allclose(rbm.mean_hidden(data).mean(axis=0), 0.2, atol=0.03)
