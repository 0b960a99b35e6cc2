"""Time every heavy stage beside its matrix products alone and beside what one would otherwise use.

    make bench                                    everything, on the kernels that the libraries pick
    python benchmarks/run.py --kernels own Haswell    and again on others: Haswell's are those of AVX2
    python benchmarks/run.py --only rbm           the stages whose name has these letters; nothing is written
    python benchmarks/run.py --table              the results of the last measurement as tables, in Markdown

Each number is a median over repeats in which the contestants take turns, after a check that their results agree. What
counts are the ratios: "of bound" is the time of the matrix products alone that the textbook form of the stage takes,
each one a call of matmul, over the time of the stage, which passes 100 % where products are joined or saved; "of peak"
the rate at which the stage gets through those products over that of 2048³ products; a peer's ratio is its time over
that of the stage. benchmarks/results has them as <cpu|gpu>.json and, as tables, <cpu|gpu>.md.
"""

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import finetuning
import numpy as np
import pretraining
import stream
import tables
import units
from harness import confine, machine, measure, peak, rate_of
from kernels import AS_SET, OWN, default_choice, environment_for, kernels_in_use, restrictions
from peers import Peers
from threadpoolctl import threadpool_limits

from deepunits.backend import choose_device
from deepunits.storage import write_json, write_text

RESULTS = Path(__file__).parent / "results"
VIEWS = Path(__file__).parent / "views.py"


def measured_here(arguments, xp):
    """Return the record of a measurement in this process, on the kernels that it has."""
    confine(arguments.threads, xp)
    peers = Peers(xp, arguments.threads)
    for name, reason in peers.left_out.items():
        print(f"{name} is left out: {reason}.", flush=True)
    with threadpool_limits(arguments.threads):
        rate, rows = peak(xp, arguments.threads), []
        about = {
            "machine": machine(xp, arguments.threads),
            "date": datetime.date.today().isoformat(),
            "asked_for": arguments.asked_for,
            "restricted_by": restrictions(),
            **kernels_in_use(),
            "peer_instructions": peers.instructions(),
            "peak_gflops": round(rate / 1e9, 1),
            "peer_peak_gflops": {
                name: round(rate / 1e9, 1)
                for name, rate in peers.rates(2048, lambda run: rate_of(run, 2048, xp, arguments.threads)).items()
            },
            "left_out": peers.left_out,
        }
        print(tables.description(about), flush=True)
        for stage in (pretraining, finetuning, units, stream):
            for name, set_up in stage.cases(xp, peers):
                if arguments.only.lower() in name.lower():
                    case = set_up()
                    rows.append(tables.row(case, measure(case, arguments.repeats, xp, arguments.threads), rate))
                    print(tables.lines(rows[-1:])[-1], flush=True)
    return about | {"rows": rows}


def measured_apart(script, choice, arguments):
    """Return what `script` measures in a process of its own, on the kernels of that name."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "record.json"
        command = [sys.executable, str(script), "--write", str(answer)]
        command += ["--repeats", str(arguments.repeats), "--threads", str(arguments.threads)]
        if script != VIEWS:
            command += ["--asked-for", choice, "--device", "cpu", "--only", arguments.only]
        subprocess.run(command, env=environment_for(choice, arguments.threads), check=True)
        return json.loads(answer.read_text())


def with_other_runs(record, earlier):
    """Return `record` with the runs of an `earlier` one on kernels and threads that it has none of."""
    measured = {tables.heading(run) for run in record["runs"]}
    others = [run for run in earlier["runs"] if tables.heading(run) not in measured]
    return earlier | record | {"runs": sorted(record["runs"] + others, key=tables.heading)}


def save(record, name):
    """Put `record` among the results, where it takes the place of what was measured on the same kernels."""
    path = RESULTS / f"{name}.json"
    if path.exists():
        record = with_other_runs(record, json.loads(path.read_text()))
    write_json(path, record)
    write_text(path.with_suffix(".md"), tables.report(record))


def parse():
    parser = argparse.ArgumentParser(description="Time the heavy stages beside their bound and their peers.")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["auto", "cpu", "gpu"], default="auto")
    parser.add_argument(
        "--kernels", nargs="+", default=default_choice(), metavar="NAME",
        help=f"of the CPU's linear algebra, one measurement each: {OWN}, which the library picks; {AS_SET}, to which "
        "the environment holds it; or a name of OpenBLAS's, such as Haswell. Both of the former unless given.",
    )  # fmt: skip
    parser.add_argument("--only", default="", help="letters in the name of the stages to time; nothing is written then")
    parser.add_argument("--table", action="store_true", help="print the results of the last measurement, and stop")
    parser.add_argument("--asked-for", help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = parse()
    if arguments.table:
        for path in sorted(RESULTS.glob("[cg]pu.json")):
            print(tables.summary(json.loads(path.read_text())))
        return
    xp = choose_device(arguments.device)
    if arguments.write:
        write_json(arguments.write, measured_here(arguments, xp))
        return
    name, record = "cpu" if xp is np else "gpu", {"runs": []}
    if xp is np:
        for variable, value in restrictions().items():
            print(f"The environment restricts the kernels: {variable}={value}.")
    for choice in arguments.kernels if xp is np else [OWN]:
        run = measured_apart(__file__, choice, arguments) if xp is np else measured_here(arguments, xp)
        record["runs"].append(run)
        if not arguments.only:
            save(record, name)
    if xp is np and arguments.only.lower() in "views of a pytorch module":
        views = measured_apart(VIEWS, arguments.kernels[0], arguments)
        if any(row["by"] != "ours" for row in views["rows"]):  # alone they compare nothing
            record["views"] = views
            if not arguments.only:
                save(record, name)
    print(tables.summary(record))


if __name__ == "__main__":
    main()
