"""Time and peak memory against the number of examples, units, restarts and pixels.

    python benchmarks/growth.py      a few minutes; writes benchmarks/results/growth.md and growth.json

Every measurement is a process of its own on one thread, since the peak of a process's memory never falls. The time is
that of the processor, without imports and set-up; the memory, that of the whole process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from harness import machine, random_array, random_weights
from stream import ORIGINALS, blobs
from threadpoolctl import threadpool_limits

from deepunits.data.infinite_mnist import InfiniteMNIST
from deepunits.models.network import Network
from deepunits.models.rbm import RBM, ContrastiveDivergence
from deepunits.models.stack import pretrain_layer
from deepunits.randomness import generator
from deepunits.storage import write_json, write_text
from deepunits.visualize.activation_maximization import maximize_activation

RESULTS = Path(__file__).parent / "results"
SETTINGS = {
    "units": 500, "batch": 100, "learning_rate": 0.01, "constant_until": 0.5, "momentum": 0.0, "weight_decay": 0.0,
    "initial_weights": 0.02, "pass_up": "means", "visible": "bernoulli", "gibbs_steps": 1, "persistent": False,
}  # fmt: skip
DRAWN, STEPS = 10_000, 20  # examples drawn from the stream; steps of activation maximization


def training(examples):
    """Return a layer's pretraining on so many examples of the stream, and that number."""
    digits, held_out = infinite_mnist(), random_array(np, 100, 784)
    settings = SETTINGS | {"examples": examples}
    return lambda: pretrain_layer("dbn", digits, (), settings, seed=0, stage=("growth",), held_out=held_out), examples


def stream(first):
    """Return the drawing of examples that begin at number `first`, and how many they are."""
    digits = infinite_mnist()
    return lambda: digits.batch(first, DRAWN), DRAWN


def infinite_mnist():
    return InfiniteMNIST(blobs(ORIGINALS), np.zeros(ORIGINALS), seed=0, displacement=1.5, smoothness=4.0, fields=128)


def units(count):
    """Return CD-1 on a layer of 784 × `count`, and the number of examples times that of units."""
    return layer(count, 784, max(1, 20_000 // count)), 100 * max(1, 20_000 // count) * count


def pixels(count):
    """Return CD-1 on a layer of `count` × 500, and the number of examples times that of pixels."""
    return layer(500, count, max(1, 30_000 // count)), 100 * max(1, 30_000 // count) * count


def layer(hidden, visible, steps):
    examples, rng = random_array(np, 100, visible), generator(1)
    (weights,) = random_weights(np, [visible, hidden], spread=0.02)
    trainer = ContrastiveDivergence(RBM.initialise(weights, examples.mean(axis=0)), 100)
    trainer.step(examples, 0.01, rng)
    return lambda: [trainer.step(examples, 0.01, rng) for _ in range(steps)]


def restarts(count):
    """Return activation maximization of 36 units from `count` starts each, and the number of rows times steps."""
    sizes = (784, 500, 500, 500)
    network = Network(random_weights(np, sizes), [np.zeros(size, np.float32) for size in sizes[1:]])
    options = {"norm": 9.0, "restarts": count, "learning_rate": 0.1, "threshold": 0.0, "max_steps": STEPS}
    return lambda: maximize_activation(network, 3, np.arange(36), rng=generator(0), **options), 36 * count * STEPS


# What grows: the function that sets it up, its values, and what the time is divided by.
GROWING = {
    "examples of a layer's training": (training, (10_000, 100_000, 1_000_000, 2_500_000), "example"),
    "number of the stream's first example": (stream, (10_000, 1_000_000, 10**9, 10**12), "example"),
    "hidden units": (units, (100, 500, 1000, 2000, 4000), "example and unit"),
    "pixels": (pixels, (144, 784, 1600, 3136), "example and pixel"),
    "restarts of 36 units": (restarts, (1, 9, 36, 125), "row and step"),
}


def measure(name, value):
    """Print the seconds, the amount of work and the peak memory in bytes of one case."""
    run, work = GROWING[name][0](value)
    with threadpool_limits(1):
        started = time.process_time()
        run()
        seconds = time.process_time() - started
    print(json.dumps([seconds, work, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))


def measured_apart(name, value):
    """Return what `measure` prints in a process of its own."""
    command = [sys.executable, __file__, "--measure", name, str(value)]
    one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return json.loads(subprocess.run(command, env=one_thread, stdout=subprocess.PIPE, check=True).stdout)


def table(rows):
    """Return the rows as a table in Markdown."""
    lines = ["| what grows | to | s | µs for each | peak memory, MB |", "|---|---|---|---|---|"]
    for r in rows:
        each = f"{1e6 * r['seconds'] / r['work']:.3g} ({GROWING[r['what']][2]})"
        lines.append(f"| {r['what']} | {r['value']:,} | {r['seconds']:.2f} | {each} | {r['peak_bytes'] / 2**20:.0f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Time and peak memory as the problem grows.")
    parser.add_argument("--measure", nargs=2, metavar=("NAME", "VALUE"), help="one case, in this process")
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure[0], int(arguments.measure[1]))
        return
    rows = []
    for name, (_, values, _) in GROWING.items():
        for value in values:
            seconds, work, memory = measured_apart(name, value)
            rows.append({"what": name, "value": value, "seconds": seconds, "work": work, "peak_bytes": memory})
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    write_json(RESULTS / "growth.json", {"machine": machine(np, 1), "rows": rows})
    write_text(RESULTS / "growth.md", table(rows))


if __name__ == "__main__":
    main()
