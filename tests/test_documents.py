"""The documents name files that exist and targets that the Makefile has."""

import re
from pathlib import Path

import pandas as pd
import pytest

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
