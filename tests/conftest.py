"""What all tests share."""

import sys

import pandas as pd
import pytest
import stand_in

from deepunits import kernels
from deepunits.backend import choose_device
from deepunits.errors import UserError
from deepunits.storage import save_npz, write_text


@pytest.fixture
def stand_in_for_cupy(monkeypatch):
    """Let what imports CuPy have the stand-in for it, and return that."""
    if stand_in.compiler() is None:
        pytest.skip("no C++ compiler to run the kernels with on the CPU")
    kernels._compiled.cache_clear()
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    yield stand_in
    kernels._compiled.cache_clear()


@pytest.fixture
def gpu(request):
    """Return CuPy where a GPU can be used, else the stand-in for it."""
    try:
        return choose_device("gpu")
    except UserError:
        return request.getfixturevalue("stand_in_for_cupy")


def pytest_collection_modifyitems(items):
    """Put the tests that share a run of the workflow first: they take longest, and are left to be shared out."""
    items.sort(key=lambda item: "finished" not in item.fixturenames)


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Return a function that stores toy result files and returns the rows of a section measured on them, by id."""
    monkeypatch.chdir(tmp_path)

    def measure(section, files):
        paths = {f"results/{name}": content for name, content in files.items()}
        for path, content in paths.items():
            if path.endswith(".csv"):
                write_text(path, pd.DataFrame(content).to_csv(index=False))
            else:
                save_npz(path, **content)
        return {row["id"]: row for statement in section.STATEMENTS for _, row in statement.rows(paths, seed=0)}

    return measure
