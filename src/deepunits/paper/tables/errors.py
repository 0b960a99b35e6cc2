"""The table of errors: those of the classifiers, beside the published ones."""

import pandas as pd

from deepunits.data.examples import load_provenance, substitute
from deepunits.paper.published import PUBLISHED, PUBLISHED_IN
from deepunits.paper.statistics import wilson_interval
from deepunits.storage import load_npz, text_of


def tabulate(classifiers, provenance, *, places, deformed, datasets):
    """Return the table.

    Parameters
    ----------
    classifiers : list of path
        ``classifier.npz`` of the `places`.
    provenance : list of path
        Of the `datasets`.
    places : list of (dataset, start)
    deformed : list of str
        The datasets whose training examples are deformed.
    datasets : list of str

    Returns
    -------
    dict
        The ``table``.
    """
    records = dict(zip(datasets, map(load_provenance, provenance), strict=True))
    measured = []
    for (dataset, start), path in zip(places, classifiers, strict=True):
        stored, counts = load_npz(path), records[dataset]["counts"]
        refit = text_of(path, stored, "metadata")["settings"]["refit"]
        used = f"{counts['train']} and then {counts['train'] + counts['valid']}" if refit else counts["train"]
        measured.append(
            {
                "dataset": dataset,
                "initialisation": start,
                "training_data": f"{used} examples{', deformed anew each time' if dataset in deformed else ''}",
                "valid_error": stored["errors"][:, 1].min(),
                "test_error": stored["test_error"],
                "test_examples": counts["test"],
                "substitute": substitute(records[dataset]),
            }
        )
    return {"table": pd.DataFrame(error_rows(measured))}


def error_rows(classifiers):
    """Return the rows of the table of errors, in per cent.

    Parameters
    ----------
    classifiers : list of dict
        Of each: ``dataset``, ``initialisation``, ``training_data``, ``valid_error`` and ``test_error`` as shares,
        ``test_examples``, and ``substitute`` (see :func:`deepunits.data.examples.substitute`).

    Returns
    -------
    list of dict
        In the same order, followed by the published errors that no classifier stands beside.
    """
    rows, beside = [], set()
    for c in classifiers:
        key = c["dataset"], c["initialisation"]
        low, high = wilson_interval(round(c["test_error"] * c["test_examples"]), c["test_examples"])
        rows.append(
            {
                "dataset": c["dataset"],
                "initialisation": c["initialisation"],
                "training_data": c["training_data"],
                "test_error": round(100 * c["test_error"], 2),
                "test_low": round(100 * low, 2),
                "test_high": round(100 * high, 2),
                "valid_error": round(100 * c["valid_error"], 2),
            }
            | _published(*key)
            | {"substitute": c["substitute"]}
        )
        beside.add(key)
    alone = [key for key in PUBLISHED if key not in beside]
    return rows + [{"dataset": dataset, "initialisation": kind} | _published(dataset, kind) for dataset, kind in alone]


def _published(dataset, initialisation):
    if (dataset, initialisation) not in PUBLISHED:
        return {}
    name, error = PUBLISHED[dataset, initialisation]
    return {"published_model": name, "published_error": error, "published_in": PUBLISHED_IN}
