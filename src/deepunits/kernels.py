"""CUDA kernels for what the plain form does in several passes over an array; text until a GPU first needs them.

A step of training on a GPU takes as long as the host needs to launch what it consists of, or nearly so. Arrays are in C
order; n rows are examples, in the arrays of `descend` and its kin twice as many, the factors of two outer products.
"""

import functools

import numpy as np

THREADS = 256  # in a block

# What several kernels call. The first is SplitMix64 (Steele et al. 2014): 64 well-mixed bits of a number and a key.
PRELUDE = r"""
__device__ static unsigned long long mix(long long number, long long key) {
    unsigned long long z = (unsigned long long)key + (number + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}
__device__ static float sigmoid(float activation) {
    return 0.5f + 0.5f * tanhf(0.5f * activation);
}
__device__ static float dot(const float* a, const float* b, long long length) {
    float sum = 0.0f;
    #pragma unroll 16
    for (long long k = 0; k < length; k++)
        sum += a[k] * b[k];
    return sum;
}
__device__ static float column_dot(
    const float* a, long long a_step, const float* b, long long b_step, long long length
) {
    float sum = 0.0f;
    #pragma unroll 16
    for (long long k = 0; k < length; k++)
        sum += a[k * a_step] * b[k * b_step];
    return sum;
}
__device__ static void descend_bias(
    long long j, const float* hidden_factors, const float* visible_factors, const float* hidden_shares,
    const float* visible_shares, float* hidden_bias, float* visible_bias, float rate, float shift,
    long long n, long long hidden, long long visible
) {
    if (j < hidden)
        hidden_bias[j] += rate * (column_dot(hidden_factors + j, hidden, hidden_shares, 1, n) + shift);
    else if (j < hidden + visible)
        visible_bias[j - hidden] += rate * column_dot(visible_factors + j - hidden, visible, visible_shares, 1, n);
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
        mean[i] = sigmoid(activation[i] + bias[i % units]);
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
        float probability = sigmoid(activation[i] + bias[i % units]);
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
    # Corrupted examples (n, visible): a row's mask is one of `count` (count, visible), drawn; a component whose mask is
    # 0 becomes `low` or, drawn too, `low + noise`.
    "corrupt": r"""
extern "C" __global__ void corrupt(
    const float* examples, const float* masks, float* out, long long key, float low, float noise,
    long long count, long long n, long long visible
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n * visible)
        return;
    long long mask = (long long)(mix(i / visible, key) % (unsigned long long)count);
    float bit = noise != 0.0f ? (float)(mix(n + i, key) >> 63) : 0.0f;
    out[i] = masks[mask * visible + i % visible] != 0.0f ? examples[i] : low + noise * bit;
}
""",
    # sigmoid(x W' + b) of few rows x (n, visible), with weights (hidden, visible).
    "encode_few": r"""
extern "C" __global__ void encode_few(
    const float* x, const float* weights, const float* bias, float* mean,
    long long n, long long hidden, long long visible
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n * hidden)
        return;
    long long unit = i / n, row = i % n;  // neighbours share the weights that they read
    mean[row * hidden + unit] = sigmoid(dot(x + row * visible, weights + unit * visible, visible) + bias[unit]);
}
""",
    # Examples less their reconstructions sigmoid(h W + c) - centre, of few rows of means h (n, hidden).
    "errors_of_few": r"""
extern "C" __global__ void errors_of_few(
    const float* examples, const float* mean, const float* weights, const float* bias, float* error, float centre,
    long long n, long long hidden, long long visible
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n * visible)
        return;
    long long row = i / visible, pixel = i % visible;
    float activation = column_dot(mean + row * hidden, 1, weights + pixel, visible, hidden) + bias[pixel];
    error[i] = examples[i] - (sigmoid(activation) - centre);
}
""",
    # Errors (n, visible) brought back to the inputs of the sigmoids that gave the means (n, hidden), of few rows.
    "bring_back_few": r"""
extern "C" __global__ void bring_back_few(
    const float* error, const float* weights, const float* mean, float* back,
    long long n, long long hidden, long long visible
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n * hidden)
        return;
    long long unit = i / n, row = i % n;
    float slope = mean[row * hidden + unit] * (1.0f - mean[row * hidden + unit]);
    back[row * hidden + unit] = slope * dot(error + row * visible, weights + unit * visible, visible);
}
""",
    # To the biases of a tied layer, the sums of the rows of the factors (n, units), each row times its share.
    "descend_biases": r"""
extern "C" __global__ void descend_biases(
    const float* hidden_factors, const float* visible_factors, const float* hidden_shares, const float* visible_shares,
    float* hidden_bias, float* visible_bias, float rate, float shift, long long n, long long hidden, long long visible
) {
    descend_bias((long long)blockIdx.x * blockDim.x + threadIdx.x, hidden_factors, visible_factors, hidden_shares,
                 visible_shares, hidden_bias, visible_bias, rate, shift, n, hidden, visible);
}
""",
    # The same and, of few rows, the product of the factors to the weights (hidden, visible).
    "descend_by_few": r"""
extern "C" __global__ void descend_by_few(
    const float* hidden_factors, const float* visible_factors, const float* hidden_shares, const float* visible_shares,
    float* weights, float* hidden_bias, float* visible_bias, float rate, float decay, float shift,
    long long n, long long hidden, long long visible
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < hidden * visible)
        weights[i] = decay * weights[i] + rate * column_dot(
            hidden_factors + i / visible, hidden, visible_factors + i % visible, visible, n);
    else
        descend_bias(i - hidden * visible, hidden_factors, visible_factors, hidden_shares, visible_shares,
                     hidden_bias, visible_bias, rate, shift, n, hidden, visible);
}
""",
    # In place of the products (n, classes) of an output layer, the softmax less 1 at the label, and who is mistaken.
    "softmax_errors": r"""
extern "C" __global__ void softmax_errors(
    float* outputs, const float* bias, const long long* labels, long long* mistakes, long long n, long long classes
) {
    long long row = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= n)
        return;
    float* output = outputs + row * classes;
    long long highest = 0;
    for (long long k = 0; k < classes; k++) {
        output[k] += bias[k];
        highest = output[k] > output[highest] ? k : highest;
    }
    float top = output[highest], sum = 0.0f;
    for (long long k = 0; k < classes; k++)
        sum += output[k] = expf(output[k] - top);
    for (long long k = 0; k < classes; k++)
        output[k] = output[k] / sum - (k == labels[row] ? 1.0f : 0.0f);
    mistakes[row] += highest != labels[row];
}
""",
    # Ascents (n,) that go on are done if their activation changed by less than a share of it, and leave then or after
    # all their steps.
    "end_ascents": r"""
extern "C" __global__ void end_ascents(
    const float* activation, const float* previous, const long long* taken, bool* done, bool* leaving,
    float threshold, long long max_steps, long long n
) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n || leaving[i])
        return;
    done[i] = fabsf(activation[i] - previous[i]) < threshold * fabsf(activation[i]);
    leaving[i] = done[i] || taken[i] == max_steps;
}
""",
    # sum += scale * the sum of the rows (n, units).
    "add_rows": r"""
extern "C" __global__ void add_rows(const float* rows, float* sum, float scale, long long n, long long units) {
    long long unit = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    float added = 0.0f;
    if (unit < units) {
        for (long long row = 0; row < n; row++)
            added += rows[row * units + unit];
        sum[unit] += scale * added;
    }
}
""",
}


def launch(name, size, *arguments):
    """Run the kernel `name` of `SOURCES` on `size` elements, with arrays and numbers in the order it takes them."""
    arguments = tuple(_argument(value) for value in arguments)
    if size:
        _compiled(name)((-(-size // THREADS),), (THREADS,), arguments)


def _argument(value):
    """Return `value` as a kernel takes it: a long long, a float or an array in C order, not in double precision."""
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float32(value)
    if not value.flags.c_contiguous or value.dtype == np.float64:
        raise ValueError("a kernel takes arrays in C order, and single precision")
    return value


@functools.cache
def _compiled(name):
    import cupy

    return cupy.RawKernel(PRELUDE + SOURCES[name], name)
