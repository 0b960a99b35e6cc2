"""The house has two floors: the paper stands on the instrument, which knows nothing of it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "src" / "deepunits"
RULES = ROOT / "workflow" / "rules"
DATASETS = re.compile(r"mnist|natural_images|silhouettes")
READERS = [LIBRARY / "data"]  # each knows its own dataset


def below(folder, pattern, *paper):
    """Return the files of the instrument in a folder: all but those of the paper."""
    return [path for path in sorted(folder.rglob(pattern)) if not any(path.is_relative_to(part) for part in paper)]


def imported(path):
    """Return the dotted names that a Python file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def strings(path):
    """Return the texts in a Python file that it computes with: not its docstrings, not its comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose]
    return [node.value for node in constants if isinstance(node.value, str)]


@pytest.mark.parametrize("path", below(LIBRARY, "*.py", LIBRARY / "paper"), ids=lambda path: path.stem)
def test_nothing_below_the_paper_imports_it(path):
    assert not [name for name in imported(path) if name.startswith("deepunits.paper")]


@pytest.mark.parametrize("path", below(LIBRARY, "*.py", LIBRARY / "paper", *READERS), ids=lambda path: path.stem)
def test_nothing_below_the_paper_names_its_datasets(path):
    assert not [text for text in strings(path) if DATASETS.search(text)]


@pytest.mark.parametrize("path", below(ROOT / "scripts", "*.py"), ids=lambda path: path.stem)
def test_no_script_names_a_dataset(path):
    assert not [text for text in strings(path) if DATASETS.search(text)]


@pytest.mark.parametrize("path", below(RULES, "*.smk", RULES / "paper"), ids=lambda path: path.stem)
def test_no_rule_of_the_instrument_names_a_dataset(path):
    code = re.sub(r"\"\"\".*?\"\"\"|#[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not DATASETS.findall(code)
