"""What the figures take from result files: the units they show, and the best of the restarts."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepunits.data.examples import load_provenance
from deepunits.errors import UserError
from deepunits.storage import load_npz
from deepunits.visualize.activation_maximization import best_solutions

DATASET_NAMES = {
    "mnist": "MNIST",
    "natural_images": "natural images",
    "silhouettes": "Caltech Silhouettes",
    "mnist_rot": "mnist-rot",
}


@dataclass(frozen=True)
class Maxima:
    """Solutions of activation maximization (section 4.2) for U units from R random starts.

    Attributes
    ----------
    units : array (U,), int
    inputs : array (U, R, P)
    activations : array (U, R)
        Of the units at `inputs`, before the sigmoid.
    """

    units: np.ndarray
    inputs: np.ndarray
    activations: np.ndarray

    @property
    def best(self):
        """The retained solution of each unit, (U, P): the one with the highest activation (section 4.4)."""
        return best_solutions(self.inputs, self.activations)


def read(path, names):
    """Return the arrays called `names` of the result file `path`, in that order.

    Raises
    ------
    UserError
        If the file cannot be read or lacks one of them.
    """
    arrays = load_npz(path)
    for name in names:
        if name not in arrays:
            raise UserError(f"{path} holds no array {name}; delete it and run again.")
    return [arrays[name] for name in names]


def read_maxima(path, count=None, units=None):
    """Return the :class:`Maxima` of some units in an ``activation_maximization.npz``.

    Parameters
    ----------
    path : path
    count : int, optional
        Take the first so many units of the file.
    units : array_like of int, optional
        Take these units instead.
    """
    stored, inputs, activations = read(path, ("units", "inputs", "activations"))
    rows = first_rows(path, stored, count) if units is None else rows_of(path, stored, units)
    return Maxima(stored[rows], inputs[rows], activations[rows])


def first_rows(path, units, count):
    """Return the rows of the first `count` of `units`; a UserError if the file `path` has fewer."""
    if len(units) < count:
        raise UserError(f"{path} holds {len(units)} units where the figure shows {count}; compute more units.")
    return np.arange(count)


def rows_of(path, units, wanted):
    """Return the row of each unit of `wanted` in `units`; a UserError if the file `path` lacks one."""
    row = {unit: number for number, unit in enumerate(units.tolist())}
    missing = [unit for unit in np.asarray(wanted).tolist() if unit not in row]
    if missing:
        raise UserError(f"{path} lacks unit {missing[0]}, which the figure shows; compute the same units everywhere.")
    return np.array([row[unit] for unit in np.asarray(wanted).tolist()], dtype=int)


def path_list(paths):
    """Return one path, several or None as a list."""
    if paths is None:
        return []
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def substitutes(provenance):
    """Return the line that says which data are substitutes, empty if none are.

    Parameters
    ----------
    provenance : path or list of path
        Files ``datasets/<dataset>/provenance.json``.
    """
    named = []
    for path in map(Path, path_list(provenance)):
        record = load_provenance(path)
        if record.get("substitute"):
            named.append(f"{DATASET_NAMES.get(path.parent.name, path.parent.name)} ({record['source']})")
    return f"Drawn from substitute data in place of {'; '.join(named)}." if named else ""
