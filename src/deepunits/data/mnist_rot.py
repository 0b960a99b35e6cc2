"""mnist-rot: digits turned by any angle (Larochelle, Erhan, Courville, Bergstra and Bengio 2007)."""

import io
import zipfile
import zlib

import numpy as np
from scipy.ndimage import rotate

from deepunits.backend import generator
from deepunits.data.sources import File, Release, Unavailable
from deepunits.errors import UserError

SIDE = 28
ARCHIVE = "mnist_rotation_new.zip"
TRAIN_VALID, TEST = (f"mnist_all_rotation_normalized_float_{part}.amat" for part in ("train_valid", "test"))
RELEASE = Release(
    "mnist_rot",
    (File(ARCHIVE, "md5:0f9a947ff3d30e95cd685462cbf3b847"),),
    mirrors=("https://www.iro.umontreal.ca/~lisa/icml2007data/{name}",),
)
COUNTS = {"train": 10_000, "valid": 2_000, "test": 50_000}


def prepare(sources, *, seed, mnist_splits, mnist_record):
    """Return mnist-rot, from the official files or else made from MNIST in the same way.

    Parameters
    ----------
    sources : deepunits.data.sources.Sources
    seed : int
        The angles are drawn from it.
    mnist_splits, mnist_record : dict
        MNIST, as :func:`deepunits.data.mnist.prepare` returns it.

    Returns
    -------
    splits : dict
        ``train`` (10,000), ``valid`` (2,000) and ``test`` (50,000): images (n, 784) and labels (n,), uint8.
    record : dict
        Where they came from.

    Raises
    ------
    UserError
        If the user's file is damaged or another one.
    """
    try:
        fetched = sources.fetch(RELEASE)
    except Unavailable as reason:
        return rotated_mnist(seed, mnist_splits, mnist_record, reason)
    record = fetched.record("mnist_rot", source="mnist-rot of Larochelle et al.", version="new", licence="none stated")
    return read_archive(fetched.contents[ARCHIVE]), record


def read_archive(content, counts=COUNTS):
    """Return the splits in the bytes of the official archive: text, a row of 784 intensities and a label a line."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            tables = [_read_table(archive, name) for name in (TRAIN_VALID, TEST)]
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError) as reason:
        raise UserError(f"{ARCHIVE} cannot be used ({reason}); replace it or take it away.") from reason
    for name, table, count in zip(
        (TRAIN_VALID, TEST), tables, (counts["train"] + counts["valid"], counts["test"]), strict=True
    ):
        if table.shape != (count, SIDE**2 + 1):
            raise UserError(f"{ARCHIVE} holds a {name} of shape {table.shape}; replace it or take it away.")
    splits = dict(zip(COUNTS, (*np.split(tables[0], [counts["train"]]), tables[1]), strict=True))
    return {split: (to_bytes(table[:, :-1]), table[:, -1].astype(np.uint8)) for split, table in splits.items()}


def _read_table(archive, name):
    with archive.open(name) as file:
        return np.loadtxt(io.TextIOWrapper(file, "ascii"), dtype=np.float32, ndmin=2)


def rotated_mnist(seed, mnist_splits, mnist_record, reason):
    """Return digits of MNIST turned by angles from U[0, 360) degrees, and their record.

    Training and validation digits are the first of MNIST's; all others are for testing, as the official test set too
    mixes MNIST's training and test digits.
    """
    (images, labels), valid, test = (mnist_splits[split] for split in COUNTS)
    end = COUNTS["train"]
    parts = {
        "train": (images[:end], labels[:end]),
        "valid": tuple(part[: COUNTS["valid"]] for part in valid),
        "test": tuple(np.concatenate(pair) for pair in zip((images[end:], labels[end:]), test, strict=True)),
    }
    splits = {}
    for split, (upright, digits) in parts.items():
        angles = generator(seed, "mnist_rot", split).uniform(0, 360, len(upright))
        splits[split] = (turned(upright, angles), digits)
    turned_from = mnist_record["source"]
    record = {
        **mnist_record,
        "dataset": "mnist_rot",
        "source": f"{turned_from}, turned by the recipe of Larochelle et al.",
        "version": f"angles of seed {seed}",
        "reason": str(mnist_record["reason"] or reason),
    }
    return splits, record


def turned(images, angles):
    """Return images turned anticlockwise by angles, with bilinear interpolation.

    Parameters
    ----------
    images : array (n, 784), uint8
    angles : array (n,)
        Degrees.

    Returns
    -------
    array (n, 784), uint8
    """
    out = np.empty((len(images), SIDE, SIDE), np.float32)
    for image, angle, result in zip(images.reshape(out.shape).astype(np.float32), angles, out, strict=True):
        rotate(image, angle, output=result, reshape=False, order=1)
    return np.rint(out).astype(np.uint8).reshape(len(images), -1)


def to_bytes(intensities):
    """Return intensities in [0, 1] as bytes; a UserError if there are others."""
    if not (intensities.min() >= 0 and intensities.max() <= 1):  # also for NaN
        raise UserError(f"{ARCHIVE} holds intensities outside [0, 1]; replace it or take it away.")
    return np.rint(255 * intensities).astype(np.uint8)
