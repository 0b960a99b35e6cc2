"""The local view of invariance that the paper tried and set aside (section 5, footnote 16): the Hessian at x_opt."""

from dataclasses import dataclass

import numpy as np

from deepunits.backend import array_module, to_host
from deepunits.checks import check_finite, float_array, units_of
from deepunits.errors import UserError
from deepunits.invariance.projection import farthest, project
from deepunits.models.network import Network
from deepunits.models.view import View


@dataclass
class PrincipalCurvatures:
    """The second-order view of a unit's activation on the sphere around its optimum.

    Attributes
    ----------
    curvatures : array (P - 1,)
        Second derivatives of the activation along geodesics of the sphere, per unit of length, flattest first: at a
        maximum from 0 or below it downwards.
    directions : array (P - 1, P)
        Unit vectors of those geodesics at x_opt, orthogonal to x_opt and to each other.
    """

    curvatures: np.ndarray
    directions: np.ndarray


def hessian_vector_product(network, layer, units, x, vectors):
    """Return the product of the Hessian of a unit's activation, with respect to the input, and a vector.

    Of a :class:`Network` it is exact (Pearlmutter, 1994); other views have ways of their own.

    Parameters
    ----------
    network : Network or View
    layer : int
    units : array (n,) of int
        Row r is about unit ``units[r]``, at the input ``x[r]``, along ``vectors[r]``.
    x : array (n, P)
    vectors : array (n, P)

    Returns
    -------
    array (n, P)

    Raises
    ------
    UserError
        If the network has no such layer or unit.
    """
    network.check_units(layer, units)
    return network.hessian_vector_product(layer, units, x, vectors)


def hessian(network, layer, unit, x):
    """Return the Hessian (P, P) of the activation of one `unit` with respect to the input, at `x` (P,)."""
    xp, pixels = array_module(x), len(x)
    rows = xp.broadcast_to(x, (pixels, pixels))
    return hessian_vector_product(network, layer, xp.full(pixels, unit), rows, xp.eye(pixels, dtype=x.dtype))


def curvatures_on_sphere(hessian, gradient, x):
    """Return the principal curvatures of a function at a point `x` of the sphere around 0 through it.

    Along a geodesic that leaves x in the direction of the unit vector w, the second derivative of h is
    w'Hw - (x · ∂h/∂x) / ‖x‖²: the sphere's own curvature adds a term. For a quadratic form x'Hx/2 + f'x + c that is
    w'Hw - (x'Hx + f'x) / ‖x‖² (Berkes and Wiskott, 2006).

    Parameters
    ----------
    hessian : array (P, P)
    gradient : array (P,)
    x : array (P,)

    Returns
    -------
    PrincipalCurvatures
    """
    basis = np.linalg.qr(x[:, None], mode="complete")[0][:, 1:]  # of the tangent space at x
    values, vectors = np.linalg.eigh(basis.T @ hessian @ basis)
    return PrincipalCurvatures(
        curvatures=values[::-1] - x @ gradient / (x @ x),
        directions=(basis @ vectors[:, ::-1]).T,
    )


def principal_curvatures(network: Network | View, layer: int, unit: int, optimum: np.ndarray) -> PrincipalCurvatures:
    """Return the eigenvectors of the Hessian on the sphere at a unit's optimum, the flattest direction first.

    Parameters
    ----------
    network : Network
    layer, unit : int
    optimum : array (P,)
        x_opt, of norm ρ.

    Returns
    -------
    PrincipalCurvatures
        With NumPy arrays, float64.

    Raises
    ------
    UserError
        If the network has no such layer or unit, or the optimum is of another size, 0, NaN or infinite.
    """
    units_of(network, layer, [unit])
    xp, name = array_module(network.weights[0]), "the pixels of the optimum"
    optimum = float_array(name, optimum, network.pixels, xp=xp)
    check_finite(name, optimum)
    if not optimum.any():
        raise UserError("the optimum is 0, which is on no sphere; give a point of norm above 0.")
    gradient = network.unit_gradient(optimum[None], layer, xp.asarray([unit]))[1][0]
    found = (hessian(network, layer, unit, optimum), gradient, optimum)
    return curvatures_on_sphere(*(to_host(array).astype(np.float64) for array in found))


def walk_along(network, layer, unit, optimum, directions, epsilons):
    """Move from the optimum along great circles of the sphere, and return the activations met on the way.

    Of the two points at distance ερ the one of higher activation is taken, as in the tracing of manifolds.

    Parameters
    ----------
    network : Network
    layer, unit : int
    optimum : array (P,)
        x_opt.
    directions : array (D, P)
        Where each great circle leaves x_opt, such as eigenvectors of the Hessian.
    epsilons : sequence of float in [0, 2]

    Returns
    -------
    activations : array (D, E)
    inputs : array (D, E, P)
        NumPy arrays, both.
    """
    xp = array_module(optimum)
    optima = xp.broadcast_to(optimum, directions.shape)
    towards = xp.asarray(directions, dtype=optimum.dtype)
    units = xp.full(len(directions), unit)
    activations = np.empty((len(directions), len(epsilons)), np.float32)
    inputs = np.empty((len(directions), len(epsilons), len(optimum)), np.float32)
    for e, epsilon in enumerate(np.asarray(epsilons).tolist()):  # Python's numbers leave single precision as it is
        nearest = project(towards, optima, epsilon)
        points = nearest, farthest(nearest, optima, epsilon)
        heights = xp.stack([network.unit_activation(point, layer, units) for point in points])
        activations[:, e] = to_host(heights.max(axis=0))
        inputs[:, e] = to_host(xp.where((heights[0] >= heights[1])[:, None], *points))
    return activations, inputs


def variance_along(directions, covariance):
    """Return the variance of the data along each of `directions` (D, P), shape (D,), relative to that of a pixel.

    The mean over pixels is 1. Far below it lie directions of the background: the hypothesis of section 5.1.
    """
    variances = np.einsum("dp,pq,dq->d", directions, covariance, directions, optimize=True)
    return variances / np.einsum("dp,dp->d", directions, directions) / (np.trace(covariance) / len(covariance))
