"""The documents name files that exist and targets that the Makefile has."""

import importlib
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from deepunits.paper.claims.scorecard import VERDICTS, over_seeds, statements

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), ROOT / "config" / "README.md"]
TREE = re.compile(r"`((?:src|workflow|scripts|tests|config|docs|benchmarks)/[\w./]+|[\w.]+\.(?:py|smk))`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_document_names_is_there(document):
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []
    named = [name for name in TREE.findall(text) if not (ROOT / name).exists()]
    assert [name for name in named if "/" in name or not any((ROOT / "src").rglob(name))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_targets_that_a_document_names_are_there(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(encoding="utf-8"), re.MULTILINE)
    assert [target for target in named if target not in targets] == []


COUNTS = re.compile(
    r"Of (\d+) statements.*? (\d+) hold, (\d+) hold in part, (\d+) are undecided, (\d+) do not hold and (\d+) cannot"
)


def test_the_documents_count_what_the_scorecard_counts():
    scorecard = (ROOT / "docs/scorecard.md").read_text()
    rows = re.findall(r"^\|.*\*\*(.+?)\*\*", scorecard, flags=re.MULTILINE)
    counted = [len(rows), *(rows.count(verdict) for verdict in VERDICTS)]
    for name in ("docs/scorecard.md", "README.md", "docs/deviations.md"):
        text = " ".join((ROOT / name).read_text().split())
        assert [int(number) for number in COUNTS.search(text).groups()] == counted, name


def test_the_scorecard_has_the_statements_that_are_declared():
    scorecard = (ROOT / "docs/scorecard.md").read_text()
    assert all(f"| {statement.says} |" in scorecard for statement in statements())


def test_numbers_over_five_seeds_are_those_of_the_scorecard():
    """Each value with its interval that deviations.md gives over five seeds is that of a place in seeds.csv."""
    places = over_seeds(pd.read_csv(ROOT / "docs" / "seeds.csv").assign(where=""))
    known = {tuple(f"{number:.3g}" for number in row) for row in places[["value", "low", "high"]].to_numpy()}
    text = " ".join((ROOT / "docs" / "deviations.md").read_text(encoding="utf-8").split())
    number = r"(-?[\d.]+)"
    named = re.findall(rf"over five seeds[^|\d]*{number} \[{number}, {number}\]", text)
    assert len(named) >= 15
    assert [values for values in named if values not in known] == []


def test_what_stands_beside_the_paper_is_there():
    """Every object of the library, rule, key of the configuration and statement that paper_and_code.md names exists."""
    text = (ROOT / "docs" / "paper_and_code.md").read_text(encoding="utf-8")
    objects = re.findall(r"`(deepunits\.[\w.]+)`", text)
    assert len(objects) > 50 and [name for name in objects if "torch" not in name and not resolves(name)] == []
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").rglob("*.smk"))
    known = {name for pair in re.findall(r"rule (\w+):| as (\w+) with", rules) for name in pair}
    known |= {
        f"{made}{name}" for name in re.findall(r'"(\w+)": (?:figure|table)\(', rules) for made in ("", "tabulate_")
    }
    named = re.findall(r"rule `(\w+)`", text)
    assert len(named) > 5 and [name for name in named if name not in known] == []
    known = {statement.name for statement in statements()}
    stated = re.findall(r"statements? `([\w-]+)`", text)
    assert len(stated) > 20 and [name for name in stated if name not in known] == []
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    keys = re.findall(r"(?:config|,) `(defaults\.[\w.]+)`", text)
    assert len(keys) > 10 and [key for key in keys if not has(config, key)] == []


def resolves(name):
    """Return whether a dotted name is a module or something in one; annotated fields of classes count."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return part in getattr(found, "__annotations__", {})
            found = getattr(found, part)
        return True
    return False


def has(config, key):
    """Return whether a mapping has a dotted key."""
    for part in key.split("."):
        if not isinstance(config, dict) or part not in config:
            return False
        config = config[part]
    return True
