"""Figures 5 and 6 and the supplementary figures: the numbers drawn are those of the files, each at its place."""

import json

import numpy as np
import pandas as pd
import pytest

from deepunits.drawing import tiles
from deepunits.drawing.sheet import save
from deepunits.errors import UserError
from deepunits.paper.figures import (
    figure5,
    figure6,
    supplement_hessian,
    supplement_minimization,
    supplement_preconditioned,
    supplement_transformations,
    supplement_whitening,
    walks,
)
from deepunits.storage import load_npz, save_npz

PIXELS = 9  # 3 × 3
EPSILONS = np.linspace(0, 2, 11)
PLACE = ("mnist", "sdae", 2)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def texts(figure):
    """All that is written on a figure beside its axes."""
    return [text.get_text() for text in figure.texts]


def images_of(figure):
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


# --- Figure 5 ---


@pytest.fixture(scope="module")
def example():
    return figure5.example()


def test_figure5_is_a_step_of_the_search(example):
    """Each point is what section 5.1 says of it, worked out without the search."""
    x, optimum, ring = example.x, example.optimum, example.circle
    assert np.linalg.norm(optimum) == pytest.approx(figure5.NORM)
    for points in (ring, x[None], example.chosen[None], example.rejected[None]):
        np.testing.assert_allclose(np.linalg.norm(points, axis=1), figure5.NORM, rtol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(points - optimum, axis=1), figure5.EPSILON * figure5.NORM, rtol=1e-6)
    steps = np.eye(3) * 1e-3
    gradient = [(example.activation(x + d) - example.activation(x - d)) / 2e-3 for d in steps]
    np.testing.assert_allclose(example.stepped - x, figure5.STEP * np.array(gradient), rtol=0.01, atol=1e-3)
    distances = np.linalg.norm(ring - example.stepped, axis=1)
    np.testing.assert_allclose(ring[distances.argmin()], example.chosen, atol=0.02)
    np.testing.assert_allclose(ring[distances.argmax()], example.rejected, atol=0.02)
    assert example.activation(example.chosen) > max(example.activation(example.rejected), example.activation(x))


def test_figure5_traces_the_highest_points(example):
    sphere = np.random.default_rng(0).normal(size=(4001, 3)).astype(np.float32)
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    assert example.activation(example.optimum) >= example.activation(sphere).max()
    assert example.activation(example.circle).max() <= example.activation(example.manifold[-1]) + 1e-3
    distances = np.linalg.norm(example.manifold - example.optimum, axis=1)
    np.testing.assert_allclose(distances, np.linspace(0, figure5.EPSILON, len(distances)), atol=1e-5)


def test_figure5_colours_the_sphere_by_the_activation_where_the_glass_is_not(example):
    """The pixels at the optimum's side are warm, at the far side of the large sphere cold; the corners are empty."""
    picture = figure5._spheres(example, (-1.5, 2.5, -1.2, 1.4))
    assert picture.shape[2] == 4 and picture.min() >= 0 and picture.max() <= 1
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all()

    def pixel(point):
        a, b = figure5._on_paper(point)
        return picture[round((1.4 - b) / 2.6 * (len(picture) - 1)), round((a + 1.5) / 4 * (picture.shape[1] - 1))]

    warm, cold = pixel(example.optimum), pixel(-0.9 * figure5._view()[0])
    assert warm[0] > warm[2] and cold[0] < cold[2] and warm[3] == cold[3] == 1


def test_figure5_shows_what_it_stores(example):
    figure, numbers = figure5.draw()
    np.testing.assert_array_equal(numbers["chosen"], example.chosen)
    assert numbers["epsilon"] == figure5.EPSILON
    path = figure5._on_paper(numbers["manifold"]).T
    [drawn] = [line.get_xydata() for line in figure.axes[0].lines if len(line.get_xydata()) == len(path)]
    np.testing.assert_array_equal(drawn, path)


# --- Figure 6 ---


def output_files(directory, rng, *, restarts=11, trials=5, epsilons=EPSILONS, shown=(4, 5)):
    maxima, invariance = directory / "maxima.npz", directory / "invariance.npz"
    save_npz(
        maxima,
        units=np.arange(10),
        inputs=rng.normal(size=(10, restarts, PIXELS)).astype(np.float32),
        activations=rng.normal(size=(10, restarts)).astype(np.float32),
    )
    save_npz(
        invariance,
        units=np.arange(10),
        epsilons=epsilons,
        activations=rng.normal(size=(10, trials, len(epsilons))),
        shown_units=np.array(shown),
        inputs=rng.normal(size=(len(shown), trials, len(epsilons), PIXELS)),
    )
    return maxima, invariance


@pytest.mark.parametrize("count", [11, 41])
def test_figure6(tmp_path, rng, count):
    files = output_files(tmp_path, rng, epsilons=np.linspace(0, 2, count))
    figure, numbers = figure6.draw(*files)
    maxima, invariance = map(load_npz, files)
    for label in (4, 5):
        np.testing.assert_array_equal(numbers[f"label{label}_images"], maxima["inputs"][label, :9])
        np.testing.assert_array_equal(numbers[f"label{label}_activations"], maxima["activations"][label, :9])
    kept = np.searchsorted(invariance["epsilons"], numbers["epsilons"])
    assert len(kept) == min(count, figure6.FRAMES) and kept[0] == 0 and kept[-1] == count - 1
    assert set(np.diff(kept)) == {1 if count == 11 else 2}
    np.testing.assert_array_equal(numbers["manifold_images"], invariance["inputs"][0, :4][:, kept])
    np.testing.assert_array_equal(numbers["manifold_activations"], invariance["activations"][4, :4][:, kept])
    four, five, below = images_of(figure)
    np.testing.assert_array_equal(four, tiles.symmetric_tiles(numbers["label4_images"], 3))
    np.testing.assert_array_equal(five, tiles.symmetric_tiles(numbers["label5_images"], 3))
    np.testing.assert_array_equal(
        below, tiles.symmetric_tiles(numbers["manifold_images"].reshape(-1, PIXELS), len(kept))
    )
    assert "Output label 4" in texts(figure)


def test_figure6_frames_the_best_of_the_nine(tmp_path, rng):
    figure, numbers = figure6.draw(*output_files(tmp_path, rng))
    [frame] = figure.axes[0].patches
    row, column = divmod(int(np.argmax(numbers["label4_activations"])), 3)
    assert frame.get_xy() == (4 * column - 1, 4 * row - 1)
    assert not figure.axes[1].patches


def test_figure6_wants_nine_solutions_four_trials_and_the_four(tmp_path, rng):
    with pytest.raises(UserError, match="8 solutions"):
        figure6.draw(*output_files(tmp_path, rng, restarts=8))
    with pytest.raises(UserError, match="3 trials"):
        figure6.draw(*output_files(tmp_path, rng, trials=3))
    with pytest.raises(UserError, match="lacks unit 4"):
        figure6.draw(*output_files(tmp_path, rng, shown=(5, 6)))


# --- the supplementary figures ---


def test_walks_take_their_rows_and_their_distances():
    assert walks.frames(EPSILONS).tolist() == list(range(11))
    assert walks.frames(np.linspace(0, 2, 25)).tolist() == list(range(0, 25, 2))
    assert walks.title(PLACE) == "MNIST, SDAE, layer 2"
    assert walks.title(("mnist_rot", "dbn")) == "mnist-rot, DBN"


def test_preconditioned_maxima_stand_below_the_plain_ones(tmp_path, rng):
    plain, _ = output_files(tmp_path, rng)
    other = tmp_path / "preconditioned.npz"
    order = rng.permutation(10)
    inputs, activations = rng.normal(size=(10, 4, PIXELS)), rng.normal(size=(10, 4))
    save_npz(other, units=order, inputs=inputs[order], activations=activations[order])
    figure, numbers = supplement_preconditioned.draw(plain, other)
    np.testing.assert_array_equal(numbers["maxima_images"], load_npz(plain)["inputs"][:, :4])
    np.testing.assert_array_equal(numbers["preconditioned_images"], inputs)
    above, below = images_of(figure)
    np.testing.assert_allclose(below[4:7, 8:11], tiles.symmetric_grey(inputs[2, 1].reshape(3, 3)))  # label 2, start 2
    assert above.shape == below.shape == (4 * 4 - 1, 10 * 4 - 1)
    assert f"{activations[7].max():.2f}" in texts(figure)
    save_npz(other, units=order, inputs=inputs[:, :3], activations=activations[:, :3])
    with pytest.raises(UserError, match="3 solutions"):
        supplement_preconditioned.draw(plain, other)


def curvature_file(path, rng, units=5):
    save_npz(
        path,
        units=10 + np.arange(units),
        epsilons=EPSILONS,
        norm=3.0,
        curvatures=np.sort(rng.normal(size=(units, PIXELS - 1)))[:, ::-1],
        variances=rng.exponential(size=(units, PIXELS - 1)),
        activations=rng.normal(size=(units, 4, 11)),
        inputs=rng.normal(size=(units, 4, 11, PIXELS)),
    )
    return path


def test_the_hessian_figure(tmp_path, rng):
    path = curvature_file(tmp_path / "curvatures.npz", rng)
    figure, numbers = supplement_hessian.draw(path, PLACE)
    stored = load_npz(path)
    np.testing.assert_allclose(numbers["curvatures"], 9 * stored["curvatures"])
    np.testing.assert_array_equal(numbers["images"], stored["inputs"][:3])
    spectrum, variance, along = (axes.lines for axes in figure.axes[:3])
    np.testing.assert_allclose(spectrum[0].get_ydata(), 9 * stored["curvatures"].mean(axis=0))
    np.testing.assert_allclose(variance[0].get_ydata(), np.log10(stored["variances"]).mean(axis=0))
    np.testing.assert_allclose([line.get_ydata() for line in along], stored["activations"].mean(axis=0))
    assert [len(image) for image in images_of(figure)] == 3 * [4 * 4 - 1]
    assert {"MNIST, SDAE, layer 2", "unit 10", "steepest", "ε = 0", "2"} <= set(texts(figure))
    with pytest.raises(UserError, match="holds 2 units where the figure shows 3"):
        supplement_hessian.draw(curvature_file(tmp_path / "few.npz", rng, units=2), PLACE)


def search_file(path, rng, units=5):
    arrays = {"units": np.arange(units), "epsilons": EPSILONS}
    for name in ("plain", "tangent", "whitened", "lowest", "random", "data_like"):
        arrays[f"{name}_activations"] = rng.normal(size=(units, 11))
        arrays[f"{name}_inputs"] = rng.normal(size=(units, 11, PIXELS))
    save_npz(path, **arrays)
    return path


def test_the_minimization_figure(tmp_path, rng):
    path = search_file(tmp_path / "searches.npz", rng)
    figure, numbers = supplement_minimization.draw(path, PLACE)
    stored = load_npz(path)
    curves = [line.get_ydata() for line in figure.axes[0].lines]
    expected = [stored[f"{name}_activations"].mean(axis=0) for name in ("plain", "random", "data_like", "lowest")]
    np.testing.assert_allclose(curves, expected)
    np.testing.assert_array_equal(numbers["lowest_images"], stored["lowest_inputs"][:3])
    first = images_of(figure)[0]
    np.testing.assert_allclose(first[4:7, 8:11], tiles.symmetric_grey(stored["lowest_inputs"][0, 2].reshape(3, 3)))


def test_the_whitening_figure(tmp_path, rng):
    path = search_file(tmp_path / "searches.npz", rng)
    figure, numbers = supplement_whitening.draw(path, PLACE)
    stored = load_npz(path)
    losses = [line.get_ydata() for line in figure.axes[1].lines[:2]]
    plain = stored["plain_activations"]
    expected = [(stored[f"{name}_activations"] - plain).mean(axis=0) for name in ("tangent", "whitened")]
    np.testing.assert_allclose(losses, expected)
    np.testing.assert_array_equal(numbers["images"][:, 2], stored["whitened_inputs"][:3])


def transformation_files(directory, rng, units=13, dead=()):
    """Files of linear units of three layers, which rotation takes to ε = 1.2 and scaling to 0.7 but for one unit."""
    kinds = list(supplement_transformations.TITLES)[:4]
    found = {"transformations": [], "invariance": []}
    rows = []
    for layer in (1, 2, 3):
        count = 0 if layer in dead else units
        distances = np.tile([1.2, 0.6, 0.0, 0.6, 1.2], (4, count, 1))
        distances[3] *= 0.7 / 1.2
        distances[3, :1, 3:] = [1.0, 2.0]
        slopes, epsilons = rng.uniform(1, 2, size=(units, 1)), np.linspace(0, 2, 21)
        found["transformations"].append(directory / f"transformations{layer}.npz")
        save_npz(
            found["transformations"][-1],
            units=np.arange(count),
            kinds=np.array(kinds),
            distances=distances,
            activations=layer + slopes[:count] * (1 - distances**2 / 2),
            highest=layer + slopes[:count, 0],
            opposite=layer - slopes[:count, 0],
        )
        found["invariance"].append(directory / f"invariance{layer}.npz")
        heights = layer + slopes * (1 - epsilons**2 / 2)
        save_npz(found["invariance"][-1], units=np.arange(units), epsilons=epsilons, activations=heights[:, None])
        for number, kind in enumerate(kinds):
            scores = [np.nan] * 3 if layer in dead else [10 * layer + number, 10 * layer, 10 * layer + 7]
            names = ("firing", "firing_low", "firing_high")
            rows.append({"layer": layer, "transformation": kind} | dict(zip(names, scores, strict=True)))
        rows.append({"layer": layer, "transformation": "manifold"})
    pd.DataFrame(rows).to_csv(directory / "table.csv", index=False)
    return found["transformations"], found["invariance"], directory / "table.csv"


def test_the_transformation_figure(tmp_path, rng):
    figure, numbers = supplement_transformations.draw(*transformation_files(tmp_path, rng), PLACE[:2])
    epsilons = numbers["epsilons"]
    for layer in (1, 2, 3):
        for kind, end in (("rotation", 1.2), ("scaling", 0.7), ("manifold", 2.0)):
            curves = numbers[f"layer{layer}_{kind}_normalized"]
            assert epsilons[curves.shape[1] - 1] == pytest.approx(end)
            np.testing.assert_allclose(curves, np.tile(1 - epsilons[: curves.shape[1]] ** 2 / 4, (13, 1)), atol=2e-3)
    above = figure.axes[0].lines[1]  # layer 2 under rotation
    heights = numbers["layer2_rotation"]
    np.testing.assert_allclose(above.get_ydata(), -np.log1p(np.exp(-heights)).mean(axis=0), rtol=1e-6)
    points = [[line.get_ydata()[0] for line in axes.lines if line.get_marker() == "o"] for axes in figure.axes[10:14]]
    np.testing.assert_array_equal(points, [[10 + n, 20 + n, 30 + n] for n in range(4)])


def test_layers_without_live_units_are_left_out(tmp_path, rng):
    figure, numbers = supplement_transformations.draw(*transformation_files(tmp_path, rng, dead=(3,)), PLACE[:2])
    assert "layer2_scores" in numbers and not any(name.startswith("layer3") for name in numbers)
    save(figure, numbers, **{kind: tmp_path / f"figure.{kind}" for kind in ("pdf", "png", "svg", "numbers")})


def test_substitutes_are_named_on_each(tmp_path, rng):
    provenance = tmp_path / "mnist" / "provenance.json"
    provenance.parent.mkdir()
    provenance.write_text(json.dumps({"substitute": True, "source": "other digits"}))
    searches, maxima = search_file(tmp_path / "searches.npz", rng), output_files(tmp_path, rng)
    for figure, _ in (
        figure6.draw(*maxima, provenance=provenance),
        supplement_preconditioned.draw(maxima[0], maxima[0], provenance=provenance),
        supplement_hessian.draw(curvature_file(tmp_path / "curvatures.npz", rng), PLACE, provenance=provenance),
        supplement_minimization.draw(searches, PLACE, provenance=provenance),
        supplement_whitening.draw(searches, PLACE, provenance=provenance),
        supplement_transformations.draw(*transformation_files(tmp_path, rng), PLACE[:2], provenance=provenance),
    ):
        assert "substitute data in place of MNIST (other digits)" in " ".join(texts(figure))
