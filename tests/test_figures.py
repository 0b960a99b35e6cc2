"""The figures: tiles at their places, greys that mean what the captions say, the same bytes on every run."""

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from PIL import Image

from deepunits.drawing import tiles
from deepunits.drawing.sheet import DPI, Sheet, save
from deepunits.errors import UserError
from deepunits.paper.figures import figure1, figure2, figure3, figure4, figure7, results
from deepunits.storage import load_npz, save_npz

SIDE = 5
PIXELS = SIDE * SIDE


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def save_maxima(path, rng, units, restarts=9, pixels=PIXELS):
    units = np.asarray(units)
    save_npz(
        path,
        units=units,
        inputs=rng.standard_normal((len(units), restarts, pixels)).astype(np.float32),
        activations=rng.standard_normal((len(units), restarts)).astype(np.float32),
    )
    return path


def model_files(directory, name, rng, count, **options):
    return [save_maxima(directory / name / f"layer{k}.npz", rng, 7 + np.arange(count), **options) for k in (1, 2, 3)]


def method_files(directory, rng, count, samples=7, pixels=PIXELS):
    """Result files of the three methods of Figure 4, each with its units in an order of its own."""
    units = 3 * np.arange(count)
    drawn = rng.random((count, samples, pixels), dtype=np.float32)
    sampling, linear = directory / "sampling.npz", directory / "linear_combination.npz"
    save_npz(sampling, units=units, samples=drawn, mean=drawn.mean(axis=1))
    order = rng.permutation(count)
    save_npz(linear, units=units[order], filters=rng.standard_normal((count, pixels)).astype(np.float32), kept=100)
    maxima = save_maxima(directory / "maxima.npz", rng, rng.permutation(np.append(units, 1000)), pixels=pixels)
    return sampling, linear, maxima


def outputs(directory, name="figure"):
    kinds = {"pdf": "pdf", "png": "png", "svg": "svg", "numbers": "npz"}
    return {kind: directory / f"{name}.{ending}" for kind, ending in kinds.items()}


def row_of(arrays, unit):
    return arrays["units"].tolist().index(unit)


# Tiles


@pytest.mark.parametrize("columns", [1, 3, 4])
@pytest.mark.parametrize("gap", [0, 1, 2])
def test_montage_puts_each_tile_in_its_place(rng, columns, gap):
    images = rng.random((7, 3, 5)) / 2
    sheet = tiles.montage(images, columns, gap)
    rows = -(-7 // columns)
    assert sheet.shape == (rows * (3 + gap) - gap, columns * (5 + gap) - gap)
    paper = np.ones(sheet.shape, bool)
    for number, image in enumerate(images):
        top, left = number // columns * (3 + gap), number % columns * (5 + gap)
        np.testing.assert_array_equal(sheet[top : top + 3, left : left + 5], image)
        paper[top : top + 3, left : left + 5] = False
    assert (sheet[paper] == tiles.WHITE).all()


def test_squares_reads_rows_of_pixels_from_the_top_left():
    image = tiles.squares(np.arange(9.0)[None])[0]
    assert image[0].tolist() == [0, 1, 2]
    assert image[:, 0].tolist() == [0, 3, 6]


def test_pixels_that_make_no_square_are_refused():
    with pytest.raises(UserError, match="15 pixels"):
        tiles.squares(np.zeros((2, 15)))


def test_symmetric_grey_keeps_zero_and_signs(rng):
    images = rng.standard_normal((3, 5, 7)) * np.array([1e-3, 1, 1e3])[:, None, None]
    images[:, 2, 3] = 0
    grey = tiles.symmetric_grey(images)
    np.testing.assert_array_equal(grey[:, 2, 3], 0.5)
    np.testing.assert_array_equal(np.sign(grey - 0.5), np.sign(images))
    np.testing.assert_allclose(np.abs(grey - 0.5).max(axis=(1, 2)), 0.5)
    np.testing.assert_allclose(tiles.symmetric_grey(-images), 1 - grey)


def test_symmetric_grey_of_nothing_is_grey():
    assert (tiles.symmetric_grey(np.zeros((1, 3, 3))) == 0.5).all()


def test_intensity_grey_is_one_scale_for_all_tiles():
    images = np.array([[[0, 0.25]], [[0.5, 1.5]]])
    np.testing.assert_array_equal(tiles.intensity_grey(images), [[[0, 0.25]], [[0.5, 1]]])


# The sheet


def test_image_reaches_the_right_pixels_of_the_png(tmp_path):
    """A white pixel at the top left of the fourth of 2 x 3 grey tiles, an inch from the left and half from the top."""
    pixels = np.zeros((6, 9), np.float32)
    pixels[3, 0] = 2
    pixels[3, 8] = -2
    sheet = Sheet(4, 3)
    height = sheet.image(tiles.symmetric_tiles(pixels, columns=3), 1, 0.5, 2.2)  # 11 pixels of 0.2 inches
    assert height == pytest.approx(1.4)
    save(sheet.figure, {}, **outputs(tmp_path))
    with Image.open(tmp_path / "figure.png") as image:
        assert image.size == (4 * DPI, 3 * DPI) and image.mode == "L"
        page = np.asarray(image)

    def pixel(row, column):
        return page[round(DPI * (0.5 + 0.2 * row + 0.1)), round(DPI * (1 + 0.2 * column + 0.1))]

    assert pixel(4, 0) == 255
    assert pixel(6, 2) == 0
    assert pixel(4, 1) == pixel(5, 0) == pixel(6, 1) == 128
    assert pixel(3, 1) == pixel(4, 3) == 255  # the gaps


def test_note_lengthens_the_sheet_and_is_drawn_whole():
    note = "words and " * 40
    plain, noted = Sheet(5, 2), Sheet(5, 2, note)
    assert noted.height > plain.height == 2
    assert " ".join(text.get_text() for text in noted.figure.texts) == note.strip()


def test_colours_are_kept(tmp_path):
    sheet = Sheet(1, 1)
    sheet.axes(0, 0, 1, 1).set_facecolor("red")
    save(sheet.figure, {}, **outputs(tmp_path))
    with Image.open(tmp_path / "figure.png") as image:
        assert image.mode == "RGB"


# What is taken from the result files


def test_best_solution_is_the_one_with_the_highest_activation(tmp_path, rng):
    path = save_maxima(tmp_path / "maxima.npz", rng, [4, 2, 9], restarts=5)
    stored = load_npz(path)
    for unit, best in zip([4, 2], results.read_maxima(path, count=2).best, strict=True):
        activations = stored["activations"][row_of(stored, unit)].tolist()
        restart = activations.index(max(activations))
        np.testing.assert_array_equal(best, stored["inputs"][row_of(stored, unit), restart])


def test_missing_array_unit_and_file_are_named(tmp_path, rng):
    path = save_maxima(tmp_path / "maxima.npz", rng, [4, 2])
    with pytest.raises(UserError, match=r"maxima.npz holds no array filters"):
        results.read(path, ("units", "filters"))
    with pytest.raises(UserError, match="holds 2 units where the figure shows 3"):
        results.read_maxima(path, count=3)
    with pytest.raises(UserError, match="lacks unit 3"):
        results.read_maxima(path, units=[4, 3])
    with pytest.raises(UserError, match="absent.npz"):
        results.read_maxima(tmp_path / "absent.npz", count=1)


def test_substitutes_are_named(tmp_path):
    paths = []
    for dataset, substitute in (("mnist", False), ("natural_images", True), ("silhouettes", True)):
        paths.append(tmp_path / dataset / "provenance.json")
        paths[-1].parent.mkdir()
        paths[-1].write_text(json.dumps({"substitute": substitute, "source": f"source of {dataset}"}))
    assert results.substitutes(paths[0]) == ""
    line = results.substitutes(paths)
    assert "natural images (source of natural_images)" in line
    assert "Caltech Silhouettes (source of silhouettes)" in line
    assert "MNIST" not in line
    paths[0].write_text("{")
    with pytest.raises(UserError, match="mnist/provenance.json"):
        results.substitutes(paths)


# The figures


def check_layers(numbers, name, paths, count):
    for layer, path in enumerate(paths, start=1):
        stored = load_npz(path)
        key = f"{name}_layer{layer}"
        np.testing.assert_array_equal(numbers[f"{key}_units"], stored["units"][:count])
        np.testing.assert_array_equal(numbers[f"{key}_activations"], stored["activations"][:count].max(axis=1))
        for row, image in enumerate(numbers[f"{key}_images"]):
            shown = np.flatnonzero((stored["inputs"][row] == image).all(axis=1))
            assert stored["activations"][row, shown] == numbers[f"{key}_activations"][row]


def check_solutions(numbers, path):
    stored = load_npz(path)
    np.testing.assert_array_equal(numbers["solutions_units"], stored["units"][:4])
    np.testing.assert_array_equal(numbers["solutions_images"], stored["inputs"][:4, :9])
    np.testing.assert_array_equal(numbers["solutions_activations"], stored["activations"][:4, :9])


def images_of(figure):
    """The grey values of each image of a figure, in the order drawn."""
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes]


def test_figure1(tmp_path, rng):
    dbn, sdae = model_files(tmp_path, "dbn", rng, 37), model_files(tmp_path, "sdae", rng, 36, restarts=11)
    figure, numbers = figure1.draw(dbn, sdae)
    check_layers(numbers, "dbn", dbn, 36)
    check_layers(numbers, "sdae", sdae, 36)
    check_solutions(numbers, sdae[2])
    images = images_of(figure)
    assert len(images) == 2 * 3 + 4
    np.testing.assert_array_equal(images[4], tiles.symmetric_tiles(numbers["sdae_layer2_images"], 6))
    np.testing.assert_array_equal(images[7], tiles.symmetric_tiles(numbers["solutions_images"][1], 3))
    places = [axes.get_position() for axes in figure.axes]
    assert places[0].y0 > places[3].y1 > places[6].y1  # DBN, SDAE, solutions from top to bottom
    assert places[0].x1 < places[1].x0 < places[2].x0  # layers 1, 2, 3 from left to right


def test_figure1_wants_nine_solutions_and_36_units(tmp_path, rng):
    dbn, few = model_files(tmp_path, "dbn", rng, 36), model_files(tmp_path, "few", rng, 36, restarts=8)
    with pytest.raises(UserError, match="8 solutions"):
        figure1.draw(dbn, few)
    with pytest.raises(UserError, match="35 units"):
        figure1.draw(model_files(tmp_path, "small", rng, 35), dbn)


def test_figure2(tmp_path, rng):
    models = {name: model_files(tmp_path, name, rng, 144) for name in ("dbn", "sdae", "silhouettes")}
    figure, numbers = figure2.draw(**models)
    for name, paths in models.items():
        check_layers(numbers, name, paths, 144)
    check_solutions(numbers, models["sdae"][2])
    images = images_of(figure)
    assert len(images) == 3 * 3 + 4
    np.testing.assert_array_equal(images[8], tiles.symmetric_tiles(numbers["silhouettes_layer3_images"], 12))
    places = [axes.get_position() for axes in figure.axes]
    assert min(place.x0 for place in places[9:]) > places[2].x1  # the fourth column
    assert places[9].y1 == pytest.approx(places[0].y1) and places[12].y0 == pytest.approx(places[3].y0)


def test_figure3_shows_the_first_column_of_figure4(tmp_path, rng):
    digits, patches = tmp_path / "digits", tmp_path / "patches"
    mnist, natural = method_files(digits, rng, 37), method_files(patches, rng, 144, pixels=9)
    figure, numbers = figure3.draw([mnist[0], natural[0]])
    _, compared = figure4.draw(*zip(mnist, natural, strict=True))
    for name, path, columns in (("mnist", mnist[0], 6), ("natural_images", natural[0], 12)):
        grid = compared[f"{name}_units"].reshape(columns, columns)
        np.testing.assert_array_equal(numbers[f"{name}_units"], grid[:6, 0])
        stored = load_npz(path)
        for unit, samples in zip(numbers[f"{name}_units"], numbers[f"{name}_samples"], strict=True):
            np.testing.assert_array_equal(samples, stored["samples"][row_of(stored, unit)])
    above, below = images_of(figure)
    assert above.shape == (6 * 6 - 1, 7 * 6 - 1) and below.shape == (6 * 4 - 1, 7 * 4 - 1)
    # The second sample of the third unit: intensities for digits, zero at mid grey for patches.
    np.testing.assert_allclose(above[12:17, 6:11], numbers["mnist_samples"][2, 1].reshape(5, 5))
    patch = numbers["natural_images_samples"][2, 1].reshape(3, 3)
    np.testing.assert_allclose(below[8:11, 4:7], 0.5 + 0.5 * patch / np.abs(patch).max(), rtol=1e-6)


def test_figure4_shows_the_same_units_by_each_method(tmp_path, rng):
    files = {"mnist": method_files(tmp_path / "digits", rng, 37), "natural_images": method_files(tmp_path, rng, 144)}
    figure, numbers = figure4.draw(*zip(*files.values(), strict=True))
    for name, paths in files.items():
        sampling, linear, maxima = map(load_npz, paths)
        for row, unit in enumerate(numbers[f"{name}_units"]):
            restart = maxima["activations"][row_of(maxima, unit)].argmax()
            expected = {
                "sampling": sampling["mean"][row_of(sampling, unit)],
                "linear_combination": linear["filters"][row_of(linear, unit)],
                "activation_maximization": maxima["inputs"][row_of(maxima, unit), restart],
            }
            for method, image in expected.items():
                np.testing.assert_array_equal(numbers[f"{name}_{method}"][row], image)
    images = images_of(figure)
    assert [len(image) for image in images] == 3 * [6 * 6 - 1] + 3 * [12 * 6 - 1]
    assert images[0].min() >= 0.5  # means in [0, 1]: nothing is darker than zero


def test_figures_3_and_4_of_mnist_alone(tmp_path, rng):
    files = method_files(tmp_path, rng, 36)
    samples, three_methods = figure3.draw(files[0]), figure4.draw(*files)
    assert [len(figure.axes) for figure, _ in (samples, three_methods)] == [1, 3]
    assert not any(name.startswith("natural") for _, numbers in (samples, three_methods) for name in numbers)


def test_figure4_wants_the_same_units_and_datasets(tmp_path, rng):
    sampling, linear, maxima = method_files(tmp_path, rng, 36)
    with pytest.raises(UserError, match="same datasets"):
        figure4.draw([sampling, sampling], linear, maxima)
    with pytest.raises(UserError, match="other.npz lacks unit 0"):
        figure4.draw(sampling, linear, save_maxima(tmp_path / "other.npz", rng, 1 + np.arange(36)))


def curve_file(path, rng, datasets, dead_layer=None):
    arrays = {}
    for number, dataset in enumerate(datasets):
        arrays[f"{dataset}_epsilons"] = epsilons = np.linspace(0, 2, 5 + number)
        for layer in (1, 2, 3):
            live = 0 if (dataset, layer) == dead_layer else 10 * layer
            arrays |= {f"{dataset}_layer{layer}_live": live, f"{dataset}_layer{layer}_dead": layer - 1}
            for name in ("log_sigmoid", "normalized") if live else ():
                lower, mean, upper = np.sort(rng.normal(size=(3, len(epsilons))), axis=0)
                curves = {"lower": lower, "mean": mean, "upper": upper}
                arrays |= {f"{dataset}_layer{layer}_{name}_{key}": curve for key, curve in curves.items()}
    save_npz(path, **arrays)
    return path


@pytest.mark.parametrize("curve", ["log_sigmoid", "normalized"])
def test_figure7_draws_a_line_and_a_band_for_each_layer(tmp_path, rng, curve):
    datasets = ["mnist", "natural_images", "silhouettes"]
    path = curve_file(tmp_path / "curves.npz", rng, datasets, dead_layer=("silhouettes", 2))
    stored = load_npz(path)
    figure, numbers = figure7.draw(path, datasets, curve, model="dbn")
    assert {text.get_text() for text in figure.texts} >= {"MNIST, DBN", "Natural image patches, DBN"}
    assert [len(axes.lines) for axes in figure.axes] == [3, 3, 2]
    for dataset, axes in zip(datasets, figure.axes, strict=True):
        layers = [layer for layer in (1, 2, 3) if stored[f"{dataset}_layer{layer}_live"]]
        for layer, line, band in zip(layers, axes.lines, axes.collections, strict=True):
            name = f"{dataset}_layer{layer}"
            mean, lower, upper = (stored[f"{name}_{curve}_{which}"] for which in ("mean", "lower", "upper"))
            np.testing.assert_array_equal(line.get_xydata(), np.stack([stored[f"{dataset}_epsilons"], mean], axis=1))
            bounds = band.get_paths()[0].get_extents()
            assert (bounds.y0, bounds.y1) == (lower.min(), upper.max())
            for which, drawn in (("mean", mean), ("lower", lower), ("upper", upper)):
                np.testing.assert_array_equal(numbers[f"{name}_{which}"], drawn)
    assert numbers["silhouettes_layer2_live"] == 0 and "silhouettes_layer2_mean" not in numbers
    texts = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert texts == [
        "1st layer, 10 units",
        "2nd layer, 20 units (1 dead)",
        "3rd layer, 30 units (2 dead)",
    ]
    assert figure.axes[0].get_ylabel() == figure7.AXES[curve]


def test_figure7_wants_the_curves_of_each_dataset(tmp_path, rng):
    path = curve_file(tmp_path / "curves.npz", rng, ["mnist"])
    with pytest.raises(UserError, match="curves.npz has no curves of silhouettes"):
        figure7.draw(path, ["mnist", "silhouettes"])


def test_a_substitute_is_named_on_the_face(tmp_path, rng):
    provenance = tmp_path / "mnist" / "provenance.json"
    provenance.parent.mkdir()
    provenance.write_text(json.dumps({"substitute": True, "source": "other digits"}))
    figure, _ = figure4.draw(*method_files(tmp_path, rng, 36), provenance=provenance)
    assert any("substitute data in place of MNIST (other digits)" in text.get_text() for text in figure.texts)


def test_files_are_the_same_bytes_on_every_run(tmp_path, rng):
    """In another process, with other hashes and the user's own Matplotlib settings."""
    files = method_files(tmp_path, rng, 36)
    first, second = outputs(tmp_path / "first"), outputs(tmp_path / "second")
    save(*figure4.draw(*files), **first)
    (tmp_path / "matplotlibrc").write_text("font.size: 15\nsavefig.dpi: 77\nsvg.fonttype: none\nimage.cmap: jet\n")
    program = f"""
        from deepunits.drawing.sheet import save
        from deepunits.paper.figures import figure4

        save(*figure4.draw(*{[str(path) for path in files]}), **{ {kind: str(path) for kind, path in second.items()} })
    """
    environment = {**os.environ, "PYTHONHASHSEED": "7", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc")}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, env=environment)
    for kind, path in first.items():
        assert path.read_bytes() == second[kind].read_bytes(), kind
    stored, (_, numbers) = load_npz(first["numbers"]), figure4.draw(*files)
    assert stored.keys() == numbers.keys()
    for name, array in numbers.items():
        np.testing.assert_array_equal(stored[name], array)
