"""What a run was made with: versions of the software and the state of the source code."""

import platform
import subprocess
from importlib import metadata

from threadpoolctl import threadpool_info

import deepunits

PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "scikit-image", "scikit-learn", "snakemake", "cupy-cuda12x")


def versions():
    """Return the version of Python, of this package and of those that it computes and draws with, and the kernels."""
    found = {"python": platform.python_version(), "deepunits": deepunits.__version__, "kernels": kernels()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def kernels():
    """Return the linear-algebra libraries loaded and whose kernels each computes with, such as ``openblas Haswell``.

    They follow the processor, and each rounds in its own way: the same seed gives the same bits with the same kernels.
    """
    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return ", ".join(sorted({f"{lib['internal_api']} {lib.get('architecture', '')}".strip() for lib in libraries}))


def commit(directory):
    """Return the Git commit checked out in `directory`, with ``-dirty`` if files differ from it; None without Git."""
    command = ["git", "-C", str(directory), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def wall_times(benchmarks):
    """Return the wall time and peak memory of each stage.

    Parameters
    ----------
    benchmarks : Path
        Folder of Snakemake's benchmark files, one a stage: tab-separated, with columns ``s`` and ``max_rss``.

    Returns
    -------
    dict of dict
        By the file's path in the folder without its suffix: ``seconds`` and ``peak_memory_mb`` (None if the stage was
        too short to measure it).
    """
    times = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        header, values = (line.split("\t") for line in path.read_text().splitlines()[:2])
        row = dict(zip(header, values, strict=True))
        memory = row["max_rss"]
        times[path.relative_to(benchmarks).with_suffix("").as_posix()] = {
            "seconds": float(row["s"]),
            "peak_memory_mb": None if memory in ("-", "NA") else float(memory),
        }
    return times
