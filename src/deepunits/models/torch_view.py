"""A PyTorch module, seen unit by unit. PyTorch is imported here alone: ``pip install "deepunits[torch]"``."""

import contextlib
import math
import pickle
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from deepunits.backend import array_module
from deepunits.checks import check_choice
from deepunits.errors import UserError
from deepunits.models.view import View

try:
    import torch
    from torch.nn import Module
except ImportError as reason:
    raise UserError('PyTorch is not installed; pip install "deepunits[torch]".') from reason

__all__ = ["Module", "TorchView", "load_weights"]

UNITS = ("flat", "channel", "centre")


class _Reached(Exception):
    """Ends a pass through a module at the layer that is asked for."""


class TorchView(View):
    """Any differentiable module as activation maximization and invariance analysis see a network.

    For the time of a call the module is in evaluation mode and its parameters take no gradient; then both are as they
    were. Inputs and gradients are arrays of one row an example, of NumPy or, after :meth:`to`, CuPy.

    Parameters
    ----------
    module : torch.nn.Module
    layers : sequence of str
        Names of submodules, as ``module.named_modules()`` has them; they become layers 1, 2, ... Their outputs are what
        is maximised, so name the linear map and not the nonlinearity behind it to follow the paper (footnote 3).
    shape : sequence of int
        Of one input, such as (1, 28, 28).
    units : {'flat', 'channel', 'centre'}
        What a unit is: a number of the flattened output; a channel's mean over its positions; a channel at its middle.
    channels_last : bool
        Whether a row holds an image as files do, (rows, columns, channels), of which the module sees `shape`, with the
        channels first.

    Raises
    ------
    UserError
        If a layer does not exist, is not reached, or gives something else than one tensor an example.
    """

    def __init__(self, module, layers, shape, units="flat", *, channels_last=False):
        check_choice("units", units, UNITS)
        self._last = channels_last and len(shape) == 3
        self.module, self.layers, self.shape, self.kind = module, list(layers), tuple(shape), units
        known = dict(module.named_modules())
        for name in self.layers:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                remedy = f"did you mean {near[0]}?" if near else f"it has {', '.join(filter(None, known))}."
                raise UserError(f"the module has no layer {name}; {remedy}")
        parameter = next(iter(module.parameters()), torch.zeros(1))
        self.device, self.dtype = parameter.device, parameter.dtype
        super().__init__(math.prod(self.shape), len(self.layers))
        with self._frozen(), torch.no_grad():
            blank = torch.zeros((1, *self.shape), dtype=self.dtype, device=self.device)
            outputs = [self._output(blank, layer) for layer in range(1, self.depth + 1)]
        self._shapes = [tuple(output.shape[1:]) for output in outputs]

    def layer(self, name):
        """Return the number of the layer that is called `name`."""
        if name not in self.layers:
            raise UserError(f"layer {name} is not looked at; the layers are {', '.join(self.layers)}.")
        return self.layers.index(name) + 1

    def units(self, layer):
        """Return the number of units of `layer`."""
        return math.prod(self._shapes[layer - 1]) if self.kind == "flat" else self._shapes[layer - 1][0]

    def unit(self, layer, position):
        """Return the number of the unit at a `position` in the output of `layer`, such as (channel, row, column).

        Raises
        ------
        UserError
            If there is no such position, or units are no positions but channels.
        """
        shape = self._shapes[layer - 1]
        if self.kind != "flat":
            raise UserError(f"a unit is a {self.kind} here; a position names one where units are flat.")
        try:
            return int(np.ravel_multi_index(tuple(position), shape))
        except ValueError as reason:
            raise UserError(f"layer {layer} has the shape {shape}; it has no position {tuple(position)}.") from reason

    def to(self, xp):
        """Move the module to the device of the array module `xp`, and return the view.

        Raises
        ------
        UserError
            If that is a GPU, and PyTorch cannot use one.
        """
        if xp is not np and not torch.cuda.is_available():
            raise UserError("PyTorch cannot use a GPU here; compute on the CPU, or install a PyTorch that can.")
        self.device = torch.device("cpu" if xp is np else "cuda")
        self.module.to(self.device)
        self._xp = xp
        return self

    def activations(self, x, layer):
        """Return the activations of all units of `layer`, shape (n, units), at the inputs `x` (n, pixels)."""
        with self._frozen(), torch.no_grad():
            return self._array(self._units(self._tensor(x), layer), x)

    def value(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` at ``x[r]``."""
        with self._frozen(), torch.no_grad():
            return self._array(self._chosen(self._tensor(x), layer, units), x)

    def value_and_gradient(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` at ``x[r]`` and its gradient (n, pixels), new arrays."""
        with self._frozen():
            inputs = self._tensor(x).requires_grad_()
            values = self._chosen(inputs, layer, units)
            [gradient] = torch.autograd.grad(values.sum(), inputs, materialize_grads=True)
        return self._array(values.detach(), x), self._array(gradient, x)

    def hessian_vector_product(self, layer, units, x, vectors):
        """Return the product (n, pixels) of the Hessian of ``units[r]`` at ``x[r]`` and a vector: exact."""
        with self._frozen():
            inputs = self._tensor(x).requires_grad_()
            values = self._chosen(inputs, layer, units)
            [gradient] = torch.autograd.grad(values.sum(), inputs, create_graph=True, materialize_grads=True)
            along = (gradient * self._tensor(vectors)).sum()
            if not along.requires_grad:  # the unit is linear
                return array_module(x).zeros_like(x)
            [product] = torch.autograd.grad(along, inputs, materialize_grads=True)
        return self._array(product, x)

    def _tensor(self, x):
        """Return rows `x` (n, pixels) as a tensor of their own."""
        return torch.asarray(x, dtype=self.dtype, device=self.device, copy=True)

    def _array(self, tensor, like):
        """Return a tensor as an array of the kind and type of the array `like`."""
        xp = array_module(like)
        found = tensor.numpy(force=True) if xp is np else xp.asarray(tensor)
        return found.astype(like.dtype, copy=False)

    def _images(self, rows):
        """Return rows (n, pixels) in the shape that the module takes."""
        if self._last:
            channels, *size = self.shape
            return rows.reshape(-1, *size, channels).permute(0, 3, 1, 2)
        return rows.reshape(-1, *self.shape)

    @contextlib.contextmanager
    def _frozen(self):
        training = {part: part.training for part in self.module.modules()}
        learnt = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        try:
            self.module.eval()
            for parameter in learnt:
                parameter.requires_grad_(False)
            yield
        finally:
            for parameter in learnt:
                parameter.requires_grad_(True)
            for part, mode in training.items():
                part.training = mode

    def _chosen(self, rows, layer, units):
        """Return the activation (n,) of ``units[r]`` at row r."""
        columns = torch.asarray(units, dtype=torch.int64, device=self.device)
        return self._units(rows, layer).gather(1, columns[:, None])[:, 0]

    def _units(self, rows, layer):
        """Return the activations (n, units) of a layer at rows (n, pixels)."""
        output = self._output(self._images(rows), layer)
        if self.kind == "flat" or output.ndim == 2:
            return output.flatten(1)
        if self.kind == "channel":
            return output.flatten(2).mean(dim=2)
        return output[(slice(None), slice(None), *(size // 2 for size in output.shape[2:]))]

    def _output(self, inputs, layer):
        """Return the output of a layer; nothing behind it is computed."""
        name, caught = self.layers[layer - 1], []

        def catch(_, __, output):
            caught.append(output)
            raise _Reached

        handle = self.module.get_submodule(name).register_forward_hook(catch)
        try:
            self.module(inputs)
        except _Reached:
            pass
        except (RuntimeError, TypeError, ValueError) as reason:
            raise UserError(f"the module does not take inputs of shape {self.shape} ({reason}).") from reason
        finally:
            handle.remove()
        if not caught:
            raise UserError(f"layer {name} is not reached by an input; name one that is.")
        [output] = caught
        if not isinstance(output, torch.Tensor) or output.ndim < 2 or len(output) != len(inputs):
            kind = type(output).__name__ if not isinstance(output, torch.Tensor) else f"shape {tuple(output.shape)}"
            raise UserError(f"layer {name} gives {kind}; name one that gives a tensor with a row for each example.")
        return output


def load_weights(module, path):
    """Give a `module` its weights from a file: ``.safetensors``, or a ``state_dict`` as ``torch.save`` writes it.

    Nothing but tensors is read: a pickle of anything else is refused.

    Raises
    ------
    UserError
        If the file cannot be read, holds something else, or does not fit the module, which then is as it was.
    """
    state = _read_tensors(Path(path))
    known = module.state_dict()
    faults = [f"{name} is missing" for name in known if name not in state]
    faults += [f"{name} is in no layer" for name in state if name not in known]
    faults += [
        f"{name} has the shape {tuple(state[name].shape)} and not {tuple(tensor.shape)}"
        for name, tensor in known.items()
        if name in state and state[name].shape != tensor.shape
    ]
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise UserError(f"the weights in {path} do not fit the module: {'; '.join(faults[:3])}{more}.")
    module.load_state_dict(state)


def _read_tensors(path):
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except ImportError as reason:
        raise UserError('safetensors is not installed; pip install "deepunits[torch]".') from reason
    except OSError as reason:
        raise UserError(f"{path} cannot be read ({reason.strerror or reason}); correct the path.") from reason
    except pickle.UnpicklingError as reason:
        raise UserError(f"{path} holds more than tensors; save the state_dict of the module alone.") from reason
    except Exception as reason:  # of a damaged file, whatever its reader raises
        raise UserError(f"{path} is damaged or holds no weights ({type(reason).__name__}).") from reason
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise UserError(f"{path} holds no state_dict; save the one of the module with torch.save.")
    return state
