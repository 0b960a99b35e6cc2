"""What is done to a trained network: activation maximization, invariance sweeps, clamped sampling; beside PyTorch."""

from functools import partial

import numpy as np
from harness import Case, products, random_array, random_weights, torch_device

from deepunits.backend import array_module, to_host
from deepunits.invariance.manifold import perturbed_starts, trace_manifold
from deepunits.models.network import Network
from deepunits.models.rbm import RBM
from deepunits.randomness import generator, uniform
from deepunits.visualize.activation_maximization import maximize_activation, to_norm
from deepunits.visualize.sampling import sample_clamped_units

SIZES, LAYER, NORM = (784, 500, 500, 500), 3, 9.0
RESTARTS, STEPS, RATE = 9, 50, 0.1  # of activation maximization, which takes hundreds of steps to converge
SWEPT, TRIALS, EPSILONS, SWEEP_STEPS, SWEEP_RATE, PERTURBATION = 36, 9, (0.2, 0.6, 1.0, 1.4), 20, 0.01, 0.05
CLAMPED, CHAINS, GIBBS_STEPS = 36, 9, 100


def cases(xp, torch):
    """Yield the cases of all three, each as its stage and a function that sets it up."""
    for rows in (324, 1296, 4500):
        yield "AM, layer 3", partial(maximization_case, xp, torch, rows // RESTARTS, RESTARTS)
    yield "invariance sweep", partial(sweep_case, xp, torch)
    yield "clamped Gibbs", partial(sampling_case, xp, torch)


def deep_network(xp):
    return Network(random_weights(xp, SIZES), [xp.zeros(size, xp.float32) for size in SIZES[1:]])


def gradient_products(rows):
    """Return the shapes of the products of an input gradient of a third-layer unit."""
    pixels, first, second, _ = SIZES
    forward = [("nt", rows, pixels, first), ("nt", rows, first, second)]
    return [*forward, ("nn", rows, second, first), ("nn", rows, first, pixels)]


# --- activation maximization ---


def maximization_case(xp, torch, units, restarts):
    network, rows = deep_network(xp), units * restarts
    bound, flops = products(xp, *gradient_products(rows) * (STEPS + 1))  # the gradient at the start, too
    settings = {"norm": NORM, "restarts": restarts, "learning_rate": RATE, "threshold": 0.0, "max_steps": STEPS}

    def ours():
        return maximize_activation(network, LAYER, np.arange(units), rng=generator(2, xp=xp), **settings).inputs

    def check():
        if torch is not None:
            theirs = torch_maximization(torch, network, units, restarts)()
            np.testing.assert_allclose(ours().reshape(rows, -1), theirs.cpu().numpy(), rtol=1e-3, atol=1e-4)

    single, peers = 20, {}
    if torch is not None:
        peers["PyTorch"] = torch_maximization(torch, network, units, restarts)
        peers["PyTorch, one by one"] = torch_maximization(torch, network, units, restarts, single)
    scale = {"PyTorch, one by one": rows / single}
    return Case("AM, layer 3", f"{rows} rows, {STEPS} steps", ours, bound, flops, peers, check, scale)


def torch_maximization(torch, network, units, restarts, single=0):
    """Return activation maximization by PyTorch's autograd: in one batch, or one row at a time for `single` rows."""
    xp, device = array_module(network.weights[0]), torch_device(network.weights[0])
    activation = torch_activation(torch, network, device)
    start = to_norm(uniform(generator(2, xp=xp), xp.empty((units * restarts, SIZES[0]), xp.float32)), NORM)
    start = torch.tensor(to_host(start), device=device)
    row_units = torch.arange(units, device=device).repeat_interleave(restarts)

    def ascend(x, chosen):
        for _ in range(STEPS):
            x.requires_grad_(True)
            (gradient,) = torch.autograd.grad(activation(x, chosen).sum(), x)
            with torch.no_grad():
                x = x + RATE * gradient
                x = x * (NORM / x.norm(dim=1, keepdim=True))
        return x

    def run():
        if not single:
            return ascend(start.clone(), row_units)
        return [ascend(start[r : r + 1].clone(), row_units[r : r + 1]) for r in range(single)]

    return run


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


def sweep_case(xp, torch):
    network, rows = deep_network(xp), SWEPT * TRIALS
    units, pixels = np.arange(SWEPT), SIZES[0]
    optimum = xp.asarray(
        maximize_activation(
            network,
            LAYER,
            units,
            norm=NORM,
            restarts=1,
            learning_rate=3.0,
            threshold=1e-7,
            max_steps=300,
            rng=generator(3, xp=xp),
        ).inputs[:, 0]
    )
    mixing = random_array(xp, pixels, pixels) - 0.5
    root = xp.eye(pixels) + 0.01 * (mixing + mixing.T)
    step = [("nn", rows, pixels, pixels), *gradient_products(rows), *gradient_products(rows)[:2]]
    bound, flops = products(xp, *step * SWEEP_STEPS * len(EPSILONS))

    def ours():
        return trace_manifold(
            network,
            LAYER,
            units,
            optimum,
            norm=NORM,
            epsilons=EPSILONS,
            trials=TRIALS,
            perturbation=PERTURBATION,
            unwhitening=root,
            learning_rate=SWEEP_RATE,
            threshold=0.0,
            max_steps=SWEEP_STEPS,
            rng=generator(4, xp=xp),
        ).activations

    peers = {} if torch is None else {"PyTorch": torch_sweep(torch, network, optimum, root)}

    def check():
        if torch is not None:
            np.testing.assert_allclose(ours(), peers["PyTorch"]().reshape(SWEPT, TRIALS, -1), rtol=1e-3, atol=1e-4)

    shape = f"{rows} rows, {len(EPSILONS)} x {SWEEP_STEPS} steps"
    return Case("invariance sweep", shape, ours, bound, flops, peers, check)


def torch_sweep(torch, network, optimum, root):
    """Return Algorithm 1 by PyTorch's autograd, from the same starts."""
    device = torch_device(network.weights[0])
    activation = torch_activation(torch, network, device)
    root = root.astype(np.float32)
    starts = perturbed_starts(
        optimum,
        trials=TRIALS,
        perturbation=PERTURBATION,
        norm=NORM,
        unwhitening=root,
        rng=generator(4, xp=array_module(optimum)),
    )
    starts = torch.tensor(to_host(starts).reshape(-1, SIZES[0]), device=device)
    best = torch.tensor(to_host(optimum), device=device).repeat_interleave(TRIALS, 0)
    units = torch.arange(SWEPT, device=device).repeat_interleave(TRIALS)
    covariance = torch.tensor(to_host(root @ root), device=device)
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


def sampling_case(xp, torch):
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

    peers = {} if torch is None else {"PyTorch": torch_sampling(torch, rbms)}

    def check():
        """Compare the mean input over all units: chains are drawn at random on both sides."""
        if torch is not None:
            np.testing.assert_allclose(ours().mean(axis=0), peers["PyTorch"]().cpu().numpy(), atol=0.03)

    return Case("clamped Gibbs", f"{rows} rows, {GIBBS_STEPS} steps", ours, bound, flops, peers, check)


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
        return torch.sigmoid(torch.addmm(zeros[0], visible, bottom)).mean(0)

    return run
