"""A sheet of the units of any model: what excites them, by every tool that there is for it, and their invariance."""

import numpy as np
from matplotlib.figure import Figure

from deepunits.data.examples import load_examples, load_provenance, substitute
from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet, style
from deepunits.drawing.tiles import intensity_tiles, symmetric_tiles
from deepunits.invariance.measures import area, log_sigmoid, normalized
from deepunits.models.trained import load_network
from deepunits.storage import load_npz
from deepunits.visualize.activation_maximization import best_solutions
from deepunits.visualize.starts import cosine_among_starts
from deepunits.visualize.strongest import strongest_examples

SIDE = 6  # tiles across and down a panel
LABEL, GAP = 0.25, 0.12  # inches: for the name of a layer, between panels
CURVES, AXIS = 1.9, 0.4  # inches: height of the curves, and room for their axis
HEIGHTS = {"raw": "log(sigmoid(activation))", "normalized": "(h(ε) - h(2)) / (h(0) - h(2))"}
TITLES = {
    "maxima": "activation maximization",
    "examples": "strongest examples",
    "combination": "linear combination",
    "samples": "samples",
}


@style()
def draw(
    network, maxima, invariance, examples, provenance, combination=(), sampling=()
) -> tuple[Figure, dict[str, np.ndarray]]:
    """Draw the first 36 units of each layer, what else is known of them, and the curves of their invariance.

    The curves are those of Figure 7, and the same without the scale of the weights and the biases, which differ between
    layers; units whose activation never changes are left out of these.

    Strongest examples and samples have a row for each of the first 6 units; where the data are intensities, so are
    these. Every other tile has its own scale, with zero at mid grey.

    Parameters
    ----------
    network : list of path
        ``layer<k>.npz`` of the model, bottom first.
    maxima, invariance : list of path
        ``activation_maximization.npz`` and ``invariance.npz`` of the same layers.
    examples, provenance : path
        Of the dataset. Its images have the ``shape`` of the record, or are square.
    combination, sampling : list of path
        ``linear_combination.npz`` and ``sampling.npz`` of the second layer and those above it, in order.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        Of each layer ``layer<k>_<panel>`` (n, P), ``layer<k>_units`` and, of the raw and the normalized curves,
        ``layer<k>_raw`` and ``layer<k>_normalized`` (3, E): the mean over the units, lower and upper quartile;
        ``epsilons`` (E,).

    Raises
    ------
    UserError
        If a file cannot be read.
    """
    record = load_provenance(provenance)
    shape, numbers = record.get("shape"), {}
    shape = tuple(shape) if shape and len(shape) > 1 else None
    rows, columns = shape[:2] if shape else (1, 1)
    titles = [name for name, there in zip(TITLES, (True, True, combination, sampling), strict=True) if there]
    width = (TEXT_WIDTH - LABEL - MARGIN - GAP * (len(titles) - 1)) / len(titles)
    height = width * (SIDE * (rows + 1) - 1) / (SIDE * (columns + 1) - 1) if shape else width
    layers = len(maxima)
    sheet = Sheet(TEXT_WIDTH, LINE + layers * (height + GAP) + LINE + CURVES + AXIS, substitute(record))
    lefts = {name: LABEL + number * (width + GAP) for number, name in enumerate(titles)}
    for name, left in lefts.items():
        sheet.text(TITLES[name], left + width / 2, LINE / 2)
    held_out, whole = load_examples(examples, "test"), load_network(network)
    like_data = intensity_tiles if held_out.min() >= 0 and held_out.max() <= 1 else symmetric_tiles
    others = {"combination": dict(enumerate(combination, start=2)), "samples": dict(enumerate(sampling, start=2))}
    for layer in range(1, layers + 1):
        top = LINE + (layer - 1) * (height + GAP)
        sheet.side_text(f"layer {layer}", LABEL / 2, top, height)
        panels = _panels(whole, layer, load_npz(maxima[layer - 1]), held_out, others)
        numbers[f"layer{layer}_units"] = panels.pop("units")
        for name, pixels in panels.items():
            tiles = like_data if name in ("examples", "samples") else symmetric_tiles
            sheet.image(tiles(pixels, SIDE, shape), lefts[name], top, width)
            numbers[f"layer{layer}_{name}"] = pixels
    top = LINE + layers * (height + GAP) + LINE
    width = (TEXT_WIDTH - 5 * LABEL - 2 * MARGIN) / 2
    for number, scale in enumerate(HEIGHTS):
        axes = sheet.axes(2 * LABEL + MARGIN + number * (width + 2 * LABEL + MARGIN), top, width, CURVES)
        numbers |= _curves(axes, invariance, scale)
    return sheet.figure, numbers


def summary(maxima, invariance):
    """Return what the units of each layer have in common, in the order of the layers.

    Parameters
    ----------
    maxima, invariance : list of path
        ``activation_maximization.npz`` and ``invariance.npz`` of the layers, bottom first.

    Returns
    -------
    list of dict
        Of each ``layer``: its number of ``units``; the share of the ascents that ``converged``, their median
        ``steps``, and the median over units of the ``cosine_among_starts``; the share of the ``searches_converged``,
        and the mean over units of the ``area`` under the curves of Figure 7 and of the ``normalized_area``, of which a
        linear unit has 4/3.

    Raises
    ------
    UserError
        If a file cannot be read.
    """
    rows = []
    for layer, paths in enumerate(zip(maxima, invariance, strict=True), start=1):
        ascents, traced = map(load_npz, paths)
        several = ascents["inputs"].shape[1] > 1
        highest, epsilons = traced["activations"].max(axis=1), traced["epsilons"]
        changing = highest[highest[:, 0] > highest[:, -1]]
        rows.append(
            {
                "layer": layer,
                "units": len(traced["units"]),
                "converged": ascents["converged"].mean(),
                "steps": np.median(ascents["steps"]),
                "cosine_among_starts": np.median(cosine_among_starts(ascents["inputs"])) if several else np.nan,
                "searches_converged": traced["converged"].mean(),
                "area": area(log_sigmoid(highest), epsilons).mean(),
                "normalized_area": area(normalized(changing, epsilons), epsilons).mean() if len(changing) else np.nan,
            }
        )
    return rows


def _panels(network, layer, maxima, examples, others):
    """Return the pixels (n, P) of the panels of a layer, by name, and the units that they show."""
    count = min(SIDE**2, len(maxima["units"]))
    units = maxima["units"][:count]
    strongest = strongest_examples(network, layer, units[:SIDE], examples, min(SIDE, len(examples)))
    panels = {"units": units, "maxima": best_solutions(maxima["inputs"][:count], maxima["activations"][:count])}
    panels["examples"] = examples[strongest].reshape(-1, examples.shape[1])
    if layer in others["combination"]:
        panels["combination"] = load_npz(others["combination"][layer])["filters"][:count]
    if layer in others["samples"]:
        samples = load_npz(others["samples"][layer])["samples"][:SIDE]
        spread = np.linspace(0, samples.shape[1] - 1, SIDE).round().astype(int)
        panels["samples"] = samples[:, spread].reshape(-1, samples.shape[2])
    return panels


def _curves(axes, invariance, scale):
    """Draw the mean over the units of each layer against ε, raw or normalized; return what is drawn."""
    numbers = {}
    for layer, path in enumerate(invariance, start=1):
        found = load_npz(path)
        highest, epsilons = found["activations"].max(axis=1), found["epsilons"]
        if scale == "normalized":
            highest = normalized(highest[highest[:, 0] > highest[:, -1]], epsilons)
        else:
            highest = log_sigmoid(highest)
        if not len(highest):
            continue
        drawn = np.stack([highest.mean(axis=0), *np.quantile(highest, [0.25, 0.75], axis=0)])
        [line] = axes.plot(epsilons, drawn[0], label=f"layer {layer}, {len(highest)} units")
        axes.fill_between(epsilons, *drawn[1:], color=line.get_color(), alpha=0.15, linewidth=0)
        numbers |= {f"layer{layer}_{scale}": drawn, "epsilons": epsilons}
    axes.set(xlim=(0, 2), xlabel="ε", title=HEIGHTS[scale])
    if numbers:
        axes.legend(loc="lower left", frameon=False)
    return numbers
