"""Mirrors that misbehave: the next source, or one clear sentence, within a bounded time. Only 127.0.0.1 is asked."""

import gzip
import hashlib
import http.server
import socket
import struct
import threading
import time
import zlib

import pytest

from deepunits import archives
from deepunits.data import sources as module
from deepunits.data.releases import File, Release, Unavailable
from deepunits.data.sources import Sources

CONTENT = bytes(range(256)) * 11
FILE = File("letters", f"sha256:{hashlib.sha256(CONTENT).hexdigest()}")
WAIT = 0.4  # seconds that a mirror is waited for, here
ENOUGH = 8  # seconds in which any of them has to be given up on a busy machine


@pytest.fixture(autouse=True)
def short_of_patience(monkeypatch):
    """Wait less than usual, and never ask through a proxy."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "DEEPUNITS_DATA", "DEEPUNITS_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "TIMEOUT", (WAIT, WAIT))
    monkeypatch.setattr(module, "LONGEST", 4 * WAIT)
    for limited in (module, archives):
        monkeypatch.setattr(limited, "LARGEST", 2**22)


class Misbehaving(http.server.BaseHTTPRequestHandler):
    """A mirror that does with each request what its first folder says."""

    def do_GET(self):
        self.server.asked.append(self.path)
        try:
            getattr(self, self.path.split("/")[1])()
        except OSError:  # the other side has had enough
            pass

    def answer(self, content, length=None, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not False:
            self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def sound(self):
        self.answer(CONTENT)

    def hangs_before_it_answers(self):
        self.server.closing.wait(ENOUGH)

    def hangs_within_the_file(self):
        self.answer(CONTENT[:100], length=len(CONTENT))
        self.server.closing.wait(ENOUGH)

    def sends_a_byte_now_and_then(self):
        self.answer(b"", length=len(CONTENT))
        while not self.server.closing.wait(WAIT / 3):
            self.wfile.write(b"a")
            self.wfile.flush()

    def sends_headers_without_an_end(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.server.closing.wait(WAIT / 3):
            self.wfile.write(b"a")
            self.wfile.flush()

    def cuts_off(self):
        self.answer(CONTENT[:100], length=len(CONTENT))

    def resets(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def serves_a_page(self):
        self.answer(b"<html>Please log in</html>")

    def serves_another_file(self):
        self.answer(CONTENT[::-1])

    def serves_nothing(self):
        self.answer(b"")

    def speaks_nonsense(self):
        self.wfile.write(b"\x00\xff" * 300 + b"\r\n\r\n")

    def claims_too_much(self):
        self.answer(CONTENT, length=2**60)

    def is_missing(self):
        self.answer(b"gone", status=404)

    def is_broken(self):
        self.answer(b"broken", status=503)

    def sends_on_to_a_file(self):
        self.answer(b"", status=302, Location="file:///etc/passwd")

    def sends_on_to_another_scheme(self):
        self.answer(b"", status=302, Location="gopher://127.0.0.1/letters")

    def sends_on_to_nowhere(self):
        self.answer(b"", status=302, Location="http://")

    def sends_on_to_itself(self):
        self.answer(b"", status=302, Location=self.path)

    def sends_without_an_end(self):
        self.answer(b"", length=False)
        while not self.server.closing.is_set():
            self.wfile.write(bytes(2**16))

    def sends_a_gzip_bomb(self):
        self.answer(bomb())

    def sends_an_encoded_bomb(self):
        self.answer(bomb(), Content_Encoding="gzip")

    def sends_damaged_gzip(self):
        self.answer(gzip.compress(CONTENT)[:-9])

    def sends_damaged_encoding(self):
        self.answer(b"no gzip at all", Content_Encoding="gzip")

    def log_message(self, *_):
        pass


def bomb(size=2**33):
    """Return a gzip file that becomes so many zeros; a block that starts anew can be repeated."""
    packer, block = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(2**24)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + packed * (size // len(block)) + packer.flush()


FAULTS = [name for name in vars(Misbehaving) if name.split("_")[0] in ("hangs", "sends", "serves", "is", "claims")]
FAULTS += ["cuts_off", "resets", "speaks_nonsense"]


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving) as running:
        running.daemon_threads, running.asked, running.closing = True, [], threading.Event()
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.closing.set()
        running.shutdown()


def release(server, *faults):
    address = f"http://127.0.0.1:{server.server_port}"
    return Release("letters", (FILE,), mirrors=tuple(f"{address}/{fault}/{{name}}" for fault in faults))


@pytest.mark.parametrize("fault", FAULTS)
def test_one_sentence_in_bounded_time(server, tmp_path, fault):
    started = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        Sources(cache=tmp_path / "cache").fetch(release(server, fault))
    assert time.monotonic() - started < ENOUGH
    sentence = str(refused.value)
    assert "127.0.0.1" in sentence and "\n" not in sentence and "put letters into a folder" in sentence
    assert not (tmp_path / "cache").exists() and "root:" not in sentence


def test_the_next_mirror_is_asked(server, tmp_path):
    server.asked.clear()
    faults = ("hangs_before_it_answers", "cuts_off", "sends_on_to_a_file", "serves_a_page", "sound", "is_broken")
    fetched = Sources(cache=tmp_path / "cache").fetch(release(server, *faults))
    assert fetched.contents == {"letters": CONTENT} and "/sound/" in fetched.obtained
    assert (tmp_path / "cache" / "letters" / "letters").read_bytes() == CONTENT
    assert not [path for path in server.asked if path.startswith("/is_broken")]


def test_a_mirror_that_refuses_is_passed_over_at_once(server, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}/{{name}}"
        both = Release("letters", (FILE,), mirrors=(closed, release(server, "sound").mirrors[0]))
        assert Sources(cache=tmp_path / "cache").fetch(both).contents == {"letters": CONTENT}


@pytest.mark.parametrize("address", ["file:///etc/passwd#{name}", "gopher://127.0.0.1/{name}", "nothing/{name}"])
def test_a_mirror_of_another_scheme_is_never_opened(tmp_path, address):
    with pytest.raises(Unavailable):
        Sources(cache=tmp_path / "cache").fetch(Release("letters", (FILE,), mirrors=(address,)))
