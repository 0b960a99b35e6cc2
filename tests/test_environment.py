"""What is declared once per tool says the same everywhere: pyproject.toml, environment.yml, the locks, CITATION.cff."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from dependencies import library_modules
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import deepunits

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
BUILD = PROJECT["dependency-groups"]["build"]
RUN = PROJECT["project"]["dependencies"] + EXTRAS["workflow"]
LOCKED = RUN + EXTRAS["slurm"] + EXTRAS["dev"] + EXTRAS["docs"]
OPTIONAL = {"cupy", "safetensors", "torch"}  # the extras gpu and torch
IMPORT_NAMES = {"PIL": "pillow", "sklearn": "scikit-learn", "skimage": "scikit-image", "yaml": "pyyaml"}

# A conda match specification as environment files write it: a lower-case name, then versions joined by commas.
CONDA_VERSION = r"(?:>=|<=|==|!=|>|<|=)\d+(?:\.\d+)*(?:\.\*)?"
CONDA_SPEC = re.compile(rf"(?P<name>[a-z0-9][a-z0-9._-]*)(?: +(?P<versions>{CONDA_VERSION}(?:,{CONDA_VERSION})*))?")


def parse_requirements(texts):
    """Return {canonical name: version specifiers} of PEP 508 requirements."""
    return {canonicalize_name(r.name): r.specifier for r in map(Requirement, texts)}


def parse_conda(specs):
    """Return {name: version specifiers} of conda match specifications, each name once."""
    parsed = {}
    for spec in specs:
        match = CONDA_SPEC.fullmatch(spec)
        assert match, f"{spec!r} is no conda match specification"
        assert match["name"] not in parsed, f"{match['name']} stands there twice"
        parsed[match["name"]] = SpecifierSet(match["versions"] or "")
    return parsed


def parse_lock(path):
    """Return {canonical name: (requirement, hashes)} of a pip requirements file with hashes."""
    entries = path.read_text().replace("\\\n", " ").splitlines()
    lines = [line.partition("#")[0] for line in entries if line.strip() and not line.lstrip().startswith("#")]
    locked = {}
    for line in lines:
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        requirement = Requirement(requirement)
        assert canonicalize_name(requirement.name) not in locked, f"{requirement.name} is locked twice in {path.name}"
        locked[canonicalize_name(requirement.name)] = (requirement, hashes)
    return locked


def imported_modules(paths):
    """Return the names of the top-level modules that Python files import."""
    names = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module.partition(".")[0])
    return names


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text())


def test_conda_environment_has_the_shape_that_conda_reads(environment):
    assert set(environment) == {"name", "channels", "dependencies"}
    assert environment["name"] == PROJECT["project"]["name"]
    assert environment["channels"] and all(isinstance(channel, str) for channel in environment["channels"])
    assert environment["channels"][0] == "conda-forge"
    # A pip section with a path of its own would fail in the copies of the file that Snakemake makes environments from.
    assert all(isinstance(spec, str) for spec in environment["dependencies"])


def test_conda_environment_says_what_pyproject_says(environment):
    conda = parse_conda(environment["dependencies"])
    assert conda.pop("python") == SpecifierSet(PROJECT["project"]["requires-python"])
    wanted = parse_requirements(RUN + EXTRAS["dev"])
    # An environment file cannot say "on Linux only", and without nvrtc only the tests that compile by it are skipped.
    del wanted["nvidia-cuda-nvrtc-cu12"]
    assert conda == wanted


@pytest.mark.parametrize("spec", ["numpy>=2.0,", "numpy >=2.0 # odd", "Numpy >=2", "numpy >2 <3", "numpy ~>2", "-e ."])
def test_malformed_conda_specification_is_refused(spec):
    with pytest.raises(AssertionError, match="no conda match specification"):
        parse_conda([spec])


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [("build", BUILD), ("cpu", LOCKED), ("gpu", LOCKED + EXTRAS["gpu"])],
)
def test_lock_pins_every_requirement_within_its_bounds(lock, requirements):
    locked = parse_lock(ROOT / "requirements" / f"{lock}.txt")
    for name, bounds in parse_requirements(requirements).items():
        assert name in locked, f"{name} is not in {lock}.txt: run `make lock`"
        (pin,) = locked[name][0].specifier
        assert pin.operator == "==" and Version(pin.version) in bounds, f"{name} {pin} is outside {bounds}"


@pytest.mark.parametrize("lock", ["build", "cpu", "gpu"])
def test_lock_is_hashed_and_names_no_address(lock):
    path = ROOT / "requirements" / f"{lock}.txt"
    assert "://" not in path.read_text()
    for name, (requirement, hashes) in parse_lock(path).items():
        assert requirement.url is None
        assert [pin.operator for pin in requirement.specifier] == ["=="], f"{name} is not pinned"
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), f"{name}: {hashes}"


def test_gpu_lock_is_the_cpu_lock_and_more():
    cpu, gpu = (parse_lock(ROOT / "requirements" / f"{lock}.txt") for lock in ("cpu", "gpu"))
    nvrtc = [lock.pop("nvidia-cuda-nvrtc-cu12")[0] for lock in (cpu, gpu)]
    assert nvrtc[0].specifier == nvrtc[1].specifier  # but not the markers: CuPy asks for it on Windows too
    assert {name: str(gpu[name][0]) for name in cpu} == {name: str(entry[0]) for name, entry in cpu.items()}
    assert "cupy-cuda12x" in gpu.keys() - cpu.keys()


def test_build_lock_has_the_build_backend():
    assert parse_requirements(PROJECT["build-system"]["requires"]).items() <= parse_requirements(BUILD).items()


@pytest.mark.parametrize(("folder", "extras"), [("src", []), ("scripts", []), ("workflow", []), ("tests", ["dev"])])
def test_every_imported_package_is_declared(folder, extras):
    declared = parse_requirements(RUN + [r for extra in extras for r in EXTRAS[extra]])
    own = {path.stem for path in ROOT.glob("[rstw]*/*")}
    for name in imported_modules((ROOT / folder).rglob("*.py")) - own - OPTIONAL - sys.stdlib_module_names:
        assert IMPORT_NAMES.get(name, name) in declared, f"{folder} imports {name}, which pyproject.toml does not name"


def test_what_the_library_gives_by_name_needs_no_extra():
    homes = {module for module, _ in deepunits._FOUND.values()}
    found = imported_modules(library_modules(Path(deepunits.__file__), *homes))
    needed = parse_requirements(PROJECT["project"]["dependencies"])
    asked = {IMPORT_NAMES.get(name, name) for name in found - OPTIONAL - sys.stdlib_module_names - {"deepunits"}}
    assert asked == set(needed)


def test_citation_states_the_version_licence_and_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == deepunits.__version__
    assert citation["license"] == PROJECT["project"]["license"]
    (paper,) = citation["references"]
    assert (paper["number"], paper["year"]) == ("1355", 2010)
    assert [author["family-names"] for author in paper["authors"]] == ["Erhan", "Courville", "Bengio"]
