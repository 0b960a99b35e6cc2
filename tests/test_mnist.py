"""MNIST: IDX files read and refused, splits, and the substitute that is no secret."""

import gzip
import hashlib
import json

import numpy as np
import pytest
import skimage.transform
import sklearn.datasets

from deepunits.data import mnist
from deepunits.data.examples import load_examples, load_labels, save_examples
from deepunits.data.releases import Release, Unavailable
from deepunits.data.sources import Sources
from deepunits.errors import UserError

TRAIN, VALID, TEST = 11, 3, 5


def idx(array):
    """Write an array as the IDX format says: zeros, type 8, dimensions, sizes in big-endian order, bytes."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder with a small MNIST, whose files are known in place of the real ones; returns the folder and arrays."""
    rng = np.random.default_rng(0)
    shapes = [(TRAIN, 28, 28), (TRAIN,), (TEST, 28, 28), (TEST,)]
    arrays = [rng.integers(0, 256 if len(shape) == 3 else 10, shape, np.uint8) for shape in shapes]
    files = []
    for name, array in zip(mnist.NAMES, arrays, strict=True):
        (tmp_path / name).write_bytes(idx(array))
        files.append(mnist.idx_file(name, f"sha256:{hashlib.sha256(idx(array)).hexdigest()}"))
    monkeypatch.setattr(mnist, "RELEASE", Release("mnist", tuple(files)))
    monkeypatch.setattr(mnist, "VALID", VALID)
    return tmp_path, arrays


def test_the_last_training_digits_are_for_validation(small):
    folder, (train_images, train_labels, test_images, test_labels) = small
    splits, record = mnist.prepare(Sources(folder))
    assert not record["substitute"] and set(record["files"]) == set(mnist.NAMES)
    images, labels = (np.concatenate([splits[split][k] for split in ("train", "valid")]) for k in (0, 1))
    np.testing.assert_array_equal(images.reshape(-1, 28, 28), train_images)
    np.testing.assert_array_equal(labels, train_labels)
    assert len(splits["valid"][0]) == len(splits["valid"][1]) == VALID
    np.testing.assert_array_equal(splits["test"][0].reshape(-1, 28, 28), test_images)
    np.testing.assert_array_equal(splits["test"][1], test_labels)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_names_with_a_dot_are_as_good(small, pack):
    folder, _ = small
    expected, _ = mnist.prepare(Sources(folder))
    for name in mnist.NAMES:
        dotted = name.replace("s-i", "s.i") + (".gz" if pack is gzip.compress else "")
        (folder / dotted).write_bytes(pack((folder / name).read_bytes()))
        (folder / name).unlink()
    found, record = mnist.prepare(Sources(folder))
    assert not record["substitute"]
    for split, (images, labels) in expected.items():
        np.testing.assert_array_equal(found[split][0], images)
        np.testing.assert_array_equal(found[split][1], labels)


def test_an_idx_file_is_read_in_its_own_shape():
    array = np.random.default_rng(1).integers(0, 256, (3, 5, 7), np.uint8)
    np.testing.assert_array_equal(mnist.parse_idx(idx(array), "it", 3), array)


@pytest.mark.parametrize(
    "change, sentence",
    [
        pytest.param(lambda content: content[:-1], "it has 120 bytes where its header promises 121", id="cut short"),
        pytest.param(lambda content: content + b"!", "it has 122 bytes where its header promises 121", id="too long"),
        pytest.param(lambda content: b"\0\0\x0d" + content[3:], "it begins with 00000d03", id="wrong magic"),
        pytest.param(lambda content: b"", "it begins with  where", id="empty"),
        pytest.param(lambda content: content[:9], "it has 9 bytes", id="cut within the header"),
    ],
)
def test_what_is_no_idx_file_is_refused(change, sentence):
    content = idx(np.zeros((3, 5, 7), np.uint8))
    with pytest.raises(UserError, match=sentence):
        mnist.parse_idx(change(content), "it", 3)
    with pytest.raises(UserError, match="begins with 00000803 where .* 1 dimensions begins with 00000801"):
        mnist.parse_idx(content, "labels", 1)


def test_small_digits_stand_in_and_say_so(tmp_path):
    splits, record = mnist.prepare(Sources(cache=tmp_path, order=("cache",)))
    assert record["substitute"] and record["source"].startswith("1,797 digits of 8 x 8")
    assert "train-images-idx3-ubyte" in record["reason"]
    assert sum(len(images) for images, _ in splits.values()) == 1797
    images, labels = splits["train"]
    assert images.dtype == labels.dtype == np.uint8 and images.shape[1] == 784
    # The first digits of the set are 0, 1, 2, ...: a zero has a hole, and its halves mirror one another.
    np.testing.assert_array_equal(labels[:10], np.arange(10))
    zero = images[0].reshape(28, 28).astype(float)
    assert zero[13:15, 13:15].mean() < 50 < zero[13:15].max()
    frame = np.ones((28, 28), bool)
    frame[4:-4, 4:-4] = False
    assert not zero[frame].any()
    # Made small again, an enlarged digit is the one it was.
    small = skimage.transform.resize(zero[4:-4, 4:-4], (8, 8), anti_aliasing=True)
    assert np.corrcoef(small.ravel(), sklearn.datasets.load_digits().data[0])[0, 1] > 0.9


def test_without_substitutes_the_files_are_asked_for(tmp_path):
    with pytest.raises(Unavailable, match="put train-images-idx3-ubyte and .* into a folder"):
        mnist.prepare(Sources(cache=tmp_path, order=("cache",), substitutes="forbid"))


def test_prepared_examples_are_read_back_as_intensities(tmp_path):
    rng = np.random.default_rng(2)
    splits = {
        split: (rng.integers(0, 256, (n, 7), np.uint8), np.arange(n, dtype=np.uint8))
        for split, n in (("train", 11), ("valid", 3), ("test", 5))
    }
    splits["valid"][0][0, :2] = 0, 255
    examples, provenance = tmp_path / "examples.npz", tmp_path / "provenance.json"
    save_examples(examples, provenance, splits=splits, record={"dataset": "mnist"})
    assert json.loads(provenance.read_text())["counts"] == {"train": 11, "valid": 3, "test": 5}
    valid = load_examples(examples, "valid")
    assert valid.dtype == np.float32 and valid.shape == (3, 7)
    np.testing.assert_array_equal(valid[0, :2], [0, 1])
    np.testing.assert_allclose(255 * valid, splits["valid"][0], rtol=1e-6)
    np.testing.assert_array_equal(load_labels(examples, "test"), np.arange(5), strict=True)
    with pytest.raises(UserError, match="no tset_images; it has train_images, train_labels"):
        load_examples(examples, "tset")


def test_examples_of_real_numbers_are_read_back_as_they_are(tmp_path):
    patches = np.random.default_rng(3).standard_normal((5, 9)).astype(np.float32)
    save_examples(tmp_path / "e.npz", tmp_path / "p.json", splits={"train": (patches, None)}, record={})
    loaded = load_examples(tmp_path / "e.npz", "train")
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, patches)
    with pytest.raises(UserError, match="no train_labels; it has train_images"):
        load_labels(tmp_path / "e.npz", "train")
