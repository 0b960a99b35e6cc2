"""Activation maximization, invariance sweeps and clamped sampling of a trained network, beside PyTorch and JAX."""

from functools import partial

import in_jax
import numpy as np
from harness import Case, products, random_array, random_weights, torch_device
from pretraining import uncompiled

from deepunits.backend import to_host
from deepunits.invariance.manifold import perturbed_starts, trace_manifold
from deepunits.models.network import Network
from deepunits.models.rbm import RBM
from deepunits.randomness import generator, uniform
from deepunits.visualize.activation_maximization import maximize_activation, to_norm
from deepunits.visualize.sampling import sample_clamped_units

SIZES, LAYER, NORM = (784, 500, 500, 500), 3, 9.0
COMPILED_ROWS = 324  # of activation maximization, where torch.compile and one row at a time take part
RESTARTS, STEPS, RATE = 9, 30, 0.1  # of activation maximization, which takes hundreds of steps to converge
SWEPT, TRIALS, EPSILONS, SWEEP_STEPS, SWEEP_RATE, PERTURBATION = 36, 9, (0.2, 0.6, 1.0, 1.4), 10, 0.01, 0.05
CLAMPED, CHAINS, GIBBS_STEPS = 36, 9, 100


def cases(xp, peers):
    """Yield the cases of all three, each as its stage and a function that sets it up."""
    for rows in (324, 1296) if xp is np else (324, 1296, 4500):
        yield "AM, layer 3", partial(maximization_case, xp, peers, rows // RESTARTS, RESTARTS)
    yield "invariance sweep", partial(sweep_case, xp, peers)
    yield "clamped Gibbs", partial(sampling_case, xp, peers)


def deep_network(xp):
    return Network(random_weights(xp, SIZES), [xp.zeros(size, xp.float32) for size in SIZES[1:]])


def gradient_products(rows):
    """Return the shapes of the products of an input gradient of a third-layer unit."""
    pixels, first, second, _ = SIZES
    forward = [("nt", rows, pixels, first), ("nt", rows, first, second)]
    return [*forward, ("nn", rows, second, first), ("nn", rows, first, pixels)]


# --- activation maximization ---


def maximization_case(xp, peers, units, restarts):
    network, rows = deep_network(xp), units * restarts
    bound, flops = products(xp, *gradient_products(rows) * (STEPS + 1))  # the gradient at the start, too
    settings = {"norm": NORM, "restarts": restarts, "learning_rate": RATE, "threshold": 0.0, "max_steps": STEPS}

    def ours():
        return maximize_activation(network, LAYER, np.arange(units), rng=generator(2, xp=xp), **settings).inputs

    # The same starts as ours.
    start = to_host(to_norm(uniform(generator(2, xp=xp), xp.empty((rows, SIZES[0]), xp.float32)), NORM))
    of_rows = np.arange(units).repeat(restarts)
    others, single = ascents(peers, network, start, of_rows, compiled=rows == COMPILED_ROWS), 20

    def check():
        found = ours().reshape(rows, -1)
        for run in others.values():
            np.testing.assert_allclose(found, run(), rtol=1e-3, atol=1e-4)

    timed, scale = dict(others), {}
    if peers.torch is not None and rows == COMPILED_ROWS:
        ascend = others["PyTorch"]
        timed["PyTorch, one by one"] = lambda: [ascend(slice(row, row + 1)) for row in range(single)]
        scale["PyTorch, one by one"] = rows / single
    return Case("AM, layer 3", f"{rows} rows, {STEPS} steps", ours, bound, flops, timed, check, scale)


def ascents(peers, network, start, units, compiled):
    """Return activation maximization from `start` (n, pixels) by the name of who does it."""
    found = {}
    if peers.torch is not None:
        found["PyTorch"] = torch_maximization(peers.torch, network, start, units)
    if peers.compile is not None and compiled:
        found["torch.compile"] = torch_maximization(peers.torch, network, start, units, peers.compile)
    if peers.jax is not None:
        activation = in_jax.activation_of(peers.jax, network.weights, network.biases, LAYER)
        found["JAX"] = in_jax.maximization(peers.jax, activation, start, units, norm=NORM, rate=RATE, steps=STEPS)
    return found


def torch_maximization(torch, network, start, units, through=uncompiled):
    """Return activation maximization by PyTorch's autograd, of all rows or of some."""
    device = torch_device(network.weights[0])
    activation = through(torch_activation(torch, network, device))
    start, units = (torch.tensor(array, device=device) for array in (start, units))

    def ascend(rows=slice(None)):
        x, chosen = start[rows].clone(), units[rows]
        for _ in range(STEPS):
            x.requires_grad_(True)
            (gradient,) = torch.autograd.grad(activation(x, chosen).sum(), x)
            with torch.no_grad():
                x = x + RATE * gradient
                x = x * (NORM / x.norm(dim=1, keepdim=True))
        return x.cpu().numpy()

    return ascend


def torch_activation(torch, network, device):
    """Return a function of inputs (n, pixels) and units (n,) that gives the activations of third-layer units."""
    weights = [torch.tensor(to_host(w), device=device) for w in network.weights]
    biases = [torch.tensor(to_host(b), device=device) for b in network.biases]

    def activation(x, units):
        for w, b in zip(weights[: LAYER - 1], biases[: LAYER - 1], strict=True):
            x = torch.sigmoid(torch.addmm(b, x, w.T))
        return (x * weights[LAYER - 1][units]).sum(1) + biases[LAYER - 1][units]

    return activation


# --- the invariance sweep ---


def sweep_case(xp, peers):
    network, rows = deep_network(xp), SWEPT * TRIALS
    units, pixels, ascent = np.arange(SWEPT), SIZES[0], {"learning_rate": 3.0, "threshold": 1e-7, "max_steps": 300}
    maxima = maximize_activation(network, LAYER, units, norm=NORM, restarts=1, rng=generator(3, xp=xp), **ascent)
    optimum = xp.asarray(maxima.inputs[:, 0])
    mixing = random_array(xp, pixels, pixels) - 0.5
    root = xp.eye(pixels) + 0.01 * (mixing + mixing.T)
    step = [("nn", rows, pixels, pixels), *gradient_products(rows), *gradient_products(rows)[:2]]
    bound, flops = products(xp, *step * SWEEP_STEPS * len(EPSILONS))
    around = {"trials": TRIALS, "perturbation": PERTURBATION, "norm": NORM}

    def ours():
        return trace_manifold(
            network,
            LAYER,
            units,
            optimum,
            **around,
            epsilons=EPSILONS,
            unwhitening=root,
            learning_rate=SWEEP_RATE,
            threshold=0.0,
            max_steps=SWEEP_STEPS,
            rng=generator(4, xp=xp),
        ).activations

    starts = perturbed_starts(optimum, **around, unwhitening=root.astype(np.float32), rng=generator(4, xp=xp))
    problem = {
        "starts": to_host(starts).reshape(rows, pixels),
        "best": to_host(optimum).repeat(TRIALS, axis=0),
        "units": units.repeat(TRIALS),
        "covariance": to_host(root.astype(np.float32) @ root.astype(np.float32)),
    }
    others = sweeps(peers, network, problem)

    def check():
        found = ours().reshape(rows, len(EPSILONS))
        for run in others.values():
            np.testing.assert_allclose(found, run(), rtol=1e-3, atol=1e-4)

    shape = f"{rows} rows, {len(EPSILONS)} x {SWEEP_STEPS} steps"
    return Case("invariance sweep", shape, ours, bound, flops, others, check)


def sweeps(peers, network, problem):
    """Return Algorithm 1 on the same `problem` by the name of who does it."""
    found = {}
    if peers.torch is not None:
        found["PyTorch"] = torch_sweep(peers.torch, network, **problem)
    if peers.compile is not None:
        found["torch.compile"] = torch_sweep(peers.torch, network, **problem, through=peers.compile)
    if peers.jax is not None:
        activation = in_jax.activation_of(peers.jax, network.weights, network.biases, LAYER)
        settings = {"norm": NORM, "rate": SWEEP_RATE, "epsilons": EPSILONS, "steps": SWEEP_STEPS}
        found["JAX"] = in_jax.sweep(peers.jax, activation, **problem, **settings)
    return found


def torch_sweep(torch, network, starts, best, units, covariance, through=uncompiled):
    """Return Algorithm 1 by PyTorch's autograd; its result is the activations (n, epsilons)."""
    device = torch_device(network.weights[0])
    activation = through(torch_activation(torch, network, device))
    starts, best, units, covariance = (
        torch.tensor(array, device=device) for array in (starts, best, units, covariance)
    )
    square = (best * best).sum(1, keepdim=True)

    def run():
        x, found = starts.clone(), []
        for epsilon in EPSILONS:
            for _ in range(SWEEP_STEPS):
                x.requires_grad_(True)
                (gradient,) = torch.autograd.grad(activation(x, units).sum(), x)
                with torch.no_grad():
                    x = x + SWEEP_RATE * (gradient @ covariance)
                    u = x - (x * best).sum(1, keepdim=True) / square * best
                    u = u * (NORM * epsilon * (1 - epsilon**2 / 4) ** 0.5 / u.norm(dim=1, keepdim=True))
                    centre = (1 - epsilon**2 / 2) * best
                    candidates = centre + u, centre - u
                    heights = [activation(candidate, units) for candidate in candidates]
                    higher = heights[0] >= heights[1]
                    x = torch.where(higher[:, None], *candidates)
            found.append(torch.where(higher, *heights))
        return torch.stack(found, 1).cpu().numpy()

    return run


# --- sampling with a clamped unit ---


def sampling_case(xp, peers):
    rbms = [
        RBM(w, xp.zeros(len(w), xp.float32), xp.zeros(w.shape[1], xp.float32)) for w in random_weights(xp, SIZES[:3])
    ]
    rows, (pixels, below, units) = CLAMPED * CHAINS, SIZES[:3]
    step = [("nn", rows, units, below), ("nt", rows, below, units)]
    bound, flops = products(xp, *step * GIBBS_STEPS, ("nn", rows, units, below), ("nn", rows, below, pixels))

    def ours():
        return sample_clamped_units(
            rbms,
            np.arange(CLAMPED),
            steps=GIBBS_STEPS,
            every=GIBBS_STEPS,
            chains=CHAINS,
            kept=1,
            rng=generator(5, xp=xp),
        )[1]

    others = {} if peers.torch is None else {"PyTorch": torch_sampling(peers.torch, rbms)}

    def check():
        """Compare the mean input over all units: chains are drawn at random on both sides."""
        for run in others.values():
            np.testing.assert_allclose(ours().mean(axis=0), run(), atol=0.03)

    return Case("clamped Gibbs", f"{rows} rows, {GIBBS_STEPS} steps", ours, bound, flops, others, check)


def torch_sampling(torch, rbms):
    """Return the same Gibbs chain and ancestral pass in PyTorch; the result is the mean of its inputs."""
    device = torch_device(rbms[0].weights)
    bottom, top = (torch.tensor(to_host(rbm.weights), device=device) for rbm in rbms)
    zeros = [torch.zeros(size, device=device) for size in SIZES[:3]]
    rows = torch.arange(CLAMPED * CHAINS, device=device)
    units = rows // CHAINS

    @torch.no_grad()
    def run():
        hidden = torch.bernoulli(torch.full((len(rows), SIZES[2]), 0.5, device=device))
        hidden[rows, units] = 1.0
        for _ in range(GIBBS_STEPS):
            visible = torch.bernoulli(torch.sigmoid(torch.addmm(zeros[1], hidden, top)))
            hidden = torch.bernoulli(torch.sigmoid(torch.addmm(zeros[2], visible, top.T)))
            hidden[rows, units] = 1.0
        visible = torch.bernoulli(torch.sigmoid(torch.addmm(zeros[1], hidden, top)))
        return torch.sigmoid(torch.addmm(zeros[0], visible, bottom)).mean(0).cpu().numpy()

    return run
