"""Random numbers against their distribution, and the joined products against the plain ones."""

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg.blas
from scipy.special import expit
from scipy.stats import binom, kstest

from deepunits import backend, blas, randomness
from deepunits.backend import accumulate_product, biased_sigmoid, matmul, sigmoid_layer, to_host, weighted_sum
from deepunits.randomness import bernoulli, dropout_mask, generator, sample_layer, uniform


def draw(rng, probability):
    """Return Bernoulli states drawn with `probability`."""
    return bernoulli(rng, probability, np.empty_like(probability), np.empty_like(probability))


# --- uniform numbers ---


@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (1, randomness.DRAWN + 1), (101, 397)])
def test_uniform_numbers_are_multiples_of_two_to_the_minus_24_in_the_unit_interval(shape):
    numbers = uniform(generator(1), np.full(shape, np.nan, np.float32))
    assert numbers.shape == shape and (numbers >= 0).all() and (numbers < 1).all()
    np.testing.assert_array_equal(numbers * 2**24 % 1, 0)


def test_uniform_numbers_are_uniform_and_independent():
    numbers = uniform(generator(2), np.empty(200_001, np.float32)).astype(np.float64)
    assert kstest(numbers, "uniform").pvalue > 0.001
    low_bits = numbers * 2**24 % 256 / 256
    assert kstest(low_bits + 1 / 512, "uniform").pvalue > 0.001
    for lag in (1, 2, 3, randomness.DRAWN):
        correlation = np.corrcoef(numbers[:-lag], numbers[lag:])[0, 1]
        assert abs(correlation) < 4 / np.sqrt(len(numbers))


# --- Bernoulli states ---


class Bits:
    """A generator whose first 8 bits of each draw, and the number that the others make, are given."""

    def __init__(self, first, rest):
        self.first, self.rest, self.bit_generator = first, rest, self

    def random_raw(self, count):
        return np.resize(self.first, 8 * count).astype(np.uint8).view(np.uint64)

    def random(self, count, dtype):
        return np.full(count, self.rest, dtype)


@pytest.mark.parametrize("rest", [0.0, 0.25, 0.75, 1 - 2.0**-14])
def test_a_lazy_draw_is_the_comparison_of_the_whole_number(rest):
    first = np.arange(256)
    for probability in (0.0, 2.0**-20, 0.1, 0.3, 127.5 / 256, 0.5, 0.77, 1.0):
        p = np.full(256, probability, np.float32)
        expected = (first + rest) / 256 < p.astype(np.float64)
        np.testing.assert_array_equal(draw(Bits(first, rest), p), expected)


@pytest.mark.parametrize("probability", [0.0, 1e-4, 0.001, 0.0625, 0.3137, 0.5, 0.93, 0.9999, 1.0])
def test_states_are_1_as_often_as_the_probability_says(probability):
    n = 300_007
    states = draw(generator(3), np.full(n, probability, np.float32))
    assert set(np.unique(states)) <= {0, 1}
    low, high = binom.ppf([1e-5, 1 - 1e-5], n, np.float32(probability))
    assert low <= states.sum() <= high


def test_states_may_overwrite_their_probabilities_and_are_the_same_for_the_same_seed():
    p = uniform(generator(4), np.empty((101, 397), np.float32))
    expected = draw(generator(5), p)
    np.testing.assert_array_equal(bernoulli(generator(5), p, np.empty_like(p), out=p), expected)


def test_states_of_neighbours_are_independent():
    states = draw(generator(6), np.full(200_003, 0.3, np.float32))
    for lag in (1, 7, 8):
        assert abs(np.corrcoef(states[:-lag], states[lag:])[0, 1]) < 4 / np.sqrt(len(states))


# --- masks of dropout ---


@pytest.mark.parametrize("rest", [0.0, 0.25, 0.75, 1 - 2.0**-14])
@pytest.mark.parametrize("share", [0.0, 2.0**-10, 0.1, 0.25, 127.5 / 256, 0.77, 1 - 2.0**-10])
def test_what_is_dropped_are_the_numbers_under_the_share(share, rest):
    first = np.arange(256)
    expected = np.where((first + rest) / 256 < share, 0, np.float32(1 / (1 - share)))
    np.testing.assert_array_equal(dropout_mask(Bits(first, rest), share, np.full(256, np.nan, np.float32)), expected)


@pytest.mark.parametrize("share", [1e-4, 0.001, 0.25, 0.3137, 0.9999])
def test_as_much_is_dropped_as_the_share_says(share):
    kept = dropout_mask(generator(7), share, np.empty((37, 8101), np.float32))
    low, high = binom.ppf([1e-5, 1 - 1e-5], kept.size, share)
    assert low <= (kept == 0).sum() <= high and set(np.unique(kept)) == {0, np.float32(1 / (1 - share))}


def test_arrays_that_are_not_in_c_order_are_refused():
    with pytest.raises(ValueError, match="C order"):
        uniform(generator(0), np.empty((3, 5), np.float32).T)


# --- products ---


@pytest.mark.parametrize(
    "first, second", [("deepunits.blas", "scipy.linalg.blas"), ("scipy.linalg.blas", "deepunits.blas")]
)
def test_the_product_is_scipys_and_loaded_once_in_whatever_order(first, second):
    code = f"import sys, {first}; light = 'scipy' not in sys.modules; import {second}; "
    code += "import deepunits.blas, scipy.linalg.blas; "
    code += "print(deepunits.blas.sgemm is scipy.linalg.blas.sgemm, light)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["True", str(first == "deepunits.blas")]


def test_a_scipy_that_is_built_in_another_way_has_the_product_too(monkeypatch):
    monkeypatch.delitem(sys.modules, blas.NAME)
    monkeypatch.setattr(blas.PathFinder, "find_spec", lambda name, path: None)
    assert blas._load() is scipy.linalg.blas


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_layer_of_sigmoids_in_both_orders_of_the_weights(dtype, tolerance, transposed):
    rng = np.random.default_rng(0)
    x, weights, bias = (3 * rng.normal(size=shape).astype(dtype) for shape in ((13, 7), (7, 5), (5,)))
    weights = np.ascontiguousarray(weights.T).T if transposed else weights
    expected = expit(x.astype(np.float64) @ weights + bias)
    found = sigmoid_layer(x, weights, bias)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=tolerance)
    out = np.full((26, 5), np.nan, dtype)  # as a part of a larger array
    assert sigmoid_layer(x, weights, bias, out=out[13:]).base is out
    np.testing.assert_array_equal(out[13:], found)


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-6), (np.float64, 1e-12)])
def test_biased_sigmoids_beside_their_activations_and_over_them(dtype, tolerance):
    rng = np.random.default_rng(0)
    activation, bias = 3 * rng.normal(size=(13, 5)).astype(dtype), rng.normal(size=5).astype(dtype)
    expected, before = expit(activation.astype(np.float64) + bias), activation.copy()
    found = biased_sigmoid(activation, bias)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    np.testing.assert_array_equal(activation, before)
    assert found.dtype == dtype and biased_sigmoid(activation, bias, out=activation) is activation
    np.testing.assert_array_equal(activation, found)


@pytest.mark.parametrize("beside", [False, True])
def test_a_sampled_layer_is_drawn_with_its_means(beside):
    rng = np.random.default_rng(0)
    x = np.tile(rng.normal(size=(1, 7)).astype(np.float32), (20_011, 1))
    weights, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((7, 5), (5,)))
    expected, means = expit(x[0] @ weights + bias), np.full((len(x), 5), np.nan, np.float32)
    states = sample_layer(generator(1), x, weights, bias, means=means if beside else None)
    assert states.shape == means.shape and set(np.unique(states)) == {0, 1}
    np.testing.assert_allclose(states.mean(axis=0), expected, atol=0.02)
    if beside:
        np.testing.assert_allclose(means, np.broadcast_to(expected, means.shape), atol=1e-6)
    again = sample_layer(generator(1), x, weights, bias, states=np.empty_like(means), scratch=np.empty_like(means))
    np.testing.assert_array_equal(again, states)
    assert sample_layer(generator(1), x[:0], weights, bias).shape == (0, 5)


def test_a_layer_of_sigmoids_far_from_zero():
    bias = np.array([-300.0, 0.0, 300.0], np.float32)
    found = sigmoid_layer(np.zeros((2, 5), np.float32), np.ones((5, 3), np.float32), bias)
    np.testing.assert_array_equal(found, [[0, 0.5, 1]] * 2)


def test_no_examples_are_no_error():
    none, weights, bias = (np.ones(shape, np.float32) for shape in ((0, 7), (7, 5), (5,)))
    assert sigmoid_layer(none, weights, bias).shape == (0, 5)
    assert draw(generator(0), none).shape == uniform(generator(0), none).shape == (0, 7)
    np.testing.assert_array_equal(accumulate_product(weights.copy(), none, none[:, :5], beta=0.5), 0.5 * weights)


@pytest.mark.parametrize("rows", [13, 4, 1])  # a fifth of the terms is few
@pytest.mark.parametrize("one_thread", [False, True])
@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_products_of_arrays_in_any_layout(monkeypatch, dtype, tolerance, one_thread, rows):
    monkeypatch.setattr(backend, "ONE_THREAD", one_thread)
    rng = np.random.default_rng(0)
    wide, tall = rng.normal(size=(rows, 70)).astype(dtype), rng.normal(size=(46, 5)).astype(dtype)
    for a in (np.ascontiguousarray(wide[:, :23]), np.asfortranarray(wide[:, :23]), wide[:, :23], wide[:, 24::2]):
        for b in (np.ascontiguousarray(tall[:23]), np.asfortranarray(tall[:23]), tall[::2]):
            expected = a.astype(np.float64) @ b
            out = np.full((rows, 5), np.nan, dtype)
            assert matmul(a, b, out=out) is out
            np.testing.assert_allclose(out, expected, atol=tolerance)
            np.testing.assert_array_equal(matmul(a, b), out)
            assert matmul(a, b).dtype == dtype


@pytest.mark.parametrize(
    ("variables", "one"),
    [({}, False), ({"OMP_NUM_THREADS": "1"}, True), ({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "2"}, False)],
)
def test_one_thread_is_what_openblas_was_held_to(variables, one):
    free = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", "from deepunits.backend import ONE_THREAD; print(ONE_THREAD)"]
    done = subprocess.run(command, env=free | variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(one)


def test_what_is_next_to_nothing_is_dropped_in_place():
    coefficients = np.array([1.0, -1e-9, 1e-11, -1e-40, 0.0])
    assert backend.drop_negligible(coefficients) is coefficients
    np.testing.assert_array_equal(coefficients, [1.0, -1e-9, 0.0, 0.0, 0.0])


def test_products_without_rows_or_without_terms():
    assert matmul(np.ones((0, 7), np.float32), np.ones((7, 5), np.float32)).shape == (0, 5)
    np.testing.assert_array_equal(matmul(np.ones((3, 0), np.float32), np.ones((0, 5), np.float32)), np.zeros((3, 5)))


@pytest.mark.parametrize("rows", [1, 7, 2003])
def test_accumulated_products_with_few_and_with_many_rows(rows):
    rng = np.random.default_rng(1)
    out, left, right = (rng.normal(size=shape).astype(np.float32) for shape in ((5, 7), (rows, 5), (rows, 7)))
    expected = 0.25 * out.astype(np.float64) - 0.5 * left.astype(np.float64).T @ right
    found = accumulate_product(out, left, right, alpha=-0.5, beta=0.25)
    assert found is out
    np.testing.assert_allclose(out, expected, atol=1e-5 * rows**0.5)


def test_rows_are_added_up_by_their_weights():
    weights, rows = np.array([1, -1, 3], np.float32), np.random.default_rng(0).random((3, 5), dtype=np.float32)
    np.testing.assert_allclose(weighted_sum(weights, rows), rows[0] - rows[1] + 3 * rows[2], rtol=1e-5)


def test_a_product_into_a_transpose_is_refused():
    with pytest.raises(ValueError, match="C order"):
        accumulate_product(np.zeros((5, 7), np.float32).T, np.ones((3, 7), np.float32), np.ones((3, 5), np.float32))


@pytest.mark.gpu
def test_the_gpu_draws_and_multiplies_likewise(gpu):
    xp = gpu
    rng = generator(7, xp=xp)
    p = uniform(rng, xp.empty((101, 3001), xp.float32))
    assert abs(float(p.mean()) - 0.5) < 0.005
    states = bernoulli(rng, xp.full_like(p, 0.3), xp.empty_like(p), out=xp.empty_like(p))
    assert abs(float(states.mean()) - 0.3) < 0.005
    x, weights, bias = (uniform(generator(8), np.empty(shape, np.float32)) for shape in ((13, 7), (7, 5), (5,)))
    on_gpu = sigmoid_layer(*(xp.asarray(array) for array in (x, weights, bias)))
    np.testing.assert_allclose(to_host(on_gpu), sigmoid_layer(x, weights, bias), atol=1e-5)
