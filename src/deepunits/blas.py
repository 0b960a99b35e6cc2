"""SciPy's single-precision products of matrices, and of one with a vector, without the rest of ``scipy.linalg``.

That takes longer to import than NumPy and all of this package, and most jobs need nothing else of it.
"""

import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec, spec_from_file_location

NAME = "scipy.linalg._fblas"  # under which SciPy itself, if it is asked for more later, then finds what is loaded here

# Whether who started this process held OpenBLAS to one thread, as Snakemake does in a job of one.
ONE_THREAD = (os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")) == "1"


def _load():
    """Return the module of SciPy's that has the products."""
    if NAME in sys.modules:
        return sys.modules[NAME]
    package = find_spec("scipy")
    if package is None or os.name == "nt":
        package = import_module("scipy").__spec__  # says that it is missing; tells Windows where its libraries are
    found = PathFinder.find_spec("_fblas", [f"{path}/linalg" for path in package.submodule_search_locations])
    if found is None:  # a SciPy that is built in another way
        return import_module("scipy.linalg.blas")
    spec = spec_from_file_location(NAME, found.origin)
    sys.modules[NAME] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])
    return sys.modules[NAME]


sgemm, sgemv = _load().sgemm, _load().sgemv
