"""The lock that a killed run leaves behind, which Snakemake cannot tell from one in use. The kernel can."""

import contextlib
import platform
import shutil
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows, where `snakemake --unlock` removes the lock
    fcntl = None

_held = []  # files whose locks last as long as this process, however it ends


def clear_stale_lock(folder=".snakemake"):
    """Remove Snakemake's lock on the working directory if the run that made it has ended.

    Each run shares a lock of the kernel for as long as it lives, so a run that has it for itself is the only one. Some
    file systems of clusters do not pass such locks on to other machines: what another machine locked is left alone.

    Parameters
    ----------
    folder : path
        Where Snakemake keeps its records.

    Returns
    -------
    bool
        Whether there was such a lock.
    """
    locks, removed = Path(folder, "locks"), False
    with contextlib.suppress(OSError):  # such as one of a file system without locks: Snakemake then says what to do
        Path(folder).mkdir(parents=True, exist_ok=True)
        file = open(Path(folder, "machine"), "a+", encoding="utf-8")
        _held.append(file)
        if fcntl is not None and _alone(file):
            file.seek(0)
            machine, locked = file.read(), any(locks.glob("*.lock"))
            if locked and machine == platform.node():
                shutil.rmtree(locks)
                removed = True
            elif not locked:
                file.truncate(0)
                file.write(platform.node())
                file.flush()
            fcntl.flock(file, fcntl.LOCK_SH)
    return removed


def _alone(file):
    """Return whether no other process holds the kernel's lock on `file`; take it, or a share of it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(file, fcntl.LOCK_SH)
        return False
    return True
