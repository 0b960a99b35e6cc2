"""mnist-rot: the published archive read and refused, and the recipe followed where it cannot be had."""

import hashlib
import io
import zipfile

import numpy as np
import pytest

from deepunits.data import mnist, mnist_rot
from deepunits.data.releases import File, Release, Unavailable
from deepunits.data.sources import Sources
from deepunits.errors import UserError

COUNTS = {"train": 5, "valid": 3, "test": 7}


def amat(images, labels):
    """Write images as the published files have them: a line of 784 numbers and the label, all with decimals."""
    rows = np.column_stack([images / 255, labels])
    return "".join("   ".join(f"{value:.17e}" for value in row) + "\n" for row in rows).encode()


def archive(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in files.items():
            opened.writestr(getattr(mnist_rot, name), text)
    return content.getvalue()


@pytest.fixture
def digits():
    rng = np.random.default_rng(11)
    return rng.integers(0, 256, (15, 784), np.uint8), rng.integers(0, 10, 15, np.uint8)


def test_the_published_archive_is_read_upright_and_in_order(tmp_path, monkeypatch, digits):
    images, labels = digits
    content = archive(TRAIN_FILE=amat(images[:8], labels[:8]), TEST_FILE=amat(images[8:], labels[8:]))
    file = File(mnist_rot.ARCHIVE, f"sha256:{hashlib.sha256(content).hexdigest()}")
    monkeypatch.setattr(mnist_rot, "RELEASE", Release("mnist_rot", (file,)))
    monkeypatch.setattr(mnist_rot, "COUNTS", COUNTS)
    (tmp_path / mnist_rot.ARCHIVE).write_bytes(content)
    splits, record = mnist_rot.prepare(Sources(tmp_path, substitutes="forbid"), seed=3)
    assert {split: len(images) for split, (images, _) in splits.items()} == COUNTS
    np.testing.assert_array_equal(np.concatenate([split[0] for split in splits.values()]), images, strict=True)
    np.testing.assert_array_equal(np.concatenate([split[1] for split in splits.values()]), labels, strict=True)
    assert record["substitute"] is False


def test_an_archive_cut_short_or_without_its_files_is_refused(digits):
    content = archive(TRAIN_FILE=amat(*digits))
    for damaged in (content[:-30], b"", content):
        with pytest.raises(UserError, match=r"mnist_rotation_new.zip is cut short or damaged"):
            mnist_rot.read_archive(damaged)


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        (lambda line: line.rsplit(maxsplit=1)[0], "784 numbers in place of 785"),
        (lambda line: b"none " + line.split(maxsplit=1)[1], "no number"),
        (lambda line: b"nan " + line.split(maxsplit=1)[1], "no image in"),
        (lambda line: b"1.5 " + line.split(maxsplit=1)[1], "no image in"),
        (lambda line: b"-0.1 " + line.split(maxsplit=1)[1], "no image in"),
        (lambda line: line.rsplit(maxsplit=1)[0] + b" 11", "no image in"),
        (lambda line: line.rsplit(maxsplit=1)[0] + b" 3.5", "no image in"),
    ],
)
def test_a_line_that_is_no_image_with_a_label_is_named(digits, harm, complaint):
    lines = amat(*digits).splitlines()
    lines[6] = harm(lines[6])
    with pytest.raises(UserError, match=f"line 7 of some.amat .*{complaint}"):
        mnist_rot.read_amat(io.BytesIO(b"\n".join(lines)), "some.amat")


def test_quarter_turns_are_exact_and_counterclockwise():
    images = np.random.default_rng(7).integers(0, 256, (5, 28, 28), np.uint8)
    turned = mnist_rot.rotated(images.reshape(-1, 784), np.array([0, 90, 180, -90, 270])).reshape(-1, 28, 28)
    for result, image, quarters in zip(turned, images, [0, 1, 2, 3, 3], strict=True):
        np.testing.assert_allclose(result, np.rot90(image, quarters), atol=1)


def test_a_spot_moves_along_its_circle():
    y, x = np.mgrid[:28, :28] - 13.5
    start = np.exp(-((x - 8) ** 2 + y**2) / 8)
    degrees = np.array([37.0, 130.0, -71.0])
    turned = mnist_rot.rotated(np.tile(np.rint(255 * start).astype(np.uint8).ravel(), (3, 1)), degrees).reshape(
        -1, 28, 28
    )
    mass = turned.sum((1, 2))
    centre_x, centre_y = (turned * x).sum((1, 2)) / mass, (turned * -y).sum((1, 2)) / mass
    np.testing.assert_allclose(np.degrees(np.arctan2(centre_y, centre_x)), degrees, atol=1)
    np.testing.assert_allclose(np.hypot(centre_x, centre_y), 8, atol=0.1)


@pytest.fixture
def small_mnist(digits):
    """Fifteen discs, which rotation leaves as they are, told apart by their brightness."""
    y, x = np.mgrid[:28, :28] - 13.5
    disc = np.hypot(x, y) < 7
    images = (np.arange(15)[:, None, None] * 17 * disc).astype(np.uint8).reshape(15, 784)
    labels = np.arange(15, dtype=np.uint8) % 10
    splits = {
        "train": (images[:8], labels[:8]),
        "valid": (images[8:11], labels[8:11]),
        "test": (images[11:], labels[11:]),
    }
    return splits, {"source": "discs", "obtained": "here", "version": "1", "licence": "CC0", "files": {}}


def test_the_recipe_uses_each_digit_once_with_its_label(small_mnist, monkeypatch):
    monkeypatch.setattr(mnist_rot, "COUNTS", COUNTS)
    splits, record = mnist_rot.rotated_digits(*small_mnist, 3, "no network")
    assert {split: len(images) for split, (images, _) in splits.items()} == COUNTS
    brightness = np.concatenate([images[:, 13 * 28 + 13] for images, _ in splits.values()]) // 17
    np.testing.assert_array_equal(np.sort(brightness), np.arange(15))
    assert (np.diff(brightness.astype(int)) != 1).any(), "the digits are shuffled"
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in splits.values()]), brightness % 10)
    assert record["substitute"] is True and record["reason"] == "no network" and "discs, rotated" in record["source"]


def test_the_recipe_depends_on_the_seed_alone(small_mnist, monkeypatch):
    monkeypatch.setattr(mnist_rot, "COUNTS", COUNTS)
    one, same, other = (mnist_rot.rotated_digits(*small_mnist, seed, "")[0]["test"][1] for seed in (3, 3, 5))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_angles_are_uniform_on_the_circle(monkeypatch):
    angles = []
    monkeypatch.setattr(mnist_rot, "rotated", lambda images, degrees: angles.append(degrees) or images)
    images, labels = np.zeros((62_000, 1), np.uint8), np.zeros(62_000, np.uint8)
    record = dict.fromkeys(("source", "obtained", "version", "licence", "files"))
    mnist_rot.rotated_digits({"train": (images, labels)}, record, 3, "")
    assert [len(part) for part in angles] == [10_000, 2_000, 50_000]
    counts = np.histogram(np.concatenate(angles), bins=31, range=(-180, 180))[0]
    assert counts.sum() == 62_000
    assert (
        (counts - 2000) ** 2 / 2000
    ).sum() < 59.7  # chi-squared with 30 degrees of freedom: 0.1 % of seeds exceed it


def test_a_smaller_set_of_digits_is_split_in_proportion(small_mnist):
    splits, _ = mnist_rot.rotated_digits(*small_mnist, 3, "")
    assert [len(images) for images, _ in splits.values()] == [2, 0, 12]


def test_the_recipe_is_followed_only_if_allowed(tmp_path, small_mnist, monkeypatch):
    monkeypatch.setattr(mnist, "prepare", lambda sources: small_mnist)
    monkeypatch.setattr(mnist_rot, "COUNTS", COUNTS)
    monkeypatch.delenv("DEEPUNITS_DATA", raising=False)
    offline = {"cache": tmp_path, "order": ("cache",)}
    _, record = mnist_rot.prepare(Sources(**offline), seed=3)
    assert "put mnist_rotation_new.zip into a folder" in record["reason"]
    with pytest.raises(Unavailable, match="put mnist_rotation_new.zip into a folder"):
        mnist_rot.prepare(Sources(**offline, substitutes="forbid"), seed=3)
