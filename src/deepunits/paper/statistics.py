"""Statistics that the claims and the tables share, with their intervals."""

import numpy as np
from scipy.special import entr, ndtri

from deepunits.randomness import generator


def over_units(values, statistic=np.median, *, seed):
    """Return `statistic` of `values` (units,) with its 95 % percentile bootstrap interval: value, low, high."""
    values = np.asarray(values, dtype=np.float64)
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0]), float(values[0])
    return _with_interval((values,), statistic, seed)


def rank_correlation(a, b, *, seed):
    """Return the rank correlation of `a` and `b` (units,) with its 95 % percentile bootstrap interval over units.

    Spearman's, of the ranks among all units also where units are drawn anew; 0 where all of one are equal.

    Returns
    -------
    value, low, high : float
    """

    from scipy.stats import rankdata

    def correlation(a, b, axis=-1):
        a, b = (ranks - ranks.mean(axis=axis, keepdims=True) for ranks in (a, b))
        lengths = np.sqrt((a**2).sum(axis=axis) * (b**2).sum(axis=axis))
        return (a * b).sum(axis=axis) / np.where(lengths > 0, lengths, 1)

    return _with_interval((rankdata(a), rankdata(b)), correlation, seed)


def _with_interval(samples, statistic, seed):
    from scipy.stats import bootstrap  # here, as it takes long to import and other statistics need none

    rng = generator(seed, "bootstrap")
    interval = bootstrap(samples, statistic, paired=True, method="percentile", n_resamples=2000, rng=rng)
    low, high = interval.confidence_interval
    return float(statistic(*samples)), float(low), float(high)


def wilson_interval(count, total, confidence=0.95):
    """Return the interval of Wilson (1927) for a probability, of which `count` of `total` trials are known.

    Unlike the normal approximation it stays within [0, 1] and is not empty when `count` is 0.

    Returns
    -------
    low, high : float
    """
    z = ndtri(0.5 + confidence / 2)
    share = count / total
    centre = share + z**2 / (2 * total)
    half = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    scale = 1 + z**2 / total
    return float(max((centre - half) / scale, 0)), float(min((centre + half) / scale, 1))


def cosine(a, b):
    """Return the cosine between the last axes of `a` and `b`, broadcast over the others."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.sum(a * b, axis=-1) / lengths


def perplexity(shares):
    """Return the exponential of the entropy of shares (..., n) that sum to 1: n if all are equal, 1 if one is 1."""
    return np.exp(entr(shares).sum(axis=-1))


def scale_reduction(samples, chain):
    """Return the potential scale reduction of Gelman and Rubin (1992) of each unit's samples, (U,).

    By how much the spread of the samples could still shrink if the chains went on: 1 where they agree. Variances are
    summed over the pixels.

    Parameters
    ----------
    samples : array (U, S, P)
    chain : array (S,) of int
        Which chain a sample is from; two at least, and of one of them two samples.
    """
    groups = [samples[:, chain == number].astype(np.float64) for number in np.unique(chain)]
    means, overall = [group.mean(axis=1) for group in groups], samples.mean(axis=1, dtype=np.float64)
    squares = [((group - mean[:, None]) ** 2).sum(axis=(1, 2)) for group, mean in zip(groups, means, strict=True)]
    within = sum(squares) / (len(chain) - len(groups))
    sizes = [group.shape[1] for group in groups]
    apart = [size * ((mean - overall) ** 2).sum(axis=1) for size, mean in zip(sizes, means, strict=True)]
    between, length = sum(apart) / (len(groups) - 1), len(chain) / len(groups)
    return np.sqrt((length - 1 + between / within) / length)
