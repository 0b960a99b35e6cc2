"""Tables: intervals against their definition, units and errors against what they are made of."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from deepunits.models.rbm import RBM
from deepunits.paper.statistics import wilson_interval
from deepunits.paper.tables.errors import error_rows
from deepunits.paper.tables.units import unit_row


@pytest.mark.parametrize(("count", "total"), [(0, 7), (7, 7), (3, 11), (124, 10_000), (5150, 50_000)])
def test_wilsons_interval_is_that_of_scipy(count, total):
    expected = binomtest(count, total).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(wilson_interval(count, total), expected, atol=1e-12)


def test_the_ends_of_wilsons_interval_are_just_rejected():
    """The share lies z standard errors from either end, the error being that of the end: how Wilson defined it."""
    for end in wilson_interval(17, 203, confidence=0.9):
        assert abs(17 / 203 - end) == pytest.approx(norm.ppf(0.95) * np.sqrt(end * (1 - end) / 203))


def layer(weights):
    weights = np.asarray(weights, dtype=np.float32)
    return RBM(weights, np.zeros(len(weights), np.float32), np.zeros(weights.shape[1], np.float32))


def test_dead_units_are_counted_and_never_scored():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:11, :11] - 5.0
    gabors = [np.exp(-(x**2 + y**2) / 8) * np.cos(1.3 * x + k) for k in range(3)]
    filters = np.array([gabors[0], 0 * x, rng.normal(size=x.shape), gabors[1], 1e-5 * gabors[2]]).reshape(5, -1)
    row = unit_row("natural_images", "dbn", [layer(filters)], rng.normal(size=(90, 121)), best=filters[:4])
    assert (row["units"], row["dead"]) == (5, 2)
    assert row["fitted"] == row["fitted_shown"] == 3
    assert row["gabor_share"] == row["gabor_share_shown"] == 0.667
    assert row["gabor_median"] > 0.99


def test_deep_units_see_what_the_layers_below_make_of_the_examples():
    examples = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], np.float32)
    below = layer([[4, -4, 0], [0, 0, 4]])  # the second unit is dead
    above = layer([[5, 0], [0, 5], [5, 5]])  # and so is what sees it alone
    row = unit_row("mnist", "dbn", [below, above], examples)
    assert row == {"dataset": "mnist", "model": "dbn", "layer": 2, "units": 3, "dead": 1}


def classifier(**changes):
    return {
        "dataset": "mnist_originals",
        "initialisation": "dbn",
        "training_data": "the 50,000 originals",
        "valid_error": 0.0151,
        "test_error": 0.0124,
        "test_examples": 10_000,
        "substitute": "",
    } | changes


def test_errors_stand_beside_the_published_ones():
    dbn, random, *rest = error_rows([classifier(), classifier(initialisation="random", substitute="small digits")])
    assert (dbn["test_error"], dbn["valid_error"], dbn["published_error"]) == (1.24, 1.51, 1.24)
    assert (dbn["test_low"], dbn["test_high"]) == tuple(np.round(100 * np.array(wilson_interval(124, 10_000)), 2))
    assert "published_error" not in random and random["substitute"] == "small digits"
    assert [row["published_model"] for row in rest] == ["SdA-3", "DBN-3", "SAA-3", "SdA-3"]
    assert all("test_error" not in row for row in rest)
