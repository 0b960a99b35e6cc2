"""How invariantly units fire as the examples that excite them are transformed (Goodfellow et al. 2009)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepunits.backend import array_module
from deepunits.checks import check_finite, check_numbers, float_array, units_of
from deepunits.errors import UserError
from deepunits.invariance.transformations import checked_matrices
from deepunits.models.network import Network, activations_of
from deepunits.models.view import View


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
        Examples that the network was not trained on.
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
    matrices = checked_matrices(matrices, network.pixels)
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
