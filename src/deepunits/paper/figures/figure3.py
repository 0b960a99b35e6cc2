"""Figure 3: samples from a DBN while one unit of its second layer is clamped to 1."""

import numpy as np

from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet, style
from deepunits.drawing.tiles import intensity_tiles, symmetric_tiles
from deepunits.paper.figures.figure4 import DATASETS
from deepunits.paper.figures.results import first_rows, path_list, read, substitutes

UNITS = 6
SAMPLES = 16  # of a unit, where the file holds as many: evenly spaced among those stored
LABEL = 0.65  # inches left of the samples
GAP = 0.12

# Samples of digits are probabilities of pixels, those of patches are standardised pixels.
_TILES = {"mnist": intensity_tiles, "natural_images": symmetric_tiles}


@style()
def draw(sampling, provenance=()):
    """Draw 6 units, a row of samples each, for MNIST and below, where given, for natural image patches.

    The units are those in the first column of Figure 4's sampling panel, where the means of these rows stand. Samples
    of digits share one scale, from black = 0 to white = 1, as examples of MNIST would be drawn; each sample of a patch
    has its own, with zero at mid grey.

    Parameters
    ----------
    sampling : path or list of path
        ``sampling.npz`` of the DBN's second layer, on MNIST and then on natural images.
    provenance : path or list of path
        ``provenance.json`` of the datasets.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``<dataset>_units`` (6,) and ``<dataset>_samples`` (6, S, P).

    Raises
    ------
    UserError
        If a file has fewer units than Figure 4 shows.
    """
    numbers = {}
    panels = []
    for (name, title, columns), path in zip(DATASETS, path_list(sampling), strict=False):
        units, samples = _first_column(path, columns)
        numbers |= {f"{name}_units": units, f"{name}_samples": samples}
        tiles = _TILES[name](samples.reshape(-1, samples.shape[-1]), samples.shape[1])
        panels.append((title, units, tiles))

    width = TEXT_WIDTH - LABEL - MARGIN
    heights = [width * tiles.shape[0] / tiles.shape[1] for _, _, tiles in panels]
    sheet = Sheet(TEXT_WIDTH, 2 * MARGIN + sum(heights) + GAP * (len(panels) - 1), substitutes(provenance))
    top = MARGIN
    for (title, units, tiles), height in zip(panels, heights, strict=True):
        sheet.side_text(title, LINE / 2, top, height)
        for row, unit in enumerate(units):
            sheet.text(f"unit {unit}", LABEL - MARGIN, top + height * (row + 0.5) / UNITS, ha="right", fontsize=6.5)
        sheet.image(tiles, LABEL, top, width)
        top += height + GAP
    return sheet.figure, numbers


def _first_column(path, columns):
    units, samples = read(path, ("units", "samples"))
    rows = first_rows(path, units, columns**2).reshape(columns, columns)[:UNITS, 0]
    shown = np.linspace(0, samples.shape[1] - 1, min(SAMPLES, samples.shape[1])).round().astype(int)
    return units[rows], samples[rows][:, shown]
