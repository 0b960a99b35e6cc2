"""Infinite MNIST, beside scipy.ndimage.map_coordinates on the same fields and beside the training that it feeds."""

from functools import partial

import numpy as np
from harness import Case, random_array
from pretraining import rbm_training, steps_of
from scipy.ndimage import gaussian_filter, map_coordinates

from deepunits.backend import to_host
from deepunits.data.infinite_mnist import SIDE, InfiniteMNIST

ORIGINALS, WARPED = 10_000, 100  # images; how many of them the peer deforms


def cases(xp, peers):
    """Yield a case for each minibatch that is fed, as its stage and a function that sets it up."""
    for batch in (100, 1000):
        yield "infinite MNIST", partial(stream_case, xp, batch)


def stream_case(xp, batch):
    count = steps_of(batch) * batch
    stream = InfiniteMNIST(
        blobs(ORIGINALS), np.zeros(ORIGINALS), seed=0, displacement=1.5, smoothness=4.0, fields=128, xp=xp
    )
    training = f"CD-1, 784 x 500, batch {batch}"
    return Case(
        "infinite MNIST",
        f"{count} examples",
        lambda: stream.batch(ORIGINALS, count),
        peers={"map_coordinates": lambda: warp(stream, WARPED), training: rbm_training(xp, 500, batch)[2]},
        check=lambda: check(stream),
        scale={"map_coordinates": count / WARPED},
    )


def blobs(count):
    """Return images (count, 784) of bytes, smooth within and without as digits are, with edges between."""
    noise = gaussian_filter(random_array(np, count, SIDE, SIDE) - 0.5, 2.5, axes=(1, 2))
    inside = noise > np.quantile(noise, 0.8, axis=(1, 2), keepdims=True)
    grey = gaussian_filter(inside.astype(np.float32), 0.7, axes=(1, 2))
    return np.rint(255 * grey).astype(np.uint8).reshape(count, -1)


def warp(stream, count):
    """Return the first examples after the originals by interpolation along their fields, before they are shifted."""
    first, second, alpha, _ = map(to_host, stream._draws(np.arange(ORIGINALS, ORIGINALS + count)))
    fields = 255 * to_host(stream.fields).reshape(-1, SIDE, SIDE)
    images = to_host(stream.originals[:count]).reshape(-1, SIDE, SIDE).astype(np.float32)
    grid = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    warped = np.empty_like(images)
    for i in range(count):
        move = alpha[i] * np.stack([-fields[second[i]], fields[first[i]]])
        warped[i] = map_coordinates(images[i], grid + move, order=1)
    return np.clip(warped, 0, 255) / 255


def check(stream):
    """Compare what deformation changes: along tangents it is that of interpolation to first order."""
    count = 200
    shift = stream._draws(np.arange(ORIGINALS, ORIGINALS + count))[3]
    ours = to_host(stream.batch(ORIGINALS, count)).reshape(-1, SIDE, SIDE)
    back = [(1 - s // 3, 1 - s % 3) for s in shift]
    ours = np.stack([np.roll(image, move, (0, 1)) for image, move in zip(ours, back, strict=True)])
    before = to_host(stream.originals[:count]).reshape(-1, SIDE, SIDE) / 255
    inner = np.s_[:, 2:-2, 2:-2]
    changes = [(images - before)[inner].ravel() for images in (ours, warp(stream, count))]
    correlation = np.corrcoef(changes)[0, 1]
    assert correlation > 0.7, f"the deformations agree with correlation {correlation:.2f} only"
