"""The tables of a run: what became of the units, and the errors of the classifiers beside the published ones."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from deepunits.gabor import fit_gabors
from deepunits.invariance.measures import (
    area,
    compare,
    explained_by_rotation,
    log_sigmoid,
    mean_over_units,
    normalized,
    slope,
)
from deepunits.models.stack import encode

GABOR = 0.7  # R² from which a filter counts as Gabor-like

UNIT_COLUMNS = (
    *("dataset", "model", "layer", "units", "dead"),
    *("fitted", "gabor_median", "gabor_share", "fitted_shown", "gabor_median_shown", "gabor_share_shown"),
    "substitute",
)

INVARIANCE_COLUMNS = (
    *("dataset", "model", "layer", "search", "units", "dead", "converged", "curve", "measure", "mean", "low", "high"),
    *("difference", "difference_low", "difference_high", "superiority"),
    "substitute",
)

# The curves that invariance is measured on (section 5.3): as Figure 7 has them, and without bias and scale.
CURVES = {"log_sigmoid": lambda activations, epsilons: log_sigmoid(activations), "normalized": normalized}
MEASURES = {"area": area, "slope": slope}

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


@dataclass(frozen=True)
class TracedLayer:
    """The manifolds of a layer as a search left them.

    Attributes
    ----------
    activations : array (U, T, E)
    converged : array (U, T, E) of bool
    dead : array (U,) of bool
        Units that hardly change over the examples; they are counted and not scored.
    """

    activations: np.ndarray
    converged: np.ndarray
    dead: np.ndarray

    @property
    def highest(self):
        """The activations (live units, E) at x*_ε: of the trials the highest, since x*_ε is where the maximum is."""
        return self.activations[~self.dead].max(axis=1)

    def of(self, units):
        """Return the same of some of the units."""
        return TracedLayer(self.activations[units], self.converged[units], self.dead[units])


def searches(name, manifolds, variants, dead):
    """Yield the searches of a model, a name and a :class:`TracedLayer` for each layer.

    Parameters
    ----------
    name : str
        Of the configured search, which comes first: over all units, then over those that the others were made for.
    manifolds : list of dict of arrays
        ``invariance.npz`` of each layer.
    variants : dict of arrays
        ``invariance_variants.npz`` of the model.
    dead : list of array (units,) of bool
        Of each layer.
    """
    shown = [manifold["shown_units"] for manifold in manifolds]
    whole = [
        TracedLayer(manifold["activations"], manifold["converged"], layer_dead)
        for manifold, layer_dead in zip(manifolds, dead, strict=True)
    ]
    yield name, whole
    yield name, [layer.of(units) for layer, units in zip(whole, shown, strict=True)]
    for number, variant in enumerate(variants["searches"]):
        yield str(variant), [
            TracedLayer(variants[f"layer{k}_activations"][number], variants[f"layer{k}_converged"][number], d[units])
            for k, (d, units) in enumerate(zip(dead, shown, strict=True), start=1)
        ]


def layer_curves(layer, epsilons):
    """Return the curves of a layer that Figure 7 shows: their mean over the live units and their middle half.

    Parameters
    ----------
    layer : TracedLayer
    epsilons : array (E,)

    Returns
    -------
    dict of arrays
        ``live`` and ``dead`` (), how many units are; and, if any is live, ``<curve>_mean``, ``<curve>_lower`` and
        ``<curve>_upper`` (quartiles), all (E,), for each of `CURVES`.
    """
    found = {"live": np.sum(~layer.dead), "dead": np.sum(layer.dead)}
    if not found["live"]:
        return found
    for name, curve in CURVES.items():
        curves = curve(layer.highest, epsilons)
        lower, upper = np.quantile(curves, (0.25, 0.75), axis=0)
        found |= {f"{name}_mean": curves.mean(axis=0), f"{name}_lower": lower, f"{name}_upper": upper}
    return found


def invariance_rows(layers, epsilons, *, seed):
    """Return the rows of the table of invariance for the layers of a model, searched in one way.

    Parameters
    ----------
    layers : list of TracedLayer
        Bottom first.
    epsilons : array (E,)
    seed : int

    Returns
    -------
    list of dict
        With some of the keys `INVARIANCE_COLUMNS`. Each measure of each curve: its mean over the live units with a 95 %
        bootstrap interval and, from the second layer on, the difference to the layer below with its interval, and the
        probability that a unit exceeds one of the layer below. Where less than two units are live, they are counted
        and no more.
    """
    rows = []
    for curve, measure in [(curve, measure) for curve in CURVES for measure in MEASURES]:
        below = None
        for number, layer in enumerate(layers, start=1):
            live = int(np.sum(~layer.dead))
            row = {"layer": number, "units": len(layer.dead), "dead": len(layer.dead) - live}
            row |= {"converged": round(float(layer.converged.mean()), 4), "curve": curve, "measure": measure}
            values = MEASURES[measure](CURVES[curve](layer.highest, epsilons), epsilons) if live > 1 else None
            if values is not None:
                row |= dict(zip(("mean", "low", "high"), map(float, mean_over_units(values, seed=seed)), strict=True))
            if values is not None and below is not None:
                row |= _difference(below, values, seed)
            rows.append(row)
            below = values
    return rows


def _difference(below, values, seed):
    found = compare(below, values, seed=seed)
    names = {"low": "difference_low", "high": "difference_high"}
    return {names.get(name, name): value for name, value in found.items()}


def rotation_rows(epsilons, inputs, activations):
    """Return how well the frames of each manifold of a unit are rotations of its first one, a row a frame.

    Parameters
    ----------
    epsilons : array (E,)
    inputs : array (T, E, P)
        Square images.
    activations : array (T, E)
    """
    side = round(inputs.shape[-1] ** 0.5)
    rows = []
    for trial, frames in enumerate(inputs):
        explained = zip(epsilons, activations[trial], *explained_by_rotation(frames, (side, side)), strict=True)
        for epsilon, activation, angle, correlation, unrotated in explained:
            rows.append(
                {
                    "trial": trial,
                    "epsilon": round(float(epsilon), 6),
                    "activation": float(activation),
                    "angle": float(angle),
                    "correlation": float(correlation),
                    "unrotated": float(unrotated),
                }
            )
    return rows
