"""Figure 6: what the output units of a network fine-tuned on mnist-rot answer to, and the manifolds of one of them."""

import numpy as np
from matplotlib.patches import Rectangle

from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet, style
from deepunits.drawing.tiles import symmetric_tiles
from deepunits.errors import UserError
from deepunits.paper.figures.results import read, read_maxima, rows_of, substitutes

LABELS = (4, 5)
TRACED = 4  # the label whose manifolds are drawn
SOLUTIONS = 9  # random starts of activation maximization, 3 × 3
TRIALS = 4
FRAMES = 21  # of a manifold, at most
LABEL = 0.25  # inches left of what is drawn
BLOCK, BETWEEN = 1.9, 0.6  # width of the solutions of a label, and what is between two, inches


@style()
def draw(activation_maximization, invariance, provenance=()):
    """Draw 9 solutions for the labels 4 and 5, and below 4 manifolds of the 4 from its best one, a row each.

    Every tile has its own scale, with zero at mid grey (:func:`deepunits.drawing.tiles.symmetric_grey`). A frame marks
    the solution that the manifolds start from.

    Parameters
    ----------
    activation_maximization, invariance : path
        Those of the output units, before the softmax.
    provenance : path or list of path
        ``provenance.json`` of the dataset.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``label<n>_images`` (9, P) and ``label<n>_activations`` (9,) of labels 4 and 5; ``epsilons`` (E,) and, of the
        manifolds of label 4, ``manifold_images`` (4, E, P) and ``manifold_activations`` (4, E).

    Raises
    ------
    UserError
        If a file lacks one of the labels, has fewer than 9 solutions, or fewer than 4 trials.
    """
    maxima = read_maxima(activation_maximization, units=LABELS)
    if maxima.inputs.shape[1] < SOLUTIONS:
        raise UserError(
            f"{activation_maximization} holds {maxima.inputs.shape[1]} solutions of each unit where the figure shows "
            f"{SOLUTIONS}; set the restarts of activation_maximization to {SOLUTIONS} or more."
        )
    numbers = {}
    for label, images, activations in zip(LABELS, maxima.inputs, maxima.activations, strict=True):
        numbers |= {f"label{label}_images": images[:SOLUTIONS], f"label{label}_activations": activations[:SOLUTIONS]}
    numbers |= _manifolds(invariance)

    frames = numbers["manifold_images"]
    width = TEXT_WIDTH - LABEL - MARGIN
    rows = symmetric_tiles(frames.reshape(-1, frames.shape[2]), frames.shape[1])
    height = width * rows.shape[0] / rows.shape[1]
    sheet = Sheet(TEXT_WIDTH, LINE + BLOCK + 2 * LINE + height + LINE, substitutes(provenance))
    _solutions(sheet, numbers, LINE)
    top = 3 * LINE + BLOCK
    sheet.text(f"Invariance manifolds of label {TRACED}", LABEL + width / 2, top - LINE / 2)
    sheet.side_text("trials", LABEL / 2, top, height)
    sheet.image(rows, LABEL, top, width)
    for frame, epsilon in enumerate(numbers["epsilons"]):
        text = f"{'ε = ' * (frame == 0)}{epsilon:.3g}"
        sheet.text(text, LABEL + width * (frame + 0.5) / frames.shape[1], top + height + LINE / 2, fontsize=6.5)
    return sheet.figure, numbers


def _manifolds(invariance):
    """Return the numbers of the manifolds, at as many distances as there is room for."""
    names = ("units", "epsilons", "activations", "shown_units", "inputs")
    units, epsilons, activations, shown, inputs = read(invariance, names)
    if inputs.shape[1] < TRIALS:
        raise UserError(
            f"{invariance} holds {inputs.shape[1]} trials of each unit where the figure shows {TRIALS}; "
            f"set the trials of invariance to {TRIALS} or more."
        )
    [row], [shown_row] = rows_of(invariance, units, [TRACED]), rows_of(invariance, shown, [TRACED])
    kept = np.linspace(0, len(epsilons) - 1, min(FRAMES, len(epsilons))).round().astype(int)
    return {
        "epsilons": epsilons[kept],
        "manifold_images": inputs[shown_row, :TRIALS][:, kept],
        "manifold_activations": activations[row, :TRIALS][:, kept],
    }


def _solutions(sheet, numbers, top):
    """Draw the solutions of each label as a block, and a frame around the one that the manifolds start from."""
    first = (TEXT_WIDTH + LABEL - MARGIN - len(LABELS) * BLOCK - (len(LABELS) - 1) * BETWEEN) / 2
    sheet.side_text("Activation maximization", LABEL / 2, top, BLOCK)
    for number, label in enumerate(LABELS):
        left = first + number * (BLOCK + BETWEEN)
        sheet.text(f"Output label {label}", left + BLOCK / 2, top - LINE / 2)
        tiles = symmetric_tiles(numbers[f"label{label}_images"], columns=3)
        sheet.image(tiles, left, top, BLOCK)
        if label == TRACED:
            row, column = divmod(int(numbers[f"label{label}_activations"].argmax()), 3)
            side = (len(tiles) + 1) // 3  # of a tile with its gap, in pixels
            frame = Rectangle((column * side - 1, row * side - 1), side, side, fill=False, linewidth=1.5, clip_on=False)
            sheet.figure.axes[-1].add_patch(frame)
