"""Activation maximization: the input of a given norm that excites a unit most (section 4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepunits.backend import array_module, matmul, row_dot, to_host
from deepunits.checks import check_finite, check_numbers, check_symmetric, float_array, units_of
from deepunits.errors import UserError
from deepunits.kernels import launch
from deepunits.models.network import Network
from deepunits.models.view import View
from deepunits.randomness import given_generator, uniform

BLOCK = 1024  # rows ascending together on the CPU: few enough to stay in its cache, enough for fast products
LOOK = 32  # steps between two looks, on a GPU, at which ascents have ended: to look is to wait for it

# Slope along the sphere, in activations a radian, up to which nothing is left to climb; and slope of any way,
# down to which a unit is saturated.
REST, STILL = 0.05, 1e-6


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
        Whether the ascent ended by its threshold, at a point where the gradient has no part along the sphere: a
        radian that way would change the activation by at most 5 % of it. An ascent that stood still because a
        saturated unit gave it no gradient has not converged.
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
        return best_solutions(self.inputs, self.activations)


def best_solutions(inputs, activations):
    """Return of the solutions `inputs` (U, R, P) of each unit that of highest activation (U, R), shape (U, P)."""
    return inputs[np.arange(len(inputs)), activations.argmax(axis=1)]


def to_norm(x, norm):
    """Scale each row of `x` (n, P) to the given norm, in place, and return it."""
    xp = array_module(x)
    x *= (norm / xp.sqrt(row_dot(x, x)))[:, None]
    return x


def maximize_activation(
    network: Network | View,
    layer: int,
    units: Sequence[int] | np.ndarray,
    *,
    norm: float,
    restarts: int = 9,
    learning_rate: float = 1.0,
    threshold: float = 1e-6,
    max_steps: int = 5000,
    rng=None,
    preconditioner: np.ndarray | None = None,
) -> ActivationMaxima:
    """Maximise the activation of each unit over the sphere of radius `norm`, from several random starts.

    Every pixel starts from U[0, 1]. A step of gradient ascent is followed by a return to the sphere, until the
    activation grows by less than `threshold`, relative to itself, or `max_steps` are taken. All units and starts are
    rows of one batch; a row that has converged gives its place to one that waits, where the batch is of limited size.
    What is not given is as in the reproduction of the paper.

    Parameters
    ----------
    network : Network or View
    layer : int
        Counted from 1.
    units : array (U,) of int
    norm : float
        ρ: the mean norm of the training examples.
    restarts : int
        Random starts for each unit; the paper takes 9.
    learning_rate : float
        Length of a step, in units of the gradient. Where starts do not converge, take less.
    threshold : float
        Relative increase of the activation in one step under which the ascent has converged.
    max_steps : int
    rng : generator, optional
        Of the network's device. Without one, the starts are the same in every call.
    preconditioner : array (P, P), optional
        C, symmetric, such as the covariance of the data: each step is then along C g, g being the gradient, as in
        Algorithm 1. The ascent ends where C g, not g, is parallel to x: at no maximum of the activation on the sphere,
        but at a point drawn towards the directions in which the data vary. An extension of the paper.

    Returns
    -------
    ActivationMaxima
        With NumPy arrays.

    Raises
    ------
    UserError
        If the layer or a unit does not exist, the preconditioner is not symmetric or of another size, or the
        activations stop being numbers.

    Notes
    -----
    To look which ascents have ended, a GPU has to be waited for: it is looked every few steps, and until then those
    that have ended stand still.

    Examples
    --------
    What excites a unit of the first layer most is its filter:

    >>> import numpy as np
    >>> from deepunits import Network, maximize_activation
    >>> network = Network([np.array([[3.0, 4.0, 0.0]])], [np.zeros(1)])
    >>> maximize_activation(network, layer=1, units=[0], norm=5.0).best.round(2)
    array([[3., 4., 0.]], dtype=float32)
    """
    units = units_of(network, layer, units)
    xp = array_module(network.weights[0])
    rng = given_generator(rng, xp)
    check_numbers(
        norm=(norm, "positive"),
        restarts=(restarts, "count"),
        learning_rate=(learning_rate, "positive"),
        threshold=(threshold, "not negative"),
        max_steps=(max_steps, "count"),
    )
    if preconditioner is not None:
        name, shape = "the numbers of the preconditioner", (network.pixels, network.pixels)
        preconditioner = xp.asarray(float_array(name, preconditioner, *shape, xp=xp), dtype=xp.float32)
        check_finite(name, preconditioner)
        check_symmetric(name, preconditioner)
    rows = len(units) * restarts
    row_units = xp.asarray(np.repeat(units, restarts))
    # Each row is where an ascent starts until it is overwritten by where it ended.
    inputs = to_norm(uniform(rng, xp.empty((rows, network.pixels), xp.float32)), norm)
    activations, steps, converged = xp.empty(rows, xp.float32), xp.empty(rows, int), xp.empty(rows, bool)

    blocks, look = (-(-rows // BLOCK), 1) if xp is np else (1, LOOK)
    started = -(-rows // max(blocks, 1))
    active = xp.arange(started)
    ascents = _Ascents(network, layer, norm, inputs[active], preconditioner)
    taken, previous = xp.zeros(started, int), xp.full(started, xp.inf, xp.float32)
    done, leaving, looked = xp.zeros(started, bool), xp.zeros(started, bool), 0
    while len(active):
        activation = ascents.activate(row_units[active])
        if xp is np:
            done |= abs(activation - previous) < threshold * abs(activation)
            leaving |= done | (taken == max_steps)
        else:
            activation = xp.asarray(activation, dtype=xp.float32)
            state = activation, previous, taken, done, leaving
            launch("end_ascents", len(active), *state, float(threshold), int(max_steps), len(active))
        looked = (looked + 1) % look
        if looked == 0 and len(places := xp.flatnonzero(leaving)):
            ended = active[places]
            inputs[ended] = x = ascents.points(places)
            activations[ended] = network.unit_activation_from(network.responses(x), layer, row_units[ended])
            steps[ended], converged[ended] = taken[places], done[places]
            entering = xp.arange(started, min(started + len(ended), rows))
            if len(entering):
                started += len(entering)
                # Who enters has no gradient yet, so the step below, its step number 0, leaves it at its start.
                free = places[: len(entering)]
                active[free], taken[free], activation[free], done[free], leaving[free] = entering, -1, xp.inf, 0, 0
                ascents.start(free, inputs[entering])
            if len(entering) < len(places):
                going = xp.flatnonzero(~leaving)
                state = (active, taken, activation, done, leaving)
                active, taken, activation, done, leaving = (array[going] for array in state)
                ascents.keep(going)
        # Between two looks those that have ended stand still.
        ascents.step(learning_rate if look == 1 else (learning_rate * ~leaving)[:, None])
        if looked == 0:
            ascents.renew()
        taken += ~leaving
        previous = activation
    if not bool(xp.isfinite(activations).all()):
        raise UserError(f"activation maximization of layer {layer} diverged; lower its learning_rate.")
    converged &= _at_rest(network, layer, row_units, inputs, activations, ascents.moves)

    shape = (len(units), restarts)
    return ActivationMaxima(
        units=units,
        inputs=to_host(inputs).reshape(*shape, network.pixels),
        activations=to_host(activations).reshape(shape),
        steps=to_host(steps).reshape(shape),
        converged=to_host(converged).reshape(shape),
        norm=float(norm),
    )


def _at_rest(network, layer, units, inputs, activations, moves):
    """Return where the steps, mixtures of the filters `moves`, lead out of or into the sphere, not along it: (n,)."""
    xp = array_module(inputs)
    _, gradient = network.unit_gradient_from(network.responses(inputs), layer, units)
    steps = matmul(gradient, moves)
    radius = xp.sqrt(row_dot(inputs, inputs))
    outwards = row_dot(steps, inputs) / radius
    along = xp.sqrt(row_dot(tangents := steps - (outwards / radius)[:, None] * inputs, tangents))
    whole = radius * (abs(outwards) + along)  # by how much a radian can change the activation
    return (radius * along <= REST * (abs(activations) + whole)) & (whole > STILL * abs(activations))


class _Ascents:
    """Points that climb the sphere, each known by the responses of the first layer's filters to it.

    With d the gradient with respect to the responses, a gradient step adds d M, a mixture of the filters M = W. So a
    point is its origin, scaled, plus a mixture of filters, and its responses change by d M W', where M W' is computed
    once: unless the filters are many more than the pixels, nothing of the size of an input is touched until an ascent
    ends. With a preconditioner C, M = W C, and the length of a step takes the responses of M as well; `stacked` has W
    and M below each other.

    That a point is on the sphere is reckoned, not measured. Returning to it, a step outwards makes earlier errors of
    rounding smaller and a step inwards larger: a point whose errors may have doubled becomes an origin of its own.
    """

    def __init__(self, network, layer, norm, x, preconditioner=None):
        xp, filters = array_module(x), network.weights[0]
        self.network, self.layer, self.norm = network, layer, norm
        self.moves = filters if preconditioner is None else matmul(filters, preconditioner)
        self.stacked = filters if preconditioner is None else xp.concatenate([filters, self.moves])
        (units, pixels), seen = filters.shape, len(self.stacked)
        shorter = units * seen <= pixels * (units + seen)  # than through the pixels
        self.change_of_responses = self.moves @ self.stacked.T if shorter else None
        self.origin, self.responses = xp.empty_like(x), xp.empty((len(x), seen), xp.float32)
        self.mixture, self.gradient = xp.empty((2, len(x), units), xp.float32)
        self.share_of_origin, self.growth_of_errors = xp.empty((2, len(x)), xp.float32)
        self.start(slice(None), x)

    def start(self, rows, x):
        """Let the ascents in some `rows` go on from the points `x` (n, P), without a gradient as yet."""
        self.origin[rows], self.responses[rows] = x, matmul(x, self.stacked.T)
        self.mixture[rows], self.gradient[rows] = 0, 0
        self.share_of_origin[rows], self.growth_of_errors[rows] = 1, 1

    def activate(self, units):
        """Return the activations of `units` (n,), and keep the gradients for the step."""
        responses = self.responses[:, : len(self.moves)]
        activation, self.gradient = self.network.unit_gradient_from(responses, self.layer, units)
        return activation

    def step(self, learning_rate):
        """Move every point along its gradient, then back to the sphere; the rate may be one for each, (n, 1)."""
        xp, d = array_module(self.gradient), self.gradient
        d *= learning_rate
        if self.change_of_responses is None:
            change = matmul(matmul(d, self.moves), self.stacked.T)
        else:
            change = matmul(d, self.change_of_responses)
        # |x + dM|^2 = |x|^2 + 2 d (Mx) + d (MM') d
        along, change_along = (responses[:, -len(self.moves) :] for responses in (self.responses, change))
        squared_norm = self.norm**2 + 2 * row_dot(along, d) + row_dot(change_along, d)
        scale = self.norm / xp.sqrt(squared_norm)
        for state, moved in ((self.responses, change), (self.mixture, d)):
            state += moved
            state *= scale[:, None]
        self.share_of_origin *= scale
        self.growth_of_errors = xp.maximum(scale * self.growth_of_errors, 1)

    def renew(self):
        """Let the points whose errors may have doubled become origins."""
        uncertain = array_module(self.origin).flatnonzero(self.growth_of_errors > 2)
        if len(uncertain):
            self.start(uncertain, self.points(uncertain))

    def points(self, rows):
        """Return the points (n, P) of some `rows`."""
        scaled = self.share_of_origin[rows][:, None] * self.origin[rows]
        return to_norm(scaled + matmul(self.mixture[rows], self.moves), self.norm)

    def keep(self, rows):
        """Go on with some `rows` only."""
        for name in ("origin", "responses", "mixture", "gradient", "share_of_origin", "growth_of_errors"):
            setattr(self, name, getattr(self, name)[rows])
