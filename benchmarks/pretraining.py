"""CD-1 and the denoising auto-encoder, beside PyTorch, JAX and scikit-learn."""

from functools import partial

import in_jax
import numpy as np
from harness import Case, products, random_array, random_weights, repeated, torch_device

from deepunits.backend import to_host
from deepunits.models.autoencoder import Denoising, DenoisingAutoencoder
from deepunits.models.rbm import RBM, ContrastiveDivergence
from deepunits.randomness import generator

PIXELS, RATE, CORRUPTED = 784, 0.01, 0.25
COMPILED_UNITS, COMPILED_BATCH = 500, 100  # where torch.compile takes part, which compiles each size anew


def cases(xp, peers):
    """Yield the cases of both models, each as its stage and a function that sets it up."""
    for stage, case in (("RBM, CD-1", rbm_case), ("DAE", dae_case)):
        for units in (500, 1000):
            for batch in (100, 1000):
                yield stage, partial(case, xp, peers, units, batch)


def steps_of(batch):
    """Return how many steps are timed together."""
    return max(1, 2000 // batch)


def rbm_training(xp, units, batch):
    """Return weights, examples, and a function that takes :func:`steps_of` steps of CD-1 with them."""
    examples = random_array(xp, batch, PIXELS)
    (weights,) = random_weights(xp, [PIXELS, units], spread=0.02)
    trainer = ContrastiveDivergence(RBM.initialise(weights.copy(), examples.mean(axis=0)), batch)
    rng = generator(1, xp=xp)
    return weights, examples, repeated(lambda: trainer.step(examples, RATE, rng), steps_of(batch))


def rbm_case(xp, peers, units, batch):
    steps, (weights, examples, ours) = steps_of(batch), rbm_training(xp, units, batch)
    up, down, update = ("nt", batch, PIXELS, units), ("nn", batch, units, PIXELS), ("tn", units, batch, PIXELS)
    bound, flops = products(xp, up, down, up, update, update)
    return Case(
        "RBM, CD-1",
        f"784 x {units}, batch {batch}",
        ours,
        repeated(bound, steps),
        steps * flops,
        {name: repeated(step, steps) for name, (_, step) in rbm_steps(peers, weights, examples).items()},
        lambda: check_rbm(xp, peers, units, batch),
    )


def rbm_steps(peers, weights, examples, rate=RATE, bias=0.0):
    """Return a function that gives the weights, and a step of CD-1, by the name of who takes it."""
    steps = {}
    if peers.sklearn is not None:
        steps["scikit-learn"] = sklearn_step(peers.sklearn, weights, examples, rate, bias)
    if peers.torch is not None:
        steps["PyTorch"] = torch_rbm_step(peers.torch, weights, examples, rate, bias)
    if takes_compiler(peers, weights, examples):
        steps["torch.compile"] = torch_rbm_step(peers.torch, weights, examples, rate, bias, peers.compile)
    if peers.jax is not None:
        steps["JAX"] = in_jax.rbm_step(peers.jax, weights, examples, rate, bias)
    return steps


def takes_compiler(peers, weights, examples):
    return peers.compile is not None and (len(weights), len(examples)) == (COMPILED_UNITS, COMPILED_BATCH)


def uncompiled(function):
    return function


def torch_rbm_step(torch, weights, examples, rate=RATE, bias=0.0, through=uncompiled):
    """Return a function that gives the weights, and a step of CD-1 in PyTorch, sent `through` a compiler."""
    device = torch_device(weights)
    weights = torch.tensor(to_host(weights), device=device)
    examples = torch.tensor(to_host(examples), device=device)
    hidden_bias, visible_bias = (torch.full((size,), bias, device=device) for size in weights.shape)
    rate = rate / len(examples)

    @through
    @torch.no_grad()
    def step():
        data = torch.sigmoid(torch.addmm(hidden_bias, examples, weights.T))
        visible = torch.bernoulli(torch.sigmoid(torch.addmm(visible_bias, torch.bernoulli(data), weights)))
        model = torch.sigmoid(torch.addmm(hidden_bias, visible, weights.T))
        weights.addmm_(data.T, examples, alpha=rate)
        weights.addmm_(model.T, visible, alpha=-rate)
        hidden_bias.add_((data - model).sum(0), alpha=rate)
        visible_bias.add_((examples - visible).sum(0), alpha=rate)

    return lambda: weights.cpu().numpy(), step


def sklearn_step(sklearn, weights, examples, rate=RATE, bias=0.0):
    """Return the same of scikit-learn's BernoulliRBM, started from `weights`: persistent CD, as much work."""
    model = sklearn.BernoulliRBM(len(weights), learning_rate=rate, batch_size=len(examples), random_state=0)
    model.partial_fit(examples)
    model.components_[...] = weights
    model.intercept_hidden_[...] = model.intercept_visible_[...] = bias
    model.h_samples_[...] = 0
    return lambda: model.components_, lambda: model.partial_fit(examples)


def check_rbm(xp, peers, units, batch):
    """Compare one step where nothing is left to chance: activations are whole multiples of 64 and 32 more."""
    weights = 64 * xp.rint(random_weights(xp, [PIXELS, units], spread=2.0)[0])
    examples, rate, bias = xp.rint(random_array(xp, batch, PIXELS)), 10.0, 32.0

    def ours(persistent):
        rbm = RBM(weights.copy(), xp.full(units, bias, xp.float32), xp.full(PIXELS, bias, xp.float32))
        ContrastiveDivergence(rbm, batch, persistent=persistent).step(examples, rate, generator(0, xp=xp))
        return to_host(rbm.weights - weights)

    for name, (trained, step) in rbm_steps(peers, weights, examples, rate, bias).items():
        step()
        assert_close(trained() - to_host(weights), ours(persistent=name == "scikit-learn"))


def dae_case(xp, peers, units, batch):
    steps, examples = steps_of(batch), random_array(xp, batch, PIXELS)
    (weights,) = random_weights(xp, [PIXELS, units], spread=0.02)
    model = DenoisingAutoencoder(weights.copy(), xp.zeros(units, xp.float32), xp.zeros(PIXELS, xp.float32))
    trainer, rng = Denoising(model, batch, corrupted=CORRUPTED), generator(1, xp=xp)
    trainer.begin_epoch(rng)
    up, down, update = ("nt", batch, PIXELS, units), ("nn", batch, units, PIXELS), ("tn", units, batch, PIXELS)
    bound, flops = products(xp, up, down, up, update, update)
    return Case(
        "DAE",
        f"784 x {units}, batch {batch}",
        repeated(lambda: trainer.step(examples, RATE, rng), steps),
        repeated(bound, steps),
        steps * flops,
        {name: repeated(step, steps) for name, (_, step) in dae_steps(peers, weights, examples).items()},
        lambda: check_dae(xp, peers, units, batch),
    )


def dae_steps(peers, weights, examples, corrupted=CORRUPTED):
    """Return a function that gives the weights, and a step of the auto-encoder, by the name of who takes it."""
    steps = {}
    if peers.torch is not None:
        steps["PyTorch"] = torch_dae_step(peers.torch, weights, examples, corrupted)
    if takes_compiler(peers, weights, examples):
        steps["torch.compile"] = torch_dae_step(peers.torch, weights, examples, corrupted, peers.compile)
    return steps


def torch_dae_step(torch, weights, examples, corrupted=CORRUPTED, through=uncompiled):
    """Return a function that gives the weights, and a step of the auto-encoder by PyTorch's autograd."""
    device = torch_device(weights)
    weights = torch.tensor(to_host(weights), device=device, requires_grad=True)
    examples = torch.tensor(to_host(examples), device=device)
    biases = [torch.zeros(size, device=device, requires_grad=True) for size in weights.shape]
    functional = torch.nn.functional

    @through
    def loss():
        kept = torch.rand_like(examples) >= corrupted
        hidden = torch.sigmoid(functional.linear(examples * kept, weights, biases[0]))
        logits = functional.linear(hidden, weights.T, biases[1])
        return functional.binary_cross_entropy_with_logits(logits, examples, reduction="sum") / len(examples)

    def step():
        loss().backward()
        with torch.no_grad():
            for parameter in (weights, *biases):
                parameter.add_(parameter.grad, alpha=-RATE)
                parameter.grad = None

    return lambda: weights.detach().cpu().numpy(), step


def check_dae(xp, peers, units, batch):
    """Compare one step without corruption."""
    (weights,) = random_weights(xp, [PIXELS, units])
    examples = random_array(xp, batch, PIXELS)
    model = DenoisingAutoencoder(weights.copy(), xp.zeros(units, xp.float32), xp.zeros(PIXELS, xp.float32))
    trainer, rng = Denoising(model, batch, corrupted=0.0), generator(1, xp=xp)
    trainer.begin_epoch(rng)
    trainer.step(examples, RATE, rng)
    for trained, step in dae_steps(peers, weights, examples, corrupted=0.0).values():
        step()
        assert_close(trained() - to_host(weights), to_host(model.weights - weights))


def assert_close(theirs, ours):
    """Raise AssertionError unless two changes of the weights are the same to a thousandth of the largest."""
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-3 * abs(ours).max())
