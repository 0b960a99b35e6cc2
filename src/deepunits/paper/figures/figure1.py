"""Figure 1: activation maximization on MNIST, for a DBN and an SDAE."""

from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet, style
from deepunits.paper.figures.panels import COLUMN_TITLES, layer_panels, solution_blocks
from deepunits.paper.figures.results import substitutes

COLUMNS = 6  # of 6 rows: 36 units
LABEL = 0.25  # inches left of the panels
GAP = 0.12
PANEL = (TEXT_WIDTH - LABEL - MARGIN - 2 * GAP) / 3
BLOCK = (TEXT_WIDTH - LABEL - MARGIN - 3 * GAP) / 4


@style()
def draw(dbn, sdae, provenance=()):
    """Draw 36 units of each layer of both models, and below 4 third-layer units of the SDAE from 9 starts.

    The retained filter of a unit is its solution with the highest activation. Every tile has its own scale, with zero
    at mid grey (:func:`deepunits.drawing.tiles.symmetric_grey`). The 4 units are the first of those drawn above.

    Parameters
    ----------
    dbn, sdae : list of path
        ``activation_maximization.npz`` of layers 1, 2 and 3.
    provenance : path or list of path
        ``provenance.json`` of the dataset.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``<model>_layer<k>_units`` (36,), ``…_images`` (36, P), ``…_activations`` (36,); ``solutions_units`` (4,),
        ``solutions_images`` (4, 9, P), ``solutions_activations`` (4, 9).

    Raises
    ------
    UserError
        If a file has fewer units or solutions than are shown.
    """
    numbers = {}
    height = LINE + 2 * (PANEL + GAP) + GAP + BLOCK + LINE + MARGIN
    sheet = Sheet(TEXT_WIDTH, height, substitutes(provenance))
    lefts = [LABEL + k * (PANEL + GAP) for k in range(3)]
    for left, title in zip(lefts, COLUMN_TITLES, strict=True):
        sheet.text(title, left + PANEL / 2, LINE / 2)
    top = LINE
    for name, paths in (("dbn", dbn), ("sdae", sdae)):
        sheet.side_text(name.upper(), LABEL / 2, top, PANEL)
        numbers |= layer_panels(sheet, name, paths, COLUMNS, lefts, top, PANEL)
        top += PANEL + GAP
    top += GAP
    sheet.side_text("SDAE, 3rd layer", LABEL / 2, top, BLOCK)
    places = [(LABEL + k * (BLOCK + GAP), top) for k in range(4)]
    numbers |= solution_blocks(sheet, sdae[2], places, BLOCK)
    for (left, _), unit in zip(places, numbers["solutions_units"], strict=True):
        sheet.text(f"unit {unit}, 9 solutions", left + BLOCK / 2, top + BLOCK + LINE / 2)
    return sheet.figure, numbers
