"""What CuPy is to the package, on the CPU: a module to import in its place where there is no GPU.

Its arrays hold NumPy arrays but mix with none: NumPy's functions refuse them, and theirs refuse NumPy's arrays, except
where CuPy itself copies from one memory to the other. It has no function that CuPy lacks. `counted` counts what takes
time on a GPU: launches, a call of a function each, and waits for the device, which are all that takes a number or a
shape from what the device has computed.
"""

import collections
import ctypes
import functools
import operator
import re
import shutil
import subprocess
import tempfile
import types
from pathlib import Path

import numpy as np

from deepunits.kernels import PRELUDE, SOURCES

counted = collections.Counter()

float32, float64, inf = np.float32, np.float64, np.inf
int8, int64, uint64 = np.int8, np.int64, np.uint64


class ndarray:
    """An array that only this module's functions take."""

    __array_ufunc__ = None  # NumPy's arrays leave arithmetic with it to the methods below

    def __init__(self, host):
        self._host = np.asarray(host)

    def __array__(self, *_, **__):
        raise TypeError("an array of the device is not copied implicitly; use to_host")

    def __array_function__(self, function, *_):
        raise TypeError(f"numpy.{function.__name__} was given an array of the device")

    shape, dtype, ndim, size, nbytes, flags = (
        property(lambda self, name=name: getattr(self._host, name))
        for name in ("shape", "dtype", "ndim", "size", "nbytes", "flags")
    )
    T = property(lambda self: ndarray(self._host.T))

    def __len__(self):
        return len(self._host)

    def __iter__(self):
        return map(ndarray, self._host)

    def __getitem__(self, index):
        return ndarray(self._host[_index(index)])

    def __setitem__(self, index, value):
        counted["launches"] += 1
        self._host[_index(index)] = _host(value)

    def reshape(self, *shape):
        return ndarray(self._host.reshape(*shape))

    def get(self):
        counted["waits"] += 1
        return self._host.copy()

    def item(self):
        return self.get().item()

    # The operators, and the methods that are NumPy's, are set below.


def _host(value):
    """Return what NumPy computes with in the place of an argument; refuse what would mix the two memories."""
    if isinstance(value, ndarray):
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"an array of NumPy's of shape {value.shape} was given to the device")
    return type(value)(map(_host, value)) if isinstance(value, list | tuple) else value


def _index(index):
    """Return an index for NumPy. How many elements a mask chooses is known once the device has counted them."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, ndarray)]
    counted["launches"] += bool(arrays)
    counted["waits"] += any(array.dtype == bool for array in arrays)
    return _host(index)


def _device(function, launches=1, waits=0):
    """Return a function of NumPy's as one of the device: of its arrays and numbers, and returning its arrays."""

    @functools.wraps(function)
    def on_device(*arguments, **options):
        counted.update(launches=launches, waits=waits)
        result = function(*map(_host, arguments), **{name: _host(value) for name, value in options.items()})
        out = options.get("out")
        if out is not None:
            return out
        return tuple(map(ndarray, result)) if isinstance(result, tuple) else ndarray(result)

    return on_device


def _operator(function, swapped=False, in_place=False):
    on_device = _device(function)

    def method(self, other):
        if isinstance(other, np.ndarray):
            raise TypeError("arithmetic of an array of the device with one of NumPy's")
        result = on_device(other, self) if swapped else on_device(self, other)
        return self if in_place else result

    return method


for _name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    _function = getattr(operator, f"__{_name}__")
    setattr(ndarray, f"__{_name}__", _operator(_function))
    setattr(ndarray, f"__r{_name}__", _operator(_function, swapped=True))
    if _name != "matmul":
        setattr(ndarray, f"__i{_name}__", _operator(getattr(operator, f"__i{_name}__"), in_place=True))
for _name in "lt le gt ge eq ne".split():
    setattr(ndarray, f"__{_name}__", _operator(getattr(operator, f"__{_name}__")))
for _name in "neg abs invert".split():
    setattr(ndarray, f"__{_name}__", _device(getattr(operator, f"__{_name}__")))
for _name in "sum mean std max min argmax all any astype copy".split():
    setattr(ndarray, _name, _device(getattr(np.ndarray, _name)))
for _name in "tolist __bool__ __int__ __float__".split():
    setattr(ndarray, _name, lambda self, name=_name: getattr(self.get(), name)())

LAUNCHING = (
    "abs add arange argpartition clip concatenate exp eye full full_like isfinite log logaddexp matmul maximum "
    "multiply negative ones reciprocal repeat rint sqrt stack subtract tanh where zeros zeros_like"
).split()
globals().update({name: _device(getattr(np, name)) for name in LAUNCHING})
globals().update({name: _device(getattr(np, name), launches=0) for name in ("broadcast_to", "empty", "empty_like")})
flatnonzero = _device(np.flatnonzero, waits=1)  # whose result is as long as the device finds it to be
linalg = types.SimpleNamespace(norm=_device(np.linalg.norm))


def ascontiguousarray(array):
    """Return `array` itself if it is in C order, else a copy that is."""
    return array if array.flags.c_contiguous else array.copy()


def asarray(values, dtype=None):
    """Return an array of the device, copied from NumPy's if it is one, which waits for nothing."""
    if isinstance(values, ndarray):
        return values if dtype in (None, values.dtype) else values.astype(dtype)
    return ndarray(np.array(values, dtype))


class Generator:
    """The part of CuPy's generator that the package calls."""

    def __init__(self, numbers):
        self._numbers = numbers

    def random(self, size=None, dtype=np.float64):
        counted["launches"] += 1
        return ndarray(self._numbers.random(size, dtype))

    def standard_normal(self, size=None, dtype=np.float64):
        counted["launches"] += 1
        return ndarray(self._numbers.standard_normal(size, dtype))

    def integers(self, low, high=None, size=None):
        counted["launches"] += 1
        return ndarray(self._numbers.integers(low, high, size))


random = types.SimpleNamespace(Generator=Generator, default_rng=lambda seed: Generator(np.random.default_rng(seed)))


def _gemm(transa, transb, a, b, out=None, alpha=1.0, beta=0.0):
    """Set `out`, in C order, to alpha op(a) op(b) + beta out, as cupy.cublas.gemm does."""
    counted["launches"] += 1
    left, right = (_host(m).T if order == "T" else _host(m) for m, order in ((a, transa), (b, transb)))
    if not out.flags.c_contiguous or not a.dtype == b.dtype == out.dtype:
        raise TypeError("arrays of one type, and one in C order to write into")
    out._host[...] = alpha * (left @ right) + (beta * out._host if beta else 0)
    return out


cublas = types.SimpleNamespace(gemm=_gemm)
cuda = types.SimpleNamespace(
    is_available=lambda: True,
    Device=lambda: types.SimpleNamespace(id=0, synchronize=lambda: None),
    runtime=types.SimpleNamespace(getDeviceProperties=lambda number: {"name": b"the stand-in for a GPU"}),
)

# --- kernels ---

# What CUDA gives to a kernel, as C++ in which one thread comes after the other.
CUDA = """
#include <cmath>
#define __global__
#define __device__
static struct { int x; } blockIdx, blockDim, threadIdx;
"""
TYPES = {
    "float": np.float32,
    "long long": np.int64,
    "unsigned char": np.uint8,
    "signed char": np.int8,
    "bool": np.bool_,
}


def compiler():
    """Return the path of a C++ compiler, or None."""
    return shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")


class RawKernel:
    """A kernel of the package, run on the CPU as the C++ that it also is; it refuses arguments of other types."""

    def __init__(self, code, name):
        assert code == PRELUDE + SOURCES[name]
        self.parameters = [re.fullmatch(r"(?:const )?([a-z ]+?)(\*?) \w+", p) for p in _parameters(name)]
        self.run = getattr(_compiled(), f"run_{name}")

    def __call__(self, grid, block, arguments):
        counted["launches"] += 1
        given = [_c_argument(*p.groups(), value) for p, value in zip(self.parameters, arguments, strict=True)]
        self.run(*grid, *block, *given)


def _parameters(name):
    """Return the parameters of a kernel, each with its type."""
    return re.split(r",\s*", re.search(rf"\b{name}\((.*?)\)", SOURCES[name], re.DOTALL)[1].strip())


def _c_argument(name, pointer, value):
    """Return a value as ctypes passes it for a parameter of a kernel, of type `name`, or a pointer to such."""
    if value.dtype != TYPES[name] or isinstance(value, ndarray) != bool(pointer):
        raise TypeError(f"a kernel takes {name}{pointer} where {type(value).__name__} of {value.dtype} was given")
    if pointer:
        return value._host.ctypes.data_as(ctypes.c_void_p)
    return ctypes.c_float(value) if name == "float" else ctypes.c_longlong(value)


@functools.cache
def _compiled():
    """Return the library with ``run_<kernel>(blocks, threads, ...)``, which goes through the threads of a kernel."""
    code = CUDA + PRELUDE
    for name, source in SOURCES.items():
        parameters = _parameters(name)
        code += f"""{source}
extern "C" void run_{name}(int blocks, int threads, {", ".join(parameters)}) {{
    blockDim.x = threads;
    for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < threads; threadIdx.x++)
            {name}({", ".join(parameter.split()[-1] for parameter in parameters)});
}}
"""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "kernels.cpp"), Path(folder, "kernels.so")
        source.write_text(code)
        flags = ["-O1", "-Wno-unknown-pragmas", "-shared", "-fPIC"]
        subprocess.run([compiler(), *flags, "-o", library, source], check=True)
        return ctypes.CDLL(str(library))
