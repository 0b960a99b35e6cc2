"""Maximise units of a PyTorch module beside torch-lucent and Horama, at the same norm and in the same time.

    python benchmarks/views.py      prints a table; benchmarks/run.py writes it with the other results

A small convolutional network learns digits for a few seconds. For all units of one of its layers each contestant looks
for the input that excites the unit most. What it finds is scaled to the mean norm of the digits, and the activation,
before the nonlinearity, is read there by the module itself.

The peers run as their documentation has it, and with what suits this comparison best: the search on the sphere, with no
transformations. They are spared the gradients of the parameters, and the units of torch-lucent are one batch. A peer is
timed on a sixteenth of its steps and, if it takes one unit at a time, on a few units; the time is multiplied by that.
"""

import argparse
import contextlib
import importlib
import io
import warnings
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from harness import confine, interleaved, machine
from peers import Peers
from threadpoolctl import threadpool_limits

from deepunits.data.mnist import enlarged_digits
from deepunits.randomness import generator
from deepunits.storage import write_json
from deepunits.visualize.activation_maximization import maximize_activation, to_norm

SIDE, UNITS, BATCH, EPOCHS = 28, 64, 50, 4
LAYERS = {"dense": "flat", "conv2": "centre"}  # a unit of 64; the middle one of each of 64 maps
OURS = {"restarts": 3, "learning_rate": 3.0, "threshold": 1e-4, "max_steps": 60}
STEPS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)  # of torch-lucent, 512 by default
HORAMA_STEPS = (250, 1000)  # 1000 by default
PART, SINGLES = 16, 2  # a peer is timed on the sixteenth part of its steps, or also on so many units
CLOSE = 1e-3  # what is within this share of our mean activation counts as the same


@dataclass
class Contestant:
    """One way to maximise units.

    Attributes
    ----------
    name : str
    steps : tuple of int
        At which its result is compared; the last is its default.
    search : callable
        Takes several numbers of steps, and returns what it has found at each, shape (steps, units, pixels).
    units : int
        Of how many it is asked for the maxima.
    """

    name: str
    steps: tuple
    search: object
    units: int = UNITS


def trained_network(torch):
    """Return a convolutional network that has learnt digits, in evaluation mode, and their mean norm."""
    images, labels = enlarged_digits("benchmark")[0]["train"]
    images = torch.tensor(images / np.float32(255))
    labels = torch.tensor(labels.astype(np.int64))
    torch.manual_seed(0)
    parts = {
        "conv1": torch.nn.Conv2d(1, 16, 5, stride=2, padding=2),
        "relu1": torch.nn.ReLU(),
        "conv2": torch.nn.Conv2d(16, UNITS, 3, stride=2, padding=1),
        "relu2": torch.nn.ReLU(),
        "flatten": torch.nn.Flatten(),
        "dense": torch.nn.Linear(UNITS * (SIDE // 4) ** 2, UNITS),
        "relu3": torch.nn.ReLU(),
        "out": torch.nn.Linear(UNITS, 10),
    }
    module = torch.nn.Sequential()
    for name, part in parts.items():
        module.add_module(name, part)
    optimizer = torch.optim.Adam(module.parameters(), 1e-3)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            outputs = module(images[rows].reshape(-1, 1, SIDE, SIDE))
            torch.nn.functional.cross_entropy(outputs, labels[rows]).backward()
            optimizer.step()
    norm = float(images.norm(dim=1).mean())
    return module.eval().requires_grad_(False), norm


def activations(torch, module, layer, inputs, norm):
    """Return the activation of unit u at the u-th of the `inputs` (units, pixels), scaled to `norm`."""
    inputs = to_norm(np.array(inputs, np.float32), norm)
    with torch.no_grad():
        outputs = middle(up_to(module, layer)(torch.tensor(inputs).reshape(-1, 1, SIDE, SIDE)))
    return outputs.numpy().diagonal().copy()


def up_to(module, layer):
    """Return the part of a module that ends with `layer`."""
    return module[: [name for name, _ in module.named_children()].index(layer) + 1]


def middle(outputs):
    """Return the units (n, units) of a layer; of a map, the one in its middle."""
    return outputs if outputs.ndim == 2 else outputs[:, :, outputs.shape[2] // 2, outputs.shape[3] // 2]


# --- ours ---


def ours(module, layer, norm):
    from deepunits.models.torch_view import TorchView

    view = TorchView(module, [layer], (1, SIDE, SIDE), LAYERS[layer])

    def search():
        return maximize_activation(view, 1, np.arange(UNITS), norm=norm, rng=generator(0), **OURS)

    return search


# --- torch-lucent ---


def lucent_contestants(torch, module, layer, norm):
    """Yield torch-lucent as documented, on the sphere, and unit by unit."""
    objectives = importlib.import_module("lucent.optvis.objectives")
    param = importlib.import_module("lucent.optvis.param")
    render = importlib.import_module("lucent.optvis.render").render_vis
    one = objectives.channel if LAYERS[layer] == "flat" else objectives.neuron
    common = {"preprocess": False, "progress": False, "show_image": False, "fixed_image_size": SIDE}

    def search(objective, image, steps, **options):
        torch.manual_seed(0)
        # It leaves its hooks on the module, which would make every further call slower.
        found = render(deepcopy(module), objective, image, thresholds=steps, **common, **options)
        return np.reshape(found, (len(steps), -1, SIDE**2))

    def on_sphere():
        parameters, image = param.spatial.pixel_image([UNITS, 1, SIDE, SIDE])

        def scaled():
            x = image()
            return x * (norm / x.flatten(1).norm(dim=1)[:, None, None, None])

        return parameters, scaled

    def unit_by_unit(steps):
        single = partial(param.image, SIDE, channels=1)
        return np.concatenate([search(one(layer, unit), single, steps) for unit in range(SINGLES)], axis=1)

    every = sum(one(layer, unit, batch=unit) for unit in range(UNITS))
    batch = partial(param.image, SIDE, channels=1, batch=UNITS)
    yield Contestant("torch-lucent", STEPS, partial(search, every, batch))
    yield Contestant("torch-lucent, on the sphere", STEPS, partial(search, every, on_sphere, transforms=[]))
    yield Contestant("torch-lucent, unit by unit", STEPS[-1:], unit_by_unit, SINGLES)


# --- Horama ---


def horama_contestants(torch, module, layer, norm):
    """Yield Horama's Fourier method as documented and on the sphere; its MaCo needs the spectrum of ImageNet."""
    fourier = importlib.import_module("horama").fourier
    front = up_to(module, layer)

    def objective(unit, scaled):
        def activation(images):
            x = images.mean(1, keepdim=True)
            if scaled:
                x = x * (norm / x.flatten(1).norm(dim=1)[:, None, None, None])
            return middle(front(x))[:, unit].mean()

        return activation

    def search(scaled, steps, **options):
        found = np.empty((len(steps), SINGLES, SIDE**2), np.float32)
        for row, total in enumerate(steps):
            for unit in range(SINGLES):
                torch.manual_seed(unit)
                sizes = {"image_size": SIDE, "model_input_size": SIDE, "device": "cpu", "total_steps": total}
                with contextlib.redirect_stderr(io.StringIO()):  # it shows its progress
                    image, _ = fourier(objective(unit, scaled), **sizes, **options)
                found[row, unit] = image.detach().mean(0).reshape(-1).numpy()
        return found

    whole = {"crops_per_iteration": 2, "box_size": (1.0, 1.0), "noise": 0.0}
    yield Contestant("Horama", HORAMA_STEPS, partial(search, False), SINGLES)
    yield Contestant("Horama, on the sphere", HORAMA_STEPS, partial(search, True, **whole), SINGLES)


# --- the comparison ---


def contestants(torch, module, layer, norm, left_out):
    """Return those that can take part; why another cannot is noted in `left_out`."""
    found = []
    for name, of in (("torch-lucent", lucent_contestants), ("Horama", horama_contestants)):
        try:
            found += of(torch, module, layer, norm)
        except ImportError as reason:
            left_out[name] = f"it cannot be imported ({reason})"
    return found


def compare(torch, module, layer, norm, repeats, threads, left_out):
    """Return the rows of the comparison on one layer."""
    others, search = contestants(torch, module, layer, norm, left_out), ours(module, layer, norm)
    timed = {"ours": search} | {c.name: partial(c.search, (max(1, c.steps[-1] // PART),)) for c in others}
    seconds = interleaved(timed, repeats, np, threads)
    maxima = search()
    reference = activations(torch, module, layer, maxima.best, norm)
    np.testing.assert_allclose(maxima.activations.max(axis=1), reference, rtol=1e-4, err_msg="the view and the module")
    rows = [row(layer, "ours", int(maxima.steps.max()), seconds["ours"], seconds["ours"], reference, reference)]
    for c in others:
        whole = seconds[c.name] * UNITS / c.units * c.steps[-1] / max(1, c.steps[-1] // PART)
        padded = np.ones((len(c.steps), UNITS, SIDE**2), np.float32)
        padded[:, : c.units] = c.search(c.steps)
        found = [activations(torch, module, layer, inputs, norm)[: c.units] for inputs in padded]
        rows.append(row(layer, c.name, c.steps[-1], whole, seconds["ours"], found[-1], reference[: c.units]))
        shares = [values.mean() / reference[: c.units].mean() for values in found]
        rows[-1] |= over_time(c.steps, shares, whole, seconds["ours"])
    return rows


def row(layer, name, steps, seconds, of_ours, found, reference):
    """Return the record of a contestant, who `found` these activations (units,) where we found the `reference`.

    Many units of a layer that has just learnt to be sparse are hardly excited by anything, so that means over units are
    compared, not units one by one.
    """
    mean = reference.mean()
    return {
        "layer": layer,
        "by": name,
        "steps": steps,
        "seconds": round(seconds, 3),
        "time_over_ours": round(seconds / of_ours, 2),
        "activation_over_ours": round(float(found.mean() / mean), 4),
        "higher": int((found > reference + CLOSE * mean).sum()),
        "compared": len(found),
        "in_our_time": None,
        "steps_to_ours": None,
        "time_to_ours": None,
    }


def over_time(steps, shares, seconds, of_ours):
    """Return what share of our mean activation is reached in our time, and after how many steps ours is."""
    times = np.array(steps) / steps[-1] * seconds / of_ours
    soon = [share for time, share in zip(times, shares, strict=True) if time <= 1]
    reached = [number for number, share in enumerate(shares) if share >= 1 - CLOSE]
    return {
        "in_our_time": round(float(soon[-1]), 4) if soon else None,
        "steps_to_ours": steps[reached[0]] if reached else None,
        "time_to_ours": round(float(times[reached[0]]), 2) if reached else None,
    }


def measure(threads, repeats):
    """Return the comparison on every layer, and why some do not take part."""
    confine(threads, np)
    peers = Peers(np, threads)
    record = {"machine": machine(np, threads), "rows": [], "left_out": {}}
    if peers.torch is None:
        return record | {"left_out": {"the comparison of views": f"PyTorch: {peers.left_out['PyTorch']}"}}
    warnings.filterwarnings("ignore", module="lucent|kornia|horama|torch")
    with threadpool_limits(threads):
        module, norm = trained_network(peers.torch)
        for layer in LAYERS:
            record["rows"] += compare(peers.torch, module, layer, norm, repeats, threads, record["left_out"])
    return record


def main():
    import tables

    parser = argparse.ArgumentParser(description="Maximise units of a PyTorch module beside others' tools.")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    record = measure(arguments.threads, arguments.repeats)
    print(tables.views(record))
    if arguments.write:
        write_json(arguments.write, record)


if __name__ == "__main__":
    main()
