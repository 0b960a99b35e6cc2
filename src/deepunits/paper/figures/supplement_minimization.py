"""Supplementary: the lowest activations at each distance from the optimum, beside the highest (footnote 17)."""

import numpy as np

from deepunits.drawing.sheet import style
from deepunits.paper.figures.results import read
from deepunits.paper.figures.walks import TOP, draw_walks, spread

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

    Parameters
    ----------
    searches : path
        ``searches.npz`` of a layer.
    place, provenance
        As :func:`deepunits.paper.figures.walks.draw_walks` has them.

    Returns
    -------
    figure, numbers
        As there, with ``highest_images`` and ``lowest_images`` (3, F, P) in place of ``images``; besides
        ``<curve>_activations`` (U, E).
    """
    units, epsilons, highest, lowest, *curves = read(
        searches,
        ("units", "epsilons", "plain_inputs", "lowest_inputs", *(f"{curve}_activations" for curve, _, _ in CURVES)),
    )

    def panels(sheet):
        axes = sheet.axes(0.6, TOP, *PANEL)
        for activations, (_, label, colour) in zip(curves, CURVES, strict=True):
            spread(axes, epsilons, activations, colour, label)
        axes.set(xlabel="ε", ylabel="activation $h$")
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))

    figure, numbers = draw_walks(
        searches,
        place,
        provenance,
        units=units,
        epsilons=epsilons,
        inputs=np.stack([highest, lowest], axis=1),
        rows=[("highest", CURVES[0][2]), ("lowest", CURVES[-1][2])],
        panels=panels,
        height=PANEL[1],
    )
    images = numbers.pop("images")
    numbers |= {f"{curve}_activations": found for (curve, _, _), found in zip(CURVES, curves, strict=True)}
    return figure, numbers | {"highest_images": images[:, 0], "lowest_images": images[:, 1]}
