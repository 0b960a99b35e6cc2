"""Reading a pickled NumPy array without running what else a pickle may hold."""

import io
import pickle
import pickletools

import numpy as np

from deepunits.archives import Damaged, decoding
from deepunits.errors import UserError

# All that a pickle of a NumPy array names; NumPy 2 moved the first.
ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in ADMITTED:
            raise UserError(f"it names {module}.{name} where only a NumPy array is expected; do not use it.")
        return ADMITTED[module, name]


def read_pickled_array(content):
    """Return the array of numbers in the bytes of a pickle.

    Raises
    ------
    UserError
        If the pickle holds anything but one NumPy array of numbers, or is cut short.
    """
    with decoding("pickle"):
        for code, argument, _ in pickletools.genops(content):
            # The machine would make room for as many remembered things as the highest number among them.
            if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument) > len(content):
                raise Damaged("it remembers more than it holds")
        array = _ArrayUnpickler(io.BytesIO(content)).load()
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
        raise UserError(f"it holds {type(array).__name__} where a NumPy array of numbers is expected; do not use it.")
    return array
