"""The table of rotations: how far turning the optimum of an output unit explains its manifolds (section 5.2)."""

import pandas as pd

from deepunits.data.examples import stands_in_for
from deepunits.invariance.measures import explained_by_rotation
from deepunits.storage import load_npz


def tabulate(manifolds, provenance, *, models, labels):
    """Return the table.

    Parameters
    ----------
    manifolds : list of path
        ``invariance.npz`` of the output units of each of the `models`.
    provenance : list of path
        Of the one dataset.
    models : list of str
    labels : list of int
        The output units.

    Returns
    -------
    dict
        The ``table``.
    """
    rows, substitute = [], stands_in_for(provenance[0])
    for model, path in zip(models, manifolds, strict=True):
        stored = load_npz(path)
        for label in labels:
            frames = rotation_rows(stored["epsilons"], stored["inputs"][label], stored["activations"][label])
            rows += [{"model": model, "label": label} | row | {"substitute": substitute} for row in frames]
    return {"table": pd.DataFrame(rows)}


def rotation_rows(epsilons, inputs, activations):
    """Return how well the frames of each manifold of a unit are rotations of its first one, a row a frame.

    Parameters
    ----------
    epsilons : array (E,)
    inputs : array (T, E, P)
        Square images.
    activations : array (T, E)
    """
    side = round(inputs.shape[-1] ** 0.5)
    rows = []
    for trial, frames in enumerate(inputs):
        explained = zip(epsilons, activations[trial], *explained_by_rotation(frames, (side, side)), strict=True)
        for epsilon, activation, angle, correlation, unrotated in explained:
            rows.append(
                {
                    "trial": trial,
                    "epsilon": round(float(epsilon), 6),
                    "activation": float(activation),
                    "angle": float(angle),
                    "correlation": float(correlation),
                    "unrotated": float(unrotated),
                }
            )
    return rows
