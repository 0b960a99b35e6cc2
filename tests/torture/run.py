"""Torture the workflow and print what became of it: `make torture`. The exit status is 1 if anything was lost.

    python tests/torture/run.py                          all parts, on the configuration of `make quick`
    python tests/torture/run.py workflow --kills 5       one part, with fewer kills
    python tests/torture/run.py cluster --tiny           on the configuration of the tests, whose data are made up

The parts: training, signals, workflow, order, seed; cluster and accounting (a Slurm without and with an accounting
database), which need root and Debian's packages (slurm.sh).
"""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from torture import cluster, kills, orders  # noqa: E402

LONG = "mnist/dbn/layer1"  # trained on for some epochs, so that it can die after one


class Torture:
    """The parts, each in a folder of its own; counts what was found."""

    def __init__(self, folder, tiny, count, seed):
        self.folder, self.count, self.seed, self.lost = folder, count, seed, 0
        self.environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        self.root, self.arguments = ROOT, ["--configfile", str(ROOT / "config" / "quick.yaml")]
        if tiny:
            from test_workflow import Run

            self.root = Run(folder / "repository").folder
            self.environment["PYTHONPATH"] = str(self.root / "src")
            self.arguments = ["--configfile", "tiny.yaml"]

    def workflow(self, *targets, changes=None):
        """Return the workflow, for some targets and with changes to its configuration."""
        file = self.folder / "changes.yaml"
        file.write_text(yaml.safe_dump(changes or {}))
        return kills.Workflow(self.root, [*self.arguments, str(file)], targets, self.environment)

    def report(self, what, outcome):
        """Print the numbers of an outcome, and what differs."""
        files, arrays = outcome.compared
        print(
            f"{what}: {len(outcome.interruptions)} interruptions, {outcome.work} begun for {outcome.needed} needed, "
            f"{files} files with {arrays} arrays compared, {len(outcome.differences) or 'no'} differences"
        )
        for line in outcome.differences:
            print(f"    {line}")
        self.lost += len(outcome.differences)

    def kill_trainings(self, folder):
        for kind in ("dbn", "sdae"):
            place = folder / kind
            place.mkdir()
            outcome = kills.kill_training(place, kind, self.count, self.seed, env=self.environment)
            self.report(f"a {kind} layer killed, in epochs", outcome)

    def interrupt_trainings(self, folder):
        for sent in (signal.SIGINT, signal.SIGTERM):
            place = folder / sent.name
            place.mkdir()
            outcome, status, kept, _ = kills.interrupt_training(place, "dbn", sent, self.seed, env=self.environment)
            self.report(f"{sent.name}, status {status}, checkpoint {'kept' if kept else 'lost'}, in epochs", outcome)
            self.lost += (not kept) + (status != 130)

    def change_order(self, folder):
        self.report("other cores and order, in jobs", orders.run_in_other_order(self.workflow(), folder, self.seed))

    def change_seed(self, folder):
        for name, seed in (("one", 1), ("other", 2)):
            self.workflow("results/models/mnist/sdae/layer3.npz", changes={"seed": seed}).finish(folder / name)
        layers, same = orders.weights_in_common(folder / "one" / "results", folder / "other" / "results")
        print(f"another seed: {layers} layers, {len(same) or 'none'} with the same weights")
        self.lost += len(same) + (not layers)

    def kill_workflow(self, folder):
        started = time.monotonic()
        outcome = kills.kill_workflow(
            self.workflow(), folder, self.count, self.seed, report=lambda line: print(f"    {line}", flush=True)
        )
        self.report(f"the workflow killed, in jobs ({time.monotonic() - started:.0f} s)", outcome)

    def use_slurm(self, folder, accounting=False):
        with cluster.Slurm(folder / "slurm", accounting) as slurm:
            training = self.workflow(
                f"results/models/{LONG}.npz", changes={"models": {"mnist": {"dbn": {"layer1": {"examples": 250_000}}}}}
            )
            outcome, _ = cluster.training_dies(training, folder / "job", LONG)
            self.report("a job killed on Slurm, in epochs of its last attempt", outcome)
            outcome, _ = cluster.training_dies(
                training, folder / "node", LONG, lambda _: slurm.node_dies(), slurm.node_comes_back
            )
            self.report("a node killed on Slurm, in epochs of its last attempt", outcome)
            outcome, text = cluster.run_on_slurm(self.workflow(), folder / "whole")
            self.report("the workflow on Slurm, in jobs of Slurm", outcome)
            for rule, asked in sorted(cluster.requests(slurm, text).items()):
                print(f"    {rule}: {described(asked)}")
            on_gpu = self.workflow(f"results/models/{LONG}.npz", changes={"device": "gpu"})
            submitted, asked = cluster.ask_for_gpu(on_gpu, folder / "gpu")
            print(f"with device: gpu, {asked} of {submitted} jobs asked Slurm for a GPU")
            self.lost += submitted - asked + (not submitted)

    def use_accounting(self, folder):
        self.use_slurm(folder, accounting=True)


def described(asked):
    """Return in words what the jobs of a rule asked for."""
    return "; ".join(f"{minutes} min, {tres}" for minutes, tres in sorted(asked))


PARTS = {
    "training": Torture.kill_trainings,
    "signals": Torture.interrupt_trainings,
    "workflow": Torture.kill_workflow,
    "order": Torture.change_order,
    "seed": Torture.change_seed,
    "cluster": Torture.use_slurm,
    "accounting": Torture.use_accounting,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; or all")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="draws the points at which kills strike")
    parser.add_argument("--tiny", action="store_true", help="on the configuration of the tests")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "torture", help="is deleted first")
    given = parser.parse_args()
    if unknown := set(given.parts) - PARTS.keys():
        parser.error(f"{', '.join(unknown)} is no part; name some of {', '.join(PARTS)}")
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)
    torture = Torture(given.folder.resolve(), given.tiny, given.kills, given.seed)
    for part in given.parts or PARTS:
        place = torture.folder / part
        place.mkdir()
        PARTS[part](torture, place)
    print(f"{torture.lost or 'nothing'} lost")
    return int(torture.lost > 0)


if __name__ == "__main__":
    sys.exit(main())
