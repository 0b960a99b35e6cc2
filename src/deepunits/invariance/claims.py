"""The claims of section 5 as measured statistics: invariance of layers, manifolds of output units."""

import numpy as np

from deepunits.claims import Claim, cosine, cosine_among_starts, over_units
from deepunits.invariance.measures import departures, explained_by_rotation

# The layers, by dataset, that the paper sees fall faster along ε than the layer above them (section 5.3).
FASTER_BELOW = {"mnist": (1, 2), "natural_images": (1,), "silhouettes": (1, 2), "mnist_rot": (1,)}
CURVES = {"log_sigmoid": "log(sigmoid(activation))", "normalized": "(h(ε) - h(2)) / (h(0) - h(2))"}
FARTHEST = 2**0.5  # ε up to which manifolds are compared: beyond, all of them turn into the optimum's opposite


def claims_about_layers(dataset, rows):
    """Return the claims of section 5.3 that the activation of upper layers falls more slowly, for one dataset.

    Each is measured on all units by the configured search; on the curves without bias and scale, which the paper does
    not draw; and, for the units shown, by the search among several that agrees with it least.

    Parameters
    ----------
    dataset : str
    rows : list of dict
        Of the table of invariance for `dataset` (see :func:`deepunits.invariance.comparison.layer_rows`), in its order:
        the first search is the configured one over all units.
    """
    found = []
    for lower, curve in [(lower, curve) for lower in FASTER_BELOW[dataset] for curve in CURVES]:
        wanted = (lower + 1, curve, "area")
        areas = [row for row in rows if (row["layer"], row["curve"], row["measure"]) == wanted]
        measured = [row for row in areas if np.isfinite(row["difference"])]
        if not measured:  # too few units are live
            continue
        first, least = measured[0], min(measured[1:], key=lambda row: row["difference"], default=measured[0])
        several = f"the least of {len(measured) - 1} searches of {least['units']} units ({least['search']})"
        found += [
            _faster_below(dataset, lower, curve, first, "", f"all {first['units']} units"),
            _faster_below(dataset, lower, curve, least, "-any-search", several),
        ]
    return found


def _faster_below(dataset, lower, curve, row, suffix, which):
    return Claim(
        f"faster-below-{dataset}-{lower}-{lower + 1}-{curve.replace('_', '-')}{suffix}",
        "5.3",
        f"The activation falls faster along ε in layer {lower} than in layer {lower + 1}.",
        f"mean area under {CURVES[curve]}, layer {lower + 1} less layer {lower}, {dataset} {row['model']}, {which}",
        row["difference"],
        row["difference_low"],
        row["difference_high"],
        ">= 0",
    )


def claims_about_output(name, maxima, manifolds, hidden, *, label, seed):
    """Return the claims of section 5.2 about the output units of a network fine-tuned on mnist-rot.

    Parameters
    ----------
    name : str
        Which network, such as ``mnist_rot sdae``.
    maxima, manifolds : dict of arrays
        As stored for all output units.
    hidden : array (U, R, P)
        Solutions for hidden units of Figure 1, which the paper finds unimodal.
    label : int
        The output unit whose manifolds are measured.
    seed : int
    """
    identity = f"{name.replace(' ', '-')}-output"
    among_starts, of_hidden = cosine_among_starts(maxima["inputs"]), np.median(cosine_among_starts(hidden))
    epsilons = manifolds["epsilons"]
    near = np.flatnonzero((epsilons > 0) & (epsilons <= FARTHEST))
    optimum, inputs = (manifolds[array][label].astype(float) for array in ("optimum", "inputs"))
    ways = departures(inputs[:, near], optimum)
    first, second = np.triu_indices(len(ways), 1)
    side = round(len(optimum) ** 0.5)
    explained = [explained_by_rotation(frames, (side, side)) for frames in inputs[:, [0, *near]]]
    angles, turned, as_it_is = np.moveaxis(explained, 1, 0)[..., 1:]
    return [
        Claim(
            f"multimodal-{identity}",
            "5.2",
            "The maximum of an output unit depends on the random start.",
            f"median over output units of the mean pairwise cosine among starts, {name} (label 4: "
            f"{among_starts[4]:.2f}, label 5: {among_starts[5]:.2f}; hidden units of Figure 1: {of_hidden:.3f})",
            *over_units(among_starts, seed=seed),
            "<= 0.9",
        ),
        Claim(
            f"manifolds-differ-{identity}-{label}",
            "5.2",
            "Manifolds from slightly different starts become quite different.",
            "mean over pairs of trials and ε up to √2 of the cosine between their departures from the optimum, "
            f"{name}, label {label} ({manifolds['converged'][label][:, near].mean():.0%} of the searches converged)",
            *over_units(cosine(ways[first], ways[second]).mean(axis=1), np.mean, seed=seed),
            "<= 0.5",
        ),
        Claim(
            f"rotations-{identity}-{label}",
            "5.2",
            "The manifolds capture rotations of the optimum.",
            "mean over trials and ε up to √2 of the correlation with the optimum as it is best turned, less the "
            f"{as_it_is.mean():.2f} with it as it is, {name}, label {label} "
            f"(turned by {np.abs(angles).mean():.0f}° in the mean)",
            *over_units((turned - as_it_is).mean(axis=1), np.mean, seed=seed),
            ">= 0.1",
        ),
    ]
