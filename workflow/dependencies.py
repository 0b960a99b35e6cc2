"""Which library modules a script runs: an edit in one of them makes the script's results out of date."""

import ast
import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "deepunits"


def offer_library():
    """Let scripts import the library also where it is not installed, as in environments that Snakemake makes."""
    known = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT / "src"), known]))


def library_modules(script, *named):
    """Return the files of the library modules that a script imports, directly or through one another.

    Parameters
    ----------
    script : path
    *named : str
        Modules that the script imports by a name that it is given, such as ``deepunits.data.mnist``.

    Returns
    -------
    list of Path
        Sorted. A package counts with its ``__init__.py``, which importing from it runs.
    """
    found = {file for name in named for file in _files(name)}
    waiting = [Path(script), *found]
    while waiting:
        new = _imports(waiting.pop()) - found
        found |= new
        waiting += new
    return sorted(found)


@cache
def _imports(path):
    """Return the files of the library modules that the file `path` names in its import statements, anywhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {file for name in names for file in _files(name)}


def _files(name):
    """Yield the files that importing the dotted `name` runs; a name within a module has none of its own."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return
    for end in range(1, len(parts) + 1):
        path = ROOT.joinpath("src", *parts[:end])
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.exists():
                yield file


def parameters(module, function):
    """Return the parameters of a `function` of the library's `module`, without importing it: whether each is needed."""
    for node in ast.parse(_file(module).read_text(encoding="utf-8"), str(_file(module))).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            needed = {argument.arg: default is None for argument, default in named}
            return {argument.arg: True for argument in node.args.args} | needed
    return {}


@cache
def readers():
    """Return the names of the modules that read a dataset: those of ``deepunits.data`` with a function `prepare`."""
    names = sorted(path.stem for path in _file(f"{PACKAGE}.data.examples").parent.glob("*.py"))
    return [name for name in names if parameters(f"{PACKAGE}.data.{name}", "prepare")]


def _file(module):
    return ROOT.joinpath("src", *module.split(".")).with_suffix(".py")
