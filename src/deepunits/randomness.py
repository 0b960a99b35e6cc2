"""Random numbers on either device: a generator for each stage, and what is drawn with it."""

import hashlib
from numbers import Integral

import numpy as np

from deepunits.backend import array_module, sigmoid_layer
from deepunits.errors import UserError
from deepunits.kernels import launch

DRAWN = 8192  # uniform numbers made at a time: the bits that they are made from stay in the cache
COMPARED = 100_000  # Bernoulli states drawn at a time, likewise


def generator(seed: int, *stage: str | int, xp=np) -> np.random.Generator:
    """Return a fresh random generator for one stage of the computation.

    The stream depends on `seed` and on the names and numbers in `stage` alone, so a stage that is computed again, or
    resumed at an epoch, needs no stored generator state.

    Parameters
    ----------
    seed : int
        Seed of the run, 0 or more.
    *stage : str or int
        What the numbers are for, such as ``"mnist", "dbn", "layer1", epoch``.
    xp : module
        ``numpy`` (SFC64, the fastest of its bit generators) or ``cupy``.

    Returns
    -------
    numpy.random.Generator or an object with the methods of cupy.random.Generator

    Raises
    ------
    UserError
        If the seed is no whole number from 0 on, or a part of the stage neither a text nor a whole number.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise UserError(f"seed is {seed!r}; give a whole number, 0 or more.")
    sequence = np.random.SeedSequence(seed, spawn_key=tuple(_stage_number(part) for part in stage))
    if xp is np:
        return np.random.Generator(np.random.SFC64(sequence))
    return _DeviceGenerator(xp, sequence)


def given_generator(rng, xp):
    """Return the generator `rng` for the array module `xp`, a fresh one if it is None; refuse what is none."""
    if rng is None:
        return generator(0, xp=xp)
    of_numpy = isinstance(rng, np.random.Generator) and not isinstance(rng.bit_generator, np.random.MT19937)  # 32 bits
    if not (of_numpy if xp is np else hasattr(rng, "random") and not isinstance(rng, np.random.Generator)):
        remedy = f"give a generator such as deepunits.generator(0, xp={xp.__name__})"
        raise UserError(f"rng is of type {type(rng).__name__}; {remedy}.")
    return rng


class _DeviceGenerator:
    """CuPy's generator and, drawn on the host, where that launches nothing, the keys that our own kernels take."""

    def __init__(self, xp, sequence):
        self._numbers = xp.random.default_rng(int(sequence.generate_state(1, np.uint64)[0]))
        self._keys = np.random.SFC64(sequence)

    def key(self):
        return self._keys.random_raw() >> 1  # a kernel takes 64 bits with a sign

    def __getattr__(self, name):
        return getattr(self._numbers, name)


def _stage_number(part):
    if isinstance(part, Integral):
        return int(part)
    if not isinstance(part, str):
        raise UserError(f"{part!r} is no name of a stage; give a text or a whole number.")
    return int.from_bytes(hashlib.sha256(part.encode()).digest()[:4], "little")


def uniform(rng, out):
    """Fill the float32 array `out`, in C order, with numbers from U[0, 1), multiples of 2^-24, and return it."""
    if not isinstance(out, np.ndarray):
        out[...] = rng.random(out.shape, dtype=np.float32)
        return out
    # Two numbers from each 64-bit draw take two thirds of the time of NumPy's own float32 numbers.
    for part in _parts(out, DRAWN):
        bits = _bits(rng, np.uint32, part.size)
        bits >>= 8
        part[...] = bits.view(np.int32)  # signed integers become floats faster
        part *= 2.0**-24
    return out


def normal(rng, out):
    """Fill the float32 array `out` with standard normal numbers and return it."""
    if isinstance(out, np.ndarray):
        return rng.standard_normal(out=out, dtype=np.float32)
    out[...] = rng.standard_normal(out.shape, dtype=np.float32)
    return out


def bernoulli(rng, probability, scratch, out):
    """Draw `out` = 1 with the given `probability`, else 0, all arrays float32 of one shape, in C order.

    `scratch` is overwritten; `out` may be `probability` itself.

    On the CPU a number from U[0, 1) is drawn lazily: its first 8 bits decide whether it is under the probability, and
    where they equal those of the probability, once in 256 times, another 24 do. That is the comparison of all 32 at
    once, of a probability rounded by at most 2^-24 of itself, in less than half the time.
    """
    xp = array_module(probability)
    if xp is not np:
        out[...] = rng.random(probability.shape, dtype=xp.float32) < probability
        return out
    for p, states in zip(_parts(probability, COMPARED), _parts(out, COMPARED), strict=True):
        scaled = scratch.reshape(-1)[: p.size]
        np.multiply(p, 256 * (1 - 2.0**-24), out=scaled)  # under 256, also for probability 1
        threshold = scaled.astype(np.uint8)
        first_bits = _bits(rng, np.uint8, p.size)
        undecided = np.flatnonzero(first_bits == threshold)
        states[...] = np.less(first_bits, threshold).view(np.int8)  # bytes become floats faster than truths do
        rest = scaled[undecided] - threshold[undecided]
        states[undecided] = rng.random(len(undecided), dtype=np.float32) < rest
    return out


def dropout_mask(rng, share, out):
    """Fill the float32 array `out`, in C order, with 1 / (1 - share) or, with the probability `share`, 0; return it.

    What inputs and hidden units are multiplied by in dropout (Srivastava et al. 2014): its mean is 1. On the CPU the
    numbers that decide are drawn lazily, as by :func:`bernoulli`; of a share that is a multiple of 1/256 their first 8
    bits are all.
    """
    xp, scale = array_module(out), np.float32(1 / (1 - share))
    if xp is not np:
        return xp.multiply(rng.random(out.shape, dtype=xp.float32) >= share, scale, out=out)
    threshold, rest = divmod(256 * share, 1)
    for part in _parts(out, COMPARED):
        first_bits = _bits(rng, np.uint8, part.size)
        np.multiply((first_bits >= int(threshold)).view(np.int8), scale, out=part)
        if rest:
            undecided = np.flatnonzero(first_bits == int(threshold))
            part[undecided] *= rng.random(len(undecided), dtype=np.float32) >= rest
    return out


def sample_layer(rng, x, weights, bias, *, states=None, means=None, scratch=None):
    """Draw states of a layer of binary units, 1 with the probability sigmoid(x @ weights + bias), else 0.

    In single precision on a GPU one kernel does all but the product.

    Parameters
    ----------
    rng : generator
    x, weights, bias : arrays
        As for :func:`sigmoid_layer`.
    states, means : arrays (n, units), float32, C order, optional
        Where the states are written and, if wanted, the probabilities.
    scratch : array (n, units), float32, C order, optional
        Overwritten; spares an allocation on the CPU.

    Returns
    -------
    array (n, units)
        The states.
    """
    xp = array_module(x)
    states = xp.empty((len(x), len(bias)), xp.float32) if states is None else states
    means = states if means is None else means
    if xp is np or any(array.dtype != np.float32 for array in (x, weights, bias)):
        sigmoid_layer(x, weights, bias, out=means)
        return bernoulli(rng, means, xp.empty_like(means) if scratch is None else scratch, out=states)
    xp.matmul(x, weights, out=means)
    launch("add_bias_sigmoid_bernoulli", means.size, means, bias, means, states, rng.key(), means.size, len(bias))
    return states


def _bits(rng, dtype, count):
    """Return `count` random numbers of an unsigned `dtype` of at most 64 bits, uniform over all that it has."""
    words = -(-count * np.dtype(dtype).itemsize // 8)
    return rng.bit_generator.random_raw(words).view(dtype)[:count]


def _parts(array, size):
    """Return one-dimensional views of an array in C order, each of `size` elements but the last."""
    if not array.flags.c_contiguous:
        raise ValueError("random numbers are made in arrays in C order")
    flat = array.reshape(-1)
    return [flat[start : start + size] for start in range(0, flat.size, size)]
