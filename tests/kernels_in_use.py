"""Print the kernels that NumPy's OpenBLAS computes with, such as Haswell; they follow OPENBLAS_CORETYPE."""

import numpy as np
from threadpoolctl import threadpool_info

np.ones((8, 8), np.float32) @ np.ones((8, 8), np.float32)
print(next((library["architecture"] for library in threadpool_info() if library["internal_api"] == "openblas"), "none"))
