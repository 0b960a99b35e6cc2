"""Where results cannot be written: one sentence, nothing half-written, and the run goes on when there is room."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepunits.data.releases import Fetched, Release
from deepunits.data.sources import Sources
from deepunits.errors import UserError
from deepunits.storage import load_npz, save_npz, write_json

ROOT = Path(__file__).parents[1]
SMALL = 2**17  # bytes of the disk
SCRIPT = """
import sys
import numpy as np
from deepunits.console import job
from deepunits.storage import save_npz
with job(log=sys.argv[2]):
    save_npz(sys.argv[1], weights=np.zeros(int(sys.argv[3])))
"""


def mounted(folder, *options):
    """Mount something at a folder, or skip the test and say why."""
    if not sys.platform.startswith("linux") or os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a file system, and only Linux has tmpfs")
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path):
    """A disk of 128 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted(folder, "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path):
    """A folder with a result in it, on a disk that then cannot be written."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted(folder, "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs")
    save_npz(folder / "earlier.npz", units=np.arange(3))
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_full_disk_leaves_the_earlier_result_and_nothing_else(disk):
    save_npz(disk / "a.npz", units=np.arange(7))
    before = (disk / "a.npz").read_bytes()
    for write in (
        lambda: save_npz(disk / "a.npz", weights=np.zeros(SMALL)),
        lambda: write_json(disk / "a.npz", "x" * 2 * SMALL),
    ):
        with pytest.raises(
            UserError, match=r"a\.npz cannot be written \(No space left on device\); make room"
        ) as error:
            write()
        assert "\n" not in str(error.value)
        assert (disk / "a.npz").read_bytes() == before and files(disk) == ["a.npz"]
    save_npz(disk / "a.npz", weights=np.zeros(7))
    assert list(load_npz(disk / "a.npz")) == ["weights"]


def test_a_disk_that_is_full_at_the_start(disk):
    """No file can even be begun on it, nor a log."""
    with open(disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError) as full:
        while True:
            filler.write(bytes(4096))
    assert full.value.errno == errno.ENOSPC
    with pytest.raises(UserError, match="cannot be written"):
        save_npz(disk / "new" / "a.npz", units=np.arange(700))
    assert files(disk) == ["filler"]
    (disk / "filler").unlink()
    save_npz(disk / "new" / "a.npz", units=np.arange(700))


def test_a_cache_without_room_costs_only_the_next_download(disk, caplog):
    Sources(cache=disk)._keep(Release("letters", ()), Fetched({"one": bytes(2 * SMALL)}, "here"))
    assert "the download is not kept" in caplog.text and "No space left" in caplog.text
    assert files(disk) == []


def run_script(folder, numbers, log):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "a.npz"), str(log), str(numbers)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )


def test_a_job_ends_in_one_sentence_and_goes_on_when_there_is_room(disk, tmp_path):
    done = run_script(disk, SMALL, tmp_path / "a.log")
    assert done.returncode == 1 and files(disk) == []
    assert done.stderr.startswith("error: ") and "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    subprocess.run(["mount", "-o", f"remount,size={32 * SMALL}", str(disk)], check=True)
    assert run_script(disk, SMALL, tmp_path / "a.log").returncode == 0 and files(disk) == ["a.npz"]


@pytest.mark.parametrize("full", ["disk", "read_only"])
def test_a_log_that_cannot_be_written_is_one_sentence_too(full, request):
    folder = request.getfixturevalue(full)
    if full == "disk":
        (folder / "filler").write_bytes(bytes(SMALL))
    done = run_script(folder, 3, folder / "logs" / "a.log")
    assert done.returncode == 1 and done.stderr.startswith("error: "), done.stderr
    assert "cannot be written" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (folder / "a.npz").exists()


def test_results_that_are_read_only_are_named_and_stay(read_only):
    before = (read_only / "earlier.npz").read_bytes()
    for path in (read_only / "earlier.npz", read_only / "new" / "a.npz"):
        with pytest.raises(UserError, match=rf"{path.name} cannot be written \(Read-only file system\)"):
            save_npz(path, units=np.arange(4))
    assert (read_only / "earlier.npz").read_bytes() == before and files(read_only) == ["earlier.npz"]
    subprocess.run(["mount", "-o", "remount,rw", str(read_only)], check=True)
    save_npz(read_only / "earlier.npz", units=np.arange(4))


def test_a_folder_without_permission_is_named(tmp_path):
    """By the attribute that holds for root, too; or by its mode for others."""
    folder = tmp_path / "closed"
    folder.mkdir()
    if os.geteuid():
        folder.chmod(0o500)
        again = ["chmod", "700"]
    else:
        if not shutil.which("chattr") or subprocess.run(["chattr", "+i", folder], capture_output=True).returncode:
            pytest.skip("root may write everywhere, and this file system has no immutable folders")
        again = ["chattr", "-i"]
    try:
        with pytest.raises(UserError, match=r"a\.npz cannot be written \((Operation not permitted|Permission denied)"):
            save_npz(folder / "a.npz", units=np.arange(3))
        assert files(folder) == []
    finally:
        subprocess.run([*again, folder], check=True)
    save_npz(folder / "a.npz", units=np.arange(3))


def test_a_file_of_limited_size_is_as_a_full_disk(tmp_path):
    """Where nothing can be mounted: the limit on a file's size fails a write halfway, as a quota does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, limits[1]))
    try:
        with pytest.raises(UserError, match=r"a\.npz cannot be written \(File too large\)"):
            save_npz(tmp_path / "a.npz", weights=np.zeros(SMALL))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files(tmp_path) == []


def test_a_result_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    save_npz(path, units=np.arange(3))
    path.chmod(0)
    if not os.geteuid():  # whom no mode stops: the system's answer to others
        monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UserError, match=r"a\.npz cannot be read \(Permission denied\)"):
        load_npz(path)


def refuse(path, *_, **__):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
