"""Train a layer by the workflow's own script, as a job would; if asked to, be killed while a file is written.

    python train.py <folder> <kind> <seed> [<write> <bytes>]

The examples are made first, if they are not there. With <write> and <bytes> the process kills itself once it has
written so many bytes of the checkpoint that it writes at the end of epoch number <write>, counted from where it starts.
"""

import builtins
import io
import os
import runpy
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from deepunits import storage

SCRIPT = Path(__file__).parents[2] / "scripts" / "pretrain_layer.py"
PIXELS, EXAMPLES = 49, 1000
EPOCHS = 8.5  # of 50,000 examples each
COMMON = {"units": 13, "examples": round(50_000 * EPOCHS), "batch": 50, "learning_rate": 0.05, "constant_until": 0.5}
COMMON |= {"momentum": 0.3, "weight_decay": 1e-4, "initial_weights": 0.1, "visible": "bernoulli"}
SETTINGS = {
    "dbn": COMMON | {"gibbs_steps": 1, "persistent": True, "pass_up": "samples"},
    "sdae": COMMON | {"corruption": "zero_mask", "corrupted": 0.25, "pass_up": "means"},
}


class Doomed(io.FileIO):
    """A file whose process is killed when it has written so many bytes."""

    def __init__(self, path, count):
        super().__init__(path, "w")
        self.left = count

    def write(self, data):
        data = bytes(data)
        written = super().write(data[: self.left])
        self.left -= written
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        return written


def kill_in_checkpoint(number, count):
    """Have this process killed when it has written `count` bytes of its checkpoint number `number`."""
    written = iter(range(1, 1000))

    def opened(path, mode="r", **options):
        if mode == "wb" and "checkpoint" in Path(path).name and next(written) == number:
            return Doomed(path, count)
        return builtins.open(path, mode, **options)

    storage.open = opened


def main(folder, kind, seed, *doom):
    examples = folder / "examples.npz"
    if not examples.exists():
        rng = np.random.default_rng(int(seed))  # patterns of which each example has some
        images = (rng.random((2, EXAMPLES, 5)) < 0.4).astype(np.float32) @ (rng.random((5, PIXELS)) < 0.4) / 5
        storage.save_npz(examples, train_images=images[0], test_images=images[1])
    if doom:
        kill_in_checkpoint(*map(int, doom))
    snakemake = SimpleNamespace(
        log=[str(folder / "logs" / "layer.log")],
        wildcards=SimpleNamespace(dataset="noise", model=kind, layer="1"),
        input=SimpleNamespace(examples=examples, lower=[]),
        output=SimpleNamespace(layer=folder / "layer.npz", history=folder / "history.csv"),
        params=SimpleNamespace(
            kind=kind,
            settings=SETTINGS[kind],
            deformation=None,
            seed=int(seed),
            device="cpu",
            checkpoint=folder / "checkpoint.npz",
        ),
        threads=1,
    )
    runpy.run_path(str(SCRIPT), {"snakemake": snakemake})


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
