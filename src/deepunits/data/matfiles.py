"""Reading MATLAB files, and refusing those that do not hold what they should."""

import io

import numpy as np
import scipy.io

from deepunits.errors import UserError


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
    try:
        arrays = scipy.io.loadmat(io.BytesIO(content), variable_names=list(shapes))
    except Exception as reason:  # a damaged file can fail in any way
        raise UserError(f"it is no MATLAB file of version 7 or before, or is cut short ({reason}).") from reason
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
