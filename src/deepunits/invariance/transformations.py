"""Invariance to given transformations: the score of Goodfellow et al. (2009), and the manifolds of section 6.

The units' manifolds (section 5) need no list of transformations; what is here does, to be set against them.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from deepunits.backend import array_module, to_host
from deepunits.errors import UserError

KINDS = ("rotation", "vertical_translation", "horizontal_translation", "scaling")
BLOCK = 1000  # images that go through the network together


def transformation_matrix(kind, amount, shape):
    """Return the matrix that rotates, translates or scales an image by bilinear interpolation.

    Parameters
    ----------
    kind : {'rotation', 'vertical_translation', 'horizontal_translation', 'scaling'}
    amount : float
        Degrees counter-clockwise; pixels downwards or to the right; factor by which the image grows.
    shape : tuple (height, width)
        Of an image, which is turned and scaled about its centre.

    Returns
    -------
    scipy.sparse.csr_array (P, P)
        For images of P = height × width components as columns. Pixels that come from beyond the image are 0.

    Raises
    ------
    UserError
        If `kind` is none of these, or a factor is not above 0.
    """
    if kind not in KINDS:
        raise UserError(f"transformation is {kind!r}; take one of {', '.join(KINDS)}.")
    if kind == "scaling" and not amount > 0:
        raise UserError(f"a factor of scaling is {amount}; set it above 0.")
    height, width = shape
    centre = np.array([[height - 1], [width - 1]]) / 2
    source = np.indices(shape).reshape(2, -1) - centre  # of each target pixel: row and column
    if kind == "rotation":
        cosine, sine = np.cos(np.deg2rad(amount)), np.sin(np.deg2rad(amount))
        source = np.array([[cosine, sine], [-sine, cosine]]) @ source
    elif kind == "scaling":
        source = source / amount
    else:
        source = source - amount * np.array([[kind == "vertical_translation"], [kind == "horizontal_translation"]])
    source = np.round(source + centre, 9)  # whole steps stay whole: no pixel is lost to rounding at the border

    low = np.floor(source).astype(int)
    share = source - low
    matrix = sparse.csr_array((height * width, height * width))
    for down, right in np.ndindex(2, 2):
        row, column = low + np.array([[down], [right]])
        weight = np.abs(1 - down - share[0]) * np.abs(1 - right - share[1])
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width) & (weight > 0)
        target = np.flatnonzero(inside)
        entries = (weight[inside], (target, row[inside] * width + column[inside]))
        matrix += sparse.csr_array(entries, shape=matrix.shape)
    return matrix


def transform(images, kind, amounts, shape, *, background=0.0):
    """Return every image transformed by every amount.

    Parameters
    ----------
    images : array (n, P), NumPy
    kind, shape
        As in :func:`transformation_matrix`.
    amounts : sequence of float (A,)
    background : float
        Value of the pixels that come from beyond the image.

    Returns
    -------
    array (n, A, P), NumPy, of the dtype of `images`
    """
    return _apply(_matrices(kind, amounts, shape, images.dtype), images, background)


def _matrices(kind, amounts, shape, dtype):
    """Return the matrices of all amounts, one above the other: (A P, P)."""
    return sparse.vstack([transformation_matrix(kind, amount, shape) for amount in amounts], "csr").astype(dtype)


def _apply(matrices, images, background):
    """Return `images` (n, P) transformed by the `matrices` (A P, P): (n, A, P)."""
    background = images.dtype.type(background)
    moved = matrices @ (images - background).T
    return np.ascontiguousarray(moved.T).reshape(len(images), -1, images.shape[1]) + background


@dataclass
class TransformationCurves:
    """Activations of U units along the path that A amounts of a transformation make of each optimum.

    Attributes
    ----------
    units : array (U,) of int
    amounts : array (A,)
    distances : array (U, A)
        ε: distance of the transformed optimum from the optimum, in units of the norm that both have.
    activations : array (U, A)
        Before the sigmoid.
    """

    units: np.ndarray
    amounts: np.ndarray
    distances: np.ndarray
    activations: np.ndarray


def trace_transformation(network, layer, units, optimum, kind, amounts, shape, *, background=0.0):
    """Follow each unit's optimum through a transformation, on the sphere: the manifold that section 6 proposes.

    A transformed optimum is scaled back to the norm of the optimum, so that its distance is the manifolds' ε.

    Parameters
    ----------
    network : Network
        Its device computes; the images are transformed on the CPU.
    layer : int
        Counted from 1.
    units : array (U,) of int
    optimum : array (U, P), NumPy
        x_opt of each unit.
    kind : str
        One of `KINDS`.
    amounts : sequence of float (A,)
        Ascending, with the one that changes nothing among them.
    shape : tuple (height, width)
    background : float
        Value of the pixels that come from beyond the image.

    Returns
    -------
    TransformationCurves
        With NumPy arrays.

    Raises
    ------
    UserError
        If the layer, a unit or the transformation does not exist, or nothing is left of a transformed optimum.
    """
    units = np.asarray(units)
    norms = np.linalg.norm(optimum, axis=1)[:, None]
    images = transform(optimum, kind, amounts, shape, background=background)
    lengths = np.linalg.norm(images, axis=2)
    lost = np.flatnonzero((lengths <= 1e-3 * norms).any(axis=0))
    if len(lost):
        raise UserError(f"a {kind} by {amounts[lost[0]]} leaves nothing of an image; take smaller amounts.")
    images *= (norms / lengths)[:, :, None]
    distances = np.linalg.norm(images - optimum[:, None], axis=2) / norms
    distances[distances < 1e-6] = 0  # where the transformation changes nothing, all there is is rounding
    activations = _unit_activation(network, layer, np.repeat(units, len(amounts)), images)
    return TransformationCurves(units, np.asarray(amounts, np.float32), distances, activations.reshape(distances.shape))


def at_distances(curves, epsilons):
    """Return the highest activation on each path at given distances from the optimum.

    Between two amounts of the transformation the activation is taken to be linear in the distance.

    Parameters
    ----------
    curves : TransformationCurves
    epsilons : array (E,)

    Returns
    -------
    array (U, E)
        NaN where the path does not go as far.
    """
    near, far = curves.distances[:, :-1, None], curves.distances[:, 1:, None]
    start, end = curves.activations[:, :-1, None], curves.activations[:, 1:, None]
    step = np.where(far == near, 1e-30, far - near)  # so short that only its own distance lies on it
    share = (np.asarray(epsilons) - near) / step
    crossing = np.where((share >= 0) & (share <= 1), start + share * (end - start), -np.inf)
    highest = crossing.max(axis=1)
    return np.where(np.isfinite(highest), highest, np.nan)


@dataclass
class FiringScores:
    """Invariance scores of U units for one transformation (Goodfellow et al., 2009).

    Attributes
    ----------
    units : array (U,) of int
    thresholds : array (U,)
        Activations from which on a unit fires.
    global_rates : array (U,)
        G: share of the examples at which it fires.
    local_rates : array (U,)
        L: share of the transformed references at which it fires.
    """

    units: np.ndarray
    thresholds: np.ndarray
    global_rates: np.ndarray
    local_rates: np.ndarray

    @property
    def scores(self):
        """S = L / G of each unit, shape (U,): 1 for a unit that fires for nothing in particular, at most 1 / G."""
        return self.local_rates / self.global_rates


def firing_scores(network, layer, units, examples, references, kind, amounts, shape, *, rate=0.01, background=0.0):
    """Score the invariance of units to a transformation as Goodfellow et al. (2009) do.

    A unit fires where its activation reaches a threshold, set so that it fires for a share `rate` of the examples
    (for more if its activations repeat). Theirs may also fire below a threshold, whichever scores higher; here all
    fire above, since activation maximization looks for optima there.

    Parameters
    ----------
    network : Network
    layer : int
        Counted from 1.
    units : array (U,) of int
    examples : array (n, P), NumPy
        Of the data: what units fire for in general.
    references : array (U, Z, P), NumPy
        Inputs near each unit's maximum: its x_opt, or its :func:`strongest_examples`.
    kind, amounts, shape, background
        As in :func:`trace_transformation`.
    rate : float
        Between 0 and 1.

    Returns
    -------
    FiringScores
        With NumPy arrays.

    Raises
    ------
    UserError
        If the layer, a unit or the transformation does not exist, or `rate` is less than one example or above 1.
    """
    units = np.asarray(units)
    firing = round(rate * len(examples))
    if not 1 <= firing <= len(examples):
        raise UserError(f"rate {rate} of {len(examples)} examples is none, or more than all; set it from 1/n to 1.")
    activations = unit_activations(network, layer, units, examples)
    thresholds = np.partition(activations, -firing, axis=0)[-firing]
    matrices = _matrices(kind, amounts, shape, references.dtype)
    local = np.empty(len(units))
    for u, unit in enumerate(units):  # the transformed references of all units together would not fit the memory
        images = _apply(matrices, references[u], background)
        rows = images.shape[0] * images.shape[1]
        local[u] = (_unit_activation(network, layer, np.full(rows, unit), images) >= thresholds[u]).mean()
    return FiringScores(units, thresholds, (activations >= thresholds).mean(axis=0), local)


def unit_activations(network, layer, units, examples):
    """Return the activations of `units` (U,) of `layer` at the `examples` (n, P): a NumPy array (n, U)."""
    xp = array_module(network.weights[0])
    network.check_units(layer, units)
    units = xp.asarray(units)
    parts = [network.activations(xp.asarray(examples[part]), layer)[:, units] for part in _blocks(len(examples))]
    return np.concatenate([to_host(part) for part in parts])


def strongest_examples(activations, count):
    """Return the indices of the `count` examples that excite each unit most, shape (U, count), best first.

    Parameters
    ----------
    activations : array (n, U)
        As from :func:`unit_activations`.
    count : int
    """
    return np.argsort(-activations, axis=0, kind="stable")[:count].T


def top_mean(scores, share=0.2, axis=-1):
    """Return the mean of the highest `share` of the scores, at least of one: the score of a layer (Goodfellow et al.).

    Averaged over the units of a layer, those that are invariant to nothing would hide those that are.
    """
    ordered = np.sort(scores, axis=axis)
    kept = max(1, round(share * scores.shape[axis]))
    return np.take(ordered, range(-kept, 0), axis=axis).mean(axis=axis)


def _unit_activation(network, layer, units, images):
    """Return the activation of unit ``units[r]`` at image r of all `images` (..., P): a NumPy array (n,)."""
    xp = array_module(network.weights[0])
    rows = images.reshape(-1, images.shape[-1])
    return np.concatenate(
        [
            to_host(network.unit_activation(xp.asarray(rows[part]), layer, xp.asarray(units[part])))
            for part in _blocks(len(rows))
        ]
    )


def _blocks(n):
    return [slice(start, start + BLOCK) for start in range(0, n, BLOCK)]
