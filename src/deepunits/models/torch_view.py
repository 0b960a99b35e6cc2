"""A PyTorch module, seen unit by unit. PyTorch is imported here alone: ``pip install "deepunits[torch]"``."""

import contextlib
import math
from difflib import get_close_matches

import numpy as np

from deepunits.checks import check_choice
from deepunits.errors import UserError
from deepunits.models.view import View

try:
    import torch
except ImportError as reason:
    raise UserError('PyTorch is not installed; pip install "deepunits[torch]".') from reason

UNITS = ("flat", "channel", "centre")


class _Reached(Exception):
    """Ends a pass through a module at the layer that is asked for."""


class TorchView(View):
    """Any differentiable module as activation maximization and invariance analysis see a network.

    For the time of a call the module is in evaluation mode and its parameters take no gradient; then both are as they
    were. Inputs and gradients are NumPy arrays of one row an example.

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

    Raises
    ------
    UserError
        If a layer does not exist, is not reached, or gives something else than one tensor an example.
    """

    def __init__(self, module, layers, shape, units="flat"):
        check_choice("units", units, UNITS)
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
            self._counts = [self._output(blank, layer).shape[1] for layer in range(1, self.depth + 1)]

    def layer(self, name):
        """Return the number of the layer that is called `name`."""
        if name not in self.layers:
            raise UserError(f"layer {name} is not looked at; the layers are {', '.join(self.layers)}.")
        return self.layers.index(name) + 1

    def units(self, layer):
        """Return the number of units of `layer`."""
        return self._counts[layer - 1]

    def activations(self, x, layer):
        """Return the activations of all units of `layer`, shape (n, units), at the inputs `x` (n, pixels)."""
        with self._frozen(), torch.no_grad():
            return self._output(self._tensor(x), layer).cpu().numpy().astype(x.dtype, copy=False)

    def value(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` at ``x[r]``."""
        return self.activations(x, layer)[np.arange(len(x)), units]

    def value_and_gradient(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` at ``x[r]`` and its gradient (n, pixels), new arrays."""
        with self._frozen():
            inputs = self._tensor(x).requires_grad_()
            rows = torch.as_tensor(np.asarray(units, dtype=np.int64), device=self.device)[:, None]
            values = self._output(inputs, layer).gather(1, rows)[:, 0]
            [gradient] = torch.autograd.grad(values.sum(), inputs, materialize_grads=True)
        found = values.detach(), gradient.reshape(len(x), -1)
        return tuple(tensor.cpu().numpy().astype(x.dtype) for tensor in found)

    def hessian_vector_product(self, layer, units, x, vectors):
        """Return the product (n, pixels) of the Hessian of ``units[r]`` at ``x[r]`` and a vector: exact."""
        with self._frozen():
            inputs = self._tensor(x).requires_grad_()
            rows = torch.as_tensor(np.asarray(units, dtype=np.int64), device=self.device)[:, None]
            values = self._output(inputs, layer).gather(1, rows)[:, 0]
            [gradient] = torch.autograd.grad(values.sum(), inputs, create_graph=True, materialize_grads=True)
            along = (gradient * self._tensor(vectors)).sum()
            if not along.requires_grad:  # the unit is linear
                return np.zeros_like(x)
            [product] = torch.autograd.grad(along, inputs, materialize_grads=True)
        return product.reshape(len(x), -1).cpu().numpy().astype(x.dtype)

    def _tensor(self, x):
        return torch.tensor(x, dtype=self.dtype, device=self.device).reshape(-1, *self.shape)

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

    def _output(self, inputs, layer):
        """Return the units (n, units) of a layer; nothing behind it is computed."""
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
            raise UserError(f"layer {name} gives a {kind}; name one that gives a tensor with a row for each example.")
        if self.kind == "flat" or output.ndim == 2:
            return output.flatten(1)
        if self.kind == "channel":
            return output.flatten(2).mean(dim=2)
        return output[(slice(None), slice(None), *(size // 2 for size in output.shape[2:]))]
