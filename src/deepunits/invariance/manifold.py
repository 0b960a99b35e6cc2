"""Invariance manifolds: how far one can go from a unit's optimum while its activation stays high (section 5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepunits.backend import array_module, to_host
from deepunits.checks import (
    check_finite,
    check_numbers,
    check_on_sphere,
    check_symmetric,
    float_array,
    unit_numbers,
    units_of,
)
from deepunits.errors import UserError
from deepunits.invariance.constrained_ascent import STEPS, ConstrainedAscent, Opposite, step_of
from deepunits.models.network import Network
from deepunits.models.view import View
from deepunits.randomness import given_generator

EPSILONS = np.linspace(0, 2, 21)  # from the optimum to the point opposite it
BLOCK = 512  # rows searched together on the CPU: few enough to stay in its cache, enough for fast products


@dataclass
class InvarianceManifold:
    """Where the search ended, for each of U units, T trials and E distances from the optimum.

    Attributes
    ----------
    units : array (U,) of int
    epsilons : array (E,)
        Distances from the optimum, in units of `norm`: the paper's ε.
    activations : array (U, T, E)
        The unit's activation h(x*_ε), before the sigmoid.
    optimum : array (U, P)
        x_opt, from which every manifold starts.
    norm : float
        ρ, the norm of `optimum` and of every point of a manifold.
    shown_units : array (V,) of int
        Units whose points are kept.
    inputs : array (V, T, E, P)
        Their points x*_ε.
    steps : array (U, T, E) of int
        Gradient steps taken; none where ε is 0 or 2, since only one point is feasible there.
    converged : array (U, T, E) of bool
        Whether the search ended by its threshold, not by the limit on steps.
    """

    units: np.ndarray
    epsilons: np.ndarray
    activations: np.ndarray
    optimum: np.ndarray
    norm: float
    shown_units: np.ndarray
    inputs: np.ndarray
    steps: np.ndarray
    converged: np.ndarray


def perturbed_starts(optimum, *, trials, perturbation, norm, unwhitening, rng):
    """Draw the points where the trials start: the optimum plus a small random step along the data's variations.

    White noise would not do: a preconditioned search does not move along directions without variance, so what of the
    noise lies along them would stay to the end.

    Parameters
    ----------
    optimum : array (U, P)
    trials : int
    perturbation : float
        Length of the random step, in units of `norm`.
    norm : float
    unwhitening : array (P, P)
        Square root of the (regularized) covariance of the data.
    rng : generator
        Of the device of `optimum`.

    Returns
    -------
    array (U, trials, P)
    """
    xp = array_module(optimum)
    shape = (len(optimum), trials, optimum.shape[1])
    noise = rng.standard_normal(shape, dtype=optimum.dtype) @ unwhitening
    noise *= perturbation * norm / xp.linalg.norm(noise, axis=2, keepdims=True)
    return optimum[:, None] + noise


def trace_manifold(
    network: Network | View,
    layer: int,
    units: Sequence[int] | np.ndarray,
    optimum: np.ndarray,
    *,
    norm: float | None = None,
    epsilons: Sequence[float] | np.ndarray = EPSILONS,
    trials: int = 1,
    perturbation: float = 0.05,
    unwhitening: np.ndarray | None = None,
    learning_rate: float = 1.0,
    threshold: float = 1e-3,
    max_steps: int = 20,
    rng=None,
    step: str = "whitened",
    minimize: bool = False,
    shown: Sequence[int] | np.ndarray = (),
) -> InvarianceManifold:
    """Trace invariance manifolds: for each ε, the point at distance ερ from the optimum with the highest activation.

    Algorithm 1 of the paper: a gradient step, the projection on both constraints, and of its two solutions the one
    of higher activation, until the activation changes by less than `threshold`. Each ε starts from the point found
    for the one before. All units and trials are rows of one batch, which a row leaves when it has converged. What is
    not given is as in the reproduction of the paper, but for the data, which then count as white.

    Parameters
    ----------
    network : Network or View
        Or anything with their ``weights``, of which the first is used, ``responses``, ``unit_activation_from``,
        ``unit_gradient_from`` and ``check_units``.
    layer : int
        Counted from 1.
    units : array (U,) of int
    optimum : array (U, P)
        x_opt of each unit; float64 makes the search one of double precision, and what is neither that nor float32
        becomes float32.
    norm : float, optional
        ρ; that of the first optimum, if it is not given.
    epsilons : sequence of float, ascending, in [0, 2]
    trials : int
        Searches for each unit, each from a start of its own near the optimum.
    perturbation : float
        Distance of the starts from the optimum, in units of `norm`; more than 0.
    unwhitening : array (P, P), optional
        W⁻¹: symmetric square root of the (regularized) covariance C of the data. Without it C is the identity, and a
        whitened step is a plain one. :func:`deepunits.invariance.whitening.preconditioner` makes it, scaled so that one
        learning rate suits all steps.
    learning_rate : float
        μ. Steps stay stable up to about 1 / (the curvature of h), whitened ones up to that over C's top eigenvalue.
    threshold : float
        Change of the activation in one step, as a share of ``abs(h(x_opt))``, under which a search has converged.
    max_steps : int
        Limit on the steps for each ε, 2 or more.
    rng : generator, optional
        Of the network's device. Without one, the trials are the same in every call.
    step : {'whitened', 'plain', 'tangent'}
        What a step is; see Notes.
    minimize : bool
        Trace the lowest activation instead of the highest (footnote 17).
    shown : sequence of int
        Units whose points are kept.

    Returns
    -------
    InvarianceManifold
        With NumPy arrays.

    Raises
    ------
    UserError
        If the layer or a unit does not exist, the optima do not fit the units, an ε is outside [0, 2], an optimum is
        off the sphere, the covariance is singular or of another size, or the search diverges.

    Examples
    --------
    A unit that is linear keeps 1 - ε²/2 of its activation, whichever way the search turns:

    >>> import numpy as np
    >>> from deepunits import Network, trace_manifold
    >>> network = Network([np.array([[3.0, 4.0, 0.0]])], [np.zeros(1)])
    >>> manifold = trace_manifold(network, 1, [0], np.array([[3.0, 4.0, 0.0]]), epsilons=[0, 1, 2])
    >>> manifold.activations[0, 0].round(2)
    array([ 25. ,  12.5, -25. ], dtype=float32)

    Notes
    -----
    With g the gradient of h at x, a step is

    * ``plain``: μ g, the search of the first formula of section 5.1.
    * ``whitened``: μ C g, Algorithm 1. The change of variables is not carried out, for a step μ ∂h/∂y in y = W x is the
      step μ W⁻¹W⁻ᵀ g = μ C g in x. Its fixed points are those where C g has no component along the feasible sphere.
      At the optimum of eq. 1 it is g that has none. So Algorithm 1, with its projection in closed form, ends at a lower
      activation than eq. 1 asks for, at points drawn towards the directions in which the data vary.
    * ``tangent``: μ C times the component of g along the feasible sphere. It prefers the same directions on its way,
      and its fixed points are those of the plain search: eq. 1, being a change of variables, has the same optimum.
    """
    units = units_of(network, layer, units)
    optimum, shown, epsilons = _arrays(network, optimum, units, shown, epsilons)
    check_finite("the optima", optimum)
    xp = array_module(optimum)
    norm = (float(xp.linalg.norm(optimum[0])) if len(optimum) else 1.0) if norm is None else norm
    unwhitening = xp.eye(optimum.shape[1]) if unwhitening is None else unwhitening
    unwhitening = float_array("the numbers of unwhitening", unwhitening, *[optimum.shape[1]] * 2, xp=xp)
    rng = given_generator(rng, xp)
    check_numbers(
        norm=(norm, "positive"),
        trials=(trials, "count"),
        perturbation=(perturbation, "positive"),  # at the optimum the gradient shows no way
        learning_rate=(learning_rate, "positive"),
        threshold=(threshold, "not negative"),
        max_steps=(max_steps, "count"),
    )
    _check(units, shown, epsilons, optimum, norm, unwhitening, max_steps, step)
    unwhitening = xp.asarray(unwhitening, dtype=optimum.dtype)
    starts = perturbed_starts(
        optimum, trials=trials, perturbation=perturbation, norm=norm, unwhitening=unwhitening, rng=rng
    ).reshape(-1, optimum.shape[1])
    row_units, kept = np.repeat(units, trials), np.repeat(np.isin(units, shown), trials)
    take_step = step_of(step, network.weights[0], unwhitening @ unwhitening, learning_rate)
    climbed = Opposite(network) if minimize else network

    rows = len(row_units)
    activations = xp.empty((rows, len(epsilons)), xp.float32)
    inputs = xp.empty((int(kept.sum()), len(epsilons), optimum.shape[1]), xp.float32)
    steps, converged = xp.empty(activations.shape, int), xp.empty(activations.shape, bool)
    block = BLOCK if xp is np else rows
    for first in range(0, rows, block):
        part = slice(first, first + block)
        kept_here = slice(kept[:first].sum(), kept[: first + block].sum())
        kept_rows = xp.asarray(np.flatnonzero(kept[part]))
        optima = optimum[xp.arange(rows)[part] // trials]
        search = ConstrainedAscent(
            climbed, layer, xp.asarray(row_units[part]), optima, starts[part], take_step, threshold, max_steps
        )
        for e, epsilon in enumerate(epsilons.tolist()):
            x, activations[part, e], steps[part, e], converged[part, e] = search.move_to(epsilon)
            inputs[kept_here, e] = x[kept_rows]
    activations, inputs, steps, converged = map(to_host, (activations, inputs, steps, converged))
    if not np.isfinite(activations).all():
        raise UserError(f"the search for invariances of layer {layer} diverged; lower its learning_rate.")

    shape = (len(units), trials, len(epsilons))
    return InvarianceManifold(
        units=units,
        epsilons=epsilons.astype(np.float32),
        activations=(-activations if minimize else activations).reshape(shape),
        optimum=to_host(optimum),
        norm=float(norm),
        shown_units=units[np.isin(units, shown)],
        inputs=inputs.reshape(-1, *shape[1:], optimum.shape[1]),
        steps=steps.reshape(shape),
        converged=converged.reshape(shape),
    )


def _arrays(network, optimum, units, shown, epsilons):
    """Return what is given as arrays, of the shapes and kinds that they must have."""
    first = network.weights[0]
    optimum = float_array("the optima", optimum, len(units), first.shape[1], xp=array_module(first))
    shown = unit_numbers(shown, "the units shown")
    try:
        epsilons = np.asarray(epsilons, dtype=np.float64)
    except (TypeError, ValueError) as reason:
        raise UserError(f"the epsilons are no numbers ({reason}); give a sequence of distances.") from reason
    if epsilons.ndim != 1 or not len(epsilons):
        raise UserError(f"the epsilons have shape {epsilons.shape}; give a sequence of distances.")
    return optimum, shown, epsilons


def _check(units, shown, epsilons, optimum, norm, unwhitening, max_steps, step):
    """Refuse what cannot be searched."""
    outside = epsilons[~((epsilons >= 0) & (epsilons <= 2))]
    if len(outside):
        raise UserError(f"epsilon is {outside[0]:g}; distances on the sphere, in units of its radius, are from 0 to 2.")
    if not (np.diff(epsilons) > 0).all():
        raise UserError("the epsilons are not ascending; each search starts from the point found at a smaller one.")
    check_on_sphere(units, optimum, norm)
    if max_steps < 2:
        raise UserError(f"max_steps is {max_steps}; the activations of 2 steps are compared, so set it to 2 or more.")
    if step not in STEPS:
        raise UserError(f"step is {step!r}; set it to one of {', '.join(STEPS)}.")
    missing = shown[~np.isin(shown, units)]
    if len(missing):
        raise UserError(f"unit {missing[0]} is to be shown, but its manifold is not traced; add it to the units.")
    check_finite("the numbers of unwhitening", unwhitening)
    check_symmetric("the numbers of unwhitening", unwhitening)
    root = to_host(unwhitening).astype(np.float64)
    try:  # a factor exists where all eigenvalues are above 0; to find them takes five times as long
        np.linalg.cholesky(root - 1e-6 * root.diagonal().max() * np.eye(len(root)))
    except np.linalg.LinAlgError:
        raise UserError("the covariance of the data is singular; raise its regularization.") from None
