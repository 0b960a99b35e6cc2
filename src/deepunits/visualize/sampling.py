"""Sampling inputs from a Deep Belief Net with one unit clamped to 1 (section 4.1)."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from deepunits.backend import array_module, to_host
from deepunits.checks import check_in_layer, check_kind, check_numbers, unit_numbers
from deepunits.errors import UserError
from deepunits.models.rbm import RBM
from deepunits.randomness import bernoulli, generator, given_generator


def sample_clamped_units(
    rbms: Sequence[RBM],
    units: Sequence[int] | np.ndarray,
    *,
    steps: int = 20000,
    every: int = 100,
    chains: int = 4,
    kept: int = 16,
    rng=None,
    progress=None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw inputs from p_j(x | h_ij = 1) for each of several units i of the top layer j.

    The RBM of layers j-1 and j runs block Gibbs sampling from random states with the one unit clamped to 1; every
    `every` steps, sampling on downwards through the directed layers gives an input. All units and chains are rows of
    one batch.

    Parameters
    ----------
    rbms : sequence of RBM
        Layers 1 to j, bottom first.
    units : array (U,) of int
        Units of layer j.
    steps : int
        Gibbs steps of each chain; the paper takes 20,000.
    every : int
        Steps between two draws; the paper takes 100.
    chains : int
        Independent restarts for each unit.
    kept : int
        S, the draws that are returned, evenly spaced over all; the mean is over every draw.
    rng : generator, optional
        Of the RBMs' device. Without one, every call draws the same.
    progress : object, optional
        Told of the Gibbs steps done, by ``update(n)``.

    Returns
    -------
    samples : array (U, S, P)
        Mean of the pixels given a sampled first hidden layer.
    mean : array (U, P)
        Estimate of E[x | h_ij = 1].

    Raises
    ------
    UserError
        If the layers do not fit on one another, a unit does not exist or fewer draws are made than are to be kept.
    """
    check_kind(rbms, Sequence, "give the layers of a DBN, bottom first")
    for layer in rbms:
        check_kind(layer, RBM, "give the layers of a DBN, bottom first")
    if not rbms or any(len(below.weights) != above.weights.shape[1] for below, above in pairwise(rbms)):
        shapes = ", ".join(str(layer.weights.shape) for layer in rbms) or "()"
        raise UserError(f"layers with weights of the shapes {shapes} are no DBN; give one or more, bottom first.")
    top = rbms[-1]
    hidden_units, visible_units = top.weights.shape
    units = unit_numbers(units)
    check_numbers(steps=(steps, "count"), every=(every, "count"), chains=(chains, "count"), kept=(kept, "count"))
    draws = steps // every
    check_in_layer(len(rbms), units, hidden_units)
    if draws * chains < kept:
        raise UserError(f"{steps} steps with a draw every {every} in {chains} chains do not give {kept} samples.")

    xp = array_module(top.weights)
    rng = given_generator(rng, xp)
    if xp is not np and not hasattr(rng, "key"):  # CuPy's own, which has no keys for our kernels
        rng = generator(int(rng.integers(2**62)), xp=xp)
    rows = len(units) * chains
    clamped = xp.arange(rows), xp.asarray(np.repeat(units, chains))
    hidden = xp.full((rows, hidden_units), 0.5, xp.float32)
    visible = xp.empty((rows, visible_units), xp.float32)
    hidden_scratch, visible_noise = xp.empty_like(hidden), xp.empty_like(visible)
    bernoulli(rng, hidden, hidden_scratch, out=hidden)
    hidden[clamped] = 1.0

    keep = {number: k for k, number in enumerate(kept_draws(draws, chains, kept))}
    pixels = rbms[0].weights.shape[1]
    samples = xp.empty((len(units), kept, pixels), xp.float32)
    total = xp.zeros((len(units), pixels), xp.float64)
    for draw in range(draws):
        for _ in range(every):
            top.sample_visible(rng, hidden, visible_noise, out=visible)
            top.sample_hidden(rng, visible, states=hidden, scratch=hidden_scratch)
            hidden[clamped] = 1.0
        inputs = sample_down(rbms, hidden, rng).reshape(len(units), chains, pixels)
        total += inputs.sum(axis=1)
        for chain in range(chains):
            if (k := keep.get(draw * chains + chain)) is not None:
                samples[:, k] = inputs[:, chain]
        if progress is not None:
            progress.update(every)
    return to_host(samples), to_host(total / (draws * chains)).astype(np.float32)


def kept_draws(draws, chains, kept):
    """Return which of all draws are kept, evenly spaced, (kept,) of int: number d of chain c is d * chains + c."""
    return np.linspace(0, draws * chains - 1, kept).round().astype(int)


def chain_of_samples(*, steps, every, chains, kept):
    """Return which chain each of the samples that are kept is from, (kept,) of int, by the settings of the sampling."""
    return kept_draws(steps // every, chains, kept) % chains


def sample_down(layers, hidden, rng):
    """Sample from the hidden states of the last of `layers` down to the inputs; return the pixels' means.

    Parameters
    ----------
    layers : sequence of RBM
        Bottom first, at least one.
    hidden : array (n, hidden units of the last layer)
        Binary states.

    Returns
    -------
    array (n, P)
    """
    for layer in reversed(layers[1:]):
        xp, shape = array_module(hidden), (len(hidden), layer.weights.shape[1])
        hidden = layer.sample_visible(rng, hidden, xp.empty(shape, xp.float32), out=xp.empty(shape, xp.float32))
    return layers[0].mean_visible(hidden)
