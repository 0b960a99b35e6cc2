"""Measures of pictures that the claims hold against each other: likeness, smoothness, frequency, extent, corners."""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn import config_context
from sklearn.metrics import pairwise_distances_argmin_min

from deepunits.paper.statistics import cosine

QUARTER = 0.25  # cycles a pixel above which power is texture: digits have 0.11 of theirs there, noise 0.4


def matched_cosine(a, b):
    """Return how alike two pictures of the same unit are beyond what all units share: cosines, shape (U,).

    The mean over units is taken off both `a` and `b` (U, P) first, since all means of digits are alike.
    """
    return cosine(a - a.mean(axis=0), b - b.mean(axis=0))


def highest_cosine(images, others):
    """Return the highest cosine, without its sign, of each of `images` (n, P) with one of `others` (m, P), (n,)."""
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (images, others))
    return np.abs(a @ b.T).max(axis=1)


def correlation(a, b):
    """Return the correlation between the rows of `a` and `b` (n, P), (n,)."""
    return cosine(a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True))


def distance_to_data(inputs, examples):
    """Return the distance from each of `inputs` (n, P) to the nearest of `examples` (m, P), shape (n,)."""
    with config_context(working_memory=100):  # MB, of the block of distances at hand; otherwise a gigabyte
        return pairwise_distances_argmin_min(inputs, examples)[1]


def likeness_to_classes(inputs, examples, labels):
    """Return the highest correlation of each of `inputs` with the mean example of a class.

    Parameters
    ----------
    inputs : array (n, P)
    examples : array (m, P)
    labels : array (m,) of int

    Returns
    -------
    array (n,)
    """
    means = np.array([examples[labels == label].mean(axis=0) for label in np.unique(labels)])
    return (1 - cdist(inputs, means, "correlation")).max(axis=1)


def smoothness(images, shape):
    """Return the correlation between adjacent pixels (Moran's I) in each of some images, (n,): about 0 in noise.

    Parameters
    ----------
    images : array (n, P)
    shape : (int, int)
        Rows and columns of an image.
    """
    pixels = (images - images.mean(axis=1, keepdims=True)).reshape(-1, *shape)
    across = (pixels[:, :, 1:] * pixels[:, :, :-1]).mean(axis=(1, 2))
    down = (pixels[:, 1:] * pixels[:, :-1]).mean(axis=(1, 2))
    return (across + down) / (2 * (pixels**2).mean(axis=(1, 2)))


def square_smoothness(images):
    """Return the :func:`smoothness` of square images (n, P), shape (n,)."""
    return smoothness(images, square(images).shape[1:])


def square(images):
    """Return square images (n, P) as (n, rows, columns)."""
    side = round(images.shape[1] ** 0.5)
    return images.reshape(-1, side, side)


def mean_frequency(images):
    """Return the mean spatial frequency of square images (n, P), by power, in cycles a pixel: (n,)."""
    power, frequency = spectrum(images)
    return (power * frequency).sum(axis=(1, 2)) / power.sum(axis=(1, 2))


def texture(images):
    """Return the share of the power of square images (n, P) above a quarter of a cycle a pixel, (n,)."""
    power, frequency = spectrum(images)
    return power[:, frequency > QUARTER].sum(axis=1) / power.sum(axis=(1, 2))


def spectrum(images):
    """Return the power of square images (n, P), their means taken off, (n, rows, columns), and its frequencies."""
    found = square(images)
    frequencies = np.fft.fftfreq(found.shape[1])
    power = np.abs(np.fft.fft2(found - found.mean(axis=(1, 2), keepdims=True))) ** 2
    return power, np.hypot(*np.meshgrid(frequencies, frequencies))


def extent(images):
    """Return how many pixels hold the power of images (n, P), (n,): P if it is spread evenly, 1 if one holds all."""
    power = images.astype(np.float64) ** 2
    return power.sum(axis=1) ** 2 / (power**2).sum(axis=1)


def cornerness(images):
    """Return how far the edges of square images (n, P) run in two directions, (n,): 0 for one, 1 for both alike.

    The lesser over the greater eigenvalue of the structure tensor, the gradients' mean outer product (Harris and
    Stephens, 1988), of the whole image.
    """
    down, across = np.gradient(square(images).astype(np.float64), axis=(1, 2))
    tensors = np.array([[down * down, down * across], [down * across, across * across]]).mean(axis=(-1, -2))
    lesser, greater = np.linalg.eigvalsh(np.moveaxis(tensors, -1, 0)).T
    return np.maximum(lesser, 0) / greater
