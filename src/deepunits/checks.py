"""What the library's functions refuse, in one sentence that names the argument and the remedy."""

import math
from numbers import Integral, Real

import numpy as np

from deepunits.backend import array_module, to_host
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
        value = value.item() if getattr(value, "shape", None) == () else value  # as files hold numbers
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


def image_shape(shape):
    """Return the `shape` of an image, rows and columns and perhaps colours, as a tuple; refuse what is none."""
    sizes = tuple(shape) if np.iterable(shape) else ()
    if len(sizes) not in (2, 3) or not all(isinstance(n, Integral) and n > 0 for n in sizes):
        raise UserError(f"shape is {shape!r}; give rows and columns of an image, and its colours if there are any.")
    return sizes


def check_kind(value, kind, remedy):
    """Refuse a `value` that is no `kind`, a class."""
    if not isinstance(value, kind):
        raise UserError(f"{type(value).__name__} was given in place of {kind.__name__}; {remedy}.")


def check_symmetric(name, array):
    """Refuse an `array` (n, n) that is not symmetric."""
    if not bool(abs(array - array.T).max() <= 1e-5 * abs(array).max()):
        raise UserError(f"{name} are not symmetric; give a covariance, or its symmetric root as preconditioner does.")


def check_on_sphere(units, optimum, norm):
    """Refuse the optima (n, pixels) of `units` (n,) where they have not this norm."""
    off = abs(to_host(array_module(optimum).linalg.norm(optimum, axis=1)) / norm - 1)
    if not (off <= 1e-5).all():
        worst = units[np.nanargmax(off) if np.isfinite(off).any() else 0]
        raise UserError(f"the optimum of unit {worst} is off the sphere of radius {norm:g}; scale it to that norm.")


def units_of(network, layer, units):
    """Return the numbers of `units` of a network's `layer` as an array; refuse what has no such layer or units."""
    if isinstance(network, type) or not hasattr(network, "check_units"):
        raise UserError(
            f"{type(network).__name__} was given in place of a network; make one by deepunits.Network, TorchView or "
            "from_sklearn."
        )
    units = to_host(unit_numbers(units))
    network.check_units(layer, units)
    return units


def check_layer(layer, depth):
    """Refuse a number of a `layer` that a network of so many layers has not."""
    if not isinstance(layer, Integral) or not 1 <= layer <= depth:
        raise UserError(f"layer {layer!r} was asked for, but the network has layers 1 to {depth}.")


def check_in_layer(layer, units, count):
    """Refuse `units` (n,) that are no numbers, or that a `layer` of `count` units has not."""
    units = unit_numbers(units)
    outside = [int(unit) for unit in (units.min(), units.max()) if not 0 <= unit < count] if len(units) else []
    if outside:
        raise UserError(f"layer {layer} has units 0 to {count - 1}; unit {outside[0]} was asked for.")


def unit_numbers(units, name="units"):
    """Return `units`, a sequence of whole numbers, as an array; refuse a mask, fractions and anything of two axes."""
    found = _array(name, list(units) if np.iterable(units) and not hasattr(units, "dtype") else units)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iu"):
        raise UserError(
            f"{name} are an array of {found.dtype} of shape {found.shape}; give their numbers, such as range(36), and "
            "np.flatnonzero(mask) for a mask."
        )
    return found.astype(int) if found.dtype.kind not in "iu" else found


def float_array(name, values, *shape, xp=None):
    """Return `values` as an array, float32 or, where they are that, float64; refuse what is not real numbers.

    Where a `shape` is given, any other is refused, too: how long each axis is, or a name, the same for axes of the same
    length. Where an array module `xp` is given, the array is moved to it.
    """
    found = _array(name, values)
    try:
        if getattr(values, "dtype", None) not in (np.float32, np.float64):
            found = array_module(found).asarray(found, dtype=np.float32)
    except (TypeError, ValueError) as reason:
        raise UserError(f"{name} are no array of numbers ({reason}); give one of floats.") from reason
    lengths = dict(zip(shape, found.shape, strict=False)) | {n: n for n in shape if isinstance(n, Integral)}
    if shape and found.shape != tuple(lengths.get(axis) for axis in shape):
        wanted = ", ".join(map(str, shape)) + "," * (len(shape) == 1)
        raise UserError(f"{name} have shape {found.shape}; give ({wanted}).")
    return found if xp is None else to_host(found) if xp is np else xp.asarray(found)


def _array(name, values):
    """Return `values` as an array of NumPy or, if they are one, of CuPy; refuse what is none or complex."""
    if hasattr(values, "toarray"):
        raise UserError(f"{name} are sparse; give what their toarray() returns.")
    try:
        found = values if _of_cupy(values) else np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as reason:
        raise UserError(f"{name} are no array of numbers ({reason}); give one of floats.") from reason
    if found.dtype.kind == "c":
        raise UserError(f"{name} are complex numbers; give real ones.")
    return found


def _of_cupy(values):
    try:
        return array_module(values) is not np
    except UserError:
        return False
