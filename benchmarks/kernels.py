"""Which kernels of the linear-algebra library a measurement runs on, and how to ask for others."""

import os

import numpy as np
from threadpoolctl import threadpool_info

# Variables by which an environment holds OpenBLAS to other kernels than it would pick for the processor.
RESTRICTING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

# The widest instructions that OpenBLAS's kernels for x86 use; what is not here goes by its own name.
INSTRUCTIONS = {
    "Sapphirerapids": "AVX-512", "Cooperlake": "AVX-512", "SkylakeX": "AVX-512",
    "Haswell": "AVX2", "Zen": "AVX2", "Excavator": "AVX2",
    "Sandybridge": "AVX", "Bulldozer": "AVX", "Piledriver": "AVX", "Steamroller": "AVX",
    "Nehalem": "SSE4.2", "Penryn": "SSE4.1", "Core2": "SSSE3", "Prescott": "SSE3", "Barcelona": "SSE3",
}  # fmt: skip

OWN, AS_SET = "own", "as-set"


def restrictions(environment=os.environ):
    """Return the variables of `environment` that restrict the kernels, by name."""
    return {name: environment[name] for name in RESTRICTING if environment.get(name)}


def default_choice(environment=os.environ):
    """Return the kernels to measure if none are named: the machine's own and, if `environment` restricts them, both."""
    return [OWN, AS_SET] if restrictions(environment) else [OWN]


def environment_for(choice, threads, environment=os.environ):
    """Return the environment of a process that computes on the kernels of that name.

    Parameters
    ----------
    choice : str
        ``own``: those that the libraries pick for the processor; ``as-set``: what `environment` says; else a name of
        OpenBLAS's, such as Haswell. Kernels of AVX2 hold NumPy's loops and PyTorch to AVX2, too, as a processor
        without AVX-512 would.
    threads : int
    environment : mapping

    Returns
    -------
    dict
    """
    counts = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    if choice == AS_SET:
        return dict(environment) | counts
    free = {name: value for name, value in environment.items() if name not in RESTRICTING} | counts
    if choice == OWN:
        return free
    free["OPENBLAS_CORETYPE"] = choice
    if INSTRUCTIONS.get(choice) == "AVX2":
        free |= {
            "NPY_DISABLE_CPU_FEATURES": " ".join(_loops_of_avx512()),
            "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        }
    return free


def held_to_avx2(environment=os.environ):
    """Return whether `environment` is that of a processor with AVX-512 that is held to AVX2."""
    return bool(environment.get("NPY_DISABLE_CPU_FEATURES"))


def _loops_of_avx512():
    """Return NumPy's names of the groups of instructions beyond AVX2 that it has loops for and this processor has."""
    from numpy._core import _multiarray_umath as umath

    beyond = [name for name in umath.__cpu_dispatch__ if name.startswith("AVX512") or name == "X86_V4"]
    return [name for name in beyond if umath.__cpu_features__.get(name)]


def kernels_in_use():
    """Return the kernels that NumPy's products run on, as ``library``, ``kernels`` and ``instructions``."""
    np.ones((8, 8), np.float32) @ np.ones((8, 8), np.float32)
    blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
    ours = next((library for library in blas if "numpy" in library["filepath"]), blas[0] if blas else None)
    if ours is None:
        return {"library": "unknown", "kernels": "unknown", "instructions": "unknown"}
    kernels = ours.get("architecture") or "unknown"
    return {
        "library": f"{ours['internal_api']} {ours['version']}",
        "kernels": kernels,
        "instructions": INSTRUCTIONS.get(kernels, kernels),
    }
