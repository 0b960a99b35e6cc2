"""One page that opens on what a run found: what was run, the scorecard, the figures, and what is not there."""

import base64
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment

from deepunits.data.examples import load_provenance
from deepunits.errors import UserError
from deepunits.paper.claims.scorecard import VERDICTS
from deepunits.storage import load_json
from deepunits.tables import read_table

ROW = ("statement", "section", "claim", "value", "verdict", "where")  # columns of the scorecard that the page shows
# What a run leaves beside figures and tables, by what the page calls it.
PARTS = {
    "scorecard.csv": "the scorecard",
    "run.json": "the record of the run",
    "explorer/index.html": "the explorer of every unit",
}


def report(results, figures, tables, device="", seeds=()) -> str:
    """Return the page, HTML that needs nothing else; images are part of it.

    Parameters
    ----------
    results : path
        Folder of a run's results. What is not in it is named on the page.
    figures : dict of dict
        By the name of each figure, in the order of the page: ``caption``, and ``seen``, names of the statements that
        say whether it shows what the paper sees in it.
    tables : dict of str
        By the name of each table: its caption.
    device : str
        That was asked for; the record of a run that is complete says which it was.
    seeds : sequence of int
        That were run.

    Raises
    ------
    UserError
        If a file that is there cannot be read.
    """
    results = Path(results)
    rows = _scorecard(results / "scorecard.csv")
    by_name = {row["statement"]: row for row in rows}
    drawn = [
        {
            "name": name,
            "title": name.replace("_", " ").replace("figure", "Figure ").capitalize(),
            "caption": row["caption"],
            "image": _embedded(results / "figures" / f"{name}.png"),
            "seen": [by_name[statement] for statement in row["seen"] if statement in by_name],
        }
        for name, row in figures.items()
        if (results / "figures" / f"{name}.png").is_file()
    ]
    there = {name: caption for name, caption in tables.items() if (results / "tables" / f"{name}.csv").is_file()}
    missing = [what for part, what in PARTS.items() if not (results / part).is_file()]
    missing += [f"figures/{name}" for name in figures if name not in {figure["name"] for figure in drawn}]
    missing += [f"tables/{name}.csv" for name in tables if name not in there]
    template = files("deepunits.paper").joinpath("report.html").read_text(encoding="utf-8")
    return (
        Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        .from_string(template)
        .render(
            datasets=_datasets(results),
            run=_run(results / "run.json"),
            device=device,
            seeds=", ".join(map(str, seeds)),
            rows=rows,
            counted={verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICTS},
            figures=drawn,
            tables=there,
            sheets=sorted(path.relative_to(results).as_posix() for path in results.glob("sheets/*/*.png")),
            others=[path for path in ("explorer/index.html", "workflow.html") if (results / path).is_file()],
            missing=missing,
        )
    )


def _scorecard(path):
    """Return the rows of the scorecard, a list of dicts of texts; empty if there is none."""
    if not path.is_file():
        return []
    table = read_table(path, ROW)
    return table[list(ROW)].astype(object).where(table[list(ROW)].notna(), "").astype(str).to_dict("records")


def _datasets(results):
    """Return of each dataset its name, where it came from, whether it is a substitute, and how many examples it has."""
    records = {path.parent.name: load_provenance(path) for path in sorted(results.glob("datasets/*/provenance.json"))}
    return [
        {key: record.get(key) for key in ("source", "substitute", "counts")} | {"name": name}
        for name, record in records.items()
    ]


def _run(path):
    """Return what the record of the run says: device, commit, versions, and the seconds of all its stages."""
    if not path.is_file():
        return None
    record = load_json(path)
    try:
        seconds = [stage["seconds"] for stage in record["stages"].values()]
        found = {key: record[key] for key in ("device", "commit", "versions")}
        return found | {"stages": len(seconds), "minutes": sum(seconds) / 60}
    except (AttributeError, KeyError, TypeError) as reason:
        raise UserError(f"{path} is no record of a run ({reason}); delete it and run again.") from reason


def _embedded(path):
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii") if path.is_file() else ""
