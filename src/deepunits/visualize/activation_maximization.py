"""Activation maximization: the input of a given norm that excites a unit most (section 4.2)."""

from dataclasses import dataclass

import numpy as np

from deepunits.backend import array_module, to_host, uniform
from deepunits.errors import UserError

BLOCK = 1024  # rows ascending together on the CPU: few enough to stay in its cache, enough for fast products


@dataclass
class ActivationMaxima:
    """Where gradient ascent ended, for each of U units and R random starts.

    Attributes
    ----------
    units : array (U,) of int
    inputs : array (U, R, P)
        The inputs found, each of norm `norm`.
    activations : array (U, R)
        The unit's activation (before the sigmoid) at each of them.
    steps : array (U, R) of int
        Gradient steps taken.
    converged : array (U, R) of bool
        Whether the ascent ended by its threshold, not by the limit on steps.
    norm : float
        ρ, the mean norm of the training examples.
    """

    units: np.ndarray
    inputs: np.ndarray
    activations: np.ndarray
    steps: np.ndarray
    converged: np.ndarray
    norm: float

    @property
    def best(self):
        """The solution of the highest activation for each unit, shape (U, P): the paper's filter of a deep unit."""
        return self.inputs[np.arange(len(self.units)), self.activations.argmax(axis=1)]


def to_norm(x, norm):
    """Scale each row of `x` (n, P) to the given norm, in place, and return it."""
    xp = array_module(x)
    x *= (norm / xp.sqrt(xp.einsum("ij,ij->i", x, x)))[:, None]
    return x


def maximize_activation(network, layer, units, *, norm, restarts, learning_rate, threshold, max_steps, rng):
    """Maximise the activation of each unit over the sphere of radius `norm`, from several random starts.

    Every pixel starts from U[0, 1]. A step of gradient ascent is followed by a return to the sphere, until the
    activation grows by less than `threshold`, relative to itself, or `max_steps` are taken. All units and starts are
    rows of one batch; a row that has converged gives its place to one that waits, where the batch is of limited size.

    Parameters
    ----------
    network : Network
    layer : int
        Counted from 1.
    units : array (U,) of int
    norm : float
        ρ: the mean norm of the training examples.
    restarts : int
        Random starts for each unit; the paper takes 9.
    learning_rate : float
        Length of a step, in units of the gradient.
    threshold : float
        Relative increase of the activation in one step under which the ascent has converged.
    max_steps : int
    rng : generator
        Of the network's device.

    Returns
    -------
    ActivationMaxima
        With NumPy arrays.

    Raises
    ------
    UserError
        If the layer or a unit does not exist, or the activations stop being numbers.
    """
    xp = array_module(network.weights[0])
    units = np.asarray(units)
    rows = len(units) * restarts
    row_units = xp.asarray(np.repeat(units, restarts))
    # Each row is where an ascent starts until it is overwritten by where it ended.
    inputs = to_norm(uniform(rng, xp.empty((rows, network.pixels), xp.float32)), norm)
    activations, steps, converged = xp.empty(rows, xp.float32), xp.empty(rows, int), xp.empty(rows, bool)

    blocks = -(-rows // BLOCK) if xp is np else 1
    started = -(-rows // max(blocks, 1))
    active = xp.arange(started)
    x, taken, previous = inputs[active], xp.zeros(started, int), xp.full(started, xp.inf, xp.float32)
    while len(active):
        activation, gradient = network.unit_gradient(x, layer, row_units[active])
        done = xp.abs(activation - previous) < threshold * xp.abs(activation)
        leaving = done | (taken == max_steps)
        if leaving.any():
            ended = active[leaving]
            inputs[ended], activations[ended], steps[ended] = x[leaving], activation[leaving], taken[leaving]
            converged[ended] = done[leaving]
            entering = xp.arange(started, min(started + len(ended), rows))
            places = xp.flatnonzero(leaving)[: len(entering)]
            started += len(entering)
            # Who enters has no gradient yet, so the step below, its step number 0, leaves it at its start.
            active[places], x[places], gradient[places] = entering, inputs[entering], 0
            taken[places], activation[places], leaving[places] = -1, xp.inf, False
            if leaving.any():
                active, x, gradient, taken, activation = (
                    array[~leaving] for array in (active, x, gradient, taken, activation)
                )
        gradient *= learning_rate
        x += gradient
        to_norm(x, norm)
        taken += 1
        previous = activation
    if not bool(xp.isfinite(activations).all()):
        raise UserError(f"activation maximization of layer {layer} diverged; lower its learning_rate.")

    shape = (len(units), restarts)
    return ActivationMaxima(
        units=units,
        inputs=to_host(inputs).reshape(*shape, network.pixels),
        activations=to_host(activations).reshape(shape),
        steps=to_host(steps).reshape(shape),
        converged=to_host(converged).reshape(shape),
        norm=float(norm),
    )
