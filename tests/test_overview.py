"""A sheet of units shows what the files hold, whatever the shape of the images."""

import json

import numpy as np
import pytest
from test_techniques import layer

from deepunits.drawing import overview, tiles
from deepunits.errors import UserError
from deepunits.models.network import Network
from deepunits.storage import save_npz, write_json
from deepunits.visualize.strongest import strongest_examples

SHAPE = (5, 3, 3)  # rows, columns, colours
PIXELS, UNITS = 45, (41, 38)


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    paths = {"network": [], "maxima": [], "invariance": []}
    below = PIXELS
    for k, units in enumerate(UNITS, start=1):
        folder = tmp_path / f"layer{k}"
        arrays = {
            "network": layer(rng.normal(size=(units, below))),
            "maxima": {
                "units": np.arange(units),
                "inputs": rng.normal(size=(units, 2, PIXELS)),
                "activations": rng.normal(size=(units, 2)),
            },
            "invariance": {"activations": rng.normal(size=(units, 1, 4)), "epsilons": np.linspace(0, 2, 4)},
        }
        for name, stored in arrays.items():
            save_npz(folder / f"{name}.npz", **stored)
            paths[name].append(folder / f"{name}.npz")
        below = units
    save_npz(tmp_path / "layer2" / "samples.npz", samples=rng.random((38, 9, PIXELS)))
    save_npz(tmp_path / "examples.npz", test_images=rng.random((70, PIXELS)).astype(np.float32))
    write_json(tmp_path / "provenance.json", {"shape": SHAPE, "substitute": False, "source": ""})
    other = {"examples": tmp_path / "examples.npz", "provenance": tmp_path / "provenance.json"}
    return paths | other | {"sampling": [tmp_path / "layer2" / "samples.npz"]}


def test_a_sheet_has_the_panels_that_there_are_files_for(files):
    figure, numbers = overview.draw(**files)
    assert numbers["layer1_maxima"].shape == (36, PIXELS) and numbers["layer2_samples"].shape == (36, PIXELS)
    assert "layer1_samples" not in numbers and "layer2_combination" not in numbers
    images = [image.get_array() for axes in figure.axes for image in axes.images]
    assert len(images) == 5 and all(image.shape == (6 * 6 - 1, 6 * 4 - 1, 3) for image in images)
    np.testing.assert_array_equal(images[0], tiles.symmetric_tiles(numbers["layer1_maxima"], 6, SHAPE))
    np.testing.assert_array_equal(images[1], tiles.intensity_tiles(numbers["layer1_examples"], 6, SHAPE))


def test_strongest_examples_are_in_the_order_of_their_activations(files):
    with np.load(files["examples"]) as stored, np.load(files["network"][0]) as first:
        examples, weights, bias = stored["test_images"], first["weights"], first["hidden_bias"]
    network = Network([weights], [bias])
    found = strongest_examples(network, 1, [5, 0], examples, 7)
    activations = examples @ weights[[5, 0]].T
    np.testing.assert_array_equal(found, np.argsort(-activations, axis=0)[:7].T)
    _, numbers = overview.draw(**files)
    np.testing.assert_array_equal(numbers["layer1_examples"][:6], examples[np.argsort(-examples @ weights[0])[:6]])
    with pytest.raises(UserError, match="the 71 strongest of 70 examples"):
        strongest_examples(network, 1, [5], examples, 71)


def test_colours_are_scaled_together_and_keep_their_place():
    pixels = np.zeros((2, PIXELS))
    pixels[0].reshape(SHAPE)[1, 2] = [-2, 1, 4]
    sheet = tiles.symmetric_tiles(pixels, 2, SHAPE)
    assert sheet.shape == (5, 7, 3)
    np.testing.assert_allclose(sheet[1, 2], [0.25, 0.625, 1.0])
    np.testing.assert_array_equal(sheet[:, 3], 1.0)
    np.testing.assert_array_equal(sheet[:, 4:], 0.5)


def test_a_summary_of_linear_units_is_known(tmp_path):
    norms, epsilons = np.array([2.0, 1.0, 0.0]), np.linspace(0, 2, 401)
    heights = norms[:, None] * (1 - epsilons**2 / 2)
    maxima, invariance = tmp_path / "maxima.npz", tmp_path / "invariance.npz"
    inputs = np.stack([np.eye(3), np.eye(3)[[0, 2, 1]]], axis=1)  # starts agree on the first unit alone
    save_npz(maxima, inputs=inputs, converged=np.array([True, True, False, True]), steps=np.arange(5))
    save_npz(
        invariance, units=np.arange(3), activations=heights[:, None], epsilons=epsilons, converged=np.ones((3, 1, 401))
    )
    [row] = overview.summary([maxima], [invariance])
    assert (row["layer"], row["units"], row["converged"], row["steps"]) == (1, 3, 0.75, 2)
    assert row["cosine_among_starts"] == 0 and row["searches_converged"] == 1
    np.testing.assert_allclose(row["normalized_area"], 4 / 3, atol=1e-4)  # the dead unit is left out
    logistic = -np.logaddexp(0, -heights)
    np.testing.assert_allclose(row["area"], np.trapezoid(logistic.mean(axis=0), epsilons))


def test_images_without_a_shape_are_square(files):
    record = json.loads(files["provenance"].read_text())
    write_json(files["provenance"], {key: value for key, value in record.items() if key != "shape"})
    with pytest.raises(UserError, match="images of 45 pixels are not square"):
        overview.draw(**files)
