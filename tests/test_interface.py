"""`import deepunits`: the names that it gives, how soon it gives them, and that their examples are true."""

import ast
import doctest
import inspect
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import deepunits
from deepunits.errors import UserError

PACKAGE = Path(deepunits.__file__).parent
NAMES = deepunits.__all__
MODULES = sorted({deepunits._FOUND[name][0] for name in NAMES})

# Prints the processor's time, in seconds, that the statements of the first argument take.
TIMED = "import sys, time; start = time.process_time(); exec(sys.argv[1]); print(time.process_time() - start)"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there_documented_and_typed(name):
    found = getattr(deepunits, name)
    assert name in dir(deepunits) and inspect.getdoc(found)
    if inspect.isfunction(found):
        assert inspect.signature(found).return_annotation is not inspect.Signature.empty, name


def test_type_checkers_are_told_the_same():
    imports = [node for node in ast.parse((PACKAGE / "__init__.pyi").read_text()).body if hasattr(node, "module")]
    told = {alias.asname: (node.module, alias.name) for node in imports for alias in node.names}
    assert told == deepunits._FOUND
    assert (PACKAGE / "py.typed").exists()


def test_the_view_of_pytorch_is_there_where_pytorch_is():
    assert "TorchView" in dir(deepunits)
    if find_spec("torch") is None:
        with pytest.raises(UserError, match="PyTorch is not installed; pip install"):
            _ = deepunits.TorchView
    else:
        assert deepunits.TorchView.__name__ == "TorchView"


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'deepunits' has no attribute 'maximise_activation'"):
        _ = deepunits.maximise_activation
    with pytest.raises(ImportError):
        from deepunits import nothing  # noqa: F401


def processor_time(statements):
    """Return the least of three times that new processes take for `statements`, in seconds."""
    command = [sys.executable, "-c", TIMED, statements]
    return min(float(subprocess.run(command, capture_output=True, check=True, text=True).stdout) for _ in range(3))


def test_importing_is_cheap():
    assert processor_time("import deepunits") < 0.05
    seen = subprocess.run(
        [sys.executable, "-c", "import sys, deepunits; print('numpy' in sys.modules)"], capture_output=True, text=True
    )
    assert seen.stdout.strip() == "False", seen.stderr


def test_the_tools_import_without_what_is_slow():
    tools = [name for name in NAMES if not name.startswith("draw_")]
    statements = f"import sys\nfrom deepunits import {', '.join(tools)}\n"
    statements += "assert not {'scipy.stats', 'matplotlib', 'pandas', 'sklearn', 'torch'} & set(sys.modules)"
    assert processor_time(statements) < 3 * processor_time("import numpy")  # seconds depend on the machine


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_are_true(module):
    assert doctest.testmod(import_module(module)).failed == 0


def test_most_tools_have_an_example():
    shown = [name for name in NAMES if ">>> " in (inspect.getdoc(getattr(deepunits, name)) or "")]
    assert {"Network", "maximize_activation", "trace_manifold", "estimate_statistics", "from_sklearn"} <= set(shown)
