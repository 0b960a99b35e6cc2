"""Supplementary: invariance to rotation, translation and scaling, by two measures (sections 5.3 and 6)."""

import numpy as np

from deepunits.drawing.sheet import LINE, TEXT_WIDTH, Sheet, style
from deepunits.invariance.measures import log_sigmoid
from deepunits.invariance.transformed_optima import curves, normalized_curves
from deepunits.paper.figures.figure7 import COLORS, DASHES
from deepunits.paper.figures.panels import COLUMN_TITLES
from deepunits.paper.figures.results import path_list, read, substitutes
from deepunits.paper.figures.walks import spread, title
from deepunits.paper.tables.transformations import manifold_curves
from deepunits.tables import read_table

EPSILONS = np.linspace(0, 2, 41)
REACHING = 0.9  # share of the units that a transformation must take to a distance for it to be drawn
PANEL, LEFT, GAP = (0.95, 1.15), 0.62, 0.2  # width and height, left of all, between two: inches
TITLES = {
    "rotation": "rotation",
    "horizontal_translation": "translation ↔",
    "vertical_translation": "translation ↕",
    "scaling": "scaling",
    "manifold": "any change",
}


@style()
def draw(transformations, invariance, table, place, provenance=()):
    """Draw curves like those of Figure 7 for each transformation, and the scores of Goodfellow et al. (2009).

    Above, the activation of optima that are rotated, moved or scaled, against their distance from the optimum; in the
    middle the same on the scale on which every linear unit is the broken line. A curve ends where the transformation
    no longer takes 90 % of the units that far. Last column: the manifolds, which no transformation restricts. Lines are
    means over units, 80 % of which lie in the shade. Below, the scores of each layer with 95 % bootstrap intervals.

    Parameters
    ----------
    transformations, invariance : list of path
        ``transformations.npz`` and ``invariance.npz`` of layers 1, 2 and 3.
    table : path
        ``transformations.csv``.
    place : sequence
        Dataset and model, for the title.
    provenance : path or list of path
        ``provenance.json`` of the dataset.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``epsilons`` (E,) and, by layer and transformation, ``layer<k>_<kind>`` and ``layer<k>_<kind>_normalized``
        (U', E'), the curves of the units that reach the last of the first E' distances; ``layer<k>_scores`` (K, 3) of
        the transformations ``kinds`` (K,), with their intervals. Layers of which no unit is live have none.
    """
    layers = list(zip(path_list(transformations), path_list(invariance), strict=True))
    numbers = {"epsilons": EPSILONS}
    for layer, paths in enumerate(layers, start=1):
        for kind, (heights, relative) in _curves(*paths).items():
            numbers |= {f"layer{layer}_{kind}": heights, f"layer{layer}_{kind}_normalized": relative}
    numbers |= _scores(table)

    kinds = list(TITLES)
    sheet = Sheet(TEXT_WIDTH, 2.5 * LINE + 3 * PANEL[1] + 5.5 * LINE, substitutes(provenance))
    sheet.text(title(place), TEXT_WIDTH / 2, LINE / 2)
    tops = [2.2 * LINE, 3.2 * LINE + PANEL[1], 6.2 * LINE + 2 * PANEL[1]]
    lefts = [LEFT + column * (PANEL[0] + GAP) for column in range(len(kinds))]
    for kind, left in zip(kinds, lefts, strict=True):
        sheet.text(TITLES[kind], left + PANEL[0] / 2, 1.6 * LINE)
    first = _row(sheet, lefts, tops[0], "log(sigmoid($h$))")
    second = _row(sheet, lefts, tops[1], "normalized $h$")
    third = _row(sheet, lefts[:-1], tops[2], "firing score")  # the manifold has none
    for layer, look in enumerate(zip(COLUMN_TITLES, COLORS, DASHES, strict=True), start=1):
        if f"layer{layer}_scores" in numbers:
            _draw_layer(layer, look, kinds, numbers, first, second, third)
    for axes in second:
        axes.plot(EPSILONS, 1 - EPSILONS**2 / 4, color="#444444", linewidth=0.8, linestyle="--")
        axes.set_xlabel("ε")
    for axes in third:
        axes.set(xlim=(0.5, 3.5), xticks=(1, 2, 3), xlabel="layer")
        axes.spines[["top", "right"]].set_visible(False)
    for row in (first[:-1], second, third):
        _same_heights(row)
    for axes in (*first, *second):
        axes.set_xlim(0, 2)
    first[-1].tick_params(labelleft=True)  # it falls much deeper
    handles = first[0].get_legend_handles_labels()
    sheet.axes(lefts[-1], tops[2], *PANEL).legend(*handles, frameon=False, loc="center")
    sheet.figure.axes[-1].set_axis_off()
    return sheet.figure, numbers


def _draw_layer(layer, look, kinds, numbers, first, second, third):
    """Draw the curves and the scores of one layer into the rows of axes."""
    label, color, dashes = look
    for kind, above, below in zip(kinds, first, second, strict=True):
        heights, relative = numbers[f"layer{layer}_{kind}"], numbers[f"layer{layer}_{kind}_normalized"]
        spread(above, EPSILONS[: heights.shape[1]], log_sigmoid(heights), color, label, linestyle=dashes)
        spread(below, EPSILONS[: relative.shape[1]], relative, color, linestyle=dashes)
    for axes, (score, low, high) in zip(third, numbers[f"layer{layer}_scores"], strict=True):
        axes.errorbar(layer, score, [[score - low], [high - score]], color=color, marker="o", markersize=3)


def _curves(transformations, invariance):
    """Return the activations and the normalized curves of one layer, (U', E') each, by kind of transformation."""
    names = ("units", "kinds", "distances", "activations", "highest", "opposite")
    measured = dict(zip(names, read(transformations, names), strict=True))
    found = {}
    if not len(measured["units"]):
        return found
    pairs = zip(curves(measured, EPSILONS), normalized_curves(measured, EPSILONS), strict=True)
    for kind, (heights, relative) in zip(measured["kinds"], pairs, strict=True):
        reached = np.isfinite(heights)
        last = np.flatnonzero(reached.mean(axis=0) >= REACHING)[-1]
        found[str(kind)] = [lines[reached[:, last], : last + 1] for lines in (heights, relative)]
    names = ("units", "epsilons", "activations")
    traced = dict(zip(names, read(invariance, names), strict=True))
    found["manifold"] = manifold_curves(traced, measured["units"], EPSILONS)
    return found


def _scores(table):
    """Return of every layer that has live units the scores of all transformations with their intervals, (K, 3)."""
    rows = read_table(table, ["transformation"]).set_index("transformation")
    kinds = [kind for kind in TITLES if kind != "manifold"]
    scores = {
        f"layer{layer}_scores": of_layer.loc[kinds, ["firing", "firing_low", "firing_high"]].to_numpy()
        for layer, of_layer in rows.groupby("layer")
    }
    return {"kinds": np.array(kinds)} | {name: array for name, array in scores.items() if np.isfinite(array).all()}


def _row(sheet, lefts, top, label):
    """Return axes side by side, of which the first says what is drawn up its side."""
    row = [sheet.axes(left, top, *PANEL) for left in lefts]
    row[0].set_ylabel(label)
    for axes in row[1:]:
        axes.tick_params(labelleft=False)
    return row


def _same_heights(row):
    """Give the axes of a row the same vertical limits, those that hold all that they show."""
    bottoms, tops = zip(*(axes.get_ylim() for axes in row), strict=True)
    for axes in row:
        axes.set_ylim(min(bottoms), max(tops))
