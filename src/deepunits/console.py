"""What a job shows while it runs: a log file, a progress bar or readable lines, and errors in one sentence."""

import contextlib
import io
import logging
import signal
import sys
from pathlib import Path

from tqdm import tqdm

from deepunits.errors import UserError

try:
    import fcntl
except ImportError:  # not on Windows, where bars of two jobs share one line
    fcntl = None

_logger = logging.getLogger("deepunits")
_progress_logger = _logger.getChild("progress")


@contextlib.contextmanager
def job(log=None):
    """Set up logging for the body of a script, and end the script well if it fails.

    Everything logged under ``deepunits`` goes to the file `log`. Standard error gets the warnings and, where it is no
    terminal and shows no bars, the lines about progress. SIGTERM, which a cluster sends before it kills, ends a script
    as SIGINT does: what is half-written is removed, checkpoints stay.

    Parameters
    ----------
    log : path, optional
        Log file, written anew.

    Raises
    ------
    SystemExit
        With status 1, in the place of a UserError, whose one sentence has been shown. Any other exception is logged
        with its traceback and passes through.
    """
    handlers = [_stderr_handler()]
    _logger.setLevel(logging.INFO)
    _logger.addHandler(handlers[0])
    earlier = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if log is not None:
            handlers.append(_file_handler(log))
            _logger.addHandler(handlers[1])
        yield
    except UserError as error:
        _logger.error("error: %s", error)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        _logger.error("interrupted")
        raise SystemExit(130) from None
    except Exception:
        _logger.exception("the job failed")
        raise
    finally:
        signal.signal(signal.SIGTERM, earlier)
        for handler in handlers:
            _logger.removeHandler(handler)
            with contextlib.suppress(OSError):  # a full disk has no room for its last lines either
                handler.close()


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
            _progress_logger.info("%s", self._line())
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


class _StderrHandler(logging.Handler):
    """Writes lines to standard error, clear of any bar that stands there."""

    def emit(self, record):
        try:
            tqdm.write(self.format(record), file=sys.stderr)
        except Exception:
            self.handleError(record)


def _stderr_handler():
    bars = sys.stderr.isatty()

    def shown(record):  # not the tracebacks, which Python prints itself
        progress_line = record.name == _progress_logger.name and not bars
        return progress_line or (record.levelno >= logging.WARNING and not record.exc_info)

    handler = _StderrHandler()
    handler.addFilter(shown)
    return handler


class _FileHandler(logging.FileHandler):
    """Writes lines to a log, which may lose some: a full disk ends a job by its results and not by its log."""

    def handleError(self, record):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def _file_handler(path):
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handler = _FileHandler(path, mode="w", encoding="utf-8")
    except OSError as reason:
        raise UserError(
            f"{path} cannot be written ({reason.strerror}); make room or choose another directory."
        ) from reason
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    return handler
