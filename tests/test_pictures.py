"""Measures of pictures, on pictures of which the answer is known."""

import numpy as np

from deepunits.paper.pictures import (
    cornerness,
    distance_to_data,
    extent,
    likeness_to_classes,
    matched_cosine,
    mean_frequency,
    smoothness,
    texture,
)


def test_matched_cosine_ignores_what_all_units_share():
    rng = np.random.default_rng(0)
    a, shared = rng.normal(size=(5, 11)), rng.normal(size=11)
    np.testing.assert_allclose(matched_cosine(a + 100 * shared, 3 * a - 100 * shared), 1)
    unrelated = matched_cosine(a + 100 * shared, rng.normal(size=(5, 11)) + 100 * shared)
    assert abs(unrelated).max() < 0.9


def test_distance_to_data_is_to_the_nearest_example():
    examples = np.array([[0.0, 0, 0], [3, 4, 0]])
    np.testing.assert_allclose(distance_to_data(np.array([[0.0, 0, 1], [3, 4, 2]]), examples), [1, 2])


def test_likeness_to_classes_is_the_correlation_with_the_nearest_mean():
    rng = np.random.default_rng(3)
    examples, labels = rng.random((13, 7)), np.arange(13) % 3
    inputs = rng.normal(size=(5, 7))
    expected = [max(np.corrcoef(x, examples[labels == label].mean(axis=0))[0, 1] for label in range(3)) for x in inputs]
    np.testing.assert_allclose(likeness_to_classes(inputs, examples, labels), expected)


def test_smoothness_is_1_of_a_ramp_and_0_of_noise():
    ramp = np.add.outer(np.arange(50.0), np.arange(30.0))
    noise = np.random.default_rng(4).normal(size=(50, 30))
    checkered = np.indices((50, 30)).sum(axis=0) % 2
    found = smoothness(np.stack([ramp.ravel(), noise.ravel(), checkered.ravel()]), (50, 30))
    np.testing.assert_allclose(found, [1, 0, -1], atol=0.1)


def test_the_mean_frequency_of_gratings():
    waves = np.sin(2 * np.pi * np.outer([2, 5], np.arange(20)) / 20)  # 2 and 5 cycles in 20 pixels
    across = np.tile(waves[:, None], (1, 20, 1)).reshape(2, -1)
    down = np.tile(waves[:, :, None], (1, 1, 20)).reshape(2, -1)
    np.testing.assert_allclose(mean_frequency(np.concatenate([across, down]) + 3), [0.1, 0.25, 0.1, 0.25], rtol=1e-6)


def test_the_texture_of_gratings_is_what_is_above_a_quarter_of_a_cycle():
    columns = np.arange(20)
    slow, fast = (np.tile(np.sin(2 * np.pi * f * columns / 20), 20) for f in (3, 7))
    np.testing.assert_allclose(texture(np.stack([slow, fast, slow + 2 * fast])), [0, 1, 0.8], atol=1e-12)


def test_the_extent_is_the_number_of_pixels_that_hold_the_power():
    images = np.zeros((3, 25))
    images[0], images[1, 7], images[2, :5] = -2, 3, [1, -1, 1, 1, -1]
    np.testing.assert_allclose(extent(images), [25, 1, 5])


def test_edges_run_in_one_direction_and_crossed_ones_in_two():
    ramp = np.arange(30.0)
    images = np.stack([np.add.outer(a * ramp, b * ramp) for a, b in ((1, 0), (2, -1))])
    waves = np.sin(2 * np.pi * ramp / 10)
    crossed = np.add.outer(waves, waves)
    found = cornerness(np.concatenate([images, crossed[None]]).reshape(3, -1))
    np.testing.assert_allclose(found, [0, 0, 1], atol=0.01)
