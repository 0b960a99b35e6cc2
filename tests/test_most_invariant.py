"""The most invariant units of a layer, and what is kept of them."""

import numpy as np
import pytest

from deepunits import Network, maximize_activation, trace_manifold
from deepunits.invariance import most_invariant as most

EPSILONS = np.linspace(0, 2, 5)


def test_the_largest_areas_of_live_units_come_first():
    activations = np.array(
        [
            [[4.0, 3, 2, 1, 0], [4, 4, 4, 1, 0]],  # its highest trial counts
            [[1.0, 1, 1, 1, 1]] * 2,  # dead
            [[8.0, 8, 8, 8, -8]] * 2,  # the scale does not
            [[2.0, 1, 0, 0, 0]] * 2,
        ]
    )
    assert most.most_invariant(activations, EPSILONS).tolist() == [2, 0, 3]
    assert most.most_invariant(activations, EPSILONS, count=1).tolist() == [2]
    assert most.most_invariant(activations[1:2], EPSILONS).tolist() == []


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    return Network([rng.normal(size=(7, 11)), rng.normal(size=(13, 7))], [np.zeros(7), np.zeros(13)])


SETTINGS = {"learning_rate": 0.3, "threshold": 1e-7, "max_steps": 3000}


@pytest.mark.parametrize("units", [[9, 2, 11, 0], [2, 0], [11, 9], []])
def test_solutions_of_all_starts_are_the_known_ones_or_new_maxima(network, units):
    known = maximize_activation(network, 2, range(5), norm=2.0, restarts=3, **SETTINGS)
    found = most.all_starts(
        network, 2, np.array(units, int), vars(known), SETTINGS | {"restarts": 9}, rng=np.random.default_rng(1)
    )
    assert found["units"].tolist() == units and found["inputs"].shape == (len(units), 3, 11)
    for row, unit in enumerate(units):
        if unit < 5:
            np.testing.assert_array_equal(found["inputs"][row], known.inputs[unit])
            np.testing.assert_array_equal(found["steps"][row], known.steps[unit])
        heights = network.activations(found["inputs"][row], 2)[:, unit]
        np.testing.assert_allclose(found["activations"][row], heights, rtol=1e-4)
        np.testing.assert_allclose(np.linalg.norm(found["inputs"][row], axis=1), 2, rtol=1e-5)
        assert found["converged"][row].any()


def test_keeping_all_points_changes_nothing_of_what_is_kept_of_the_drawn(network):
    optimum = maximize_activation(network, 2, range(13), norm=2.0, restarts=1, **SETTINGS).best
    whole = trace_manifold(network, 2, range(13), optimum, trials=2, shown=range(13))
    drawn = trace_manifold(network, 2, range(13), optimum, trials=2, shown=[0, 1, 2])
    kept = most.only_drawn(whole, np.array([0, 1, 2]))
    for name, expected in vars(drawn).items():
        np.testing.assert_array_equal(getattr(kept, name), expected)
    units, frames = most.frames(whole, np.array([7, 1]))
    assert units.tolist() == [7, 1]
    np.testing.assert_array_equal(frames, whole.inputs[[7, 1], 0])
    assert most.frames(drawn, np.array([7, 1]))[0].tolist() == [1]  # where not all points were kept


def test_too_many_points_are_not_kept():
    units, drawn = np.arange(500), np.arange(36)
    settings = {"trials": 1, "epsilons": 21}
    assert len(most.kept_until_known(units, drawn, settings, 784)) == 500
    assert len(most.kept_until_known(units, drawn, settings, 150_000)) == 36


def test_more_is_kept_of_the_most_invariant_units(network):
    known = maximize_activation(network, 2, range(5), norm=2.0, restarts=3, **SETTINGS)
    optimum = maximize_activation(network, 2, range(13), norm=2.0, restarts=1, **SETTINGS).best
    whole = trace_manifold(network, 2, range(13), optimum, shown=range(13))
    more = most.more_of_the_most_invariant(network, 2, whole, vars(known), SETTINGS, rng=np.random.default_rng(1))
    order = most.most_invariant(whole.activations, whole.epsilons)
    assert len(order) > 9
    assert more["units"].tolist() == order[:9].tolist() and more["shown_units"].tolist() == order.tolist()
    np.testing.assert_array_equal(more["frames"], whole.inputs[order, 0])
    assert more["inputs"].shape == (9, 3, 11) and more["norm"] == 2
