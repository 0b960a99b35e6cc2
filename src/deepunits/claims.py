"""The claims of the paper as measured statistics, each with an interval, a threshold and a verdict.

Those of section 4 are in :mod:`deepunits.visualize.claims`, those of section 5 in :mod:`deepunits.invariance.claims`.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import bootstrap

from deepunits.backend import generator

COLUMNS = ("id", "section", "claim", "statistic", "value", "low", "high", "threshold", "verdict")


@dataclass
class Claim:
    """One claim of the paper, measured.

    Attributes
    ----------
    id : str
    section : str
        Of the paper.
    claim : str
        What the paper says, in brief.
    statistic : str
        What is measured.
    value, low, high : float
        The statistic and its 95 % bootstrap interval over units.
    threshold : str
        What the value is held against, such as ``>= 0.9``: our choice, since the paper gives no numbers.
    """

    id: str
    section: str
    claim: str
    statistic: str
    value: float
    low: float
    high: float
    threshold: str

    @property
    def verdict(self):
        """``holds``, ``fails``, or ``undecided`` if the interval reaches across the threshold."""
        relation, bound = self.threshold.split()
        held = [end >= float(bound) if relation == ">=" else end <= float(bound) for end in (self.low, self.high)]
        return {(True, True): "holds", (False, False): "fails"}.get(tuple(held), "undecided")

    def row(self):
        """Return the claim as a dict with the keys `COLUMNS`."""
        return asdict(self) | {"verdict": self.verdict}


def over_units(values, statistic=np.median, *, seed):
    """Return `statistic` of `values` (units,) with its 95 % percentile bootstrap interval: value, low, high."""
    values = np.asarray(values, dtype=np.float64)
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0]), float(values[0])
    interval = bootstrap(
        (values,), statistic, method="percentile", n_resamples=2000, rng=generator(seed, "bootstrap")
    ).confidence_interval
    return float(statistic(values)), float(interval.low), float(interval.high)


def cosine(a, b):
    """Return the cosine between the last axes of `a` and `b`, broadcast over the others."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.sum(a * b, axis=-1) / lengths


def cosine_among_starts(inputs):
    """Return the mean pairwise cosine among the solutions (U, R, P) of each unit, shape (U,)."""
    first, second = np.triu_indices(inputs.shape[1], 1)
    return cosine(inputs[:, first], inputs[:, second]).mean(axis=1)


def best_of(maxima):
    """Return the input of highest activation for each unit, (U, P), of activation-maximization arrays."""
    return maxima["inputs"][np.arange(len(maxima["units"])), maxima["activations"].argmax(axis=1)]


def as_markdown(rows):
    """Return a table in Markdown; a claim that was measured on a substitute says so.

    Parameters
    ----------
    rows : list of dict
        Of :meth:`Claim.row`, with ``substitute``: what stands in for the dataset, empty if nothing does.
    """
    lines = ["| section | claim | statistic | value | 95 % interval | threshold | verdict |", "|" + "---|" * 7]
    for row in rows:
        statistic = row["statistic"] + (f" (on a substitute: {row['substitute']})" if row["substitute"] else "")
        lines.append(
            f"| {row['section']} | {row['claim']} | {statistic} | {row['value']:.4g} "
            f"| {row['low']:.4g} … {row['high']:.4g} | {row['threshold']} | {row['verdict']} |"
        )
    return "\n".join(lines) + "\n"
