"""A deep unit as the linear combination of the filters below it (section 2.1; Lee et al. 2008, 2009)."""

from collections.abc import Sequence

import numpy as np

from deepunits.checks import check_numbers, float_array
from deepunits.errors import UserError


def combine_filters(weights: Sequence[np.ndarray], kept: int = 100) -> np.ndarray:
    """Return a filter in the input space for every unit of the top layer.

    A unit's filter is the sum of the filters of the layer below, each times its weight to the unit, over the `kept`
    of them whose weights are largest in magnitude. First-layer filters are the weights themselves; from the third
    layer on, the filters below are themselves such combinations.

    Parameters
    ----------
    weights : sequence of arrays (units of the layer, units of the layer below)
        Bottom first.
    kept : int
        Filters taken of the layer below; the paper finds 100 best.

    Returns
    -------
    array (units of the top layer, P)

    Raises
    ------
    UserError
        If `kept` is no whole number from 1 on, or the weights do not fit on one another.

    Examples
    --------
    >>> import numpy as np
    >>> from deepunits import combine_filters
    >>> combine_filters([np.eye(3), np.array([[0.5, -2.0, 1.0]])], kept=2)
    array([[ 0., -2.,  1.]])
    """
    check_numbers(kept=(kept, "count"))
    if not np.iterable(weights) or not len(weights):
        raise UserError("no weights were given; give those of each layer, bottom first.")
    filters, *above = (float_array("the weights", w, "units", "units below") for w in weights)
    for w in above:
        if w.shape[1] != len(filters):
            raise UserError(f"weights {w.shape} do not fit on {len(filters)} units below; give them bottom first.")
        filters = strongest(w, kept) @ filters
    return filters


def strongest(weights, kept):
    """Return `weights` (m, n) with all but the `kept` of largest magnitude in each row set to 0."""
    if kept >= weights.shape[1]:
        return weights
    largest = np.argpartition(-np.abs(weights), kept - 1, axis=1)[:, :kept]
    result = np.zeros_like(weights)
    np.put_along_axis(result, largest, np.take_along_axis(weights, largest, axis=1), axis=1)
    return result
