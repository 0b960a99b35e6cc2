"""Pictures of units: each image at its place, each curve as it was measured; what cannot be drawn is one sentence."""

import numpy as np
import pytest

from deepunits.drawing.tiles import symmetric_tiles
from deepunits.drawing.units import draw_curves, draw_manifolds, draw_maxima
from deepunits.errors import UserError
from deepunits.invariance.manifold import trace_manifold
from deepunits.models.network import Network
from deepunits.visualize.activation_maximization import maximize_activation

SHAPE, UNITS = (3, 5), 7


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    return Network([rng.normal(size=(UNITS, 15)).astype(np.float32)], [np.zeros(UNITS, np.float32)])


@pytest.fixture
def maxima(network):
    return maximize_activation(network, 1, range(UNITS), norm=2.0, restarts=2)


def test_the_maxima_stand_side_by_side(maxima):
    [axes] = draw_maxima(maxima, SHAPE, columns=3).axes
    np.testing.assert_array_equal(axes.images[0].get_array(), symmetric_tiles(maxima.best, 3, SHAPE))
    assert axes.images[0].get_array().shape == (3 * 4 - 1, 3 * 6 - 1)


@pytest.mark.parametrize(("count", "width"), [(2, 6.5 * 2 / 9), (7, 6.5 * 7 / 9)])
def test_few_maxima_are_no_larger_than_many(network, count, width):
    figure = draw_maxima(maximize_activation(network, 1, range(count), norm=2.0, restarts=1), SHAPE)
    assert figure.get_figwidth() == pytest.approx(width)


def test_a_manifold_goes_from_the_optimum_on_the_left_to_its_opposite(network, maxima):
    found = trace_manifold(network, 1, range(UNITS), maxima.best, trials=2, shown=[5, 2])
    figure = draw_manifolds(found, SHAPE, frames=5, trial=1)
    tiles = figure.axes[0].images[0].get_array()
    points = found.inputs[:, 1, [0, 5, 10, 15, 20]].reshape(-1, 15)
    np.testing.assert_array_equal(tiles, symmetric_tiles(points, 5, SHAPE))
    np.testing.assert_allclose(tiles[:3, :5] + tiles[:3, -5:], 1, atol=1e-5)  # each is the other's negative
    texts = [text.get_text() for text in figure.texts]
    assert texts == ["ε = 0", "ε = 0.5", "ε = 1", "ε = 1.5", "ε = 2", "unit 2", "unit 5"]


def test_a_linear_unit_has_the_dashed_curve(network, maxima):
    found = trace_manifold(network, 1, range(UNITS), maxima.best)
    [axes] = draw_curves({"layer 1": found}).axes
    dashed, drawn = axes.lines
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["any linear unit", "layer 1, 7 units"]
    np.testing.assert_allclose(drawn.get_ydata(), np.interp(found.epsilons, *dashed.get_data()), atol=1e-3)


def test_what_cannot_be_drawn_is_one_sentence(network, maxima):
    with pytest.raises(UserError, match=r"inputs of 15 pixels are no images of shape \(4, 4\); give theirs"):
        draw_maxima(maxima, (4, 4))
    with pytest.raises(UserError, match="images of 15 pixels are not square"):
        draw_maxima(maxima)
    found = trace_manifold(network, 1, range(UNITS), maxima.best, epsilons=[0.0, 1.0])
    with pytest.raises(UserError, match="the manifold keeps no points; trace it with shown=units"):
        draw_manifolds(found, SHAPE)
    with pytest.raises(UserError, match="normalized curves need 0 to 2"):
        draw_curves({"layer 1": found})
