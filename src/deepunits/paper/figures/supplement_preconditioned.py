"""Supplementary to Figure 6: activation maximization with the gradient preconditioned by the covariance."""

from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet, style
from deepunits.drawing.tiles import symmetric_tiles
from deepunits.errors import UserError
from deepunits.paper.figures.results import read, read_maxima, substitutes

STARTS = 4  # a row each
LABEL = 0.7  # inches left of the tiles
WIDTH = TEXT_WIDTH - LABEL - MARGIN
GAP = 0.12


@style()
def draw(maxima, preconditioned, provenance=()):
    """Draw solutions for all output units, a column each: along the gradient g above, along C g below.

    The lower half is an extension of the paper. Its ascent ends where C g is parallel to x, at no maximum of the
    activation; the highest activation that the starts reached stands below each column.

    Parameters
    ----------
    maxima, preconditioned : path
        ``activation_maximization.npz`` and ``preconditioned_maximization.npz`` of the output units.
    provenance : path or list of path
        ``provenance.json`` of the dataset.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``units`` (U,), ``maxima_images`` (U, 4, P), ``maxima_activations`` (U, 4), and so for ``preconditioned``.

    Raises
    ------
    UserError
        If a file has fewer than 4 starts, or they differ in their units.
    """
    [units] = read(maxima, ("units",))
    found = {"maxima": read_maxima(maxima, units=units), "preconditioned": read_maxima(preconditioned, units=units)}
    for path, solutions in zip((maxima, preconditioned), found.values(), strict=True):
        if solutions.inputs.shape[1] < STARTS:
            raise UserError(
                f"{path} holds {solutions.inputs.shape[1]} solutions of each unit where the figure shows {STARTS}; "
                f"set its restarts to {STARTS} or more."
            )
    numbers = {"units": units}
    titles = {"maxima": "along $g$ (§4.2)", "preconditioned": "along $C\\,g$ (an extension)"}
    panels = {}
    for name, solutions in found.items():
        images = solutions.inputs[:, :STARTS]
        numbers |= {f"{name}_images": images, f"{name}_activations": solutions.activations[:, :STARTS]}
        panels[name] = symmetric_tiles(images.swapaxes(0, 1).reshape(-1, images.shape[2]), len(units))

    heights = {name: WIDTH * tiles.shape[0] / tiles.shape[1] for name, tiles in panels.items()}
    sheet = Sheet(TEXT_WIDTH, LINE + sum(heights.values()) + 2 * LINE + GAP, substitutes(provenance))
    centres = [LABEL + WIDTH * (column + 0.5) / len(units) for column in range(len(units))]
    for unit, centre in zip(units, centres, strict=True):
        sheet.text(f"label {unit}", centre, LINE / 2, fontsize=7)
    top = LINE
    for name, tiles in panels.items():
        sheet.side_text(titles[name], LABEL / 3, top, heights[name])
        sheet.image(tiles, LABEL, top, WIDTH)
        top += heights[name]
        sheet.text("highest $h$", LABEL - MARGIN, top + LINE / 2, ha="right", fontsize=6.5)
        for centre, activations in zip(centres, found[name].activations, strict=True):
            sheet.text(f"{activations.max():.2f}", centre, top + LINE / 2, fontsize=6.5)
        top += LINE + GAP
    return sheet.figure, numbers
