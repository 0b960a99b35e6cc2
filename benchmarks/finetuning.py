"""Back-propagation through three layers and a softmax, beside PyTorch."""

from functools import partial

from harness import Case, products, random_array, random_weights, repeated, torch_device
from pretraining import COMPILED_BATCH, assert_close, steps_of, uncompiled

from deepunits.backend import to_host
from deepunits.models.classifier import Backpropagation
from deepunits.models.network import Network

SIZES, RATE = (784, 500, 500, 500, 10), 0.01


def cases(xp, peers):
    """Yield the cases, each as its stage and a function that sets it up."""
    for batch in (20, 100, 1000):
        yield "fine-tuning", partial(fine_tuning_case, xp, peers, batch)


def fine_tuning_case(xp, peers, batch):
    steps, examples, labels = steps_of(batch), random_array(xp, batch, SIZES[0]), xp.arange(batch) % SIZES[-1]
    trainer = Backpropagation(classifier(xp), batch)
    layers = list(zip(SIZES[:-1], SIZES[1:], strict=True))
    forward = [("nt", batch, below, above) for below, above in layers]
    backward = [("nn", batch, above, below) for below, above in layers[:0:-1]]
    updates = [("tn", above, batch, below) for below, above in layers]
    bound, flops = products(xp, *forward, *backward, *updates)
    return Case(
        "fine-tuning",
        f"784-500-500-500-10, batch {batch}",
        repeated(lambda: trainer.step(examples, labels, RATE), steps),
        repeated(bound, steps),
        steps * flops,
        {name: repeated(step, steps) for name, (_, step) in torch_steps(peers, xp, examples, labels).items()},
        lambda: check(xp, peers, examples, labels),
    )


def classifier(xp):
    return Network(random_weights(xp, SIZES), [xp.zeros(size, xp.float32) for size in SIZES[1:]])


def torch_steps(peers, xp, examples, labels, rate=RATE):
    """Return the network in PyTorch and a step of SGD on it, by the name of who takes it."""
    steps = {}
    if peers.torch is not None:
        steps["PyTorch"] = torch_step(peers.torch, xp, examples, labels, rate)
    if peers.compile is not None and len(examples) == COMPILED_BATCH:
        steps["torch.compile"] = torch_step(peers.torch, xp, examples, labels, rate, peers.compile)
    return steps


def torch_step(torch, xp, examples, labels, rate=RATE, through=uncompiled):
    """Return the same network in PyTorch and a step of SGD on it."""
    device = torch_device(examples)
    layers = []
    for weights in random_weights(xp, SIZES):
        layer = torch.nn.Linear(weights.shape[1], weights.shape[0], device=device)
        layer.weight.data = torch.tensor(to_host(weights), device=device)
        layer.bias.data.zero_()
        layers += [layer, torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    examples, labels = (torch.tensor(to_host(array), device=device) for array in (examples, labels))

    forward = through(model)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(forward(examples), labels).backward()
        optimizer.step()

    return model, step


def check(xp, peers, examples, labels):
    """Compare how one step changes the weights of each layer."""
    rate = 10.0  # so large a step that the rounding of the weights is small beside it
    ours = classifier(xp)
    Backpropagation(ours, len(examples)).step(examples, labels, rate)
    for theirs, step in torch_steps(peers, xp, examples, labels, rate).values():
        step()
        for before, weights, layer in zip(classifier(xp).weights, ours.weights, theirs[::2], strict=True):
            assert_close(layer.weight.detach().cpu().numpy() - to_host(before), to_host(weights - before))
