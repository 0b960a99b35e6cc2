"""Any differentiable network, seen unit by unit, as activation maximization and invariance analysis see it."""

from functools import cached_property

import numpy as np

from deepunits.backend import matmul, row_dot
from deepunits.checks import check_in_layer, check_layer, float_array
from deepunits.errors import UserError


class View:
    """Units of a network whose first map need not be linear.

    A search of :class:`deepunits.models.network.Network` climbs in the responses of the first layer's filters, which
    are linear in the input. Here the pixels stand in for these responses: the filters are the identity. A subclass has
    :meth:`units`, :meth:`activations` and :meth:`value_and_gradient`, and everything else follows.

    Parameters
    ----------
    pixels : int
        Components of an input.
    depth : int
        Layers, numbered from 1.
    xp : module
        Of the arrays: NumPy or CuPy.
    """

    def __init__(self, pixels, depth=1, xp=np):
        self.pixels, self.depth, self._xp = pixels, depth, xp

    def to(self, xp):
        """Return the view with its arrays in the array module `xp`.

        Raises
        ------
        UserError
            If it stays in NumPy, and `xp` is another.
        """
        if xp is not self._xp:
            raise UserError(f"a {type(self).__name__} computes with {self._xp.__name__}; set device: cpu.")
        return self

    def units(self, layer):
        """Return the number of units of `layer`."""
        raise NotImplementedError

    def activations(self, x, layer):
        """Return the activations of all units of `layer`, shape (n, units), at the inputs `x` (n, pixels)."""
        raise NotImplementedError

    def value_and_gradient(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` at ``x[r]`` and its gradient (n, pixels), new arrays."""
        raise NotImplementedError

    def value(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` at ``x[r]``."""
        return self.value_and_gradient(x, layer, units)[0]

    def hessian_vector_product(self, layer, units, x, vectors, step=1e-3):
        """Return the product (n, pixels) of the Hessian of ``units[r]`` at ``x[r]`` and a vector.

        By central differences of the gradient; the `step` is a share of the norm of x.
        """
        xp = self._xp
        lengths = xp.linalg.norm(vectors, axis=1, keepdims=True)
        widths = step * xp.linalg.norm(x, axis=1, keepdims=True) / xp.where(lengths > 0, lengths, 1)
        ahead, behind = (self.value_and_gradient(x + sign * widths * vectors, layer, units)[1] for sign in (1, -1))
        return (ahead - behind) / (2 * widths)

    @cached_property
    def weights(self):
        """The identity, in place of the filters of a first layer."""
        return [self._xp.eye(self.pixels, dtype=self._xp.float32)]

    def responses(self, x):
        """Return the inputs `x` (n, pixels) themselves."""
        return x

    def unit_activation(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` of `layer` at ``x[r]``."""
        self.check_units(layer, units)
        return self.value(x, layer, units)

    def unit_gradient(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` at ``x[r]`` and its gradient (n, pixels)."""
        self.check_units(layer, units)
        return self.value_and_gradient(x, layer, units)

    def unit_activation_from(self, responses, layer, units):
        """Return the activation (n,) of ``units[r]``, given the `responses`: the inputs."""
        return self.value(responses, layer, units)

    def unit_gradient_from(self, responses, layer, units):
        """Return the activation (n,) of ``units[r]``, given the `responses`, and its gradient with respect to them."""
        return self.value_and_gradient(responses, layer, units)

    def check_units(self, layer, units):
        """Raise a UserError if there is no such layer or one of the units (n,) is not in it."""
        check_layer(layer, self.depth)
        check_in_layer(layer, units, self.units(layer))


class QuadraticForms(View):
    """Units of which the truth is known: h(x) = x'Hx / 2 + f'x + c (Berkes and Wiskott, 2006).

    With H = 0 a unit is linear; with H = 2 Σ g g' it is an energy unit, such as a complex cell of a Gabor pair g in
    quadrature (Adelson and Bergen, 1985): see :func:`energy_units`.

    Parameters
    ----------
    hessians : array (U, P, P)
        Symmetric.
    linear : array (U, P), optional
    constants : array (U,), optional
    """

    def __init__(self, hessians: np.ndarray, linear: np.ndarray | None = None, constants: np.ndarray | None = None):
        hessians = float_array("hessians", hessians, "units", "pixels", "pixels")
        count, pixels = hessians.shape[:2]
        super().__init__(pixels)
        self.hessians = hessians
        self.linear = np.zeros((count, pixels), np.float32) if linear is None else float_array("linear", linear)
        self.constants = np.zeros(count, np.float32) if constants is None else float_array("constants", constants)
        if self.linear.shape != (count, pixels) or self.constants.shape != (count,):
            raise UserError(
                f"{count} hessians of {pixels} pixels have linear parts {self.linear.shape} and constants "
                f"{self.constants.shape}, which do not fit."
            )

    def units(self, layer):
        """Return the number of units."""
        return len(self.hessians)

    def activations(self, x, layer):
        """Return the activations of all units, shape (n, units), at the inputs `x` (n, pixels)."""
        curved = np.stack([row_dot(matmul(x, hessian), x) for hessian in self.hessians], axis=1)
        return curved / 2 + matmul(x, self.linear.T) + self.constants

    def value_and_gradient(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` at ``x[r]`` and its gradient (n, pixels)."""
        curved, linear = np.empty_like(x), self.linear[units].astype(x.dtype)
        for unit in np.unique(units):  # one product for the rows of each
            rows = units == unit
            curved[rows] = matmul(x[rows], self.hessians[unit].astype(x.dtype))
        return row_dot(x, curved) / 2 + row_dot(x, linear) + self.constants[units].astype(x.dtype), curved + linear

    def hessian_vector_product(self, layer, units, x, vectors):
        """Return the product (n, pixels) of the Hessian of ``units[r]`` and a vector."""
        return np.stack([vector @ self.hessians[unit] for unit, vector in zip(units, vectors, strict=True)])


def energy_units(filters: np.ndarray) -> QuadraticForms:
    """Return units h(x) = Σ_k (g_k · x)², such as complex cells, as :class:`QuadraticForms`.

    If the K filters of a unit are orthogonal and of one length, every x in their span is an optimum: the unit is
    invariant to the phase. At distance ερ from one optimum lies another, turned by 2 arcsin(ε / 2).

    Parameters
    ----------
    filters : array (U, K, P)

    Examples
    --------
    >>> import numpy as np
    >>> from deepunits import energy_units, maximize_activation
    >>> cell = energy_units(np.eye(5)[None, :2])  # one unit of two filters
    >>> maximize_activation(cell, 1, [0], norm=2.0).activations.round(3)[0, :3]
    array([4., 4., 4.], dtype=float32)
    """
    filters = float_array("filters", filters, "units", "filters", "pixels")
    return QuadraticForms(2 * np.einsum("ukp,ukq->upq", filters, filters))


class AmplitudeUnits(View):
    """Units h(x) = Σ_k ‖G_k x‖, the amplitudes in several pairs of filters, each counted by itself.

    With gratings of several frequencies as pairs this is a sum of Fourier amplitudes, which no shift changes. If all
    filters are orthonormal, the optima are the x with the same amplitude in each pair.

    Parameters
    ----------
    pairs : array (U, K, 2, P)
    """

    def __init__(self, pairs):
        pairs = float_array("pairs", pairs)
        if pairs.ndim != 4 or pairs.shape[2] != 2:
            raise UserError(f"pairs have shape {pairs.shape}; give (units, pairs, 2, pixels).")
        super().__init__(pairs.shape[3])
        self.pairs = pairs

    def units(self, layer):
        """Return the number of units."""
        return len(self.pairs)

    def activations(self, x, layer):
        """Return the activations of all units, shape (n, units), at the inputs `x` (n, pixels)."""
        parts = np.einsum("np,ukip->nuki", x, self.pairs)
        return np.linalg.norm(parts, axis=3).sum(axis=2)

    def value_and_gradient(self, x, layer, units):
        """Return the activation (n,) of ``units[r]`` at ``x[r]`` and its gradient (n, pixels)."""
        parts = np.einsum("np,nkip->nki", x, self.pairs[units])
        lengths = np.linalg.norm(parts, axis=2)
        directions = parts / np.where(lengths > 0, lengths, 1)[..., None]
        return lengths.sum(axis=1), np.einsum("nki,nkip->np", directions, self.pairs[units])
