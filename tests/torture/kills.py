"""Kill a training, or a whole run of the workflow, at random points; start it again; compare with one left alone."""

import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torture.processes import Group

from deepunits.compare import compare

TRAIN = Path(__file__).with_name("train.py")
STARTED = "computing on"  # in the log of a training
JOB = "\nJob "  # in the output of Snakemake


@dataclass
class Outcome:
    """What became of a run that was interrupted.

    Attributes
    ----------
    interruptions : list of str
        Where each one struck.
    work, needed : int
        Epochs trained or jobs begun, and how many an uninterrupted run takes.
    compared : tuple of int
        Result files and arrays compared with those of an uninterrupted run.
    differences : list of str
        What differs, and what was left behind.
    """

    interruptions: list
    work: int
    needed: int
    compared: tuple
    differences: list


def differences(first, second):
    """Return how the results in two folders differ, a list of lines, and how many files and arrays were compared."""
    lines, found = [], compare(first, second)
    while True:
        try:
            lines.append(next(found))
        except StopIteration as end:
            return lines, end.value


# One training


class Training:
    """Runs of ``train.py`` on one kind of layer, each in a folder below `folder`."""

    def __init__(self, folder, kind, seed, **options):
        self.folder, self.kind, self.seed, self.options = folder, kind, seed, options

    def start(self, name, *doom):
        """Start it in the folder `name`, or go on there."""
        self.at(name).mkdir(parents=True, exist_ok=True)
        self.log(name).unlink(missing_ok=True)
        command = [sys.executable, TRAIN, self.at(name), self.kind, self.seed, *doom]
        return Group(list(map(str, command)), self.folder / "output", **self.options)

    def finish(self, name):
        """Let it run to its end; return how many seconds the training itself took."""
        group = self.start(name)
        group.wait_until(lambda: STARTED in self.logged(name))
        started = time.monotonic()
        if group.process.wait(600):
            raise RuntimeError(f"the training failed:\n{group.text}")
        return time.monotonic() - started

    def at(self, name, file=""):
        return self.folder / name / file

    def log(self, name):
        return self.at(name, "logs/layer.log")

    def logged(self, name):
        return self.log(name).read_text(encoding="utf-8") if self.log(name).exists() else ""

    def epochs(self, name):
        """Return how many epochs the last start trained to their end."""
        return self.logged(name).count(" examples, rate ")

    def outcome(self, interruptions, work):
        """Return how the training in `killed` ended, compared with that in `whole`."""
        lines, compared = differences(self.at("whole"), self.at("killed"))
        files = (path.name for path in self.at("killed").iterdir())
        lines += [f"{name} is left" for name in files if "checkpoint" in name or "partial" in name]
        if work > self.needed + len(interruptions):
            lines.append("more was trained again than an epoch for each interruption")
        return Outcome(interruptions, work, self.needed, compared, lines)

    def whole(self):
        """Run it uninterrupted; return the seconds."""
        seconds = self.finish("whole")
        self.needed = self.epochs("whole")
        return seconds


def kill_training(folder, kind, kills, seed, **options):
    """Kill a training `kills` times, by turns within an epoch and while its checkpoint is written.

    Returns
    -------
    Outcome
    """
    rng, interruptions, work = np.random.default_rng([seed, kills]), [], 0
    training = Training(folder, kind, seed, **options)
    seconds = training.whole()
    for number in range(kills):
        if number % 2:
            count = int(rng.integers(1, training.at("whole", "layer.npz").stat().st_size))
            group, place = training.start("killed", 1 + rng.integers(2), count), f"byte {count} of a checkpoint"
        else:
            group = training.start("killed")
            group.wait_until(lambda: STARTED in training.logged("killed"))
            delay = rng.uniform(0, seconds / training.needed)
            place = f"{delay:.2f} s into training"
            if not group.ends_within(delay):
                group.end(signal.SIGKILL)
        status = group.process.wait(600)
        work += training.epochs("killed")
        if not status:
            break
        if status != -signal.SIGKILL:
            raise RuntimeError(f"a training that was killed ended otherwise, with {status}:\n{group.text}")
        interruptions.append(place)
    training.finish("killed")
    return training.outcome(interruptions, work + training.epochs("killed"))


def interrupt_training(folder, kind, sent, seed, **options):
    """Ask a training to end by the signal `sent` once it has a checkpoint, then go on.

    Returns
    -------
    outcome : Outcome
    status : int
        With which it ended.
    kept : bool
        Whether the checkpoint was there after it had ended, and nothing half-written.
    log : str
    """
    training = Training(folder, kind, seed, **options)
    training.whole()
    group = training.start("killed")
    group.wait_until(training.at("killed", "checkpoint.npz").exists)
    status = group.end(sent)
    log, work = training.logged("killed"), training.epochs("killed")
    kept = training.at("killed", "checkpoint.npz").exists() and not list(training.at("killed").glob(".*.partial"))
    training.finish("killed")
    return training.outcome([signal.Signals(sent).name], work + training.epochs("killed")), status, kept, log


# The workflow


class Workflow:
    """A workflow's runs, each in a folder of its own.

    Parameters
    ----------
    root : Path
        Where the Snakefile is.
    arguments : list of str
        Snakemake's, such as those that say which configuration.
    targets : list of str
        What is made; by default everything.
    environment : dict, optional
    """

    def __init__(self, root, arguments, targets=(), environment=None):
        self.root, self.arguments, self.targets, self.environment = root, arguments, targets, environment

    def start(self, folder, *more, cores="all", output="output.txt"):
        """Start a run in `folder`, or go on with it: always the same command."""
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--cores",
            str(cores),
            *self.arguments,
            "--directory",
            str(folder),
        ]
        folder.mkdir(parents=True, exist_ok=True)
        command += [*more, "--", *self.targets]
        return Group(command, folder / output, cwd=self.root, env=self.environment)

    def finish(self, folder, *more, cores="all"):
        """Run to the end; return the seconds until the first job began and until the end, and the jobs begun."""
        started = time.monotonic()
        group = self.start(folder, *more, cores=cores)
        group.wait_until(lambda: JOB in group.text)
        first = time.monotonic() - started
        if group.process.wait(24 * 3600):
            raise RuntimeError(f"the run in {folder} failed:\n{group.text[-5000:]}")
        return first, time.monotonic() - started, group.text.count(JOB)

    def left_behind(self, folder):
        """Return what a run that has ended should not have left in its folder."""
        results = folder / "results"
        left = [*results.rglob(".*.partial"), *results.glob("checkpoints/**/*.npz"), *folder.glob(".snakemake/locks/*")]
        lines = [f"{path.relative_to(folder)} is left" for path in left]
        again = self.start(folder, "--dry-run", output="again.txt")
        if again.process.wait(600) or "Nothing to be done" not in again.text:
            lines.append("a second run finds something to do")
        return lines


def kill_workflow(workflow, folder, kills, seed, alone="all", report=None):
    """Kill a run of a workflow `kills` times; most strike while jobs run, a quarter while Snakemake starts.

    Parameters
    ----------
    workflow : Workflow
    folder : Path
        The run left alone takes place in its folder ``whole``, the other in ``killed``.
    kills, seed : int
    alone : int or str
        Cores of the run left alone; the other has all.
    report : callable, optional
        Told of each kill.

    Returns
    -------
    Outcome
    """
    rng, interruptions, work = np.random.default_rng([seed, kills]), [], 0
    first, seconds, needed = workflow.finish(folder / "whole", cores=alone)
    for number in range(kills):
        group = workflow.start(folder / "killed")
        if number % 4 == 3:
            delay, place = rng.uniform(0, first), "after the start"
        else:
            if not group.wait_until(lambda group=group: JOB in group.text):
                break
            delay, place = rng.uniform(0, 2 * (seconds - first) / (kills + 1)), "after the first job began"
        if group.ends_within(delay):
            break
        group.end(signal.SIGKILL)
        work += group.text.count(JOB)
        interruptions.append(f"{delay:.1f} s {place}, {group.text.count(JOB)} jobs begun")
        if report:
            report(f"kill {len(interruptions)}: {interruptions[-1]}")
    _, _, rest = workflow.finish(folder / "killed")
    lines, compared = differences(folder / "whole" / "results", folder / "killed" / "results")
    return Outcome(interruptions, work + rest, needed, compared, lines + workflow.left_behind(folder / "killed"))
