"""Train the networks of a dataset as the whole paper does, look at every unit of them, and say how long it took.

    python benchmarks/networks.py results/datasets/mnist/examples.npz
    python benchmarks/networks.py EXAMPLES --share 0.01     every layer on a hundredth of its examples: a rehearsal

It needs no Snakemake and no network, only the dataset as the workflow prepares it, and writes
benchmarks/results/networks_<cpu|gpu>.json and, as a table, the same as .md.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import yaml
from harness import machine, synchronize

from deepunits.backend import choose_device
from deepunits.data.examples import load_examples, load_labels
from deepunits.data.training import training_stream
from deepunits.invariance.search import optima, search
from deepunits.invariance.whitening import estimate
from deepunits.models.classifier import error_rate, fine_tune, with_output_layer
from deepunits.models.network import Network
from deepunits.models.stack import pretrain_layer
from deepunits.randomness import generator
from deepunits.storage import write_json, write_text
from deepunits.visualize.activation_maximization import maximize_activation

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
HELD_OUT = 2000  # test examples that the reconstruction error is measured on

sys.path.insert(0, str(ROOT / "workflow"))
from inheritance import resolve  # noqa: E402


class Study:
    """The stages of one dataset, each timed, one after the other.

    Parameters
    ----------
    examples : path
        As the workflow prepares it.
    dataset : str
    share : float
        Share of its examples that every training takes.
    fine_tuned : sequence of str
        The models that are fine-tuned.
    xp : module
    """

    def __init__(self, examples, dataset, share, fine_tuned, xp):
        self.config = resolve(yaml.safe_load((ROOT / "config" / "config.yaml").read_text()))
        self.examples, self.dataset, self.share, self.xp, self.rows = examples, dataset, share, xp, []
        self.fine_tuned = fine_tuned
        self.seed, self.tools = self.config["seed"], self.config["units"][dataset]
        self.statistics = estimate(
            load_examples(examples, "train"), regularization=self.config["datasets"][dataset]["regularization"]
        )

    def timed(self, stage, model, layer, run, result):
        """Run a stage; note its seconds and what `result` says of what it returns, which is returned."""
        synchronize(self.xp)
        started = time.perf_counter()
        returned = run()
        synchronize(self.xp)
        seconds = round(time.perf_counter() - started, 2)
        self.rows.append(
            {"stage": stage, "model": model, "layer": layer, "seconds": seconds, "result": result(returned)}
        )
        print(line(self.rows[-1]), flush=True)
        return returned

    def stream(self, *splits):
        deformation = self.config["datasets"][self.dataset].get("deformation")
        return training_stream(self.examples, splits, seed=self.seed, deformation=deformation, xp=self.xp)

    def pretrain(self, model, layers):
        """Add the next layer to the trained `layers` of a model."""
        number = len(layers) + 1
        settings = dict(self.config["models"][self.dataset][model][f"layer{number}"])
        settings["examples"] = max(settings["batch"], round(self.share * settings["examples"]))

        def run():
            return pretrain_layer(
                self.config["kinds"][self.dataset][model],
                self.stream("train", "valid"),
                layers,
                settings,
                seed=self.seed,
                stage=(self.dataset, model, f"layer{number}"),
                held_out=load_examples(self.examples, "test")[:HELD_OUT],
                xp=self.xp,
            )

        def result(trained):
            last = trained[1][-1]
            return f"error {last['reconstruction_error']:.2f} nats, {last['dead_units']} dead units"

        layers.append(self.timed("pretraining", model, number, run, result)[0])

    def fine_tune(self, model, layers):
        settings = dict(self.config["classifiers"][self.dataset][model])
        settings["epochs"] = max(1, round(self.share * settings["epochs"]))
        valid, test = (
            [load(self.examples, split) for load in (load_examples, load_labels)] for split in ("valid", "test")
        )
        network = with_output_layer(layers, int(valid[1].max()) + 1)

        def run():
            stage = (self.dataset, model, "classifier")
            return fine_tune(network, self.stream("train"), valid, settings, seed=self.seed, stage=stage, xp=self.xp)

        def result(tuned):
            wrong = error_rate(tuned.network.to(self.xp), *test)
            return f"{100 * min(tuned.valid_errors):.2f} % validation, {100 * wrong:.2f} % test error"

        self.timed("fine-tuning", model, None, run, result)

    def look_at_units(self, model, layers):
        """Maximise the activations of all units of the top layer, and trace their manifolds."""
        number, xp = len(layers), self.xp
        network = Network([layer.weights for layer in layers], [layer.hidden_bias for layer in layers]).to(xp)
        settings = dict(self.tools["activation_maximization"])
        settings["learning_rate"] = settings["learning_rate"][f"layer{number}"]
        settings.pop("output", None)
        units, norm = np.arange(network.units(number)), float(self.statistics["mean_norm"])
        rng = generator(self.seed, model, number, "units", xp=xp)

        def maximize():
            return maximize_activation(network, number, units, norm=norm, rng=rng, **settings)

        def converged(found):
            return f"{found.converged.size} searches, {100 * found.converged.mean():.0f} % converged"

        maxima = self.timed("activation maximization", model, number, maximize, converged)
        found = optima(network, number, vars(maxima), settings, rng=rng)
        tracing = {key: value for key, value in self.tools["invariance"].items() if key not in ("output", "variants")}

        def trace():
            return search(network, number, units, found, self.statistics, tracing, rng=rng)

        self.timed("invariance sweep", model, number, trace, converged)

    def run(self):
        for model in self.config["models"][self.dataset]:
            layers = []
            while len(layers) < len(self.config["models"][self.dataset][model]):
                self.pretrain(model, layers)
                self.look_at_units(model, layers)
            if model in self.fine_tuned and model in self.config["classifiers"].get(self.dataset, {}):
                self.fine_tune(model, layers)


def line(row):
    where = row["model"] if row["layer"] is None else f"{row['model']}, layer {row['layer']}"
    return f"| {row['stage']} | {where} | {row['seconds']:.1f} | {row['result']} |"


def table(rows):
    """Return the rows, and the sums of the stages, as a table in Markdown."""
    stages = dict.fromkeys(row["stage"] for row in rows)
    sums = [f"| {s} | all | {sum(r['seconds'] for r in rows if r['stage'] == s):.1f} | |" for s in stages]
    return "\n".join(["| stage | network | s | result |", "|---|---|---|---|", *map(line, rows), *sums]) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Train the networks of a dataset and look at every unit of them.")
    parser.add_argument("examples", type=Path, help="the dataset as the workflow prepares it: .../examples.npz")
    parser.add_argument("--dataset", default="mnist", help="its name in config/config.yaml")
    parser.add_argument("--device", choices=["auto", "cpu", "gpu"], default="auto")
    parser.add_argument("--share", type=float, default=1.0, help="of the examples; nothing is written unless it is 1")
    parser.add_argument(
        "--fine-tune", nargs="*", default=["dbn"], help="models that are fine-tuned, too; by default dbn"
    )
    arguments = parser.parse_args()
    xp = choose_device(arguments.device)
    study = Study(arguments.examples, arguments.dataset, arguments.share, arguments.fine_tune, xp)
    study.run()
    about = machine(xp, threads=None)
    print(table(study.rows))
    if arguments.share == 1:
        name = "networks_cpu" if xp is np else "networks_gpu"
        write_json(RESULTS / f"{name}.json", {"machine": about, "dataset": arguments.dataset, "rows": study.rows})
        write_text(RESULTS / f"{name}.md", f"{about['processor']}, device {about['device']}.\n\n{table(study.rows)}")


if __name__ == "__main__":
    main()
