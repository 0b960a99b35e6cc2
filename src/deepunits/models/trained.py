"""Any trained model as activation maximization and invariance analysis see it; classifiers, written to files."""

from pathlib import Path

import numpy as np

from deepunits.models.external import load_described
from deepunits.models.network import Network
from deepunits.models.stack import load_layer
from deepunits.storage import load_npz, save_npz


def load_network(paths):
    """Return the network of a stack of layers, of a classifier, or one that was trained elsewhere.

    Parameters
    ----------
    paths : path or list of path
        The files ``layer<k>.npz``, bottom first; one ``classifier.npz``; or one ``network.json``, a description.

    Returns
    -------
    Network or View
        Its last layer is the last of the stack, the output units, or the last that is described.
    """
    if isinstance(paths, list | tuple):
        return Network.from_layers([load_layer(path) for path in paths])
    return load_described(paths) if Path(paths).suffix == ".json" else load_classifier(paths)


def load_classifier(path):
    """Return the network in a ``classifier.npz``, the output units before the softmax as its last layer."""
    stored = load_npz(path)
    names = [*range(1, sum(name.startswith("weights_") for name in stored)), "out"]
    return Network([stored[f"weights_{name}"] for name in names], [stored[f"bias_{name}"] for name in names])


def save_classifier(path, tuned, test_error, record):
    """Write a fine-tuned network to the ``.npz`` file `path`.

    Parameters
    ----------
    path : path
    tuned : FineTuned
    test_error : float
        Share of the test examples classified wrongly.
    record : str
        How it came to be, JSON text.
    """
    names = [*range(1, tuned.network.depth), "out"]
    weights = {f"weights_{name}": w for name, w in zip(names, tuned.network.weights, strict=True)}
    biases = {f"bias_{name}": b for name, b in zip(names, tuned.network.biases, strict=True)}
    errors = np.column_stack([tuned.train_errors, tuned.valid_errors])
    save_npz(path, **weights, **biases, errors=errors, test_error=test_error, metadata=np.array(record))
