"""Images of the user's own: each form is read as it is stored, and what cannot be meant is one sentence."""

import gzip

import numpy as np
import pytest
from PIL import Image

from deepunits.data.examples import SPLITS, load_examples, load_labels, save_examples
from deepunits.data.images import prepare
from deepunits.errors import UserError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, size=(40, 7, 5), dtype=np.uint8)


def prepared(path, seed=3, **options):
    return prepare(None, seed=seed, path=path, **options)


def rows_of(splits):
    """Return all images of the splits, sorted, as bytes, to compare what was read with what was stored."""
    return sorted(image.tobytes() for images, _ in splits.values() for image in images)


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


def pictures(folder, images, names, **options):
    for image, name in zip(images, names, strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, **options)
    return folder


def test_an_array_is_split_by_the_seed(tmp_path, images):
    np.save(tmp_path / "letters.npy", images)
    splits, record = prepared(tmp_path / "letters.npy")
    assert {name: len(part) for name, (part, _) in splits.items()} == {"train": 32, "valid": 4, "test": 4}
    assert rows_of(splits) == sorted(image.tobytes() for image in images)
    assert record["shape"] == [7, 5] and not record["substitute"] and record["classes"] == []
    again, other = prepared(tmp_path / "letters.npy")[0], prepared(tmp_path / "letters.npy", seed=4)[0]
    np.testing.assert_array_equal(splits["test"][0], again["test"][0])
    assert not np.array_equal(splits["test"][0], other["test"][0])


def test_labels_count_from_zero_and_stay_with_their_images(tmp_path, images, rng):
    labels = rng.permutation(np.repeat([1, 7, 26], [20, 12, 8]))
    splits, record = prepared(save(tmp_path / "letters.npz", images=images, labels=labels))
    assert record["classes"] == ["1", "7", "26"]
    of_image = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for part, numbers in splits.values():
        assert [[1, 7, 26][n] for n in numbers] == [of_image[image.tobytes()] for image in part]


def test_splits_of_the_file_are_kept(tmp_path, images):
    labels = np.arange(40) % 4
    whole = {f"{s}_{k}": a[i::3] for i, s in enumerate(SPLITS) for k, a in (("images", images), ("labels", labels))}
    splits, _ = prepared(save(tmp_path / "a.npz", **whole))
    np.testing.assert_array_equal(splits["valid"][0], images[1::3].reshape(-1, 35))
    two = {name: array for name, array in whole.items() if not name.startswith("valid")}
    splits, _ = prepared(save(tmp_path / "b.npz", **two))
    assert [len(splits[s][0]) for s in SPLITS] == [13, 1, 13]
    np.testing.assert_array_equal(splits["test"][1], labels[2::3])


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_of_any_size(tmp_path, images, packed):
    labels = np.arange(40, dtype=np.uint8) % 10
    for name, array in (
        ("train-images-idx3-ubyte", images[:30]),
        ("train-labels-idx1-ubyte", labels[:30]),
        ("t10k-images-idx3-ubyte", images[30:]),
        ("t10k-labels-idx1-ubyte", labels[30:]),
    ):
        content = idx(array)
        (tmp_path / (name + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)
    splits, record = prepared(tmp_path)
    assert [len(splits[s][0]) for s in SPLITS] == [27, 3, 10] and record["shape"] == [7, 5]
    np.testing.assert_array_equal(splits["test"][0], images[30:].reshape(10, 35))
    np.testing.assert_array_equal(splits["test"][1], labels[30:])


def test_a_folder_of_pictures_has_a_class_for_each_subfolder(tmp_path, images):
    names = [f"{'ab'[n % 2]}/{n:02d}.png" for n in range(40)]
    splits, record = prepared(pictures(tmp_path / "shapes", images, names))
    assert record["classes"] == ["a", "b"] and rows_of(splits) == sorted(image.tobytes() for image in images)
    of_image = {image.tobytes(): n % 2 for n, image in enumerate(images)}
    for part, numbers in splits.values():
        assert list(numbers) == [of_image[image.tobytes()] for image in part]


def test_pictures_without_classes_have_no_labels(tmp_path, images):
    splits, record = prepared(pictures(tmp_path / "flat", images, [f"{n}.bmp" for n in range(40)]))
    assert {labels is None for _, labels in splits.values()} == {True} and record["classes"] == []
    splits, _ = prepared(pictures(tmp_path / "one", images, [f"all/{n}.bmp" for n in range(40)]))
    assert {labels is None for _, labels in splits.values()} == {True}


def test_pictures_of_several_sizes_and_colours_are_resized(tmp_path, rng):
    for n in range(20):
        shade = np.full((11 + n, 30 - n, 3), [250, 10 * n, 0], np.uint8)
        Image.fromarray(shade).save(tmp_path / f"{n:02d}.png")
    with pytest.raises(UserError, match=r"00.png has 11 x 30 pixels and .*01.png 12 x 29; set size"):
        prepared(tmp_path)
    splits, record = prepared(tmp_path, size=[6, 9], colour="rgb")
    assert record["shape"] == [6, 9, 3]
    for part, _ in splits.values():
        colours = part.reshape(-1, 54, 3)
        np.testing.assert_allclose(colours[..., 0], 250 / 255, atol=1e-5)
        np.testing.assert_allclose(colours.std(axis=1), 0, atol=1e-5)
    assert prepared(tmp_path, size=[6, 9])[1]["shape"] == [6, 9]


def test_palettes_and_sixteen_bits_are_read_as_what_they_show(tmp_path, rng):
    grey = np.full((5, 6), 51, np.uint8)
    for n in range(10):
        Image.fromarray(grey).convert("P", palette=Image.Palette.ADAPTIVE, colors=16).save(
            tmp_path / f"{n}.png", bits=4
        )
    splits, _ = prepared(tmp_path)
    assert np.unique(splits["train"][0]) == [51] and splits["train"][0].dtype == np.uint8
    deep = tmp_path / "deep"
    deep.mkdir()
    for n in range(10):
        Image.fromarray(np.full((5, 6), 0.2 * 65535, np.uint16)).save(deep / f"{n}.png")
    np.testing.assert_allclose(prepared(deep)[0]["train"][0], 0.2, atol=1e-4)
    assert prepared(deep, colour="rgb")[1]["shape"] == [5, 6, 3]
    splits, _ = prepared(save(tmp_path / "deep.npz", images=np.full((20, 3, 4), 13107, np.uint16)))
    np.testing.assert_allclose(splits["train"][0], 0.2)


@pytest.mark.parametrize("size", [None, [5, 6]])
def test_pictures_of_all_depths_and_sizes_are_on_one_scale(tmp_path, size):
    bytes_, deep, real = np.full((5, 6), 51, np.uint8), np.full((5, 6), 13107, np.uint16), np.full((5, 6), 0.2, "f")
    for n in range(12):
        Image.fromarray([bytes_, deep, real][n % 3]).save(tmp_path / f"{n}.tiff")
        if size:
            Image.fromarray(np.full((8 + n, 6), 51, np.uint8)).save(tmp_path / f"larger{n}.png")
    splits, _ = prepared(tmp_path, size=size)
    for part, _ in splits.values():
        np.testing.assert_allclose(part, 0.2, atol=1e-5)


def test_hidden_pictures_are_left_out(tmp_path, images):
    names = [f"a/{n}.png" for n in range(20)] + [f".thumbnails/{n}.png" for n in range(10)]
    names += [f"b/._{n}.png" for n in range(10)]
    splits, record = prepared(pictures(tmp_path, images, names))
    assert rows_of(splits) == sorted(image.tobytes() for image in images[:20]) and record["classes"] == []


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64])
def test_black_and_white_is_0_and_1(tmp_path, rng, dtype):
    images = rng.integers(0, 2, size=(20, 3, 4)).astype(dtype)
    splits, _ = prepared(save(tmp_path / "binary.npz", images=images))
    assert set(np.unique(splits["train"][0])) == {0, 255}
    assert sum(part.sum(dtype=int) for part, _ in splits.values()) == 255 * images.sum()


def test_channels_and_rows_of_pixels_are_kept(tmp_path, rng):
    colours = rng.random((12, 4, 3, 3))
    splits, record = prepared(save(tmp_path / "c.npz", images=colours))
    assert record["shape"] == [4, 3, 3] and splits["train"][0].dtype == np.float32
    assert prepared(save(tmp_path / "one.npz", images=colours[..., :1]))[1]["shape"] == [4, 3]
    assert prepared(save(tmp_path / "flat.npz", images=colours.reshape(12, -1)))[1]["shape"] == [36]


def test_what_is_prepared_is_stored_as_any_dataset(tmp_path, images):
    path = save(tmp_path / "letters.npz", images=images, labels=np.arange(40) % 2 + 1)
    splits, record = prepared(path)
    files = tmp_path / "examples.npz", tmp_path / "provenance.json"
    save_examples(*files, splits=splits, record=record)
    np.testing.assert_allclose(load_examples(files[0], "test") * 255, splits["test"][0], rtol=1e-6)
    assert set(load_labels(files[0], "train")) == {0, 1}


def wrong(**arrays):
    return lambda path: save(path / "x.npz", **arrays)


GOOD = np.zeros((20, 3, 4), np.uint8)
NAN = np.where(np.arange(20)[:, None, None] == 7, np.nan, np.zeros((20, 3, 4)))


@pytest.mark.parametrize(
    ("make", "options", "sentence"),
    [
        (lambda path: path / "nowhere", {}, "nowhere is not there; correct the path"),
        (lambda path: path, {}, "holds neither pictures nor the IDX files"),
        (wrong(images=NAN), {}, "NaN or infinity in 1 images, first in number 7"),
        (wrong(images=GOOD, labels=np.arange(19)), {}, "has 20 images and labels of shape (19,)"),
        (wrong(images=GOOD, labels=np.full(20, np.nan)), {}, "hold NaN or an infinity; give numbers alone"),
        (wrong(images=GOOD[:3]), {}, "has 3 images to split; give at least 10"),
        (wrong(pictures=GOOD), {}, "has the arrays pictures; it needs images"),
        (wrong(images=GOOD.astype(np.int32) - 1), {}, "whole numbers from -1 to -1; give 8 or 16 bits"),
        (wrong(images=np.array(["a"] * 20)), {}, "shape (20,) and type <U1; give numbers"),
        (wrong(images=GOOD.reshape(20, 12)), {"size": [2, 2]}, "rows of pixels, which cannot be resized"),
        (wrong(train_images=GOOD, test_images=GOOD[:, :2]), {}, "images of the shapes"),
        (wrong(images=GOOD.reshape(20, 3, 2, 2)), {}, "shape (20, 3, 2, 2); give (n, rows, columns, channels), with 1"),
        (
            wrong(train_images=GOOD, train_labels=np.arange(20), test_images=GOOD),
            {},
            "has labels, but none of the test images; give them for all splits or for none",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(tmp_path, make, options, sentence):
    with pytest.raises(UserError) as caught:
        prepared(make(tmp_path), **options)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.txt", "train-images-idx3-ubyte", "a.png"])
def test_damaged_files_are_named(tmp_path, images, name):
    folder = tmp_path / "damaged"
    folder.mkdir()
    if name == "a.png":
        pictures(folder, images[:12], [f"{n}.png" for n in range(12)])
        path = folder / "5.png"
        path.write_bytes(path.read_bytes()[:40])
        name = "5.png"
    elif name.startswith("train"):
        for known in (name, "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
            (folder / known).write_bytes(idx(images)[:-3])
    else:
        (folder / name).write_bytes(b"\x93NUMPY" + bytes(20))
        folder = folder / name
    with pytest.raises(UserError, match=name):
        prepared(folder)


def test_no_pickle_is_run(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="objects.npy is damaged or no .npy file of numbers"):
        prepared(tmp_path / "objects.npy")
