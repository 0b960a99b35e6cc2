"""What the supplementary figures of section 5 share: curves of many units, and pictures met on the way from optima."""

import numpy as np

from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet
from deepunits.drawing.tiles import symmetric_tiles
from deepunits.paper.figures.results import DATASET_NAMES, first_rows, substitutes

UNITS, FRAMES = 3, 13  # whose pictures are drawn, and how many of each, at most
LABEL = 1.05  # inches left of the pictures
WIDTH = TEXT_WIDTH - LABEL - MARGIN
GAP = 0.1  # inches between two units
TOP = 1.5 * LINE  # of the curves


def title(place):
    """Return what a figure is about, such as ``MNIST, SDAE, layer 2``, from dataset, model and, if any, layer."""
    dataset, model, *layer = place
    return ", ".join([DATASET_NAMES[dataset], model.upper(), *(f"layer {number}" for number in layer)])


def spread(axes, x, curves, colour, label=None, **line):
    """Draw the mean over units of `curves` (U, E) against `x` (E,), and shade where 80 % of the units lie."""
    axes.fill_between(x, *np.percentile(curves, [10, 90], axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.plot(x, np.mean(curves, axis=0), color=colour, label=label, **line)
    axes.spines[["top", "right"]].set_visible(False)


def draw_walks(path, place, provenance, *, units, epsilons, inputs, rows, panels, height):
    """Draw curves of the units of a layer, and below the pictures that the first of them show on their ways.

    Lines are means over units, and 80 % of the units lie in the shade.

    Parameters
    ----------
    path : path
        The file that all this is from.
    place : sequence
        Dataset, model and number of the layer, for the title.
    provenance : path or list of path
        ``provenance.json`` of the dataset.
    units : array (U,)
    epsilons : array (E,)
    inputs : array (U, R, E, P)
        What each unit shows on R ways, at each distance.
    rows : sequence of (str, str)
        The name of each way, and its colour.
    panels : callable
        Draws the curves onto the sheet, from `TOP` down over `height`.
    height : float
        Inches.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``units``, ``epsilons``, ``shown_units`` (3,) and ``images`` (3, R, F, P) at the distances
        ``shown_epsilons`` (F,).

    Raises
    ------
    UserError
        If there are fewer than 3 units.
    """
    shown, kept = first_rows(path, units, UNITS), frames(epsilons)
    images = np.ascontiguousarray(inputs[shown][:, :, kept])
    top = TOP + height + 3 * LINE
    sheet = Sheet(TEXT_WIDTH, top + pictures_height(images), substitutes(provenance))
    sheet.text(title(place), TEXT_WIDTH / 2, LINE / 2)
    panels(sheet)
    draw_pictures(sheet, top, units[shown], images, rows, epsilons[kept])
    numbers = {"units": units, "epsilons": epsilons, "shown_units": units[shown], "shown_epsilons": epsilons[kept]}
    return sheet.figure, numbers | {"images": images}


def frames(epsilons):
    """Return the positions in `epsilons` (E,) of the distances at which pictures are drawn, evenly spread."""
    return np.linspace(0, len(epsilons) - 1, min(FRAMES, len(epsilons))).round().astype(int)


def pictures_height(images):
    """Return the height in inches that :func:`draw_pictures` takes for `images` (V, R, F, P)."""
    return len(images) * (_height(_tiles(images[0])) + GAP) + LINE


def draw_pictures(sheet, top, units, images, rows, epsilons):
    """Draw the pictures met on the way from the optima of some units, a block of rows each.

    Parameters
    ----------
    sheet : Sheet
    top : float
        Inches.
    units : array (V,)
    images : array (V, R, F, P)
    rows : sequence of (str, str)
        The name of each of the R rows of a unit, and its colour.
    epsilons : array (F,)
        The distances, written below.
    """
    for unit, ways in zip(units, images, strict=True):
        tiles = _tiles(ways)
        height = _height(tiles)
        sheet.side_text(f"unit {unit}", LINE / 2, top, height)
        for row, (text, colour) in enumerate(rows):
            middle = top + height * (row + 0.5) / len(rows)
            sheet.text(text, LABEL - MARGIN, middle, ha="right", fontsize=7, color=colour)
        sheet.image(tiles, LABEL, top, WIDTH)
        top += height + GAP
    for column, epsilon in enumerate(epsilons):
        text = f"{'ε = ' * (column == 0)}{epsilon:.2g}"
        sheet.text(text, LABEL + WIDTH * (column + 0.5) / len(epsilons), top, fontsize=6.5)


def _tiles(ways):
    return symmetric_tiles(ways.reshape(-1, ways.shape[2]), ways.shape[1])


def _height(tiles):
    return WIDTH * tiles.shape[0] / tiles.shape[1]
