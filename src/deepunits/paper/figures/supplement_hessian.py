"""Supplementary: eigenvectors of the Hessian at the optima of units, which section 5 sets aside (footnote 16)."""

import numpy as np

from deepunits.drawing.sheet import style
from deepunits.paper.figures.results import read
from deepunits.paper.figures.walks import TOP, draw_walks, spread

WALKS = ("flattest", "second", "middle", "steepest")
COLOURS = ("#1f5fae", "#6fa3d8", "#777777", "#b3261e")
PANEL, LEFT = (1.5, 1.35), (0.55, 2.75, 4.95)  # width and height of a panel, and where each begins, inches


@style()
def draw(curvatures, place, provenance=()):
    """Draw the curvatures, the variance of the data along the eigenvectors, and walks along some of them.

    Curvatures are those of the activation along great circles, times ρ²: the second derivative by the angle. The
    variance is relative to the mean over pixels; its line is the geometric mean over units.

    Parameters
    ----------
    curvatures : path
        ``curvatures.npz`` of a layer.
    place, provenance
        As :func:`deepunits.paper.figures.walks.draw_walks` has them.

    Returns
    -------
    figure, numbers
        As there, along the flattest, second flattest, middle and steepest eigenvector; besides ``curvatures`` and
        ``variances`` (U, P - 1), and ``activations`` (U, 4, E) on these ways.
    """
    names = ("units", "epsilons", "norm", "curvatures", "variances", "activations", "inputs")
    units, epsilons, norm, bends, variances, activations, inputs = read(curvatures, names)
    bends = bends * norm**2
    figure, numbers = draw_walks(
        curvatures,
        place,
        provenance,
        units=units,
        epsilons=epsilons,
        inputs=inputs,
        rows=list(zip(WALKS, COLOURS, strict=True)),
        panels=lambda sheet: _panels(sheet, epsilons, bends, variances, activations),
        height=PANEL[1],
    )
    return figure, numbers | {"curvatures": bends, "variances": variances, "activations": activations}


def _panels(sheet, epsilons, bends, variances, activations):
    """Draw the three panels of curves."""
    spectrum, variance, walks = (sheet.axes(left, TOP, *PANEL) for left in LEFT)
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
