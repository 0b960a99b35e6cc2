"""The scorecard: one row for each statement of the paper, made of its measurements."""

from importlib import import_module

import pandas as pd
from scipy import stats

from deepunits.paper.claims.claim import verdict

SECTIONS = (
    "techniques",
    "section4",
    "comparison",
    "remarks",
    "section5",
    "section6",
)  # the modules that declare statements
VERDICTS = ("holds", "holds in part", "undecided", "does not hold", "cannot be tested here")
NAMED = 4  # places that are named at most


def statements():
    """Return all statements in the order of the paper's sections."""
    declared = [s for name in SECTIONS for s in import_module(f"deepunits.paper.claims.{name}").STATEMENTS]
    return sorted(declared, key=lambda statement: statement.section)


def over_seeds(measured):
    """Return one row for each place: its mean over seeds, with an interval over units and seeds.

    Of several seeds the interval is the wider, at either end, of the mean of those over units and of Student's 95 %
    interval for the mean over seeds.

    Parameters
    ----------
    measured : pandas.DataFrame
        With the columns of a claim's rows (:data:`deepunits.paper.claims.claim.COLUMNS`), and perhaps ``seed``.
    """
    if "seed" not in measured:
        return measured
    rows = []
    for _, found in measured.groupby("id", sort=False):
        value, low, high = found[["value", "low", "high"]].mean()
        if len(found) > 1:
            found = found.assign(where=found["where"].str.partition(" (")[0])  # what stands in brackets is of one run
            half = stats.t.ppf(0.975, len(found) - 1) * found["value"].std() / len(found) ** 0.5
            low, high = min(low, value - half), max(high, value + half)
        row = dict(found.iloc[0]) | {"value": value, "low": low, "high": high}
        rows.append(row | {"verdict": verdict(low, high, row["threshold"])})
    return pd.DataFrame(rows)


def score(measured):
    """Return one row for each statement that was measured, and for each that no run can decide.

    Parameters
    ----------
    measured : pandas.DataFrame
        As in :func:`over_seeds`.

    Returns
    -------
    list of dict
        ``statement``, its name, ``section``, ``claim``, ``statistic``, ``threshold``, ``why``, ``value``, ``verdict``,
        one of `VERDICTS`, and ``where``: in how many places and in which not.
    """
    rows, measured = [], over_seeds(measured)
    for statement in statements():
        places = measured[measured["statement"] == statement.name]
        row = {"statement": statement.name, "section": statement.section, "claim": statement.says}
        row |= {"statistic": statement.statistic, "threshold": statement.threshold, "why": statement.why}
        if statement.measure is None:
            rows.append(row | {"value": "", "verdict": VERDICTS[-1], "where": ""})
        elif len(places):
            decided, where = _verdict(places)
            rows.append(row | {"value": _value(places), "verdict": decided, "where": where})
    return rows


def _value(places):
    """Return the value and its interval, or, of several places, from the least to the greatest."""
    if len(places) == 1:
        return _interval(places.iloc[0])
    return f"{places['value'].min():.3g} … {places['value'].max():.3g}"


def _interval(place):
    return f"{place['value']:.3g} ({place['low']:.3g} … {place['high']:.3g})"


def _verdict(places):
    """Return the verdict on a statement, and where it holds and where not.

    It is undecided if it holds nowhere, but an interval reaches across the threshold.
    """
    held, count = (places["verdict"] == "holds"), len(places)
    if held.all():
        return VERDICTS[0], f"in all {count} places" if count > 1 else places["where"].item()
    if not held.any():
        decided = VERDICTS[2 if (places["verdict"] == "undecided").any() else 3]
        return decided, f"in any of {count} places" if count > 1 else places["where"].item()
    against = places[~held]
    named = [f"{place['where']}: {_interval(place)}" for _, place in against.head(NAMED).iterrows()]
    more = f" and {len(against) - NAMED} more" if len(against) > NAMED else ""
    return VERDICTS[1], f"in {held.sum()} of {count} places; not in {'; '.join(named)}{more}"


def as_markdown(rows, substitutes, seeds=()):
    """Return the scorecard in Markdown.

    Parameters
    ----------
    rows : list of dict
        Of :func:`score`.
    substitutes : dict of str
        By dataset: what stands in for it, if anything does.
    seeds : sequence of int
        That were run, if there are several.
    """
    counted = [sum(row["verdict"] == verdict for row in rows) for verdict in VERDICTS]
    over = f"units and over the seeds {', '.join(map(str, seeds))}" if seeds else "units"
    lines = [
        f"Of {len(rows)} statements of the paper {counted[0]} hold, {counted[1]} hold in part, {counted[2]} are "
        f"undecided, {counted[3]} do not hold and {counted[4]} cannot be tested.",
        "",
        f"A statement holds in a place if the whole 95 % interval over {over} is on the right side of the threshold. "
        "The thresholds are our choice, since the paper gives no numbers. `claims.csv` has every place.",
        "",
        "| § | the paper says | measured by | value | threshold, and why | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        threshold = row["threshold"].replace(">=", "≥").replace("<=", "≤")
        why = f"{threshold}: {row['why']}" if threshold else row["why"]
        decided = f"**{row['verdict']}** {row['where']}".strip()
        cells = (row["section"], row["claim"], row["statistic"], row["value"], why, decided)
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"{dataset} is a substitute: {what}." for dataset, what in substitutes.items() if what]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"
