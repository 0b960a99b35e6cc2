"""Supplementary: the lowest activations at each distance from the optimum, beside the highest (footnote 17)."""

import numpy as np

from deepunits.drawing.sheet import LINE, TEXT_WIDTH, Sheet, style
from deepunits.paper.figures.results import first_rows, read, substitutes
from deepunits.paper.figures.walks import UNITS, draw_pictures, frames, pictures_height, spread, title

# What is compared, its name on the figure and its colour, the highest first.
CURVES = (
    ("plain", "highest: the manifold", "#1f5fae"),
    ("random", "random directions, all as likely", "#777777"),
    ("data_like", "random directions, as the data vary", "#c98a1b"),
    ("lowest", "lowest", "#b3261e"),
)
PANEL = (3.2, 1.9)  # inches


@style()
def draw(searches, place, provenance=()):
    """Draw curves of the activation against ε, and below the manifolds of highest and of lowest activation of 3 units.

    Lines are means over units, and 80 % of the units lie in the shade.

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
        ``units`` (U,), ``epsilons`` (E,), ``<curve>_activations`` (U, E), ``shown_units`` (3,) and ``highest_images``,
        ``lowest_images`` (3, F, P) at the distances ``shown_epsilons`` (F,).

    Raises
    ------
    UserError
        If the file has fewer than 3 units.
    """
    units, epsilons, highest, lowest, *curves = read(
        searches,
        ("units", "epsilons", "plain_inputs", "lowest_inputs", *(f"{curve}_activations" for curve, _, _ in CURVES)),
    )
    shown = first_rows(searches, units, UNITS)
    kept = frames(epsilons)
    images = np.stack([highest[shown][:, kept], lowest[shown][:, kept]], axis=1)
    top = 1.5 * LINE + PANEL[1] + 3 * LINE
    sheet = Sheet(TEXT_WIDTH, top + pictures_height(images), substitutes(provenance))
    sheet.text(title(place), TEXT_WIDTH / 2, LINE / 2)
    axes = sheet.axes(0.6, 1.5 * LINE, *PANEL)
    for activations, (_, label, colour) in zip(curves, CURVES, strict=True):
        spread(axes, epsilons, activations, colour, label)
    axes.set(xlabel="ε", ylabel="activation $h$")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))
    rows = [("highest", CURVES[0][2]), ("lowest", CURVES[-1][2])]
    draw_pictures(sheet, top, units[shown], images, rows, epsilons[kept])
    return sheet.figure, {
        "units": units,
        "epsilons": epsilons,
        **{f"{curve}_activations": found for (curve, _, _), found in zip(CURVES, curves, strict=True)},
        "shown_units": units[shown],
        "shown_epsilons": epsilons[kept],
        "highest_images": images[:, 0],
        "lowest_images": images[:, 1],
    }
