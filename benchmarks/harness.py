"""What the benchmarks share: contestants that take turns, clocks, arrays to work on, the description of the machine."""

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from deepunits.backend import device_name
from deepunits.randomness import generator, uniform


@dataclass
class Case:
    """One stage at one size.

    Attributes
    ----------
    stage, shape : str
    ours : callable
    bound : callable, optional
        The matrix products alone of the stage's textbook form, each a call of ``matmul`` into an array.
    flops : float
        Floating-point operations of the bound.
    peers : dict of str to callable
        The same work by other means.
    check : callable, optional
        Raises AssertionError unless `ours` and the peers agree; called before anything is timed.
    scale : dict of str to float
        What to multiply the time of a peer by that does only a part of the work.
    """

    stage: str
    shape: str
    ours: Callable
    bound: Callable | None = None
    flops: float = 0.0
    peers: dict = field(default_factory=dict)
    check: Callable | None = None
    scale: dict = field(default_factory=dict)


def measure(case, repeats, xp, threads):
    """Return the medians of a case in seconds, by name, after its check."""
    if case.check is not None:
        case.check()
    bound = {"bound": case.bound} if case.bound else {}
    seconds = interleaved({"ours": case.ours} | bound | case.peers, repeats, xp, threads)
    return {name: value * case.scale.get(name, 1.0) for name, value in seconds.items()}


def interleaved(contestants, repeats, xp, threads=1):
    """Return the median seconds of each of `contestants`, a dict of functions, called in turns after a warm-up.

    On one thread of a CPU the clock is the processor time, which is that of the wall on a quiet machine, and leaves out
    the time that others had the processor.
    """
    clock = time.process_time if xp is np and threads == 1 else time.perf_counter
    seconds = {name: [] for name in contestants}
    for repeat in range(repeats + 1):
        for name, run in contestants.items():
            synchronize(xp)
            started = clock()
            run()
            synchronize(xp)
            if repeat:
                seconds[name].append(clock() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}


def synchronize(xp):
    if xp is not np:
        xp.cuda.Device().synchronize()


def random_array(xp, *shape):
    """Return numbers from U[0, 1), the same for the same shape."""
    return uniform(generator(0, "benchmark", *shape, xp=xp), xp.empty(shape, xp.float32))


def random_weights(xp, sizes, spread=0.1):
    """Return weights (units, units below) uniform within half of ±`spread`, for the layers between `sizes`."""
    return [spread * (random_array(xp, above, below) - 0.5) for below, above in zip(sizes[:-1], sizes[1:], strict=True)]


def products(xp, *shapes):
    """Return a function that does matrix products of the given shapes, and their number of operations.

    Parameters
    ----------
    *shapes : (str, int, int, int)
        How the factors of an (m, k, n) product lie in memory: ``"nn"``, ``"nt"`` (the second factor is a transpose) or
        ``"tn"``.
    """
    arrays = {}

    def array(role, *shape):
        return arrays.setdefault((role, shape), random_array(xp, *shape))

    calls = []
    for order, m, k, n in shapes:
        left = array("left", k, m).T if order[0] == "t" else array("left", m, k)
        right = array("right", n, k).T if order[1] == "t" else array("right", k, n)
        calls.append((left, right, array("out", m, n)))

    def run():
        for left, right, out in calls:
            xp.matmul(left, right, out=out)

    return run, sum(2.0 * m * k * n for _, m, k, n in shapes)


def repeated(run, times):
    """Return a function that calls `run` so many times."""

    def runs():
        for _ in range(times):
            run()

    return runs


def rate_of(product, size, xp, threads):
    """Return at how many operations a second `product` does a product of `size`³."""
    return 2 * size**3 / interleaved({"product": product}, 5, xp, threads)["product"]


def peak(xp, threads, size=2048):
    """Return the machine's rate for products of `size`³, in operations a second."""
    a = random_array(xp, size, size)
    out = xp.empty_like(a)
    return rate_of(lambda: xp.matmul(a, a, out=out), size, xp, threads)


def confine(threads, xp):
    """Keep this process to so many of its CPUs: libraries that count them then start no more threads."""
    if xp is np and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def torch_device(array):
    """Return what PyTorch calls the device that `array` is on."""
    return "cpu" if isinstance(array, np.ndarray) else "cuda"


def machine(xp, threads):
    """Return what the numbers depend on besides the code."""
    versions = {"python": platform.python_version()}
    for package in (
        "numpy",
        "scipy",
        "scikit-learn",
        "torch",
        "jax",
        "torch-lucent",
        "horama",
        "cupy-cuda12x",
        "cupy-cuda13x",
    ):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    libraries = [
        f"{library['internal_api']} {library['version']} ({library.get('architecture', '')})"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]
    return {
        "device": device_name(xp),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions,
        "linear algebra": sorted(set(libraries)),
    }


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
