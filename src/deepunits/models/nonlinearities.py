"""What stands between two layers of a network: the sigmoid, tanh, ReLU or nothing, with their first two derivatives.

Every derivative is a function of the output h = f(a), which a pass upwards keeps, and not of the activation a.
"""

from collections.abc import Iterable

from deepunits.backend import array_module, biased_sigmoid, matmul, sigmoid, sigmoid_layer
from deepunits.checks import check_choice
from deepunits.errors import UserError


class Nonlinearity:
    """A function f of the activations (n, units) of a layer."""

    def __call__(self, activation):
        """Return f(activation), written over the activation where that can be done."""
        raise NotImplementedError

    def with_bias(self, activation, bias):
        """Return f(activation + bias), a new array."""
        return self(activation + bias)

    def of_layer(self, x, weights, bias):
        """Return f(x @ weights + bias), a new array; the weights are (units below, units)."""
        activation = matmul(x, weights)
        activation += bias
        return self(activation)

    def times_slope(self, gradient, output):
        """Multiply `gradient` (n, units), in place, by f' where f gave the `output`, which may be overwritten."""
        gradient *= self.slope(output)

    def slope(self, output):
        """Return f' where f gave the `output`."""
        raise NotImplementedError

    def bend(self, output):
        """Return f'' / f' where f gave the `output`."""
        raise NotImplementedError


class Sigmoid(Nonlinearity):
    """1 / (1 + exp(-a)), the paper's, by the kernels that training uses."""

    def __call__(self, activation):
        return sigmoid(activation, out=activation)

    def with_bias(self, activation, bias):
        return biased_sigmoid(activation, bias)

    def of_layer(self, x, weights, bias):
        return sigmoid_layer(x, weights, bias)

    def times_slope(self, gradient, output):
        gradient *= output
        gradient *= array_module(output).subtract(1, output, out=output)

    def slope(self, output):
        return output * (1 - output)

    def bend(self, output):
        return 1 - 2 * output


class Tanh(Nonlinearity):
    """The hyperbolic tangent."""

    def __call__(self, activation):
        return array_module(activation).tanh(activation, out=activation)

    def slope(self, output):
        return 1 - output * output

    def bend(self, output):
        return -2 * output


class ReLU(Nonlinearity):
    """max(a, 0), with slope 0 at its corner."""

    def __call__(self, activation):
        return array_module(activation).maximum(activation, 0, out=activation)

    def slope(self, output):
        return output > 0

    def bend(self, output):
        return 0


class Identity(Nonlinearity):
    """Nothing between two layers."""

    def __call__(self, activation):
        return activation

    def slope(self, output):
        return 1

    def bend(self, output):
        return 0


NONLINEARITIES = {"sigmoid": Sigmoid(), "tanh": Tanh(), "relu": ReLU(), "identity": Identity()}


def between_layers(nonlinearities, depth):
    """Return the names of what stands between `depth` layers, a tuple of ``depth - 1``, from one name or from all.

    Raises
    ------
    UserError
        If a name is not known, or there are not as many.
    """
    if not isinstance(nonlinearities, Iterable):
        raise UserError(f"nonlinearities are {nonlinearities!r}; give {', '.join(NONLINEARITIES)} or several of these.")
    names = (nonlinearities,) * (depth - 1) if isinstance(nonlinearities, str) else tuple(nonlinearities)
    for name in (nonlinearities,) if isinstance(nonlinearities, str) else names:
        check_choice("a nonlinearity", name, NONLINEARITIES)
    if len(names) != depth - 1:
        raise UserError(
            f"there are {len(names)} nonlinearities for {depth} layers; give the {depth - 1} between them: the "
            "activation of a unit is taken before its own."
        )
    return names
