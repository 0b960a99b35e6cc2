"""Whether all random starts of activation maximization end at the same input (section 4.4)."""

import numpy as np


def cosine_among_starts(inputs):
    """Return the mean pairwise cosine among the solutions (U, R, P) of each unit, shape (U,)."""
    starts = inputs.shape[1]
    directions = inputs / np.linalg.norm(inputs, axis=2, keepdims=True)
    total = directions.sum(axis=1, dtype=np.float64)  # whose square is the sum of all cosines, R of them 1
    return ((total**2).sum(axis=1) - starts) / (starts * (starts - 1))
