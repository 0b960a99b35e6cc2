"""Layers and models compared and rows of Figure 6 measured, on manifolds whose measures are known."""

import numpy as np
import pytest
from scipy import ndimage

from deepunits.models.rbm import RBM
from deepunits.paper.tables.comparison import TracedLayer, dataset_curves, dead_units, layer_curves
from deepunits.paper.tables.invariance import layer_rows, searches
from deepunits.paper.tables.invariance_models import COLUMNS, model_rows
from deepunits.paper.tables.rotations import rotation_rows

EPSILONS = np.linspace(0, 2, 11)


def linear(units, rng, dead=0):
    """Return a layer of linear units, of which the last ones do not change at all."""
    h = rng.uniform(3, 7, (units, 1)) * (1 - EPSILONS**2 / 2) + rng.normal(size=(units, 1))
    h[units - dead :] = -5
    trials = np.stack([h, h - rng.random(h.shape)], axis=1)  # a search that fell short beside one that did not
    return TracedLayer(trials, np.ones(trials.shape, bool), np.arange(units) >= units - dead)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def rows_of(rows, **wanted):
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_the_highest_trial_of_the_live_units_is_measured(rng):
    layer = linear(17, rng, dead=4)
    [row] = rows_of(layer_rows([layer], EPSILONS, seed=0), curve="log_sigmoid", measure="area")
    h = layer.activations[:13, 0]
    expected = np.trapezoid(np.log(1 / (1 + np.exp(-h))), EPSILONS, axis=1).mean()
    assert row["mean"] == pytest.approx(expected)
    assert row["low"] < row["mean"] < row["high"]
    assert (row["units"], row["dead"], row["converged"]) == (17, 4, 1)


def test_normalized_areas_of_linear_units_are_alike_whatever_their_scale(rng):
    rows = layer_rows([linear(7, rng), linear(11, rng), linear(5, rng, dead=2)], EPSILONS, seed=0)
    areas = rows_of(rows, curve="normalized", measure="area")
    np.testing.assert_allclose([row["mean"] for row in areas], np.trapezoid(1 - EPSILONS**2 / 4, EPSILONS))
    np.testing.assert_allclose([row["difference"] for row in areas[1:]], 0, atol=1e-12)


def test_layers_are_compared_with_the_one_below(rng):
    flat, steep = linear(23, rng), linear(19, rng)
    steep.activations[:] = 5 * steep.activations - 9
    rows = layer_rows([steep, flat], EPSILONS, seed=0)
    assert len(rows) == 2 * 2 * 2
    below, above = rows_of(rows, curve="log_sigmoid", measure="area")
    assert "difference" not in below
    assert above["difference"] == pytest.approx(above["mean"] - below["mean"])
    assert 0 < above["difference_low"] < above["difference"] < above["difference_high"]
    assert above["superiority"] == 1
    below, above = rows_of(rows, curve="log_sigmoid", measure="slope")
    assert below["mean"] < above["mean"] < 0


def test_a_layer_without_live_units_is_counted_and_not_scored(rng):
    gone = linear(7, rng, dead=7)
    rows = layer_rows([linear(5, rng), gone, linear(3, rng)], EPSILONS, seed=0)
    for row in rows_of(rows, layer=2):
        assert row["dead"] == 7 and "mean" not in row
    assert all("mean" in row and "difference" not in row for row in rows_of(rows, layer=3))
    assert layer_curves(gone, EPSILONS) == {"live": 0, "dead": 7}


def test_models_are_compared_layer_by_layer(rng):
    models = {"dbn": [linear(23, rng), linear(7, rng)], "sdae": [linear(11, rng, dead=4), linear(13, rng)]}
    models["dbn"][0].converged[:5] = False
    rows = model_rows(models, EPSILONS, seed=0)
    assert len(rows) == 2 * 2 * 2
    assert all(set(row) == set(COLUMNS) - {"dataset", "substitute"} for row in rows)
    [first] = rows_of(rows, layer=1, curve="log_sigmoid", measure="area")
    assert [first[f"{model}_{name}"] for model in models for name in ("live", "dead")] == [23, 0, 7, 4]
    assert (first["dbn_converged"], first["sdae_converged"]) == (round(18 / 23, 4), 1)
    areas = {
        model: np.trapezoid(-np.log1p(np.exp(-layer.activations[~layer.dead, 0])), EPSILONS, axis=1)
        for model, (layer, _) in models.items()
    }
    for model, its in areas.items():
        assert first[f"{model}_mean"] == pytest.approx(its.mean())
        assert first[f"{model}_low"] < its.mean() < first[f"{model}_high"]
    assert first["difference"] == pytest.approx(areas["sdae"].mean() - areas["dbn"].mean())
    assert first["difference_low"] < first["difference"] < first["difference_high"]
    assert first["superiority"] == pytest.approx(np.mean(areas["sdae"][:, None] > areas["dbn"]))


def test_the_model_that_keeps_its_activation_has_the_larger_areas(rng):
    steep, flat = linear(17, rng), linear(5, rng)
    h = flat.activations[:, 0]
    flat.activations[:] = (h + 2 * (1 - EPSILONS**2 / 4) * EPSILONS)[:, None]  # higher but at either end
    steep.activations[:] = 5 * steep.activations - 9
    rows = model_rows({"dbn": [steep], "sdae": [flat]}, EPSILONS, seed=0)
    assert all(row["difference_low"] > 0 and row["superiority"] == 1 for row in rows_of(rows, measure="area"))
    swapped = model_rows({"dbn": [flat], "sdae": [steep]}, EPSILONS, seed=0)
    for row, other in zip(rows, swapped, strict=True):
        assert other["difference"] == pytest.approx(-row["difference"])
        assert other["superiority"] == pytest.approx(1 - row["superiority"])
        assert other["sdae_mean"] == row["dbn_mean"]


@pytest.mark.parametrize("live", [0, 1])
def test_models_are_not_compared_where_a_layer_of_one_has_hardly_a_live_unit(rng, live):
    models = {"dbn": [linear(5, rng), linear(7, rng, dead=7 - live)], "sdae": [linear(3, rng), linear(11, rng, dead=2)]}
    rows = model_rows(models, EPSILONS, seed=0)
    assert all("difference" in row for row in rows_of(rows, layer=1))
    for row in rows_of(rows, layer=2):
        assert (row["dbn_live"], row["dbn_dead"], row["sdae_live"], row["sdae_dead"]) == (live, 7 - live, 9, 2)
        assert "dbn_mean" not in row and "sdae_mean" in row
        assert not {"difference", "superiority"} & set(row)


def test_curves_are_means_and_quartiles_of_the_live_units(rng):
    layer = linear(9, rng, dead=2)
    found = layer_curves(layer, EPSILONS)
    curves = -np.log1p(np.exp(-layer.activations[:7, 0]))
    np.testing.assert_allclose(found["log_sigmoid_mean"], curves.mean(axis=0))
    inside = (curves >= found["log_sigmoid_lower"]) & (curves <= found["log_sigmoid_upper"])
    assert (inside.sum(axis=0) == 3).all()  # of 7 units, the quartiles lie between the second and third and so on
    np.testing.assert_allclose(found["normalized_mean"], 1 - EPSILONS**2 / 4)
    assert (found["live"], found["dead"]) == (7, 2)


def test_curves_are_named_by_dataset_and_layer(rng):
    layers = [linear(5, rng), linear(7, rng, dead=7), linear(3, rng)]
    found = dataset_curves("mnist_rot", layers, EPSILONS)
    np.testing.assert_array_equal(found.pop("mnist_rot_epsilons"), EPSILONS)
    for number, layer in enumerate(layers, start=1):
        for name, array in layer_curves(layer, EPSILONS).items():
            np.testing.assert_array_equal(found.pop(f"mnist_rot_layer{number}_{name}"), array)
    assert not found


def test_searches_are_told_apart_and_have_the_units_that_they_share(rng):
    manifolds, varied, dead = [], {"searches": np.array(["plain", "other"])}, []
    for k in (1, 2):
        layer = linear(13, rng, dead=k)
        arrays = {"activations": layer.activations, "converged": layer.converged, "shown_units": np.array([0, 1, 12])}
        manifolds.append(arrays)
        varied[f"layer{k}_activations"] = np.stack([k + np.zeros((3, 2, 11)), 10 * k + np.zeros((3, 2, 11))])
        varied[f"layer{k}_converged"] = np.zeros((2, 3, 2, 11), bool)
        dead.append(layer.dead)
    found = list(searches("whitened", manifolds, varied, dead))
    assert [name for name, _ in found] == ["whitened", "whitened", "plain", "other"]
    whole, shown, plain, other = (layers for _, layers in found)
    assert [len(layers[1].dead) for layers in (whole, shown, plain, other)] == [13, 3, 3, 3]
    np.testing.assert_array_equal(shown[1].activations, whole[1].activations[[0, 1, 12]])
    assert (plain[1].activations == 2).all() and (other[1].activations == 20).all()
    assert plain[0].dead.tolist() == [False, False, True]


def test_dead_units_of_a_stack_are_those_that_do_not_change(rng):
    first = RBM(np.float32([[3, -3, 0], [0, 0, 0]]), np.zeros(2, np.float32), np.zeros(3, np.float32))
    second = RBM(np.float32([[0, 7], [7, 0], [7, -7]]), np.zeros(3, np.float32), np.zeros(2, np.float32))
    found = dead_units([first, second], rng.random((50, 3)).astype(np.float32))
    assert [layer.tolist() for layer in found] == [[False, True], [True, False, False]]


def test_rotated_frames_are_explained(rng):
    first = ndimage.gaussian_filter(rng.normal(size=(15, 15)), 2)
    frames = np.array([ndimage.rotate(first, angle, reshape=False, order=1).ravel() for angle in (0, 30, -50)])
    activations = np.array([[3.0, 2.0, 1.0], [3.0, 1.0, 0.0]])
    rows = rotation_rows(np.array([0, 0.5, 1]), np.stack([frames, -frames]), activations)
    assert [(row["trial"], row["epsilon"]) for row in rows] == [(t, e) for t in (0, 1) for e in (0, 0.5, 1)]
    np.testing.assert_allclose([row["angle"] for row in rows[:3]], [0, 30, -50])
    assert [row["activation"] for row in rows] == activations.ravel().tolist()
    assert rows[1]["correlation"] == pytest.approx(1)
    assert rows[1]["unrotated"] < 0.95
