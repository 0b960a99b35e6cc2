"""Infinite MNIST: digits deformed along their translation tangents by smooth random fields.

Loosli, Canu and Bottou, "Training Invariant Support Vector Machines using Selective Sampling", 2007.
"""

import numpy as np

from deepunits.backend import array_module, drop_negligible
from deepunits.errors import UserError
from deepunits.kernels import launch
from deepunits.randomness import generator

SIDE = 28
TANGENT_SMOOTHING = 1.0  # standard deviation, in pixels, of the Gaussian whose derivative gives the tangents
BLOCK = 200  # examples worked on at a time by a CPU, few enough to stay in its cache


class InfiniteMNIST:
    """A stream of digits in which example `i` depends on `i` and the seed alone.

    The first n examples are the n originals. Any later one is ::

        clip(x + alpha * (F1 * t_h - F2 * t_v), 0, 1), shifted by -1, 0 or 1 pixel in each direction

    where x is original number i modulo n, t_h and t_v are its horizontal and vertical translation tangents, and the
    smooth random fields F1 and F2, the sign alpha and the shift are drawn by hashing i.

    Parameters
    ----------
    images : array (n, 784), uint8
    labels : array (n,)
    seed : int
    displacement : float
        Root mean square of the displacement fields, in pixels.
    smoothness : float
        Standard deviation, in pixels, of the Gaussian that smooths them.
    fields : int
        Number of fields made, at most 65536; an example uses two of them.
    xp : module
        ``numpy`` or ``cupy``: where the examples are made.

    Raises
    ------
    UserError
        If the images are not rows of 784 bytes, one for each label.
    """

    pixels = SIDE * SIDE

    def __init__(self, images, labels, *, seed, displacement, smoothness, fields, xp=np):
        if images.dtype != np.uint8 or images.shape[1:] != (self.pixels,) or len(images) != len(labels):
            raise UserError(
                f"deformation needs 28 x 28 images of bytes with a label each; these are {images.shape} "
                f"{images.dtype} with {len(labels)} labels."
            )
        self.key = generator(seed, "infinite mnist").integers(0, 2**64, dtype=np.uint64)
        self.xp = xp
        self.originals = xp.asarray(images)
        self.digit_labels = xp.asarray(labels, dtype=xp.int64)
        # Tangents of bytes times fields over 255 are displacements of pixels in [0, 1].
        self.fields = xp.asarray(displacement_fields(seed, fields, displacement, smoothness) / np.float32(255))
        self.horizontal, self.vertical = translation_tangents(self.originals)

    def batch(self, start, size):
        """Return examples number `start` to ``start + size - 1``, shape (size, 784), float32 in [0, 1]."""
        return self.examples(self.xp.arange(start, start + size))

    def batch_labels(self, start, size):
        """Return the digits that the examples of :meth:`batch` show, shape (size,)."""
        return self.labels(self.xp.arange(start, start + size))

    def labels(self, indices):
        """Return the digits that the examples numbered `indices` (n,) show."""
        return self.digit_labels[self.xp.asarray(indices) % len(self.digit_labels)]

    def examples(self, indices):
        """Return the examples numbered `indices` (n,), shape (n, 784), float32 in [0, 1]."""
        indices = self.xp.asarray(indices)
        out = self.xp.empty((len(indices), self.pixels), self.xp.float32)
        if self.xp is not np:
            digits = self.originals, self.horizontal, self.vertical
            numbers = int(self.key.view(np.int64)), len(self.originals), len(self.fields), SIDE, out.size
            launch("deform_digits", out.size, indices.astype(np.int64), *digits, self.fields, out, *numbers)
            return out
        for start in range(0, len(indices), BLOCK):
            self._fill(indices[start : start + BLOCK], out[start : start + BLOCK])
        return out

    def _fill(self, indices, out):
        """Make the examples numbered `indices` (n,) in `out` (n, 784), on the CPU."""
        first, second, alpha, shift = self._draws(indices)
        rows = indices % len(self.originals)
        deformed = self.fields[first]
        deformed *= self.horizontal[rows]
        vertical = self.fields[second]
        vertical *= self.vertical[rows]
        deformed -= vertical
        deformed *= alpha[:, None]
        np.multiply(self.originals[rows], np.float32(1 / 255), out=out)
        deformed += out
        np.clip(deformed, 0, 1, out=deformed)
        shift_images(deformed.reshape(-1, SIDE, SIDE), shift, out=out.reshape(-1, SIDE, SIDE))

    def _draws(self, indices):
        """Return what is drawn for the examples `indices`: two fields, alpha (0: an original) and the shift, 0 to 8."""
        bits = hash_numbers(indices, self.key)
        first, second, shift = (
            (bits >> np.uint64(bit) & np.uint64(0xFFFF)).astype(np.int64) % count
            for bit, count in ((0, len(self.fields)), (16, len(self.fields)), (33, 9))
        )
        alpha = np.where(bits >> np.uint64(32) & np.uint64(1), np.float32(1), np.float32(-1))
        original = indices < len(self.originals)
        alpha[original], shift[original] = 0, 4
        return first, second, alpha, shift


def hash_numbers(numbers, key):
    """Return 64 well-mixed bits for each of `numbers` (n,) and a key of 64 bits, by SplitMix64 (Steele et al. 2014)."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    z = (np.asarray(numbers).astype(np.uint64) + np.uint64(1)) * golden + key
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def displacement_fields(seed, count, displacement, smoothness):
    """Return smooth random fields of root mean square `displacement`, shape (count, 784), float32."""
    from scipy.ndimage import gaussian_filter  # here, as it takes long to import and other streams need none

    noise = generator(seed, "displacement fields").standard_normal((count, SIDE, SIDE))
    fields = gaussian_filter(noise, smoothness, mode="wrap", axes=(1, 2)).reshape(count, -1)
    fields *= displacement / np.sqrt((fields**2).mean(axis=1, keepdims=True))
    return fields.astype(np.float32)


def translation_tangents(images):
    """Return how slightly smoothed images change as they move by a pixel to the left, and upwards.

    Parameters
    ----------
    images : array (n, 784), uint8

    Returns
    -------
    horizontal, vertical : array (n, 784), int8
        Derivatives along the columns and along the rows of an image, in grey levels a pixel; they stay under 100.
    """
    xp = array_module(images)
    distance = np.subtract.outer(np.arange(SIDE), np.arange(SIDE))
    gaussian = np.exp(-0.5 * (distance / TANGENT_SMOOTHING) ** 2)
    gaussian /= gaussian[SIDE // 2].sum()
    drop_negligible(gaussian)
    smooth = xp.asarray(gaussian, dtype=xp.float32)
    slope = xp.asarray(-distance / TANGENT_SMOOTHING**2 * gaussian, dtype=xp.float32)
    tangents = xp.empty((2, len(images), SIDE, SIDE), xp.int8)
    block = BLOCK if xp is np else len(images)
    for rows in (slice(start, start + block) for start in range(0, len(images), block)):
        square = images[rows].reshape(-1, SIDE, SIDE).astype(xp.float32)
        tangents[0, rows] = xp.rint(smooth @ square @ slope.T)
        tangents[1, rows] = xp.rint(slope @ square @ smooth.T)
    return tangents.reshape(2, len(images), -1)


def shift_images(images, shift, out):
    """Write `images` (n, side, side) to `out`, image r moved by (shift[r] // 3 - 1, shift[r] % 3 - 1) pixels.

    Rows move down and columns right for positive amounts; what comes in at the edges is 0.
    """
    out[...] = 0
    for code in range(9):
        rows = np.flatnonzero(shift == code)
        (to_y, from_y), (to_x, from_x) = _overlap(code // 3 - 1), _overlap(code % 3 - 1)
        out[rows, to_y, to_x] = images[rows, from_y, from_x]


def _overlap(move):
    """Return the slices that an axis moved by `move` goes to and comes from."""
    return slice(max(move, 0), SIDE + min(move, 0)), slice(max(-move, 0), SIDE + min(-move, 0))
