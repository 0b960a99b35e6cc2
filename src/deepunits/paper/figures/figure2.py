"""Figure 2: activation maximization on natural image patches and on Caltech Silhouettes."""

from deepunits.drawing.sheet import LINE, MARGIN, Sheet, style
from deepunits.paper.figures.panels import COLUMN_TITLES, layer_panels, solution_blocks
from deepunits.paper.figures.results import substitutes

COLUMNS = 12  # of 12 rows: 144 units
LABEL = 0.4  # inches left of the panels, two lines of text
GAP = 0.12
PANEL = 1.85
BLOCK = (2 * PANEL + GAP - 3 * GAP) / 4  # four of them are as high as two panels
WIDTH = LABEL + 3 * (PANEL + GAP) + BLOCK + LINE + MARGIN


@style()
def draw(dbn, sdae, silhouettes, provenance=()):
    """Draw 144 units of each layer of three models, and beside 4 third-layer units of one from 9 starts.

    The retained filter of a unit is its solution with the highest activation. Every tile has its own scale, with zero
    at mid grey (:func:`deepunits.drawing.tiles.symmetric_grey`). The 4 units are the first of those drawn beside them.

    Parameters
    ----------
    dbn, sdae : list of path
        ``activation_maximization.npz`` of layers 1, 2 and 3, on natural images.
    silhouettes : list of path
        The same of the SDAE on Silhouettes.
    provenance : path or list of path
        ``provenance.json`` of both datasets.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``<row>_layer<k>_units`` (144,), ``…_images`` (144, P), ``…_activations`` (144,) with the row ``dbn``, ``sdae``
        or ``silhouettes``; ``solutions_units`` (4,), ``solutions_images`` (4, 9, P), ``solutions_activations`` (4, 9).

    Raises
    ------
    UserError
        If a file has fewer units or solutions than are shown.
    """
    numbers = {}
    sheet = Sheet(WIDTH, LINE + 3 * PANEL + 3 * GAP + MARGIN, substitutes(provenance))
    lefts = [LABEL + k * (PANEL + GAP) for k in range(3)]
    for left, title in zip(lefts, COLUMN_TITLES, strict=True):
        sheet.text(title, left + PANEL / 2, LINE / 2)
    tops = [LINE, LINE + PANEL + GAP, LINE + 2 * PANEL + 3 * GAP]
    rows = (("dbn", "DBN", dbn), ("sdae", "SDAE", sdae), ("silhouettes", "SDAE", silhouettes))
    for (name, model, paths), top in zip(rows, tops, strict=True):
        sheet.side_text(model, 0.75 * LABEL, top, PANEL)
        numbers |= layer_panels(sheet, name, paths, COLUMNS, lefts, top, PANEL)
    sheet.side_text("Natural image patches", 0.25 * LABEL, tops[0], 2 * PANEL + GAP)
    sheet.side_text("Caltech Silhouettes", 0.25 * LABEL, tops[2], PANEL)

    left = LABEL + 3 * (PANEL + GAP)
    numbers |= solution_blocks(sheet, sdae[2], [(left, LINE + k * (BLOCK + GAP)) for k in range(4)], BLOCK)
    units = ", ".join(str(unit) for unit in numbers["solutions_units"])
    sheet.side_text(f"SDAE, 3rd layer: units {units}, 9 solutions each", left + BLOCK + LINE / 2, LINE, 2 * PANEL + GAP)
    return sheet.figure, numbers
