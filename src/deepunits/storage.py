"""Result files, written whole or not at all, and never holding a number that is not one."""

import contextlib
import csv
import dataclasses
import glob
import io
import json
import os
from pathlib import Path

import numpy as np

from deepunits.archives import Damaged, read_npz
from deepunits.errors import UserError
from deepunits.layouts import misfit

try:
    import fcntl
except ImportError:  # not on Windows, where what a killed process leaves is not removed
    fcntl = None


def save_npz(path, **arrays):
    """Write arrays to the ``.npz`` file `path`; the same arrays always give the same bytes.

    Parameters
    ----------
    path : path
        Directories above it are made.
    **arrays : array_like
        NumPy arrays, numbers or strings, by the names they are read back under.

    Raises
    ------
    UserError
        If an array holds NaN or an infinity, or the file cannot be written.
    TypeError
        If an array holds Python objects, which only pickle could store.
    """
    arrays = {name: np.asanyarray(array) for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"{name} is an array of Python objects")
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            raise UserError(
                f"{path} is not written: its array {name} would hold NaN or infinity; "
                "lower the learning rate of the stage that makes it."
            )
    with _replacing(path) as file:
        np.savez(file, **arrays)


class Arrays(dict):
    """Arrays by name, of one file; one that is asked for and not there is the file's fault, and named with it."""

    def __init__(self, path, arrays):
        super().__init__(arrays)
        self.path = path

    def __missing__(self, name):
        raise UserError(f"{self.path} holds no array {name}; delete it and run again.")


def load_npz(path):
    """Return the arrays of the result file `path`, NumPy arrays by name.

    Returns
    -------
    Arrays
        A dict.

    Raises
    ------
    UserError
        If the file is missing, is damaged, holds anything but numbers and texts, NaN or an infinity, or arrays that do
        not fit each other where its name says which they are (:mod:`deepunits.layouts`). Later, if an array is asked
        for that it lacks.
    """
    arrays = Arrays(path, load_arrays(path, "delete it and run again"))
    for name, array in arrays.items():
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            raise UserError(f"{path} holds NaN or infinity in its array {name}; delete it and run again.")
    if fault := misfit(path, arrays):
        raise UserError(f"{path} {fault}; delete it and run again.")
    return arrays


def filled(kind, arrays):
    """Return an object of the dataclass `kind`, its fields being `arrays` of a result file, by name."""
    return kind(**{field.name: arrays[field.name] for field in dataclasses.fields(kind)})


def load_arrays(path, remedy):
    """Return the arrays of the ``.npz`` file `path` by name, whatever they are; an error names the `remedy`."""
    try:
        return read_npz(path)
    except OSError as reason:
        raise UserError(f"{path} cannot be read ({reason.strerror or reason}); run the rule that makes it.") from reason
    except Damaged as reason:
        raise UserError(f"{path} is damaged or no .npz file ({reason}); {remedy}.") from reason


def load_json(path, kind=dict):
    """Return what the JSON file `path` holds, of the type `kind`.

    Raises
    ------
    UserError
        If it cannot be read or holds something else.
    """
    try:
        return parse_json(Path(path).read_text(encoding="utf-8"), kind)
    except (OSError, ValueError) as reason:
        raise UserError(f"{path} cannot be read ({reason}); run the rule that makes it.") from reason


def text_of(path, arrays, name, kind=dict):
    """Return what the JSON text in an array of a file says: of the type `kind`, or a UserError."""
    try:
        return parse_json(str(arrays[name]), kind)
    except UserError:
        raise
    except ValueError as reason:
        raise UserError(f"{path} holds no sound {name} ({reason}); delete it and run again.") from reason


def parse_json(text, kind=dict):
    """Return what a JSON text holds; a ValueError if it is none or not of the type `kind`."""
    try:
        found = json.loads(text)
    except RecursionError as reason:
        raise ValueError("it goes too deep") from reason
    if not isinstance(found, kind):
        raise ValueError(f"it holds a {type(found).__name__} where a {kind.__name__} is expected")
    return found


def write_bytes(path, content):
    """Write `content` to the file `path`."""
    with _replacing(path) as file:
        file.write(content)


def write_text(path, text):
    """Write `text` to the file `path` in UTF-8."""
    write_bytes(path, text.encode())


def write_rows(path, rows):
    """Write `rows`, dicts of the same keys, to the file `path` as comma-separated values under a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_json(path, value):
    """Write `value` to the file `path` as indented JSON with sorted keys."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


@contextlib.contextmanager
def _replacing(path):
    """Open a file beside `path` for writing bytes, and move it to `path` once it is complete."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")  # jobs of two runs may write to one cache
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        with open(partial, "wb") as file:
            _lock(file)
            yield file
        os.replace(partial, path)
    except OSError as reason:
        raise UserError(
            f"{path} cannot be written ({reason.strerror or reason}); make room or choose another directory."
        ) from reason
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _remove_abandoned(path):
    """Remove what processes that were killed had written of the file `path`: nothing holds a lock on it any more."""
    for partial in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        with contextlib.suppress(OSError), open(partial, "rb+") as file:
            if _lock(file):
                partial.unlink()


def _lock(file):
    """Lock an open file for as long as it is open; return whether that was possible."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (AttributeError, OSError):  # no locks on this system or file system, or it is another's
        return False
    return True
