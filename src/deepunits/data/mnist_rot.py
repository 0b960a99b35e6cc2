"""mnist-rot (Larochelle et al. 2007): digits rotated by any angle, from the published archive or made by its recipe."""

import io
from functools import partial

import numpy as np
from scipy.ndimage import rotate

from deepunits.archives import Damaged, opened_zip
from deepunits.data import mnist
from deepunits.data.releases import File, Release, Unavailable, substitute_record
from deepunits.errors import UserError
from deepunits.randomness import generator

ARCHIVE = "mnist_rotation_new.zip"
TRAIN_FILE = "mnist_all_rotation_normalized_float_train_valid.amat"
TEST_FILE = "mnist_all_rotation_normalized_float_test.amat"
RELEASE = Release(
    "mnist_rot",
    (File(ARCHIVE, "sha1:e67f72fa42029f62fd8eb92b0638c1b9761c9a63"),),
    mirrors=("https://www.iro.umontreal.ca/~lisa/icml2007data/{name}",),
)
COUNTS = {"train": 10_000, "valid": 2_000, "test": 50_000}
PIXELS = mnist.SIDE**2
LONGEST = 40 * (PIXELS + 1)  # bytes of a line


def prepare(sources, seed):
    """Return mnist-rot, or what its recipe makes of MNIST.

    Parameters
    ----------
    sources : deepunits.data.sources.Sources
    seed : int
        Which digits are taken, and their angles, where the recipe is followed.

    Returns
    -------
    splits : dict
        ``train`` (10,000), ``valid`` (2,000) and ``test`` (50,000): images (n, 784) and labels (n,), uint8.
    record : dict
        Where they came from.

    Raises
    ------
    UserError
        If no source has the archive and substitutes are forbidden, or if a file of the user's is not the archive.
    """
    try:
        fetched = sources.fetch(RELEASE)
    except Unavailable as reason:
        sources.allow_substitute(reason, "MNIST rotated by the same recipe")
        return rotated_digits(*mnist.prepare(sources), seed, reason)
    record = fetched.record(
        "mnist_rot", source="mnist-rot of Larochelle et al. 2007", version="corrected release", licence="not stated"
    )
    return read_archive(fetched.contents[ARCHIVE]), record


def read_archive(content):
    """Return the splits in the bytes of the published archive.

    Raises
    ------
    UserError
        If it is no zip archive, or does not hold the two files, each line 784 intensities from 0 to 1 and a label.
    """
    try:
        with opened_zip(io.BytesIO(content)) as archive:
            train, test = (read_amat(archive.open(name), name) for name in (TRAIN_FILE, TEST_FILE))
    except Damaged as reason:
        raise UserError(f"{ARCHIVE} is cut short or damaged ({reason}); replace it.") from reason
    images, labels = train
    n = COUNTS["train"]
    return {"train": (images[:n], labels[:n]), "valid": (images[n:], labels[n:]), "test": test}


def read_amat(lines, name):
    """Return images (n, 784) and labels (n,), uint8, from `lines`, a text file called `name` that is open as bytes."""
    images, labels = [], []
    for number, line in enumerate(iter(partial(lines.readline, LONGEST), b""), 1):
        try:
            row = np.array(line.split(), dtype=np.float32)
        except ValueError as reason:
            raise UserError(f"line {number} of {name} holds something that is no number; replace it.") from reason
        if row.shape != (PIXELS + 1,):
            raise UserError(f"line {number} of {name} has {row.size} numbers in place of {PIXELS + 1}; replace it.")
        intensities, label = row[:-1], row[-1]
        if not (intensities.min() >= 0 and intensities.max() <= 1 and label in range(10)):  # also if one is NaN
            raise UserError(f"line {number} of {name} is no image in [0, 1] with a label from 0 to 9; replace it.")
        images.append(np.rint(255 * intensities).astype(np.uint8))
        labels.append(np.uint8(label))
    return np.array(images).reshape(-1, PIXELS), np.array(labels, dtype=np.uint8)


def rotated_digits(digits, digits_record, seed, reason):
    """Make a dataset like mnist-rot from MNIST: other digits at other angles, the same distribution.

    All digits are shuffled together and each is rotated about the centre by an angle that is uniform on the circle.

    Parameters
    ----------
    digits : dict
        Images and labels of MNIST by split; of a smaller set, the splits are smaller in proportion.
    digits_record : dict
        Where they came from.
    seed : int
    reason : str or Exception
        Why this takes the place of the published dataset.

    Returns
    -------
    splits, record
        As :func:`prepare`.
    """
    images, labels = (np.concatenate(arrays) for arrays in zip(*digits.values(), strict=True))
    rng = generator(seed, "mnist_rot")
    order = rng.permutation(len(images))
    angles = rng.uniform(-180, 180, len(images))
    total = sum(COUNTS.values())
    counts = COUNTS if len(images) >= total else {k: n * len(images) // total for k, n in COUNTS.items()}
    splits, start = {}, 0
    for split, count in counts.items():
        rows = order[start : start + count]
        splits[split] = rotated(images[rows], angles[rows]), labels[rows]
        start += count
    source = f"{digits_record['source']}, rotated by the recipe of Larochelle et al. 2007"
    kept = {key: digits_record[key] for key in ("obtained", "version", "licence", "files")}
    return splits, substitute_record("mnist_rot", source=source, reason=reason, **kept)


def rotated(images, degrees):
    """Return images (n, 784), uint8, each turned counterclockwise about its centre by its angle in degrees (n,)."""
    turned = np.empty_like(images)
    for k, (image, angle) in enumerate(zip(images.reshape(-1, mnist.SIDE, mnist.SIDE), degrees, strict=True)):
        result = rotate(image.astype(np.float32), angle, reshape=False, order=3)
        turned[k] = np.rint(result.clip(0, 255)).astype(np.uint8).ravel()
    return turned
