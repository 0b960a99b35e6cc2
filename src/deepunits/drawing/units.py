"""Pictures of what was found of a network's units: their maxima, the way along a manifold, the curves."""

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np
from matplotlib.figure import Figure

from deepunits.checks import check_kind, check_numbers, image_shape
from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet, style
from deepunits.drawing.tiles import symmetric_tiles
from deepunits.errors import UserError
from deepunits.invariance.manifold import InvarianceManifold
from deepunits.invariance.measures import normalized
from deepunits.visualize.activation_maximization import ActivationMaxima

LABEL, AXIS, CURVES = 0.5, 0.4, 2.6  # inches: room for the names of rows, for an axis, and the height of curves


@style()
def draw_maxima(maxima: ActivationMaxima, shape: Sequence[int] | None = None, columns: int = 9) -> Figure:
    """Draw the best solution of each unit, each on its own scale with zero at mid grey, as in Figures 1 and 2.

    Parameters
    ----------
    maxima : ActivationMaxima
    shape : sequence of int, optional
        Rows and columns of an image, and colours if there are any; images are square if it is not given.
    columns : int
        Images side by side.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.savefig("maxima.png")`` writes it.

    Raises
    ------
    UserError
        If the images do not have that shape, there are none, or this is none of the maxima.

    Examples
    --------
    >>> import numpy as np
    >>> from deepunits import Network, draw_maxima, maximize_activation
    >>> network = Network([np.eye(4)], [np.zeros(4)])
    >>> figure = draw_maxima(maximize_activation(network, 1, range(4), norm=1.0), columns=2)
    """
    check_kind(maxima, ActivationMaxima, "give what maximize_activation returns")
    check_numbers(columns=(columns, "count"))
    tiles = symmetric_tiles(_fitting(maxima.best, shape), min(columns, len(maxima.units)), shape)
    width = TEXT_WIDTH * min(1.0, len(maxima.units) / columns)
    sheet = Sheet(width, width * tiles.shape[0] / tiles.shape[1])
    sheet.image(tiles, 0, 0, width)
    return sheet.figure


@style()
def draw_manifolds(
    manifold: InvarianceManifold, shape: Sequence[int] | None = None, frames: int = 7, trial: int = 0
) -> Figure:
    """Draw the points of the manifolds that were kept, a row for each unit, from the optimum on the left outwards.

    Parameters
    ----------
    manifold : InvarianceManifold
        Traced with ``shown=units``.
    shape : sequence of int, optional
        Rows and columns of an image, and colours if there are any; images are square if it is not given.
    frames : int
        Distances shown, evenly spread over those of the manifold.
    trial : int
        Which of the searches.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UserError
        If no points were kept, the images do not have that shape, or there is no such trial.
    """
    check_kind(manifold, InvarianceManifold, "give what trace_manifold returns")
    check_numbers(frames=(frames, "count"))
    trials = manifold.activations.shape[1]
    if not isinstance(trial, Integral) or trial not in range(trials):
        raise UserError(f"trial is {trial!r}; the manifold has the trials 0 to {trials - 1}.")
    if not len(manifold.inputs):
        raise UserError("the manifold keeps no points; trace it with shown=units.")
    chosen = np.unique(np.linspace(0, len(manifold.epsilons) - 1, frames).round().astype(int))
    points = manifold.inputs[:, trial, chosen]
    tiles = symmetric_tiles(_fitting(points.reshape(-1, points.shape[-1]), shape), len(chosen), shape)
    width = TEXT_WIDTH - LABEL
    height = width * tiles.shape[0] / tiles.shape[1]
    sheet = Sheet(TEXT_WIDTH, LINE + height)
    sheet.image(tiles, LABEL, LINE, width)
    for column, epsilon in enumerate(manifold.epsilons[chosen]):
        sheet.text(f"ε = {epsilon:.2g}", LABEL + (column + 0.5) * width / len(chosen), LINE / 2)
    for row, unit in enumerate(manifold.shown_units):
        sheet.text(f"unit {unit}", LABEL / 2, LINE + (row + 0.5) * height / len(points))
    return sheet.figure


@style()
def draw_curves(manifolds: dict[str, InvarianceManifold]) -> Figure:
    """Draw how the activation falls along manifolds: the median over units, and the quartiles, against ε.

    Activations are scaled to 1 at the optimum and 0 opposite it. A unit that is linear in its input has the dashed
    curve, 1 - ε²/4; what is above it is invariance.

    Parameters
    ----------
    manifolds : dict of InvarianceManifold
        By the name that each has in the legend, such as its layer's. Their ε run from 0 to 2.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UserError
        If the ε do not run from 0 to 2, or a unit is dead.
    """
    check_kind(manifolds, dict, "give manifolds by the name that each has in the legend")
    for manifold in manifolds.values():
        check_kind(manifold, InvarianceManifold, "give what trace_manifold returns")
    sheet = Sheet(TEXT_WIDTH, CURVES + AXIS)
    axes = sheet.axes(LABEL, MARGIN, TEXT_WIDTH - 1.5 * LABEL, CURVES - MARGIN)
    line = np.linspace(0, 2, 101)
    axes.plot(line, 1 - line**2 / 4, color="0.4", linestyle="--", label="any linear unit")
    for name, manifold in manifolds.items():
        if not len(manifold.units):
            raise UserError(f"the manifold called {name} is of no units; give one or more.")
        curves = normalized(manifold.activations.max(axis=1), manifold.epsilons)
        low, middle, high = np.quantile(curves, [0.25, 0.5, 0.75], axis=0)
        [drawn] = axes.plot(manifold.epsilons, middle, label=f"{name}, {len(curves)} units")
        axes.fill_between(manifold.epsilons, low, high, color=drawn.get_color(), alpha=0.15, linewidth=0)
    axes.set(xlim=(0, 2), xlabel="ε", ylabel="(h(ε) - h(2)) / (h(0) - h(2))")
    axes.legend(loc="lower left", frameon=False)
    return sheet.figure


def _fitting(pixels, shape):
    """Return `pixels` (n, P); refuse a shape that has not P pixels."""
    if not len(pixels):
        raise UserError("there are no units to draw; give one or more.")
    if shape is not None and math.prod(image_shape(shape)) != pixels.shape[1]:
        raise UserError(f"inputs of {pixels.shape[1]} pixels are no images of shape {shape!r}; give theirs.")
    return pixels
