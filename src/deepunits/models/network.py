"""The feed-forward view of any trained model: what activation maximization and invariance analysis see."""

from collections.abc import Sequence

import numpy as np

from deepunits.backend import array_module, matmul, row_dot, sigmoid, to_host
from deepunits.checks import check_finite, check_in_layer, check_layer, float_array
from deepunits.errors import UserError
from deepunits.models.nonlinearities import NONLINEARITIES, between_layers


class Network:
    """Layers of affine maps with nonlinearities between them, numbered from 1 as in the paper.

    The activation of a unit is the weighted sum of its inputs plus its bias, before the nonlinearity: h_ij, footnote 3.

    Parameters
    ----------
    weights : sequence of arrays (units of the layer, units of the layer below)
    biases : sequence of arrays (units of the layer,)
    nonlinearities : {'sigmoid', 'tanh', 'relu', 'identity'} or a sequence of these
        Of every layer but the last, whose outputs are not asked for; one name stands for all.

    Raises
    ------
    UserError
        If the layers do not fit on one another, or a nonlinearity is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> from deepunits import Network
    >>> network = Network([np.eye(3), np.ones((2, 3))], [np.zeros(3), np.ones(2)], "relu")
    >>> network.activations(np.array([[1.0, 2.0, -4.0]]), layer=2)
    array([[4., 4.]])
    """

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        biases: Sequence[np.ndarray],
        nonlinearities: str | Sequence[str] = "sigmoid",
    ):
        for name, given in (("weights", weights), ("biases", biases)):
            if not np.iterable(given):
                raise UserError(f"{name} are {given!r}; give an array for each layer, bottom first.")
        self.weights = [float_array("weights", w) for w in weights]
        self.biases = [float_array("biases", b) for b in biases]
        if len(self.weights) != len(self.biases) or not self.weights:
            raise UserError(
                f"there are {len(self.weights)} weights and {len(self.biases)} biases; give one of each a layer."
            )
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            if w.ndim != 2 or b.shape != w.shape[:1] or (k > 1 and w.shape[1] != len(self.weights[k - 2])):
                raise UserError(f"layer {k} has weights {w.shape} and biases {b.shape}, which do not fit together.")
        self.nonlinearities = between_layers(nonlinearities, self.depth)

    @classmethod
    def from_layers(cls, layers):
        """Return the network of a stack of layers, each with `weights` and `hidden_bias`."""
        return cls([layer.weights for layer in layers], [layer.hidden_bias for layer in layers])

    @property
    def depth(self):
        """Number of layers."""
        return len(self.weights)

    @property
    def pixels(self):
        """Number of components of an input."""
        return self.weights[0].shape[1]

    def units(self, layer):
        """Return the number of units of `layer`."""
        check_layer(layer, self.depth)
        return len(self.weights[layer - 1])

    def to(self, xp):
        """Return the same network with its arrays in the array module `xp`."""
        move = to_host if xp is np else xp.asarray
        return Network([move(w) for w in self.weights], [move(b) for b in self.biases], self.nonlinearities)

    def copy(self):
        """Return a network with arrays of its own."""
        return Network([w.copy() for w in self.weights], [b.copy() for b in self.biases], self.nonlinearities)

    def activations(self, x, layer):
        """Return the activations of all units of `layer`, shape (n, units), at the inputs `x` (n, pixels)."""
        check_layer(layer, self.depth)
        array_module(x)
        if x.ndim != 2 or x.shape[1] != self.pixels:
            raise UserError(f"the inputs have shape {x.shape}; give (n, {self.pixels}).")
        below = x  # here the product of the first layer adds the bias, too
        for w, b, f in self._below(layer):
            below = f.of_layer(below, w.T, b)
        return matmul(below, self.weights[layer - 1].T) + self.biases[layer - 1]

    def responses(self, x):
        """Return the responses of the first layer's filters to the inputs `x` (n, pixels), shape (n, filters): x W'.

        They are linear in the input, and every unit sees the input through them alone.
        """
        return matmul(x, self.weights[0].T)

    def unit_activation(self, x, layer, units):
        """Return the activation of unit ``units[r]`` of `layer` at the input ``x[r]``.

        Parameters
        ----------
        x : array (n, pixels)
        layer : int
        units : array (n,) of int

        Returns
        -------
        array (n,)

        Raises
        ------
        UserError
            If the network has no such layer or unit.
        """
        self.check_units(layer, units)
        return self.unit_activation_from(self.responses(x), layer, units)

    def unit_gradient(self, x, layer, units):
        """Return the activation of unit ``units[r]`` at ``x[r]`` and its gradient with respect to the input.

        Parameters
        ----------
        x : array (n, pixels)
        layer : int
        units : array (n,) of int

        Returns
        -------
        activation : array (n,)
        gradient : array (n, pixels)

        Raises
        ------
        UserError
            If the network has no such layer or unit.
        """
        self.check_units(layer, units)
        activation, gradient = self.unit_gradient_from(self.responses(x), layer, units)
        return activation, matmul(gradient, self.weights[0])

    def hessian_vector_product(self, layer, units, x, vectors):
        """Return the product (n, pixels) of the Hessian of ``units[r]`` at ``x[r]`` and a vector: exact.

        The gradient is differentiated along the vector, by one pass forwards and one backwards (Pearlmutter, 1994).
        """
        h, change = x, vectors  # of each layer's output along the vector
        forward = []
        for w, b, f in self._below(layer):
            h, inflow = f(h @ w.T + b), change @ w.T
            slope = f.slope(h)
            change = slope * inflow
            forward.append((w, f.bend(h), slope, inflow))

        gradient = self.weights[layer - 1][units]
        change = array_module(x).zeros_like(gradient)
        for w, bend, slope, inflow in reversed(forward):
            change = (change + gradient * bend * inflow) * slope @ w
            gradient = gradient * slope @ w
        return change

    def unit_activation_from(self, responses, layer, units):
        """Return the activations (n,) of ``units[r]`` of `layer`, given the `responses` (n, filters) to the inputs.

        For a search's many calls: whether the units exist is for :meth:`check_units` to say once.
        """
        if layer == 1:
            return responses[_rows(units), units] + self.biases[0][units]
        top = self._hidden(responses, layer)[-1]
        return row_dot(top, self.weights[layer - 1][units]) + self.biases[layer - 1][units]

    def unit_gradient_from(self, responses, layer, units):
        """Return the activation of unit ``units[r]`` and its gradient with respect to the responses of the filters.

        Parameters
        ----------
        responses : array (n, filters)
        layer : int
        units : array (n,) of int
            Of those that exist, as for :meth:`unit_activation_from`.

        Returns
        -------
        activation : array (n,)
        gradient : array (n, filters)
        """
        if layer == 1:
            gradient = array_module(responses).zeros_like(responses)
            gradient[_rows(units), units] = 1
            return self.unit_activation_from(responses, layer, units), gradient
        hidden, gradient = self._hidden(responses, layer), self.weights[layer - 1][units]
        activation = row_dot(hidden[-1], gradient) + self.biases[layer - 1][units]
        for k in reversed(range(layer - 1)):
            NONLINEARITIES[self.nonlinearities[k]].times_slope(gradient, hidden[k])
            if k:
                gradient = matmul(gradient, self.weights[k])
        return activation, gradient

    def _hidden(self, responses, layer):
        """Return the outputs of the layers below `layer`, 2 or more, bottom first."""
        (_, bias, first), *others = self._below(layer)
        outputs = [first.with_bias(responses, bias)]
        for w, b, f in others:
            outputs.append(f.of_layer(outputs[-1], w.T, b))
        return outputs

    def _below(self, layer):
        """Return the weights, the biases and the nonlinearity of each of the layers below `layer`, bottom first."""
        functions = [NONLINEARITIES[name] for name in self.nonlinearities[: layer - 1]]
        return list(zip(self.weights[: layer - 1], self.biases[: layer - 1], functions, strict=True))

    def check_units(self, layer, units):
        """Raise a UserError if the network has no such layer or one of the units (n,) is not in it.

        It is also raised if they are no whole numbers, or the network's parameters no numbers.
        """
        check_in_layer(layer, units, self.units(layer))
        for k in range(layer):
            check_finite(f"the weights of layer {k + 1}", self.weights[k])
            check_finite(f"the biases of layer {k + 1}", self.biases[k])


BLOCK = 1000  # examples activated at a time


def activations_of(network, layer, units, x):
    """Return the activations (n, U) of `units` of a network or view at the inputs `x` (n, pixels), a NumPy array."""
    blocks = [network.activations(x[start : start + BLOCK], layer) for start in range(0, max(len(x), 1), BLOCK)]
    return np.concatenate([to_host(block)[:, units] for block in blocks])


def dead_units(network, layer, examples, least_deviation=0.01):
    """Return which units of `layer` hardly change over the `examples` (n, pixels): booleans (units,).

    Where sigmoids follow, a unit is dead if the standard deviation of its probability is under `least_deviation`; in
    other networks, if its activation never changes.
    """
    activations = activations_of(network, layer, slice(None), examples)
    if isinstance(network, Network) and set(network.nonlinearities) <= {"sigmoid"}:
        return sigmoid(activations).std(axis=0) < least_deviation
    return np.ptp(activations, axis=0) == 0


def _rows(units):
    return array_module(units).arange(len(units))
