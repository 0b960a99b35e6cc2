"""NumPy or CuPy: choosing a device, moving arrays, the products and sigmoids that layers are made of.

Functions of this package take the array module from the arrays they are given (:func:`array_module`), never from a
global, so one body of code serves both devices.
"""

import sys

import numpy as np

from deepunits.blas import ONE_THREAD, sgemm, sgemv
from deepunits.errors import UserError
from deepunits.kernels import launch

NEGLIGIBLE = 1e-10  # less is lost beside 1 in single precision, also if it is added a hundred times


def array_module(array):
    """Return ``numpy`` or ``cupy``, whichever made `array`; raise a UserError if neither did."""
    if isinstance(array, np.ndarray | np.generic):
        return np
    cupy = sys.modules.get("cupy")  # which is loaded if it made an array
    if cupy is None or not isinstance(array, cupy.ndarray):
        raise UserError(f"a {type(array).__name__} was given in place of an array; make it one by numpy.asarray.")
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


def sigmoid(activation, out=None):
    """Return 1 / (1 + exp(-activation)), written into `out` if given."""
    return _sigmoid_of_negated(array_module(activation).negative(activation, out=out))


def _sigmoid_of_negated(out):
    """Set `out` to 1 / (1 + exp(out)) in place; where exp gives infinity that is 0, as it should be.

    In float32 NumPy took twice as long for ``tanh`` on a processor with AVX2, and SciPy for ``expit``.
    """
    xp = array_module(out)
    with np.errstate(over="ignore"):
        xp.exp(out, out=out)
    out += 1
    return xp.reciprocal(out, out=out)


def biased_sigmoid(activation, bias, out=None):
    """Return sigmoid(activation + bias), activations (n, units), written into `out` if given; it may be `activation`.

    In single precision on a GPU one kernel does it.
    """
    xp = array_module(activation)
    if xp is np or activation.dtype != np.float32 or bias.dtype != np.float32:
        return _sigmoid_of_negated(xp.subtract(-bias, activation, out=out))
    activation = xp.ascontiguousarray(activation)
    out = xp.empty_like(activation) if out is None else out
    launch("add_bias_sigmoid", activation.size, activation, bias, out, activation.size, len(bias))
    return out


def sigmoid_layer(x, weights, bias, out=None):
    """Return sigmoid(x @ weights + bias), the means of a layer of units, written into `out` if given.

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
    activation = matmul(x, weights, out=out)
    return biased_sigmoid(activation, bias, out=activation)


def row_dot(a, b):
    """Return the inner product of each row of `a` (n, m) with the same row of `b`, shape (n,)."""
    xp = array_module(a)
    if xp is np:
        return np.einsum("ij,ij->i", a, b)
    return xp.matmul(a[:, None], b[:, :, None])[:, 0, 0]  # which CuPy's einsum comes to, after a longer while


def weighted_sum(weights, rows):
    """Return the sum (m,) of the `rows` (n, m), C order, times their `weights` (n,), both float32.

    On the CPU not by ``weights @ rows``, which is a product of NumPy's BLAS library: see :func:`matmul`.
    """
    return sgemv(1.0, rows.T, weights) if array_module(rows) is np else weights @ rows


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

    In single precision on the CPU it is the product of SciPy's BLAS library, which accumulates, too. With NumPy's in
    turn, each would keep threads waiting that take the cores from the other's. So only where there is one thread does
    NumPy's do what it is faster at: two matrices that are no transposes.
    """
    xp = array_module(a)
    ordered = a.flags.c_contiguous and b.flags.c_contiguous
    if xp is not np or a.dtype != np.float32 or b.dtype != np.float32 or (ONE_THREAD and ordered):
        return xp.matmul(a, b, out=out)
    out = np.empty((len(a), b.shape[1]), np.float32) if out is None else out
    if 5 * len(a) <= a.shape[1] and len(a) < b.shape[1] and not b.flags.c_contiguous:
        # Few rows by a transpose: the other way round takes 2 to 45 % less time, the copy that it needs included.
        out[...] = matmul(b.T, a.T).T
    else:
        _gemm(out, 1.0, a, b, 0.0)
    return out


def accumulate_product(out, left, right, alpha=1.0, beta=1.0):
    """Set `out` to ``beta * out + alpha * left.T @ right`` in place.

    One BLAS call: the gradient step of a layer without a weight-sized temporary.

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
    else:
        _gemm(out, alpha, left.T, right, beta)
    return out


def drop_negligible(coefficients):
    """Set coefficients of the order of 1, in an array of any shape, to 0 where they are next to nothing; return them.

    It is done in place. What a filter spreads falls off without end. Products with it come to subnormal numbers, which
    took a processor with AVX-512 seventeen times as long.
    """
    coefficients[abs(coefficients) < NEGLIGIBLE] = 0
    return coefficients


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
