"""The table that compares a DBN and an SDAE by the invariance of their units, layer by layer."""

import pandas as pd

from deepunits.data.examples import stands_in_for
from deepunits.paper.tables.comparison import (
    SCORES,
    dataset_curves,
    difference_columns,
    mean_columns,
    read_model,
    scores_of,
    traced_layers,
)

MODELS = ("dbn", "sdae")  # that are compared: the second with the first
COLUMNS = (
    *("dataset", "layer", "curve", "measure"),
    *(f"{model}_{name}" for model in MODELS for name in ("live", "dead", "converged", "mean", "low", "high")),
    *("difference", "difference_low", "difference_high", "superiority"),
    "substitute",
)


def tabulate(layers, manifolds, examples, provenance, *, datasets, seed):
    """Return the table, and the curves of Figure 7 for the DBNs.

    Parameters
    ----------
    layers, manifolds : list of path
        ``layer<k>.npz`` and ``invariance.npz`` of three layers for each dataset and each of `MODELS`.
    examples, provenance : list of path
        One for each dataset.
    datasets : list of str
    seed : int

    Returns
    -------
    dict
        The ``table``, and the ``curves`` as a dict of arrays.
    """
    rows, drawn = [], {}
    for number, dataset in enumerate(datasets):
        stands_in, models = stands_in_for(provenance[number]), {}
        for place, model in enumerate(MODELS, start=len(MODELS) * number):
            traced, dead = read_model(place, layers, manifolds, examples[number])
            models[model] = traced_layers(traced, dead)
        epsilons = traced[0]["epsilons"]
        compared = model_rows(models, epsilons, seed=seed)
        rows += [{"dataset": dataset} | row | {"substitute": stands_in} for row in compared]
        drawn |= dataset_curves(dataset, models["dbn"], epsilons)
    return {"table": pd.DataFrame(rows, columns=COLUMNS), "curves": drawn}


def model_rows(models, epsilons, *, seed):
    """Return the rows of the table that compares the models of a dataset, searched in the same way.

    Parameters
    ----------
    models : dict of list of TracedLayer
        The layers, bottom first, of each of `MODELS`.
    epsilons : array (E,)
    seed : int

    Returns
    -------
    list of dict
        With some of the keys `COLUMNS`. Each measure of each curve, layer by layer: its mean over the live units
        of each model with a 95 % bootstrap interval, the difference, SDAE less DBN, with its interval, and the
        probability that a unit of the SDAE exceeds one of the DBN. Where less than two units are live, they are counted
        and no more.
    """
    rows = []
    for curve, measure in SCORES:
        for number, layers in enumerate(zip(*(models[model] for model in MODELS), strict=True), start=1):
            row = {"layer": number, "curve": curve, "measure": measure}
            scores = [scores_of(layer, epsilons, curve, measure) for layer in layers]
            for model, layer, its in zip(MODELS, layers, scores, strict=True):
                found = layer.counts | {"converged": layer.share_converged} | mean_columns(its, seed)
                row |= {f"{model}_{name}": value for name, value in found.items()}
            rows.append(row | difference_columns(*scores, seed))
    return rows
