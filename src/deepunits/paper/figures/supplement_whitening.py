"""Supplementary: what whitening changes in the search for invariance manifolds (section 5.1, equation 1)."""

import numpy as np

from deepunits.drawing.sheet import LINE, TEXT_WIDTH, Sheet, style
from deepunits.paper.figures.results import first_rows, read, substitutes
from deepunits.paper.figures.walks import UNITS, draw_pictures, frames, pictures_height, spread, title

# The searches, their names on the figure and their colours.
SEARCHES = (
    ("plain", "plain", "#1f5fae"),
    ("tangent", "tangent", "#777777"),
    ("whitened", "whitened", "#b3261e"),
)
PANEL, LEFT = (2.3, 1.6), (0.6, 3.75)  # width and height of a panel, and where each begins, inches


@style()
def draw(searches, place, provenance=()):
    """Draw where three searches for the same manifolds end: activations, what they lost to the plain one, pictures.

    The plain search steps along the gradient g. Algorithm 1, whitened, steps along C g, with C the covariance of the
    data. The tangent one steps along C times the part of g along the feasible sphere: also a search of equation 1, and
    with the fixed points of the plain one. Lines are means over units, and 80 % of the units lie in the shade.

    Parameters
    ----------
    searches : path
        ``searches.npz`` of a layer.
    place : sequence
        Dataset, model and number of the layer, for the title.
    provenance : path or list of path
        ``provenance.json`` of the dataset.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``units`` (U,), ``epsilons`` (E,), ``<search>_activations`` (U, E), ``shown_units`` (3,) and ``images``
        (3, 3, F, P), by unit and search, at the distances ``shown_epsilons`` (F,).

    Raises
    ------
    UserError
        If the file has fewer than 3 units.
    """
    units, epsilons = read(searches, ("units", "epsilons"))
    activations = read(searches, [f"{search}_activations" for search, _, _ in SEARCHES])
    inputs = read(searches, [f"{search}_inputs" for search, _, _ in SEARCHES])
    shown, kept = first_rows(searches, units, UNITS), frames(epsilons)
    images = np.stack([points[shown][:, kept] for points in inputs], axis=1)

    top = 1.5 * LINE + PANEL[1] + 3 * LINE
    sheet = Sheet(TEXT_WIDTH, top + pictures_height(images), substitutes(provenance))
    sheet.text(title(place), TEXT_WIDTH / 2, LINE / 2)
    heights, losses = (sheet.axes(left, 1.5 * LINE, *PANEL) for left in LEFT)
    for curves, (search, label, colour) in zip(activations, SEARCHES, strict=True):
        spread(heights, epsilons, curves, colour, label)
        if search != "plain":
            spread(losses, epsilons, curves - activations[0], colour, label)
    heights.set(xlabel="ε", ylabel="activation $h$")
    heights.legend(frameon=False)
    losses.axhline(0, color=SEARCHES[0][2], linewidth=0.8, linestyle="--")
    losses.set(xlabel="ε", ylabel="$h$ less that of the plain search")
    rows = [(label, colour) for _, label, colour in SEARCHES]
    draw_pictures(sheet, top, units[shown], images, rows, epsilons[kept])
    return sheet.figure, {
        "units": units,
        "epsilons": epsilons,
        **{f"{search}_activations": found for (search, _, _), found in zip(SEARCHES, activations, strict=True)},
        "shown_units": units[shown],
        "shown_epsilons": epsilons[kept],
        "images": images,
    }
