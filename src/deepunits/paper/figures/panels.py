"""Panels that Figures 1 and 2 share."""

from deepunits.drawing.tiles import symmetric_tiles
from deepunits.errors import UserError
from deepunits.paper.figures.results import read_maxima

COLUMN_TITLES = ("1st layer", "2nd layer", "3rd layer")
SOLUTIONS = 9  # random starts of a unit, 3 × 3


def layer_panels(sheet, name, paths, columns, lefts, top, width):
    """Draw the best solutions of `columns`² units of every layer, a square panel each; return the numbers shown.

    Parameters
    ----------
    sheet : Sheet
    name : str
        Begins the names of the numbers.
    paths : list of path
        ``activation_maximization.npz`` of each layer.
    columns : int
        Tiles of a row, and rows.
    lefts : list of float
        Where each panel begins, inches.
    top, width : float
        Inches.
    """
    numbers = {}
    for layer, (path, left) in enumerate(zip(paths, lefts, strict=True), start=1):
        maxima = read_maxima(path, count=columns**2)
        sheet.image(symmetric_tiles(maxima.best, columns), left, top, width)
        numbers[f"{name}_layer{layer}_units"] = maxima.units
        numbers[f"{name}_layer{layer}_images"] = maxima.best
        numbers[f"{name}_layer{layer}_activations"] = maxima.activations.max(axis=1)
    return numbers


def solution_blocks(sheet, path, places, width):
    """Draw the first units of a file, the solutions from 9 starts as a block of 3 × 3 each; return the numbers shown.

    Parameters
    ----------
    sheet : Sheet
    path : path
        ``activation_maximization.npz`` of the third layer.
    places : list of (left, top)
        Of each block, inches.
    width : float
        Of a block, inches.

    Raises
    ------
    UserError
        If the file has fewer units than places, or fewer than 9 solutions of a unit.
    """
    maxima = read_maxima(path, count=len(places))
    if maxima.inputs.shape[1] < SOLUTIONS:
        raise UserError(
            f"{path} holds {maxima.inputs.shape[1]} solutions of each unit where the figure shows {SOLUTIONS}; "
            f"set the restarts of activation_maximization to {SOLUTIONS} or more."
        )
    solutions = maxima.inputs[:, :SOLUTIONS]
    for block, (left, top) in zip(solutions, places, strict=True):
        sheet.image(symmetric_tiles(block, columns=3), left, top, width)
    return {
        "solutions_units": maxima.units,
        "solutions_images": solutions,
        "solutions_activations": maxima.activations[:, :SOLUTIONS],
    }
