"""The searches of section 5 over all units of a layer: where they start, how they are configured and varied."""

import numpy as np

from deepunits.backend import array_module
from deepunits.invariance.manifold import trace_manifold
from deepunits.invariance.whitening import scaled_root
from deepunits.visualize.activation_maximization import best_solutions, maximize_activation


def optima(network, layer, maxima, settings, *, rng):
    """Return x_opt of every unit of a layer: the best solution of those that are shown, one ascent for the others.

    Most starts of a unit end at the same input (section 4.4), so one does for units that only a curve is drawn of.

    Parameters
    ----------
    network : Network
    layer : int
    maxima : dict of arrays
        As stored by activation maximization for the first units of the layer.
    settings : dict
        ``learning_rate``, ``threshold`` and ``max_steps`` of activation maximization.
    rng : generator
        Of the network's device.

    Returns
    -------
    array (units of the layer, P)
        On the network's device.
    """
    xp = array_module(network.weights[0])
    found = best_solutions(maxima["inputs"], maxima["activations"])
    others = np.arange(len(maxima["units"]), network.units(layer))
    if len(others):
        ascents = maximize_activation(
            network,
            layer,
            others,
            norm=float(maxima["norm"]),
            restarts=1,
            learning_rate=settings["learning_rate"],
            threshold=settings["threshold"],
            max_steps=settings["max_steps"],
            rng=rng,
        )
        found = np.concatenate([found, ascents.best])
    return xp.asarray(found)


def search(network, layer, units, optimum, statistics, settings, *, rng, shown=(), ridge=1.0):
    """Trace manifolds as they are configured.

    Parameters
    ----------
    network : Network
    layer : int
    units : array (U,) of int
    optimum : array (U, P)
        x_opt of each unit, on the network's device.
    statistics : dict of arrays
        ``mean_norm``, ``eigenvalues``, ``eigenvectors`` and ``regularization`` of the dataset.
    settings : dict
        ``epsilons``: how many distances, evenly spaced from 0 to 2; ``trials``, ``perturbation``, ``step``,
        ``learning_rate``, ``threshold`` and ``max_steps`` of :func:`deepunits.invariance.manifold.trace_manifold`,
        where a whitened step has the covariance divided by its largest eigenvalue.
    rng : generator
        Of the network's device.
    shown : sequence of int
        Units whose points are kept.
    ridge : float
        Times which the regularization of the covariance is taken.

    Returns
    -------
    InvarianceManifold
    """
    axes = statistics["eigenvalues"], statistics["eigenvectors"]
    names = ("trials", "perturbation", "step", "learning_rate", "threshold", "max_steps")
    return trace_manifold(
        network,
        layer,
        units,
        optimum,
        norm=float(statistics["mean_norm"]),
        epsilons=np.linspace(0, 2, settings["epsilons"]),
        unwhitening=scaled_root(*axes, ridge * statistics["regularization"]),
        rng=rng,
        shown=shown,
        **{name: settings[name] for name in names},
    )


def variants(settings, varied):
    """Yield the searches that differ in one thing from the configured one: its name, settings and ridge.

    Parameters
    ----------
    settings : dict
    varied : dict
        ``steps``: other kinds of step; ``regularizations``: factors of the regularization.
    """
    for step in varied["steps"]:
        yield step, settings | {"step": step}, 1.0
    for factor in varied["regularizations"]:
        yield f"{settings['step']}, regularization x {factor:g}", settings, factor
