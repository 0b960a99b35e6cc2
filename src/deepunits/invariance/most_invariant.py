"""The most invariant units of a layer: those that a reader looks for first, so that more is kept of them."""

from dataclasses import replace

import numpy as np

from deepunits.invariance.measures import area, normalized
from deepunits.visualize.activation_maximization import maximize_activation

COUNT = 18  # units of a layer, of which the points of the manifold are kept, which cost nothing
CLIMBED = 9  # of these, those of which the solutions of all starts are found, which takes a fifth of the time or less
KEPT = 2**27  # numbers, half a gigabyte: points kept of a search until it is known which units are the most invariant


def kept_until_known(units, drawn, settings, pixels):
    """Return of which `units` a search is to keep its points: of all, or only of the `drawn` where that is too much."""
    points = len(units) * settings["trials"] * settings["epsilons"] * pixels
    return units if points <= KEPT else drawn


def most_invariant(activations, epsilons, count=COUNT):
    """Return the places of at most `count` live units of the largest area under the normalized curve, largest first.

    Parameters
    ----------
    activations : array (U, T, E)
        Of each unit, trial and distance; a unit's curve is its highest trial.
    epsilons : array (E,)
        From 0 to 2.
    """
    highest = activations.max(axis=1)
    live = np.flatnonzero(highest[:, 0] > highest[:, -1])
    areas = area(normalized(highest[live], epsilons), epsilons)
    return live[np.argsort(-areas, kind="stable")[:count]]


def more_of_the_most_invariant(network, layer, manifold, maxima, settings, *, rng):
    """Return what is kept of the most invariant units of a layer: solutions of all starts, points of the manifolds.

    Parameters
    ----------
    network, layer, maxima, settings, rng
        As for :func:`all_starts`.
    manifold : InvarianceManifold
        Of all units of the layer, with the points of those that :func:`kept_until_known` names.

    Returns
    -------
    dict of arrays
        What :func:`all_starts` returns of at most `CLIMBED` units; ``shown_units`` (V,), at most `COUNT`, their
        ``frames`` (V, E, P) and ``norm``.
    """
    most = manifold.units[most_invariant(manifold.activations, manifold.epsilons)]
    solutions = all_starts(network, layer, most[:CLIMBED], maxima, settings, rng=rng)
    shown, points = frames(manifold, most)
    return solutions | {"shown_units": shown, "frames": points, "norm": manifold.norm}


def all_starts(network, layer, units, maxima, settings, *, rng):
    """Return the solutions of all starts of some `units`: those of `maxima`, and new ascents for units it lacks.

    Parameters
    ----------
    network : Network or View
    layer : int
    units : array (N,) of int
    maxima : dict of arrays
        As stored by activation maximization for the first units of the layer, R starts each.
    settings : dict
        ``learning_rate``, ``threshold`` and ``max_steps`` of activation maximization.
    rng : generator
        Of the network's device.

    Returns
    -------
    dict
        ``units`` (N,), ``inputs`` (N, R, P), ``activations``, ``steps`` and ``converged`` (N, R).
    """
    known = np.isin(units, maxima["units"])
    ascents = maximize_activation(
        network,
        layer,
        units[~known],
        norm=float(maxima["norm"]),
        restarts=maxima["inputs"].shape[1],
        **{name: settings[name] for name in ("learning_rate", "threshold", "max_steps")},
        rng=rng,
    )
    places, found = np.searchsorted(maxima["units"], units[known]), {"units": units}
    for name in ("inputs", "activations", "steps", "converged"):
        stored, new = maxima[name], getattr(ascents, name)
        found[name] = np.empty((len(units), *stored.shape[1:]), stored.dtype)
        found[name][known], found[name][~known] = stored[places], new
    return found


def frames(manifold, units):
    """Return the points of the first trial of those of the `units` of which a manifold keeps them, and which these are.

    Returns
    -------
    units : array (V,) of int
    frames : array (V, E, P)
    """
    units = units[np.isin(units, manifold.shown_units)]
    return units, manifold.inputs[np.searchsorted(manifold.shown_units, units), 0]


def only_drawn(manifold, drawn):
    """Return an InvarianceManifold that keeps the points of the `drawn` units only."""
    kept = np.isin(manifold.shown_units, drawn)
    return replace(manifold, shown_units=manifold.shown_units[kept], inputs=manifold.inputs[kept])
