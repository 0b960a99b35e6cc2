"""Streams: an example is a function of its number alone."""

import numpy as np
import pytest

from deepunits.backend import to_host
from deepunits.data import infinite_mnist
from deepunits.data.examples import save_examples
from deepunits.data.infinite_mnist import InfiniteMNIST
from deepunits.data.streams import ExampleStream
from deepunits.data.training import training_stream
from deepunits.errors import UserError

DIGITS = 7


def images(count=DIGITS):
    """Return smooth blobs in place of digits, with bright borders, so that a wrong edge would show."""
    y, x = np.mgrid[:28, :28]
    rng = np.random.default_rng(0)
    cy, cx = rng.uniform(3, 24, size=(2, count, 1, 1))
    return (255 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 50)).astype(np.uint8).reshape(count, -1)


def stream(**changes):
    options = {"seed": 3, "displacement": 1.5, "smoothness": 4.0, "fields": 11} | changes
    return InfiniteMNIST(images(), np.arange(DIGITS), **options)


def test_the_first_examples_are_the_originals():
    np.testing.assert_array_equal(stream().batch(0, DIGITS), images() * np.float32(1 / 255))


def test_an_example_is_the_same_from_any_batch_order_or_worker():
    one, other = stream(), stream()
    whole = one.batch(0, 500)
    np.testing.assert_array_equal(whole[123:456], other.batch(123, 333))
    order = np.random.default_rng(1).permutation(500)
    np.testing.assert_array_equal(whole[order], other.examples(order))
    np.testing.assert_array_equal(whole[-1], one.batch(499, 1)[0])


@pytest.mark.gpu
def test_the_gpu_makes_the_same_examples(gpu):
    """But for the rounding of a tangent, by one grey level a pixel, where the two devices sum in another order."""
    on_gpu = stream(xp=gpu)
    np.testing.assert_allclose(to_host(on_gpu.batch(0, 500)), stream().batch(0, 500), atol=0.05)
    np.testing.assert_array_equal(to_host(on_gpu.labels(np.arange(20))), stream().labels(np.arange(20)))


def test_numbers_of_billions_need_no_storage():
    far = 2_500_000_000
    batch = stream().batch(far, 5)
    np.testing.assert_array_equal(batch, stream().examples(np.arange(far, far + 5)))
    assert len(np.unique(batch, axis=0)) == 5


def test_another_seed_deforms_otherwise():
    assert (stream().batch(DIGITS, 50) != stream(seed=4).batch(DIGITS, 50)).any()


def test_labels_carry_over():
    indices = np.array([0, 6, 7, 13, 700_003])
    np.testing.assert_array_equal(stream().labels(indices), indices % DIGITS)


def test_a_batch_comes_with_its_digits():
    np.testing.assert_array_equal(stream().batch_labels(5, 11), np.arange(5, 16) % DIGITS)


def test_an_example_is_the_formula():
    """Each deformed example equals the formula of Loosli et al., worked for one pixel grid at a time."""
    s = stream()
    fields = infinite_mnist.displacement_fields(3, 11, 1.5, 4.0)
    for i in range(DIGITS, 60):
        first, second, alpha, shift = (np.asarray(a)[0] for a in s._draws(np.array([i])))
        digit = i % DIGITS
        t_h, t_v = (t[digit].astype(np.float64) for t in infinite_mnist.translation_tangents(images()))
        x = images()[digit] + float(alpha) * (fields[first] * t_h - fields[second] * t_v)
        expected = np.zeros((30, 30))
        dy, dx = int(shift) // 3, int(shift) % 3
        expected[dy : dy + 28, dx : dx + 28] = np.clip(x, 0, 255).reshape(28, 28) / 255
        np.testing.assert_allclose(s.examples([i])[0].reshape(28, 28), expected[1:-1, 1:-1], atol=1e-6)


def test_draws_cover_all_fields_signs_and_shifts_evenly():
    first, second, alpha, shift = stream()._draws(np.arange(DIGITS, 100_000))
    for draws, kinds in ((first, 11), (second, 11), (shift, 9), (alpha, 2)):
        counts = np.unique(draws, return_counts=True)[1]
        assert len(counts) == kinds
        assert abs(counts / counts.mean() - 1).max() < 0.05
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02


def test_fields_have_the_size_asked_for():
    fields = infinite_mnist.displacement_fields(0, 5, 2.5, 3.0)
    np.testing.assert_allclose(np.sqrt((fields**2).mean(axis=1)), 2.5, rtol=1e-5)


def test_tangents_are_the_derivatives_of_the_smoothed_digit():
    """For a wide Gaussian blob smoothing changes little, and the derivative is known in closed form."""
    y, x = np.mgrid[:28, :28].astype(float)
    width = np.sqrt(25.0 + infinite_mnist.TANGENT_SMOOTHING**2)
    blob = 200 * np.exp(-((y - 13) ** 2 + (x - 15) ** 2) / 50)
    smooth = 200 * 25 / width**2 * np.exp(-((y - 13) ** 2 + (x - 15) ** 2) / (2 * width**2))
    horizontal, vertical = infinite_mnist.translation_tangents(blob.round().astype(np.uint8).reshape(1, -1))
    inner = np.s_[5:-5, 5:-5]
    np.testing.assert_allclose(horizontal.reshape(28, 28)[inner], (-(x - 15) / width**2 * smooth)[inner], atol=1)
    np.testing.assert_allclose(vertical.reshape(28, 28)[inner], (-(y - 13) / width**2 * smooth)[inner], atol=1)


@pytest.mark.parametrize("bad", [np.zeros((7, 784), np.float32), np.zeros((7, 783), np.uint8), images(5)])
def test_images_that_cannot_be_deformed_are_refused(bad):
    with pytest.raises(UserError, match="28 x 28 images of bytes"):
        InfiniteMNIST(bad, np.arange(7), seed=0, displacement=1.0, smoothness=4.0, fields=3)


def test_each_pass_over_a_fixed_set_shows_every_example_once():
    examples = np.arange(11, dtype=np.float32)[:, None]
    s = ExampleStream(examples, seed=2)
    passes = [s.batch(start, 11).ravel() for start in (0, 11, 22)]
    for order in passes:
        np.testing.assert_array_equal(np.sort(order), examples.ravel())
    assert (passes[0] != passes[1]).any() and (passes[1] != passes[2]).any()


def test_a_fixed_set_gives_the_same_examples_whatever_the_batches():
    examples = np.random.default_rng(0).random((7, 3), dtype=np.float32)
    whole = ExampleStream(examples, seed=2).batch(0, 40)
    s = ExampleStream(examples, seed=2)
    np.testing.assert_array_equal(np.concatenate([s.batch(0, 13), s.batch(13, 1), s.batch(14, 26)]), whole)
    np.testing.assert_array_equal(s.batch(3, 5), whole[3:8])


def test_what_is_made_of_a_fixed_set_comes_in_the_order_of_its_examples():
    examples, labels = np.random.default_rng(0).random((7, 3), dtype=np.float32), np.arange(7)
    stream = ExampleStream(examples, 1, labels)
    sums = stream.through(lambda x: x.sum(axis=1, keepdims=True), block=3)
    np.testing.assert_allclose(sums.batch(4, 20)[:, 0], stream.batch(4, 20).sum(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(sums.batch_labels(4, 20), stream.batch_labels(4, 20))


def test_labels_come_in_the_order_of_the_examples():
    examples = np.arange(11, dtype=np.float32)[:, None]
    s = ExampleStream(examples, seed=2, labels=100 + np.arange(11))
    np.testing.assert_array_equal(s.batch_labels(3, 30), 100 + s.batch(3, 30)[:, 0])


def test_splits_are_joined_into_a_stream(tmp_path):
    splits = {"train": (images(5), np.arange(5)), "valid": (images(2), np.arange(2)), "test": (images(3), np.arange(3))}
    paths = tmp_path / "examples.npz", tmp_path / "provenance.json"
    save_examples(*paths, splits=splits, record={})
    plain = training_stream(paths[0], ("train", "valid"), seed=3)
    drawn, there = plain.batch(0, 7), np.concatenate([images(5), images(2)]) * np.float32(1 / 255)
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, there))
    deformation = {"displacement": 1.5, "smoothness": 4.0, "fields": 11}
    deformed = training_stream(paths[0], ("train",), seed=3, deformation=deformation)
    expected = InfiniteMNIST(images(5), np.arange(5), seed=3, **deformation)
    np.testing.assert_array_equal(deformed.batch(2, 11), expected.batch(2, 11))
    np.testing.assert_array_equal(deformed.batch_labels(2, 11), expected.batch_labels(2, 11))
    with pytest.raises(UserError, match="has no other_images; it has train_images"):
        training_stream(paths[0], ("train", "other"), seed=3)


def test_examples_without_labels_make_a_stream(tmp_path):
    patches = np.random.default_rng(0).random((7, 9), dtype=np.float32) - 0.5
    splits = {split: (patches, None) for split in ("train", "valid", "test")}
    save_examples(tmp_path / "examples.npz", tmp_path / "provenance.json", splits=splits, record={})
    drawn = training_stream(tmp_path / "examples.npz", ("train",), seed=1).batch(0, 7)
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(patches, axis=0))
