"""CD-1 and the denoising auto-encoder, beside PyTorch and scikit-learn."""

from functools import partial

import numpy as np
from harness import Case, products, random_array, random_weights, repeated, torch_device

from deepunits.backend import to_host
from deepunits.models.autoencoder import Denoising, DenoisingAutoencoder
from deepunits.models.rbm import RBM, ContrastiveDivergence
from deepunits.randomness import generator

PIXELS, RATE, CORRUPTED = 784, 0.01, 0.25


def cases(xp, torch):
    """Yield the cases of both models, each as its stage and a function that sets it up."""
    for stage, case in (("RBM, CD-1", rbm_case), ("DAE", dae_case)):
        for units in (500, 1000):
            for batch in (100, 1000):
                yield stage, partial(case, xp, torch, units, batch)


def steps_of(batch):
    """Return how many steps are timed together."""
    return max(1, 2000 // batch)


def rbm_case(xp, torch, units, batch):
    steps, examples = steps_of(batch), random_array(xp, batch, PIXELS)
    (weights,) = random_weights(xp, [PIXELS, units], spread=0.02)
    trainer = ContrastiveDivergence(RBM.initialise(weights.copy(), examples.mean(axis=0)), batch)
    rng = generator(1, xp=xp)
    up, down, update = ("nt", batch, PIXELS, units), ("nn", batch, units, PIXELS), ("tn", units, batch, PIXELS)
    bound, flops = products(xp, up, down, up, update, update)
    peers = {}
    if xp is np:
        peers["scikit-learn"] = repeated(sklearn_step(weights, examples)[1], steps)
    if torch is not None:
        peers["PyTorch"] = repeated(torch_rbm_step(torch, weights, examples)[1], steps)
    return Case(
        "RBM, CD-1",
        f"784 x {units}, batch {batch}",
        repeated(lambda: trainer.step(examples, RATE, rng), steps),
        repeated(bound, steps),
        steps * flops,
        peers,
        lambda: check_rbm(xp, torch, units, batch),
    )


def torch_rbm_step(torch, weights, examples, rate=RATE, bias=0.0):
    """Return the weights and a step of CD-1 in PyTorch."""
    device = torch_device(weights)
    weights = torch.tensor(to_host(weights), device=device)
    examples = torch.tensor(to_host(examples), device=device)
    hidden_bias, visible_bias = (torch.full((size,), bias, device=device) for size in weights.shape)
    rate = rate / len(examples)

    @torch.no_grad()
    def step():
        data = torch.sigmoid(torch.addmm(hidden_bias, examples, weights.T))
        visible = torch.bernoulli(torch.sigmoid(torch.addmm(visible_bias, torch.bernoulli(data), weights)))
        model = torch.sigmoid(torch.addmm(hidden_bias, visible, weights.T))
        weights.addmm_(data.T, examples, alpha=rate)
        weights.addmm_(model.T, visible, alpha=-rate)
        hidden_bias.add_((data - model).sum(0), alpha=rate)
        visible_bias.add_((examples - visible).sum(0), alpha=rate)

    return weights, step


def sklearn_step(weights, examples, rate=RATE, bias=0.0):
    """Return scikit-learn's BernoulliRBM, started from `weights`, and a step of it: persistent CD, as much work."""
    from sklearn.neural_network import BernoulliRBM

    model = BernoulliRBM(len(weights), learning_rate=rate, batch_size=len(examples), random_state=0)
    model.partial_fit(examples)
    model.components_[...] = weights
    model.intercept_hidden_[...] = model.intercept_visible_[...] = bias
    model.h_samples_[...] = 0
    return model, lambda: model.partial_fit(examples)


def check_rbm(xp, torch, units, batch):
    """Compare one step where nothing is left to chance: activations are whole multiples of 64 and 32 more."""
    weights = 64 * xp.rint(random_weights(xp, [PIXELS, units], spread=2.0)[0])
    examples, rate, bias = xp.rint(random_array(xp, batch, PIXELS)), 10.0, 32.0

    def ours(persistent):
        rbm = RBM(weights.copy(), xp.full(units, bias, xp.float32), xp.full(PIXELS, bias, xp.float32))
        ContrastiveDivergence(rbm, batch, persistent=persistent).step(examples, rate, generator(0, xp=xp))
        return to_host(rbm.weights - weights)

    if torch is not None:
        trained, step = torch_rbm_step(torch, weights, examples, rate, bias)
        step()
        assert_close(trained.cpu().numpy() - to_host(weights), ours(persistent=False))
    if xp is np:
        model, step = sklearn_step(weights, examples, rate, bias)
        step()
        assert_close(model.components_ - weights, ours(persistent=True))


def dae_case(xp, torch, units, batch):
    steps, examples = steps_of(batch), random_array(xp, batch, PIXELS)
    (weights,) = random_weights(xp, [PIXELS, units], spread=0.02)
    model = DenoisingAutoencoder(weights.copy(), xp.zeros(units, xp.float32), xp.zeros(PIXELS, xp.float32))
    trainer, rng = Denoising(model, batch, corrupted=CORRUPTED), generator(1, xp=xp)
    trainer.begin_epoch(rng)
    up, down, update = ("nt", batch, PIXELS, units), ("nn", batch, units, PIXELS), ("tn", units, batch, PIXELS)
    bound, flops = products(xp, up, down, up, update, update)
    peers = {}
    if torch is not None:
        peers["PyTorch"] = repeated(torch_dae_step(torch, weights, examples)[1], steps)
        compiled = torch_dae_step(torch, weights, examples, compiled=True)[1] if units == 500 else None
        if compiled is not None:
            peers["torch.compile"] = repeated(compiled, steps)
    return Case(
        "DAE",
        f"784 x {units}, batch {batch}",
        repeated(lambda: trainer.step(examples, RATE, rng), steps),
        repeated(bound, steps),
        steps * flops,
        peers,
        lambda: check_dae(xp, torch, units, batch),
    )


def torch_dae_step(torch, weights, examples, corrupted=CORRUPTED, compiled=False):
    """Return the weights and a step of the auto-encoder by PyTorch's autograd; no step if it cannot be compiled."""
    device = torch_device(weights)
    weights = torch.tensor(to_host(weights), device=device, requires_grad=True)
    examples = torch.tensor(to_host(examples), device=device)
    biases = [torch.zeros(size, device=device, requires_grad=True) for size in weights.shape]
    functional = torch.nn.functional

    def loss():
        kept = torch.rand_like(examples) >= corrupted
        hidden = torch.sigmoid(functional.linear(examples * kept, weights, biases[0]))
        logits = functional.linear(hidden, weights.T, biases[1])
        return functional.binary_cross_entropy_with_logits(logits, examples, reduction="sum") / len(examples)

    if compiled:
        loss = torch.compile(loss)
        try:
            loss()
        except Exception as reason:  # no C++ compiler, or one that it cannot use
            print(f"torch.compile does not work here: {str(reason).strip().splitlines()[0]}")
            return weights, None

    def step():
        loss().backward()
        with torch.no_grad():
            for parameter in (weights, *biases):
                parameter.add_(parameter.grad, alpha=-RATE)
                parameter.grad = None

    return weights, step


def check_dae(xp, torch, units, batch):
    """Compare one step without corruption."""
    if torch is None:
        return
    (weights,) = random_weights(xp, [PIXELS, units])
    examples = random_array(xp, batch, PIXELS)
    model = DenoisingAutoencoder(weights.copy(), xp.zeros(units, xp.float32), xp.zeros(PIXELS, xp.float32))
    trainer, rng = Denoising(model, batch, corrupted=0.0), generator(1, xp=xp)
    trainer.begin_epoch(rng)
    trainer.step(examples, RATE, rng)
    trained, step = torch_dae_step(torch, weights, examples, corrupted=0.0)
    step()
    assert_close(trained.detach().cpu().numpy() - to_host(weights), to_host(model.weights - weights))


def assert_close(theirs, ours):
    """Raise AssertionError unless two changes of the weights are the same to a thousandth of the largest."""
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-3 * abs(ours).max())
