"""Supplementary: what the searches for manifolds find on units whose truth is known (section 5.1)."""

import numpy as np

from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet, style
from deepunits.drawing.tiles import symmetric_tiles
from deepunits.invariance.known_units import reached
from deepunits.paper.figures.results import read, substitutes

# The searches, their names on the figure, their colours and lines.
SEARCHES = {
    "plain": ("plain", "#1f5fae", "-"),
    "tangent": ("tangent", "#777777", "-"),
    "whitened": ("whitened", "#b3261e", "-"),
    "whitened_100": ("whitened, 100 × the regularization", "#b3261e", "--"),
    "whitened_1000": ("whitened, 1000 × the regularization", "#b3261e", ":"),
    "geodesic": ("geodesic of the flattest direction", "#2e7d32", "-"),
}
SHOWN = ("plain", "whitened", "geodesic")  # whose pictures are drawn
FRAMES = 11
LEFT, PICTURES, PANEL = 1.0, 3.35, 1.55  # inches: for names, pictures and curves
GAP = 0.16  # inches between two units


@style()
def draw(known, provenance=()):
    """Draw the pictures that searches meet on their way, and the share of the highest activation that they reach.

    Parameters
    ----------
    known : path
        ``known_units.npz``.
    provenance : path or list of path
        ``provenance.json`` of the dataset whose covariance whitened steps take.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``units`` (K,), ``searches`` (S,), ``epsilons`` (E,), ``reached`` (K, S, E), ``shown_epsilons`` (F,) and
        ``images`` (K, 3, F, P).
    """
    names, searches, epsilons = read(known, ("units", "searches", "epsilons"))
    activations, highest, inputs = read(known, ("activations", "highest", "inputs"))
    share, at = reached(activations, highest), np.linspace(0, len(epsilons) - 1, FRAMES).round().astype(int)
    order = [list(searches).index(name) for name in SHOWN]
    images = inputs[:, order][:, :, at]
    height = PICTURES * (len(SHOWN) * 13 - 1) / (len(at) * 13 - 1)
    end = LINE + len(names) * (height + GAP) + 3 * LINE  # of all but the note
    sheet = Sheet(TEXT_WIDTH, end, substitutes(provenance))
    sheet.text("pictures at the distance ε", LEFT + PICTURES / 2, LINE / 2)
    left = LEFT + PICTURES + 3 * MARGIN + 0.35
    sheet.text("share of the highest", left + PANEL / 2, LINE / 2)
    for number, (name, ways, curves) in enumerate(zip(names, images, share, strict=True)):
        top = LINE + number * (height + GAP)
        sheet.side_text(str(name).replace(" with", "\nwith"), 0.75 * LINE, top, height, fontsize=6.5)
        for row, search in enumerate(SHOWN):
            middle = top + height * (row + 0.5) / len(SHOWN)
            sheet.text(search, LEFT - MARGIN, middle, ha="right", fontsize=7, color=SEARCHES[search][1])
        sheet.image(symmetric_tiles(ways.reshape(-1, ways.shape[2]), len(at)), LEFT, top, PICTURES)
        axes = sheet.axes(left, top, PANEL, height)
        for curve, search in zip(curves, searches, strict=True):
            label, colour, line = SEARCHES[str(search)]
            axes.plot(epsilons, curve, color=colour, linestyle=line, linewidth=1, label=label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set(xlim=(0, 2), ylim=(min(0.9, curves.min()) - 0.01, 1.01))
        axes.tick_params(labelsize=6, labelbottom=number == len(names) - 1)
    top = LINE + len(names) * (height + GAP)
    for column, epsilon in enumerate(epsilons[at]):
        text = f"{'ε = ' * (column == 0)}{epsilon:.2g}"
        sheet.text(text, LEFT + PICTURES * (column + 0.5) / len(at), top, fontsize=6.5)
    axes.set_xlabel("ε", fontsize=7, labelpad=1)
    handles, labels = axes.get_legend_handles_labels()
    sheet.figure.legend(
        handles,
        labels,
        loc="lower center",
        ncols=3,
        frameon=False,
        fontsize=6.5,
        bbox_to_anchor=(0.5, 1 - end / sheet.height),
    )
    numbers = {"units": names, "searches": searches, "epsilons": epsilons, "reached": share}
    return sheet.figure, numbers | {"shown_epsilons": epsilons[at], "images": images}
