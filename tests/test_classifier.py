"""Fine-tuning against central differences of the loss, and on a problem that it must solve."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax
from tolerances import assert_single

from deepunits.errors import UserError
from deepunits.models.classifier import (
    Backpropagation,
    FineTuned,
    drop_out,
    error_rate,
    fine_tune,
    random_network,
    refit,
    with_output_layer,
)
from deepunits.models.network import Network
from deepunits.models.rbm import RBM
from deepunits.models.stack import save_layer
from deepunits.models.trained import load_network, save_classifier
from deepunits.randomness import dropout_mask, generator

SIZES = (11, 7, 5, 3)
SETTINGS = {
    "epochs": 40,
    "epoch_examples": 330,
    "batch": 20,
    "learning_rate": 0.5,
    "constant_until": 0.5,
    "weight_decay": 0.0,
    "input_dropout": 0.0,
    "hidden_dropout": 0.0,
    "filter_decay": 0.0,
    "patience": 40,
}


def network(dtype=np.float32):
    rng = np.random.default_rng(0)
    shapes = list(zip(SIZES[1:], SIZES[:-1], strict=True))
    return Network(
        [rng.normal(size=s).astype(dtype) for s in shapes], [rng.normal(size=s[0]).astype(dtype) for s in shapes]
    )


def loss(net, x, labels, input_dropout=0.0, hidden_dropout=0.0):
    rng = generator(5)

    def thinned(x, share):
        return x * dropout_mask(rng, share, np.empty(x.shape, np.float32)) if share else x

    x = thinned(x, input_dropout)
    for w, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
        x = thinned(expit(x @ w.T + b), hidden_dropout)
    return -log_softmax(x @ net.weights[-1].T + net.biases[-1], axis=1)[np.arange(len(x)), labels].mean()


@pytest.mark.parametrize("dropout", [(0.0, 0.0), (0.4, 0.2), (0.0, 0.3)], ids="inputs {0[0]}, hidden {0[1]}".format)
def test_step_is_the_gradient_of_the_cross_entropy_by_central_differences(dropout):
    rng = np.random.default_rng(1)
    x, labels = rng.random((13, 11)).astype(np.float32), rng.integers(0, 3, 13)
    wide = network(np.float64)
    trained = network()
    shares = dict(zip(("input_dropout", "hidden_dropout"), dropout, strict=True))
    Backpropagation(trained, batch=20, **shares).step(x, labels, learning_rate=1.0, rng=generator(5))
    before, step = network(), 1e-5
    for name in ("weights", "biases"):
        for k in range(3):
            moved = getattr(before, name)[k] - getattr(trained, name)[k]
            parameter = getattr(wide, name)[k]
            for index in np.ndindex(parameter.shape):
                value = parameter[index]
                parameter[index] = value + step
                above = loss(wide, x, labels, *dropout)
                parameter[index] = value - step
                slope = (above - loss(wide, x, labels, *dropout)) / (2 * step)
                parameter[index] = value
                np.testing.assert_allclose(moved[index], slope, atol=2e-6)


def test_weight_decay_shrinks_the_weights_and_not_the_biases():
    x, labels = np.zeros((1, 11), np.float32), np.array([0])
    plain, decayed = network(), network()
    Backpropagation(plain, batch=1).step(x, labels, 0.1)
    Backpropagation(decayed, batch=1, weight_decay=0.5).step(x, labels, 0.1)
    for k in range(3):
        shrunk = plain.weights[k] - 0.05 * network().weights[k]
        np.testing.assert_allclose(decayed.weights[k], shrunk, atol=1e-6)
        np.testing.assert_array_equal(plain.biases[k], decayed.biases[k])


class Stripes:
    """Examples whose class is which third of the pixels is bright."""

    def _draw(self, start, size):
        labels = np.arange(start, start + size) * 7 % 3
        numbers = range(start, start + size)  # an example is a function of its number alone
        x = 0.3 * np.stack([np.random.default_rng(number).random(12, dtype=np.float32) for number in numbers])
        x.reshape(size, 3, 4)[np.arange(size), labels] += 0.5
        return x, labels

    def batch(self, start, size):
        return self._draw(start, size)[0]

    def batch_labels(self, start, size):
        return self._draw(start, size)[1]


def test_fine_tuning_learns_and_keeps_the_best_epoch():
    start = random_network([12, 7, 5, 3], generator(0))
    before = [w.copy() for w in start.weights]
    valid = Stripes().batch(10**6, 200), Stripes().batch_labels(10**6, 200)
    tuned = fine_tune(start, Stripes(), valid, SETTINGS, seed=3, stage=("toy",))
    assert error_rate(tuned.network, *valid) == min(tuned.valid_errors) == tuned.valid_errors[tuned.best_epoch] == 0
    assert all((a == b).all() for a, b in zip(before, start.weights, strict=True))
    again = fine_tune(start, Stripes(), valid, SETTINGS, seed=3, stage=("toy",))
    assert all((a == b).all() for a, b in zip(tuned.network.weights, again.network.weights, strict=True))


def test_a_refit_goes_through_the_end_of_the_plan_from_the_best_weights_on_the_examples_given():
    best = random_network([12, 7, 3], generator(0))
    settings = SETTINGS | {"epochs": 5, "epoch_examples": 27, "batch": 10, "constant_until": 0.0, "refit": 2}
    tuned = FineTuned(best, train_errors=[0.5] * 5, valid_errors=[0.3, 0.2, 0.1, 0.2, 0.2], best_epoch=2)
    found = refit(Stripes(), 33, tuned, settings, seed=3, stage=("toy",))
    assert (found.train_errors, found.valid_errors, found.best_epoch) == ([0.5] * 5, tuned.valid_errors, 2)
    by_hand = best.copy()
    trainer = Backpropagation(by_hand, 10)
    for epoch in (3, 4):
        for first in range(33 * epoch, 33 * (epoch + 1), 10):
            size = min(10, 33 * (epoch + 1) - first)
            rate = settings["learning_rate"] * (1 - first / (5 * 33))
            trainer.step(Stripes().batch(first, size), Stripes().batch_labels(first, size), rate)
    for a, b in zip(found.network.weights, by_hand.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (best.weights[0] == random_network([12, 7, 3], generator(0)).weights[0]).all()


def test_the_filters_alone_decay_faster():
    start, rate, decay = random_network([12, 7, 5, 3], generator(0)), 0.5, 1e-2
    examples, labels = Stripes().batch(0, 20), Stripes().batch_labels(0, 20)
    plain, decayed = start.copy(), start.copy()
    Backpropagation(plain, 20, 1e-3).step(examples, labels, rate)
    Backpropagation(decayed, 20, 1e-3, filter_decay=decay).step(examples, labels, rate)
    assert_single(decayed.weights[0], plain.weights[0] - rate * decay * start.weights[0])
    for k in (1, 2):
        np.testing.assert_array_equal(decayed.weights[k], plain.weights[k])


def test_training_errors_are_counted_before_each_step():
    """With a rate of next to nothing they are those of the initial network, on the examples of the epoch."""
    start = network()
    start.weights[0] = np.random.default_rng(3).normal(size=(7, 12)).astype(np.float32)
    settings = SETTINGS | {"epochs": 2, "epoch_examples": 90, "batch": 20, "learning_rate": 1e-12}
    valid = Stripes().batch(0, 50), Stripes().batch_labels(0, 50)
    tuned = fine_tune(start, Stripes(), valid, settings, seed=3, stage=("toy",))
    for epoch, error in enumerate(tuned.train_errors):
        starts = range(90 * epoch, 90 * (epoch + 1), 20)
        wrong = 0
        for first in starts:
            count = min(20, 90 * (epoch + 1) - first)
            wrong += count * error_rate(start, Stripes().batch(first, count), Stripes().batch_labels(first, count))
        assert error == pytest.approx(wrong / 90)


def test_a_stored_classifier_is_the_network(tmp_path):
    tuned = FineTuned(network(), train_errors=[0.5, 0.25, 0.125], valid_errors=[0.4, 0.2, 0.3], best_epoch=1)
    save_classifier(tmp_path / "classifier.npz", tuned, 0.21, '{"kind": "classifier"}')
    x = np.random.default_rng(0).random((13, 11)).astype(np.float32)
    loaded = load_network(tmp_path / "classifier.npz")
    np.testing.assert_array_equal(loaded.activations(x, 3), tuned.network.activations(x, 3))
    with np.load(tmp_path / "classifier.npz") as stored:
        assert stored["weights_1"].shape == (7, 11) and stored["weights_out"].shape == (3, 5)
        np.testing.assert_array_equal(stored["errors"], [[0.5, 0.4], [0.25, 0.2], [0.125, 0.3]])
        assert stored["test_error"] == 0.21


def test_dropping_out_keeps_the_mean_and_the_rest():
    x = np.linspace(1, 2, 70_000, dtype=np.float32).reshape(1000, 70)
    dropped = drop_out(x, 0.3, generator(1))
    kept = dropped != 0
    np.testing.assert_allclose(kept.mean(axis=0), 0.7, atol=0.06)
    np.testing.assert_allclose(dropped[kept], x[kept] / 0.7, rtol=1e-6)
    assert dropped.dtype == np.float32
    assert dropped.mean() == pytest.approx(x.mean(), rel=0.01)


def test_what_is_dropped_out_depends_on_the_seed_alone():
    start = random_network([12, 7, 3], generator(0))
    rng = np.random.default_rng(3)
    valid = (rng.random((9, 12), dtype=np.float32), rng.integers(0, 3, 9))
    settings = SETTINGS | {"epochs": 2, "input_dropout": 0.4, "hidden_dropout": 0.3, "refit": 1}

    def trained(seed):
        tuned = fine_tune(start, Stripes(), valid, settings, seed=seed, stage=("toy",))
        again = refit(Stripes(), 200, tuned, settings, seed=seed, stage=("toy", "refit"))
        return tuned.network.weights[0], again.network.weights[0]

    for first, again, other in zip(trained(3), trained(3), trained(4), strict=True):
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_a_stack_of_stored_layers_is_a_network(tmp_path):
    rng, layers = np.random.default_rng(0), []
    for k, (above, below) in enumerate(((7, 11), (5, 7)), start=1):
        weights, zeros = rng.normal(size=(above, below)).astype(np.float32), np.zeros(below, np.float32)
        layers.append(RBM(weights, rng.normal(size=above).astype(np.float32), zeros))
        save_layer(tmp_path / f"layer{k}.npz", layers[-1], '{"kind": "dbn", "settings": {}}')
    x = rng.random((3, 11)).astype(np.float32)
    loaded = load_network([tmp_path / "layer1.npz", tmp_path / "layer2.npz"])
    np.testing.assert_array_equal(loaded.activations(x, 2), Network.from_layers(layers).activations(x, 2))


def test_training_stops_when_patience_is_over():
    valid = Stripes().batch(0, 50), np.full(50, 9)  # no class 9: never right, never better
    tuned = fine_tune(
        random_network([12, 7, 3], generator(0)), Stripes(), valid, SETTINGS | {"patience": 3}, seed=3, stage=("toy",)
    )
    assert len(tuned.valid_errors) <= 40 and set(tuned.valid_errors) == {1.0}


def test_error_rate_counts_in_blocks():
    net = Network([np.eye(3, dtype=np.float32)], [np.zeros(3, np.float32)])
    x = np.eye(3, dtype=np.float32)[[0, 1, 2, 2, 1]]
    assert error_rate(net, x, np.array([0, 1, 2, 0, 0]), block=2) == 0.4


def test_pretrained_layers_start_the_classifier():
    rng = np.random.default_rng(0)
    layers = [RBM(rng.normal(size=(h, v)), np.ones(h), np.zeros(v)) for h, v in ((7, 11), (5, 7))]
    net = with_output_layer(layers, 3)
    assert [w.shape for w in net.weights] == [(7, 11), (5, 7), (3, 5)]
    np.testing.assert_array_equal(net.weights[0], layers[0].weights)
    assert not net.weights[2].any()


def test_diverging_fine_tuning_stops_with_a_sentence():
    valid = Stripes().batch(0, 50), Stripes().batch_labels(0, 50)
    with pytest.raises(UserError, match="toy diverged"), np.errstate(all="ignore"):
        settings = SETTINGS | {"learning_rate": np.inf}
        fine_tune(random_network([12, 7, 3], generator(0)), Stripes(), valid, settings, seed=3, stage=("toy",))
