"""What a restricted Boltzmann machine and a denoising auto-encoder have in common: one layer with tied weights."""

from dataclasses import dataclass, replace

import numpy as np

from deepunits.backend import accumulate_product, array_module, matmul, sigmoid_layer, to_host
from deepunits.checks import check_choice, check_numbers
from deepunits.errors import UserError
from deepunits.models import on_gpu
from deepunits.randomness import sample_layer

PARAMETERS = ("weights", "hidden_bias", "visible_bias")
# What the visible units of each kind can be.
RANGES = {"bernoulli": (0.0, 1.0), "centred": (-0.5, 0.5), "gaussian": (-np.inf, np.inf)}


@dataclass
class TiedLayer:
    """One layer: hidden = sigmoid(W v + b) upwards, visible = f(W' h + c) downwards (section 3).

    Attributes
    ----------
    weights : array (hidden, visible), float32
    hidden_bias : array (hidden,), float32
    visible_bias : array (visible,), float32
    pass_up : {'means', 'samples'}
        Whether the layer above is trained on this layer's probabilities or on binary states drawn from them.
    visible : {'bernoulli', 'centred', 'gaussian'}
        What a visible unit is. A probability in [0, 1]: f is the sigmoid, and the error of a reconstruction the
        cross-entropy. The same less 1/2, in [-1/2, 1/2]. Or a real number: f is the identity, its argument
        ``visible_variance W' h + c``, and the error half the squared difference.
    visible_variance : float
        Of Gaussian visible units, given the hidden units.
    """

    weights: np.ndarray
    hidden_bias: np.ndarray
    visible_bias: np.ndarray
    pass_up: str = "means"
    visible: str = "bernoulli"
    visible_variance: float = 1.0

    def __post_init__(self):
        shapes = tuple(getattr(getattr(self, name), "shape", ()) for name in PARAMETERS)
        if len(shapes[0]) != 2 or shapes[1:] != (shapes[0][:1], shapes[0][1:]):
            raise UserError(
                "weights, hidden_bias and visible_bias have the shapes {}, {} and {}; give (hidden, visible), "
                "(hidden,) and (visible,).".format(*shapes)
            )
        check_choice("pass_up", self.pass_up, ("means", "samples"))
        check_choice("visible", self.visible, RANGES)
        check_numbers(visible_variance=(self.visible_variance, "positive"))

    @classmethod
    def initialise(cls, weights, visible_mean, **kinds):
        """Return an untrained layer whose reconstruction, without hidden units, is the mean of the data.

        Parameters
        ----------
        weights : array (hidden, visible)
        visible_mean : array (visible,)
            Mean of the training examples.
        **kinds : str
            `pass_up`, `visible` and `visible_variance`.
        """
        xp = array_module(weights)
        layer = cls(weights.astype(xp.float32), xp.zeros(len(weights), xp.float32), visible_mean, **kinds)
        if layer.visible != "gaussian":
            mean = xp.clip(layer.probabilities(visible_mean), 0.001, 0.999)
            layer.visible_bias = xp.log(mean / (1 - mean))
        layer.visible_bias = layer.visible_bias.astype(xp.float32)
        return layer

    def to(self, xp):
        """Return the same layer with its arrays in the array module `xp`."""
        move = to_host if xp is np else xp.asarray
        return replace(self, **{name: move(getattr(self, name)) for name in PARAMETERS})

    def check_examples(self, examples, batch=None):
        """Raise a UserError if `examples` (batch, visible) are not of that shape, or not what the visible units are."""
        shape = (len(examples) if batch is None else batch, self.weights.shape[1])
        if examples.shape != shape:
            raise UserError(f"the examples have shape {examples.shape}; give {shape}, a row for each.")
        (low, high), least, most = RANGES[self.visible], float(examples.min()), float(examples.max())
        if not (np.isfinite(least) and np.isfinite(most) and low <= least and most <= high):
            raise UserError(
                f"the examples go from {least:g} to {most:g}; {self.visible} visible units are numbers from {low:g} to "
                f"{high:g}: scale the examples, or choose another kind of visible units."
            )

    def mean_hidden(self, visible, out=None):
        """Return P(h = 1 | v), shape (n, hidden), of `visible` (n, visible)."""
        return sigmoid_layer(visible, self.weights.T, self.hidden_bias, out=out)

    def sample_hidden(self, rng, visible, **arrays):
        """Draw hidden states (n, hidden) given `visible` (n, visible).

        `arrays` may name ``states`` and ``means``, to be written into, and ``scratch``, all of that shape.
        """
        return sample_layer(rng, visible, self.weights.T, self.hidden_bias, **arrays)

    def mean_visible(self, hidden, out=None):
        """Return E(v | h), shape (n, visible), of `hidden` (n, hidden)."""
        if self.visible == "gaussian":
            mean = matmul(hidden, self.weights, out=out)
            mean *= self.visible_variance
            mean += self.visible_bias
            return mean
        mean = sigmoid_layer(hidden, self.weights, self.visible_bias, out=out)
        if self.visible == "centred":
            mean -= 0.5
        return mean

    def probabilities(self, visible):
        """Return what `visible` says of Bernoulli units: itself, or with 1/2 added if it is centred."""
        return visible + 0.5 if self.visible == "centred" else visible

    def reconstruct(self, visible):
        """Return `visible` (n, visible) encoded and decoded, without noise or sampling (footnote 9)."""
        return self.mean_visible(self.mean_hidden(visible))

    def reconstruction_error(self, visible):
        """Return the error of reconstructing `visible` (n, visible), summed over components, mean over examples.

        The cross-entropy in nats, KL(x || x̂) in section 3, or for Gaussian visible units half the squared error.
        """
        if self.visible == "gaussian":
            return float(0.5 * ((visible - self.reconstruct(visible)) ** 2).sum(axis=1).mean())
        activation = matmul(self.mean_hidden(visible), self.weights) + self.visible_bias
        softplus = array_module(visible).logaddexp(0, activation)
        return float((softplus - self.probabilities(visible) * activation).sum(axis=1).mean())

    def dead_units(self, visible, least_deviation=0.01):
        """Return which hidden units hardly change over the examples `visible` (n, visible): booleans, (hidden,).

        A unit is dead if the standard deviation of its probability is under `least_deviation`.
        """
        return self.mean_hidden(visible).std(axis=0) < least_deviation


class GradientStep:
    """A step of stochastic gradient descent on a tied layer, with momentum and weight decay.

    The gradient of the weights is a sum of outer products, given as the two stacks of their factors, so that the
    product, the decay and the addition to the weights are one call of the linear-algebra library.
    """

    def __init__(self, layer, momentum=0.0, weight_decay=0.0):
        check_numbers(momentum=(momentum, "lower share"), weight_decay=(weight_decay, "not negative"))
        self.layer = layer
        self.momentum = momentum
        self.weight_decay = weight_decay
        xp = array_module(layer.weights)
        self.on_gpu = xp is not np and not momentum
        self.velocity = {name: xp.zeros_like(getattr(layer, name)) for name in PARAMETERS} if momentum else {}

    def apply_summed(self, hidden_factors, visible_factors, shares, learning_rate, examples, shift=0.0):
        """Do as :meth:`apply` on a GPU, the directions for the biases being sums of rows of the factors.

        Parameters
        ----------
        hidden_factors, visible_factors, learning_rate, examples
            As for :meth:`apply`.
        shares : pair of arrays (k,)
            What the rows of the factors are multiplied by in the sums.
        shift : float
            Added to the direction of each hidden bias.
        """
        rate, decay = self._rates(learning_rate, examples)
        on_gpu.descend(self.layer, hidden_factors, visible_factors, shares, rate=rate, decay=decay, shift=shift)

    def _rates(self, learning_rate, examples):
        """Return what directions summed over `examples` are multiplied by, and what the weights are."""
        if not learning_rate >= 0:
            raise UserError(f"learning_rate is {learning_rate!r}; give a number, 0 or more.")
        return learning_rate / examples, 1.0 - learning_rate * self.weight_decay

    def apply(self, hidden_factors, visible_factors, hidden_gradient, visible_gradient, learning_rate, examples):
        """Move the parameters in the mean direction of descent over a minibatch.

        Parameters
        ----------
        hidden_factors : array (k, hidden)
        visible_factors : array (k, visible)
            The direction for the weights is ``hidden_factors.T @ visible_factors``.
        hidden_gradient : array (hidden,)
        visible_gradient : array (visible,)
            The directions for the biases.
        learning_rate : float
        examples : int
            Number of examples in the minibatch, over which the directions are sums.
        """
        layer, (rate, decay) = self.layer, self._rates(learning_rate, examples)
        if not self.momentum:
            accumulate_product(layer.weights, hidden_factors, visible_factors, alpha=rate, beta=decay)
            layer.hidden_bias += rate * hidden_gradient
            layer.visible_bias += rate * visible_gradient
            return
        velocity = self.velocity
        accumulate_product(velocity["weights"], hidden_factors, visible_factors, alpha=rate, beta=self.momentum)
        for name, gradient in (("hidden_bias", hidden_gradient), ("visible_bias", visible_gradient)):
            velocity[name] *= self.momentum
            velocity[name] += rate * gradient
        layer.weights *= decay
        for name in PARAMETERS:
            getattr(layer, name)[...] += velocity[name]
