"""Supplementary: eigenvectors of the Hessian at the optima of units, which section 5 sets aside (footnote 16)."""

import numpy as np

from deepunits.drawing.sheet import LINE, TEXT_WIDTH, Sheet, style
from deepunits.paper.figures.results import first_rows, read, substitutes
from deepunits.paper.figures.walks import UNITS, draw_pictures, frames, pictures_height, spread, title

WALKS = ("flattest", "second", "middle", "steepest")
COLOURS = ("#1f5fae", "#6fa3d8", "#777777", "#b3261e")
PANEL, LEFT = (1.5, 1.35), (0.55, 2.75, 4.95)  # width and height of a panel, and where each begins, inches


@style()
def draw(curvatures, place, provenance=()):
    """Draw the curvatures, the variance of the data along the eigenvectors, and walks along some of them.

    Curvatures are those of the activation along great circles, times ρ²: the second derivative by the angle. The
    variance is relative to the mean over pixels. Lines are means over units (of the variance: the geometric one), and
    80 % of the units lie in the shade.

    Parameters
    ----------
    curvatures : path
        ``curvatures.npz`` of a layer.
    place : sequence
        Dataset, model and number of the layer, for the title.
    provenance : path or list of path
        ``provenance.json`` of the dataset.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``units`` (U,), ``epsilons`` (E,), ``curvatures`` and ``variances`` (U, P - 1), ``activations`` (U, 4, E) along
        the flattest, second flattest, middle and steepest eigenvector, ``shown_units`` (3,) and ``images``
        (3, 4, F, P) at the distances ``shown_epsilons`` (F,).

    Raises
    ------
    UserError
        If the file has fewer than 3 units.
    """
    names = ("units", "epsilons", "norm", "curvatures", "variances", "activations", "inputs")
    units, epsilons, norm, bends, variances, activations, inputs = read(curvatures, names)
    bends = bends * norm**2
    shown = first_rows(curvatures, units, UNITS)
    kept = frames(epsilons)
    images = inputs[shown][:, :, kept]
    top = 1.5 * LINE + PANEL[1] + 3 * LINE
    sheet = Sheet(TEXT_WIDTH, top + pictures_height(images), substitutes(provenance))
    sheet.text(title(place), TEXT_WIDTH / 2, LINE / 2)
    _panels(sheet, epsilons, bends, variances, activations)
    draw_pictures(sheet, top, units[shown], images, list(zip(WALKS, COLOURS, strict=True)), epsilons[kept])
    return sheet.figure, {
        "units": units,
        "epsilons": epsilons,
        "curvatures": bends,
        "variances": variances,
        "activations": activations,
        "shown_units": units[shown],
        "shown_epsilons": epsilons[kept],
        "images": images,
    }


def _panels(sheet, epsilons, bends, variances, activations):
    """Draw the three panels of curves."""
    spectrum, variance, walks = (sheet.axes(left, 1.5 * LINE, *PANEL) for left in LEFT)
    rank = np.arange(1, bends.shape[1] + 1)
    spread(spectrum, rank, bends, COLOURS[0])
    spectrum.set(xlabel="eigenvector, flattest first", ylabel="curvature × ρ²")
    spread(variance, rank, np.log10(np.maximum(variances, 1e-6)), COLOURS[0])
    variance.axhline(0, color="#777777", linewidth=0.8, linestyle="--")
    variance.set(xlabel="eigenvector, flattest first", ylabel="log₁₀ variance of data")
    for curves, walk, colour in zip(activations.swapaxes(0, 1), WALKS, COLOURS, strict=True):
        spread(walks, epsilons, curves, colour, walk)
    walks.set(xlabel="ε", ylabel="activation $h$")
    walks.legend(frameon=False)
