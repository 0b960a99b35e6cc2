"""Compare the results of two runs, array by array: ``python -m deepunits.compare results other/results``.

Logs, times and versions are left out. The exit status is 1 if anything differs.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from deepunits.storage import load_json, load_npz, text_of
from deepunits.tables import read_table

LEFT_OUT = {"logs", "benchmarks", "checkpoints"}  # folders
PROVENANCE = {"versions", "device", "commit", "stages", "examples_per_second", "obtained"}  # not results


def files_of(folder):
    """Return the result files in `folder` by their paths within it."""
    files = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file()}
    return {name: path for name, path in files.items() if name.split("/")[0] not in LEFT_OUT}


def contents(path):
    """Return what a result file holds by name: arrays, columns of a table, entries, or its bytes."""
    if path.suffix == ".npz":
        arrays = load_npz(path)
        if "metadata" in arrays:
            record = text_of(path, arrays, "metadata")
            return {name: arrays[name] for name in arrays if name != "metadata"} | _entries(record, "metadata.")
        return arrays
    if path.suffix == ".csv":
        table = read_table(path)
        table = table.sort_values("id", ignore_index=True) if "id" in table else table
        return {name: column.to_numpy() for name, column in table.items() if name not in PROVENANCE}
    if path.suffix == ".json":
        return _entries(load_json(path))
    return {"bytes": np.frombuffer(path.read_bytes(), np.uint8)}


def _entries(record, prefix=""):
    return {f"{prefix}{key}": np.array(json.dumps(v)) for key, v in record.items() if key not in PROVENANCE}


def difference(a, b):
    """Return how two arrays differ, a phrase, or None if they are the same in every bit."""
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return f"{a.dtype} {a.shape} and {b.dtype} {b.shape}"
    numbers = a.dtype.kind in "fc" and b.dtype.kind in "fc"
    unequal = ~((a == b) | (np.isnan(a) & np.isnan(b))) if numbers else np.asarray(a != b)
    if a.dtype.kind == "O":  # a column of texts, empty where there is NaN
        unequal = pd.Series(a.ravel()).fillna("").to_numpy() != pd.Series(b.ravel()).fillna("").to_numpy()
    if not unequal.any():
        return None
    size = f", by {np.abs(a - b)[unequal].max():.3g} at most" if numbers else ""
    return f"{unequal.sum()} of {a.size} differ{size}"


def compare(first, second, ignored=()):
    """Yield how the results in two folders differ, and at last how much was compared.

    Parameters
    ----------
    first, second : path
    ignored : sequence of str
        Arrays that may differ.

    Yields
    ------
    str
        A line for each file that only one has, and for each array that differs.

    Returns
    -------
    files, arrays : int
    """
    mine, other = files_of(first), files_of(second)
    for name in sorted(mine.keys() ^ other.keys()):
        yield f"{name}: only in {first if name in mine else second}"
    arrays, common = 0, sorted(mine.keys() & other.keys())
    for name in common:
        a, b = contents(mine[name]), contents(other[name])
        for array in sorted(a.keys() ^ b.keys()):
            yield f"{name}: {array} only in {first if array in a else second}"
        for array in sorted((a.keys() & b.keys()) - set(ignored)):
            arrays += 1
            if found := difference(a[array], b[array]):
                yield f"{name}: {array}: {found}"
    return len(common), arrays


def main(arguments=None):
    """Print how two folders of results differ; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deepunits.compare", description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--ignore", action="append", default=[], metavar="ARRAY", help="an array that may differ")
    given = parser.parse_args(arguments)
    for folder in (given.first, given.second):
        if not folder.is_dir():
            parser.error(f"{folder} is no folder; name the results of a run")
    lines, found = 0, compare(given.first, given.second, given.ignore)
    while True:
        try:
            print(next(found))
            lines += 1
        except StopIteration as end:
            files, arrays = end.value
            print(f"{files} files with {arrays} arrays compared: {lines or 'no'} differences")
            return int(lines > 0)


if __name__ == "__main__":
    sys.exit(main())
