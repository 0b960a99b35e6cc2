"""The table of units whose truth is known: what each search finds of their manifolds (section 5.1)."""

import numpy as np
import pandas as pd

from deepunits.data.examples import stands_in_for
from deepunits.invariance.known_units import reached
from deepunits.storage import load_npz

DISTANCES = (0.5, 1.0, 1.9)  # ε; opposite the optimum, at 2, there is one point alone


def tabulate(known, provenance):
    """Return the table.

    Parameters
    ----------
    known : path
        ``known_units.npz``.
    provenance : list of path
        Of the one dataset whose covariance whitened steps take.

    Returns
    -------
    dict
        The ``table``: for each unit, search and distance ``reached``, ``distance`` and ``angle_error``.
    """
    found, substitute, rows = load_npz(known), stands_in_for(provenance[0]), []
    share, exact = reached(found["activations"], found["highest"]), 2 * np.arcsin(found["epsilons"] / 2)
    errors = np.abs(found["travelled"] - exact)
    for unit, name in enumerate(found["units"]):
        for search, step in enumerate(found["searches"]):
            for distance in DISTANCES:
                at = unit, search, np.abs(found["epsilons"] - distance).argmin()
                row = {"unit": name, "search": step, "epsilon": found["epsilons"][at[2]], "reached": share[at]}
                rows.append(
                    row | {"distance": found["distances"][at], "angle_error": errors[at], "substitute": substitute}
                )
    return {"table": pd.DataFrame(rows)}
