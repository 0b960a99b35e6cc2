"""Kills and interruptions in short; `make torture` has the long form."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_workflow import Run
from torture import kills

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}


@pytest.mark.parametrize("kind", ["dbn", "sdae"])
def test_a_killed_training_ends_with_the_same_bits(kind, tmp_path):
    """Killed within epochs and while a checkpoint is written."""
    outcome = kills.kill_training(tmp_path, kind, 4, seed=1, env=ENVIRONMENT)
    assert len(outcome.interruptions) == 4
    assert outcome.needed <= outcome.work <= outcome.needed + 4  # an epoch lost with each, at most
    assert outcome.differences == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_ends_cleanly_and_keeps_its_checkpoint(sent, tmp_path):
    outcome, status, kept, log = kills.interrupt_training(tmp_path, "dbn", sent, seed=1, env=ENVIRONMENT)
    assert (status, kept) == (130, True)
    assert log.endswith(" interrupted\n") and "Traceback" not in log
    assert outcome.work == outcome.needed  # no epoch was trained twice
    assert outcome.differences == []


def test_a_killed_run_ends_with_the_same_bits_after_the_same_command(tmp_path):
    run = Run(tmp_path / "repository")
    environment = os.environ | {"PYTHONPATH": str(run.folder / "src")}
    targets = ["results/units/silhouettes/sdae/layer1/activation_maximization.npz"]
    workflow = kills.Workflow(run.folder, ["--configfile", "tiny.yaml"], targets, environment)
    outcome = kills.kill_workflow(workflow, tmp_path, 2, seed=1, alone=1)
    assert len(outcome.interruptions) == 2
    assert outcome.compared[0] == 6  # examples, provenance, statistics, a layer, its history and its maxima
    assert outcome.differences == []


# The lock of a run that is no more


LOCK = "import sys, recovery; print(recovery.clear_stale_lock(sys.argv[1]), flush=True); sys.stdin.read()"


class Process:
    """A run as far as its lock goes, until it is killed."""

    def __init__(self, folder):
        environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
        self.process = subprocess.Popen([sys.executable, "-c", LOCK, str(folder)], **pipes)
        self.cleared = self.process.stdout.readline() == "True\n"
        self.lock = folder / "locks" / f"{self.process.pid}.output.lock"

    def __enter__(self):
        self.lock.parent.mkdir(exist_ok=True)
        self.lock.touch()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def test_a_lock_goes_when_its_process_has_been_killed_and_no_sooner(tmp_path):
    with Process(tmp_path) as first:
        with Process(tmp_path) as second:
            assert not first.cleared and not second.cleared
        with Process(tmp_path) as third:  # the first is still there
            assert not third.cleared
        assert first.lock.exists() and second.lock.exists()
    with Process(tmp_path) as fourth:
        assert fourth.cleared and not first.lock.exists()


def test_the_lock_of_another_machine_is_left_alone(tmp_path):
    """Its kernel's locks may not be seen here."""
    with Process(tmp_path):
        pass
    (tmp_path / "machine").write_text("login2")
    for _ in range(2):
        with Process(tmp_path) as other:
            assert not other.cleared


def test_the_record_names_the_kernels():
    """OpenBLAS has those of any older processor of the same make, too."""
    code = "import numpy; from deepunits.record import versions; print(versions()['kernels'])"
    for kernels in ("Nehalem", "Haswell"):
        environment = ENVIRONMENT | {"OPENBLAS_CORETYPE": kernels}
        used = [
            subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
            for command in ([sys.executable, "-c", code], [sys.executable, ROOT / "tests" / "kernels_in_use.py"])
        ]
        assert used[0] == f"openblas {used[1]}"
