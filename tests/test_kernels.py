"""The CUDA kernels: compiled by nvrtc, which needs no GPU, and run on the CPU as the C++ that they also are."""

import ctypes
import importlib.metadata

import numpy as np
import pytest
import stand_in
from scipy.special import expit, logit, softmax
from scipy.stats import binom

from deepunits import kernels
from deepunits.backend import accumulate_product, sigmoid_layer, times_slope, to_host
from deepunits.data.infinite_mnist import InfiniteMNIST
from deepunits.kernels import PRELUDE, SOURCES, THREADS
from deepunits.models.autoencoder import Denoising, DenoisingAutoencoder
from deepunits.models.layer import PARAMETERS, TiedLayer
from deepunits.models.on_gpu import FEW, denoise_few, descend
from deepunits.randomness import generator, sample_layer


@pytest.fixture
def on_cpu():
    """Return a function that runs a kernel with NumPy arrays and numbers."""
    if stand_in.compiler() is None:
        pytest.skip("no C++ compiler to run the kernels with on the CPU")

    def argument(value):
        if isinstance(value, np.ndarray):
            return stand_in.ndarray(value)
        return np.float32(value) if isinstance(value, float) else np.int64(value)

    def run(name, size, *arguments):
        kernel = stand_in.RawKernel(PRELUDE + SOURCES[name], name)
        kernel((-(-size // THREADS),), (THREADS,), [argument(value) for value in arguments])

    return run


@pytest.fixture(scope="module")
def nvrtc():
    """Return the compiler's library, from the wheel in the dev extra: neither CuPy nor a GPU is needed."""
    try:
        files = importlib.metadata.files("nvidia-cuda-nvrtc-cu12")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the wheel of the compiler is not installed: the dev extra has it for Linux on x86-64 and ARM")
    (library,) = (file for file in files if file.match("libnvrtc.so.*"))
    return ctypes.CDLL(str(library.locate()))


def get_text(nvrtc, what, program):
    """Return the "PTX" or the "ProgramLog" of a program."""
    size = ctypes.c_size_t()
    assert getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)) == 0
    text = ctypes.create_string_buffer(size.value)
    assert getattr(nvrtc, f"nvrtcGet{what}")(program, text) == 0
    return text.value.decode()


def compile_to_ptx(nvrtc, source):
    """Return the PTX of a kernel; one that does not compile fails the test with the compiler's log."""
    program, options = ctypes.c_void_p(), (ctypes.c_char_p * 1)(b"--gpu-architecture=compute_70")
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), None, 0, None, None) == 0
    try:
        if nvrtc.nvrtcCompileProgram(program, len(options), options) != 0:
            pytest.fail(get_text(nvrtc, "ProgramLog", program))
        return get_text(nvrtc, "PTX", program)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


@pytest.mark.parametrize("name", SOURCES)
def test_nvrtc_compiles(nvrtc, name):
    assert f".entry {name}(" in compile_to_ptx(nvrtc, PRELUDE + SOURCES[name])


def test_nvrtc_refuses_a_broken_kernel(nvrtc):
    broken = SOURCES["add_bias_sigmoid"].replace("{", "{ undeclared = 0;", 1)
    with pytest.raises(pytest.fail.Exception, match='identifier "undeclared" is undefined'):
        compile_to_ptx(nvrtc, broken)


def test_bias_and_sigmoid(on_cpu):
    rng = np.random.default_rng(0)
    activation, bias = 5 * rng.normal(size=(101, 7)).astype(np.float32), rng.normal(size=7).astype(np.float32)
    expected, size = expit(activation.astype(np.float64) + bias), activation.size
    elsewhere, in_place = np.full(size + 300, 9, np.float32), np.full(size + 300, 9, np.float32)
    in_place[:size] = activation.ravel()
    on_cpu("add_bias_sigmoid", size, activation, bias, elsewhere, size, 7)
    on_cpu("add_bias_sigmoid", size, in_place, bias, in_place, size, 7)
    for mean in (elsewhere, in_place):
        np.testing.assert_allclose(mean[:size].reshape(101, 7), expected, atol=1e-6)
        assert (mean[size:] == 9).all()  # the last block ends beyond the array


def test_kernels_are_given_numbers_of_their_types_and_arrays_in_c_order(monkeypatch):
    given = []
    monkeypatch.setattr(kernels, "_compiled", lambda name: lambda blocks, threads, arguments: given.append(arguments))
    array = np.ones((3, 5), np.float32)
    kernels.launch("times_slope", array.size, array, array, 0.5, array.size)
    [(first, second, share_kept, size)] = given
    assert first is array and second is array
    assert (type(share_kept), share_kept, type(size), size) == (np.float32, 0.5, np.int64, 15)
    for wrong in (array.T, array.astype(np.float64)):
        with pytest.raises(ValueError, match="C order, and single precision"):
            kernels.launch("times_slope", array.size, wrong, array, 0.5, array.size)


@pytest.mark.parametrize("probability", [0.0, 0.01, 0.3137, 0.5, 0.99, 1.0])
def test_states_are_1_as_often_as_the_mean_says(on_cpu, probability):
    n, units = 4_301, 7
    size = n * units
    bias = np.linspace(-1, 1, units, dtype=np.float32)
    activation = np.tile((np.clip(logit(probability), -60, 60) - bias).astype(np.float32), (n, 1))
    means, states = np.full(size + 300, 9, np.float32), np.full(size + 300, 9, np.float32)
    key = 1234567890123456789
    on_cpu("add_bias_sigmoid_bernoulli", size, activation, bias, means, states, key, size, units)
    np.testing.assert_allclose(means[:size], probability, atol=1e-6)
    assert set(np.unique(states[:size])) <= {0, 1} and (states[size:] == 9).all() and (means[size:] == 9).all()
    low, high = binom.ppf([1e-5, 1 - 1e-5], size, np.float32(probability))
    assert low <= states[:size].sum() <= high
    if 0 < probability < 1:
        assert abs(np.corrcoef(states[: size - 1], states[1:size])[0, 1]) < 4 / size**0.5
    in_place = np.concatenate([activation.ravel(), np.full(300, 9, np.float32)])
    on_cpu("add_bias_sigmoid_bernoulli", size, in_place, bias, in_place, in_place, key, size, units)
    np.testing.assert_array_equal(in_place, states)


def test_every_key_gives_other_draws(on_cpu):
    keys, even, zero = generator(1).integers(2**63, size=500), np.zeros(64, np.float32), np.zeros(1, np.float32)
    means, states = np.empty_like(even), np.empty((len(keys), len(even)), np.float32)
    for row, key in zip(states, keys, strict=True):
        on_cpu("add_bias_sigmoid_bernoulli", 64, even, zero, means, row, int(key), 64, 1)
    assert len(np.unique(states, axis=0)) == len(keys)
    low, high = binom.ppf([1e-6, 1 - 1e-6], len(keys), 0.5)
    assert (low <= states.sum(axis=0)).all() and (states.sum(axis=0) <= high).all()


@pytest.mark.parametrize("share_kept", [1.0, 0.75])
def test_slope(on_cpu, share_kept):
    rng = np.random.default_rng(0)
    gradient, means = rng.normal(size=(101, 7)).astype(np.float32), rng.random((101, 7), dtype=np.float32)
    size, expected = gradient.size, gradient.astype(np.float64) * (means - share_kept * means.astype(np.float64) ** 2)
    guarded = np.concatenate([gradient.ravel(), np.full(300, 9, np.float32)])
    on_cpu("times_slope", size, guarded, means, share_kept, size)
    np.testing.assert_allclose(guarded[:size].reshape(101, 7), expected, rtol=1e-5, atol=1e-7)
    assert (guarded[size:] == 9).all()
    on_host = times_slope(gradient.copy(), means, share_kept=share_kept, scratch=np.empty_like(means))
    np.testing.assert_allclose(on_host, expected, rtol=1e-5, atol=1e-7)


def test_deformed_digits_are_those_of_the_cpu(on_cpu):
    originals = generator(2).integers(0, 256, (7, 784)).astype(np.uint8)
    stream = InfiniteMNIST(originals, np.arange(7), seed=5, displacement=1.5, smoothness=4.0, fields=11)
    numbers = np.array([0, 6, 7, 8, 100, 1001, 2_500_000_000, *range(20, 60)])
    size, digits = 784 * len(numbers), (originals, stream.horizontal, stream.vertical, stream.fields)
    out = np.full(size + 300, 9, np.float32)
    on_cpu("deform_digits", size, numbers, *digits, out, int(stream.key.view(np.int64)), 7, 11, 28, size)
    np.testing.assert_allclose(out[:size].reshape(-1, 784), stream.examples(numbers), atol=1e-6)
    assert (out[size:] == 9).all()


def guarded(array):
    """Return the elements of an array with others behind them, which a kernel is to leave as they are: the last block
    ends beyond the array."""
    return np.concatenate([array.ravel(), np.full(300, 9, array.dtype)])


def found_in(guarded, shape):
    """Return the array of some shape in what :func:`guarded` returned, having looked at what is behind it."""
    size = np.prod(shape)
    assert (guarded[size:] == 9).all()
    return guarded[:size].reshape(shape)


@pytest.mark.parametrize("low, noise", [(0.0, 0.0), (-0.5, 1.0)])
def test_corruption(on_cpu, low, noise):
    rng, shape = np.random.default_rng(0), (2003, 11)
    examples, masks = 2 + rng.random(shape, dtype=np.float32), np.repeat(np.eye(2, dtype=np.float32), 11, axis=1)
    masks = np.ascontiguousarray(masks[:, 5:16])  # two masks: the first keeps six components, the second five
    out = guarded(np.zeros(shape, np.float32))
    on_cpu("corrupt", examples.size, examples, masks, out, 123456789, low, noise, 2, *shape)
    kept = found_in(out, shape) == examples
    chosen = kept[:, 0].astype(int)
    np.testing.assert_array_equal(kept, masks[1 - chosen] == 1)
    corrupted = found_in(out, shape)[~kept]
    assert set(np.unique(corrupted)) == {low, low + noise}
    for share, count in ((chosen.mean(), len(chosen)), ((corrupted > low).mean(), corrupted.size)):
        if noise or share:
            assert abs(share - 0.5) < 4 * 0.5 / count**0.5


@pytest.mark.parametrize("visible", ["bernoulli", "centred"])
@pytest.mark.parametrize("batch", [1, 3, 20])
def test_the_factors_of_few_are_those_of_many(stand_in_for_cupy, visible, batch):
    rng = np.random.default_rng(0)
    start = (rng.normal(size=shape).astype(np.float32) for shape in ((7, 13), 7, 13))
    trainer = Denoising(DenoisingAutoencoder(*start, visible=visible), batch)
    examples, corrupted = rng.random((2, batch, 13), dtype=np.float32)
    trainer.visible_factors[batch:] = corrupted
    sums = trainer.descent_direction(examples, trainer.visible_factors[batch:])
    factors = [stand_in.asarray(np.full((2 * batch, n), np.nan, np.float32)) for n in (7, 13)]
    factors[1][batch:] = stand_in.asarray(corrupted)
    denoise_few(trainer.autoencoder.to(stand_in), stand_in.asarray(examples), *factors)
    for found, expected in zip(factors, (trainer.hidden_factors, trainer.visible_factors), strict=True):
        np.testing.assert_allclose(to_host(found), expected, atol=1e-6)
    for found, expected, half in zip(factors, sums, (slice(batch, None), slice(batch)), strict=True):
        np.testing.assert_allclose(to_host(found)[half].sum(axis=0), expected, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2 * FEW, 2 * FEW + 1])
def test_a_descent_by_few_and_by_many(stand_in_for_cupy, count):
    rng = np.random.default_rng(0)
    shapes = ((7, 11), 7, 11), ((count, 7), (count, 11)), (count, count)
    start, factors, shares = ([rng.normal(size=s).astype(np.float32) for s in group] for group in shapes)
    layer = TiedLayer(*start).to(stand_in)
    on_device = [[stand_in.asarray(array) for array in group] for group in (factors, shares)]
    descend(layer, *on_device[0], on_device[1], rate=0.3, decay=0.9, shift=0.5)
    weights, hidden_bias, visible_bias = start
    expected = (
        0.9 * weights + 0.3 * factors[0].T @ factors[1],
        hidden_bias + 0.3 * (shares[0] @ factors[0] + 0.5),
        visible_bias + 0.3 * shares[1] @ factors[1],
    )
    for name, values in zip(PARAMETERS, expected, strict=True):
        np.testing.assert_allclose(to_host(getattr(layer, name)), values, atol=1e-5)


def test_errors_of_a_softmax(on_cpu):
    rng, shape = np.random.default_rng(0), (301, 5)
    products, bias = (30 * rng.normal(size=s).astype(np.float32) for s in (shape, 5))
    labels, outputs, mistakes = np.arange(301) % 5, guarded(products), guarded(np.full(301, 2))
    on_cpu("softmax_errors", 301, outputs, bias, labels, mistakes, *shape)
    expected = softmax((products + bias).astype(np.float64), axis=1) - np.eye(5)[labels]
    np.testing.assert_allclose(found_in(outputs, shape), expected, atol=1e-6)
    wrong = (products + bias).argmax(axis=1) != labels
    assert 0 < wrong.sum() < 301
    np.testing.assert_array_equal(found_in(mistakes, 301), 2 + wrong)


def test_the_end_of_ascents(on_cpu):
    activation = np.array([-4.0, -4.0, 2.0, 2.0, 2.0, np.nan], np.float32)
    previous = np.array([-4.1, -3.8, 2.0, np.inf, 1.0, 2.0], np.float32)
    taken = np.array([3, 3, 3, 0, 7, 7])
    done, leaving = np.array([False] * 7), np.array([False, False, True, False, False, False, False])
    on_cpu("end_ascents", 6, activation, previous, taken, done, leaving, 0.04, 7, 6)
    np.testing.assert_array_equal(
        done, [True, False, False, False, False, False, False]
    )  # who had left stays as it was
    np.testing.assert_array_equal(leaving, [True, False, True, False, True, True, False])


def test_the_sum_of_rows(on_cpu):
    rng = np.random.default_rng(0)
    rows, start = rng.normal(size=(13, 301)).astype(np.float32), rng.normal(size=301).astype(np.float32)
    total = guarded(start)
    on_cpu("add_rows", 301, rows, total, -0.25, 13, 301)
    np.testing.assert_allclose(found_in(total, 301), start - 0.25 * rows.sum(axis=0), atol=1e-5)


@pytest.mark.gpu
def test_on_a_gpu_slopes_and_gradient_steps_are_those_of_the_cpu(gpu):
    xp = gpu
    rng = np.random.default_rng(0)
    out, left, right = (rng.normal(size=shape).astype(np.float32) for shape in ((7, 11), (13, 7), (13, 11)))
    means = rng.random((13, 7), dtype=np.float32)
    on_device = [xp.asarray(array) for array in (out, left, right, means)]
    accumulate_product(*on_device[:3], alpha=0.3, beta=0.9)
    np.testing.assert_allclose(to_host(on_device[0]), 0.9 * out + 0.3 * left.T @ right, atol=1e-5)
    times_slope(on_device[1], on_device[3], share_kept=0.75, scratch=None)
    np.testing.assert_allclose(to_host(on_device[1]), left * (means - 0.75 * means**2), atol=1e-6)


@pytest.mark.gpu
def test_on_a_gpu_a_layer_is_sampled_alike_for_the_same_seed(gpu):
    xp = gpu
    rng = np.random.default_rng(0)
    x, weights, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((1001, 13), (13, 7), (7,)))
    on_device = [xp.asarray(array) for array in (x, weights, bias)]
    means = xp.empty((1001, 7), xp.float32)
    draws = [
        to_host(sample_layer(generator(seed, xp=xp), *on_device, states=xp.empty_like(means), means=means))
        for seed in (1, 1, 2)
    ]
    np.testing.assert_allclose(to_host(means), sigmoid_layer(x, weights, bias), atol=1e-4)
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()
    np.testing.assert_allclose(draws[0].mean(axis=0), to_host(means).mean(axis=0), atol=0.06)
