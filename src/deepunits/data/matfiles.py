"""Reading numbers from MATLAB files, and refusing files that do not hold what they should.

Version 5 is read here and not by SciPy, which a damaged file of it can crash. SciPy reads version 4.
"""

import io
import math
import struct
import zlib

import numpy as np
import scipy.io

from deepunits.archives import Damaged, decoding, limit
from deepunits.errors import UserError

# By the numbers of the format's description: classes of arrays that hold numbers, and how their numbers are stored.
NUMBERS = range(6, 16)
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
MATRIX, COMPRESSED = 14, 15
COMPLEX = 0x0800  # among the flags of an array
START = 128  # bytes before the first element


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
        order = {b"IM": "<", b"MI": ">"}.get(content[START - 2 : START])
        if order and content[:4].count(0) == 0:
            arrays = dict(_arrays(content, order, shapes))
        else:
            arrays = scipy.io.loadmat(io.BytesIO(content), variable_names=list(shapes))
    for name, shape in shapes.items():
        if name not in arrays:
            raise UserError(f"it holds no array {name}.")
        array = arrays[name]
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
            raise UserError(f"its array {name} holds no real numbers.")
        if array.shape != shape:
            raise UserError(f"its array {name} has shape {array.shape} where {shape} is expected.")
        if not np.isfinite(array).all():
            raise UserError(f"its array {name} holds NaN or infinity.")
    return {name: arrays[name] for name in shapes}


def _arrays(content, order, wanted):
    """Yield the name and the values of each array that is `wanted` in a file of version 5; None if it is no numbers."""
    left = limit(len(content))
    for kind, element in _elements(content[START:], order, padded=False):
        if kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            plain = unpacker.decompress(element, left)
            if not unpacker.eof:
                raise Damaged("an element has no end, or would become too large")
            left -= len(plain)
            kind, element = next(_elements(plain, order, padded=False), (None, b""))
        if kind == MATRIX:
            parts = _elements(element, order, padded=True)
            (_, flags), (_, dimensions), (_, name) = next(parts), next(parts), next(parts)
            if (name := name.decode("latin-1")) in wanted:
                [flags, _] = struct.unpack(f"{order}2I", flags)
                shape = struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions)
                numbers = flags & 0xFF in NUMBERS and not flags & COMPLEX
                yield name, _values(*next(parts), order, shape) if numbers else None


def _values(kind, content, order, shape):
    """Return the array of a shape whose numbers are stored column by column in `content`."""
    values = np.frombuffer(content, np.dtype(order + STORED[kind]))
    if min(shape) < 0 or math.prod(shape) != len(values):
        raise Damaged(f"it has {len(values)} numbers for an array of shape {shape}")
    return values.reshape(shape, order="F")


def _elements(content, order, padded):
    """Yield the kind and the bytes of each element; those in an array are `padded` to eight bytes."""
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from(f"{order}2I", content, at)
        start = at + 8
        if small := kind >> 16:  # up to four bytes stand in the place of the size
            kind, size, start = kind & 0xFFFF, small, at + 4
        if start + size > len(content) or small > 4:
            raise Damaged(f"the element at byte {at} has no end")
        yield kind, content[start : start + size]
        at = at + 8 if small else start + size + (-size % 8 if padded else 0)
