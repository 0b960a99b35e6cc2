"""The stages as one would write them in JAX: compiled whole, on the CPU."""

import numpy as np


def rbm_step(jax, weights, examples, rate, bias=0.0):
    """Return a function that gives the weights, and a step of CD-1."""
    numpy = jax.numpy
    state = [numpy.asarray(weights), numpy.full(len(weights), bias), numpy.full(weights.shape[1], bias)]
    state += [jax.random.key(0)]
    examples, rate = numpy.asarray(examples), rate / len(examples)
    sigmoid, bernoulli = jax.nn.sigmoid, jax.random.bernoulli

    @jax.jit
    def stepped(weights, hidden_bias, visible_bias, key):
        key, *keys = jax.random.split(key, 3)
        data = sigmoid(examples @ weights.T + hidden_bias)
        hidden = bernoulli(keys[0], data).astype(weights.dtype)
        visible = bernoulli(keys[1], sigmoid(hidden @ weights + visible_bias)).astype(weights.dtype)
        model = sigmoid(visible @ weights.T + hidden_bias)
        weights += rate * (data.T @ examples - model.T @ visible)
        hidden_bias += rate * (data - model).sum(0)
        visible_bias += rate * (examples - visible).sum(0)
        return weights, hidden_bias, visible_bias, key

    def step():
        state[:] = stepped(*state)
        state[0].block_until_ready()

    return lambda: np.asarray(state[0]), step


def activation_of(jax, weights, biases, layer):
    """Return a function of inputs (n, pixels) and units (n,) that gives the activations of units of a `layer`."""
    weights, biases = ([jax.numpy.asarray(array) for array in arrays] for arrays in (weights, biases))

    def activation(x, units):
        for w, b in zip(weights[: layer - 1], biases[: layer - 1], strict=True):
            x = jax.nn.sigmoid(x @ w.T + b)
        return (x * weights[layer - 1][units]).sum(1) + biases[layer - 1][units]

    return activation


def maximization(jax, activation, start, units, *, norm, rate, steps):
    """Return activation maximization from `start` (n, pixels) by automatic differentiation, all steps in one call."""
    numpy = jax.numpy
    start, units = numpy.asarray(start), numpy.asarray(units)
    gradient = jax.grad(lambda x: activation(x, units).sum())

    def step(_, x):
        x = x + rate * gradient(x)
        return x * (norm / numpy.linalg.norm(x, axis=1, keepdims=True))

    ascent = jax.jit(lambda x: jax.lax.fori_loop(0, steps, step, x))
    return lambda: np.asarray(ascent(start))


def sweep(jax, activation, starts, best, units, covariance, *, norm, rate, epsilons, steps):
    """Return Algorithm 1 by automatic differentiation, from `starts` (n, pixels) around `best` (n, pixels)."""
    numpy = jax.numpy
    starts, best, units, covariance = map(numpy.asarray, (starts, best, units, covariance))
    gradient = jax.grad(lambda x: activation(x, units).sum())
    square = (best * best).sum(1, keepdims=True)

    def projected(x, epsilon):
        u = x - (x * best).sum(1, keepdims=True) / square * best
        u *= norm * epsilon * (1 - epsilon**2 / 4) ** 0.5 / numpy.linalg.norm(u, axis=1, keepdims=True)
        centre = (1 - epsilon**2 / 2) * best
        heights = activation(centre + u, units), activation(centre - u, units)
        higher = heights[0] >= heights[1]
        return numpy.where(higher[:, None], centre + u, centre - u), numpy.where(higher, *heights)

    def traced(x, epsilon):
        def step(_, state):
            return projected(state[0] + rate * (gradient(state[0]) @ covariance), epsilon)

        return jax.lax.fori_loop(0, steps, step, (x, numpy.zeros(len(x), x.dtype)))

    search = jax.jit(lambda x: jax.lax.scan(traced, x, numpy.asarray(epsilons, x.dtype))[1].T)
    return lambda: np.asarray(search(starts))
