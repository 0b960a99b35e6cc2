"""The explorer has the numbers of the files, the pixels of the images, and nothing that is fetched."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from test_techniques import layer

from deepunits import area, normalized
from deepunits.drawing import explorer
from deepunits.storage import save_npz, write_json

SHAPE, PIXELS, UNITS, STARTS = (5, 3), 15, (28, 11), 3
EPSILONS = np.linspace(0, 2, 5)


def save_run(folder, shape=SHAPE, substitute=False, labels=True):
    """Write the files of a network of two layers with random units; return those that the explorer takes."""
    rng, pixels = np.random.default_rng(0), int(np.prod(shape))
    paths, below = {"network": [], "maxima": [], "invariance": []}, pixels
    for k, units in enumerate(UNITS, start=1):
        heights = rng.random((units, 2, 5)) + [3, 2, 1, 0, -1]
        heights[4] = 0.5  # a dead unit
        arrays = {
            "network": layer(rng.normal(size=(units, below))),
            "maxima": {
                "units": np.arange(6),
                "inputs": rng.normal(size=(6, STARTS, pixels)),
                "activations": rng.normal(size=(6, STARTS)),
                "steps": np.arange(6 * STARTS).reshape(6, STARTS),
                "converged": rng.random((6, STARTS)) < 0.5,
            },
            "invariance": {
                "units": np.arange(units),
                "epsilons": EPSILONS,
                "activations": heights,
                "optimum": rng.normal(size=(units, pixels)),
                "converged": np.ones((units, 2, 5), bool),
                "shown_units": np.arange(6),
                "inputs": rng.normal(size=(6, 2, 5, pixels)),
            },
        }
        for name, stored in arrays.items():
            path = folder / f"layer{k}" / f"{name}.npz"
            save_npz(path, **stored)
            paths[name].append(path)
        below = units
    second = folder / "layer2"
    save_npz(second / "samples.npz", units=np.arange(6), samples=rng.random((6, 10, pixels)), mean=np.ones((6, pixels)))
    save_npz(second / "combination.npz", units=np.arange(6), filters=rng.normal(size=(6, pixels)), kept=np.array(4))
    scores = rng.random((2, 10))
    kinds = np.array(["rotation", "vertical_translation"])
    save_npz(second / "transformations.npz", units=np.delete(np.arange(11), 4), kinds=kinds, scores=scores)
    images = rng.integers(0, 256, (70, pixels), dtype=np.uint8)
    labelled = {"test_labels": np.arange(70) % 7} if labels else {}
    save_npz(folder / "examples.npz", test_images=images, **labelled)
    write_json(folder / "provenance.json", {"shape": shape, "substitute": substitute, "source": "made <up>"})
    tools = {"sampling": "samples", "combination": "combination", "transformations": "transformations"}
    paths |= {name: [second / f"{file}.npz"] for name, file in tools.items()}
    return paths | {"examples": folder / "examples.npz", "provenance": folder / "provenance.json"}


def save_explorer(folder, substitute=False):
    """Make an explorer of two datasets, of which one may be a substitute; return its page."""
    files = save_run(folder / "run", substitute=substitute)
    models = {"mnist": {"dbn": [1, 2], "sdae": [1, 2]}, "own": {"net": [1, 2]}}
    for dataset, names in models.items():
        for name in names:
            explorer.write_model(folder / dataset / name, **files)
    page = folder / "index.html"
    page.write_text(explorer.page(models, dict.fromkeys(models, files["provenance"])), encoding="utf-8")
    return page


def numbers(path):
    """Return what the script of a layer hands over."""
    return json.loads(re.fullmatch(r"receive\((.*)\);\n", path.read_text()).group(1))


@pytest.fixture
def run(tmp_path):
    files = save_run(tmp_path / "run")
    explorer.write_model(tmp_path / "model", **files)
    return files, tmp_path / "model"


def test_the_numbers_are_those_of_the_files(run):
    files, made = run
    found = numbers(made / "layer2.js")
    with np.load(files["invariance"][1]) as stored:
        highest = np.delete(stored["activations"].max(axis=1), 4, axis=0)
    curves = normalized(highest, EPSILONS)
    np.testing.assert_allclose(np.array(found["curves"][:4] + found["curves"][5:]), curves, atol=1e-4)
    np.testing.assert_allclose(found["areas"][:4] + found["areas"][5:], area(curves, EPSILONS), atol=1e-4)
    assert found["areas"][4] is None and set(found["curves"][4]) == {None}
    assert found["transformed"]["kinds"] == ["rotation", "vertical translation"]
    assert found["sampled"]["columns"] == 9 and found["combined"]["kept"] == 4
    assert "sampled" not in numbers(made / "layer1.js")


def test_the_sprites_are_the_images_in_few_greys(run):
    files, made = run
    rows, columns = SHAPE
    with np.load(files["maxima"][0]) as maxima, Image.open(made / "layer1_solutions.png") as sprite:
        grey = np.asarray(sprite.convert("L")) / 255
        solution = maxima["inputs"][5, 2].reshape(SHAPE)
    assert grey.shape == (6 * rows, STARTS * columns) and len(np.unique(grey)) <= explorer.GREYS
    shown = grey[5 * rows :, 2 * columns :] * 2 - 1
    np.testing.assert_allclose(shown, solution / np.abs(solution).max(), atol=1 / (explorer.GREYS - 1) + 1 / 255)


def test_the_strongest_examples_are_found_in_the_pool_that_layers_share(run):
    files, made = run
    with np.load(files["examples"]) as stored, np.load(files["network"][0]) as first:
        images, labels, weights = stored["test_images"] / 255, stored["test_labels"], first["weights"]
    found = numbers(made / "layer1.js")
    strongest = np.argsort(-images @ weights[7])[:9]
    assert found["labels"][7] == labels[strongest].tolist()
    with Image.open(made / "examples.png") as sprite:
        grey = np.asarray(sprite.convert("L")) / 255
    down, across = divmod(found["examples"][7][0], explorer.COLUMNS)
    tile = grey[down * 5 : down * 5 + 5, across * 3 : across * 3 + 3]
    np.testing.assert_allclose(tile, images[strongest[0]].reshape(SHAPE), atol=0.5 / (explorer.GREYS - 1) + 1 / 255)


def test_colours_and_layers_that_were_only_maximised_are_shown(tmp_path):
    files = save_run(tmp_path, shape=(2, 3, 3))
    explorer.write_model(tmp_path / "model", **files | {"invariance": files["invariance"][:1]})
    with Image.open(tmp_path / "model" / "layer2_units.png") as sprite:
        assert sprite.mode == "RGB" and sprite.size == (3 * explorer.COLUMNS, 2)
    assert "curves" not in (found := numbers(tmp_path / "model" / "layer2.js")) and found["units"] == list(range(6))


def test_units_of_small_images_without_labels_are_likened_to_gabors(tmp_path):
    files = save_run(tmp_path, shape=(9, 9), labels=False)
    y, x = np.mgrid[-4:5, -4:5]
    with np.load(files["invariance"][0]) as stored:
        arrays = dict(stored)
    arrays["optimum"][:2] = [(np.exp(-(x**2 + y**2) / 8) * np.cos(1.3 * x + 0.4)).ravel(), np.ones(81)]
    save_npz(files["invariance"][0], **arrays)
    explorer.write_model(tmp_path / "model", **files)
    found = numbers(tmp_path / "model" / "layer1.js")
    assert found["gabors"][0] > 0.99 and found["gabors"][1] is None and max(found["gabors"][2:]) < 0.9
    assert "labels" not in found


def test_the_same_files_give_the_same_bytes(run, tmp_path):
    files, made = run
    explorer.write_model(tmp_path / "again", **files)
    again = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert again == {path.name: path.read_bytes() for path in made.iterdir()}


def test_the_page_fetches_nothing_and_says_what_is_a_substitute(tmp_path):
    page = save_explorer(tmp_path, substitute=True).read_text(encoding="utf-8")
    tags = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append((tag, dict(attrs)))

    Reader().feed(page)
    assert not re.search(r"https?:|@import|fetch\(|XMLHttp", page)
    assert all("src" not in attributes for _, attributes in tags)
    assert {"header", "main", "nav", "section"} <= {tag for tag, _ in tags}
    catalogue = json.loads(re.search(r"const catalogue = (.*);", page).group(1))
    assert [each["substitute"] for each in catalogue] == [True, True] and catalogue[0]["source"] == "made <up>"
    assert catalogue[1]["models"] == [{"name": "net", "layers": [1, 2]}]
    assert "<up>" not in page
