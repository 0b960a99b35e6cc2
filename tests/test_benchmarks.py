"""The benchmark: a stage agrees with its peers and is timed, and a measurement leaves those of other machines."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

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


def test_a_stage_is_timed_beside_its_products_and_named_with_the_kernels():
    command = [sys.executable, BENCHMARKS / "run.py", "--only", "clamped", "--repeats", "1", "--kernels", "as-set"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    title, _, row = done.stdout.strip().splitlines()[-3:]
    assert row.startswith("| clamped Gibbs | 324 rows, 100 steps | ")
    assert title.startswith("| stage | size | of the bound, ")
    assert 0.05 < float(row.split("|")[3].strip(" %")) / 100 < 3
