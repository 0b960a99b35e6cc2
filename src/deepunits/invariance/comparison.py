"""Layers and models compared by their units' manifolds (section 5.3), manifolds by how far rotation explains them."""

from dataclasses import dataclass

import numpy as np

from deepunits.invariance.measures import (
    area,
    compare,
    explained_by_rotation,
    log_sigmoid,
    mean_over_units,
    normalized,
    slope,
)

COLUMNS = (
    *("dataset", "model", "layer", "search", "units", "dead", "converged", "curve", "measure", "mean", "low", "high"),
    *("difference", "difference_low", "difference_high", "superiority"),
    "substitute",
)
MODELS = ("dbn", "sdae")  # that are compared: the second with the first
MODEL_COLUMNS = (
    *("dataset", "layer", "curve", "measure"),
    *(f"{model}_{name}" for model in MODELS for name in ("live", "dead", "converged", "mean", "low", "high")),
    *("difference", "difference_low", "difference_high", "superiority"),
    "substitute",
)
EXAMPLES = 2000  # test examples that dead units are told by, the same that pretraining counts them on

# The curves that invariance is measured on (section 5.3): as Figure 7 has them, and without bias and scale.
CURVES = {"log_sigmoid": lambda activations, epsilons: log_sigmoid(activations), "normalized": normalized}
MEASURES = {"area": area, "slope": slope}
SCORES = [(curve, measure) for curve in CURVES for measure in MEASURES]

# Columns by what `compare` calls them.
_DIFFERENCE = dict(difference="difference", difference_low="low", difference_high="high", superiority="superiority")


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
    def counts(self):
        """How many units are live and how many dead."""
        return {"live": int(np.sum(~self.dead)), "dead": int(np.sum(self.dead))}

    @property
    def share_converged(self):
        """The share of the searches that converged, as the tables round it."""
        return round(float(self.converged.mean()), 4)

    @property
    def highest(self):
        """The activations (live units, E) at x*_ε: of the trials the highest, since x*_ε is where the maximum is."""
        return self.activations[~self.dead].max(axis=1)

    def of(self, units):
        """Return the same of some of the units."""
        return TracedLayer(self.activations[units], self.converged[units], self.dead[units])


def dead_units(layers, examples):
    """Return which units of each of the stacked `layers` hardly change over `examples` (n, P): arrays (units,)."""
    found = []
    for layer in layers:
        found.append(layer.dead_units(examples))
        examples = layer.mean_hidden(examples)
    return found


def traced_layers(manifolds, dead):
    """Return a :class:`TracedLayer` for each layer of a model.

    Parameters
    ----------
    manifolds : list of dict of arrays
        ``invariance.npz`` of each layer.
    dead : list of array (units,) of bool
        Of each layer.
    """
    return [
        TracedLayer(manifold["activations"], manifold["converged"], layer_dead)
        for manifold, layer_dead in zip(manifolds, dead, strict=True)
    ]


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
    whole = traced_layers(manifolds, dead)
    yield name, whole
    yield name, [layer.of(units) for layer, units in zip(whole, shown, strict=True)]
    for number, variant in enumerate(variants["searches"]):
        arrays = [
            [variants[f"layer{k}_{array}"][number] for array in ("activations", "converged")]
            for k in range(1, len(manifolds) + 1)
        ]
        of_shown = [layer_dead[units] for layer_dead, units in zip(dead, shown, strict=True)]
        yield str(variant), [TracedLayer(*pair, gone) for pair, gone in zip(arrays, of_shown, strict=True)]


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
    found = layer.counts
    if not found["live"]:
        return found
    for name, curve in CURVES.items():
        curves = curve(layer.highest, epsilons)
        lower, upper = np.quantile(curves, (0.25, 0.75), axis=0)
        found |= {f"{name}_mean": curves.mean(axis=0), f"{name}_lower": lower, f"{name}_upper": upper}
    return found


def dataset_curves(dataset, layers, epsilons):
    """Return what Figure 7 shows of a dataset, under the names of ``invariance_curves.npz``.

    Parameters
    ----------
    dataset : str
    layers : list of TracedLayer
        Bottom first.
    epsilons : array (E,)

    Returns
    -------
    dict of arrays
        ``<dataset>_epsilons`` (E,) and, for each layer, ``<dataset>_layer<k>_<name>`` for each name that
        :func:`layer_curves` gives.
    """
    found = {f"{dataset}_epsilons": epsilons}
    for number, layer in enumerate(layers, start=1):
        found |= {f"{dataset}_layer{number}_{name}": array for name, array in layer_curves(layer, epsilons).items()}
    return found


def layer_rows(layers, epsilons, *, seed):
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
        With some of the keys `COLUMNS`. Each measure of each curve: its mean over the live units with a 95 %
        bootstrap interval and, from the second layer on, the difference to the layer below with its interval, and the
        probability that a unit exceeds one of the layer below. Where less than two units are live, they are counted
        and no more.
    """
    rows = []
    for curve, measure in SCORES:
        below = None
        for number, layer in enumerate(layers, start=1):
            row = {"layer": number, "units": len(layer.dead), "dead": layer.counts["dead"]}
            row |= {"converged": layer.share_converged, "curve": curve, "measure": measure}
            scores = _scores(layer, epsilons, curve, measure)
            rows.append(row | _mean(scores, seed) | _difference(below, scores, seed))
            below = scores
    return rows


def model_rows(models, epsilons, *, seed):
    """Return the rows of the table that compares the models of a dataset, searched in the same way.

    Parameters
    ----------
    models : dict of list of TracedLayer
        The layers, bottom first, of each of `MODELS`.
    epsilons : array (E,)
    seed : int

    Returns
    -------
    list of dict
        With some of the keys `MODEL_COLUMNS`. Each measure of each curve, layer by layer: its mean over the live units
        of each model with a 95 % bootstrap interval, the difference, SDAE less DBN, with its interval, and the
        probability that a unit of the SDAE exceeds one of the DBN. Where less than two units are live, they are counted
        and no more.
    """
    rows = []
    for curve, measure in SCORES:
        for number, layers in enumerate(zip(*(models[model] for model in MODELS), strict=True), start=1):
            row = {"layer": number, "curve": curve, "measure": measure}
            scores = [_scores(layer, epsilons, curve, measure) for layer in layers]
            for model, layer, its in zip(MODELS, layers, scores, strict=True):
                found = layer.counts | {"converged": layer.share_converged} | _mean(its, seed)
                row |= {f"{model}_{name}": value for name, value in found.items()}
            rows.append(row | _difference(*scores, seed))
    return rows


def _scores(layer, epsilons, curve, measure):
    """Return a measure of a curve for each live unit, (live units,), or None where less than two are live."""
    if layer.counts["live"] < 2:
        return None
    return MEASURES[measure](CURVES[curve](layer.highest, epsilons), epsilons)


def _mean(scores, seed):
    """Return the mean of the scores with its interval, as the tables call them; of None, nothing."""
    if scores is None:
        return {}
    return dict(zip(("mean", "low", "high"), map(float, mean_over_units(scores, seed=seed)), strict=True))


def _difference(lower, upper, seed):
    """Return how the scores `upper` compare with `lower`, as the tables call it; nothing where either is None."""
    if lower is None or upper is None:
        return {}
    found = compare(lower, upper, seed=seed)
    return {name: found[key] for name, key in _DIFFERENCE.items()}


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
