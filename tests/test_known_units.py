"""Units whose truth is known: the truth itself is checked, and what searches find is held against it."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy.optimize import minimize

from deepunits.invariance import known_units as known
from deepunits.invariance.hessian import principal_curvatures
from deepunits.models.view import AmplitudeUnits
from deepunits.paper.claims import remarks
from deepunits.paper.figures.supplement_known_units import SEARCHES, draw
from deepunits.paper.tables.known_units import tabulate
from deepunits.storage import save_npz, write_json

SIDE, NORM, SEED = 9, 2.5, 3
EPSILONS = np.linspace(0, 2, 6)


@pytest.fixture(scope="module")
def units():
    return known.known_units(SIDE, NORM, EPSILONS, seed=SEED)


@pytest.fixture(scope="module")
def found(units):
    rng = np.random.default_rng(0)
    smooth = np.linalg.qr(rng.normal(size=(SIDE**2, SIDE**2)))[0]
    eigenvalues = np.arange(SIDE**2, 0, -1) ** -0.5
    statistics = {"eigenvalues": eigenvalues, "eigenvectors": smooth[:, ::-1], "regularization": np.array(1e-4)}
    return known.trace_known_units(units, EPSILONS, statistics, seed=SEED)


def heights(unit, x):
    return unit.view.activations(x, 1)[:, 0]


def on_sphere(y, centre, epsilon):
    """Return the point at distance ερ from `centre`, in the direction of y orthogonal to it."""
    across = y - (y @ centre) / (centre @ centre) * centre
    share = 1 - epsilon**2 / 2
    return share * centre + np.sqrt(1 - share**2) * NORM * across / np.linalg.norm(across)


def test_every_optimum_is_on_the_sphere_and_as_high_as_it_is_said(units):
    for unit in units:
        assert np.linalg.norm(unit.optimum) == pytest.approx(NORM)
        np.testing.assert_allclose(heights(unit, unit.optimum[None]), unit.highest[0], rtol=1e-9)
        np.testing.assert_allclose(unit.distance(unit.optimum[None]), 0, atol=1e-7)


def test_no_point_at_a_distance_is_higher_than_is_said(units):
    """A general optimiser finds as much, and not more."""
    rng = np.random.default_rng(1)
    for unit in units:
        for epsilon, highest in zip(EPSILONS[1:-1], unit.highest[1:-1], strict=True):
            values = [
                -minimize(
                    lambda y, unit=unit, epsilon=epsilon: -heights(unit, on_sphere(y, unit.optimum, epsilon)[None])[0],
                    rng.normal(size=SIDE**2),
                    method="L-BFGS-B",
                    options={"maxiter": 300, "maxfun": 30_000},
                ).fun
                for _ in range(2)
            ]
            assert max(values) <= highest * (1 + 1e-9) + 1e-9
            assert max(values) == pytest.approx(highest, rel=0.01, abs=1e-6)


def test_plain_and_tangent_steps_find_the_manifold(units, found):
    for number, unit in enumerate(units):
        for step in ("plain", "tangent"):
            x = found[step][number]
            np.testing.assert_allclose(np.linalg.norm(x - unit.optimum, axis=1), EPSILONS * NORM, atol=1e-6)
            assert (heights(unit, x) >= unit.highest - 3e-3 * unit.highest[0]).all()
            assert (unit.distance(x) < 0.04).all()
            np.testing.assert_allclose(unit.travelled(x), 2 * np.arcsin(EPSILONS / 2), atol=0.05)


def test_whitened_steps_lose_what_regularization_gives_back(units, found):
    measured = known.measure(units, found)
    reached = known.reached(measured["activations"], measured["highest"])[:, :, 1:-1].min(axis=2)
    share = dict(zip(measured["searches"].tolist(), reached.T, strict=True))
    np.testing.assert_array_equal(measured["activations"][1, 2], heights(units[1], found["whitened"][1]))
    names = [unit.name for unit in units]
    cell, shift = names.index("complex cell"), names.index("shift-invariant")
    assert share["whitened"][cell] < share["whitened_1000"][cell] <= 1 + 1e-9
    assert share[known.GEODESIC][cell] == pytest.approx(1, abs=1e-6)  # its manifold is a great circle
    theta = 2 * np.arcsin(EPSILONS[1:-1] / 2)  # along the way of a shift, by hand: k cycles turn k times as fast
    amplitudes = np.sqrt(np.cos(theta) ** 2 / 3 + np.arange(1, 4)[:, None] ** 2 * np.sin(theta) ** 2 / 14)
    assert share[known.GEODESIC][shift] == pytest.approx(amplitudes.sum(axis=0).min() / np.sqrt(3), abs=1e-6)


def test_the_activation_is_flat_along_a_shift(units):
    unit = next(unit for unit in units if unit.name == "shift-invariant")
    principal = principal_curvatures(unit.view, 1, 0, unit.optimum)
    way = principal.directions @ unit.shift / np.linalg.norm(unit.shift)
    assert np.linalg.norm(way) == pytest.approx(1) and way**2 @ principal.curvatures == pytest.approx(0, abs=1e-4)


def test_a_shift_leaves_the_amplitudes_of_gratings_as_they_are(units):
    unit = next(unit for unit in units if unit.name == "shift-invariant")
    image = unit.optimum.reshape(SIDE, SIDE)
    shifted = np.stack([np.roll(image, shift, axis=1).ravel() for shift in range(SIDE)])
    np.testing.assert_allclose(heights(unit, shifted), unit.highest[0])
    np.testing.assert_allclose(unit.distance(shifted), 0, atol=1e-6)
    assert unit.distance(np.roll(image.T, 2, axis=1).reshape(1, -1))[0] > 0.5


def test_the_gradient_of_amplitudes_is_by_central_differences():
    rng = np.random.default_rng(2)
    view, x, way = AmplitudeUnits(rng.normal(size=(3, 2, 2, 7))), rng.normal(size=(5, 7)), rng.normal(size=(5, 7))
    rows = np.array([2, 0, 1, 1, 2])
    value, gradient = view.unit_gradient(x, 1, rows)
    np.testing.assert_allclose(value, view.activations(x, 1)[np.arange(5), rows])
    ahead, behind = (view.unit_activation(x + sign * 1e-6 * way, 1, rows) for sign in (1, -1))
    np.testing.assert_allclose((gradient * way).sum(axis=1), (ahead - behind) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("slope", [0.0, 1e-9, 0.7, 40.0])
def test_the_highest_point_of_a_form_is_no_lower_than_any_other(slope):
    rng = np.random.default_rng(4)
    axes = np.linalg.qr(rng.normal(size=(7, 7)))[0]
    hessian, linear = axes * [3, 2, 2, 0, -1, -4, 1] @ axes.T, slope * rng.normal(size=7)
    x = known.highest_on_sphere(hessian, linear, 1.7)
    assert np.linalg.norm(x) == pytest.approx(1.7)
    gradient = hessian @ x + linear
    np.testing.assert_allclose(gradient, (gradient @ x) / (x @ x) * x, atol=1e-6)
    others = rng.normal(size=(20_000, 7))
    others *= 1.7 / np.linalg.norm(others, axis=1, keepdims=True)
    assert (np.einsum("np,pq,nq->n", others, hessian, others) / 2 + others @ linear).max() <= (
        x @ hessian @ x / 2 + linear @ x + 1e-9
    )


def test_the_part_of_the_largest_eigenvalue_fills_what_is_missing():
    x = known.highest_on_sphere(np.diag([5.0, 1.0, 0.0]), np.array([0.0, 2.0, 0.0]), 3.0)
    np.testing.assert_allclose(x[1:], [0.5, 0.0], atol=1e-9)  # (5 - 1) x = 2
    assert abs(x[0]) == pytest.approx(np.sqrt(9 - 0.25))


@pytest.mark.parametrize(("search", "kept", "verdict"), [("plain", 1.0, "holds"), ("whitened", 0.4, "fails")])
def test_claims_and_table_say_what_searches_reach(tmp_path, search, kept, verdict):
    searches, epsilons = np.array(["plain", "whitened", "geodesic"]), np.array([0.0, 0.5, 1.0, 1.9, 2.0])
    share = np.ones((3, 5))
    share[list(searches).index(search), 2] = kept
    share[2, 3], share[:, 4] = 0.7, 0.0  # what is beyond 1.9 does not count
    path = tmp_path / "units/natural_images/known_units.npz"
    highest = 4 - epsilons
    save_npz(
        path,
        units=np.array(["shift-invariant"]),
        searches=searches,
        epsilons=epsilons,
        highest=highest[None],
        activations=(highest - 4 * (1 - share))[None],
        distances=np.full((1, 3, 5), 0.25),
        travelled=np.full((1, 3, 5), np.pi / 3),
    )
    rows = [row for s in remarks.STATEMENTS for _, row in s.rows({str(path)}, seed=0, root=tmp_path)]
    found = {row["where"]: row for row in rows}
    assert found["shift-invariant, plain steps"]["value"] == pytest.approx(kept if search == "plain" else 1.0)
    assert found[f"shift-invariant, {search} steps"]["verdict"] == verdict
    assert found["shift-invariant"]["verdict"] == "holds" and found["shift-invariant"]["value"] == pytest.approx(0.7)
    write_json(tmp_path / "provenance.json", {"substitute": False, "source": ""})
    table = tabulate(path, [tmp_path / "provenance.json"])["table"].set_index(["search", "epsilon"])
    assert table.loc[(search, 1.0), "reached"] == pytest.approx(kept) and len(table) == 9
    assert table.loc[("plain", 1.0), "angle_error"] == pytest.approx(0) and (table["distance"] == 0.25).all()


def test_the_legend_stands_clear_of_the_note_on_a_substitute(tmp_path):
    searches, epsilons = np.array(list(SEARCHES)), np.linspace(0, 2, 11)
    shape = (2, len(searches), 11)
    path, provenance = tmp_path / "known_units.npz", tmp_path / "natural_images" / "provenance.json"
    arrays = {"units": np.array(["simple cell", "complex cell"]), "searches": searches, "epsilons": epsilons}
    arrays |= {"activations": np.ones(shape), "highest": np.ones((2, 11)), "inputs": np.ones((*shape, 9))}
    save_npz(path, **arrays)
    provenance.parent.mkdir()
    write_json(provenance, {"substitute": True, "source": "pictures of another kind, " * 9})
    figure, _ = draw(path, provenance)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    note = [text for text in figure.texts if text.get_style() == "italic"]
    top = max(text.get_window_extent().y1 for text in note)
    assert len(note) > 1 and figure.legends[0].get_window_extent().y0 >= top
