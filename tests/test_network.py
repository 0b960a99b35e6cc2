"""The feed-forward view: activations against a plain loop, input gradients against central differences."""

import numpy as np
import pytest
from scipy.special import expit

from deepunits.errors import UserError
from deepunits.models.network import BLOCK, Network, activations_of, dead_units

SIZES = (11, 7, 5, 3)  # pixels, then units of layers 1, 2, 3


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    shapes = list(zip(SIZES[1:], SIZES[:-1], strict=True))
    return Network([rng.normal(size=s) for s in shapes], [rng.normal(size=s[0]) for s in shapes])


def plain_activation(network, x, layer, unit):
    for k in range(layer - 1):
        x = expit(network.weights[k] @ x + network.biases[k])
    return network.weights[layer - 1][unit] @ x + network.biases[layer - 1][unit]


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_activation_of_a_different_unit_in_each_row(network, layer):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(13, SIZES[0]))
    units = rng.integers(0, SIZES[layer], 13)
    expected = [plain_activation(network, row, layer, unit) for row, unit in zip(x, units, strict=True)]
    np.testing.assert_allclose(network.unit_activation(x, layer, units), expected, rtol=1e-12)
    np.testing.assert_allclose(network.activations(x, layer)[np.arange(13), units], expected, rtol=1e-12)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_input_gradient_by_central_differences(network, layer):
    x = np.random.default_rng(2).normal(size=(SIZES[layer], SIZES[0]))
    units, step = np.arange(SIZES[layer]), 1e-5
    activation, gradient = network.unit_gradient(x, layer, units)
    numeric = np.empty_like(x)
    for pixel in range(SIZES[0]):
        shift = step * np.eye(SIZES[0])[pixel]
        above = network.unit_activation(x + shift, layer, units)
        numeric[:, pixel] = (above - network.unit_activation(x - shift, layer, units)) / (2 * step)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(activation, network.unit_activation(x, layer, units), rtol=1e-12)


def test_the_gradient_leaves_the_network_and_the_input_unchanged(network):
    x = np.ones((3, SIZES[0]))
    before = [w.copy() for w in network.weights]
    network.unit_gradient(x, 3, np.arange(3))
    assert (x == 1).all()
    assert all((a == b).all() for a, b in zip(before, network.weights, strict=True))


@pytest.mark.parametrize("layer", [0, 4])
def test_a_layer_that_is_not_there(network, layer):
    with pytest.raises(UserError, match=f"layer {layer} was asked for, but the network has layers 1 to 3"):
        network.activations(np.ones((1, SIZES[0])), layer)


@pytest.mark.parametrize("unit", [-1, 5])
def test_a_unit_that_is_not_there(network, unit):
    with pytest.raises(UserError, match=f"units 0 to 4; unit {unit}"):
        network.unit_gradient(np.ones((1, SIZES[0])), 2, np.array([unit]))


def test_layers_that_do_not_fit_together():
    with pytest.raises(UserError, match="layer 2"):
        Network([np.ones((5, 7)), np.ones((3, 4))], [np.ones(5), np.ones(3)])


def test_many_examples_are_activated_in_blocks(network):
    x, units = np.random.default_rng(3).normal(size=(BLOCK + 7, SIZES[0])), np.array([4, 0])
    found = activations_of(network, 2, units, x)
    np.testing.assert_allclose(found, network.activations(x, 2)[:, units], rtol=1e-12)
    assert activations_of(network, 2, units, x[:0]).shape == (0, 2)


@pytest.mark.parametrize("nonlinearity", ["sigmoid", "relu"])
def test_a_dead_unit_never_changes(nonlinearity):
    weights, x = np.random.default_rng(4).normal(size=(7, 5)), np.random.default_rng(5).normal(size=(50, 5))
    weights[[1, 6]] = 0
    biases = np.where(np.arange(7) == 3, 60.0, 0.0)  # a saturated sigmoid is dead, a ReLU is not
    network = Network([weights, np.ones((2, 7))], [biases, np.zeros(2)], nonlinearity)
    expected = [1, 3, 6] if nonlinearity == "sigmoid" else [1, 6]
    np.testing.assert_array_equal(np.flatnonzero(dead_units(network, 1, x)), expected)
    assert not dead_units(network, 2, x).any()
