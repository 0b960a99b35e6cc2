"""The benchmark: a stage agrees with its peers and is timed, and a measurement leaves those of other machines."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return import_module("run")


def measured(kernels, threads, date):
    machine = {"device": "cpu", "threads": threads}
    return {"kernels": kernels, "instructions": "AVX2", "machine": machine, "date": date}


def test_a_measurement_takes_the_place_of_those_on_its_kernels_and_threads_alone(benchmark):
    earlier = {"runs": [measured("Haswell", 1, "old"), measured("SkylakeX", 1, "old")], "views": "kept"}
    record = {"runs": [measured("Haswell", 1, "new"), measured("Haswell", 2, "new")]}
    joined = benchmark.with_other_runs(record, earlier)
    found = [(run["kernels"], run["machine"]["threads"], run["date"]) for run in joined["runs"]]
    assert found == [("Haswell", 1, "new"), ("Haswell", 2, "new"), ("SkylakeX", 1, "old")]
    assert joined["views"] == "kept"


@pytest.mark.parametrize(("beyond", "takes_part"), [("X86_V4 AVX512_ICL", False), ("", True)])
def test_a_peer_that_cannot_be_held_to_other_instructions_is_left_out(benchmark, monkeypatch, beyond, takes_part):
    settings = {}
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(config=SimpleNamespace(update=settings.__setitem__)))
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", beyond)
    peers = import_module("peers").Peers()
    assert (peers.jax is not None) == bool(settings) == takes_part
    assert peers.left_out.get("JAX") == (None if takes_part else "its products cannot be held to AVX2")


def test_a_stage_is_timed_beside_its_products_and_named_with_the_kernels():
    command = [sys.executable, BENCHMARKS / "run.py", "--only", "clamped", "--repeats", "1", "--kernels", "as-set"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    title, _, row = done.stdout.strip().splitlines()[-3:]
    assert row.startswith("| clamped Gibbs | 324 rows, 100 steps | ")
    assert title.startswith("| stage | size | of the bound, ")
    assert 0.05 < float(row.split("|")[3].strip(" %")) / 100 < 3


def test_each_measurement_is_kept_when_it_ends(benchmark, monkeypatch, tmp_path):
    monkeypatch.setattr(benchmark, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run.py", "--kernels", "Haswell", "Zen"])

    def measured_until_it_fails(script, choice, arguments):
        if choice == "Zen":
            raise subprocess.CalledProcessError(1, "run.py")
        about = {"library": "openblas", "peak_gflops": 1, "restricted_by": {}, "peer_peak_gflops": {}, "left_out": {}}
        run = measured(choice, 1, "today") | about | {"rows": []}
        run["machine"] |= {"processor": "one", "cores": 1, "versions": {}}
        return run

    monkeypatch.setattr(benchmark, "measured_apart", measured_until_it_fails)
    with pytest.raises(subprocess.CalledProcessError):
        benchmark.main()
    assert [run["kernels"] for run in json.loads((tmp_path / "cpu.json").read_text())["runs"]] == ["Haswell"]
    assert "# Haswell (AVX2)" in (tmp_path / "cpu.md").read_text()
