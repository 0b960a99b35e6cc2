"""Processes that are started in a group of their own, to be ended as a whole."""

import atexit
import contextlib
import os
import signal
import subprocess
import time

POLL = 0.02  # seconds


class Group:
    """A command and all that it starts, as one process group; its output goes to a file.

    Parameters
    ----------
    command : list of str
    output : Path
        Where standard output and standard error go.
    **options
        Given to :class:`subprocess.Popen`.
    """

    def __init__(self, command, output, **options):
        self.output = output
        with open(output, "wb") as file:
            self.process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                # A shell has what it starts in the background ignore SIGINT, and its children inherit that.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                **options,
            )
        atexit.register(self._leave_nothing)

    def _leave_nothing(self):
        """End the group where this process itself is interrupted; it would otherwise go on by itself."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    @property
    def text(self):
        """What the command has written so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, condition, timeout=600):
        """Wait until `condition` () holds; return False if the command ends first."""
        end = time.monotonic() + timeout
        while not condition():
            if self.process.poll() is not None:
                return False
            if time.monotonic() > end:
                raise TimeoutError(f"nothing in {timeout} s; {self.output} says what was done")
            time.sleep(POLL)
        return True

    def ends_within(self, seconds):
        """Return whether the command ends by itself within some seconds."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, sent=signal.SIGKILL, timeout=60):
        """Send a signal to the whole group; return the status of the command once no process of the group is left."""
        os.killpg(self.process.pid, sent)
        status = self.process.wait(timeout)
        for _ in range(round(timeout / POLL)):
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return status
            time.sleep(POLL)
        raise TimeoutError(f"processes of group {self.process.pid} outlive the signal {sent}")
