"""Every stage on the GPU, or on the stand-in for CuPy where there is none, agrees with NumPy."""

import numpy as np
import pytest

from deepunits import randomness
from deepunits.backend import to_host
from deepunits.data.infinite_mnist import InfiniteMNIST, hash_numbers
from deepunits.data.streams import ExampleStream
from deepunits.errors import UserError
from deepunits.invariance.alternatives import random_walks
from deepunits.invariance.constrained_ascent import STEPS
from deepunits.invariance.firing import firing_invariance
from deepunits.invariance.hessian import principal_curvatures, walk_along
from deepunits.invariance.manifold import trace_manifold
from deepunits.invariance.search import optima
from deepunits.invariance.transformations import amounts, transformation_matrices
from deepunits.invariance.transformed_optima import transformed_optima
from deepunits.models import classifier, stack
from deepunits.models.autoencoder import Denoising
from deepunits.models.classifier import error_rate, fine_tune, refit, with_output_layer
from deepunits.models.network import Network
from deepunits.models.stack import pretrain_layer
from deepunits.randomness import generator, uniform
from deepunits.visualize import sampling
from deepunits.visualize.activation_maximization import maximize_activation
from deepunits.visualize.sampling import sample_clamped_units
from deepunits.visualize.strongest import strongest_examples

pytestmark = pytest.mark.gpu
PIXELS, UNITS, BATCH, NORM = 13, 11, 7, 3.0
LAYER = {
    "units": UNITS,
    "examples": 3 * 5 * BATCH,
    "batch": BATCH,
    "learning_rate": 0.1,
    "constant_until": 0.5,
    "weight_decay": 0.001,
    "initial_weights": 0.5,
    "visible": "bernoulli",
    "pass_up": "samples",
}
KINDS = {
    "CD": ("dbn", {"gibbs_steps": 2, "persistent": False}),
    "persistent chains": ("dbn", {"persistent": True, "momentum": 0.5}),
    "sparsity": ("dbn", {"persistent": True, "sparsity_target": 0.1, "sparsity_cost": 0.3}),
    "Gaussian": ("dbn", {"persistent": False, "visible": "gaussian", "visible_variance": 0.5}),
    "zeros": ("sdae", {"corrupted": 0.5, "pass_up": "means"}),
    "salt and pepper": ("sdae", {"corruption": "salt_and_pepper", "corrupted": 0.3, "visible": "centred"}),
    "large batch": ("sdae", {"corrupted": 0.5, "batch": 41, "examples": 3 * 2 * 41}),
    "momentum": ("sdae", {"corruption": "salt_and_pepper", "corrupted": 0.3, "momentum": 0.5}),
    "no corruption": ("sdae", {"corrupted": 0.0, "visible": "gaussian", "visible_variance": 0.5}),
}


class SameNumbers:
    """On the device, the numbers that NumPy's generator draws."""

    def __init__(self, xp, sequence):
        self.xp, self.numbers = xp, np.random.Generator(np.random.SFC64(sequence))

    def __getattr__(self, name):
        return lambda *arguments, **options: self.xp.asarray(getattr(self.numbers, name)(*arguments, **options))

    def key(self):
        return self.numbers.bit_generator.random_raw() >> 1

    def random(self, size, dtype):
        return self.xp.asarray(uniform(self.numbers, np.empty(size, dtype)))


@pytest.fixture(autouse=True)
def one_source_of_numbers(gpu, monkeypatch):
    """Let the device draw the numbers of NumPy, and NumPy draw states and masks as the kernels do."""

    def as_the_kernel_draws(rng, probability, scratch, out):
        key = np.uint64(rng.bit_generator.random_raw() >> 1)
        bits = hash_numbers(np.arange(out.size), key).reshape(out.shape)
        out[...] = (bits >> np.uint64(40)).astype(np.float32) / 2**24 < probability
        return out

    def corrupt_as_the_kernel_does(self, examples, rng, out):
        if not isinstance(examples, np.ndarray):
            return corrupt(self, examples, rng, out)
        key, count = np.uint64(rng.bit_generator.random_raw() >> 1), len(self.masks)
        rows, components = np.arange(len(out)), len(out) + np.arange(out.size)
        kept = self.masks[(hash_numbers(rows, key) % np.uint64(count)).astype(int)]
        bits = (hash_numbers(components, key) >> np.uint64(63)).astype(np.float32).reshape(out.shape)
        noise = bits - 0.5 * (self.autoencoder.visible == "centred") if self.corruption == "salt_and_pepper" else 0
        out[...] = np.where(kept, examples, noise)
        return out

    def as_the_generator_draws(rng, probability, scratch, out):
        out[...] = uniform(rng, scratch) < probability
        return out

    def mask_as_the_generator_draws(rng, share, out):
        if not isinstance(out, np.ndarray):
            return mask(rng, share, out)
        out[...] = (uniform(rng, out) >= share) * np.float32(1 / (1 - share))
        return out

    corrupt, mask = Denoising.corrupt, classifier.dropout_mask
    monkeypatch.setattr(Denoising, "corrupt", corrupt_as_the_kernel_does)
    monkeypatch.setattr(randomness, "_DeviceGenerator", SameNumbers)
    monkeypatch.setattr(randomness, "bernoulli", as_the_kernel_draws)
    monkeypatch.setattr(sampling, "bernoulli", as_the_generator_draws)
    monkeypatch.setattr(classifier, "dropout_mask", mask_as_the_generator_draws)
    monkeypatch.setattr(stack, "EPOCH", 5 * 41)
    monkeypatch.setattr(stack, "BLOCK", 3 * BATCH)


def examples(count=100, seed=0, low=0.0):
    rng = np.random.default_rng(seed)
    prototypes = rng.random((3, PIXELS)) < 0.5
    return (abs(prototypes[np.arange(count) % 3] - 0.1 * rng.random((count, PIXELS))) + low).astype(np.float32)


def pretrained(xp, kind, lower=(), **options):
    """Return the layer and the history of a training, and what it cost."""
    model, changes = KINDS[kind]
    settings = LAYER | changes | options.pop("settings", {})
    low = -0.5 if settings["visible"] == "centred" else 0.0
    stream = ExampleStream(examples(low=low), seed=3, xp=xp)
    given = {"seed": 1, "stage": ("toy", kind), "held_out": examples(23, seed=1, low=low), "xp": xp} | options
    return pretrain_layer(model, stream, lower, settings, **given)


@pytest.mark.parametrize("kind", KINDS)
def test_pretraining(gpu, kind):
    (on_host, expected), (on_device, history) = pretrained(np, kind), pretrained(gpu, kind)
    for name in stack.PARAMETERS:
        np.testing.assert_allclose(getattr(on_device, name), getattr(on_host, name), atol=1e-4)
    assert np.isfinite(on_host.weights).all()
    errors = [[record["reconstruction_error"] for record in run] for run in (expected, history)]
    np.testing.assert_allclose(*errors, rtol=1e-4)


def test_upper_layers_train_on_infinite_digits(gpu):
    digits = np.random.default_rng(0).integers(0, 256, (5, 784)).astype(np.uint8)
    trained = []
    for xp in (np, gpu):
        stream = InfiniteMNIST(digits, np.arange(5), seed=5, displacement=1.5, smoothness=4.0, fields=11, xp=xp)
        np.testing.assert_array_equal(to_host(stream.batch_labels(3, 9)), np.arange(3, 12) % 5)
        layers = []
        for kind in ("CD", "sparsity"):
            model, settings = KINDS[kind][0], LAYER | KINDS[kind][1] | {"examples": 6 * BATCH}
            given = {"seed": 1, "stage": ("toy", kind, len(layers)), "held_out": digits / np.float32(255), "xp": xp}
            layers.append(pretrain_layer(model, stream, layers, settings, **given)[0])
        trained.append(layers[1].weights)
    np.testing.assert_allclose(trained[1], trained[0], atol=1e-4)


def test_a_training_that_is_taken_up_again(gpu, tmp_path):
    class KilledError(Exception):
        pass

    def kill(line):
        raise KilledError

    for kind in ("persistent chains", "momentum"):
        given = {"settings": {"examples": 500}, "checkpoint": tmp_path / f"{kind}.npz"}
        whole, _ = pretrained(gpu, kind, settings=given["settings"])
        stack_log = {"log": lambda line: kill(line) if " 410 " in line else None}
        with pytest.raises(KilledError):
            pretrained(gpu, kind, **given, **stack_log)
        resumed, history = pretrained(gpu, kind, **given)
        np.testing.assert_array_equal(resumed.weights, whole.weights)


def network(xp=np, sizes=(PIXELS, 11, 7, 5), spread=1.0):
    rng = np.random.default_rng(0)
    weights = [spread * rng.normal(size=shape) for shape in zip(sizes[1:], sizes[:-1], strict=True)]
    biases = [rng.normal(size=len(w)) for w in weights]
    return Network(*([xp.asarray(a, dtype=np.float32) for a in arrays] for arrays in (weights, biases)))


def classified(xp):
    return ExampleStream(examples(), seed=3, labels=(np.arange(100) % 3).astype(np.uint8), xp=xp)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_fine_tuning(gpu, dropout):
    settings = {
        "epochs": 3,
        "epoch_examples": 50,
        "batch": BATCH,
        "learning_rate": 0.3,
        "constant_until": 0.5,
        "weight_decay": 0.01,
        "filter_decay": 0.01,
        "input_dropout": dropout,
        "hidden_dropout": dropout,
        "patience": 3,
        "refit": 1,
    }
    valid, found = (examples(31, seed=2), np.arange(31) % 3), []
    for xp in (np, gpu):
        start = with_output_layer([pretrained(np, "CD")[0]], 3)
        tuned = fine_tune(start, classified(xp), valid, settings, seed=1, stage=("toy",), xp=xp)
        found.append((tuned, refit(classified(xp), 60, tuned, settings, seed=1, stage=("toy",), xp=xp)))
    for on_host, on_device in zip(*found, strict=True):
        assert on_device.train_errors == on_host.train_errors and on_device.valid_errors == on_host.valid_errors
        for expected, weights in zip(on_host.network.weights, on_device.network.weights, strict=True):
            np.testing.assert_allclose(weights, expected, atol=1e-4)
    assert error_rate(found[0][0].network.to(gpu), *valid) == error_rate(found[0][0].network, *valid)


# A threshold well above the rounding of single precision, so that searches end at the same step on both.
SEARCH = {"norm": NORM, "learning_rate": 0.5, "threshold": 1e-5, "max_steps": 500}


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("preconditioned", [False, True])
def test_activation_maximization(gpu, layer, preconditioned):
    units, found = np.array([4, 0, 2]), []
    covariance = np.cov(examples().T).astype(np.float32) + np.eye(PIXELS, dtype=np.float32)
    for xp in (np, gpu):
        given = SEARCH | {"preconditioner": xp.asarray(covariance) if preconditioned else None}
        rng = generator(1, "maxima", xp=xp)
        found.append(maximize_activation(network(xp), layer, units, restarts=3, rng=rng, **given))
    expected, on_device = found
    np.testing.assert_allclose(on_device.inputs, expected.inputs, atol=1e-2)
    np.testing.assert_allclose(on_device.activations, expected.activations, atol=1e-4)
    np.testing.assert_array_equal(on_device.converged, expected.converged)
    assert abs(on_device.steps - expected.steps).max() <= 3 + 0.1 * expected.steps.max()


def test_ascents_that_are_given_up_take_all_their_steps_and_no_more(gpu):
    given = SEARCH | {"threshold": 0.0, "max_steps": 37}
    rng = generator(1, "maxima", xp=gpu)
    found = maximize_activation(network(gpu), 2, [0, 1], restarts=2, rng=rng, **given)
    expected = maximize_activation(network(), 2, [0, 1], restarts=2, rng=generator(1, "maxima"), **given)
    np.testing.assert_array_equal(found.steps, expected.steps)
    np.testing.assert_allclose(found.inputs, expected.inputs, atol=1e-4)


@pytest.mark.parametrize("kinds", [("CD", "CD"), ("Gaussian", "CD")])
def test_clamped_sampling(gpu, kinds):
    found = []
    first = pretrained(np, kinds[0])[0]
    second = pretrained(np, kinds[1], [first])[0]
    for xp in (np, gpu):
        given = {"steps": 6, "every": 2, "chains": 3, "kept": 4, "rng": generator(1, "samples", xp=xp)}
        found.append(sample_clamped_units([layer.to(xp) for layer in (first, second)], [0, 3], **given))
    for expected, on_device in zip(*found, strict=True):
        np.testing.assert_allclose(on_device, expected, atol=1e-5)


def test_a_generator_of_cupys_own_does(gpu):
    layers = [pretrained(np, "CD")[0].to(gpu)]

    def drawn(seed):
        return sample_clamped_units(layers, [0, 3], steps=2, every=1, kept=2, rng=gpu.random.default_rng(seed))[0]

    np.testing.assert_array_equal(drawn(1), drawn(1))
    assert (drawn(1) != drawn(2)).any()


def test_a_generator_of_numpy_is_refused_on_a_gpu(gpu):
    with pytest.raises(UserError, match=f"rng is of type Generator; give .*generator.0, xp={gpu.__name__}"):
        maximize_activation(network(gpu), 1, [0], rng=generator(0), **SEARCH)


def test_arrays_of_numpy_are_moved_to_a_gpu(gpu):
    maxima = maximize_activation(network(), 2, [0, 3], restarts=2, preconditioner=np.eye(PIXELS), **SEARCH)
    optimum, matrices = maxima.best, np.stack([np.eye(PIXELS), np.eye(PIXELS)[::-1]])
    found = []
    for xp in (np, gpu):
        net, units = network(xp), xp.asarray([0, 3])
        traced = trace_manifold(net, 2, units, optimum, epsilons=[0.0], unwhitening=np.eye(PIXELS))
        strongest = strongest_examples(net, 2, units, examples(), 4)
        curvatures = principal_curvatures(net, 2, 3, optimum[1]).curvatures
        moved = transformed_optima(net, 2, units, optimum, matrices, norm=NORM)[1]
        fires = firing_invariance(net, 2, units, examples(), matrices, global_rate=0.2, strongest=2).scores
        maximize_activation(net, 2, units, restarts=2, preconditioner=np.eye(PIXELS), **SEARCH)
        found.append((traced.activations, strongest, curvatures, moved, fires))
    for expected, on_device in zip(*found, strict=True):
        np.testing.assert_allclose(on_device, expected, atol=1e-3)


def maxima_of(net, layer, units):
    found = maximize_activation(net, layer, units, restarts=2, rng=generator(1), **SEARCH)
    return {name: getattr(found, name) for name in ("units", "inputs", "activations", "steps", "converged", "norm")}


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("minimize", [False, True])
def test_manifolds(gpu, layer, step, minimize):
    covariance = np.cov(examples().T) + np.eye(PIXELS)
    values, vectors = np.linalg.eigh(covariance)
    found, maxima = [], maxima_of(network(), layer, range(3))
    for xp in (np, gpu):
        rng = generator(1, "optima", xp=xp)
        optimum = optima(network(xp), layer, maxima, SEARCH, rng=rng)
        given = {
            "norm": NORM,
            "epsilons": (0.0, 0.3, 1.1, 2.0),
            "trials": 2,
            "perturbation": 0.1,
            "unwhitening": (vectors * values**0.5) @ vectors.T,
            "learning_rate": 0.03,
            "threshold": 1e-3,
            "max_steps": 23,
            "step": step,
            "minimize": minimize,
            "shown": (1, 2),
        }
        units, rng = np.arange(len(optimum)), generator(1, "manifolds", xp=xp)
        found.append(trace_manifold(network(xp), layer, units, optimum, rng=rng, **given))
    expected, on_device = found
    np.testing.assert_allclose(on_device.activations, expected.activations, atol=2e-3)
    np.testing.assert_allclose(on_device.inputs, expected.inputs, atol=2e-2)
    np.testing.assert_array_equal(on_device.converged, expected.converged)
    assert abs(on_device.steps - expected.steps).max() <= 1


def test_curvatures_and_walks(gpu):
    best, found = maximize_activation(network(), 3, [2], restarts=1, rng=generator(1), **SEARCH).inputs[0, 0], []
    for xp in (np, gpu):
        optimum = xp.asarray(best)
        principal = principal_curvatures(network(xp), 3, 2, optimum)
        walks = walk_along(network(xp), 3, 2, optimum, principal.directions[:2], (0.0, 0.7, 2.0))
        rng = generator(1, "walks", xp=xp)
        root = xp.eye(PIXELS, dtype=np.float32)
        random = random_walks(network(xp), 3, [2], optimum[None], (0.0, 0.7, 2.0), count=5, root=root, rng=rng)
        found.append((principal.curvatures, walks[0], random))
    for expected, on_device in zip(*found, strict=True):
        np.testing.assert_allclose(on_device, expected, atol=1e-3)


def test_transformations_and_strongest_examples(gpu):
    sizes, units, found = (25, 11, 7), np.arange(4), []
    images = np.random.default_rng(0).random((600, 25), dtype=np.float32)
    matrices = transformation_matrices("rotation", amounts("rotation", 30.0, 2), (5, 5))
    for xp in (np, gpu):
        net, shown = network(xp, sizes), xp.asarray(images)
        best = NORM * shown[:4] / xp.linalg.norm(shown[:4], axis=1, keepdims=True)
        firing = firing_invariance(net, 2, units, shown, matrices, global_rate=0.05, strongest=20)
        moved = transformed_optima(net, 2, units, best, matrices, norm=NORM)
        found.append((firing.scores, *moved, strongest_examples(net, 2, units, shown, 3)))
    for expected, on_device in zip(*found, strict=True):
        np.testing.assert_allclose(on_device, expected, rtol=1e-4, atol=1e-4)
