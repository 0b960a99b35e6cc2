"""NumPy or CuPy: choosing a device, moving arrays, drawing random numbers.

Functions of this package take the array module from the arrays they are given (:func:`array_module`), never from a
global, so one body of code serves both devices.
"""

import hashlib

import numpy as np
from scipy.linalg.blas import sgemm

from deepunits.errors import UserError


def array_module(array):
    """Return ``numpy`` or ``cupy``, whichever made `array`."""
    if isinstance(array, np.ndarray):
        return np
    import cupy

    return cupy


def choose_device(device="auto"):
    """Return the array module to compute with.

    Parameters
    ----------
    device : {'auto', 'cpu', 'gpu'}
        ``auto`` takes a GPU where one answers and the CPU elsewhere.

    Returns
    -------
    module
        ``numpy`` or ``cupy``.

    Raises
    ------
    UserError
        If `device` is ``gpu`` and no GPU can be used, or if it is none of the three.
    """
    if device not in ("auto", "cpu", "gpu"):
        raise UserError(f"device is {device!r}; set it to auto, cpu or gpu.")
    if device == "cpu":
        return np
    try:
        return _usable_cupy()
    except Exception as reason:  # CuPy fails in many ways where there is no GPU: import, driver, allocation
        if device == "gpu":
            raise UserError(
                f"device is gpu, but no GPU can be used ({_first_line(reason)}); "
                "install CuPy and a CUDA driver, or set device to auto or cpu."
            ) from reason
        return np


def _usable_cupy():
    import cupy

    if not cupy.cuda.is_available():
        raise RuntimeError("CuPy finds no CUDA device")
    cupy.zeros(1).sum().item()  # a driver may be present and still refuse to work
    return cupy


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def device_name(xp):
    """Return a name for the device behind the array module `xp`, for logs and metadata."""
    if xp is np:
        return "cpu"
    return xp.cuda.runtime.getDeviceProperties(xp.cuda.Device().id)["name"].decode()


def to_host(array):
    """Return `array` as a NumPy array, copied from the GPU if it lives there."""
    return array if isinstance(array, np.ndarray) else array.get()


def generator(seed, *stage, xp=np):
    """Return a fresh random generator for one stage of the computation.

    The stream depends on `seed` and on the names and numbers in `stage` alone, so a stage that is computed again, or
    resumed at an epoch, needs no stored generator state.

    Parameters
    ----------
    seed : int
        Seed of the run, 0 or more.
    *stage : str or int
        What the numbers are for, such as ``"mnist", "dbn", "layer1", epoch``.
    xp : module
        ``numpy`` (SFC64, the fastest of its bit generators) or ``cupy``.

    Returns
    -------
    numpy.random.Generator or cupy.random.Generator
    """
    sequence = np.random.SeedSequence(seed, spawn_key=tuple(_stage_number(part) for part in stage))
    if xp is np:
        return np.random.Generator(np.random.SFC64(sequence))
    return xp.random.default_rng(int(sequence.generate_state(1, np.uint64)[0]))


def _stage_number(part):
    if isinstance(part, int):
        return part
    return int.from_bytes(hashlib.sha256(part.encode()).digest()[:4], "little")


def uniform(rng, out):
    """Fill the float32 array `out` with numbers from U[0, 1) and return it."""
    if isinstance(out, np.ndarray):
        return rng.random(out=out, dtype=np.float32)
    out[...] = rng.random(out.shape, dtype=np.float32)
    return out


def normal(rng, out):
    """Fill the float32 array `out` with standard normal numbers and return it."""
    if isinstance(out, np.ndarray):
        return rng.standard_normal(out=out, dtype=np.float32)
    out[...] = rng.standard_normal(out.shape, dtype=np.float32)
    return out


def sigmoid(activation, out=None):
    """Return 1 / (1 + exp(-activation)), written into `out` if given.

    Computed as (1 + tanh(a / 2)) / 2, which no activation overflows and which is several times faster than
    ``scipy.special.expit`` in float32.
    """
    xp = array_module(activation)
    out = xp.multiply(activation, 0.5, out=out)
    xp.tanh(out, out=out)
    out *= 0.5
    out += 0.5
    return out


def bernoulli(rng, probability, uniforms, out):
    """Draw `out` = 1 with the given `probability`, else 0, all arrays float32 of one shape.

    `uniforms` is scratch space; `out` may be `probability` itself.
    """
    xp = array_module(probability)
    return xp.less(uniform(rng, uniforms), probability, out=out)


def accumulate_product(out, left, right, alpha=1.0, beta=1.0):
    """Set `out` to ``beta * out + alpha * left.T @ right`` in place.

    One BLAS call on the CPU: the gradient step of a layer without a weight-sized temporary.

    Parameters
    ----------
    out : array (m, n), float32, C order
    left : array (k, m), float32, C order
    right : array (k, n), float32, C order
    alpha, beta : float
    """
    if isinstance(out, np.ndarray):
        # BLAS counts columns first: it sees every C-ordered array transposed, so it is asked for right.T @ left.
        result = sgemm(alpha, right.T, left.T, beta=beta, c=out.T, trans_b=True, overwrite_c=True)
        if not np.shares_memory(result, out):
            raise ValueError("accumulate_product needs float32 arrays in C order")
    else:
        out *= beta
        out += alpha * (left.T @ right)
    return out
