"""The examples of a prepared dataset as the endless stream that training takes."""

import numpy as np

from deepunits.data.examples import as_float32
from deepunits.data.infinite_mnist import InfiniteMNIST
from deepunits.data.streams import ExampleStream
from deepunits.errors import UserError
from deepunits.storage import load_npz


def training_stream(path, splits, *, seed, deformation=None, xp=np):
    """Return the examples of some splits of a dataset as a stream, with their labels where it has any.

    Parameters
    ----------
    path : path
        A file ``results/datasets/<dataset>/examples.npz``.
    splits : sequence of str
        Such as ``("train", "valid")``.
    seed : int
    deformation : dict, optional
        With ``displacement``, ``smoothness`` and ``fields`` the stream is infinite MNIST (section 4.4), in place of the
        same examples over and over.
    xp : module
        ``numpy`` or ``cupy``: where the examples are kept.

    Returns
    -------
    ExampleStream or InfiniteMNIST

    Raises
    ------
    UserError
        If the file cannot be read or lacks one of the splits.
    """
    arrays = load_npz(path)
    missing = [split for split in splits if f"{split}_images" not in arrays]
    if missing:
        raise UserError(f"{path} has no {missing[0]}_images; it has {', '.join(arrays)}.")
    images = np.concatenate([arrays[f"{split}_images"] for split in splits])
    labelled = all(f"{split}_labels" in arrays for split in splits)
    labels = np.concatenate([arrays[f"{split}_labels"] for split in splits]) if labelled else None
    if deformation:
        return InfiniteMNIST(images, labels, seed=seed, **deformation, xp=xp)
    return ExampleStream(as_float32(images), seed, labels, xp=xp)
