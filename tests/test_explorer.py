"""The explorer has the numbers of the files, the pixels of the images, and nothing that is fetched."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from test_techniques import layer

from deepunits import Network, area, normalized
from deepunits.drawing import explorer
from deepunits.storage import load_json, save_npz, write_json
from deepunits.visualize.strongest import strongest_examples

SHAPE, PIXELS, UNITS, STARTS, CLASSES = (5, 3), 15, (28, 11), 3, 7
CLASS_NAMES = ["ant", "bee", "cat", "dog", "eel", "fly", "gnu"]  # of the user's own images
EPSILONS = np.linspace(0, 2, 5)
DRAWN = 6  # units that the figures draw, the first
DEAD = 4  # of the same activation at both ends of its curve
UNCHANGING = 12  # in the first layer, of the same activation for all examples


def a_tool_s_files(rng, units, pixels):
    """Return what the search and the ascents of a layer of random units leave."""
    heights = rng.random((units, 2, 5)) + [3, 2, 1, 0, -1]
    heights[DEAD] = 0.5
    areas = area(normalized(np.delete(heights.max(axis=1), DEAD, axis=0), EPSILONS), EPSILONS)
    most = np.delete(np.arange(units), DEAD)[np.argsort(-areas)][:5]
    found = {
        "maxima": ascents(rng, np.arange(min(units, DRAWN)), pixels),
        "invariance": {
            "units": np.arange(units),
            "epsilons": EPSILONS,
            "activations": heights,
            "optimum": rng.normal(size=(units, pixels)),
            "converged": np.ones((units, 2, 5), bool),
            "shown_units": np.arange(min(units, DRAWN)),
            "inputs": rng.normal(size=(min(units, DRAWN), 2, 5, pixels)),
        },
    }
    more = {"shown_units": most, "frames": rng.normal(size=(5, 5, pixels))}
    return found, ascents(rng, most[:3], pixels) | more


def ascents(rng, units, pixels):
    count = len(units)
    return {
        "units": units,
        "inputs": rng.normal(size=(count, STARTS, pixels)),
        "activations": rng.normal(size=(count, STARTS)),
        "steps": np.arange(count * STARTS).reshape(count, STARTS),
        "converged": rng.random((count, STARTS)) < 0.5,
    }


def save_run(folder, shape=SHAPE, substitute=False, labels=True):
    """Write the files of a network of two layers with random units; return those that the explorer takes."""
    rng, pixels = np.random.default_rng(0), int(np.prod(shape))
    paths, below = {name: [] for name in ("network", "maxima", "invariance", "most_invariant")}, pixels
    for k, units in enumerate(UNITS, start=1):
        arrays, most = a_tool_s_files(rng, units, pixels)
        weights = rng.normal(size=(units, below)) / k**2  # small ones above, where no unit is to be saturated
        weights[UNCHANGING : UNCHANGING + 1] = 0
        arrays |= {"network": layer(weights), "most_invariant": most}
        for name, stored in arrays.items():
            path = folder / f"layer{k}" / f"{name}.npz"
            save_npz(path, **stored)
            paths[name].append(path)
        below = units
    for name, stored in a_tool_s_files(rng, CLASSES, pixels)[0].items():
        save_npz(folder / "output" / f"{name}.npz", **stored)
        paths[name].append(folder / "output" / f"{name}.npz")
    tuned = {"weights_1": rng.normal(size=(8, pixels)), "weights_out": rng.normal(size=(CLASSES, 8))}
    tuned |= {"bias_1": np.zeros(8), "bias_out": np.zeros(CLASSES)}
    save_npz(folder / "classifier.npz", **{name: array.astype(np.float32) for name, array in tuned.items()})
    paths["network"].append(folder / "classifier.npz")
    second = folder / "layer2"
    save_npz(second / "samples.npz", units=np.arange(6), samples=rng.random((6, 10, pixels)), mean=np.ones((6, pixels)))
    save_npz(second / "combination.npz", units=np.arange(6), filters=rng.normal(size=(6, pixels)), kept=np.array(4))
    scores = rng.random((2, 10))
    kinds = np.array(["rotation", "vertical_translation"])
    save_npz(second / "transformations.npz", units=np.delete(np.arange(11), 4), kinds=kinds, scores=scores)
    images = rng.integers(0, 256, (70, pixels), dtype=np.uint8)
    labelled = {"test_labels": np.arange(70) % CLASSES} if labels else {}
    save_npz(folder / "examples.npz", test_images=images, **labelled)
    write_json(folder / "provenance.json", {"shape": shape, "substitute": substitute, "source": "made <up>"})
    tools = {"sampling": "samples", "combination": "combination", "transformations": "transformations"}
    paths |= {name: [second / f"{file}.npz"] for name, file in tools.items()}
    return paths | {"examples": folder / "examples.npz", "provenance": folder / "provenance.json"}


def save_explorer(folder, substitute=False):
    """Make an explorer of two datasets, of which one may be a substitute; return its page."""
    files = save_run(folder / "run", substitute=substitute)
    models = {"mnist": {"dbn": [1, 2, "output"], "sdae": [1, 2]}, "own": {"net": [1, 2]}}
    for dataset, names in models.items():
        for name in names:
            explorer.write_model(folder / dataset / name, **files)
    write_json(folder / "own.json", load_json(files["provenance"]) | {"classes": CLASS_NAMES})
    page, records = folder / "index.html", {"mnist": files["provenance"], "own": folder / "own.json"}
    page.write_text(explorer.page(models, records), encoding="utf-8")
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
    assert numbers(made / "layer1.js")["dead"] == [UNCHANGING] and found["dead"] == []
    assert "sampled" not in numbers(made / "layer1.js")


def test_the_sprites_are_the_images_in_few_greys(run):
    files, made = run
    rows, columns = SHAPE
    with np.load(files["maxima"][0]) as maxima, Image.open(made / "layer1_solutions.png") as sprite:
        grey = np.asarray(sprite.convert("L")) / 255
        solution = maxima["inputs"][5, 2].reshape(SHAPE)
    kept = len(numbers(made / "layer1.js")["maximized"]["units"])
    assert grey.shape == (kept * rows, STARTS * columns) and len(np.unique(grey)) <= explorer.GREYS
    shown = grey[5 * rows : 6 * rows, 2 * columns :] * 2 - 1
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
    explorer.write_model(tmp_path / "model", **files | {"invariance": files["invariance"][:1], "most_invariant": []})
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


def test_the_most_invariant_have_their_solutions_and_frames_below_those_of_the_first_units(run):
    files, made = run
    found, (rows, columns) = numbers(made / "layer1.js"), SHAPE
    with np.load(files["most_invariant"][0]) as stored:
        most = dict(stored)
    new = [unit for unit in most["units"].tolist() if unit >= DRAWN]
    assert new and found["maximized"]["units"] == [*range(DRAWN), *new] and found["maximized"]["first"] == DRAWN
    assert found["maximized"]["steps"][-1] == most["steps"][most["units"].tolist().index(new[-1])].tolist()
    best = int(np.nanargmax(np.array(found["areas"], float)))
    assert most["shown_units"][0] == best
    row = found["shown"].index(best)
    with Image.open(made / "layer1_manifolds.png") as sprite:
        grey = np.asarray(sprite.convert("L")) / 255 * 2 - 1
    with np.load(files["invariance"][0]) as stored:
        frame = (most["frames"][0] if best >= DRAWN else stored["inputs"][best, 0])[3].reshape(SHAPE)
    painted = grey[row * rows : (row + 1) * rows, 3 * columns : 4 * columns]
    np.testing.assert_allclose(painted, frame / np.abs(frame).max(), atol=1 / (explorer.GREYS - 1) + 1 / 255)


def test_output_units_are_a_layer_of_the_classifier_with_a_class_each(run):
    files, made = run
    found = numbers(made / "output.js")
    assert found["classes"] and not numbers(made / "layer1.js")["classes"] and len(found["curves"]) == CLASSES
    with np.load(files["examples"]) as stored, np.load(folder := files["network"][2]) as tuned:
        images = stored["test_images"] / 255
        hidden = 1 / (1 + np.exp(-images @ tuned["weights_1"].T))
        strongest = np.argsort(-hidden @ tuned["weights_out"][5])[:9]
        assert found["labels"][5] == stored["test_labels"][strongest].tolist(), folder


def test_the_files_of_all_models_go_to_the_folders_of_their_models(tmp_path):
    files = save_run(tmp_path / "run")
    both = {}
    for model in ("one", "two"):
        for name, paths in files.items():
            for path in paths if isinstance(paths, list) else []:
                tool = path.parent.name if name != "network" else ""
                copy = (
                    tmp_path / "results" / "mnist" / model / tool / (path.name if tool else f"{path.parent.name}.npz")
                )
                copy = copy.with_name("classifier.npz") if path.name == "classifier.npz" else copy
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
                both.setdefault(name, []).append(copy)
    models = {"mnist": {"one": [1, 2, "output"], "two": [1, 2, "output"]}}
    of_datasets = {"examples": [files["examples"]], "provenances": [files["provenance"]]}
    explorer.write_explorer(tmp_path / "all", models, **of_datasets, **both)
    explorer.write_model(tmp_path / "alone", **files)
    for model in ("one", "two"):
        made = {path.name: path.read_bytes() for path in (tmp_path / "all" / "mnist" / model).iterdir()}
        assert made == {path.name: path.read_bytes() for path in (tmp_path / "alone").iterdir()}
    assert (tmp_path / "all" / "index.html").read_text() == explorer.page(models, {"mnist": files["provenance"]})


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


@pytest.mark.parametrize("levels", [1, 3, 1000])
def test_of_examples_that_excite_a_unit_alike_the_first_are_the_strongest(levels):
    rng = np.random.default_rng(2)
    examples = rng.integers(0, levels, (80, 6)).astype(np.float32)
    network = Network([np.eye(6, dtype=np.float32)], [np.zeros(6, np.float32)])  # each unit sees a pixel
    found = strongest_examples(network, 1, range(6), examples, 9)
    np.testing.assert_array_equal(found, np.argsort(-examples, axis=0, kind="stable")[:9].T)
