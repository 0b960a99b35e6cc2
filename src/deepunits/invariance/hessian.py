"""The invariances of a unit near its optimum: eigenvectors of its Hessian on the sphere (sections 2.3 and 5).

The paper tried these before its manifolds and found them too local; Berkes and Wiskott (2006) give the mathematics.
"""

from dataclasses import dataclass

import numpy as np

from deepunits.backend import array_module, to_host
from deepunits.errors import UserError


@dataclass
class PrincipalInvariances:
    """Curvatures of U units at their optima on the sphere in P dimensions, and the K flattest directions.

    Attributes
    ----------
    units : array (U,) of int
    curvatures : array (U, P - 1)
        Second derivatives of the activation along great circles through the optimum, descending: at a maximum none
        is above 0 and the first is the flattest.
    directions : array (U, K, P)
        Unit tangents at the optimum that belong to the first K curvatures.
    radial : array (U,)
        -g·x/ρ², with g the gradient: the curvature of a direction on which the activation does not depend, which is
        the sphere's own.
    """

    units: np.ndarray
    curvatures: np.ndarray
    directions: np.ndarray
    radial: np.ndarray


def hessian_vector_product(network, x, layer, units, vectors):
    """Return the Hessian of the activation of unit ``units[r]`` at ``x[r]``, times each of ``vectors[r]``.

    Exact: the derivative along the vector is carried through the forward pass and the backward pass (Pearlmutter,
    1994). The Hessian itself is never formed.

    Parameters
    ----------
    network : Network
    x : array (n, P)
    layer : int
        Counted from 1.
    units : array (n,) of int
    vectors : array (n, K, P)

    Returns
    -------
    array (n, K, P)

    Raises
    ------
    UserError
        If the network has no such layer or unit.
    """
    network.check_units(layer, units)
    hidden, weights = network.outputs_below(x, layer), network.weights[: layer - 1]
    moved, passes = vectors, []
    for h, w in zip(hidden[1:], weights, strict=True):
        h = h[:, None]
        slope = h * (1 - h)
        moved = slope * _product(moved, w.T)
        passes.append((w, slope, (1 - 2 * h) * moved))  # the last is the change of the slope
    gradient = network.weights[layer - 1][units][:, None]
    moved_gradient = array_module(x).zeros_like(moved)
    for w, slope, moved_slope in reversed(passes):
        moved_gradient = _product(moved_gradient * slope + gradient * moved_slope, w)
        gradient = _product(gradient * slope, w)
    return moved_gradient


def hessian(network, x, layer, units):
    """Return the Hessian of unit ``units[r]`` of `layer` at ``x[r]``: its products with all axes, shape (n, P, P)."""
    xp = array_module(x)
    axes = xp.broadcast_to(xp.eye(x.shape[1], dtype=x.dtype), (len(x), x.shape[1], x.shape[1]))
    found = hessian_vector_product(network, x, layer, units, axes)
    return (found + found.transpose(0, 2, 1)) / 2  # symmetric but for rounding


def tangent_basis(x):
    """Return an orthonormal basis of the directions orthogonal to `x` (P,), as columns of an array (P, P - 1).

    The columns of the Householder reflection that takes `x` to the first axis, but the first.
    """
    xp = array_module(x)
    v = x / xp.linalg.norm(x)
    v[0] += xp.copysign(xp.ones_like(v[0]), v[0])
    reflection = xp.eye(len(x), dtype=x.dtype) - (2 / (v @ v)) * xp.outer(v, v)
    return reflection[:, 1:]


def curvatures_on_sphere(hessian, gradient, x):
    """Return the principal curvatures of a function at a point of the sphere around 0 through that point.

    The second derivative along a great circle with unit tangent w is w'Hw - g·x/‖x‖². For a quadratic function
    x'Hx/2 + f'x + c that is Berkes and Wiskott's w'Hw - (x'Hx + f'x)/‖x‖².

    Parameters
    ----------
    hessian : array (P, P)
    gradient : array (P,)
    x : array (P,)

    Returns
    -------
    curvatures : array (P - 1,)
        Descending.
    directions : array (P - 1, P)
        The unit tangents that they belong to.
    radial : float
        -g·x/‖x‖².
    """
    basis = tangent_basis(x)
    radial = -float((gradient @ x) / (x @ x))
    values, vectors = array_module(x).linalg.eigh(basis.T @ hessian @ basis)
    return values[::-1] + radial, (basis @ vectors[:, ::-1]).T, radial


def principal_invariances(network, layer, units, optimum, *, kept):
    """Find the directions from each unit's optimum, along the sphere, in which its activation bends least.

    Parameters
    ----------
    network : Network
    layer : int
        Counted from 1; above 1, since the Hessian of a first-layer unit is 0.
    units : array (U,) of int
    optimum : array (U, P)
        x_opt of each unit, on the network's device.
    kept : int
        K: directions kept of each unit.

    Returns
    -------
    PrincipalInvariances
        With NumPy arrays.

    Raises
    ------
    UserError
        If the layer or a unit does not exist, or there are no `kept` directions.
    """
    xp = array_module(optimum)
    pixels = optimum.shape[1]
    if not 1 <= kept < pixels:
        raise UserError(f"{kept} directions were asked for; a sphere in {pixels} dimensions has 1 to {pixels - 1}.")
    units = np.asarray(units)
    gradient = network.unit_gradient(optimum, layer, xp.asarray(units))[1]
    curvatures, directions = np.empty((len(units), pixels - 1)), np.empty((len(units), kept, pixels))
    radial = np.empty(len(units))
    for u in range(len(units)):  # one Hessian at a time: together they would not fit the memory
        own = slice(u, u + 1)
        h = hessian(network, optimum[own], layer, xp.asarray(units[own]))[0]
        values, vectors, radial[u] = curvatures_on_sphere(h, gradient[u], optimum[u])
        curvatures[u], directions[u] = to_host(values), to_host(vectors[:kept])
    return PrincipalInvariances(units, *(a.astype(np.float32) for a in (curvatures, directions, radial)))


def move_along(optimum, directions, epsilons):
    """Return the points at the distances ερ from the optimum on the great circles that leave it in given directions.

    Parameters
    ----------
    optimum : array (..., P)
    directions : array (..., P)
        Unit vectors orthogonal to `optimum`; their other sign is the other way along the circle.
    epsilons : array (E,), in [0, 2]

    Returns
    -------
    array (..., E, P)

    Raises
    ------
    UserError
        If an ε is outside [0, 2].
    """
    xp = array_module(optimum)
    epsilons = xp.asarray(epsilons, dtype=optimum.dtype)[:, None]
    if not bool(((epsilons >= 0) & (epsilons <= 2)).all()):
        raise UserError("an epsilon is outside [0, 2]; no two points of a sphere are farther apart than 2 radii.")
    norm = xp.linalg.norm(optimum, axis=-1)[..., None, None]
    along = norm * epsilons * xp.sqrt(1 - epsilons**2 / 4)
    return (1 - epsilons**2 / 2) * optimum[..., None, :] + along * directions[..., None, :]


def variance_along(directions, covariance):
    """Return how much the data vary along `directions` (..., P), relative to the mean over all directions.

    Under 1: a direction of less variance than a random one. The paper's guess is that the Hessian's flat directions
    change the background (footnote 16), which this measures.

    Parameters
    ----------
    directions : array (..., P)
        Unit vectors.
    covariance : array (P, P)
        Of the data.

    Returns
    -------
    array (...)
    """
    variance = ((directions @ covariance) * directions).sum(axis=-1)
    return variance * len(covariance) / covariance.trace()


def _product(vectors, matrix):
    """Return ``vectors @ matrix`` for `vectors` (n, K, a) as one product of matrices."""
    n, k, size = vectors.shape
    return (vectors.reshape(n * k, size) @ matrix).reshape(n, k, -1)
