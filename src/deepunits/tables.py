"""The tables of a run: what became of the units, and the errors of the classifiers beside the published ones."""

import numpy as np
from scipy.stats import norm

from deepunits.gabor import fit_gabors
from deepunits.models.stack import encode

GABOR = 0.7  # R² from which a filter counts as Gabor-like

UNIT_COLUMNS = (
    *("dataset", "model", "layer", "units", "dead"),
    *("fitted", "gabor_median", "gabor_share", "fitted_shown", "gabor_median_shown", "gabor_share_shown"),
    "substitute",
)

# Test errors in per cent that Vincent et al. 2010 (JMLR 11, Table 3) report for three hidden layers, by dataset and by
# what a network was initialised from. SAA-3, stacked ordinary auto-encoders, is not among the models here.
PUBLISHED_IN = "Vincent et al. 2010, Table 3"
PUBLISHED = {
    ("mnist", "dbn"): ("DBN-3", 1.24),
    ("mnist", "sdae"): ("SdA-3", 1.28),
    ("mnist_rot", "dbn"): ("DBN-3", 10.30),
    ("mnist_rot", "saa"): ("SAA-3", 10.30),
    ("mnist_rot", "sdae"): ("SdA-3", 9.53),
}


def unit_row(dataset, model, layers, examples, best=None):
    """Return a row of the table of units for one layer of a model.

    Parameters
    ----------
    dataset, model : str
    layers : list of TiedLayer
        The layer, last, and those below it.
    examples : array (n, P)
        Units are dead that hardly change over these.
    best : array (U, P), optional
        The activation maxima of the layer's first units. Where they are given, it is measured how much the live ones
        are like Gabors; in the first layer, where the maxima are the filters (section 4.2), all filters.

    Returns
    -------
    dict
        With some of the keys `UNIT_COLUMNS`. ``gabor_share`` is the share of R² above 0.7 and ``_shown`` stands for
        the units of `best`.
    """
    dead = layers[-1].dead_units(encode(layers[:-1], examples))
    row = {"dataset": dataset, "model": model, "layer": len(layers), "units": len(dead), "dead": int(dead.sum())}
    if best is None:
        return row
    if len(layers) == 1:
        numbers = np.flatnonzero(~dead)
        r_squared = _gabor_r_squared(layers[0].weights[numbers])
        row |= _gabor_columns("", r_squared) | _gabor_columns("_shown", r_squared[numbers < len(best)])
        return row
    return row | _gabor_columns("_shown", _gabor_r_squared(best[~dead[: len(best)]]))


def _gabor_r_squared(filters):
    return fit_gabors(filters).r_squared if len(filters) else np.empty(0)


def _gabor_columns(suffix, r_squared):
    """Return of how many units Gabors were fitted, the median R² and the share above the threshold."""
    if not len(r_squared):
        return {f"fitted{suffix}": 0}
    return {
        f"fitted{suffix}": len(r_squared),
        f"gabor_median{suffix}": round(float(np.median(r_squared)), 3),
        f"gabor_share{suffix}": round(float((r_squared > GABOR).mean()), 3),
    }


def wilson_interval(count, total, confidence=0.95):
    """Return the interval of Wilson (1927) for a probability, of which `count` of `total` trials are known.

    Unlike the normal approximation it stays within [0, 1] and is not empty when `count` is 0.

    Returns
    -------
    low, high : float
    """
    z = norm.ppf(0.5 + confidence / 2)
    share = count / total
    centre = share + z**2 / (2 * total)
    half = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    scale = 1 + z**2 / total
    return float(max((centre - half) / scale, 0)), float(min((centre + half) / scale, 1))


def error_rows(classifiers):
    """Return the rows of the table of errors, in per cent.

    Parameters
    ----------
    classifiers : list of dict
        Of each: ``dataset``, ``initialisation``, ``training_data``, ``valid_error`` and ``test_error`` as shares,
        ``test_examples``, and ``substitute`` (see :func:`deepunits.data.examples.substitute`).

    Returns
    -------
    list of dict
        In the same order, followed by the published errors that no classifier stands beside.
    """
    rows, beside = [], set()
    for c in classifiers:
        key = c["dataset"], c["initialisation"]
        low, high = wilson_interval(round(c["test_error"] * c["test_examples"]), c["test_examples"])
        rows.append(
            {
                "dataset": c["dataset"],
                "initialisation": c["initialisation"],
                "training_data": c["training_data"],
                "test_error": round(100 * c["test_error"], 2),
                "test_low": round(100 * low, 2),
                "test_high": round(100 * high, 2),
                "valid_error": round(100 * c["valid_error"], 2),
            }
            | _published(*key)
            | {"substitute": c["substitute"]}
        )
        beside.add(key)
    alone = [key for key in PUBLISHED if key not in beside]
    return rows + [{"dataset": dataset, "initialisation": kind} | _published(dataset, kind) for dataset, kind in alone]


def _published(dataset, initialisation):
    if (dataset, initialisation) not in PUBLISHED:
        return {}
    name, error = PUBLISHED[dataset, initialisation]
    return {"published_model": name, "published_error": error, "published_in": PUBLISHED_IN}
