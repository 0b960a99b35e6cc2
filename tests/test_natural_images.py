"""Natural images: the whitening filter, the patches, the file read and refused, the photographs that stand in."""

import hashlib
import io

import numpy as np
import pytest
import scipy.io

from deepunits.data import natural_images
from deepunits.data.natural_images import draw_patches, read_pictures, whiten
from deepunits.data.releases import File, Release, Unavailable
from deepunits.data.sources import Sources
from deepunits.errors import UserError

HEIGHT, WIDTH, COUNT = 31, 37, 3


def mat(compressed=True, **arrays):
    content = io.BytesIO()
    scipy.io.savemat(content, arrays, do_compression=compressed)
    return content.getvalue()


@pytest.fixture
def images(monkeypatch):
    """Small pictures, (height, width, number), that are known in place of Olshausen and Field's."""
    images = np.random.default_rng(5).standard_normal((HEIGHT, WIDTH, COUNT)).astype(np.float32).astype(np.float64)
    values = b"".join(images[:, :, k].astype("<f4").tobytes() for k in range(COUNT))
    known = File("IMAGES.mat", f"sha256:{hashlib.sha256(values).hexdigest()}", natural_images.RELEASE.files[0].digested)
    monkeypatch.setattr(natural_images, "PICTURES", images.shape)
    monkeypatch.setattr(natural_images, "RELEASE", Release("natural_images", (known,)))
    monkeypatch.delenv("DEEPUNITS_DATA", raising=False)
    return images


def test_whitening_multiplies_a_wave_by_the_filter():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for cycles_y, cycles_x in [(0, 1), (3, 0), (5, 7), (-11, 2), (15, 18)]:
        wave = np.cos(2 * np.pi * (cycles_y * y / HEIGHT + cycles_x * x / WIDTH) + 0.7)
        frequency = np.hypot(cycles_y / HEIGHT, cycles_x / WIDTH)
        np.testing.assert_allclose(whiten(wave), frequency * np.exp(-((frequency / 0.4) ** 4)) * wave, atol=1e-12)
    np.testing.assert_allclose(whiten(np.full((HEIGHT, WIDTH), 7.0)), 0, atol=1e-12)


def test_whitening_is_olshausen_and_fields_recipe_up_to_a_factor():
    """On square pictures, in cycles a picture and with the zero frequency at the centre, as they wrote it down."""
    n = 30
    picture = np.random.default_rng(1).random((n, n))
    fx, fy = np.meshgrid(np.arange(-n / 2, n / 2), np.arange(-n / 2, n / 2))
    rho = np.sqrt(fx * fx + fy * fy)
    theirs = np.fft.ifft2(np.fft.fft2(picture) * np.fft.fftshift(rho * np.exp(-((rho / (0.4 * n)) ** 4)))).real
    np.testing.assert_allclose(n * whiten(picture), theirs, atol=1e-10)


def test_whitening_flattens_the_spectrum_of_natural_images():
    """Of amplitude 1/f: flat up to half the cutoff, where the other factor is still 0.94, and gone at the corners."""
    shape = (129, 161)
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1]))
    frequency[0, 0] = np.inf
    noise = np.random.default_rng(3).standard_normal(shape)
    power = abs(np.fft.fft2(whiten(np.fft.ifft2(np.fft.fft2(noise) / frequency).real))) ** 2
    rings = [power[(low < frequency) & (frequency < low + 0.05)].mean() for low in (0.01, 0.06, 0.11, 0.15)]
    assert max(rings) / min(rings) < 1.25
    assert power[frequency > 0.65].mean() < 1e-3 * np.mean(rings)


def test_every_place_is_drawn_once_and_the_edges_are_left_out():
    side, margin = 3, 2
    shapes = [(11, 7), (9, 13)]
    # Each pixel holds its own number, so that a patch tells where it is from.
    pictures = [1000 * k + np.arange(h * w).reshape(h, w) for k, (h, w) in enumerate(shapes)]
    places = {(k, y, x) for k, (h, w) in enumerate(shapes) for y in range(2, h - 4) for x in range(2, w - 4)}
    patches = draw_patches(pictures, len(places), np.random.default_rng(2), side, margin)
    found = set()
    for patch in patches.reshape(-1, side, side):
        k, pixel = divmod(int(patch[0, 0]), 1000)
        y, x = divmod(pixel, shapes[k][1])
        np.testing.assert_array_equal(patch, pictures[k][y : y + side, x : x + side])
        found.add((k, y, x))
    assert found == places
    count = len(places) + 1
    with pytest.raises(UserError, match=f"{count} patches are asked for where the pictures have {len(places)}"):
        draw_patches(pictures, count, np.random.default_rng(2), side, margin)


def test_places_are_drawn_evenly():
    pictures = [np.zeros((40, 40)), np.ones((40, 40)), np.full((30, 23), 2.0)]
    first = draw_patches(pictures, 500, np.random.default_rng(4))[:, 0]
    places = np.array([21 * 21, 21 * 21, 11 * 4])
    expected = 500 * places / places.sum()
    assert (abs(np.bincount(first.astype(int)) - expected) < 4 * np.sqrt(expected)).all()


@pytest.mark.parametrize("compressed", [True, False])
def test_the_pictures_are_known_by_their_values_however_stored(images, tmp_path, compressed):
    (tmp_path / "IMAGES.mat").write_bytes(mat(compressed, IMAGES=images, other=np.zeros(3)))
    splits, record = natural_images.prepare(Sources(tmp_path), seed=1, patches=100, clip=10.0)
    assert not record["substitute"]
    counts = {"train": 100, "valid": 10, "test": 10}
    assert {split: patches.shape for split, (patches, _) in splits.items()} == {k: (n, 144) for k, n in counts.items()}
    # Nothing is clipped here, so the pixels of a patch have the order that they have in the picture.
    windows = np.lib.stride_tricks.sliding_window_view(images.astype(np.float32), (12, 12), axis=(0, 1))
    there = {window.argsort().tobytes() for window in windows.reshape(-1, 144)}
    drawn = [patch.argsort().tobytes() for patches, _ in splits.values() for patch in patches]
    assert set(drawn) <= there and len(set(drawn)) == 120
    again, other = (natural_images.prepare(Sources(tmp_path), seed=s, patches=100, clip=10.0)[0] for s in (1, 2))
    np.testing.assert_array_equal(again["test"][0], splits["test"][0])
    assert (other["test"][0] != splits["test"][0]).any()


def test_patches_are_standardised_by_those_for_training(images, tmp_path):
    (tmp_path / "IMAGES.mat").write_bytes(mat(IMAGES=3 * images + 5))
    known = natural_images.read_pictures(mat(IMAGES=3 * images + 5))
    digest = hashlib.sha256(known.astype("<f4").tobytes()).hexdigest()
    file = File("IMAGES.mat", f"sha256:{digest}", natural_images.RELEASE.files[0].digested)
    natural_images.RELEASE = Release("natural_images", (file,))  # the fixture puts the old one back
    far, near = (natural_images.prepare(Sources(tmp_path), seed=1, patches=100, clip=c)[0] for c in (10.0, 2.0))
    train = 20 * far["train"][0].astype(np.float64)
    assert train.dtype == np.float64 and far["train"][0].dtype == np.float32
    np.testing.assert_allclose([train.mean(), train.std()], [0, 1], atol=1e-5)
    for split in ("train", "valid", "test"):
        np.testing.assert_allclose(near[split][0], np.clip(20 * far[split][0], -2, 2) / 4, atol=1e-6)
        assert near[split][0].min() == -0.5 and near[split][0].max() == 0.5


def altered(images):
    images = images.copy()
    images[7, 5, 1] += 0.001
    return images


def without_class(content):
    return content[:144] + b"\0" + content[145:]


def with_nan(images):
    images = images.copy()
    images[7, 5, 1] = np.nan
    return images


@pytest.mark.parametrize(
    "change, sentence",
    [
        pytest.param(lambda i: mat(PICTURES=i), "holds no array IMAGES", id="without the key"),
        pytest.param(lambda i: mat(IMAGES=with_nan(i)), "IMAGES holds NaN", id="NaN"),
        pytest.param(lambda i: mat(IMAGES=i[:-1]), r"has shape \(30, 37, 3\) where \(31, 37, 3\)", id="wrong shape"),
        pytest.param(lambda i: mat(IMAGES=i.transpose(1, 0, 2)), r"has shape \(37, 31, 3\)", id="transposed"),
        pytest.param(lambda i: mat(IMAGES="pictures"), "IMAGES holds no real numbers", id="text"),
        pytest.param(lambda i: mat(IMAGES=i + 1j), "IMAGES holds no real numbers", id="complex"),
        pytest.param(lambda i: mat(IMAGES=altered(i)), "cut short, altered or another file", id="altered"),
        pytest.param(lambda i: mat(IMAGES=i)[:-100], "is cut short or damaged", id="cut short"),
        pytest.param(lambda i: mat(False, IMAGES=i)[:-100], "is cut short or damaged", id="cut short, not compressed"),
        pytest.param(
            lambda i: without_class(mat(False, IMAGES=i)), "IMAGES holds no real numbers", id="damaged header"
        ),
        pytest.param(lambda i: b"", "is no sound MATLAB file", id="empty"),
        pytest.param(lambda i: b"pictures" * 100, "is no sound MATLAB file", id="something else"),
        pytest.param(lambda i: b"\x89HDF\r\n\x1a\n" + bytes(600), "is no sound MATLAB file", id="version 7.3"),
    ],
)
def test_a_bad_file_of_the_user_is_named(images, tmp_path, change, sentence):
    (tmp_path / "IMAGES.mat").write_bytes(change(images))
    with pytest.raises(UserError, match=f"IMAGES.mat .*{sentence}") as caught:
        natural_images.prepare(Sources(tmp_path), seed=1, patches=100, clip=2.0)
    assert not isinstance(caught.value, Unavailable)


def test_pictures_are_read_upright(images):
    np.testing.assert_array_equal(read_pictures(mat(IMAGES=images)), np.stack([images[:, :, k] for k in range(COUNT)]))


def test_photographs_stand_in_and_say_so(tmp_path, monkeypatch):
    monkeypatch.delenv("DEEPUNITS_DATA", raising=False)
    offline = {"cache": tmp_path, "order": ("cache",)}
    splits, record = natural_images.prepare(Sources(**offline), seed=1, patches=1000, clip=10.0)
    assert record["substitute"] and "photographs" in record["source"]
    assert "put IMAGES.mat into a folder" in record["reason"]
    assert set(record["files"]) == {name for _, name in natural_images.PHOTOGRAPHS}
    patches = splits["train"][0]
    assert patches.shape == (1000, 144) and patches.dtype == np.float32
    assert patches.var() == pytest.approx(1 / 20**2, rel=1e-3)
    # Whitened: neighbours are hardly correlated, where those of a photograph are by more than 0.9.
    square = patches.reshape(-1, 12, 12)
    assert abs(np.corrcoef(square[:, :, :-2].ravel(), square[:, :, 2:].ravel())[0, 1]) < 0.3
    with pytest.raises(Unavailable, match="put IMAGES.mat into a folder"):
        natural_images.prepare(Sources(**offline, substitutes="forbid"), seed=1, patches=1000, clip=10.0)


def test_every_photograph_has_the_same_variance():
    pictures, _ = natural_images.whitened_photographs("no network")
    np.testing.assert_allclose([picture.var() for picture in pictures], 0.1, rtol=1e-4)
    assert all(picture.shape[0] >= 300 and picture.shape[1] >= 300 for picture in pictures)


def test_a_photograph_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(natural_images, "PHOTOGRAPHS", (("skimage.data", "nothing.png"),))
    with pytest.raises(UserError, match="package skimage lacks nothing.png"):
        natural_images.whitened_photographs("no network")
