"""Time every heavy stage beside its matrix products alone and beside what one would otherwise use.

    make bench                              everything, a few minutes
    python benchmarks/run.py --only rbm     the stages whose name has these letters
    python benchmarks/run.py --repeats 9    more repeats

Each number is a median over repeats in which the contestants take turns, after a check that their results agree. What
counts are the ratios: "of bound" is the time of the matrix products alone that the textbook form of the stage takes,
each one a call of matmul, over the time of the stage, which passes 100 % where products are joined or saved; "of peak"
the rate at which the stage gets through those products over that of 2048³ products; a peer's ratio is its time over
that of the stage. benchmarks/results has them as <cpu|gpu>.json and, as a table, <cpu|gpu>.md.
"""

import argparse
from pathlib import Path

import finetuning
import numpy as np
import pretraining
import stream
import units
from harness import import_torch, machine, measure, peak
from threadpoolctl import threadpool_limits

from deepunits.backend import choose_device
from deepunits.storage import write_json, write_text

RESULTS = Path(__file__).parent / "results"


def row(case, seconds, rate):
    """Return the record of a measured case; `rate` is the machine's peak."""
    ours = seconds["ours"]
    return {
        "stage": case.stage,
        "shape": case.shape,
        "milliseconds": round(1000 * ours, 3),
        "share_of_bound": round(seconds["bound"] / ours, 3) if case.bound else None,
        "share_of_peak": round(case.flops / ours / rate, 3) if case.bound else None,
        "ratio_to": {name: round(seconds[name] / ours, 2) for name in case.peers},
    }


def table(rows):
    """Return the rows as a table in Markdown."""
    lines = ["| stage | size | ms | of bound | of peak | time of the peer over ours |", "|---|---|---|---|---|---|"]
    for r in rows:
        shares = ["" if r[key] is None else f"{100 * r[key]:.0f} %" for key in ("share_of_bound", "share_of_peak")]
        peers = ", ".join(f"{name} {ratio:.2f}" for name, ratio in r["ratio_to"].items())
        lines.append(f"| {r['stage']} | {r['shape']} | {r['milliseconds']:.1f} | {' | '.join(shares)} | {peers} |")
    return "\n".join(lines) + "\n"


def description(record):
    """Return the machine of a record in a line."""
    about = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"{about['processor']}, device {about['device']}, {about['threads']} of {about['cores']} cores, "
        f"{record['peak_gflops']:.0f} GFLOP/s at 2048³; {versions}; {', '.join(about['linear algebra'])}.\n"
    )


def main():
    parser = argparse.ArgumentParser(description="Time the heavy stages beside their bound and their peers.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["auto", "cpu", "gpu"], default="auto")
    parser.add_argument("--only", default="", help="letters in the name of the stages to time; nothing is written then")
    arguments = parser.parse_args()
    xp = choose_device(arguments.device)
    torch = import_torch(arguments.threads, xp)
    if torch is None:
        print("PyTorch is missing or cannot use the device, so its ratios are left out: pip install '.[bench]'")
    with threadpool_limits(arguments.threads):
        rate, rows = peak(xp, arguments.threads), []
        for stage in (pretraining, finetuning, units, stream):
            for name, set_up in stage.cases(xp, torch):
                if arguments.only.lower() in name.lower():
                    case = set_up()
                    rows.append(row(case, measure(case, arguments.repeats, xp, arguments.threads), rate))
                    print(table(rows[-1:]).splitlines()[-1], flush=True)
        record = {"machine": machine(xp, arguments.threads), "peak_gflops": round(rate / 1e9, 1), "rows": rows}
    print(description(record))
    if not arguments.only:
        name = "cpu" if xp is np else "gpu"
        write_json(RESULTS / f"{name}.json", record)
        write_text(RESULTS / f"{name}.md", description(record) + "\n" + table(rows))


if __name__ == "__main__":
    main()
