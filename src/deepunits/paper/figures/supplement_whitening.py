"""Supplementary: what whitening changes in the search for invariance manifolds (section 5.1, equation 1)."""

import numpy as np

from deepunits.drawing.sheet import style
from deepunits.paper.figures.results import read
from deepunits.paper.figures.walks import TOP, draw_walks, spread

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
    with the fixed points of the plain one.

    Parameters
    ----------
    searches : path
        ``searches.npz`` of a layer.
    place, provenance
        As :func:`deepunits.paper.figures.walks.draw_walks` has them.

    Returns
    -------
    figure, numbers
        As there, by search; besides ``<search>_activations`` (U, E).
    """
    units, epsilons = read(searches, ("units", "epsilons"))
    activations = read(searches, [f"{search}_activations" for search, _, _ in SEARCHES])
    inputs = read(searches, [f"{search}_inputs" for search, _, _ in SEARCHES])

    def panels(sheet):
        heights, losses = (sheet.axes(left, TOP, *PANEL) for left in LEFT)
        for curves, (search, label, colour) in zip(activations, SEARCHES, strict=True):
            spread(heights, epsilons, curves, colour, label)
            if search != "plain":
                spread(losses, epsilons, curves - activations[0], colour, label)
        heights.set(xlabel="ε", ylabel="activation $h$")
        heights.legend(frameon=False)
        losses.axhline(0, color=SEARCHES[0][2], linewidth=0.8, linestyle="--")
        losses.set(xlabel="ε", ylabel="$h$ less that of the plain search")

    figure, numbers = draw_walks(
        searches,
        place,
        provenance,
        units=units,
        epsilons=epsilons,
        inputs=np.stack(inputs, axis=1),
        rows=[(label, colour) for _, label, colour in SEARCHES],
        panels=panels,
        height=PANEL[1],
    )
    curves = zip(SEARCHES, activations, strict=True)
    return figure, numbers | {f"{search}_activations": found for (search, _, _), found in curves}
