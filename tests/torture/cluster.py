"""The workflow on the Slurm that ``slurm.sh`` starts: its results, what its jobs ask for, jobs and a node that die."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from torture.kills import Outcome, differences

SCRIPT = Path(__file__).with_name("slurm.sh")
SUBMITTED = re.compile(r"Job \d+ has been submitted with SLURM jobid (\d+)")
# Seconds to the first question for the state of jobs: they are short here.
PROFILE = ["--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "4"]


class Slurm:
    """A Slurm of one node, for as long as the ``with`` block lasts.

    Parameters
    ----------
    folder : Path
    accounting : bool
        Whether it has an accounting database.
    """

    def __init__(self, folder, accounting=False):
        self.folder, self.accounting = folder, accounting

    def __enter__(self):
        self.call("up", *["accounting"] * self.accounting)
        return self

    def __exit__(self, *_):
        self.call("down")

    def call(self, command, *more):
        subprocess.run([SCRIPT, command, self.folder, *more], check=True)

    def jobs(self):
        """Return what is on record of each job that has ended, a dict of texts by Slurm's number of the job."""
        lines = (self.folder / "jobs.txt").read_text().splitlines()
        records = [dict(field.split("=", 1) for field in line.split() if "=" in field) for line in lines]
        return {record["JobId"]: record for record in records}

    def node_dies(self):
        """Kill all that runs on the node, its daemon first, so that no one can tell Slurm what became of the jobs."""
        dying = [int((self.folder / "slurmd.pid").read_text()), *processes("--exact", "slurmstepd")]
        for number in dying:  # which grows by the children of those that are in it
            dying += processes("--parent", str(number))
        kill(dying)

    def node_is(self, state):
        """Return whether the node is in a state, such as down or idle."""
        answer = subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, check=True)
        return answer.stdout.startswith(state)

    def node_comes_back(self, timeout=300):
        """Start the node's daemon again once Slurm has noticed that the node is down."""
        end = time.monotonic() + timeout
        while not self.node_is("down"):
            if time.monotonic() > end:
                raise TimeoutError(f"Slurm does not notice in {timeout} s that its node is down")
            time.sleep(1)
        self.call("node")


def processes(*arguments):
    """Return the numbers of the processes that ``pgrep`` finds."""
    found = subprocess.run(["pgrep", *arguments], capture_output=True, text=True)
    return [int(number) for number in found.stdout.split()]


def kill(numbers):
    """Kill processes, those first that come first."""
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def run_on_slurm(workflow, folder):
    """Run a workflow here, in ``whole``, and on Slurm, in ``slurm``.

    Returns
    -------
    outcome : Outcome
        Its work is the jobs that Slurm ran.
    text : str
        What Snakemake wrote.
    """
    _, _, needed = workflow.finish(folder / "whole")
    workflow.finish(folder / "slurm", *PROFILE)
    text = (folder / "slurm" / "output.txt").read_text(encoding="utf-8")
    lines, compared = differences(folder / "whole" / "results", folder / "slurm" / "results")
    lines += workflow.left_behind(folder / "slurm")
    return Outcome([], len(SUBMITTED.findall(text)), needed, compared, lines), text


def training_dies(workflow, folder, layer, strike=kill, then=lambda: None):
    """Run a training on Slurm; `strike` once it has a checkpoint, `then` do what follows, and wait.

    Parameters
    ----------
    workflow : Workflow
        Whose target is the layer.
    folder : Path
    layer : str
        The training, such as ``mnist/dbn/layer1``.
    strike, then : callable
        `strike` is given the numbers of the processes that train; by default it kills them.

    Returns
    -------
    outcome : Outcome
        Its work is the epochs that the last attempt trained.
    text : str
        What Snakemake wrote.
    """
    workflow.finish(folder / "whole")
    run = folder / "slurm"
    group = workflow.start(run, *PROFILE)
    checkpoint = run / "results" / "checkpoints" / f"{layer}.npz"
    if not group.wait_until(checkpoint.exists):
        raise RuntimeError(f"the run ended without a checkpoint:\n{group.text[-5000:]}")
    strike(processes("--full", f"{run}/.snakemake/scripts/.*pretrain_layer.py"))
    then()
    if group.process.wait(1800):
        raise RuntimeError(f"the run failed:\n{group.text[-5000:]}")
    text = group.text
    lines, compared = differences(folder / "whole" / "results", run / "results")
    lines += workflow.left_behind(run)
    needed, work = (_epochs(place, layer) for place in (folder / "whole", run))
    if work == needed:
        lines.append("the training began anew")
    return Outcome(["killed after a checkpoint"], work, needed, compared, lines), text


def _epochs(folder, layer):
    return (folder / "results" / "logs" / "models" / f"{layer}.log").read_text().count(" examples, rate ")


def ask_for_gpu(workflow, folder):
    """Run a workflow on Slurm whose configuration wants a GPU; return how many jobs were submitted and asked for one.

    The node only claims to have a GPU, so the jobs end because there is none.
    """
    group = workflow.start(folder, *PROFILE)
    group.process.wait(1800)
    numbers = SUBMITTED.findall(group.text)
    records = [subprocess.run(["scontrol", "show", "job", n], capture_output=True, text=True).stdout for n in numbers]
    return len(numbers), sum(re.search(r"TresPer\w+=gres[:/]gpu[:=]1\b", record) is not None for record in records)


def requests(slurm, text):
    """Return what jobs asked for, by rule: a set of pairs, such as ``("120", "cpu=1,mem=1500M,node=1,billing=1")``."""
    found, jobs = {}, slurm.jobs()
    for rule, number in re.findall(r"slurm_logs/rule_(\w+)/(?:[^/]*/)?(\d+)\.log\)", text):
        if number in jobs:
            found.setdefault(rule, set()).add((jobs[number]["TimeLimit"], jobs[number].get("Tres", "")))
    return found
