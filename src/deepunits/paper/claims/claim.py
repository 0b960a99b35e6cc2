"""What a claim of the paper is: a statement, where it is measured, and the verdict on each measurement."""

import itertools
from dataclasses import dataclass
from types import SimpleNamespace

from deepunits.tables import read_table

COLUMNS = ("id", "statement", "section", "claim", "statistic", "where", "value", "low", "high", "threshold", "verdict")
WHERE = "{dataset} {model} layer {layer}"


@dataclass(frozen=True)
class Statement:
    """One statement of the paper, and how a run is measured by it.

    Attributes
    ----------
    name : str
        Such as ``unimodal``.
    section : str
        Of the paper.
    says : str
        What the paper says, in brief.
    statistic : str
        What is measured.
    threshold : str
        What the value is held against, such as ``>= 0.9``: our choice, since the paper gives no numbers.
    why : str
        Why this threshold; of a statement that no run can decide, why not.
    where : str
        The place of a measurement and what is particular of it, with fields of the case in braces.
    cases : list of dict
        The places that it is measured at: fields such as ``dataset``, ``model`` and ``layer``. ``dataset`` is always
        among them.
    reads : dict of str
        The result files that a measurement takes, by argument, with fields in braces: ``units/{dataset}/…``.
    measure : callable
        Called with the case, its seed among its attributes, and the files' paths by name. Returns the value with its
        95 % interval, (value, low, high); after these perhaps a dict of fields for the texts; or None if there is
        nothing to measure.
    """

    name: str
    section: str
    says: str
    statistic: str
    threshold: str
    why: str
    where: str
    cases: list
    reads: dict
    measure: callable

    def rows(self, files, *, seed, root="results"):
        """Yield the dataset and a row, a dict with the keys `COLUMNS`, for each case whose files are at hand.

        Parameters
        ----------
        files : collection of str
            Paths of result files.
        seed : int
        root : path
            The folder of results that they are in.
        """
        for case in self.cases:
            paths = {name: f"{root}/{template.format(**case)}" for name, template in self.reads.items()}
            at_hand = all(path in files for path in paths.values())
            found = self.measure(SimpleNamespace(**case, seed=seed), **paths) if at_hand else None
            if found is not None:
                (value, low, high), fields = found[:3], case | dict(*found[3:])
                place = "-".join(str(part) for part in (self.name, *case.values()))
                row = (
                    *(place, self.name, self.section, self.says, self.statistic, self.where.format(**fields)),
                    *(value, low, high, self.threshold, verdict(low, high, self.threshold)),
                )
                yield case["dataset"], dict(zip(COLUMNS, row, strict=True))


def statement(statements, name, section, says, statistic, threshold, why, *, cases, where=WHERE, **reads):
    """Return a decorator that declares what it is put on as the measure of a :class:`Statement`.

    It adds the statement to the list `statements`, and returns the function as it is.
    """

    def declare(measure):
        statements.append(Statement(name, section, says, statistic, threshold, why, where, cases, reads, measure))
        return measure

    return declare


def untested(statements, name, section, says, why):
    """Add a statement that no run of this workflow can decide to the list `statements`."""
    statements.append(Statement(name, section, says, "", "", why, "", [], {}, None))


def cases(**fields):
    """Return all combinations of the values of some fields, each a dict."""
    return [dict(zip(fields, values, strict=True)) for values in itertools.product(*fields.values())]


def rows_of(table, **wanted):
    """Return the rows of the ``.csv`` file `table` that have the `wanted` values, each a dict."""
    rows = read_table(table, wanted)
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows.to_dict("records")


def verdict(low, high, threshold):
    """Return ``holds``, ``fails``, or ``undecided`` if the interval reaches across the threshold."""
    relation, bound = threshold.split()
    held = [end >= float(bound) if relation == ">=" else end <= float(bound) for end in (low, high)]
    return {(True, True): "holds", (False, False): "fails"}.get(tuple(held), "undecided")
