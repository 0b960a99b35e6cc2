"""What the tables that compare layers and models by their units' manifolds share (section 5.3)."""

from dataclasses import dataclass

import numpy as np

from deepunits.data.examples import load_examples
from deepunits.invariance.measures import (
    area,
    compare,
    log_sigmoid,
    mean_over_units,
    normalized,
    slope,
)
from deepunits.models.stack import load_layer
from deepunits.storage import load_npz

EXAMPLES = 2000  # test examples that dead units are told by, the same that pretraining counts them on

# The curves that invariance is measured on (section 5.3): as Figure 7 has them, and without bias and scale.
CURVES = {"log_sigmoid": lambda activations, epsilons: log_sigmoid(activations), "normalized": normalized}
MEASURES = {"area": area, "slope": slope}
SCORES = [(curve, measure) for curve in CURVES for measure in MEASURES]

# Columns by what `compare` calls them.
DIFFERENCE = dict(difference="difference", difference_low="low", difference_high="high", superiority="superiority")


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


def read_model(number, layers, manifolds, examples):
    """Return the first three layers of one model: their manifolds, and which of their units are dead.

    Parameters
    ----------
    number : int
        Which of the models that follow one another in the next two, from 0 on.
    layers, manifolds : list of path
        ``layer<k>.npz`` and ``invariance.npz``, three of each model.
    examples : path
        ``examples.npz`` of the dataset.

    Returns
    -------
    manifolds : list of dict of arrays
    dead : list of array (units,) of bool
    """
    three = slice(3 * number, 3 * number + 3)
    seen = load_examples(examples, "test")[:EXAMPLES]
    return [load_npz(path) for path in manifolds[three]], dead_units(map(load_layer, layers[three]), seen)


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


def scores_of(layer, epsilons, curve, measure):
    """Return a measure of a curve for each live unit, (live units,), or None where less than two are live."""
    if layer.counts["live"] < 2:
        return None
    return MEASURES[measure](CURVES[curve](layer.highest, epsilons), epsilons)


def mean_columns(scores, seed):
    """Return the mean of the scores with its interval, as the tables call them; of None, nothing."""
    if scores is None:
        return {}
    return dict(zip(("mean", "low", "high"), map(float, mean_over_units(scores, seed=seed)), strict=True))


def difference_columns(lower, upper, seed):
    """Return how the scores `upper` compare with `lower`, as the tables call it; nothing where either is None."""
    if lower is None or upper is None:
        return {}
    found = compare(lower, upper, seed=seed)
    return {name: found[key] for name, key in DIFFERENCE.items()}
