"""What a job shows while it runs: a log file, readable lines, and errors in one sentence."""

import contextlib
import logging
import signal
import sys
from pathlib import Path

from deepunits.errors import UserError

PROGRESS = "deepunits.progress"  # the logger of its lines
_logger = logging.getLogger("deepunits")


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


class _StderrHandler(logging.Handler):
    """Writes lines to standard error, clear of any bar that stands there."""

    def emit(self, record):
        tqdm = sys.modules.get("tqdm")  # which is loaded if a bar stands there
        try:
            (tqdm.tqdm.write if tqdm else print)(self.format(record), file=sys.stderr)
        except Exception:
            self.handleError(record)


def _stderr_handler():
    bars = sys.stderr.isatty()

    def shown(record):  # not the tracebacks, which Python prints itself
        progress_line = record.name == PROGRESS and not bars
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
