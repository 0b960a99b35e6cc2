"""CUDA kernels for what the plain form does in several passes over an array; text until a GPU first needs them."""

import functools

import numpy as np

THREADS = 256  # in a block

# What several kernels call: SplitMix64 (Steele et al. 2014), which makes 64 well-mixed bits of a number and a key.
PRELUDE = r"""
__device__ static unsigned long long mix(long long number, long long key) {
    unsigned long long z = (unsigned long long)key + (number + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}
"""

SOURCES = {
    # sigmoid(activation + bias) of an activation (n, units) in C order, which may be the array that it is written into.
    "add_bias_sigmoid": r"""
extern "C" __global__ void add_bias_sigmoid(
    const float* activation, const float* bias, float* mean, long long size, long long units
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size)
        mean[i] = 0.5f + 0.5f * tanhf(0.5f * (activation[i] + bias[i % units]));
}
""",
    # The same and, in the same pass, a state of each unit: 1 with the probability that is its mean, else 0. The state
    # may be written over the mean, that over the activation. Number i of a draw is i and the key, mixed.
    "add_bias_sigmoid_bernoulli": r"""
extern "C" __global__ void add_bias_sigmoid_bernoulli(
    const float* activation, const float* bias, float* mean, float* state, long long key,
    long long size, long long units
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) {
        float probability = 0.5f + 0.5f * tanhf(0.5f * (activation[i] + bias[i % units]));
        mean[i] = probability;
        state[i] = (float)(mix(i, key) >> 40) * (1.0f / 16777216.0f) < probability ? 1.0f : 0.0f;
    }
}
""",
    # Infinite MNIST: the examples of the given numbers, as deepunits.data.infinite_mnist defines them.
    "deform_digits": r"""
extern "C" __global__ void deform_digits(
    const long long* numbers, const unsigned char* originals, const signed char* horizontal,
    const signed char* vertical, const float* fields, float* out,
    long long key, long long digits, long long count, long long side, long long size
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size)
        return;
    long long pixels = side * side, number = numbers[i / pixels], pixel = i % pixels;
    unsigned long long bits = mix(number, key);
    long long first = (bits & 0xFFFF) % count, second = (bits >> 16 & 0xFFFF) % count;
    long long shift = (bits >> 33 & 0xFFFF) % 9;
    float alpha = bits >> 32 & 1 ? 1.0f : -1.0f;
    if (number < digits) {
        alpha = 0.0f;
        shift = 4;
    }
    long long y = pixel / side - (shift / 3 - 1), x = pixel % side - (shift % 3 - 1);
    if (y < 0 || y >= side || x < 0 || x >= side) {
        out[i] = 0.0f;
        return;
    }
    long long from = y * side + x, at = number % digits * pixels + from;
    float move = fields[first * pixels + from] * horizontal[at] - fields[second * pixels + from] * vertical[at];
    out[i] = fminf(fmaxf(alpha * move + originals[at] * (1.0f / 255.0f), 0.0f), 1.0f);
}
""",
    # gradient becomes gradient * (mean - share_kept * mean^2).
    "times_slope": r"""
extern "C" __global__ void times_slope(float* gradient, const float* mean, float share_kept, long long size) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size)
        gradient[i] *= mean[i] - share_kept * mean[i] * mean[i];
}
""",
}


def launch(name, size, *arguments):
    """Run the kernel `name` of `SOURCES` on `size` elements, with arrays and numbers in the order it takes them."""
    arguments = tuple(_argument(value) for value in arguments)
    if size:
        _compiled(name)((-(-size // THREADS),), (THREADS,), arguments)


def _argument(value):
    """Return `value` as a kernel takes it: a long long, a float or an array in C order."""
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float32(value)
    if not value.flags.c_contiguous:
        raise ValueError("a kernel takes arrays in C order")
    return value


@functools.cache
def _compiled(name):
    import cupy

    return cupy.RawKernel(PRELUDE + SOURCES[name], name)
