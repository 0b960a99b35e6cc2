"""The table of units: how many of every layer are dead, and on natural images how many are like Gabor functions."""

import numpy as np
import pandas as pd

from deepunits.data.examples import load_examples, stands_in_for
from deepunits.gabor import fit_gabors
from deepunits.models.stack import encode, load_layer
from deepunits.storage import load_npz
from deepunits.visualize.activation_maximization import best_solutions

EXAMPLES = 2000  # test examples, the same that pretraining counts dead units on
GABOR = 0.7  # R² from which a filter counts as Gabor-like

COLUMNS = (
    *("dataset", "model", "layer", "units", "dead"),
    *("fitted", "gabor_median", "gabor_share", "fitted_shown", "gabor_median_shown", "gabor_share_shown"),
    "substitute",
)


def tabulate(layers, maxima, examples, provenance, *, places, fitted, datasets):
    """Return the table.

    Parameters
    ----------
    layers : list of path
        ``layer<k>.npz`` of the `places`.
    maxima : list of path
        ``activation_maximization.npz`` of those `fitted`.
    examples, provenance : list of path
        Of the `datasets`.
    places, fitted : list of (dataset, model, layer)
        Layers of a model from the first on.
    datasets : list of str

    Returns
    -------
    dict
        The ``table``.
    """
    seen = {dataset: load_examples(path, "test")[:EXAMPLES] for dataset, path in zip(datasets, examples, strict=True)}
    substitutes = dict(zip(datasets, map(stands_in_for, provenance), strict=True))
    maxima = dict(zip(map(tuple, fitted), map(load_npz, maxima), strict=True))
    rows, stack = [], []
    for (dataset, model, layer), path in zip(places, layers, strict=True):
        stack = [*stack[: layer - 1], load_layer(path)]
        found = maxima.get((dataset, model, layer))
        best = found and best_solutions(found["inputs"], found["activations"])
        row = unit_row(dataset, model, stack, seen[dataset], best)
        rows.append(row | {"substitute": substitutes[dataset]})
    return {"table": pd.DataFrame(rows, columns=COLUMNS)}


def unit_row(dataset, model, layers, examples, best=None):
    """Return a row of the table of units for one layer of a model.

    Parameters
    ----------
    dataset, model : str
    layers : list of TiedLayer
        The layer, last, and those below it.
    examples : array (n, P)
        Units are dead that hardly change over these.
    best : array (U, P), optional
        The activation maxima of the layer's first units. Where they are given, it is measured how much the live ones
        are like Gabors; in the first layer, where the maxima are the filters (section 4.2), all filters.

    Returns
    -------
    dict
        With some of the keys `COLUMNS`. ``gabor_share`` is the share of R² above 0.7 and ``_shown`` stands for
        the units of `best`.
    """
    dead = layers[-1].dead_units(encode(layers[:-1], examples))
    row = {"dataset": dataset, "model": model, "layer": len(layers), "units": len(dead), "dead": int(dead.sum())}
    if best is None:
        return row
    if len(layers) == 1:
        numbers = np.flatnonzero(~dead)
        r_squared = _gabor_r_squared(layers[0].weights[numbers])
        row |= _gabor_columns("", r_squared) | _gabor_columns("_shown", r_squared[numbers < len(best)])
        return row
    return row | _gabor_columns("_shown", _gabor_r_squared(best[~dead[: len(best)]]))


def _gabor_r_squared(filters):
    return fit_gabors(filters).r_squared if len(filters) else np.empty(0)


def _gabor_columns(suffix, r_squared):
    """Return of how many units Gabors were fitted, the median R² and the share above the threshold."""
    if not len(r_squared):
        return {f"fitted{suffix}": 0}
    return {
        f"fitted{suffix}": len(r_squared),
        f"gabor_median{suffix}": round(float(np.median(r_squared)), 3),
        f"gabor_share{suffix}": round(float((r_squared > GABOR).mean()), 3),
    }
