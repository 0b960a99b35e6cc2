"""Files that are made to harm: what each claims, hides or would run, and the reader that is given it."""

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile
import zlib

import numpy as np
from corpus import (
    ARRAYS,
    IMAGES,
    LINES,
    PROVENANCE,
    WHEEL,
    deflated,
    idx,
    mat,
    npy,
    npz,
    packed,
    picture,
    tarred,
    within_npz,
)

from deepunits.data import mnist_rot, silhouettes

HUGE = 3 * 2**30  # bytes that bombs become
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 11\n%%EndComments\nshowpage\n"


class Runs:
    """Pickles to a call of os.system."""

    def __reduce__(self):
        import os

        return os.system, ("true",)


def zeros(size, start=b""):
    """Return `start` and so many zeros, deflated, without checksums: a block that can be repeated."""
    packer, block = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(2**24)
    begun = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return begun + again * (size // len(block)) + packer.flush()


def gzip_bomb():
    """Return a gzip file that becomes HUGE."""
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + zeros(HUGE) + struct.pack("<II", 0, HUGE)


def bomb_in_zip(name):
    """Return a zip archive in which a member is truthfully declared to become HUGE."""
    raw = zeros(HUGE)
    sizes = struct.pack("<III", 0, len(raw), HUGE)
    local = b"PK\3\4" + struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + struct.pack("<HH", len(name), 0) + name + raw
    central = b"PK\1\2" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + sizes
    central += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0) + name
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def header(text, data=b"", version=(1, 0)):
    """Return the bytes of a .npy file with any text as its header."""
    text = text.encode() + b"\n"
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + data


def described(descr="'<f4'", shape="(3,)", fortran="False"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


def objects():
    content = io.BytesIO()
    np.savez(content, weights=np.array([Runs(), {}], dtype=object))
    return content.getvalue()


def with_bytes(content, old, new):
    """Return the bytes with each `old`, of which there must be some, replaced."""
    assert old in content
    return content.replace(old, new)


def central(content, offset, value, width=2):
    """Return a zip archive with a field of each central header changed."""
    at = content.index(b"PK\1\2")
    while at >= 0:
        content = content[: at + offset] + value.to_bytes(width, "little") + content[at + offset + width :]
        at = content.find(b"PK\1\2", at + 4)
    return content


def linked(kind, target):
    """Return a tar archive in which the file that is wanted is a link, or takes no place for a size that it claims."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        about = tarfile.TarInfo("package/one")
        about.type, about.linkname = kind, target
        archive.addfile(about)
    return content.getvalue()


def tar_of_size(size):
    """Return a tar archive whose one member claims `size` bytes."""
    about = tarfile.TarInfo("package/one")
    about.size = size
    return about.tobuf(tarfile.GNU_FORMAT)


def sparse(size):
    """Return a tar archive with a sparse member: no bytes, and `size` of them when it is read."""
    about = tarfile.TarInfo("package/one")
    about.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(about.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = b"%011o\0" % size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(1024)


def picture_of(width, height):
    """Return a sound PNG of so many black pixels, made in little memory."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = (width + 1) * height  # a byte at the start of each row
    rows = b"\x78\xda" + zeros(size) + struct.pack(">I", size % 65521 << 16 | 1)
    start = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", start) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def cells(depth):
    """Return a MATLAB file with an array IMAGES of cells in cells."""
    element = b""
    for level in range(depth):
        name = b"IMAGES\0\0" if level == depth - 1 else b""
        size = 6 if name else 0
        flags = struct.pack("<IIII", 6, 8, 1, 0) + struct.pack("<IIii", 5, 8, 1, 1 if element else 0)
        body = flags + struct.pack("<II", 1, size) + name + element
        element = struct.pack("<II", 14, len(body)) + body
    start = b"MATLAB 5.0 MAT-file".ljust(116) + bytes(8) + struct.pack("<H", 0x0100) + b"IM"
    return start + element


def mat_bomb():
    """Return a MATLAB file whose one element becomes HUGE."""
    start = mat(True, IMAGES=IMAGES)[:128]
    flags = struct.pack("<IIII", 6, 8, 6, 0) + struct.pack("<IIiiii", 5, 12, *IMAGES.shape, 0)
    body = flags + struct.pack("<II", 1, 6) + b"IMAGES\0\0" + struct.pack("<II", 9, HUGE)
    content = b"\x78\xda" + zeros(HUGE, struct.pack("<II", 14, HUGE + len(body)) + body)
    return start + struct.pack("<II", 15, len(content)) + content


def huge_in_mat():
    return with_bytes(mat(False, IMAGES=IMAGES), struct.pack("<iii", *IMAGES.shape), struct.pack("<iii", 2**30, 5, 3))


def strange_in_mat():
    """Return a MATLAB file whose numbers are of a kind that there is not; it ends a process that lets SciPy read it."""
    numbers = IMAGES.tobytes(order="F")
    tag = struct.pack("<II", 9, len(numbers))
    return with_bytes(mat(False, IMAGES=IMAGES), tag + numbers[:8], struct.pack("<II", 999, len(numbers)) + numbers[:8])


def as_wheel(content):
    return deflated(**WHEEL | {silhouettes.ANIMAL_MEMBERS[0]: gzip.compress(content)})


def huge_array():
    """Return a pickle of an array that claims 2^40 bytes."""
    return with_bytes(
        pickle.dumps(np.zeros((1, 28, 28), np.uint8), 2),
        b"K\x01K\x1cK\x1c\x87",
        b"\x8a\x06" + bytes(5) + b"\x01K\x1cK\x1c\x87",
    )


def amat(member, **others):
    return deflated(**{mnist_rot.TRAIN_FILE: LINES, mnist_rot.TEST_FILE: member} | others)


within = within_npz(ARRAYS, "weights")
whole = npz(**ARRAYS)
AMAT = amat(LINES)
ARCHIVED = packed(**{mnist_rot.TRAIN_FILE: LINES, mnist_rot.TEST_FILE: LINES})

CRAFTED = {  # what it is: the reader, and what makes the bytes
    "a zip bomb": ("results", lambda: bomb_in_zip(b"weights.npy")),
    "a zip bomb of one's own": ("own arrays", lambda: bomb_in_zip(b"images.npy")),
    "a zip bomb of lines": ("mnist-rot", lambda: bomb_in_zip(mnist_rot.TRAIN_FILE.encode())),
    "a zip bomb in a wheel": ("wheel", lambda: bomb_in_zip(silhouettes.ANIMAL_MEMBERS[0].encode())),
    "one line without an end": ("mnist-rot", lambda: amat(b"0 " * 2**26)),
    "a gzip bomb": ("gzip", lambda: gzip_bomb()),
    "a gzip bomb in a gzip file": ("gzip", lambda: gzip.compress(gzip_bomb())),
    "a gzip bomb of one's own": ("IDX, own, gzipped", lambda: gzip_bomb()),
    "a gzip bomb in a wheel": ("wheel", lambda: deflated(**WHEEL | {silhouettes.ANIMAL_MEMBERS[0]: gzip_bomb()})),
    "a gzip bomb as a package": ("npm package", lambda: gzip_bomb()),
    "a bomb in a MATLAB file": ("MATLAB", mat_bomb),
    "a huge shape in a MATLAB file": ("MATLAB, not compressed", huge_in_mat),
    "a kind of number that is none": ("MATLAB, not compressed", strange_in_mat),
    "cells in cells": ("MATLAB, not compressed", lambda: cells(2000)),
    "a name with ../": ("results", lambda: packed(**{"../../weights.npy": npy(ARRAYS["weights"])})),
    "a name from the root": ("results", lambda: packed(**{"/etc/weights.npy": npy(ARRAYS["weights"])})),
    "a name twice": ("results", lambda: twice()),
    "an encrypted member": ("results", lambda: central(whole, 8, 1)),
    "an unknown compression": ("results", lambda: central(whole, 10, 99)),
    "a compression that is not ours": (
        "results",
        lambda: packed(zipfile.ZIP_LZMA, **{"weights.npy": npy(ARRAYS["weights"])}),
    ),
    "a patched member": ("results", lambda: central(whole, 8, 0x20)),
    "an encrypted archive": ("mnist-rot", lambda: central(AMAT, 8, 1)),
    "an archive of unknown compression": ("mnist-rot", lambda: central(AMAT, 10, 99)),
    "a member before the start": ("mnist-rot", lambda: central(AMAT, 42, 2**32 - 2, 4)),
    "a member that claims more": ("mnist-rot", lambda: central(ARCHIVED, 24, 2**31, 4)),
    "a member that claims more than the results": ("results", lambda: central(whole, 24, 2**31, 4)),
    "an encrypted wheel": ("wheel", lambda: central(deflated(**WHEEL), 8, 1)),
    "Python objects": ("results", objects),
    "Python objects of one's own": ("own arrays", lambda: with_bytes(objects(), b"weights", b"imagess")),
    "a pickle in place of results": ("results", lambda: pickle.dumps(Runs())),
    "a pickle in place of an array": ("own array", lambda: pickle.dumps(Runs())),
    "a pickle that runs": ("wheel", lambda: as_wheel(pickle.dumps(Runs()))),
    "a pickle that imports": ("wheel", lambda: as_wheel(b"cos\nsystem\n(S'true'\ntR.")),
    "a pickle of a huge array": ("wheel", lambda: as_wheel(huge_array())),
    "a pickle with a huge memo": ("wheel", lambda: as_wheel(b"\x80\x02]r\xff\xff\xff\x3f.")),
    "a pickle with a huge text": ("wheel", lambda: as_wheel(b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b".")),
    "a pickle without an end": ("wheel", lambda: as_wheel(b"\x80\x02" + b"(" * 10**6)),
    "a huge shape": ("results, array", lambda: within(header(described(shape="(1099511627776,)")))),
    "a shape that overflows": ("results, array", lambda: within(header(described(shape="(4294967296, 4294967296)")))),
    "a negative shape": ("results, array", lambda: within(header(described(shape="(-1, -3)"), bytes(12)))),
    "a shape of nothing": ("results, array", lambda: within(header(described("'|S0'", "(1099511627776,)")))),
    "a record": ("results, array", lambda: within(header(described("[('a', '<f4')]"), bytes(12)))),
    "a date": ("results, array", lambda: within(header(described("'<M8[s]'"), bytes(24)))),
    "a type that is none": ("results, array", lambda: within(header(described("'<f99'"), bytes(12)))),
    "a type that is code": (
        "results, array",
        lambda: within(header(described("__import__('os').system('true')"), bytes(12))),
    ),
    "brackets without an end": ("results, array", lambda: within(header("(" * 9000))),
    "a header of Python 2": ("results, array", lambda: within(header(described(shape="(3L,)"), bytes(12)))),
    "an unclosed text": ("results, array", lambda: within(header("{'descr': '''", bytes(12)))),
    "a header of many digits": ("results, array", lambda: within(header(described(shape=f"({'9' * 6000},)")))),
    "a header without an end": ("results, array", lambda: within(header(" " * 10**6, version=(2, 0)))),
    "a huge shape of one's own": ("own array", lambda: header(described("'|u1'", "(1099511627776,)"))),
    "a hole of one's own": ("own array", lambda: header(described("'|u1'", "(13, 7, 5)"))),
    "images without an end": ("IDX", lambda: idx(np.zeros((1, 1, 1), np.uint8))[:4] + b"\xff" * 12),
    "a link": ("npm package, tar", lambda: gzip.compress(linked(tarfile.SYMTYPE, "/etc/passwd"))),
    "a hard link": ("npm package, tar", lambda: gzip.compress(linked(tarfile.LNKTYPE, "/etc/passwd"))),
    "a device": ("npm package, tar", lambda: gzip.compress(linked(tarfile.CHRTYPE, ""))),
    "a member that claims 8 GB": ("npm package, tar", lambda: gzip.compress(tar_of_size(2**33))),
    "a sparse member": ("npm package, tar", lambda: gzip.compress(sparse(2**32))),
    "a tar within a tar": ("npm package, tar", lambda: gzip.compress(tarred(one=tarred(one=b"1")))),
    "PostScript as a picture": ("picture, PNG RGB", lambda: EPS),
    "a picture of 134 million pixels": ("picture, PNG RGB", lambda: picture_of(2**14 - 1, 2**13)),
    "a picture of 537 million pixels": ("picture, PNG RGB", lambda: picture_of(2**14 - 1, 2**15)),
    "a picture of infinite size": ("picture, PPM RGB", lambda: b"P6 2147483647 2147483647 255\n"),
    "a text too long": ("picture, PNG RGB", lambda: picture("PNG") + b"\0" * 100),
    "JSON in JSON": ("provenance", lambda: b"[" * 100_000),
    "a list for a record": ("provenance", lambda: b"[1, 2]"),
    "null for a record": ("provenance", lambda: b"null"),
    "a record without what is asked": ("provenance", lambda: b"{}"),
    "a shape of texts": ("provenance", lambda: json.dumps(PROVENANCE | {"shape": "ab"}).encode()),
    "a number of many digits": ("provenance", lambda: b'{"shape": ' + b"9" * 10_000 + b"}"),
    "a network of a list": ("network", lambda: b"[]"),
    "a network of code": ("network", lambda: json.dumps({"module": "os:system", "arguments": {"command": 1}}).encode()),
    "a list for a configuration": ("configuration", lambda: b"- 1\n- 2\n"),
    "a configuration that runs": ("configuration", lambda: b"seed: !!python/object/apply:os.system ['true']\n"),
    "a configuration of aliases": ("configuration", lambda: aliases()),
}


def twice():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for _ in range(2):
            archive.writestr("weights.npy", npy(ARRAYS["weights"]))
    return content.getvalue()


def aliases():
    """Return YAML in which each of 9 lists names the one before 9 times."""
    lines = ["seeds: &a0 [1]"] + [f"x{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 10)]
    return "\n".join(lines).encode()
