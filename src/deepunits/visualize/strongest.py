"""The simplest view of a unit: the examples that activate it most (section 4.2)."""

from collections.abc import Sequence

import numpy as np

from deepunits.backend import array_module
from deepunits.checks import check_finite, check_numbers, float_array, units_of
from deepunits.errors import UserError
from deepunits.models.network import Network, activations_of
from deepunits.models.view import View


def strongest_examples(
    network: Network | View, layer: int, units: Sequence[int] | np.ndarray, examples: np.ndarray, count: int = 9
) -> np.ndarray:
    """Return which `examples` activate each unit most, the strongest first.

    Parameters
    ----------
    network : Network or View
    layer : int
    units : array (U,) of int
    examples : array (n, P)
    count : int
        At most n.

    Returns
    -------
    array (U, count) of int

    Raises
    ------
    UserError
        If the layer or a unit does not exist, or the examples are too few, of another size or hold NaN or infinity.
    """
    units = units_of(network, layer, units)
    examples = float_array("the examples", examples, "n", network.pixels, xp=array_module(network.weights[0]))
    check_finite("the examples", examples)
    check_numbers(count=(count, "count"))
    if count > len(examples):
        raise UserError(f"the {count} strongest of {len(examples)} examples were asked for; take fewer.")
    activations = activations_of(network, layer, units, examples)
    lowest_first = np.ascontiguousarray(-np.asarray(activations).T)
    found = np.sort(np.argpartition(lowest_first, count - 1, axis=1)[:, :count], axis=1)
    heights = np.take_along_axis(lowest_first, found, axis=1)
    found = np.take_along_axis(found, np.argsort(heights, axis=1, kind="stable"), axis=1)
    # Of examples that excite a unit alike, as a dead one, the first count; a partition takes any.
    tied = np.flatnonzero((lowest_first <= heights.max(axis=1, keepdims=True)).sum(axis=1) > count)
    found[tied] = np.argsort(lowest_first[tied], axis=1, kind="stable")[:, :count]
    return found
