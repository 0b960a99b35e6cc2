"""Measures of invariance (section 5.3): curves of a unit's activation against ε, layers compared, rows of Figure 6."""

import numpy as np

from deepunits.errors import UserError
from deepunits.randomness import generator

RESAMPLES = 2000


def log_sigmoid(activation: np.ndarray) -> np.ndarray:
    """Return log(sigmoid(activation)) in float64: the y-axis of Figure 7, exact however negative the activation is."""
    return -np.logaddexp(0.0, -np.asarray(activation, dtype=np.float64))


def normalized(activations: np.ndarray, epsilons: np.ndarray) -> np.ndarray:
    """Scale curves to (h - h(2)) / (h(0) - h(2)), which no bias and no scale of the weights changes.

    The curve of any unit that is linear in its input is 1 - ε²/4.

    Parameters
    ----------
    activations : array (..., E)
    epsilons : array (E,)
        From 0 to 2.

    Returns
    -------
    array (..., E), float64
        1 at ε = 0 and 0 at ε = 2.

    Raises
    ------
    UserError
        If `epsilons` do not run from 0 to 2, or a unit's activation is the same at both ends.

    Examples
    --------
    >>> import numpy as np
    >>> from deepunits import normalized
    >>> normalized(np.array([[5.0, 4.0, -3.0]]), np.array([0.0, 1.0, 2.0]))
    array([[1.   , 0.875, 0.   ]])
    """
    activations, epsilons = _curves(activations, epsilons)
    if epsilons[0] != 0 or epsilons[-1] != 2:
        raise UserError(f"the epsilons run from {epsilons[0]:g} to {epsilons[-1]:g}; normalized curves need 0 to 2.")
    h = activations.astype(np.float64)
    first, last = h[..., :1], h[..., -1:]
    if (first == last).any():
        raise UserError("a unit has the same activation at its optimum and opposite it: it is dead; leave it out.")
    return (h - last) / (first - last)


def area(curves: np.ndarray, epsilons: np.ndarray) -> np.ndarray:
    """Return the area under each of the curves (..., E) by the trapezoidal rule, shape (...).

    >>> import numpy as np
    >>> from deepunits import area
    >>> epsilons = np.linspace(0, 2, 201)
    >>> area(1 - epsilons**2 / 4, epsilons).round(3)  # of any linear unit
    np.float64(1.333)
    """
    return np.trapezoid(*_curves(curves, epsilons), axis=-1)


def _curves(curves, epsilons):
    """Return curves (..., E) and ε (E,) as arrays; refuse those that do not fit together."""
    curves, epsilons = np.asarray(curves), np.asarray(epsilons)
    numbers = curves.dtype.kind in "fiu" and epsilons.dtype.kind in "fiu"
    if not (numbers and curves.shape[-1:] == epsilons.shape != (0,)):
        raise UserError(
            f"curves of shape {curves.shape} and epsilons of shape {epsilons.shape} do not fit; give (..., E) and (E,)."
        )
    return curves, epsilons


def slope(curves, epsilons):
    """Return the slope of the straight line fitted to each of the curves (..., E) by least squares, shape (...)."""
    centred = epsilons - np.mean(epsilons)
    return curves @ centred / (centred @ centred)


def mean_over_units(values, *, seed):
    """Return the mean over units with its 95 % bootstrap interval (percentile method).

    Parameters
    ----------
    values : array (U, ...)
        A number or a whole curve for each unit. The units are resampled, so the points of a curve stay together.
    seed : int

    Returns
    -------
    mean, low, high : arrays (...)
    """
    from scipy.stats import bootstrap  # here, because it takes longer to import than all else together

    values = np.asarray(values, dtype=np.float64)
    interval = bootstrap(
        (values,),
        np.mean,
        axis=0,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=100,
        rng=generator(seed, "bootstrap"),
    ).confidence_interval
    return values.mean(axis=0), interval.low, interval.high


def compare(lower, upper, *, seed):
    """Compare a measure between the units of two layers, or of two models.

    Parameters
    ----------
    lower : array (U,)
    upper : array (V,)
    seed : int

    Returns
    -------
    dict of float
        ``difference``: mean of `upper` less mean of `lower`, with its 95 % bootstrap interval ``low``, ``high``.
        ``superiority``: probability that a unit of `upper` exceeds a unit of `lower`, ties counting half: the
        statistic of Mann and Whitney over its maximum.
    """
    from scipy.stats import bootstrap, mannwhitneyu

    lower, upper = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)

    def difference(a, b, axis=-1):
        return b.mean(axis=axis) - a.mean(axis=axis)

    interval = bootstrap(
        (lower, upper),
        difference,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=100,
        rng=generator(seed, "bootstrap"),
    ).confidence_interval
    return {
        "difference": float(difference(lower, upper)),
        "low": float(interval.low),
        "high": float(interval.high),
        "superiority": float(mannwhitneyu(upper, lower).statistic / (len(lower) * len(upper))),
    }


def departures(inputs, optimum):
    """Return the parts of `inputs` (..., P) orthogonal to the `optimum` (P,): which way a manifold went.

    Points of two manifolds at the same ε share their part along the optimum, so cosines between trials are taken of
    these.
    """
    return inputs - ((inputs @ optimum) / (optimum @ optimum))[..., None] * optimum


def explained_by_rotation(frames, shape, *, step=2.0):
    """Measure how well the frames of a row of Figure 6 are rotations of its first one.

    Parameters
    ----------
    frames : array (E, P)
    shape : (int, int)
        Rows and columns of a frame.
    step : float
        Degrees between the angles tried, all around the circle.

    Returns
    -------
    angles : array (E,)
        Angle in degrees, from -180 up to 180, counter-clockwise, by which the first frame is turned to correlate best.
    correlations : array (E,)
        The correlation at that angle, over the pixels of the inscribed disc, where no corner turns in.
    unrotated : array (E,)
        The correlation with the first frame as it is, to hold the former against.
    """
    from scipy import ndimage

    turns = np.arange(-180.0, 180.0, step)
    turns = turns[np.argsort(np.abs(turns), kind="stable")]  # of angles that explain a frame equally well, the smallest
    first = np.asarray(frames[0], dtype=np.float64).reshape(shape)
    rotated = np.array([ndimage.rotate(first, turn, reshape=False, order=1).ravel() for turn in turns])
    y, x = np.indices(shape).reshape(2, -1)
    disc = np.hypot(y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2) <= (min(shape) - 1) / 2
    correlations = _standardized(np.asarray(frames, dtype=np.float64)[:, disc]) @ _standardized(rotated[:, disc]).T
    best = correlations.argmax(axis=1)
    return turns[best], correlations[np.arange(len(best)), best], correlations[:, 0]


def _standardized(rows):
    """Shift and scale each row to mean 0 and norm 1, so that inner products are correlations."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)
