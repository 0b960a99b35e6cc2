"""Algorithm 1: ascent of the activation over the points of the sphere at a distance from the optimum (section 5.1)."""

import operator

import numpy as np

from deepunits.backend import array_module, matmul
from deepunits.invariance.projection import farthest, orthogonal, project

STEPS = ("plain", "whitened", "tangent")
LOOK = 4  # steps between two looks, on a GPU, at whether all rows have ended: to look is to wait for it


def step_of(kind, filters, covariance, learning_rate):
    """Return the function that makes the steps (n, P) from x, the gradients in the filters' responses, and x_opt.

    Parameters
    ----------
    kind : {'plain', 'whitened', 'tangent'}
    filters : array (F, P)
        Of the first layer; the identity where pixels stand in for responses.
    covariance : array (P, P)
        C of the data.
    learning_rate : float
        μ.

    Returns
    -------
    callable
        Takes x (n, P), gradients (n, F) and x_opt (n, P).
    """
    if kind == "tangent":
        scaled = learning_rate * covariance

        def step(x, gradient, optimum):
            tangent = orthogonal(orthogonal(matmul(gradient, filters), optimum), orthogonal(x, optimum))
            return matmul(tangent, scaled)

        return step
    # C is multiplied into the filters once, not into the gradients of every step.
    moves = learning_rate * (matmul(filters, covariance) if kind == "whitened" else filters)
    return lambda x, gradient, optimum: matmul(gradient, moves)


class ConstrainedAscent:
    """Algorithm 1 for a block of rows, a unit and a trial each; it remembers where the previous ε ended.

    Parameters
    ----------
    network : Network or View
    layer : int
    units : array (n,) of int
    optimum : array (n, P)
        x_opt of each row.
    x : array (n, P)
        Where each row starts; overwritten.
    take_step : callable
        As :func:`step_of` gives it.
    threshold : float
        Change of the activation in a step, as a share of that at the optimum, under which a row has converged.
    max_steps : int
    """

    def __init__(self, network, layer, units, optimum, x, take_step, threshold, max_steps):
        self.network, self.layer, self.units, self.optimum, self.x = network, layer, units, optimum, x
        self.take_step, self.max_steps = take_step, max_steps
        self.optimum_responses = network.responses(optimum)
        top = network.unit_activation_from(self.optimum_responses, layer, units)
        self.tolerance = threshold * array_module(x).abs(top)
        self.gradient = network.unit_gradient_from(network.responses(x), layer, units)[1]

    def move_to(self, epsilon):
        """Search at distance `epsilon`; return the points, their activations, the steps taken and who converged."""
        xp, rows = array_module(self.x), len(self.x)
        if epsilon in (0, 2):  # only x_opt itself is feasible, or its antipode
            x = (1 - epsilon) * self.optimum
            activation = self.network.unit_activation_from(self.network.responses(x), self.layer, self.units)
            return x, activation, xp.zeros(rows, int), xp.ones(rows, bool)
        if xp is not np:
            return self._move_together(epsilon)

        activations, steps, converged = xp.empty_like(self.tolerance), xp.empty(rows, int), xp.zeros(rows, bool)
        active = xp.arange(rows)
        x, gradient, units, tolerance = self.x, self.gradient, self.units, self.tolerance
        optimum, optimum_responses, previous = self.optimum, self.optimum_responses, xp.inf
        for step in range(1, self.max_steps + 1):
            moved = self.take_step(x, gradient, optimum)
            moved += x
            x = project(moved, optimum, epsilon)
            activation, gradient = self._take_higher(x, optimum, optimum_responses, epsilon, units)
            done = xp.abs(activation - previous) <= tolerance
            previous = activation
            leaving = done | ~xp.isfinite(activation) | (step == self.max_steps)
            if leaving.any():
                ended, going = active[leaving], ~leaving
                self.x[ended], self.gradient[ended] = x[leaving], gradient[leaving]
                activations[ended], steps[ended], converged[ended] = activation[leaving], step, done[leaving]
                active, units, tolerance, previous = active[going], units[going], tolerance[going], previous[going]
                x, gradient, optimum = x[going], gradient[going], optimum[going]
                optimum_responses = optimum_responses[going]
                if not len(active):
                    break
        return self.x, activations, steps, converged

    def _move_together(self, epsilon):
        """Search as `move_to` does, but so that a GPU is seldom waited for: rows that have ended stand still."""
        xp, rows = array_module(self.x), len(self.x)
        activations, steps = xp.full_like(self.tolerance, xp.inf), xp.zeros(rows, int)
        converged, going = xp.zeros(rows, bool), xp.ones(rows, bool)
        for step in range(1, self.max_steps + 1):
            moved = self.take_step(self.x, self.gradient, self.optimum)
            moved += self.x
            x = project(moved, self.optimum, epsilon)
            activation, gradient = self._take_higher(x, self.optimum, self.optimum_responses, epsilon, self.units)
            done = going & (xp.abs(activation - activations) <= self.tolerance)
            steps += going
            converged |= done
            activations = xp.where(going, activation, activations)
            self.x, self.gradient = (
                xp.where(going[:, None], *pair) for pair in ((x, self.x), (gradient, self.gradient))
            )
            going &= ~done & xp.isfinite(activation)
            if step % LOOK == 0 and not going.any():
                break
        return self.x, activations, steps, converged

    def _take_higher(self, x, optimum, optimum_responses, epsilon, units):
        """Replace each of the nearest feasible points `x` by the farthest if its activation is higher.

        The nearest one nearly always wins: its gradient is computed at once, and again only where it lost. Responses of
        filters are linear, so those to the farthest point cost no product.

        Returns
        -------
        activation : array (n,)
        gradient : array (n, filters)
            Of the points that won; the gradient is with respect to the responses.
        """
        xp, responses = array_module(x), self.network.responses(x)
        across = farthest(responses, optimum_responses, epsilon)
        if xp is not np:  # to look whether any lost is to wait for the GPU
            heights = (self.network.unit_activation_from(r, self.layer, units) for r in (across, responses))
            lost = operator.gt(*heights)[:, None]
            x[...] = xp.where(lost, farthest(x, optimum, epsilon), x)
            return self.network.unit_gradient_from(xp.where(lost, across, responses), self.layer, units)
        activation, gradient = self.network.unit_gradient_from(responses, self.layer, units)
        lost = self.network.unit_activation_from(across, self.layer, units) > activation
        if lost.any():
            x[lost] = farthest(x[lost], optimum[lost], epsilon)
            activation[lost], gradient[lost] = self.network.unit_gradient_from(across[lost], self.layer, units[lost])
        return activation, gradient


class Opposite:
    """A network whose activations have the other sign."""

    def __init__(self, network):
        self.network, self.responses = network, network.responses

    def unit_activation_from(self, responses, layer, units):
        return -self.network.unit_activation_from(responses, layer, units)

    def unit_gradient_from(self, responses, layer, units):
        activation, gradient = self.network.unit_gradient_from(responses, layer, units)
        return -activation, -gradient
