"""A network that was trained elsewhere, built from a description: where its code, its weights and its layers are."""

import hashlib
import importlib
import importlib.util
import math
import sys
from pathlib import Path

from deepunits.errors import UserError
from deepunits.models.network import Network
from deepunits.models.view import View
from deepunits.storage import load_json, write_json


def describe(path, *, module, layers, shape, arguments=None, weights=None, units="flat"):
    """Build a network, and write to the ``.json`` file `path` what it is built from.

    Parameters
    ----------
    path : path
    module : str
        What makes the network: ``file.py:name`` or ``package.module:name``. It is called with the `arguments`, and
        gives a ``torch.nn.Module``, a :class:`Network` or a :class:`View`.
    layers : sequence of str
        Of a PyTorch module, the names of the submodules that are looked at; of others, one name for each layer.
    shape : sequence of int
        Of one image as it is stored: rows and columns, and colours if there are any; or one number. A module is given
        (1, rows, columns), (colours, rows, columns), or that number.
    arguments : dict, optional
    weights : path, optional
        Of a PyTorch module: its ``state_dict``, as ``.safetensors`` or as ``torch.save`` writes it.
    units : {'flat', 'channel', 'centre'}
        What a unit of a PyTorch module is: see :class:`deepunits.models.torch_view.TorchView`.

    Raises
    ------
    UserError
        If the network cannot be built or has no such layers.
    """
    description = {
        "module": module,
        "arguments": arguments or {},
        "weights": weights and str(weights),
        "layers": list(layers),
        "shape": list(shape),
        "units": units,
    }
    network = build(description)
    files = [file for file in (module.rpartition(":")[0], weights) if file and Path(file).is_file()]
    write_json(
        path,
        description
        | {
            "counts": [network.units(layer) for layer in range(1, network.depth + 1)],
            "sha256": {Path(file).name: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files},
        },
    )


def load_described(path):
    """Return the network that :func:`describe` wrote to the ``.json`` file `path`.

    Raises
    ------
    UserError
        If the file is no such description, or the network cannot be built any more.
    """
    try:
        description = load_json(path)
        names = ("module", "arguments", "weights", "layers", "shape", "units")
        return build({name: description[name] for name in names})
    except (KeyError, TypeError, AttributeError) as reason:
        raise UserError(f"{path} describes no network ({reason}); run the rule that makes it.") from reason


def build(description):
    """Return the network of a description, such as :func:`describe` writes, as a :class:`Network` or :class:`View`."""
    module, layers = description["module"], description["layers"]
    made = _call(module, description["arguments"])
    if isinstance(made, Network | View):
        if description["weights"]:
            raise UserError(f"{module} gives a network with its weights; remove weights.")
        if len(layers) != made.depth:
            raise UserError(f"{module} gives a network of {made.depth} layers; name so many, not {len(layers)}.")
        if made.pixels != (pixels := math.prod(description["shape"])):
            raise UserError(f"{module} gives a network of {made.pixels} inputs; the images have {pixels} numbers.")
        return made
    if "torch" not in sys.modules or not isinstance(made, sys.modules["torch"].nn.Module):
        kind = type(made).__name__
        raise UserError(f"{module} gives {kind}; let it give a torch.nn.Module, or a Network or View of deepunits.")
    seen = importlib.import_module("deepunits.models.torch_view")  # by name: PyTorch is needed for its modules alone
    if description["weights"]:
        seen.load_weights(made, description["weights"])
    return seen.TorchView(made, layers, module_shape(description["shape"]), description["units"], channels_last=True)


def module_shape(shape):
    """Return the shape that a module is given images of the stored `shape` in: colours come first."""
    if len(shape) == 1:
        return tuple(shape)
    rows, columns, *colours = shape
    return (*(colours or [1]), rows, columns)


def _call(name, arguments):
    """Return what the function or class `name`, ``file.py:name`` or ``package.module:name``, gives."""
    where, _, made_by = name.rpartition(":")
    if not where or not made_by.isidentifier():
        raise UserError(f"module is {name}; write it as file.py:name or package.module:name.")
    try:
        maker = getattr(_import(where), made_by)
    except AttributeError as reason:
        raise UserError(f"{where} has no {made_by}; correct module, which is {name}.") from reason
    try:
        return maker(**arguments)
    except UserError:
        raise
    except Exception as reason:  # the code is the user's: whatever it raises is for the user to read
        raise UserError(f"{name} cannot be called with {arguments} ({type(reason).__name__}: {reason}).") from reason


def _import(where):
    """Return a module by its dotted name or by its file, which may import its neighbours, as where Python runs it."""
    try:
        if not where.endswith(".py"):
            return importlib.import_module(where)
        spec = importlib.util.spec_from_file_location(f"_own_{Path(where).stem}", where)
        loaded = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # where dataclasses look for it
        if (folder := str(Path(where).resolve().parent)) not in sys.path:
            sys.path.append(folder)
        spec.loader.exec_module(loaded)
        return loaded
    except Exception as reason:  # as above
        raise UserError(f"{where} cannot be imported ({type(reason).__name__}: {reason}).") from reason
