"""Jobs: log files, errors in one sentence, progress for people and for pipes."""

import contextlib
import logging
import os
import re
import subprocess
import sys
import textwrap

import pytest

from deepunits.console import job
from deepunits.errors import UserError
from deepunits.progress import progress

logger = logging.getLogger("deepunits.test")
IMPORTS = """
import logging, time
from deepunits.console import job
from deepunits.errors import UserError
from deepunits.progress import progress
"""


def run(body, **options):
    """Run Python code in a process of its own."""
    return subprocess.run([sys.executable, "-c", IMPORTS + textwrap.dedent(body)], text=True, **options)


def test_a_job_without_progress_needs_no_bars():
    code = "import sys\nfrom deepunits.console import job\nwith job():\n    print('tqdm' in sys.modules)\n"
    code += "    import logging\n    logging.getLogger('deepunits').warning('look')\n"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout == "False\n" and done.stderr == "look\n"


def test_a_user_error_is_one_line_and_status_1(tmp_path):
    log = tmp_path / "logs" / "a.log"
    body = f"with job(log={str(log)!r}):\n    raise UserError('no such digit; ask for 0 to 9.')"
    done = run(body, capture_output=True)
    assert done.returncode == 1
    assert done.stderr == "error: no such digit; ask for 0 to 9.\n"
    assert done.stdout == ""
    assert log.read_text().endswith(" error: no such digit; ask for 0 to 9.\n")


def test_a_bug_keeps_its_traceback_in_the_log_and_passes_through(tmp_path):
    log = tmp_path / "a.log"
    with pytest.raises(ZeroDivisionError), job(log=log):
        1 / 0  # noqa: B018
    assert "Traceback" in log.read_text()
    assert "ZeroDivisionError" in log.read_text()


def test_the_log_gets_everything_and_standard_error_the_warnings(tmp_path, capsys):
    log = tmp_path / "a.log"
    with job(log=log):
        logger.info("chose the cpu")
        logger.warning("a substitute is used")
    assert capsys.readouterr().err == "a substitute is used\n"
    assert [line.split(" ", 1)[1] for line in log.read_text().splitlines()] == ["chose the cpu", "a substitute is used"]


def test_a_job_leaves_no_handlers_behind(tmp_path):
    before = list(logging.getLogger("deepunits").handlers)
    with pytest.raises(SystemExit), job(log=tmp_path / "a.log"):
        raise UserError("stop.")
    assert logging.getLogger("deepunits").handlers == before


@pytest.mark.parametrize(("total", "step"), [(1000, 7), (11, 1), (3, 3), (7, 5)])
def test_piped_progress_is_a_line_a_tenth(tmp_path, capsys, total, step):
    with job(log=tmp_path / "a.log"), progress(total, "mnist dbn layer1") as bar:
        done = 0
        while done < total:
            bar.update(min(step, total - done))
            done = min(done + step, total)
    lines = capsys.readouterr().err.split("\n")
    assert lines.pop() == ""
    shares = [int(re.fullmatch(r"mnist dbn layer1: +(\d+) %, \S+ examples/s, [\d:]+ left", line)[1]) for line in lines]
    assert shares == sorted(set(shares))
    assert shares[-1] == 100
    assert len(shares) <= 10
    assert max(b - a for a, b in zip([0, *shares], shares, strict=False)) <= max(20, 100 * step // total + 1)
    assert (tmp_path / "a.log").read_text().count("examples/s") == len(shares)


def test_a_postfix_is_shown(tmp_path, capsys):
    with job(), progress(10, "layer1") as bar:
        bar.set_postfix(error=87.5)
        bar.update(10)
    assert capsys.readouterr().err.rstrip().endswith("left, error=87.5")


def on_terminal(body):
    """Run code with a terminal of 100 columns as its standard error; return what the terminal received."""
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    run(body, stderr=slave, timeout=60)
    os.close(slave)
    received = b""
    with contextlib.suppress(OSError):  # how Linux reports the end of a terminal
        while chunk := os.read(master, 65536):
            received += chunk
    os.close(master)
    return received.decode()


def test_a_terminal_shows_a_bar_with_rate_and_time_left():
    body = """
    with job(), progress(5000, "mnist dbn layer1") as bar:
        for _ in range(4):
            time.sleep(0.15)
            bar.update(1000)
    """
    shown = on_terminal(body)
    assert re.search(r"mnist dbn layer1: +\d+%\|.*\d+:\d\d<\d+:\d\d, .*k? examples/s", shown)
    assert " left" not in shown  # the lines for pipes stay away


def test_bars_of_two_jobs_have_rows_of_their_own():
    body = """
    import subprocess, sys

    def show(name):
        with progress(100, name) as bar:
            time.sleep(0.6)
            bar.update(50)

    with progress(100, "first") as bar:
        time.sleep(0.6)
        bar.update(50)
        other = "import time\\nfrom deepunits.progress import progress\\nwith progress(100, 'second') as bar:\\n"
        subprocess.run([sys.executable, "-c", other + "    time.sleep(0.6); bar.update(50)"], check=True)
    show("third")
    """
    shown = on_terminal(body).replace("\r\n", "\n")
    assert re.search(r"(^|[^\n])\rfirst: +50%", shown)
    assert re.search(r"\n\rsecond: +50%[^\n]*\x1b\[K\x1b\[1A\r", shown)
    assert re.search(r"(^|[^\n])\rthird: +50%", shown)  # takes the row that became free
