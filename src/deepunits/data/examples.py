"""The examples of a prepared dataset: their arrays and, beside them, where they came from."""

import math

import numpy as np

from deepunits.errors import UserError
from deepunits.storage import load_json, load_npz, save_npz, write_json

SPLITS = ("train", "valid", "test")


def save_examples(examples, provenance, *, splits, record):
    """Write a dataset and its record.

    Parameters
    ----------
    examples, provenance : path
        The ``.npz`` and ``.json`` files to write.
    splits : dict
        For each of `SPLITS` a pair of arrays, images (n, P) and labels (n,) or None.
    record : dict
        Where the data came from (see :meth:`deepunits.data.releases.Fetched.record`); the counts are added.
    """
    arrays = {}
    for split, (images, labels) in splits.items():
        arrays[f"{split}_images"] = images
        if labels is not None:
            arrays[f"{split}_labels"] = labels
    save_npz(examples, **arrays)
    write_json(provenance, {**record, "counts": {split: len(images) for split, (images, _) in splits.items()}})


def load_examples(path, split):
    """Return the images of one split of a prepared dataset.

    Parameters
    ----------
    path : path
        A file ``results/datasets/<dataset>/examples.npz``.
    split : {'train', 'valid', 'test'}

    Returns
    -------
    array (n, P), float32
        In [0, 1] if they are stored as bytes, else as they are stored.

    Raises
    ------
    UserError
        If the file cannot be read or has no such split.
    """
    return as_float32(_load(path, f"{split}_images"))


def as_float32(images):
    """Return `images` (n, P) as float32: bytes divided by 255, other numbers as they are."""
    if images.dtype == np.uint8:
        return images * np.float32(1 / 255)
    return images.astype(np.float32, copy=False)


def load_labels(path, split):
    """Return the labels of one split of a prepared dataset, shape (n,), int64.

    Raises
    ------
    UserError
        If the file cannot be read, has no such split, or has no labels.
    """
    return _load(path, f"{split}_labels").astype(np.int64)


def load_provenance(path):
    """Return the record that :func:`save_examples` wrote to the ``.json`` file `path`.

    Raises
    ------
    UserError
        If it cannot be read, or is no such record.
    """
    record = load_json(path)
    shape = record.get("shape") or []
    for key, kind, found in (
        ("source", "a text", isinstance(record.get("source"), str)),
        ("substitute", "true or false", isinstance(record.get("substitute"), bool)),
        ("shape", "whole numbers", isinstance(shape, list) and all(type(n) is int and n > 0 for n in shape)),
    ):
        if not found:
            raise UserError(f"{path} needs {kind} as {key}; run the rule that prepares the dataset.")
    return record


def image_shape(path, images):
    """Return the shape of one of the `images` (n, P), by the record in the ``.json`` file `path` or else square.

    Raises
    ------
    UserError
        If the file cannot be read, says another number of pixels, or says none and P is no square number.
    """
    shape = load_provenance(path).get("shape")
    side = math.isqrt(images.shape[1])
    if not shape and side * side != images.shape[1]:
        raise UserError(
            f"{path} has no shape, and images of {images.shape[1]} pixels are not square; prepare it again."
        )
    if shape and math.prod(shape) != images.shape[1]:
        raise UserError(
            f"{path} has the shape {shape}, but the images have {images.shape[1]} pixels: they are of different runs; "
            "prepare the dataset again."
        )
    return tuple(shape or (side, side))


def substitute(provenance):
    """Return what stands in for a dataset, by its record; empty if nothing does."""
    return provenance["source"] if provenance["substitute"] else ""


def stands_in_for(path):
    """Return what stands in for a dataset, by its record in the ``.json`` file `path`; empty if nothing does."""
    return substitute(load_provenance(path))


def _load(path, name):
    arrays = load_npz(path)
    if name not in arrays:
        raise UserError(f"{path} has no {name}; it has {', '.join(arrays)}.")
    return arrays[name]
