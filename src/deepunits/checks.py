"""What the library's functions refuse, in one sentence that names the argument and the remedy."""

import math
from numbers import Integral, Real

import numpy as np

from deepunits.backend import array_module
from deepunits.errors import UserError


def check_numbers(**numbers):
    """Refuse numbers out of range.

    Parameters
    ----------
    **numbers : (value, kind)
        By the argument's name; kind is one of `KINDS`.
    """
    for name, (value, kind) in numbers.items():
        holds, demand = KINDS[kind]
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or not holds(value):
            raise UserError(f"{name} is {value!r}; give {demand}.")


KINDS = {
    "count": (lambda value: isinstance(value, Integral) and value >= 1, "a whole number, 1 or more"),
    "positive": (lambda value: value > 0, "a number above 0"),
    "not negative": (lambda value: value >= 0, "a number, 0 or more"),
    "share": (lambda value: 0 <= value <= 1, "a share, 0 to 1"),
    "lower share": (lambda value: 0 <= value < 1, "a share, 0 or more and below 1"),
}


def check_choice(name, value, choices):
    """Refuse a `value` that is none of the `choices`."""
    if value not in choices:
        raise UserError(f"{name} is {value!r}; set it to {' or '.join(map(str, choices))}.")


def check_finite(name, array):
    """Refuse an `array` that holds NaN or an infinity."""
    if not bool(array_module(array).isfinite(array).all()):
        raise UserError(f"{name} hold NaN or an infinity; give numbers alone.")


def check_kind(value, kind, remedy):
    """Refuse a `value` that is no `kind`, a class."""
    if not isinstance(value, kind):
        raise UserError(f"{type(value).__name__} was given in place of {kind.__name__}; {remedy}.")


def units_of(network, layer, units):
    """Return the numbers of `units` of a network's `layer` as an array; refuse what has no such layer or units."""
    if not hasattr(network, "check_units"):
        raise UserError(
            f"{type(network).__name__} was given in place of a network; make one by deepunits.Network, TorchView or "
            "from_sklearn."
        )
    units = unit_numbers(units)
    network.check_units(layer, units)
    return units


def unit_numbers(units, name="units"):
    """Return `units`, a sequence of whole numbers, as an array; refuse a mask, fractions and anything of two axes."""
    found = units if hasattr(units, "dtype") else np.asarray(list(units) if np.iterable(units) else units)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iu"):
        raise UserError(
            f"{name} are an array of {found.dtype} of shape {found.shape}; give their numbers, such as range(36), and "
            "np.flatnonzero(mask) for a mask."
        )
    return found.astype(int) if found.dtype.kind not in "iu" else found


def float_array(name, values, *shape):
    """Return `values` as they are if they are float32 or float64, else as float32; refuse what is not numbers.

    Where a `shape` is given, any other is refused, too: how long each axis is, or a name, the same for axes of the same
    length.
    """
    try:
        if getattr(values, "dtype", None) not in (np.float32, np.float64):
            values = (array_module(values) if hasattr(values, "dtype") else np).asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as reason:
        raise UserError(f"{name} are no array of numbers ({reason}); give one of floats.") from reason
    lengths = dict(zip(shape, values.shape, strict=False)) | {n: n for n in shape if isinstance(n, int)}
    if shape and values.shape != tuple(lengths.get(axis) for axis in shape):
        raise UserError(f"{name} have shape {values.shape}; give ({', '.join(map(str, shape))}).")
    return values
