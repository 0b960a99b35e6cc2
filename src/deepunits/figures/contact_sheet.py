"""Contact sheet of infinite MNIST: digits beside their deformations, to be looked at."""

import numpy as np

from deepunits.figures.results import substitutes
from deepunits.figures.sheet import LINE, MARGIN, Sheet, style
from deepunits.figures.tiles import intensity_tiles

DEFORMATIONS = 15  # shown of each digit
TILE = 0.4  # inches


@style()
def draw(stream, provenance=()):
    """Draw the first original of each digit, and right of it the deformed examples that are made of it first.

    Parameters
    ----------
    stream : deepunits.data.infinite_mnist.InfiniteMNIST
    provenance : path or list of path
        ``provenance.json`` of the dataset.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``indices`` (10, 1 + deformations) of the examples, and ``examples`` (..., 784) themselves.
    """
    labels = stream.digit_labels
    first = np.array([np.flatnonzero(labels == digit)[0] for digit in np.unique(labels)])
    indices = first[:, None] + len(labels) * np.arange(1 + DEFORMATIONS)
    examples = stream.examples(indices.ravel()).reshape(*indices.shape, stream.pixels)

    columns = indices.shape[1]
    tiles = intensity_tiles(examples.reshape(-1, stream.pixels), columns)
    width = TILE * columns
    sheet = Sheet(2 * MARGIN + width, LINE + width * tiles.shape[0] / tiles.shape[1] + MARGIN, substitutes(provenance))
    sheet.text("original", MARGIN + TILE / 2, LINE / 2)
    sheet.text("deformed", MARGIN + (TILE + width) / 2, LINE / 2)
    sheet.image(tiles, MARGIN, LINE, width)
    return sheet.figure, {"indices": indices, "examples": examples}
