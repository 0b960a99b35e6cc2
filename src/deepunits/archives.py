"""Opening what may be damaged or made to harm: gzip, zip, tar and .npy files. Nothing is unpacked to disk.

A file is refused with :class:`Damaged`, which says what is wrong and leaves the name of the file to the caller. No
more memory is taken than a file declares, and it may declare no more than `LARGEST` or a hundred times its own size.
"""

import contextlib
import gzip
import io
import math
import tarfile
import zipfile
from functools import partial

import numpy as np

from deepunits.errors import UserError

LARGEST = 2**28  # bytes that packed data may become, if they are not at least a hundredth of that themselves
GROWTH = 100
PART = 2**20  # bytes unpacked at a time
PLAIN = "biufcSU"  # kinds of arrays that hold no objects, records or dates
NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Damaged(UserError):
    """A file is not of its kind, is damaged, or would become too large: a phrase without the file's name."""


@contextlib.contextmanager
def decoding(kind):
    """Refuse, as no sound `kind`, what a decoder fails on: damaged bytes can make one raise anything."""
    try:
        yield
    except UserError:
        raise
    except Exception as reason:
        raise Damaged(f"it is no sound {kind}: {_briefly(reason)}") from reason


def gunzip(content):
    """Return the bytes that the gzip file `content` holds, or `content` itself if it is none."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    with decoding("gzip file"), gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        return _unpacked(file, limit(len(content)))


@contextlib.contextmanager
def opened_zip(file):
    """Open a zip archive, a path or a binary file, as a ``ZipFile``; what fails inside the block says it is damaged."""
    with decoding("zip archive"), zipfile.ZipFile(file) as archive:
        if len(set(archive.namelist())) < len(archive.namelist()):
            raise Damaged("it holds two members of one name")
        for member in archive.infolist():
            if member.file_size > limit(member.compress_size):
                raise Damaged(f"its {member.filename} would become {member.file_size} bytes")
        yield archive


def read_tar(content, names):
    """Return the bytes of regular files in a tar archive, perhaps gzipped, by their names without folders.

    A name in `names` that the archive lacks, or that is a link there, is not among what is returned.
    """
    plain = gunzip(content)
    with decoding("tar archive"), tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
        # A sparse file has no bytes in the archive for most of those that it becomes.
        members = {m.name.rsplit("/", 1)[-1]: m for m in archive if m.isreg() and not m.issparse()}
        return {name: archive.extractfile(members[name]).read() for name in names if name in members}


def read_npz(path):
    """Return the arrays of the ``.npz`` file `path` by name: numbers or texts, never objects."""
    with open(path, "rb") as file, opened_zip(file) as archive:
        arrays = {}
        for member in archive.infolist():
            opener = partial(archive.open, member)
            arrays[member.filename.removesuffix(".npy")] = read_npy(opener, member.file_size)
        return arrays


def read_npy(opener, size):
    """Return the array of a ``.npy`` file.

    Parameters
    ----------
    opener : callable
        Opens the file, as bytes, at its start.
    size : int
        How many bytes it has. The array has to fill them, so that none is made that the file does not hold.
    """
    with decoding(".npy file"), opener() as file:
        version = np.lib.format.read_magic(file)
        if version not in NPY_HEADERS:
            raise Damaged(f"it is of version {version}, which is unknown")
        shape, _, dtype = NPY_HEADERS[version](file)
        if dtype.kind not in PLAIN or not dtype.itemsize:
            raise Damaged(f"it holds {dtype} where numbers or texts are expected")
        held = size - file.tell()
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != held:
            raise Damaged(f"it has {held} bytes for an array of {dtype} of shape {str(shape)[:50]}")
    with decoding(".npy file"), opener() as file:  # anew, because going back could leave a checksum out
        return np.lib.format.read_array(file, allow_pickle=False)


def limit(packed):
    """Return how many bytes so many `packed` ones may become."""
    return max(LARGEST, GROWTH * packed)


def _unpacked(file, most):
    """Return the bytes that are read from `file`, no more than `most`."""
    parts, size = [], 0
    while part := file.read(PART):
        parts.append(part)
        size += len(part)
        if size > most:
            raise Damaged(f"it would become more than {most} bytes")
    return b"".join(parts)


def _briefly(reason):
    """Return the first line of an error, no longer than a sentence needs; its kind if it says nothing."""
    return next(iter(str(reason).splitlines()), "")[:150] or type(reason).__name__
