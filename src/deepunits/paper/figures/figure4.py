"""Figure 4: sampling, linear combination and activation maximization, compared on the same units."""

from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet, style
from deepunits.drawing.tiles import symmetric_tiles
from deepunits.errors import UserError
from deepunits.paper.figures.results import first_rows, path_list, read, read_maxima, rows_of, substitutes

# Name in the result files, title, and tiles of a row: 36 units of MNIST, 144 of natural images.
DATASETS = (("mnist", "MNIST", 6), ("natural_images", "Natural image patches", 12))
METHODS = (
    ("sampling", "Sampling"),
    ("linear_combination", "Linear combination"),
    ("activation_maximization", "Activation maximization"),
)
LABEL = 0.25  # inches left of the panels
GAP = 0.12
PANEL = (TEXT_WIDTH - LABEL - MARGIN - 2 * GAP) / 3


@style()
def draw(sampling, linear_combination, activation_maximization, provenance=()):
    """Draw the units of a DBN's second layer by three methods, for MNIST and below, where given, for natural images.

    "Black is negative, white is positive and gray is zero": every tile has its own scale, with zero at mid grey
    (:func:`deepunits.drawing.tiles.symmetric_grey`). Sampling shows the mean of the samples on the same scale. The
    means of digits, whose pixels lie in [0, 1], hence go from mid grey up to white and are never darker than their
    background; nothing is subtracted from them.

    Parameters
    ----------
    sampling, linear_combination, activation_maximization : path or list of path
        Their result files for the DBN's second layer, on MNIST and then on natural images.
    provenance : path or list of path
        ``provenance.json`` of the datasets.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``<dataset>_units`` (U,) and ``<dataset>_<method>`` (U, P), with 36 units of MNIST and 144 of natural images.

    Raises
    ------
    UserError
        If a file has fewer units than are shown, or other units than the file of samples.
    """
    numbers = {}
    files = [path_list(paths) for paths in (sampling, linear_combination, activation_maximization)]
    if len({len(paths) for paths in files}) > 1:
        raise UserError("Figure 4 wants the same datasets for all three methods; give each as many files.")
    rows = list(zip(DATASETS, zip(*files, strict=True), strict=False))

    sheet = Sheet(TEXT_WIDTH, LINE + len(rows) * (PANEL + GAP) - GAP + MARGIN, substitutes(provenance))
    lefts = [LABEL + k * (PANEL + GAP) for k in range(3)]
    for left, (_, title) in zip(lefts, METHODS, strict=True):
        sheet.text(title, left + PANEL / 2, LINE / 2)
    for row, ((name, title, columns), paths) in enumerate(rows):
        top = LINE + row * (PANEL + GAP)
        sheet.side_text(title, LABEL / 2, top, PANEL)
        units, images = _same_units(*paths, count=columns**2)
        numbers[f"{name}_units"] = units
        for left, (method, _), pixels in zip(lefts, METHODS, images, strict=True):
            sheet.image(symmetric_tiles(pixels, columns), left, top, PANEL)
            numbers[f"{name}_{method}"] = pixels
    return sheet.figure, numbers


def _same_units(sampling, linear_combination, activation_maximization, count):
    """Return the first `count` units of the samples, and their images (count, P) by each of the three methods."""
    units, means = read(sampling, ("units", "mean"))
    shown = first_rows(sampling, units, count)
    units = units[shown]
    stored, filters = read(linear_combination, ("units", "filters"))
    maxima = read_maxima(activation_maximization, units=units)
    return units, (means[shown], filters[rows_of(linear_combination, stored, units)], maxima.best)
