"""Optima that are turned, moved and scaled: manifolds of one known invariance each, which section 6 proposes."""

from collections.abc import Sequence

import numpy as np

from deepunits.backend import array_module, to_host
from deepunits.checks import check_numbers, check_on_sphere, float_array, units_of
from deepunits.errors import UserError
from deepunits.invariance.transformations import checked_matrices
from deepunits.models.network import Network
from deepunits.models.view import View


def transformed_optima(
    network: Network | View,
    layer: int,
    units: Sequence[int] | np.ndarray,
    optimum: np.ndarray,
    matrices: np.ndarray,
    *,
    norm: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Follow the activation of units as their optima are transformed: manifolds of one known invariance (section 6).

    Parameters
    ----------
    network : Network or View
    layer : int
    units : array (U,) of int
    optimum : array (U, P)
        x_opt of each unit.
    matrices : array (G, P, P)
        The transformations, in the order of their amount, the one that does nothing among them.
    norm : float
        ρ: transformed optima are scaled back to the sphere.

    Returns
    -------
    distances : array (U, G)
        From the optimum, in units of `norm`: the ε of each transformed optimum.
    activations : array (U, G)
        NumPy arrays, both.

    Raises
    ------
    UserError
        If the layer or a unit does not exist, the arrays do not fit, an optimum is off the sphere, a transformation
        leaves nothing of one in the frame, or none leaves it as it is.
    """
    units, xp = units_of(network, layer, units), array_module(network.weights[0])
    optimum = float_array("the optima", optimum, len(units), network.pixels, xp=xp)
    matrices = checked_matrices(matrices, network.pixels)
    check_numbers(norm=(norm, "positive"))
    check_on_sphere(units, optimum, norm)
    rows = xp.asarray(units)
    distances, activations = np.empty((2, len(units), len(matrices)))
    for g, matrix in enumerate(matrices):
        x = optimum @ xp.asarray(matrix).T
        lengths = xp.linalg.norm(x, axis=1, keepdims=True)
        if not bool((lengths > 1e-6 * norm).all()):
            raise UserError("a transformation leaves nothing of an optimum in the frame; lower its largest amounts.")
        x *= norm / lengths
        distances[:, g] = to_host(xp.linalg.norm(x - optimum, axis=1)) / norm
        activations[:, g] = to_host(network.unit_activation(x, layer, rows))
    if (distances.min(axis=1) > 1e-4).any():
        raise UserError("no transformation leaves the optimum as it is; add the amount 0, or 1 for scaling.")
    return distances, activations


def highest_at(distances, activations, epsilons):
    """Return curves against ε of the highest activation that any amount of a transformation gives at that distance.

    The transformed optima are taken as corners of a path along which distance and activation change linearly.

    Parameters
    ----------
    distances, activations : array (U, G)
        As :func:`transformed_optima` returns them, in the order of the amounts.
    epsilons : array (E,)

    Returns
    -------
    array (U, E)
        NaN where no amount of the transformation takes the optimum that far.
    """
    from_d, to_d = distances[:, :-1, None], distances[:, 1:, None]
    from_h, to_h = activations[:, :-1, None], activations[:, 1:, None]
    slack = 1e-5  # the distance of the optimum from itself is rounding, not 0
    met = (np.minimum(from_d, to_d) - slack <= epsilons) & (epsilons <= np.maximum(from_d, to_d) + slack)
    step = np.where(to_d == from_d, 1.0, to_d - from_d)
    share = np.clip((epsilons - from_d) / step, 0.0, 1.0)
    heights = np.where(met, from_h + share * (to_h - from_h), -np.inf).max(axis=1)
    return np.where(met.any(axis=1), heights, np.nan)


def curves(measured, epsilons):
    """Return the curves of transformed optima against ε: the highest activation of any amount at each distance.

    Between two amounts the activation is taken to change in proportion to ε², as it does at any optimum for small ε
    and for a linear unit throughout; so few amounts will do.

    Parameters
    ----------
    measured : dict of arrays
        ``distances``, ``activations`` (K, U, G) of U optima under G amounts of K transformations.
    epsilons : array (E,)

    Returns
    -------
    array (K, U, E)
        NaN where a transformation does not take an optimum that far.
    """
    moved = zip(measured["distances"], measured["activations"], strict=True)
    return np.stack([highest_at(distances**2, heights, epsilons**2) for distances, heights in moved])


def normalized_curves(measured, epsilons):
    """Return the :func:`curves` on the scale of :func:`deepunits.invariance.measures.normalized`.

    Parameters
    ----------
    measured : dict of arrays
        As in :func:`curves`, with ``highest`` and ``opposite`` (U,): activations at the optimum and opposite it.
    epsilons : array (E,)

    Returns
    -------
    array (K, U, E)
        For any unit that is linear in its input 1 - ε²/4, whatever the transformation.
    """
    highest, opposite = measured["highest"][:, None], measured["opposite"][:, None]
    return (curves(measured, epsilons) - opposite) / (highest - opposite)
