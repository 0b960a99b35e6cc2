"""What is installed is known, and the workflow asks nobody but its named sources."""

import csv
import os
import shutil
import subprocess
import sys
from importlib import metadata

import numpy as np
import yaml
from test_environment import ROOT, parse_lock
from test_workflow import Run

from deepunits.data.mnist import RELEASE

LOCKS = ("build", "cpu", "gpu")
NO_NETWORK = ["unshare", "--net"]  # before a command, which then has no network whatever program it is
# Fails whatever would leave the machine, and writes down that it tried.
WATCH = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        target = arguments[-1] if event == "socket.connect" else arguments[0]
        if event == "socket.connect" and isinstance(target, (str, bytes)):
            return  # a socket of this machine
        host = str(target[0] if isinstance(target, tuple) else target)
        if host.startswith("127.") or host in ("localhost", "::1", "", "None", os.uname().nodename):
            return
        with open(os.environ["CONNECTIONS"], "a") as file:
            file.write(f"{event} {arguments}\\n")
        raise OSError("there is no network here")

sys.addaudithook(watch)
"""


def licences():
    with open(ROOT / "requirements" / "licences.csv", encoding="utf-8", newline="") as file:
        return {row["package"]: row for row in csv.DictReader(file)}


def test_the_licence_of_each_locked_package_is_listed():
    locked = {}
    for lock in LOCKS:
        for name, (requirement, _) in parse_lock(ROOT / "requirements" / f"{lock}.txt").items():
            [pin] = requirement.specifier
            locked[name] = pin.version
    table = licences()
    assert {name: row["version"] for name, row in table.items()} == locked, "run python requirements/licences.py"
    assert all(row["licence"] not in ("", "UNKNOWN") for row in table.values())


def test_the_licences_are_what_the_packages_say():
    """Of those that are installed; one of another version may have changed it."""
    sys.path.insert(0, str(ROOT / "requirements"))
    try:
        from licences import licence
    finally:
        sys.path.pop(0)
    compared = 0
    for name, row in licences().items():
        try:
            same = metadata.version(name) == row["version"]
        except metadata.PackageNotFoundError:
            continue
        if same and (stated := licence(name)):
            assert stated == row["licence"], name
            compared += 1
    assert compared or not licences()


def watched(folder):
    """Return an environment whose every Python process writes down and fails each connection beyond the machine."""
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(WATCH)
    return {"PYTHONPATH": os.pathsep.join([str(site), str(folder / "src")]), "CONNECTIONS": str(folder / "connections")}


def test_the_watch_sees_a_connection(tmp_path):
    environment = os.environ | watched(tmp_path)
    for code in (
        "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
        "import requests; requests.get('http://packages.example/', timeout=1)",
    ):
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert done.returncode and "there is no network here" in done.stderr
    assert len((tmp_path / "connections").read_text().splitlines()) >= 2
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())"
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


def test_with_the_data_given_nothing_is_asked_of_the_network(tmp_path, monkeypatch):
    """From the data to a sheet of the units; no program has a network, where the system lets us take it away."""
    run = Run(tmp_path / "run")
    rng = np.random.default_rng(0)
    np.savez(run.folder / "mine.npz", images=rng.random((60, 7, 5)), labels=np.arange(60) % 3)
    layer = {"units": 36, "examples": 200, "batch": 20}
    mine = {
        "datasets": {"mine": {"reader": "images", "path": "mine.npz"}},
        "models": {"mine": {"small": {"kind": "sdae", "layers": 1, "each": layer}}},
        "units": {"mine": {"invariance": {"epsilons": 3}}},
        "data": {"sources": ["directory", "cache"]},
    }
    for name, value in watched(run.folder).items():
        monkeypatch.setenv(name, value)
    targets = ["results/sheets/mine/small.png", "results/datasets/silhouettes/examples.npz"]
    done = snakemake(run, mine, *targets, within=NO_NETWORK if can_be_alone() else [])
    assert done.returncode == 0, done.stdout
    assert all((run.folder / target).exists() for target in targets)
    asked = run.folder / "connections"
    assert not asked.exists(), asked.read_text()


def can_be_alone():
    """Return whether a program can be run without a network here."""
    return bool(shutil.which("unshare")) and subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode == 0


def test_without_the_data_only_the_named_sources_are_asked(tmp_path, monkeypatch):
    """Every address that is asked for is one of a mirror of the dataset."""
    run = Run(tmp_path / "run")
    for name, value in watched(run.folder).items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    config = {"data": {"sources": ["mirrors"], "cache": "cache", "substitutes": "forbid"}}
    done = snakemake(run, config, "results/datasets/mnist/examples.npz")
    assert done.returncode and "the files of mnist cannot be had (mirrors: " in done.stdout
    hosts = {address.split("/")[2] for address in RELEASE.mirrors}
    asked = (run.folder / "connections").read_text().splitlines()
    assert asked and all(any(host in line for host in hosts) for line in asked), asked


def snakemake(run, config, *targets, within=()):
    (run.folder / "changes.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "tiny.yaml", "changes.yaml", "--"]
    return subprocess.run(
        [*within, *command, *targets],
        cwd=run.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,  # on a busy machine
    )
