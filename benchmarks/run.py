"""Time the heavy stages beside their matrix products alone and beside what one would otherwise use.

    make bench                            everything, a minute or two
    python benchmarks/run.py --repeats 9  more repeats

Every figure is a median over repeats in which contestants take turns. Ratios are what counts: "of bound" is the time
of the same matrix products alone, in the same order and shapes, over that of the stage; a peer's is its time over that
of the stage. benchmarks/results/<cpu|gpu>.json keeps the numbers.
"""

import argparse
import platform
import statistics
import time
from pathlib import Path

import numpy as np

from deepunits.backend import accumulate_product, array_module, choose_device, device_name, generator, to_host, uniform
from deepunits.data.infinite_mnist import InfiniteMNIST
from deepunits.models.autoencoder import Denoising, DenoisingAutoencoder
from deepunits.models.network import Network
from deepunits.models.rbm import RBM, ContrastiveDivergence
from deepunits.storage import write_json

PIXELS, UNITS, STEPS = 784, 500, 20


def synchronize(xp):
    if xp is not np:
        xp.cuda.Device().synchronize()


def interleaved(contestants, repeats, xp):
    """Return the median seconds of each of `contestants`, a dict of functions, called in turns after a warm-up."""
    seconds = {name: [] for name in contestants}
    for repeat in range(repeats + 1):
        for name, run in contestants.items():
            synchronize(xp)
            started = time.perf_counter()
            run()
            synchronize(xp)
            if repeat:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}


def random_array(xp, *shape):
    return uniform(generator(0, "benchmark", *shape, xp=xp), xp.empty(shape, xp.float32))


def layer_products(xp, batch):
    """Return a function that does the matrix products of a step of CD-1 or of a DAE, and nothing else."""
    weights, visible = random_array(xp, UNITS, PIXELS), random_array(xp, 2 * batch, PIXELS)
    hidden = random_array(xp, 2 * batch, UNITS)

    def run():
        for _ in range(STEPS):
            xp.matmul(visible[:batch], weights.T, out=hidden[:batch])
            xp.matmul(hidden[:batch], weights, out=visible[batch:])
            xp.matmul(visible[batch:], weights.T, out=hidden[batch:])
            accumulate_product(weights, hidden, visible, alpha=1e-9, beta=0.5)

    return run


def pretraining(xp, batch):
    """Return contestants for CD-1 and for the DAE on one layer of 784 × 500, `STEPS` steps of `batch` examples."""
    examples, rng = random_array(xp, batch, PIXELS), generator(1, xp=xp)
    weights = 0.02 * (random_array(xp, UNITS, PIXELS) - 0.5)
    rbm = ContrastiveDivergence(RBM.initialise(weights.copy(), examples.mean(axis=0)), batch)
    dae = Denoising(DenoisingAutoencoder.initialise(weights.copy(), examples.mean(axis=0)), batch)
    dae.begin_epoch(rng)

    def steps(trainer):
        return lambda: [trainer.step(examples, 0.01, rng) for _ in range(STEPS)]

    return {"rbm": steps(rbm), "dae": steps(dae), "bound": layer_products(xp, batch)}


def torch_rbm(batch, device):
    """Return CD-1 in PyTorch: the same steps with the same shapes."""
    import torch

    weights = 0.02 * (torch.rand(UNITS, PIXELS, device=device) - 0.5)
    hidden_bias, visible_bias = torch.zeros(UNITS, device=device), torch.zeros(PIXELS, device=device)
    examples = torch.rand(batch, PIXELS, device=device)

    @torch.no_grad()
    def run():
        for _ in range(STEPS):
            data = torch.sigmoid(torch.addmm(hidden_bias, examples, weights.T))
            visible = torch.bernoulli(torch.sigmoid(torch.addmm(visible_bias, torch.bernoulli(data), weights)))
            model = torch.sigmoid(torch.addmm(hidden_bias, visible, weights.T))
            weights.add_(data.T @ examples - model.T @ visible, alpha=0.01 / batch)
            hidden_bias.add_((data - model).sum(0), alpha=0.01 / batch)
            visible_bias.add_((examples - visible).sum(0), alpha=0.01 / batch)

    return run


def sklearn_rbm(batch):
    """Return scikit-learn's BernoulliRBM (persistent CD) on as many minibatches."""
    from sklearn.neural_network import BernoulliRBM

    examples = np.tile(random_array(np, batch, PIXELS), (STEPS, 1))
    model = BernoulliRBM(UNITS, learning_rate=0.01, batch_size=batch, n_iter=1, random_state=0)
    return lambda: model.fit(examples)


def deep_network(xp):
    sizes = [PIXELS, UNITS, UNITS, UNITS]
    weights = [0.1 * (random_array(xp, above, below) - 0.5) for below, above in zip(sizes[:-1], sizes[1:], strict=True)]
    return Network(weights, [xp.zeros(len(w), xp.float32) for w in weights])


def unit_gradients(xp, rows):
    """Return contestants for the gradient of third-layer units, the work of activation maximization."""
    network, x = deep_network(xp), random_array(xp, rows, PIXELS)
    units = xp.arange(rows) % UNITS
    below, back = random_array(xp, rows, UNITS), random_array(xp, rows, UNITS)

    def products():
        x @ network.weights[0].T
        below @ network.weights[1].T
        back @ network.weights[1]
        back @ network.weights[0]

    return {"gradient": lambda: network.unit_gradient(x, 3, units), "bound": products}


def torch_gradients(network, rows, device):
    """Return the same gradients by PyTorch's autograd, in one batch, and check that they agree."""
    import torch

    weights = [torch.tensor(to_host(w), device=device) for w in network.weights]
    x = torch.tensor(to_host(random_array(np, rows, PIXELS)), device=device, requires_grad=True)
    units = torch.arange(rows, device=device) % UNITS

    def run():
        hidden = torch.sigmoid(torch.sigmoid(x @ weights[0].T) @ weights[1].T)
        return torch.autograd.grad((hidden * weights[2][units]).sum(), x)[0]

    xp = array_module(network.weights[0])
    ours = network.unit_gradient(xp.asarray(x.detach().cpu().numpy()), 3, xp.arange(rows) % UNITS)[1]
    np.testing.assert_allclose(to_host(ours), run().cpu().numpy(), rtol=1e-3, atol=1e-6)
    return run


def digits(xp, count):
    """Return a function that makes `count` deformed digits."""
    images = (255 * random_array(np, 2000, PIXELS)).astype(np.uint8)
    stream = InfiniteMNIST(images, np.zeros(2000), seed=0, displacement=1.5, smoothness=4.0, fields=128, xp=xp)
    return lambda: stream.batch(2000, count)


def measure(xp, repeats):
    """Return rows of stage, shape, milliseconds, share of the bound, and ratios to the peers at hand."""
    device = "cpu" if xp is np else "cuda"
    rows = []
    for batch in (100, 1000):
        contestants = pretraining(xp, batch)
        peers = {"scikit-learn": sklearn_rbm(batch)} if xp is np else {}
        if has_torch():
            peers["PyTorch"] = torch_rbm(batch, device)
        times = interleaved(contestants | peers, repeats, xp)
        shape = f"784 x 500, batch {batch}"
        rows.append(row("RBM, CD-1", shape, times["rbm"], times["bound"], {p: times[p] for p in peers}))
        rows.append(row("DAE", shape, times["dae"], times["bound"], {}))
        made = interleaved({"digits": digits(xp, STEPS * batch)}, repeats, xp)["digits"]
        rows.append(row("infinite MNIST", f"beside CD-1, batch {batch}", made, None, {"CD-1": times["rbm"]}))
    for count in (324, 1296, 4500):
        contestants = unit_gradients(xp, count)
        peers = {"PyTorch": torch_gradients(deep_network(xp), count, device)} if has_torch() else {}
        times = interleaved(contestants | peers, repeats, xp)
        rows.append(row("AM, a step", f"{count} rows", times["gradient"], times["bound"], {p: times[p] for p in peers}))
    return rows


def has_torch():
    try:
        import torch  # noqa: F401
    except ImportError:
        return False
    return True


def row(stage, shape, seconds, bound, peers):
    return {
        "stage": stage,
        "shape": shape,
        "milliseconds": round(1000 * seconds, 3),
        "share_of_bound": bound and round(bound / seconds, 3),
        "ratio_to": {name: round(peer / seconds, 2) for name, peer in peers.items()},
    }


def peak(xp, size=2048):
    """Return the machine's rate for products of `size`³, in GFLOP/s."""
    a = random_array(xp, size, size)
    seconds = interleaved({"product": lambda: a @ a}, 3, xp)["product"]
    return round(2 * size**3 / seconds / 1e9, 1)


def main():
    parser = argparse.ArgumentParser(description="Time the heavy stages beside their bound and their peers.")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", choices=["auto", "cpu", "gpu"], default="auto")
    arguments = parser.parse_args()
    xp = choose_device(arguments.device)
    rows = measure(xp, arguments.repeats)
    print(f"{'stage':16}{'shape':26}{'ms':>10}{'of bound':>10}  time of the peer over ours")
    for r in rows:
        share = "" if r["share_of_bound"] is None else f"{100 * r['share_of_bound']:.0f} %"
        peers = ", ".join(f"{name} {ratio:.2f}" for name, ratio in r["ratio_to"].items())
        print(f"{r['stage']:16}{r['shape']:26}{r['milliseconds']:10.2f}{share:>10}  {peers}")
    record = {"device": device_name(xp), "machine": platform.machine(), "peak_gflops": peak(xp), "rows": rows}
    write_json(Path(__file__).parent / "results" / f"{'cpu' if xp is np else 'gpu'}.json", record)


if __name__ == "__main__":
    main()
