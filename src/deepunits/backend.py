"""NumPy or CuPy: choosing a device, moving arrays, drawing random numbers.

Functions of this package take the array module from the arrays they are given (:func:`array_module`), never from a
global, so one body of code serves both devices.
"""

import hashlib

import numpy as np
from scipy.linalg.blas import sgemm

from deepunits.errors import UserError
from deepunits.kernels import launch

DRAWN = 8192  # uniform numbers made at a time: the bits that they are made from stay in the cache
COMPARED = 100_000  # Bernoulli states drawn at a time, likewise
LONG = 1000  # rows from which on a product is worth a temporary of the size of its result


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
    numpy.random.Generator or an object with the methods of cupy.random.Generator
    """
    sequence = np.random.SeedSequence(seed, spawn_key=tuple(_stage_number(part) for part in stage))
    if xp is np:
        return np.random.Generator(np.random.SFC64(sequence))
    return _DeviceGenerator(xp, sequence)


class _DeviceGenerator:
    """CuPy's generator and, drawn on the host, where that launches nothing, the keys that our own kernels take."""

    def __init__(self, xp, sequence):
        self._numbers = xp.random.default_rng(int(sequence.generate_state(1, np.uint64)[0]))
        self._keys = np.random.SFC64(sequence)

    def key(self):
        return self._keys.random_raw() >> 1  # a kernel takes 64 bits with a sign

    def __getattr__(self, name):
        return getattr(self._numbers, name)


def _stage_number(part):
    if isinstance(part, int):
        return part
    return int.from_bytes(hashlib.sha256(part.encode()).digest()[:4], "little")


def uniform(rng, out):
    """Fill the float32 array `out`, in C order, with numbers from U[0, 1), multiples of 2^-24, and return it."""
    if not isinstance(out, np.ndarray):
        out[...] = rng.random(out.shape, dtype=np.float32)
        return out
    # Two numbers from each 64-bit draw take two thirds of the time of NumPy's own float32 numbers.
    for part in _parts(out, DRAWN):
        bits = rng.bit_generator.random_raw(-(-part.size // 2)).view(np.uint32)[: part.size]
        bits >>= 8
        part[...] = bits.view(np.int32)  # signed integers become floats faster
        part *= 2.0**-24
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


def biased_sigmoid(activation, bias, out=None):
    """Return sigmoid(activation + bias), activations (n, units), written into `out` if given; it may be `activation`.

    In single precision on a GPU one kernel does it.
    """
    xp = array_module(activation)
    if xp is np or activation.dtype != np.float32 or bias.dtype != np.float32:
        out = xp.add(activation, bias, out=out)
        return sigmoid(out, out=out)
    activation = xp.ascontiguousarray(activation)
    out = xp.empty_like(activation) if out is None else out
    launch("add_bias_sigmoid", activation.size, activation, bias, out, activation.size, len(bias))
    return out


def sigmoid_layer(x, weights, bias, out=None):
    """Return sigmoid(x @ weights + bias), the means of a layer of units, written into `out` if given.

    Single precision takes fewer passes over the result than the plain form, with the same numbers to within rounding:
    on the CPU the product itself adds the bias and halves what tanh(a / 2) is taken of; on a GPU one kernel does all
    but the product.

    Parameters
    ----------
    x : array (n, units below)
    weights : array (units below, units), the transpose of a C-ordered array or C-ordered itself
    bias : array (units,)
    out : array (n, units), C order, optional

    Returns
    -------
    array (n, units)
    """
    xp = array_module(x)
    if xp is not np or any(array.dtype != np.float32 for array in (x, weights, bias)):
        activation = xp.matmul(x, weights, out=out)
        return biased_sigmoid(activation, bias, out=activation)
    out = np.empty((len(x), len(bias)), np.float32) if out is None else out
    out[...] = 0.5 * bias
    _gemm(out, 0.5, x, weights, 1.0)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5
    return out


def sample_layer(rng, x, weights, bias, *, states=None, means=None, scratch=None):
    """Draw states of a layer of binary units, 1 with the probability sigmoid(x @ weights + bias), else 0.

    In single precision on a GPU one kernel does all but the product.

    Parameters
    ----------
    rng : generator
    x, weights, bias : arrays
        As for :func:`sigmoid_layer`.
    states, means : arrays (n, units), float32, C order, optional
        Where the states are written and, if wanted, the probabilities.
    scratch : array (n, units), float32, C order, optional
        Overwritten; spares an allocation on the CPU.

    Returns
    -------
    array (n, units)
        The states.
    """
    xp = array_module(x)
    states = xp.empty((len(x), len(bias)), xp.float32) if states is None else states
    means = states if means is None else means
    if xp is np or any(array.dtype != np.float32 for array in (x, weights, bias)):
        sigmoid_layer(x, weights, bias, out=means)
        return bernoulli(rng, means, xp.empty_like(means) if scratch is None else scratch, out=states)
    xp.matmul(x, weights, out=means)
    launch("add_bias_sigmoid_bernoulli", means.size, means, bias, means, states, rng.key(), means.size, len(bias))
    return states


def bernoulli(rng, probability, scratch, out):
    """Draw `out` = 1 with the given `probability`, else 0, all arrays float32 of one shape, in C order.

    `scratch` is overwritten; `out` may be `probability` itself.

    On the CPU a number from U[0, 1) is drawn lazily: its first 8 bits decide whether it is under the probability, and
    where they equal those of the probability, once in 256 times, another 24 do. That is the comparison of all 32 at
    once, of a probability rounded by at most 2^-24 of itself, in less than half the time.
    """
    xp = array_module(probability)
    if xp is not np:
        out[...] = rng.random(probability.shape, dtype=xp.float32) < probability
        return out
    for p, states in zip(_parts(probability, COMPARED), _parts(out, COMPARED), strict=True):
        scaled = scratch.reshape(-1)[: p.size]
        np.multiply(p, 256 * (1 - 2.0**-24), out=scaled)  # under 256, also for probability 1
        threshold = scaled.astype(np.uint8)
        first_bits = rng.bit_generator.random_raw(-(-p.size // 8)).view(np.uint8)[: p.size]
        undecided = np.flatnonzero(first_bits == threshold)
        np.less(first_bits, threshold, out=states)
        rest = scaled[undecided] - threshold[undecided]
        states[undecided] = rng.random(len(undecided), dtype=np.float32) < rest
    return out


def row_dot(a, b):
    """Return the inner product of each row of `a` (n, m) with the same row of `b`, shape (n,)."""
    return array_module(a).einsum("ij,ij->i", a, b)


def _parts(array, size):
    """Return one-dimensional views of an array in C order, each of `size` elements but the last."""
    if not array.flags.c_contiguous:
        raise ValueError("random numbers are made in arrays in C order")
    flat = array.reshape(-1)
    return [flat[start : start + size] for start in range(0, flat.size, size)]


def times_slope(gradient, means, *, share_kept=1.0, scratch):
    """Multiply `gradient`, in place, by the slopes of the sigmoids that gave the `means`, all (n, units), C order.

    The slope is h - h^2; where dropout has kept a share of the units and scaled them up, h - share_kept h^2, which is 0
    with h. `scratch`, of the same shape, is overwritten on the CPU. In single precision on a GPU one kernel does it.
    """
    xp = array_module(gradient)
    if xp is not np and gradient.dtype == means.dtype == np.float32:
        launch("times_slope", gradient.size, gradient, means, float(share_kept), gradient.size)
        return gradient
    xp.multiply(means, means, out=scratch)
    if share_kept != 1.0:
        scratch *= share_kept
    xp.subtract(means, scratch, out=scratch)
    gradient *= scratch
    return gradient


def matmul(a, b, out=None):
    """Return a @ b, shape (m, n), written into `out`, in C order, if given.

    In single precision on the CPU it is the product of the BLAS library that does the fused ones, too. Two libraries in
    turn, NumPy's and SciPy's, would each keep threads waiting that take the cores from the other's.
    """
    xp = array_module(a)
    if xp is not np or a.dtype != np.float32 or b.dtype != np.float32:
        return xp.matmul(a, b, out=out)
    out = np.empty((len(a), b.shape[1]), np.float32) if out is None else out
    _gemm(out, 1.0, a, b, 0.0)
    return out


def accumulate_product(out, left, right, alpha=1.0, beta=1.0):
    """Set `out` to ``beta * out + alpha * left.T @ right`` in place.

    On a GPU, and on the CPU for few rows, one BLAS call: the gradient step of a layer without a weight-sized temporary.

    Parameters
    ----------
    out : array (m, n), float32, C order
    left : array (k, m), float32, C order
    right : array (k, n), float32, C order
    alpha, beta : float
    """
    if not isinstance(out, np.ndarray):
        from cupy import cublas

        cublas.gemm("T", "N", left, right, out=out, alpha=alpha, beta=beta)
    elif len(left) < LONG:
        _gemm(out, alpha, left.T, right, beta)
    else:
        product = matmul(left.T, right)
        product *= alpha
        out *= beta
        out += product
    return out


def _gemm(out, alpha, a, b, beta):
    """Set `out` to ``alpha * a @ b + beta * out`` by one BLAS call; a, b in C order or transposes of such arrays."""
    if not (a.size and b.size):  # which BLAS would refuse
        out[...] = beta * out if beta else 0
        return
    # BLAS counts columns first: it sees every C-ordered array transposed, so it is asked for out.T from b.T and a.T.
    a, b = ((m.T, False) if m.flags.c_contiguous else (m, True) for m in (a, b))
    result = sgemm(alpha, b[0], a[0], beta=beta, c=out.T, trans_a=b[1], trans_b=a[1], overwrite_c=True)
    if not np.shares_memory(result, out):
        raise ValueError("the product was to be made in a float32 array in C order")
