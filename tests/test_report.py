"""The report's page has what a run left and names what it did not, whatever the texts hold."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from deepunits.errors import UserError
from deepunits.paper.claims.scorecard import VERDICTS, score, statements
from deepunits.paper.report import report

ROOT = Path(__file__).parents[1]
FIGURES = {
    "figure1": {"caption": "Units & digits.", "seen": ["pseudo-digits", "modes"]},
    "figure2": {"caption": "Patches.", "seen": []},
}
TABLES = {"errors": "Errors.", "units": "Units."}


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.text += text

    def values(self, tag, attribute):
        return [found[attribute] for name, found in self.tags if name == tag and attribute in found]


@pytest.fixture
def results(tmp_path):
    """A run with one of two figures, one of two tables, the scorecard, and a dataset that is a substitute."""
    for folder in ("figures", "tables", "datasets/mnist", "explorer"):
        (tmp_path / folder).mkdir(parents=True)
    Image.fromarray(np.zeros((3, 5), dtype=np.uint8)).save(tmp_path / "figures" / "figure1.png")
    (tmp_path / "tables" / "errors.csv").write_text("error\n0.1\n")
    record = {"source": "<script>alert(1)</script> digits", "substitute": True, "shape": [3, 5]}
    record["counts"] = {"train": 7, "valid": 5, "test": 3}
    (tmp_path / "datasets" / "mnist" / "provenance.json").write_text(json.dumps(record))
    verdicts = [*VERDICTS, VERDICTS[0]]
    names = ["pseudo-digits", "modes", "a", "b", "c", "d"]
    rows = [
        {
            "statement": name,
            "section": "4.4",
            "claim": f"Claim <{name}>.",
            "value": "1",
            "verdict": verdict,
            "where": "",
        }
        for name, verdict in zip(names, verdicts, strict=True)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "scorecard.csv", index=False)
    return tmp_path


def test_what_is_there_is_shown_and_what_is_not_is_named(results):
    page = report(results, FIGURES, TABLES, "cpu", [7])
    read = Page(page)
    assert [image[:22] for image in read.values("img", "src")] == ["data:image/png;base64,"]
    (missing,) = re.findall(r'id="missing">([^<]*)<', page)
    assert [
        name for name in ("figures/figure2", "tables/units.csv", "explorer", "the record") if name not in missing
    ] == []
    assert [name for name in ("figure1", "errors", "scorecard") if name in missing] == []
    assert "tables/errors.csv" in read.values("a", "href") and "tables/units.csv" not in read.values("a", "href")
    assert "A substitute:" in read.text and "7, 5, 3" in read.text


def test_the_scorecard_is_counted_and_stands_below_the_figures_that_it_is_about(results):
    read = Page(report(results, FIGURES, TABLES))
    text = " ".join(read.text.split())
    said = r"Of 6 statements of the paper 2 hold, 1 hold in part, 1 are undecided, 1 do not hold, 1 cannot be tested"
    assert re.search(said, text)
    below = text[text.index("Is it seen?") :]
    assert "Claim <pseudo-digits>. holds" in below and "Claim <modes>. holds in part" in below
    assert "#pseudo-digits" in read.values("a", "href")
    assert {"pseudo-digits", "modes"} <= {found.get("id") for _, found in read.tags}


def test_texts_of_the_run_are_no_code_and_nothing_is_fetched(results):
    page = report(results, FIGURES, TABLES)
    read = Page(page)
    assert "script" not in {tag for tag, _ in read.tags} and "<script>alert(1)</script> digits" in read.text
    links = [found.get(name, "") for _, found in read.tags for name in ("src", "href")]
    assert [link for link in links if re.match(r"(https?:)?//", link)] == []
    assert all(read.values("img", "alt"))


def test_a_complete_run_lacks_nothing(results):
    Image.fromarray(np.zeros((3, 5), dtype=np.uint8)).save(results / "figures" / "figure2.png")
    (results / "tables" / "units.csv").write_text("dead\n1\n")
    (results / "explorer" / "index.html").write_text("")
    record = {"device": "cpu of a test", "commit": None, "stages": {"a": {"seconds": 90.0}, "b": {"seconds": 60.0}}}
    record["versions"] = {"kernels": "openblas Haswell", "python": "3", "numpy": "2", "snakemake": "9"}
    (results / "run.json").write_text(json.dumps(record))
    page = report(results, FIGURES, TABLES, "auto", [7, 8])
    text = " ".join(Page(page).text.split())
    assert 'id="missing"' not in page and "explorer/index.html" in Page(page).values("a", "href")
    assert "Seeds: 7, 8. Device: cpu of a test, kernels: openblas Haswell. The 2 stages took 2.5 minutes" in text


def test_an_empty_folder_gives_a_page_that_says_so(tmp_path):
    text = Page(report(tmp_path, FIGURES, TABLES)).text
    assert (
        "No dataset is prepared." in text and "The scorecard is not made yet." in text and "No figure is drawn" in text
    )


def test_a_scorecard_that_is_none_is_one_sentence(results):
    (results / "scorecard.csv").write_text("section,claim\n1,a\n")
    with pytest.raises(UserError, match=r"scorecard\.csv holds no column statement; delete it"):
        report(results, FIGURES, TABLES)


@pytest.mark.parametrize("record", [{}, {"stages": []}, {"stages": {"a": {}}}])
def test_a_record_that_is_none_is_one_sentence(results, record):
    (results / "run.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"run\.json is no record of a run"):
        report(results, FIGURES, TABLES)


def test_rows_of_the_scorecard_name_their_statement():
    columns = ["id", "statement", "value", "low", "high", "threshold", "verdict", "where"]
    rows = score(pd.DataFrame(columns=columns))  # nothing measured: what no run can decide is left
    assert [row["statement"] for row in rows] == [s.name for s in statements() if s.measure is None]


def test_the_statements_of_the_figures_are_declared():
    rules = (ROOT / "workflow" / "rules" / "paper" / "figures.smk").read_text(encoding="utf-8")
    named = [name for names in re.findall(r"seen=\[([^]]*)\]", rules) for name in re.findall(r'"([\w-]+)"', names)]
    assert len(named) > 20 and set(named) <= {statement.name for statement in statements()}
