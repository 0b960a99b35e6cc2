"""What the paper tried and set aside (section 5): other searches, and random directions to compare them with."""

import numpy as np

from deepunits.invariance.hessian import walk_along

# Searches for the highest activation at a distance, and for the lowest, by the keywords of `trace_manifold`.
SEARCHES = {
    "whitened": {"step": "whitened"},
    "plain": {"step": "plain"},
    "tangent": {"step": "tangent"},
    "lowest": {"step": "plain", "minimize": True},
}


def random_walks(network, layer, units, optimum, epsilons, *, count, root, rng):
    """Return the mean activation along great circles that leave the optima in random directions.

    Parameters
    ----------
    network : Network
    layer : int
    units : array (U,) of int
    optimum : array (U, P)
        x_opt of each unit, on the network's device.
    epsilons : sequence of float in [0, 2]
    count : int
        Directions for each unit.
    root : array (P, P) or None
        Symmetric square root of the covariance of the directions; None: all directions are as likely.
    rng : generator
        Of the network's device.

    Returns
    -------
    array (U, E)
        The mean over the directions of the activation, of either way along each circle the higher.
    """
    means = np.empty((len(units), len(epsilons)))
    for row, (unit, x) in enumerate(zip(units, optimum, strict=True)):
        directions = rng.standard_normal((count, len(x)), dtype=x.dtype)
        directions = directions if root is None else directions @ root
        means[row] = walk_along(network, layer, int(unit), x, directions, epsilons)[0].mean(axis=0)
    return means
