"""How closely numbers of single precision agree, whichever kernels of the linear-algebra library made them."""

import numpy as np


def assert_single(found, expected, share=1e-5):
    """Assert that arrays differ by no more than a `share` of the largest magnitude expected.

    The error of a sum in single precision follows from the size of its terms, not from the sum, which may be near 0.
    """
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * np.abs(expected).max())
