"""The progress of a job: a bar on the terminal that jobs share, or readable lines."""

import io
import logging
import sys

from tqdm import tqdm

from deepunits.console import PROGRESS

try:
    import fcntl
except ImportError:  # not on Windows, where bars of two jobs share one line
    fcntl = None


def progress(total, description, unit="examples"):
    """Return a progress display: a bar on a terminal, elsewhere a line in the log at every tenth of the way.

    Parameters
    ----------
    total : int
    description : str
        What is going on, such as ``"mnist dbn layer1"``.
    unit : str
        What is counted.

    Returns
    -------
    object
        A context manager with ``update(n)``, ``set_postfix(name=value, ...)`` and ``close()``.
    """
    return _Progress(total, description, unit)


class _Progress(tqdm):
    """A bar that also logs every tenth, and that keeps a row of its own among the jobs that share a terminal."""

    def __init__(self, total, description, unit):
        self.row = _Row() if sys.stderr.isatty() else None
        self.tenths = 0
        super().__init__(
            total=total,
            desc=description,
            unit=f" {unit}",
            unit_scale=True,
            leave=False,
            dynamic_ncols=True,
            file=io.StringIO() if self.row is None else sys.stderr,
        )

    def update(self, n=1):
        drawn = super().update(n)
        tenths = 10 * self.n // self.total
        if tenths > self.tenths:
            self.tenths = tenths
            logging.getLogger(PROGRESS).info("%s", self._line())
        return drawn

    def _line(self):
        meter = self.format_dict
        rate = meter["rate"] or self.n / max(meter["elapsed"], 1e-9)
        left = self.format_interval((self.total - self.n) / rate)
        share = f"{100 * self.n // self.total:3d} %"
        postfix = f", {self.postfix}" if self.postfix else ""
        return f"{self.desc}: {share}, {self.format_sizeof(rate)}{self.unit}/s, {left} left{postfix}"

    def display(self, msg=None, pos=None):
        if self.row is None:
            return
        text = str(self) if msg is None else msg
        # One write, so that the output of another job cannot come between the steps of the cursor.
        down, up = "\n" * self.row.number, f"\x1b[{self.row.number}A" if self.row.number else ""
        self.fp.write(f"{down}\r{text}\x1b[K{up}\r")
        self.fp.flush()

    def close(self):
        super().close()
        if self.row is not None:
            self.row.release()


class _Row:
    """The first row of the terminal, counted from the cursor, that no other job's bar holds."""

    def __init__(self):
        self.number = 0
        while fcntl is not None and not self._lock():
            self.number += 1

    def _lock(self):
        """Lock the byte of the terminal that stands for the row; no file is written, and the process's end frees it."""
        try:
            fcntl.lockf(sys.stderr, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self.number)
        except BlockingIOError:
            return False
        return True

    def release(self):
        if fcntl is not None:
            fcntl.lockf(sys.stderr, fcntl.LOCK_UN, 1, self.number)
