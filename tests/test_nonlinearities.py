"""Networks with any nonlinearity between their layers: against a plain loop, central differences and closed forms."""

import numpy as np
import pytest
from scipy.special import expit

from deepunits.backend import array_module, to_host
from deepunits.errors import UserError
from deepunits.invariance.hessian import hessian_vector_product
from deepunits.invariance.manifold import trace_manifold
from deepunits.models.classifier import Backpropagation
from deepunits.models.network import Network
from deepunits.models.nonlinearities import NONLINEARITIES
from deepunits.visualize.activation_maximization import maximize_activation

SIZES = (11, 7, 5, 3)  # pixels, then units of layers 1, 2, 3
PLAIN = {"sigmoid": expit, "tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "identity": lambda a: a}
KINDS = [*NONLINEARITIES, ("relu", "tanh"), ("sigmoid", "identity"), ("tanh", "sigmoid")]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def network(kind, dtype=float, sizes=SIZES):
    rng = np.random.default_rng(3)
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    weights = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    return Network(weights, [rng.normal(size=len(w)).astype(dtype) for w in weights], kind)


def plain_activations(network, x, layer):
    for k in range(layer - 1):
        x = PLAIN[network.nonlinearities[k]](x @ network.weights[k].T + network.biases[k])
    return x @ network.weights[layer - 1].T + network.biases[layer - 1]


@pytest.mark.parametrize("dtype", [np.float32, float])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_activations_are_those_of_a_plain_loop(kind, dtype, rng):
    seen, x = network(kind, dtype), rng.normal(size=(13, SIZES[0])).astype(dtype)
    kept, tolerance = x.copy(), 1e-12 if dtype is float else 2e-5
    for layer in (1, 2, 3):
        units = rng.integers(0, SIZES[layer], 13)
        expected = plain_activations(seen, x.astype(float), layer)
        np.testing.assert_allclose(seen.activations(x, layer), expected, rtol=tolerance, atol=tolerance)
        found = seen.unit_activation(x, layer, units)
        np.testing.assert_allclose(found, expected[np.arange(13), units], rtol=tolerance, atol=tolerance)
        assert found.dtype == dtype
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_gradients_and_products_with_the_hessian_are_central_differences(kind, layer, rng):
    seen, (x, vectors) = network(kind), rng.normal(size=(2, 17, SIZES[0]))
    units, step = rng.integers(0, SIZES[layer], 17), 1e-6
    before = [array.copy() for array in (*seen.weights, *seen.biases, x)]
    activation, gradient = seen.unit_gradient(x, layer, units)
    product = hessian_vector_product(seen, layer, units, x, vectors)
    ahead, behind = (seen.unit_gradient(x + sign * step * vectors, layer, units) for sign in (1, -1))
    along = (ahead[0] - behind[0]) / (2 * step)
    np.testing.assert_allclose((gradient * vectors).sum(axis=1), along, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(product, (ahead[1] - behind[1]) / (2 * step), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(activation, seen.unit_activation(x, layer, units), rtol=1e-12)
    assert all((a == b).all() for a, b in zip(before, (*seen.weights, *seen.biases, x), strict=True))


def test_a_network_without_nonlinearities_is_its_product(rng):
    deep, norm, epsilons = network("identity", np.float32), 3.0, np.linspace(0, 2, 11)
    whole = deep.weights[2] @ deep.weights[1] @ deep.weights[0]
    maxima = maximize_activation(
        deep, 3, range(3), norm=norm, restarts=2, learning_rate=1.0, threshold=1e-7, max_steps=500, rng=rng
    )
    assert maxima.converged.all()
    directions = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    np.testing.assert_allclose(maxima.best, norm * directions, atol=1e-3 * norm)
    found = trace_manifold(
        deep, 3, range(3), maxima.best, norm=norm, epsilons=epsilons, trials=1, perturbation=0.05, step="plain",
        unwhitening=np.eye(SIZES[0]), learning_rate=0.1, threshold=0.0, max_steps=50, rng=rng,
    )  # fmt: skip
    constant = deep.activations(np.zeros((1, SIZES[0]), np.float32), 3)[0]
    linear = found.activations[:, 0] - constant[:, None]
    expected = (1 - epsilons**2 / 2) * norm * np.linalg.norm(whole, axis=1, keepdims=True)
    np.testing.assert_allclose(linear, expected, atol=1e-3 * expected.max())


def test_copies_keep_the_nonlinearities():
    seen = network(("relu", "tanh"))
    assert seen.copy().nonlinearities == seen.to(array_module(seen.weights[0])).nonlinearities == ("relu", "tanh")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("swish", "a nonlinearity is 'swish'; set it to sigmoid or tanh or relu or identity"),
        (("relu", None), "a nonlinearity is None; set it to sigmoid or"),
        (("relu",), "there are 1 nonlinearities for 3 layers; give the 2 between them"),
        (("relu", "relu", "relu"), "there are 3 nonlinearities for 3 layers; give the 2 between them"),
    ],
)
def test_what_is_no_nonlinearity_is_one_sentence(given, sentence):
    with pytest.raises(UserError, match=sentence):
        network(given)


def test_training_is_for_sigmoids():
    with pytest.raises(UserError, match="a nonlinearity of the network to train is 'relu'; set it to sigmoid"):
        Backpropagation(network("relu", np.float32), batch=5)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_device_computes_the_same(kind, gpu, rng):
    host, (x, vectors) = network(kind, np.float32), rng.normal(size=(2, 17, SIZES[0])).astype(np.float32)
    device, units = host.to(gpu), rng.integers(0, SIZES[3], 17)
    assert device.nonlinearities == host.nonlinearities
    there = [gpu.asarray(array) for array in (units, x, vectors)]
    pairs = [
        (host.activations(x, 3), device.activations(there[1], 3)),
        *zip(host.unit_gradient(x, 3, units), device.unit_gradient(there[1], 3, there[0]), strict=True),
        (hessian_vector_product(host, 3, units, x, vectors), hessian_vector_product(device, 3, *there)),
    ]
    for expected, found in pairs:
        np.testing.assert_allclose(to_host(found), expected, rtol=1e-4, atol=1e-4)


def test_without_a_generator_the_starts_are_the_same_in_every_call():
    seen = network("tanh", np.float32)
    one, other = (maximize_activation(seen, 3, [2, 0], norm=2.0, max_steps=20) for _ in range(2))
    assert one.inputs.shape == (2, 9, SIZES[0])
    np.testing.assert_array_equal(one.inputs, other.inputs)
    one, other = (trace_manifold(seen, 3, [2, 0], one.best, shown=[0]) for _ in range(2))
    assert one.activations.shape == (2, 1, 21) and one.norm == pytest.approx(2.0)
    np.testing.assert_array_equal(one.inputs, other.inputs)
