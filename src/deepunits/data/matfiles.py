"""Reading MATLAB files, and refusing those that do not hold what they should."""

import io
import struct
import zlib

import numpy as np
import scipy.io

from deepunits.archives import Damaged, decoding, limit
from deepunits.errors import UserError

NUMBERS = {"double", "single", "logical", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
COMPRESSED = 15  # the tag of an element that zlib unpacks


def read_mat(content, shapes):
    """Return arrays of a MATLAB file.

    Parameters
    ----------
    content : bytes
    shapes : dict of tuple
        The shape of each array that is wanted, by name.

    Returns
    -------
    dict of array
        Of numbers, all finite.

    Raises
    ------
    UserError
        If it is no MATLAB file or is cut short, if it lacks an array, or if one has another shape, holds no numbers, or
        holds NaN or infinity.
    """
    with decoding("MATLAB file of version 7 or before"):
        content = _unpacked(content)
        _check_headers(content, shapes)
        arrays = scipy.io.loadmat(io.BytesIO(content), variable_names=list(shapes))
    for name, shape in shapes.items():
        array = arrays[name]
        if array.dtype.kind not in "buif" or array.shape != shape:
            raise UserError(f"its array {name} holds no real numbers of shape {shape}.")
        if not np.isfinite(array).all():
            raise UserError(f"its array {name} holds NaN or infinity.")
    return {name: arrays[name] for name in shapes}


def _check_headers(content, shapes):
    """Refuse what the headers say is not wanted, before memory is taken for it and cells in cells are opened."""
    found = scipy.io.whosmat(io.BytesIO(content))
    for name, shape in shapes.items():
        known = [(size, kind) for called, size, kind in found if called == name]
        if not known:
            raise UserError(f"it holds no array {name}.")
        for size, kind in known:
            if kind not in NUMBERS:
                raise UserError(f"its array {name} holds no real numbers.")
            if size != shape:
                raise UserError(f"its array {name} has shape {size} where {shape} is expected.")


def _unpacked(content):
    """Return the bytes of a MATLAB file of version 5 with nothing compressed in them; of another file, as they are."""
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        return content
    parts, at, left = [content[:128]], 128, limit(len(content))
    while at < len(content):
        kind, size = struct.unpack_from(f"{order}II", content, at)
        element = content[at : at + 8 + size]
        if len(element) < 8 + size:
            raise Damaged(f"the element at byte {at} has no end")
        if kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            element = unpacker.decompress(element[8:], left)
            if unpacker.unconsumed_tail or not unpacker.eof:
                raise Damaged(f"the element at byte {at} has no end, or would become too large")
        left -= len(element)
        parts.append(element)
        at += 8 + size
    return b"".join(parts)
