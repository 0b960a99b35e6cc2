"""Images turned, moved and scaled, and these transformations as matrices."""

import math
from collections.abc import Sequence

import numpy as np

from deepunits.backend import drop_negligible
from deepunits.checks import check_choice, check_finite, float_array, image_shape
from deepunits.errors import UserError

EDGES = ("grid-constant", "nearest")
KINDS = ("rotation", "horizontal_translation", "vertical_translation", "scaling")


def amounts(kind, largest, count):
    """Return `count` amounts of a transformation each way, up to `largest`, and the one that does nothing.

    Parameters
    ----------
    kind : {'rotation', 'horizontal_translation', 'vertical_translation', 'scaling'}
    largest : float
        Degrees, pixels, or a factor of size above 1, whose inverse is the smallest.
    count : int

    Returns
    -------
    array (2 count + 1,), ascending
        Factors of size are even in their logarithms.
    """
    steps = np.arange(-count, count + 1) / count
    return largest**steps if kind == "scaling" else largest * steps


def transformation_matrices(
    kind: str, amounts: Sequence[float] | np.ndarray, shape: Sequence[int], *, edge: str = "grid-constant"
) -> np.ndarray:
    """Return transformations of images as matrices: a flattened image x becomes ``matrix @ x``.

    Interpolation with cubic splines is linear in the image, so a matrix says all about it, and many images are
    transformed in one product on any device.

    Parameters
    ----------
    kind : {'rotation', 'horizontal_translation', 'vertical_translation', 'scaling'}
    amounts : sequence of float
        Degrees counter-clockwise; pixels to the right or down; factors of size.
    shape : (int, int) or (int, int, int)
        Rows and columns of an image, and its colours if there are any, which go together.
    edge : {'grid-constant', 'nearest'}
        What is beyond the frame: 0, as around digits, or the nearest pixel again, as in patches of larger images.

    Returns
    -------
    array (amounts, P, P), float32

    Raises
    ------
    UserError
        If the kind is unknown, a factor of size is not above 0, or another argument cannot be meant.
    """
    shape, amounts = image_shape(shape), float_array("the amounts", np.asarray(amounts), "amounts")
    check_finite("the amounts", amounts)
    check_choice("edge", edge, EDGES)
    size, colours = shape[:2], np.eye(math.prod(shape[2:]))
    matrices = np.empty((len(amounts), math.prod(shape), math.prod(shape)), np.float32)
    for matrix, amount in zip(matrices, amounts, strict=True):
        moved = drop_negligible(_moved_impulses(size, *_source(kind, amount), edge))
        matrix.T[:] = np.kron(moved, colours) if len(colours) > 1 else moved
    return matrices


def _moved_impulses(size, back, shift, edge):
    """Return images, flattened, of a single pixel each, (pixels, pixels), after a transformation."""
    if not back[0, 1] and not back[1, 0]:  # a spline is a product along the axes, so what keeps them apart is, too
        return np.kron(*(_affine(np.eye(n), back[i : i + 1, i : i + 1], shift[i], edge) for i, n in enumerate(size)))
    pixels = math.prod(size)
    return _affine(np.eye(pixels).reshape(pixels, *size), back, shift, edge).reshape(pixels, pixels)


def transform(images, kind, amount, *, edge="grid-constant"):
    """Return images (n, rows, columns) turned, moved or scaled by an amount, as :func:`transformation_matrices` does.

    Raises
    ------
    UserError
        If the kind is unknown or a factor of size is not above 0.
    """
    return _affine(images, *_source(kind, amount), edge)


def _affine(images, back, shift, edge):
    """Return images (n, ...) of one or two axes whose pixel at p from the centre is from ``back @ (p - shift)``."""
    from scipy import ndimage  # here, because other functions need it not and it takes long to import

    centre = (np.array(images.shape[1:]) - 1) / 2
    offset = centre - back @ (centre + shift)
    return np.array([ndimage.affine_transform(image, back, offset, order=3, mode=edge) for image in images])


def _source(kind, amount):
    """Return where the pixel at p from the centre comes from, ``back @ (p - shift)``, as back (2, 2) and shift (2,)."""
    if kind not in KINDS:
        raise UserError(f"{kind!r} is no kind of transformation; choose among {', '.join(KINDS)}.")
    if kind == "scaling" and amount <= 0:
        raise UserError(f"scaling by {amount:g} was asked for; set the factors above 0.")
    if kind == "rotation":
        c, s = np.cos(np.radians(amount)), np.sin(np.radians(amount))
        return np.array([[c, s], [-s, c]]), np.zeros(2)  # rows count downwards, so this turns counter-clockwise
    if kind == "scaling":
        return np.eye(2) / amount, np.zeros(2)
    return np.eye(2), np.array([0.0, amount] if kind == "horizontal_translation" else [amount, 0.0])


def checked_matrices(matrices, pixels):
    """Return the `matrices` (G, P, P) of transformations as an array; refuse others, and if there are none."""
    matrices = float_array("the matrices", matrices, "amounts", pixels, pixels)
    check_finite("the numbers of the matrices", matrices)
    if not len(matrices):
        raise UserError("there are no matrices; give one for each amount of a transformation.")
    return matrices
