"""The remarks of section 5 that the paper gives without numbers, as claims, and the table of transformations."""

from functools import partial

import numpy as np

from deepunits.claims import Claim, over_units
from deepunits.invariance.hessian import variance_along
from deepunits.invariance.measures import departures, normalized
from deepunits.invariance.transformations import mean_of_top, normalized_curves

FLATTEST = 0.1  # share of the eigenvectors that counts as those of smallest curvature
DISTANCE = 1.0  # ε at which searches are compared

TRANSFORMATION_COLUMNS = (
    *("dataset", "model", "layer", "transformation", "firing", "firing_low", "firing_high"),
    *("reaching", "kept", "kept_low", "kept_high"),
    "substitute",
)
KEPT_AT = 0.8  # ε at which transformations are compared: most of them take most optima that far


def claims_about_curvatures(name, curvatures, *, seed):
    """Return the remark of footnote 16 about the eigenvectors of the Hessian.

    Parameters
    ----------
    name : str
        Which layer, such as ``mnist sdae layer 2``.
    curvatures : dict of arrays
        ``variances`` (U, P - 1) of the data along the eigenvectors of each unit, the flattest first, in units of the
        mean over pixels.
    seed : int
    """
    variances = curvatures["variances"]
    flattest = variances[:, : max(round(FLATTEST * variances.shape[1]), 1)]
    return [
        Claim(
            f"flat-directions-are-background-{_identity(name)}",
            "5.1, footnote 16",
            "The directions of smallest curvature change the background.",
            f"median over units of the variance of the data along the flattest {FLATTEST:.0%} of the eigenvectors, "
            f"relative to that of a pixel, {name}",
            *over_units(flattest.mean(axis=1), seed=seed),
            "<= 0.5",
        )
    ]


def claims_about_searches(name, searches, covariance, *, seed):
    """Return the remarks of footnote 17 on minimising, and those of section 5.1 on whitening.

    Parameters
    ----------
    name : str
    searches : dict of arrays
        ``epsilons`` (E,), ``optimum`` (U, P) and, for each of `SEARCHES`, ``<search>_activations`` (U, E) and
        ``<search>_inputs`` (U, E, P); ``data_like_activations`` and ``random_activations`` (U, E) along random
        directions, drawn with the covariance of the data and all as likely.
    covariance : array (P, P)
        Of the data.
    seed : int
    """
    at = int(np.abs(searches["epsilons"] - DISTANCE).argmin())
    identity, where = _identity(name), f"at ε = {searches['epsilons'][at]:.3g}, {name}"
    top = searches["plain_activations"][:, 0].astype(np.float64)

    def fall(search):
        return top - searches[f"{search}_activations"][:, at]

    def variance(search):
        pairs = zip(searches[f"{search}_inputs"][:, at], searches["optimum"], strict=True)
        return variance_along(np.array([departures(x, optimum) for x, optimum in pairs]), covariance)

    return [
        Claim(
            f"minimum-in-background-{identity}",
            "5.1, footnote 17",
            "Minimising the activation shows the same background effect.",
            f"median over units of the variance of the data along the way to the lowest activation, relative to that "
            f"of a pixel, {where}",
            *over_units(variance("lowest"), seed=seed),
            "<= 0.5",
        ),
        *(
            Claim(
                f"ridge-{directions.replace('_', '-')}-{identity}",
                "5.1, footnote 17",
                "The activation is like a ridge: it falls significantly in most directions, and hardly along a few.",
                f"median over units of the fall of the activation in random directions, {drawn}, over its fall along "
                f"the manifold, {where}",
                *over_units(fall(directions) / fall("plain"), seed=seed),
                ">= 2",
            )
            for directions, drawn in (("data_like", "drawn as the data vary"), ("random", "all as likely"))
        ),
        Claim(
            f"whitening-leaves-background-{identity}",
            "5.1",
            "Whitening counteracts the background effect: the search moves where the data vary.",
            f"median over units of the variance of the data along the way of the whitened search, over that of the "
            f"plain search, {where}",
            *over_units(variance("whitened") / variance("plain"), seed=seed),
            ">= 1",
        ),
        Claim(
            f"whitening-keeps-optimum-{identity}",
            "5.1, equation 1",
            "Whitening is a change of variables: the highest activation at a distance stays what it is.",
            f"median over units of the activation found less with whitening than without, as a share of that at the "
            f"optimum, {where}",
            *over_units((fall("whitened") - fall("plain")) / np.abs(top), seed=seed),
            "<= 0.01",
        ),
    ]


def _identity(name):
    return name.replace(" ", "-")


def transformation_rows(measured, traced, *, top, seed):
    """Return the rows of the table of transformations for one layer: each kind, and then any change at all.

    Parameters
    ----------
    measured : dict of arrays
        As :func:`deepunits.invariance.transformations.normalized_curves` takes them, with ``kinds`` (K,) and
        ``scores`` (K, U) of Goodfellow et al. (2009).
    traced : dict of arrays
        The invariance manifolds of these units, and perhaps of others.
    top : float
        Share of the units that a layer's score is the mean of.
    seed : int

    Returns
    -------
    list of dict
        With some of the keys `TRANSFORMATION_COLUMNS`: ``firing``, the score, and ``kept``, the mean over units of the
        normalized activation at ε = 0.8 (a linear unit keeps 0.84), each with its 95 % bootstrap interval over
        units; ``reaching``, the number of units that the transformation takes that far.
    """
    rows = []
    curves = normalized_curves(measured, np.array([KEPT_AT]))[:, :, 0]
    for kind, scores, heights in zip(measured["kinds"], measured["scores"], curves, strict=True):
        row = {"transformation": str(kind)}
        if len(scores):
            row |= _with_interval("firing", over_units(scores, partial(mean_of_top, share=top), seed=seed))
        rows.append(row | _kept(heights[np.isfinite(heights)], seed))
    _, free = manifold_curves(traced, measured["units"], np.array([KEPT_AT]))
    return [*rows, {"transformation": "manifold"} | _kept(free.ravel(), seed)]


def manifold_curves(traced, units, epsilons):
    """Return the highest activations along the manifolds of some units, and the same normalized: (U, E) both.

    Parameters
    ----------
    traced : dict of arrays
        ``units``, ``epsilons`` and ``activations`` of invariance manifolds.
    units : array (U,)
        Those wanted, in the order of the manifolds.
    epsilons : array (E,)
        Where they are wanted; between the distances of the manifolds on straight lines.
    """
    heights = traced["activations"][np.isin(traced["units"], units)].max(axis=1)
    pair = heights, normalized(heights, traced["epsilons"])
    return [np.array([np.interp(epsilons, traced["epsilons"], line) for line in lines]) for lines in pair]


def _kept(heights, seed):
    kept = _with_interval("kept", over_units(heights, np.mean, seed=seed)) if len(heights) else {}
    return {"reaching": len(heights)} | kept


def _with_interval(name, values):
    names = (name, f"{name}_low", f"{name}_high")
    return {column: round(value, 3) for column, value in zip(names, values, strict=True)}
