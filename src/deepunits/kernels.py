"""CUDA kernels for what the plain form does in several passes over an array; text until a GPU first needs them."""

import functools

import numpy as np

THREADS = 256  # in a block

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
    # state becomes 1 with the given probability, else 0: number i of the draw is i and the key, mixed by SplitMix64.
    "bernoulli": r"""
extern "C" __global__ void bernoulli(
    const float* probability, float* state, const unsigned long long* key, long long size
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) {
        unsigned long long z = *key + (i + 1) * 0x9E3779B97F4A7C15ull;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        z ^= z >> 31;
        state[i] = (float)(z >> 40) * (1.0f / 16777216.0f) < probability[i] ? 1.0f : 0.0f;
    }
}
""",
}


def launch(name, size, *arguments):
    """Run the kernel `name` of `SOURCES` on `size` elements, with arrays and integers in the order it takes them."""
    arguments = tuple(np.int64(value) if isinstance(value, int) else value for value in arguments)
    if size:
        _compiled(name)((-(-size // THREADS),), (THREADS,), arguments)


@functools.cache
def _compiled(name):
    import cupy

    return cupy.RawKernel(SOURCES[name], name)
