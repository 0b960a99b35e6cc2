"""The library modules that count as inputs of a rule are those that its script imports."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

from dependencies import library_modules

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))

# Runs the import statements of each script, and says which files of the library Python has read for them.
LOADED = """
import json, sys
loaded = {}
for name, imports in json.load(sys.stdin).items():
    for module in [m for m in sys.modules if m.split(".")[0] == "deepunits"]:
        del sys.modules[module]
    exec(imports, {})
    loaded[name] = [m.__file__ for k, m in sys.modules.items() if k.split(".")[0] == "deepunits"]
print(json.dumps(loaded))
"""


def import_statements(script):
    body = ast.parse(script.read_text(encoding="utf-8")).body
    return "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))


def test_the_modules_of_each_script_are_those_that_python_loads():
    imports = {script.name: import_statements(script) for script in SCRIPTS}
    done = subprocess.run(
        [sys.executable, "-c", LOADED], input=json.dumps(imports), capture_output=True, text=True, check=True
    )
    loaded = {name: {Path(file).resolve() for file in files} for name, files in json.loads(done.stdout).items()}
    assert {script.name: set(library_modules(script)) for script in SCRIPTS} == loaded


def test_every_rule_lists_the_modules_of_the_script_that_it_runs():
    for path in (ROOT / "workflow" / "rules").rglob("*.smk"):
        for rule in re.split(r"\n *rule\b", path.read_text(encoding="utf-8"))[1:]:
            if (script := re.search(r'"(?:\.\./)+scripts/(\w+)\.py"', rule)) is not None:
                assert f'modules("{script[1]}"' in rule, f"{path}: {script[1]}"


def test_imports_of_all_forms_and_places_are_seen(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import deepunits.storage\ndef main():\n    from deepunits.data import matfiles\n    import numpy\n"
    )
    found = {path.relative_to(ROOT / "src" / "deepunits").as_posix() for path in library_modules(script)}
    assert found == {
        "__init__.py",
        "storage.py",
        "archives.py",
        "layouts.py",
        "errors.py",
        "data/__init__.py",
        "data/matfiles.py",
    }


def test_modules_that_a_script_is_given_by_name_count_with_what_they_import(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from importlib import import_module\n")
    found = {path.name for path in library_modules(script, "deepunits.storage")}
    assert found == {"__init__.py", "storage.py", "archives.py", "layouts.py", "errors.py"}
