"""Oracles of the denoising auto-encoder: central differences, and exactly fixed-size corruption."""

import numpy as np
import pytest
from scipy.special import expit

from deepunits.errors import UserError
from deepunits.models.autoencoder import Denoising, DenoisingAutoencoder, random_subsets
from deepunits.randomness import generator

VISIBLE, HIDDEN, BATCH = 7, 5, 3


def float64_trainer():
    """Return a trainer whose buffers are float64, so that central differences are exact enough."""
    rng = np.random.default_rng(0)
    model = DenoisingAutoencoder(rng.normal(size=(HIDDEN, VISIBLE)), rng.normal(size=HIDDEN), rng.normal(size=VISIBLE))
    trainer = Denoising(model, BATCH)
    for name in ("hidden_factors", "visible_factors", "slope"):
        setattr(trainer, name, getattr(trainer, name).astype(np.float64))
    return trainer


def cross_entropy(model, examples, corrupted):
    hidden = expit(corrupted @ model.weights.T + model.hidden_bias)
    y = expit(hidden @ model.weights + model.visible_bias)
    return -(examples * np.log(y) + (1 - examples) * np.log(1 - y)).sum()


@pytest.mark.parametrize("name", ["weights", "hidden_bias", "visible_bias"])
def test_descent_direction_by_central_differences(name):
    rng = np.random.default_rng(1)
    trainer = float64_trainer()
    model = trainer.autoencoder
    examples = rng.random((BATCH, VISIBLE))
    corrupted = examples * (rng.random((BATCH, VISIBLE)) < 0.5)
    trainer.visible_factors[BATCH:] = corrupted
    hidden_gradient, visible_gradient = trainer.descent_direction(examples, trainer.visible_factors[BATCH:])
    analytic = {
        "weights": trainer.hidden_factors.T @ trainer.visible_factors,
        "hidden_bias": hidden_gradient,
        "visible_bias": visible_gradient,
    }[name]
    parameter, step = getattr(model, name), 1e-6
    numeric = np.empty_like(parameter)
    for index in np.ndindex(parameter.shape):
        value = parameter[index]
        parameter[index] = value + step
        above = cross_entropy(model, examples, corrupted)
        parameter[index] = value - step
        numeric[index] = (above - cross_entropy(model, examples, corrupted)) / (2 * step)
        parameter[index] = value
    np.testing.assert_allclose(analytic, -numeric, rtol=1e-5, atol=1e-7)


def test_subsets_have_the_size_asked_for_and_reach_every_component():
    subsets = random_subsets(generator(2), 500, 11, 4, np)
    assert (subsets.sum(axis=1) == 4).all()
    expected, deviation = 500 * 4 / 11, np.sqrt(500 * 4 / 11 * 7 / 11)
    assert (abs(subsets.sum(axis=0) - expected) < 5 * deviation).all()


@pytest.mark.parametrize("share, zeros", [(0.0, 0), (0.4, 3), (1.0, 7)])
def test_zero_mask_hides_a_fixed_number_of_components(share, zeros):
    trainer = Denoising(float64_trainer().autoencoder, BATCH, corrupted=share)
    rng = generator(4)
    trainer.begin_epoch(rng)
    examples = np.full((BATCH, VISIBLE), 0.7, np.float32)
    corrupted = trainer.corrupt(examples, rng, np.empty_like(examples))
    assert ((corrupted == 0).sum(axis=1) == zeros).all()
    assert set(np.unique(corrupted)) <= {np.float32(0), np.float32(0.7)}


def test_salt_and_pepper_sets_a_fixed_number_of_components_to_0_or_1():
    trainer = Denoising(float64_trainer().autoencoder, BATCH, corruption="salt_and_pepper", corrupted=0.4)
    rng = generator(4)
    trainer.begin_epoch(rng)
    examples = np.full((300, VISIBLE), 0.7, np.float32)
    corrupted = trainer.corrupt(examples, rng, np.empty_like(examples))
    changed = corrupted[corrupted != np.float32(0.7)]
    assert ((corrupted != np.float32(0.7)).sum(axis=1) == 3).all()
    assert set(np.unique(changed)) == {0, 1}
    assert abs(changed.mean() - 0.5) < 0.1


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_training_lowers_the_reconstruction_error(momentum):
    rng = generator(6)
    examples = np.kron(np.eye(3), np.ones((10, VISIBLE)))[:, ::3].astype(np.float32)
    weights = 0.1 * rng.standard_normal((HIDDEN, VISIBLE), dtype=np.float32)
    model = DenoisingAutoencoder.initialise(weights, examples.mean(axis=0))
    trainer = Denoising(model, len(examples), corrupted=0.2, momentum=momentum)
    trainer.begin_epoch(rng)
    before = model.reconstruction_error(examples)
    for _ in range(500):
        trainer.step(examples, 0.2, rng)
    assert model.reconstruction_error(examples) < before / 2


def test_unknown_corruption_is_refused():
    with pytest.raises(UserError, match="zero_mask or salt_and_pepper"):
        Denoising(float64_trainer().autoencoder, BATCH, corruption="pepper")
