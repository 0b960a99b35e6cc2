"""Contact sheet of infinite MNIST: digits beside their deformations, to be looked at."""

import numpy as np

from deepunits.data.training import training_stream
from deepunits.drawing.sheet import LINE, MARGIN, Sheet, style
from deepunits.drawing.tiles import intensity_tiles
from deepunits.paper.figures.results import substitutes

DEFORMATIONS = 15  # shown of each digit
TILE = 0.4  # inches


@style()
def draw(examples, deformation, seed, provenance=()):
    """Draw the first original of each digit, and right of it the deformed examples that are made of it first.

    Parameters
    ----------
    examples : path
        ``examples.npz`` of the dataset.
    deformation : dict
        How training deforms them.
    seed : int
    provenance : path or list of path
        ``provenance.json`` of the dataset.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``indices`` (10, 1 + deformations) of the examples, and ``examples`` (..., 784) themselves.
    """
    stream = training_stream(examples, ("train", "valid"), seed=seed, deformation=deformation)
    labels = stream.digit_labels
    first = np.array([np.flatnonzero(labels == digit)[0] for digit in np.unique(labels)])
    indices = first[:, None] + len(labels) * np.arange(1 + DEFORMATIONS)
    shown = stream.examples(indices.ravel())

    columns = indices.shape[1]
    tiles = intensity_tiles(shown, columns)
    width = TILE * columns
    sheet = Sheet(2 * MARGIN + width, LINE + width * tiles.shape[0] / tiles.shape[1] + MARGIN, substitutes(provenance))
    sheet.text("original", MARGIN + TILE / 2, LINE / 2)
    sheet.text("deformed", MARGIN + (TILE + width) / 2, LINE / 2)
    sheet.image(tiles, MARGIN, LINE, width)
    return sheet.figure, {"indices": indices, "examples": shown.reshape(*indices.shape, stream.pixels)}
