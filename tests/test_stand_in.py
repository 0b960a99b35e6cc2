"""The stand-in for CuPy is strict; what a step launches on a GPU, and how seldom training and searches wait for one."""

import types

import numpy as np
import pytest
import stand_in
from stand_in import counted

from deepunits import kernels
from deepunits.backend import to_host
from deepunits.data.streams import ExampleStream
from deepunits.invariance.manifold import trace_manifold
from deepunits.models import stack
from deepunits.models.autoencoder import Denoising, DenoisingAutoencoder
from deepunits.models.classifier import Backpropagation, fine_tune, random_network
from deepunits.models.rbm import RBM, ContrastiveDivergence
from deepunits.randomness import generator
from deepunits.visualize.activation_maximization import maximize_activation
from deepunits.visualize.sampling import sample_clamped_units

PIXELS, UNITS = 13, 11


def rows(count, width=PIXELS):
    return np.random.default_rng(count).random((count, width), dtype=np.float32)


# --- what it refuses and counts ---


@pytest.mark.parametrize(
    "mix",
    [
        lambda host, device: host + device,
        lambda host, device: device * host,
        lambda host, device: host @ device,
        lambda host, device: device.__iadd__(host),
        lambda host, device: device < host,
        lambda host, device: np.tanh(device),
        lambda host, device: np.concatenate([device, device]),
        lambda host, device: np.asarray(device),
        lambda host, device: host.__setitem__(0, device[0]),
        lambda host, device: stand_in.maximum(device, host),
        lambda host, device: stand_in.concatenate([device, host]),
        lambda host, device: stand_in.matmul(device, device, out=host),
        lambda host, device: device[np.arange(2)],
        lambda host, device: device.__setitem__(slice(None), host),
        lambda host, device: host[device > 0],
    ],
)
def test_host_and_device_do_not_mix(mix):
    host, device = rows(3, 3), stand_in.asarray(rows(3, 3))
    with pytest.raises((TypeError, IndexError)):
        mix(host, device)


def test_kernels_take_their_types_alone(stand_in_for_cupy):
    device, host = stand_in.asarray(rows(3)), rows(3)
    for wrong in (host, device > 0.5, device.astype(np.int64)):
        with pytest.raises((TypeError, AttributeError)):
            kernels.launch("times_slope", device.size, device, wrong, 1.0, device.size)


def test_results_without_axes_stay_on_the_device_until_they_are_asked_for():
    counted.clear()
    device = stand_in.asarray(rows(3))
    total, part = device.sum(), device[0, 0]
    assert isinstance(total, stand_in.ndarray) and isinstance(part, stand_in.ndarray)
    assert isinstance(total + 1, stand_in.ndarray) and counted["waits"] == 0
    for ask in (float, int, bool, to_host, lambda x: x.item(), lambda x: device[device > x], stand_in.flatnonzero):
        counted.clear()
        ask(total)
        assert counted["waits"] == 1


def test_cupy_has_what_the_stand_in_has():
    cupy = pytest.importorskip("cupy")
    ours = vars(stand_in)
    borrowed = {name for name, value in ours.items() if isinstance(value, types.ModuleType | type(np.where))}
    own = {"CUDA", "TYPES", "LAUNCHING", "PRELUDE", "SOURCES", "Generator", "compiler", "counted", "Path"} | borrowed
    assert {name for name in ours if not name.startswith("_")} - own <= set(dir(cupy)) | {"cublas"}
    assert {name for name in vars(stand_in.ndarray) if name != "_host"} - set(dir(object)) <= {
        *dir(cupy.ndarray),
        "__dict__",
        "__weakref__",
    }
    assert {name for name in vars(stand_in.Generator) if not name.startswith("_")} <= set(dir(cupy.random.Generator))


# --- launches of a step ---


def launches(step):
    """Return what a second step launches; it is to wait for nothing."""
    step()
    counted.clear()
    step()
    assert counted["waits"] == 0
    return counted["launches"]


def layer(kind, **units):
    start = stand_in.asarray(rows(UNITS)), stand_in.zeros(UNITS, np.float32), stand_in.zeros(PIXELS, np.float32)
    return kind(*start, **units)


@pytest.mark.parametrize("corruption, visible", [("zero_mask", "bernoulli"), ("salt_and_pepper", "centred")])
@pytest.mark.parametrize("batch, most", [(20, 5), (100, 11)])
def test_launches_of_a_step_of_denoising(stand_in_for_cupy, corruption, visible, batch, most):
    trainer = Denoising(layer(DenoisingAutoencoder, visible=visible), batch, corruption=corruption)
    rng, examples = generator(1, xp=stand_in), stand_in.asarray(rows(batch) - np.float32(0.5 * (visible == "centred")))
    assert launches(lambda: trainer.step(examples, 0.1, rng)) <= most


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("sparsity", [0.0, 0.3])
def test_launches_of_a_step_of_contrastive_divergence(stand_in_for_cupy, persistent, sparsity):
    trainer = ContrastiveDivergence(layer(RBM), 100, persistent=persistent, sparsity_cost=sparsity, sparsity_target=0.1)
    rng, examples = generator(1, xp=stand_in), stand_in.asarray(rows(100))
    assert launches(lambda: trainer.step(examples, 0.1, rng)) <= 10


def test_launches_of_a_step_of_fine_tuning(stand_in_for_cupy):
    trainer = Backpropagation(random_network((PIXELS, 11, 7, 3), generator(1)).to(stand_in), 20)
    examples, labels = stand_in.asarray(rows(20)), stand_in.asarray(np.arange(20) % 3)
    assert launches(lambda: trainer.step(examples, labels, 0.1)) <= 6 * trainer.network.depth


# --- waits ---


def waits(run):
    counted.clear()
    run()
    return counted["waits"]


@pytest.mark.parametrize("model", ["dbn", "sdae"])
@pytest.mark.parametrize("changes", [{}, {"momentum": 0.5}, {"visible": "gaussian"}])
def test_an_epoch_of_pretraining_waits_at_its_ends_alone(stand_in_for_cupy, monkeypatch, model, changes):
    monkeypatch.setattr(stack, "BLOCK", 30)
    settings = {
        "units": UNITS,
        "batch": 10,
        "learning_rate": 0.1,
        "constant_until": 0.5,
        "initial_weights": 0.1,
        "visible": "bernoulli",
        "pass_up": "samples",
    } | changes
    given = {"seed": 1, "stage": ("toy",), "held_out": rows(23), "xp": stand_in}

    def train(examples):
        stream = ExampleStream(rows(100), seed=3, xp=stand_in)
        stack.pretrain_layer(model, stream, [], settings | {"examples": examples}, **given)

    assert waits(lambda: train(30)) == waits(lambda: train(600)) <= 10


def test_an_epoch_of_fine_tuning_waits_at_its_end_alone(stand_in_for_cupy):
    settings = {"epochs": 1, "batch": 10, "learning_rate": 0.1, "constant_until": 0.5, "patience": 1}
    settings |= dict.fromkeys(("weight_decay", "filter_decay", "input_dropout", "hidden_dropout"), 0.1)
    network, valid = random_network((PIXELS, 11, 7, 3), generator(1)), (rows(50), np.arange(50) % 3)

    def train(examples):
        stream = ExampleStream(rows(90), seed=3, labels=np.arange(90) % 3, xp=stand_in)
        given = {"seed": 1, "stage": ("toy",), "xp": stand_in}
        fine_tune(network, stream, valid, settings | {"epoch_examples": examples}, **given)

    once = waits(lambda: train(30))
    assert once == waits(lambda: train(600)) <= 3 + 2 * network.depth


def searched(**limits):
    """Return what an ascent and a tracing of manifolds wait, with so many steps at most."""
    network, units = random_network((PIXELS, 11, 7, 5), generator(1)).to(stand_in), np.arange(5)
    optimum = stand_in.asarray(rows(5))
    optimum /= stand_in.linalg.norm(optimum, axis=1, keepdims=True)
    common = {"norm": 1.0, "learning_rate": 0.1, "threshold": 0.0, "rng": generator(1, xp=stand_in)} | limits
    manifold = {"epsilons": [0.5], "trials": 1, "perturbation": 0.1, "unwhitening": np.eye(PIXELS)}
    return (
        waits(lambda: maximize_activation(network, 2, units, restarts=3, **common)),
        waits(lambda: trace_manifold(network, 3, units, optimum, **manifold, **common)),
    )


def test_searches_look_every_few_steps(stand_in_for_cupy):
    for few, more, every in zip(searched(max_steps=128), searched(max_steps=256), (16, 4), strict=True):
        assert more - few <= 128 / every


def test_sampling_waits_at_its_end_alone(stand_in_for_cupy):
    def sample(steps):
        rng = generator(1, xp=stand_in)
        sample_clamped_units([layer(RBM)], np.arange(3), steps=steps, every=2, chains=2, kept=4, rng=rng)

    assert waits(lambda: sample(10)) == waits(lambda: sample(50)) <= 3
