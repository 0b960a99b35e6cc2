"""Many small images as one: grey values and montages of tiles."""

import numpy as np

from deepunits.errors import UserError

GREY, WHITE = 0.5, 1.0  # on the scale of the functions below, where 0 is black


def squares(pixels):
    """Return rows of `pixels` (..., P) as square images (..., side, side).

    Raises
    ------
    UserError
        If P is no square number.
    """
    side = round(pixels.shape[-1] ** 0.5)
    if side * side != pixels.shape[-1]:
        raise UserError(f"images of {pixels.shape[-1]} pixels are not square; only square images can be drawn.")
    return pixels.reshape(*pixels.shape[:-1], side, side)


def as_images(pixels, shape=None):
    """Return rows of `pixels` (..., P) as images (..., *shape); square ones where no shape is given."""
    return squares(pixels) if shape is None else pixels.reshape(*pixels.shape[:-1], *shape)


def symmetric_grey(images, axes=(-2, -1)):
    """Return grey values with zero at mid grey: "black is negative, white is positive and gray is zero" (Figure 4).

    Each image is divided by its own largest magnitude, so that one of its pixels is quite black or quite white and
    signs are kept. Tiles can be compared by their patterns, not by their contrast.

    Parameters
    ----------
    images : array (..., height, width)
    axes : tuple of int
        Of an image, if it has channels behind its height and width.

    Returns
    -------
    array (..., height, width), float64
        In [0, 1]; an image of zeros is mid grey throughout.
    """
    peak = np.abs(images).max(axis=axes, keepdims=True).astype(float)
    return GREY + GREY * images / np.where(peak > 0, peak, 1)


def intensity_grey(images):
    """Return grey values of `images` that are intensities in [0, 1]: 0 is black and 1 is white in every tile."""
    return np.clip(images.astype(float), 0, 1)


def montage(images, columns, gap=1):
    """Return one image with `images` side by side, row after row, on white paper.

    Parameters
    ----------
    images : array (n, height, width) or (n, height, width, channels)
        Grey values in [0, 1].
    columns : int
    gap : int
        Pixels of paper between neighbours.

    Returns
    -------
    array (rows * (height + gap) - gap, columns * (width + gap) - gap)
    """
    count, height, width, *channels = images.shape
    rows = -(-count // columns)
    cells = np.full((rows * columns, height + gap, width + gap, *channels), WHITE)
    cells[:count, :height, :width] = images
    cells = cells.reshape(rows, columns, height + gap, width + gap, *channels).swapaxes(1, 2)
    sheet = cells.reshape(rows * (height + gap), columns * (width + gap), *channels)
    return sheet[: len(sheet) - gap, : sheet.shape[1] - gap]


def symmetric_tiles(pixels, columns, shape=None):
    """Return the montage of `pixels` (n, P), images of a `shape`, each on its own :func:`symmetric_grey` scale."""
    images = as_images(pixels, shape)
    return montage(symmetric_grey(images, tuple(range(1, images.ndim))), columns)


def intensity_tiles(pixels, columns, shape=None):
    """Return the montage of `pixels` (n, P) in [0, 1], images of a `shape`, on one :func:`intensity_grey` scale."""
    return montage(intensity_grey(as_images(pixels, shape)), columns)
