"""Any trained model as activation maximization and invariance analysis see it; classifiers, written to files."""

import re
from pathlib import Path

import numpy as np

from deepunits.errors import UserError
from deepunits.layouts import axis_length
from deepunits.models.external import load_described
from deepunits.models.network import Network
from deepunits.models.stack import load_layers
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
        return Network.from_layers(load_layers(paths))
    return load_described(paths) if Path(paths).suffix == ".json" else load_classifier(paths)


def load_classifier(path):
    """Return the network in a ``classifier.npz``, the output units before the softmax as its last layer."""
    stored = load_npz(path)
    numbered = {int(name.rpartition("_")[2]) for name in stored if re.fullmatch(r"(weights|bias)_\d{1,3}", name)}
    names = [*range(1, max(numbered, default=0) + 1), "out"]
    arrays = [[stored[f"{kind}_{name}"] for name in names] for kind in ("weights", "bias")]
    if any(array.dtype.kind != "f" for of_kind in arrays for array in of_kind):
        raise UserError(f"{path} holds weights or biases that are no real numbers; delete it and run again.")
    try:
        return Network(*arrays)
    except UserError as reason:
        problem = str(reason).rstrip(".")
        raise UserError(f"{path} holds no classifier ({problem}); delete it and run again.") from reason


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


def check_fit(network, layer, *results):
    """Refuse results that are of another network's images or of units that a layer does not have.

    Parameters
    ----------
    network : Network or View
    layer : int
    *results : Arrays
        Of result files, as :func:`deepunits.storage.load_npz` gives them.
    """
    for arrays in results:
        pixels = axis_length(arrays.path, arrays, "pixels")
        if pixels not in (None, network.pixels):
            raise UserError(
                f"{arrays.path} is about images of {pixels} pixels and the network takes {network.pixels}: they are of "
                "different runs; delete the older one and run again."
            )
        for name in ("units", "shown_units"):
            found, count = arrays.get(name, ()), network.units(layer)
            if len(found) and not 0 <= found.min() <= found.max() < count:
                raise UserError(
                    f"{arrays.path} has units {found.min()} to {found.max()} in its array {name}, where layer {layer} "
                    f"has 0 to {count - 1}: they are of different runs; delete it and run again."
                )
