"""The table of transformations: how invariant the layers are to known ones, by two measures (section 6)."""

from functools import partial

import numpy as np
import pandas as pd

from deepunits.data.examples import stands_in_for
from deepunits.invariance.firing import mean_of_top
from deepunits.invariance.measures import normalized
from deepunits.invariance.transformed_optima import normalized_curves
from deepunits.paper.statistics import over_units
from deepunits.storage import load_npz

COLUMNS = (
    *("dataset", "model", "layer", "transformation", "firing", "firing_low", "firing_high"),
    *("reaching", "kept", "kept_low", "kept_high"),
    "substitute",
)
KEPT_AT = 0.8  # ε at which transformations are compared: most of them take most optima that far


def tabulate(transformations, invariance, provenance, *, dataset, model, top, seed):
    """Return the table.

    Parameters
    ----------
    transformations, invariance : list of path
        ``transformations.npz`` and ``invariance.npz`` of each layer, from the first on.
    provenance : list of path
        Of the one dataset.
    dataset, model : str
        Whose layers these are.
    top : float
        Share of the units that a layer's score is the mean of.
    seed : int

    Returns
    -------
    dict
        The ``table``.
    """
    rows, substitute = [], stands_in_for(provenance[0])
    for layer, paths in enumerate(zip(transformations, invariance, strict=True), start=1):
        found = transformation_rows(*map(load_npz, paths), top=top, seed=seed)
        place = {"dataset": dataset, "model": model, "layer": layer}
        rows += [place | row | {"substitute": substitute} for row in found]
    return {"table": pd.DataFrame(rows, columns=COLUMNS)}


def transformation_rows(measured, traced, *, top, seed):
    """Return the rows of the table of transformations for one layer: each kind, and then any change at all.

    Parameters
    ----------
    measured : dict of arrays
        As :func:`deepunits.invariance.transformed_optima.normalized_curves` takes them, with ``kinds`` (K,) and
        ``scores`` (K, U) of Goodfellow et al. (2009).
    traced : dict of arrays
        The invariance manifolds of these units, and perhaps of others.
    top : float
        Share of the units that a layer's score is the mean of.
    seed : int

    Returns
    -------
    list of dict
        With some of the keys `COLUMNS`: ``firing``, the score, and ``kept``, the mean over units of the
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
