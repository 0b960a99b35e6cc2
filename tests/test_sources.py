"""Getting files: the first source that has them, verified, or one sentence that says what to do."""

import gzip
import hashlib
import http.server
import io
import logging
import os
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile

import pytest

from deepunits.data import sources as module
from deepunits.data.releases import File, Release, Unavailable, verified
from deepunits.data.sources import Sources
from deepunits.errors import UserError

ONE, TWO = b"seven bytes and some more", bytes(range(256)) * 11


def file(name, content):
    return File(name, f"sha256:{hashlib.sha256(content).hexdigest()}")


def release(**places):
    return Release("letters", (file("one", ONE), file("two", TWO)), **places)


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    for name in ("DEEPUNITS_DATA", "DEEPUNITS_CACHE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "mine"
    path.mkdir()
    (path / "one").write_bytes(ONE)
    (path / "two").write_bytes(TWO)
    return path


@pytest.fixture
def server(tmp_path):
    """Serve the folder ``served`` on this machine; yield its address for a mirror, and the requests made."""
    served, requests = tmp_path / "served", []
    served.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=served)

        def log_message(self, *args):
            requests.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/{{name}}.gz", requests
        running.shutdown()


def serve(tmp_path, **contents):
    for name, content in contents.items():
        (tmp_path / "served" / f"{name}.gz").write_bytes(content)


def test_files_of_the_user_plain_or_gzipped_in_the_folder_or_in_the_one_named_after_the_dataset(folder, cache):
    assert Sources(folder, cache).fetch(release()).contents == {"one": ONE, "two": TWO}
    (folder / "one").unlink()
    (folder / "letters").mkdir()
    (folder / "letters" / "one.gz").write_bytes(gzip.compress(ONE))
    fetched = Sources(folder, cache).fetch(release())
    assert fetched.contents == {"one": ONE, "two": TWO}
    assert fetched.obtained == "the data directory"
    assert not cache.exists()


def test_the_environment_names_folder_and_cache_where_the_configuration_does_not(folder, cache, monkeypatch):
    monkeypatch.setenv("DEEPUNITS_DATA", str(folder))
    monkeypatch.setenv("DEEPUNITS_CACHE", str(cache))
    assert Sources().fetch(release()).contents["one"] == ONE
    assert Sources().cache_folder == cache
    assert Sources("elsewhere", "there").user_folder.name == "elsewhere"
    assert Sources("elsewhere", "there").cache_folder.name == "there"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"mistyped does not exist; correct data\.directory"):
        Sources(tmp_path / "mistyped", tmp_path).fetch(release())


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(TWO[:-1], id="cut short"),
        pytest.param(TWO[:100] + b"!" + TWO[101:], id="altered byte"),
        pytest.param(b"", id="empty"),
        pytest.param(gzip.compress(TWO)[:-9], id="gzip cut short"),
        pytest.param(gzip.compress(TWO)[:-8] + bytes(8), id="gzip with a wrong checksum"),
        pytest.param(b"\x1f\x8b" + TWO, id="no gzip at all"),
    ],
)
def test_a_damaged_file_of_the_user_is_named_and_never_passed_over(folder, cache, damaged):
    """Though the cache has a good one: the user would think that the own file was used."""
    (cache / "letters").mkdir(parents=True)
    for name, content in (("one", ONE), ("two", TWO)):
        (cache / "letters" / name).write_bytes(content)
    (folder / "two").write_bytes(damaged)
    with pytest.raises(UserError, match=rf"{folder}/two is .*; replace it or take it away\.") as caught:
        Sources(folder, cache).fetch(release())
    assert not isinstance(caught.value, Unavailable)


def test_what_a_file_should_hold_can_be_known_in_place_of_its_bytes():
    upper = File("one", f"md5:{hashlib.md5(ONE.upper()).hexdigest()}", digested=bytes.upper)
    assert verified(ONE, upper, "here") == ONE
    with pytest.raises(UserError, match="here is cut short, altered or another file"):
        verified(ONE[1:], upper, "here")

    def refuse(content):
        raise UserError("it holds no letters; write some.")

    with pytest.raises(UserError, match="here cannot be used: it holds no letters; write some"):
        verified(ONE, File("one", "md5:0", digested=refuse), "here")


def test_a_download_is_verified_and_kept(server, tmp_path, cache):
    address, requests = server
    serve(tmp_path, one=gzip.compress(ONE), two=gzip.compress(TWO))
    sources = Sources(cache=cache)
    fetched = sources.fetch(release(mirrors=(address,)))
    assert fetched.contents == {"one": ONE, "two": TWO}
    assert fetched.obtained.startswith("http://127.0.0.1")
    assert requests == ["/one.gz", "/two.gz"]
    again = sources.fetch(release(mirrors=(address,)))
    assert again.contents == fetched.contents and again.obtained == "the download cache"
    assert len(requests) == 2


def test_the_next_mirror_is_asked_for_what_one_lacks_or_has_wrong(server, tmp_path, cache):
    address, requests = server
    serve(tmp_path, one=gzip.compress(ONE), two=gzip.compress(ONE))
    second = address.replace("{name}", "second-{name}")
    serve(tmp_path, **{"second-two": gzip.compress(TWO)})
    closed = f"http://127.0.0.1:{free_port()}/{{name}}"
    fetched = Sources(cache=cache).fetch(release(mirrors=(closed, address, second)))
    assert fetched.contents == {"one": ONE, "two": TWO}
    assert requests == ["/one.gz", "/two.gz", "/two.gz", "/two.gz", "/second-two.gz"]


def test_a_transfer_that_breaks_off_is_tried_again(cache):
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = {"/one": ONE, "/two": TWO}[self.path]
            requests.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:7] if len(requests) == 1 else content)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}/{{name}}"
        assert Sources(cache=cache).fetch(release(mirrors=(address,))).contents == {"one": ONE, "two": TWO}
        running.shutdown()
    assert requests == ["/one", "/one", "/two"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_damaged_file_in_the_cache_is_fetched_again(server, tmp_path, cache, caplog):
    address, _ = server
    serve(tmp_path, one=gzip.compress(ONE), two=gzip.compress(TWO))
    sources = Sources(cache=cache)
    sources.fetch(release(mirrors=(address,)))
    (cache / "letters" / "two").write_bytes(TWO[:-3])
    assert sources.fetch(release(mirrors=(address,))).contents["two"] == TWO
    assert "fetched again" in caplog.text and "two is cut short" in caplog.text
    assert (cache / "letters" / "two").read_bytes() == TWO


def test_a_cache_that_cannot_be_written_only_warns(server, tmp_path, caplog):
    address, _ = server
    serve(tmp_path, one=gzip.compress(ONE), two=gzip.compress(TWO))
    (tmp_path / "file").write_text("in the way")
    fetched = Sources(cache=tmp_path / "file" / "cache").fetch(release(mirrors=(address,)))
    assert fetched.contents == {"one": ONE, "two": TWO}
    assert "the download is not kept" in caplog.text


def test_readers_of_the_cache_see_whole_files_while_two_runs_write_it(cache):
    big = os.urandom(1_000_003)
    bulky, fetched = Release("bulky", (file("big", big),)), module.Fetched({"big": big}, "here")
    keep = f"Sources(cache={str(cache)!r})._keep(Release('bulky', ()), Fetched({{'big': bytes(1_000_003)}}, ''))"
    imports = "from deepunits.data.releases import Fetched, Release\nfrom deepunits.data.sources import Sources"
    other = f"{imports}\nfor _ in range(50): {keep}"
    writer = subprocess.Popen([sys.executable, "-c", other])
    seen = set()
    while writer.poll() is None:
        Sources(cache=cache)._keep(bulky, fetched)
        seen.add((cache / "bulky" / "big").read_bytes())
    assert writer.returncode == 0
    assert seen <= {big, bytes(1_000_003)}
    assert [path.name for path in (cache / "bulky").iterdir()] == ["big"]


def test_a_machine_without_a_network_is_told_at_once_what_to_put_where(cache, monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setenv("PATH", "")
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        mirrors = ("https://one.example/{name}", "https://two.example/{name}")
        Sources(cache=cache).fetch(release(mirrors=mirrors, packages={"npm": "letters@1.0.0"}))
    assert time.monotonic() - started < 3
    assert str(caught.value) == (
        "the files of letters cannot be had (directory: no folder is given; "
        f"cache: {cache}/letters has no one; "
        "mirrors: one.example cannot be reached, two.example cannot be reached; "
        "npm: there is no npm here); "
        "put one and two into a folder and set data.directory or DEEPUNITS_DATA to it."
    )


def test_only_the_sources_of_the_configuration_are_asked_and_in_its_order(folder, cache, server, tmp_path):
    address, requests = server
    serve(tmp_path, one=gzip.compress(ONE), two=gzip.compress(TWO))
    both = release(mirrors=(address,))
    assert Sources(folder, cache, ("mirrors", "directory")).fetch(both).obtained.startswith("http")
    requests.clear()
    with pytest.raises(Unavailable, match=r"had \(directory"):
        Sources(None, cache, ("directory",)).fetch(both)
    assert not requests


def npm_that_packs(tmp_path, monkeypatch, contents):
    """Put an ``npm`` first on the path that packs a prepared archive, as the real one does."""
    tools = tmp_path / "tools"
    tools.mkdir()
    with tarfile.open(tools / "packed", "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    npm = tools / "npm"
    npm.write_text(f'#!/bin/sh\n[ "$1 $2" = "pack letters@1.0.0" ] && cp {tools}/packed letters-1.0.0.tgz\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)


def test_an_npm_package_is_unpacked_and_verified(tmp_path, cache, monkeypatch):
    npm_that_packs(tmp_path, monkeypatch, {"one": ONE, "two": TWO, "three": b"not asked for"})
    packaged = release(packages={"npm": "letters@1.0.0"})
    fetched = Sources(cache=cache).fetch(packaged)
    assert fetched.contents == {"one": ONE, "two": TWO}
    assert fetched.obtained == "the npm package letters@1.0.0"
    assert (cache / "letters" / "two").read_bytes() == TWO


@pytest.mark.parametrize(
    "contents, sentence",
    [
        ({"one": ONE}, "letters@1.0.0 has no two"),
        ({"one": ONE, "two": ONE}, "two of the package letters@1.0.0 is cut short, altered or another file"),
    ],
)
def test_an_npm_package_with_other_files_is_not_used(tmp_path, cache, monkeypatch, contents, sentence):
    npm_that_packs(tmp_path, monkeypatch, contents)
    with pytest.raises(Unavailable, match=sentence):
        Sources(cache=cache).fetch(release(packages={"npm": "letters@1.0.0"}))
    assert not cache.exists()


@pytest.mark.parametrize(
    "damage", [lambda archive: archive[:40], lambda archive: archive[: len(archive) // 2], lambda archive: b"no"]
)
def test_an_npm_package_that_arrives_damaged_is_not_used(tmp_path, cache, monkeypatch, damage):
    npm_that_packs(tmp_path, monkeypatch, {"one": ONE, "two": TWO})
    packed = tmp_path / "tools" / "packed"
    packed.write_bytes(damage(packed.read_bytes()))
    with pytest.raises(Unavailable, match="the package letters@1.0.0 arrived damaged"):
        Sources(cache=cache).fetch(release(packages={"npm": "letters@1.0.0"}))


def test_an_npm_that_fails_is_quoted(tmp_path, cache, monkeypatch):
    (tmp_path / "npm").write_text("#!/bin/sh\necho 'npm error network request failed' >&2\nexit 1\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(Unavailable, match="npm: npm error network request failed"):
        Sources(cache=cache).fetch(release(packages={"npm": "letters@1.0.0"}))


def test_a_wheel_is_fetched_by_pip_without_its_dependencies(tmp_path, cache, monkeypatch):
    pytest.importorskip("pip")
    wheel = tmp_path / "letters-1.0-py3-none-any.whl"
    info = "letters-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("letters/one", ONE)
        metadata = ("Metadata-Version: 2.1", "Name: letters", "Version: 1.0", "Requires-Dist: there-is-no-such-package")
        tags = ("Wheel-Version: 1.0", "Generator: us", "Root-Is-Purelib: true", "Tag: py3-none-any")
        archive.writestr(f"{info}/METADATA", "\n".join(metadata))
        archive.writestr(f"{info}/WHEEL", "\n".join(tags))
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    content = wheel.read_bytes()
    packaged = Release("letters", (file(wheel.name, content),), packages={"pypi": "letters==1.0"})
    assert Sources(cache=cache).fetch(packaged).contents == {wheel.name: content}
    missing = Release("letters", packaged.files, packages={"pypi": "letters==2.0"})
    with pytest.raises(Unavailable, match="pypi: ERROR: .*letters==2.0"):
        Sources(cache=tmp_path / "empty").fetch(missing)


def test_a_package_manager_that_hangs_is_given_up(tmp_path, cache, monkeypatch):
    (tmp_path / "npm").write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(module, "PACKAGE_TIMEOUT", 0.2)
    with pytest.raises(Unavailable, match="npm takes more than 0.2 s"):
        Sources(cache=cache).fetch(release(packages={"npm": "letters@1.0.0"}))


def test_a_substitute_is_announced_or_forbidden(caplog):
    reason = Unavailable("the files of letters cannot be had; write some.")
    with caplog.at_level(logging.WARNING, "deepunits"):
        Sources().allow_substitute(reason, "a set of numbers")
    assert "write some. Until then a set of numbers takes its place" in caplog.text
    with pytest.raises(Unavailable, match="write some"):
        Sources(substitutes="forbid").allow_substitute(reason, "a set of numbers")


def test_a_record_says_what_was_used(folder, cache):
    record = (
        Sources(folder, cache).fetch(release()).record("letters", source="Letters of 1998", version="1", licence="MIT")
    )
    assert record == {
        "dataset": "letters",
        "source": "Letters of 1998",
        "obtained": "the data directory",
        "version": "1",
        "licence": "MIT",
        "files": {"one": hashlib.sha256(ONE).hexdigest(), "two": hashlib.sha256(TWO).hexdigest()},
        "substitute": False,
        "reason": None,
    }
