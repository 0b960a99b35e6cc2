"""How invariant the units of a layer are, from their activations along a manifold (section 5.3)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_expit

from deepunits.backend import generator
from deepunits.errors import UserError
from deepunits.invariance.transformations import transform

RESAMPLES = 2000
CONFIDENCE = (2.5, 97.5)  # percentiles: intervals of 95 %


@dataclass
class Interval:
    """A statistic over units with its 95 % percentile bootstrap interval: numbers, or arrays of one shape."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def log_sigmoid(activations):
    """Return log(sigmoid(h)), the vertical axis of Figure 7, in float64; no activation is too low for it."""
    return log_expit(np.asarray(activations, dtype=np.float64))


def normalized(activations):
    """Return the curves (h - h(2)) / (h(0) - h(2)), which all fall from 1 to 0 whatever the size of the weights.

    Figure 7 compares activations of different sizes: log(sigmoid(h)) of a unit with larger weights falls faster even
    if its shape is the same. For a linear unit the normalized curve is 1 - ε²/4.

    Parameters
    ----------
    activations : array (..., E)
        From ε = 0, first, to ε = 2, last.

    Returns
    -------
    array (..., E), float64
        NaN for a unit that is as active at the antipode as at its optimum, such as a dead one.
    """
    h = np.asarray(activations, dtype=np.float64)
    fall = h[..., :1] - h[..., -1:]
    return (h - h[..., -1:]) / np.where(fall > 0, fall, np.nan)


def area_under_curve(epsilons, curves):
    """Return the integral over ε of each of the curves (..., E) by the trapezoidal rule, shape (...)."""
    return np.trapezoid(np.asarray(curves, dtype=np.float64), np.asarray(epsilons, dtype=np.float64), axis=-1)


def slope(epsilons, curves):
    """Return the slope over ε of the least-squares line through each of the curves (..., E), shape (...).

    Negative for a falling curve. The paper calls the slopes of layer 1 "smaller" where it concludes that its units are
    the least invariant: they are the more negative.
    """
    centred = np.asarray(epsilons, dtype=np.float64) - np.mean(epsilons, dtype=np.float64)
    return np.asarray(curves, dtype=np.float64) @ centred / (centred @ centred)


def mean_over_units(values, *, seed):
    """Return the mean over units of `values` (U,) or (U, E), with intervals from resampled units.

    Units whose values hold NaN, such as dead ones that :func:`normalized` cannot place, are left out.

    Raises
    ------
    UserError
        If no unit is left.
    """
    values = _usable(values)
    low, high = np.percentile(_resampled_means(values, generator(seed, "bootstrap")), CONFIDENCE, axis=0)
    return Interval(values.mean(axis=0), low, high)


def difference_of_means(a, b, *, seed):
    """Return how far the mean of `b` is above that of `a`, with its interval; two layers, or two models.

    Parameters
    ----------
    a : array (U,) or (U, E)
    b : array (V,) or (V, E)
        A value for each unit; units are resampled on either side. NaN as in :func:`mean_over_units`.
    seed : int

    Returns
    -------
    Interval
        Above 0 with its `low` end: `b` is more.
    """
    a, b = _usable(a), _usable(b)
    differences = _resampled_means(b, generator(seed, "bootstrap", "b")) - _resampled_means(
        a, generator(seed, "bootstrap", "a")
    )
    low, high = np.percentile(differences, CONFIDENCE, axis=0)
    return Interval(b.mean(axis=0) - a.mean(axis=0), low, high)


def _usable(values):
    values = np.asarray(values, dtype=np.float64)
    usable = values[~np.isnan(values.reshape(len(values), -1)).any(axis=1)]
    if not len(usable):
        raise UserError("no unit has a curve that falls from its optimum; are all units of the layer dead?")
    return usable


def _resampled_means(values, rng):
    """Return the means of `RESAMPLES` draws of as many units, with replacement: (RESAMPLES,) or (RESAMPLES, E)."""
    units = len(values)
    times_drawn = rng.multinomial(units, np.full(units, 1 / units), size=RESAMPLES)
    return times_drawn @ values / units


@dataclass
class LayerInvariance:
    """Invariance of the U units of a layer: a number for each unit.

    Attributes
    ----------
    area, slope : array (U,)
        Of log(sigmoid(h)) over ε.
    normalized_area : array (U,)
        Of (h - h(2)) / (h(0) - h(2)); NaN for dead units.
    """

    area: np.ndarray
    slope: np.ndarray
    normalized_area: np.ndarray


def layer_invariance(epsilons, activations):
    """Measure the invariance of every unit of a layer.

    Parameters
    ----------
    epsilons : array (E,)
        From 0 to 2.
    activations : array (U, T, E)
        As traced; of the trials of a unit the highest activation counts at each ε, which is what is searched for.

    Returns
    -------
    LayerInvariance

    Raises
    ------
    UserError
        If the curves do not reach from ε = 0 to ε = 2.
    """
    if not (epsilons[0] == 0 and epsilons[-1] == 2):
        raise UserError(f"the curves reach from ε = {epsilons[0]:g} to {epsilons[-1]:g}; trace them from 0 to 2.")
    h = np.asarray(activations).max(axis=1)
    return LayerInvariance(
        area=area_under_curve(epsilons, log_sigmoid(h)),
        slope=slope(epsilons, log_sigmoid(h)),
        normalized_area=area_under_curve(epsilons, normalized(h)),
    )


def departures(inputs, optimum):
    """Return the parts of `inputs` (..., P) orthogonal to the `optimum` (P,): which way a manifold went.

    Points of two manifolds at the same ε share their part along the optimum, so their cosine says little: compare
    these.
    """
    return inputs - ((inputs @ optimum) / (optimum @ optimum))[..., None] * optimum


@dataclass
class RotationFit:
    """How well frames are explained as rotations of the first of their row.

    Attributes
    ----------
    angles : array (T, E)
        Degrees, counter-clockwise, of the rotation of the first frame that is most like the frame.
    correlations : array (T, E)
        Their correlation over the pixels of the inscribed disc.
    unrotated : array (T, E)
        Correlation with the first frame as it stands.
    """

    angles: np.ndarray
    correlations: np.ndarray
    unrotated: np.ndarray


def explained_by_rotation(frames, shape, *, step=2.0):
    """Say of each frame of a manifold how well it is explained by rotating the first frame (Figure 6).

    Parameters
    ----------
    frames : array (T, E, P)
        A row of frames for each trial.
    shape : tuple (height, width)
        Of a frame.
    step : float
        Degrees between the angles that are tried, all around; a divisor of 360.

    Returns
    -------
    RotationFit
    """
    angles = np.arange(-180 + step, 180 + step / 2, step)
    angles = angles[np.argsort(np.abs(angles), kind="stable")]  # 0 first: of equal angles, the smallest is taken
    rows, columns = (np.indices(shape).reshape(2, -1).T - (np.array(shape) - 1) / 2).T
    disc = np.hypot(rows, columns) <= (min(shape) - 1) / 2
    frames = np.asarray(frames, dtype=np.float64)
    rotated = _standardized(transform(frames[:, 0], "rotation", angles, shape)[:, :, disc])
    correlations = _standardized(frames[:, :, disc]) @ rotated.transpose(0, 2, 1)
    best = correlations.argmax(axis=2)
    return RotationFit(angles[best], np.take_along_axis(correlations, best[..., None], 2)[..., 0], correlations[..., 0])


def _standardized(x):
    """Return `x` less its mean over the last axis and of length 1, so that inner products are correlations."""
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)
