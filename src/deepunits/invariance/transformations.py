"""Invariance to rotation, translation and scaling: Goodfellow et al. (2009), and the manifolds section 6 proposes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepunits.backend import array_module, drop_negligible, to_host
from deepunits.checks import check_choice, check_finite, check_numbers, float_array, image_shape, units_of
from deepunits.errors import UserError
from deepunits.models.network import Network, activations_of
from deepunits.models.view import View

EDGES = ("grid-constant", "nearest")
KINDS = ("rotation", "horizontal_translation", "vertical_translation", "scaling")


@dataclass
class FiringInvariance:
    """The measure of Goodfellow et al. (2009), for each of U units.

    Attributes
    ----------
    units : array (U,) of int
    scores : array (U,)
        Local over global firing rate: how many times likelier a unit fires at a transformed version of an input that
        excites it than at any input.
    local_rates, global_rates : array (U,)
    signs : array (U,) of int
        1 for units that fire at high activations, -1 for those that fire at low ones.
    """

    units: np.ndarray
    scores: np.ndarray
    local_rates: np.ndarray
    global_rates: np.ndarray
    signs: np.ndarray

    def top(self, share):
        """Return the mean score of the top-scoring `share` of the units: one number for a layer."""
        return float(mean_of_top(self.scores, share))


def mean_of_top(scores, share, axis=-1):
    """Return the mean of the highest `share` of the scores along an axis, of one of them at least."""
    scores = np.moveaxis(np.asarray(scores), axis, -1)
    count = max(round(share * scores.shape[-1]), 1)
    return np.sort(scores, axis=-1)[..., -count:].mean(axis=-1)


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


def firing_invariance(
    network: Network | View,
    layer: int,
    units: Sequence[int] | np.ndarray,
    examples: np.ndarray,
    matrices: np.ndarray,
    *,
    global_rate: float = 0.01,
    strongest: int = 20,
    signs: Sequence[int] = (1, -1),
) -> FiringInvariance:
    """Measure how far units keep firing as the inputs that excite them most are transformed (Goodfellow et al., 2009).

    A unit fires where its activation reaches the threshold that a share `global_rate` of the examples reach (more of
    them, if several are tied there). Its local rate is the share of firing among all transformed versions of the
    `strongest` examples.

    Parameters
    ----------
    network : Network or View
    layer : int
    units : array (U,) of int
    examples : array (n, P), float32
        Examples that the network was not trained on, on the network's device.
    matrices : array (G, P, P)
        The transformations.
    global_rate : float
    strongest : int
        At most `global_rate` times n, so that each of them fires.
    signs : sequence of int
        1 lets units fire at high activations, -1 at low ones; of the two, each unit takes the one of higher score, as
        in the measure's source. Manifolds, which follow high activations, compare with (1,) alone.

    Returns
    -------
    FiringInvariance
        With NumPy arrays.

    Raises
    ------
    UserError
        If the layer or a unit does not exist, there are too few examples, or another argument cannot be meant.
    """
    units, xp = units_of(network, layer, units), array_module(network.weights[0])
    examples = float_array("the examples", examples, "n", network.pixels, xp=xp)
    matrices = _checked(matrices, network.pixels)
    check_finite("the examples", examples)
    check_numbers(global_rate=(global_rate, "share"), strongest=(strongest, "count"))
    if not np.iterable(signs) or not len(signs) or not set(signs) <= {1, -1}:
        raise UserError(f"signs are {signs!r}; give 1, for high activations, -1, for low ones, or both.")
    firing = int(global_rate * len(examples) + 1e-6)  # 0.29 times 100 is rounded to less than 29
    if not 1 <= strongest <= firing:
        raise UserError(
            f"at a rate of {global_rate:g} units fire at {firing} of {len(examples)} examples, and the {strongest} "
            "strongest were asked for; take more examples, a larger global_rate or fewer of the strongest."
        )
    activations = activations_of(network, layer, units, examples)
    signed = np.stack([sign * activations for sign in signs])
    ranked = np.argsort(-signed, axis=1, kind="stable")
    threshold = np.take_along_axis(signed, ranked[:, firing - 1 : firing], axis=1)  # (signs, 1, U)
    excited, rows = np.unique(ranked[:, :strongest], return_inverse=True)
    rows = rows.reshape(len(signs), strongest, len(units))

    chosen = examples[xp.asarray(excited)]
    local = np.zeros((len(signs), len(units)))
    for matrix in matrices:
        transformed = activations_of(network, layer, units, chosen @ xp.asarray(matrix).T)
        for i, sign in enumerate(signs):
            met = np.take_along_axis(sign * transformed, rows[i], axis=0)
            local[i] += (met >= threshold[i]).mean(axis=0) / len(matrices)
    overall = (signed >= threshold).mean(axis=1)
    scores = local / overall
    best, columns = scores.argmax(axis=0), np.arange(len(units))
    return FiringInvariance(
        units=units,
        scores=scores[best, columns],
        local_rates=local[best, columns],
        global_rates=overall[best, columns],
        signs=np.array(signs)[best],
    )


def _checked(matrices, pixels):
    """Return the `matrices` (G, P, P) of transformations as an array; refuse others, and if there are none."""
    matrices = float_array("the matrices", matrices, "amounts", pixels, pixels)
    check_finite("the numbers of the matrices", matrices)
    if not len(matrices):
        raise UserError("there are no matrices; give one for each amount of a transformation.")
    return matrices


def transformed_optima(
    network: Network | View,
    layer: int,
    units: Sequence[int] | np.ndarray,
    optimum: np.ndarray,
    matrices: np.ndarray,
    *,
    norm: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Follow the activation of units as their optima are transformed: manifolds of one known invariance (section 6).

    Parameters
    ----------
    network : Network or View
    layer : int
    units : array (U,) of int
    optimum : array (U, P)
        x_opt of each unit, on the network's device.
    matrices : array (G, P, P)
        The transformations, in the order of their amount, the one that does nothing among them.
    norm : float
        ρ: transformed optima are scaled back to the sphere.

    Returns
    -------
    distances : array (U, G)
        From the optimum, in units of `norm`: the ε of each transformed optimum.
    activations : array (U, G)
        NumPy arrays, both.

    Raises
    ------
    UserError
        If the layer or a unit does not exist, the arrays do not fit, a transformation leaves nothing of an optimum in
        the frame, or none leaves it as it is.
    """
    units, xp = units_of(network, layer, units), array_module(network.weights[0])
    optimum = float_array("the optima", optimum, len(units), network.pixels, xp=xp)
    matrices = _checked(matrices, network.pixels)
    check_finite("the optima", optimum)
    check_numbers(norm=(norm, "positive"))
    rows = xp.asarray(units)
    distances, activations = np.empty((2, len(units), len(matrices)))
    for g, matrix in enumerate(matrices):
        x = optimum @ xp.asarray(matrix).T
        lengths = xp.linalg.norm(x, axis=1, keepdims=True)
        if not bool((lengths > 1e-6 * norm).all()):
            raise UserError("a transformation leaves nothing of an optimum in the frame; lower its largest amounts.")
        x *= norm / lengths
        distances[:, g] = to_host(xp.linalg.norm(x - optimum, axis=1)) / norm
        activations[:, g] = to_host(network.unit_activation(x, layer, rows))
    if (distances.min(axis=1) > 1e-4).any():
        raise UserError("no transformation leaves the optimum as it is; add the amount 0, or 1 for scaling.")
    return distances, activations


def highest_at(distances, activations, epsilons):
    """Return curves against ε of the highest activation that any amount of a transformation gives at that distance.

    The transformed optima are taken as corners of a path along which distance and activation change linearly.

    Parameters
    ----------
    distances, activations : array (U, G)
        As :func:`transformed_optima` returns them, in the order of the amounts.
    epsilons : array (E,)

    Returns
    -------
    array (U, E)
        NaN where no amount of the transformation takes the optimum that far.
    """
    from_d, to_d = distances[:, :-1, None], distances[:, 1:, None]
    from_h, to_h = activations[:, :-1, None], activations[:, 1:, None]
    slack = 1e-5  # the distance of the optimum from itself is rounding, not 0
    met = (np.minimum(from_d, to_d) - slack <= epsilons) & (epsilons <= np.maximum(from_d, to_d) + slack)
    step = np.where(to_d == from_d, 1.0, to_d - from_d)
    share = np.clip((epsilons - from_d) / step, 0.0, 1.0)
    heights = np.where(met, from_h + share * (to_h - from_h), -np.inf).max(axis=1)
    return np.where(met.any(axis=1), heights, np.nan)


def curves(measured, epsilons):
    """Return the curves of transformed optima against ε: the highest activation of any amount at each distance.

    Between two amounts the activation is taken to change in proportion to ε², as it does at any optimum for small ε
    and for a linear unit throughout; so few amounts will do.

    Parameters
    ----------
    measured : dict of arrays
        ``distances``, ``activations`` (K, U, G) of U optima under G amounts of K transformations.
    epsilons : array (E,)

    Returns
    -------
    array (K, U, E)
        NaN where a transformation does not take an optimum that far.
    """
    moved = zip(measured["distances"], measured["activations"], strict=True)
    return np.stack([highest_at(distances**2, heights, epsilons**2) for distances, heights in moved])


def normalized_curves(measured, epsilons):
    """Return the :func:`curves` on the scale of :func:`deepunits.invariance.measures.normalized`.

    Parameters
    ----------
    measured : dict of arrays
        As in :func:`curves`, with ``highest`` and ``opposite`` (U,): activations at the optimum and opposite it.
    epsilons : array (E,)

    Returns
    -------
    array (K, U, E)
        For any unit that is linear in its input 1 - ε²/4, whatever the transformation.
    """
    highest, opposite = measured["highest"][:, None], measured["opposite"][:, None]
    return (curves(measured, epsilons) - opposite) / (highest - opposite)
