"""Greedy pretraining: resuming, encoding, schedules and stored layers."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from deepunits.data.streams import ExampleStream
from deepunits.errors import UserError
from deepunits.models import stack
from deepunits.models.autoencoder import DenoisingAutoencoder
from deepunits.models.rbm import RBM
from deepunits.randomness import generator

SETTINGS = {
    "dbn": {"gibbs_steps": 1, "persistent": True},
    "sdae": {"corruption": "zero_mask", "corrupted": 0.3},
}
PIXELS, UNITS, BATCH = 11, 7, 5


class Stream:
    """A stream of binary examples that depend on their number alone."""

    def batch(self, start, size):
        numbers = np.arange(start, start + size)
        return ((numbers[:, None] * np.arange(1, PIXELS + 1)) % 7 < 3).astype(np.float32)


@pytest.fixture(autouse=True)
def short_epochs(monkeypatch):
    monkeypatch.setattr(stack, "EPOCH", 100)
    monkeypatch.setattr(stack, "BLOCK", 20)


def settings(model, **changes):
    common = {
        "units": UNITS,
        "examples": 330,
        "batch": BATCH,
        "learning_rate": 0.1,
        "constant_until": 0.5,
        "momentum": 0.5,
        "weight_decay": 0.001,
        "initial_weights": 0.05,
        "pass_up": "samples",
        "visible": "bernoulli",
    }
    return common | SETTINGS[model] | changes


def train(model, lower=(), **arguments):
    options = {"seed": 1, "stage": ("toy", model, "layer1"), "held_out": Stream().batch(5000, 13)} | arguments
    return stack.pretrain_layer(model, Stream(), lower, options.pop("settings", settings(model)), **options)


def assert_same(a, b):
    for name in stack.PARAMETERS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


class KilledError(Exception):
    pass


@pytest.mark.parametrize("model", ["dbn", "sdae"])
@pytest.mark.parametrize("killed_after", [110, 250, 320])
def test_resumed_training_gives_the_bits_of_uninterrupted_training(model, killed_after, tmp_path):
    class Killer:
        seen = 0

        def update(self, n):
            self.seen += n
            if self.seen >= killed_after:
                raise KilledError

    whole, history = train(model)
    with pytest.raises(KilledError):
        train(model, checkpoint=tmp_path / "checkpoint.npz", progress=Killer())
    logged = []
    resumed, resumed_history = train(model, checkpoint=tmp_path / "checkpoint.npz", log=logged.append)
    assert len(logged) == len(history) - killed_after // 100  # the epochs before were not trained again
    assert_same(whole, resumed)
    assert [r["examples"] for r in resumed_history] == [r["examples"] for r in history] == [100, 200, 300, 330]


def test_a_checkpoint_of_other_settings_is_not_taken_up(tmp_path):
    checkpoint = tmp_path / "checkpoint.npz"
    train("sdae", checkpoint=checkpoint)
    changed = settings("sdae", learning_rate=0.2)
    assert_same(train("sdae", settings=changed)[0], train("sdae", settings=changed, checkpoint=checkpoint)[0])


@pytest.mark.parametrize("model", ["dbn", "sdae"])
def test_same_seed_same_bits_and_other_seed_other_bits(model):
    first = train(model)[0]
    assert_same(first, train(model)[0])
    assert (first.weights != train(model, seed=2)[0].weights).any()


@pytest.mark.parametrize("model", ["dbn", "sdae"])
def test_training_lowers_the_held_out_error(model):
    # 5000 examples, so that what is measured is learning and not the noise of one epoch.
    history = train(model, settings=settings(model, examples=5000, weight_decay=0.0))[1]
    assert history[-1]["reconstruction_error"] < 0.8 * history[0]["reconstruction_error"]


def test_the_rate_is_constant_and_then_falls_linearly_to_zero():
    schedule = {"learning_rate": 0.4, "constant_until": 0.5}
    rates = [stack.learning_rate_at(p, schedule) for p in (0.0, 0.5, 0.75, 1.0)]
    np.testing.assert_allclose(rates, [0.4, 0.4, 0.2, 0.0])
    assert stack.learning_rate_at(1.0, {"learning_rate": 0.4, "constant_until": 1.0}) == 0.4


def test_diverging_training_stops_with_a_sentence():
    with pytest.raises(UserError, match="toy sdae layer1 diverged; lower its learning_rate"), np.errstate(all="ignore"):
        train("sdae", settings=settings("sdae", learning_rate=1e30))


@pytest.mark.parametrize("pass_up", ["means", "samples"])
def test_encoding_passes_up_means_or_samples(pass_up):
    rng = np.random.default_rng(0)
    layers = [
        RBM(rng.normal(size=(7, 11)).astype("f4"), np.zeros(7, "f4"), np.zeros(11, "f4"), pass_up),
        RBM(rng.normal(size=(5, 7)).astype("f4"), np.zeros(5, "f4"), np.zeros(7, "f4"), pass_up),
    ]
    x = np.tile(rng.random((1, 11), dtype=np.float32), (4000, 1))
    means = stack.encode(layers, x)
    np.testing.assert_allclose(means, layers[1].mean_hidden(layers[0].mean_hidden(x)))
    encoded = stack.encode(layers[:1], x, generator(3))
    expected = layers[0].mean_hidden(x)
    if pass_up == "means":
        np.testing.assert_array_equal(encoded, expected)
    else:
        assert set(np.unique(encoded)) == {0, 1}
        np.testing.assert_allclose(encoded.mean(axis=0), expected[0], atol=0.05)


@pytest.mark.parametrize("kinds", [("means",), ("samples",), ("means", "samples"), ("samples", "samples", "means")])
def test_what_the_layers_below_make_of_a_finite_set_is_made_once_and_is_the_same(kinds, monkeypatch):
    finite = ExampleStream(Stream().batch(0, 43), seed=5)
    endless = SimpleNamespace(batch=finite.batch)
    rng, sizes = np.random.default_rng(4), [PIXELS, 9, 8, 6]
    lower = [
        RBM(rng.normal(size=(above, below)).astype("f4"), np.zeros(above, "f4"), np.zeros(below, "f4"), kind)
        for kind, below, above in zip(kinds, sizes, sizes[1:], strict=False)
    ]
    given = {"seed": 1, "stage": ("toy",), "held_out": Stream().batch(5000, 13)}
    expected, _ = stack.pretrain_layer("dbn", endless, lower, settings("dbn"), **given)

    encoded, mean_hidden = [], RBM.mean_hidden

    def counting(layer, visible, **arrays):
        if layer is lower[0]:
            encoded.append(len(visible))
        return mean_hidden(layer, visible, **arrays)

    monkeypatch.setattr(RBM, "to", lambda layer, xp: layer)
    monkeypatch.setattr(RBM, "mean_hidden", counting)
    kept, _ = stack.pretrain_layer("dbn", finite, lower, settings("dbn"), **given)
    for name in stack.PARAMETERS:
        np.testing.assert_allclose(getattr(kept, name), getattr(expected, name), rtol=1e-5, atol=1e-6)
    assert sum(encoded) == 13 + stack.INITIAL_EXAMPLES + 43  # held out, for the first biases, and once for the 330 seen


@pytest.mark.parametrize("model, kind", [("dbn", RBM), ("sdae", DenoisingAutoencoder)])
def test_a_stored_layer_comes_back_with_how_it_came_to_be(model, kind, tmp_path):
    layer = train(model)[0]
    record = stack.metadata(
        model, settings(model), seed=1, stage=("toy", model, "layer1"), xp=np, versions={"numpy": np.__version__}
    )
    stack.save_layer(tmp_path / "layer1.npz", layer, record)
    loaded = stack.load_layer(tmp_path / "layer1.npz")
    assert type(loaded) is kind and loaded.pass_up == "samples"
    assert_same(layer, loaded)
    with np.load(tmp_path / "layer1.npz") as stored:
        assert stored["weights"].shape == (UNITS, PIXELS) and stored["weights"].dtype == np.float32
        assert json.loads(str(stored["metadata"]))["settings"] == settings(model)


def test_dead_units_are_those_that_never_change():
    weights = np.zeros((3, 11), np.float32)
    weights[1] = 0.5
    weights[2] = 1e-4
    layer = RBM(weights, np.zeros(3, np.float32), np.zeros(11, np.float32))
    np.testing.assert_array_equal(layer.dead_units(Stream().batch(0, 50)), [True, False, True])
