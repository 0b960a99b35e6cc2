"""The points that both constraints of section 5.1 leave: on the sphere around 0, at a distance from the optimum."""

from deepunits.backend import array_module, row_dot


def project(x, optimum, epsilon):
    """Project onto the points of norm ρ = ‖x_opt‖ at distance ερ from the optimum, in closed form (section 5.1).

    Every such point is (1 - ε²/2) x_opt ± ρε √(1 - ε²/4) u with u a unit vector orthogonal to x_opt. The component of
    `x` orthogonal to x_opt gives u; the upper sign is the feasible point nearest to `x`, the lower one the farthest.

    Parameters
    ----------
    x : array (n, P)
        No row along its optimum, where every feasible point is as near.
    optimum : array (n, P)
    epsilon : float
        From 0 to 2.

    Returns
    -------
    array (n, P)
        The nearest feasible point; :func:`farthest` makes of it the other one.
    """
    xp = array_module(x)
    squared_norm = row_dot(optimum, optimum)
    u = x - (row_dot(x, optimum) / squared_norm)[:, None] * optimum
    left = row_dot(u, optimum) / squared_norm  # what rounding left along x_opt
    radius = epsilon * (1 - epsilon**2 / 4) ** 0.5 * xp.sqrt(squared_norm)
    scale = radius / xp.sqrt(row_dot(u, u) - left**2 * squared_norm)
    u *= scale[:, None]
    u += (1 - epsilon**2 / 2 - scale * left)[:, None] * optimum
    return u


def farthest(nearest, optimum, epsilon):
    """Return the feasible point opposite the nearest one: its mirror image through the line of x_opt.

    The image is linear in both, so of the responses of filters to the two points it makes those to the third.

    Parameters
    ----------
    nearest : array (n, P)
        As :func:`project` returns it, or the responses (n, filters) to it.
    optimum : array (n, P)
        x_opt, or the responses (n, filters) to it.
    epsilon : float
        From 0 to 2.

    Returns
    -------
    array (n, P) or (n, filters)
    """
    return (2 - epsilon**2) * optimum - nearest


def orthogonal(a, b):
    """Return each row of `a` (n, P) less its component along the same row of `b` (n, P)."""
    along = (row_dot(a, b) / row_dot(b, b))[:, None] * b
    return array_module(a).subtract(a, along, out=along)
