"""The table of invariance: layers compared by their units' manifolds, by several searches (section 5.3)."""

import pandas as pd

from deepunits.data.examples import stands_in_for
from deepunits.paper.tables.comparison import (
    SCORES,
    TracedLayer,
    dataset_curves,
    difference_columns,
    mean_columns,
    read_model,
    scores_of,
    traced_layers,
)
from deepunits.storage import load_npz

COLUMNS = (
    *("dataset", "model", "layer", "search", "units", "dead", "converged", "curve", "measure", "mean", "low", "high"),
    *("difference", "difference_low", "difference_high", "superiority"),
    "substitute",
)


def tabulate(layers, manifolds, variants, examples, provenance, *, model, steps, seed):
    """Return the table and the curves of Figure 7, for one model on each dataset.

    Parameters
    ----------
    layers, manifolds : list of path
        ``layer<k>.npz`` and ``invariance.npz`` of three layers for each dataset.
    variants, examples, provenance : list of path
        One for each dataset.
    model : str
    steps : dict of str
        The kind of step of the configured search, by dataset.
    seed : int

    Returns
    -------
    dict
        The ``table``, and the ``curves`` as a dict of arrays.
    """
    rows, drawn = [], {}
    for number, (dataset, step) in enumerate(steps.items()):
        traced, dead = read_model(number, layers, manifolds, examples[number])
        stands_in, epsilons = stands_in_for(provenance[number]), traced[0]["epsilons"]
        found = list(searches(step, traced, load_npz(variants[number]), dead))
        for search, of_layers in found:
            about = {"dataset": dataset, "model": model, "search": search}
            measured = layer_rows(of_layers, epsilons, seed=seed)
            rows += [about | row | {"substitute": stands_in} for row in measured]
        drawn |= dataset_curves(dataset, found[0][1], epsilons)
    return {"table": pd.DataFrame(rows, columns=COLUMNS), "curves": drawn}


def searches(name, manifolds, variants, dead):
    """Yield the searches of a model, a name and a :class:`TracedLayer` for each layer.

    Parameters
    ----------
    name : str
        Of the configured search, which comes first: over all units, then over those that the others were made for.
    manifolds : list of dict of arrays
        ``invariance.npz`` of each layer.
    variants : dict of arrays
        ``invariance_variants.npz`` of the model.
    dead : list of array (units,) of bool
        Of each layer.
    """
    shown = [manifold["shown_units"] for manifold in manifolds]
    whole = traced_layers(manifolds, dead)
    yield name, whole
    yield name, [layer.of(units) for layer, units in zip(whole, shown, strict=True)]
    for number, variant in enumerate(variants["searches"]):
        arrays = [
            [variants[f"layer{k}_{array}"][number] for array in ("activations", "converged")]
            for k in range(1, len(manifolds) + 1)
        ]
        of_shown = [layer_dead[units] for layer_dead, units in zip(dead, shown, strict=True)]
        yield str(variant), [TracedLayer(*pair, gone) for pair, gone in zip(arrays, of_shown, strict=True)]


def layer_rows(layers, epsilons, *, seed):
    """Return the rows of the table of invariance for the layers of a model, searched in one way.

    Parameters
    ----------
    layers : list of TracedLayer
        Bottom first.
    epsilons : array (E,)
    seed : int

    Returns
    -------
    list of dict
        With some of the keys `COLUMNS`. Each measure of each curve: its mean over the live units with a 95 %
        bootstrap interval and, from the second layer on, the difference to the layer below with its interval, and the
        probability that a unit exceeds one of the layer below. Where less than two units are live, they are counted
        and no more.
    """
    rows = []
    for curve, measure in SCORES:
        below = None
        for number, layer in enumerate(layers, start=1):
            row = {"layer": number, "units": len(layer.dead), "dead": layer.counts["dead"]}
            row |= {"converged": layer.share_converged, "curve": curve, "measure": measure}
            scores = scores_of(layer, epsilons, curve, measure)
            rows.append(row | mean_columns(scores, seed) | difference_columns(below, scores, seed))
            below = scores
    return rows
