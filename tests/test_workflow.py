"""The workflow: what a dry run promises, what an edit makes again, and a whole run of a tiny configuration."""

import csv
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import yaml
from PIL import Image
from tolerances import assert_single

from deepunits.backend import choose_device
from deepunits.data import silhouettes
from deepunits.errors import UserError
from deepunits.paper.claims import comparison, remarks, section4, section5, section6, techniques

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "environment.yml", "config", "profiles", "scripts", "src", "workflow")
MODELS = {
    "mnist": ("dbn", "sdae"),
    "natural_images": ("dbn", "sdae"),
    "silhouettes": ("sdae",),
    "mnist_rot": ("sdae",),
}
PAIRED = [dataset for dataset, models in MODELS.items() if models == ("dbn", "sdae")]
SHOWN = {"mnist": 36, "natural_images": 144, "silhouettes": 144, "mnist_rot": 11}


def layers(dataset):
    return {f"layer{k}": {"units": SHOWN[dataset] + 1 + 4 * k, "examples": 1100} for k in (1, 2, 3)}


TINY = {
    # No source but a folder of Silhouettes: what comes with scikit-learn and scikit-image stands in for the rest.
    "data": {"directory": "data", "sources": ["directory"], "substitutes": "allow"},
    "device": "cpu",
    "datasets": {"mnist": {"deformation": {"fields": 5}}, "natural_images": {"patches": 1300}},
    "models": {dataset: {model: layers(dataset) for model in models} for dataset, models in MODELS.items()},
    "units": {
        dataset: {"shown": SHOWN[dataset], "activation_maximization": {"max_steps": 5 if dataset != "mnist" else 30}}
        for dataset in MODELS
    },
}
for dataset in ("mnist", "natural_images"):
    TINY["units"][dataset] |= {
        "sampling": {"steps": 30, "every": 5, "chains": 3, "kept": 11},
        "linear_combination": {"kept": 7},
    }
for dataset in MODELS:
    TINY["units"][dataset]["invariance"] = {"epsilons": 5, "max_steps": 3, "variants": {"regularizations": [10.0]}}
TINY["units"]["mnist"]["invariance"]["trials"] = 2
EPOCHS = {"epochs": 2, "epoch_examples": 110, "batch": 10}
TINY["classifiers"] = {
    dataset: {start: dict(EPOCHS) for start in (*MODELS.get(dataset, ()), "random")}
    for dataset in ("mnist", "mnist_originals", "silhouettes", "mnist_rot")
}
TINY["classifiers"]["mnist_originals"]["random"]["refit"] = 1
TINY["classifiers"]["mnist_rot"]["smooth"] = TINY["classifiers"]["mnist_rot"].pop("sdae") | {"from": "sdae"}
TINY["supplement"] = {
    "units": 3,
    "searches": {"distances": 4, "max_steps": 3, "random": 2},
    "transformations": {"units": 5, "amounts": 1, "global_rate": 0.1, "strongest": 2},
    "preconditioned": {"restarts": 4, "max_steps": 3},
}
# Live units, to be like Gabors or not, and to compare models by.
TINY["models"]["natural_images"]["sdae"]["layer1"]["initial_weights"] = 1.0
TINY["models"]["mnist"]["sdae"]["layer1"] |= {"initial_weights": 1.0, "learning_rate": 0.03, "weight_decay": 0.0}
TINY["models"]["mnist"]["dbn"]["layer1"]["initial_weights"] = 1.0
GRIDS = {
    "mnist": {"sdae": {"units": [11, 13], "learning_rate": [0.1], "fine_tuning_rate": [0.2, 0.5]}},
    "natural_images": {"dbn": {"weight_decay": [1.0e-5, 0.0], "learning_rate": [0.1]}},
}
TINY["selection"] = {dataset: {"examples": 1100, **grid} for dataset, grid in GRIDS.items()}
TINY["selection"]["mnist"]["epochs"] = 2


class Run:
    """A copy of the repository in which Snakemake runs a tiny configuration, or a copy of such a copy."""

    def __init__(self, folder, copy_of=None):
        self.folder = folder
        self.results = folder / "results"
        self.python = sys.executable
        if copy_of:
            shutil.copytree(copy_of, folder)
            return
        folder.mkdir(exist_ok=True)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / part)
        (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
        self.leave_out_models()
        self.make_silhouettes()

    def leave_out_models(self):
        """Take out of the configuration what need not be there; another one laid over it could only add."""
        path = self.folder / "config" / "config.yaml"
        config = yaml.safe_load(path.read_text())
        config["models"] = {
            dataset: {model: config["models"][dataset][model] for model in models} for dataset, models in MODELS.items()
        }
        for dataset, starts in TINY["classifiers"].items():
            configured = config["classifiers"][dataset]
            config["classifiers"][dataset] = {key: configured[key] for key in ("each", *starts) if key in configured}
        config["classifiers"]["mnist_rot"]["smooth"]["from"] = "sdae"
        config["selection"] = TINY["selection"]
        path.write_text(yaml.safe_dump(config))

    def make_silhouettes(self):
        """Make a file of rectangles, and have the copy of the library know it in place of Marlin's."""
        rng, arrays = np.random.default_rng(0), {}
        for split, count in (("train", 4100), ("val", 2264), ("test", 2307)):
            top, left = rng.integers(2, 12, (2, count, 1, 1))
            y, x = np.mgrid[:28, :28]
            objects = (y >= top) & (y < top + 11) & (x >= left) & (x < left + 7)
            arrays[f"{split}_data"] = (~objects).reshape(count, -1).astype(np.uint8)
            arrays[f"{split}_labels"] = rng.integers(1, 102, (count, 1)).astype(np.uint8)
        path = self.folder / "data" / silhouettes.FILE
        path.parent.mkdir()
        scipy.io.savemat(path, arrays, do_compression=True)
        library = self.folder / "src" / "deepunits" / "data" / "silhouettes.py"
        digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        library.write_text(library.read_text().replace(silhouettes.RELEASE.files[0].digest, digest))

    def snakemake(self, *arguments, config=None):
        """Run Snakemake with `arguments`, and `config` laid over the tiny configuration."""
        (self.folder / "changes.yaml").write_text(yaml.safe_dump(config or {}))
        command = [self.python, "-m", "snakemake", *arguments, "--configfile", "tiny.yaml", "changes.yaml"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("DEEPUNITS_")}
        environment["PYTHONPATH"] = str(self.folder / "src")
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,  # of a whole run on a busy machine
        )

    def planned(self, *targets, config=None):
        """Return what a dry run would do, a set of the jobs' messages."""
        done = self.snakemake("--dry-run", *targets, config=config)
        assert done.returncode == 0, done.stdout
        return jobs(done.stdout)

    def made(self, *targets):
        """Run for real; return what was done."""
        done = self.snakemake("--cores", "2", *targets)
        assert done.returncode == 0, done.stdout
        return jobs(done.stdout)

    def states(self):
        """Return the time and the contents of every result but logs and benchmarks."""
        files = [path for path in self.results.rglob("*") if path.is_file()]
        kept = [path for path in files if path.relative_to(self.results).parts[0] not in ("logs", "benchmarks")]
        return {
            path.relative_to(self.results).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in kept
        }


def jobs(output):
    """Return the messages of the jobs in Snakemake's output."""
    return set(re.findall(r"^Job \d+: (.*)$", output, re.MULTILINE)) - {"All is made"}


def named(template, dataset, *models):
    """Return messages about all three layers of models such as "dbn", or about single layers such as "dbn2"."""
    layers = [name for model in models for name in ([model] if model[-1] in "123" else [f"{model}{k}" for k in "123"])]
    return {template.format(layer=name[-1], stack=f"{dataset} {name[:-1]}") for name in layers}


def training(*models, dataset="mnist"):
    return named("Train layer {layer} of the {stack}", dataset, *models)


def maxima(*models, dataset="mnist"):
    return named("Maximise activations in layer {layer} of the {stack}", dataset, *models)


def manifolds(*models, dataset="mnist"):
    """Return what traces manifolds, and what follows from it."""
    traced = named("Trace manifolds in layer {layer} of the {stack}", dataset, *models)
    if any(model.startswith("sdae") for model in models):
        traced |= variants(dataset) | (transformed(*models) if dataset == "mnist" else set())
    return traced | (COMPARISON if dataset in PAIRED else set())


def transformed(*models):
    """Return what transforms optima of layers of the SDAE that the supplement studies, and what follows from it."""
    layers = named(
        "Transform optima and examples of layer {layer} of the {stack}",
        "mnist",
        *(model for model in models if model.startswith("sdae")),
    )
    return layers | TABULATED_TRANSFORMATIONS | CLAIMS


def without_explorer(messages):
    """Return jobs' messages less those of the explorer, which follow whatever is known of a unit."""
    return messages - {"Make the explorer"}


def variants(dataset="mnist"):
    return {f"Trace manifolds of the {dataset} sdae by other searches"} | INVARIANCE


def fine_tuned(*models, dataset="mnist"):
    """Return what looks at the layers of models after fine-tuning, and what follows from it."""
    found = named("Maximise activations in layer {layer} of the fine-tuned {stack}", dataset, *models)
    return found | fine_tuned_manifolds(*(model for model in models if model.startswith("sdae")), dataset=dataset)


def fine_tuned_manifolds(*models, dataset="mnist"):
    return named("Trace manifolds in layer {layer} of the fine-tuned {stack}", dataset, *models) | CLAIMS


def combination(dataset="mnist"):
    return named("Combine filters for layer {layer} of the {stack}", dataset, "dbn2", "dbn3")


def sampling(dataset="mnist"):
    return {f"Sample from clamped units in layer 2 of the {dataset} dbn"}


def tuning(*starts, dataset="mnist"):
    return {f"Fine-tune the {dataset} {start} classifier" for start in starts}


def figures(*numbers):
    """Return the jobs that draw figures, such as 1 or "7 normalised", with the record that ends each full run."""
    return {f"Draw Figure {n}" for n in numbers} | {"Record the run"}


def all_of(jobs_of):
    """Return the union of what `jobs_of` gives for the models of each dataset."""
    return set().union(*(jobs_of(*models, dataset=dataset) for dataset, models in MODELS.items()))


DATASETS = (*MODELS, "mnist_originals")
DATA = {f"Fetch and verify {dataset}" for dataset in DATASETS}
DRAWN = {  # by the seed, and what follows
    f"{job} {dataset}"
    for job in ("Fetch and verify", "Estimate the statistics of")
    for dataset in ("natural_images", "mnist_rot")
}
STATISTICS = {f"Estimate the statistics of {dataset}" for dataset in DATASETS}
SCORECARD = {"Make the scorecard"}
CLAIMS = {"Measure the claims"} | SCORECARD
RECORD = {"Record the run"}
EXPLORER = {"Make the explorer"} | RECORD
UNITS, ERRORS = {"Tabulate the units"}, {"Tabulate the errors"}
INVARIANCE = {"Tabulate the invariance of the layers"} | CLAIMS | figures(7, "7 normalised")
COMPARISON = {"Compare the models by their invariance"} | figures("7 of DBNs")
ROTATIONS = {"Tabulate how far rotation explains the manifolds"} | RECORD
TRACED_OUTPUT = {"Trace manifolds of the output units of the mnist_rot smooth"} | ROTATIONS | CLAIMS | figures(6)
DRAWN_PRECONDITIONED = {"Draw the maxima with a preconditioned gradient"} | RECORD
OUTPUT = {"Maximise activations of the output units of the mnist_rot smooth"} | TRACED_OUTPUT | DRAWN_PRECONDITIONED
PRECONDITIONED = {
    "Maximise preconditioned activations of the output units of the mnist_rot smooth"
} | DRAWN_PRECONDITIONED
REMARKS = {"Tabulate the remarks"} | SCORECARD | RECORD
CURVATURES = {"Measure curvatures in layer 2 of the mnist sdae", "Draw the directions of the Hessian"} | REMARKS
SEARCHES = {
    *("Compare searches in layer 2 of the mnist sdae", "Draw the lowest activations", "Draw what whitening changes")
} | REMARKS
TABULATED_TRANSFORMATIONS = {"Tabulate the transformations", "Draw the transformations"} | RECORD
TRANSFORMATIONS = transformed("sdae")
STUDIES = CURVATURES | SEARCHES
OF_KNOWN_UNITS = {
    *("Trace the manifolds of units whose truth is known", "Draw units whose truth is known"),
    "Tabulate the units whose truth is known",
}
KNOWN_UNITS = OF_KNOWN_UNITS | REMARKS
SUPPLEMENT = STUDIES | PRECONDITIONED | TRANSFORMATIONS | KNOWN_UNITS
DRAWN_SUPPLEMENT = {job for job in SUPPLEMENT if job.startswith("Draw")} | RECORD
MANIFOLDS = all_of(manifolds) | TRACED_OUTPUT
TUNING = (
    tuning("dbn", "sdae", "random")
    | tuning("random", dataset="mnist_originals")
    | tuning("sdae", "random", dataset="silhouettes")
    | tuning("smooth", "random", dataset="mnist_rot")
)
FINE_TUNED = fine_tuned("dbn", "sdae") | fine_tuned("sdae", dataset="silhouettes")
TRACED_FINE_TUNED = fine_tuned_manifolds("sdae") | fine_tuned_manifolds("sdae", dataset="silhouettes")
COMPARED = ("mnist", "natural_images")
SAMPLING = set().union(*map(sampling, COMPARED))
COMBINATION = set().union(*map(combination, COMPARED))
AFTER_TRAINING = all_of(maxima) | COMBINATION | SAMPLING | UNITS | MANIFOLDS | OUTPUT | SUPPLEMENT
AFTER_TRAINING |= FINE_TUNED | figures(1, 2, 3, 4) | EXPLORER
FROM_DATA = DATA | STATISTICS | all_of(training) | TUNING | ERRORS | AFTER_TRAINING
EVERYTHING = FROM_DATA | figures(5)
SELECTION = (
    {
        f"Try fine_tuning_rate~{rate}_learning_rate~0.1_units~{units} for the mnist sdae"
        for units in (11, 13)
        for rate in (0.2, 0.5)
    }
    | {f"Try learning_rate~0.1_weight_decay~{decay} for the natural_images dbn" for decay in ("0.0", "1e-05")}
    | {"Select the hyperparameters"}
)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A repository in which nothing has been run."""
    return Run(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, worker_id):
    """A repository in which everything has been run: once for all processes of the tests, each of which has a copy."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    with open(shared / "run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "run").exists():
            run = Run(own / "made")
            assert run.made() == EVERYTHING
            run.folder.rename(shared / "run")
    return Run(own / "finished", copy_of=shared / "run")


# A dry run


def test_a_dry_run_plans_everything_without_data(fresh):
    assert fresh.planned() == EVERYTHING
    assert not fresh.results.exists()


def test_a_figure_takes_what_it_needs_and_no_more(fresh):
    prepared = {f"Fetch and verify {dataset}" for dataset in COMPARED}
    trained = training("dbn1", "dbn2") | training("dbn1", "dbn2", dataset="natural_images")
    assert fresh.planned("figure3") == prepared | trained | SAMPLING | {"Draw Figure 3"}


def test_a_report_starts_no_other_job(fresh):
    assert fresh.planned("write_report", "--forcerun", "write_report") == {"Write the report"}


def test_jobs_are_chosen_when_one_has_ended_and_not_every_second(tmp_path):
    """As Snakemake does, more often the more jobs have run, where it limits how many it submits in a second."""
    run = Run(tmp_path / "repository")
    targets = [f"results/datasets/{dataset}/examples.npz" for dataset in ("mnist", "natural_images", "silhouettes")]
    done = run.snakemake(*targets, "figure5", "--cores", "1", "--verbose")
    assert done.returncode == 0, done.stdout
    assert 1 <= done.stdout.count("Ready jobs") <= 4  # which are run one after the other


def test_the_snakefile_imports_nothing_heavy(fresh, tmp_path):
    for package in ("deepunits", "matplotlib", "cupy", "scipy", "skimage", "sklearn", "pooch"):
        (fresh.folder / "src" / "poison").mkdir(exist_ok=True)
        (fresh.folder / "src" / "poison" / f"{package}.py").write_text("raise SystemExit('imported')")
    environment = os.environ | {"PYTHONPATH": str(fresh.folder / "src" / "poison")}
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(fresh.folder / "Snakefile")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    shutil.rmtree(fresh.folder / "src" / "poison")
    assert done.returncode == 0, done.stderr


def test_the_linter_is_content(fresh):
    done = fresh.snakemake("--lint")
    assert done.returncode == 0, done.stdout


def test_the_snakefile_is_short():
    assert len((ROOT / "Snakefile").read_text(encoding="utf-8").splitlines()) < 60


# What cannot be meant


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"sed": 3}, "error: config key sed is unknown; did you mean seed? ("),
        (
            {"models": {"mnist": {"dbn": {"layer1": {"learning_rate": -0.1}}}}},
            "error: config key models.mnist.dbn.layer1.learning_rate is -0.1; it must be greater than 0 (",
        ),
        ({"data": {"directory": "nowhere"}}, "error: config key data.directory names "),
    ],
)
def test_a_bad_configuration_is_one_sentence(fresh, config, sentence):
    done = fresh.snakemake("--dry-run", config=config)
    assert done.returncode == 1
    [error] = [line for line in done.stdout.splitlines() if "error" in line.lower()]
    assert error.startswith(sentence)
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    "file",
    [
        "models/mnist/dbn/layer4.npz",
        "units/mnist/dbn/layer4/activation_maximization.npz",
        "units/mnist/dbn/layer4/invariance.npz",
    ],
)
def test_a_layer_that_is_not_there_is_one_sentence(fresh, file):
    done = fresh.snakemake("--dry-run", f"results/{file}")
    assert done.returncode == 1
    assert "\nerror: layer 4 was asked for, but models.mnist.dbn has layers 1 to 3; " in done.stdout
    assert "Traceback" not in done.stdout


def test_output_units_without_settings_are_one_sentence(fresh):
    done = fresh.snakemake("--dry-run", "results/units/mnist/sdae/output/invariance.npz")
    assert done.returncode == 1
    assert re.search(
        r"^error: config key units\.mnist\.\w+\.output is missing, but a file that", done.stdout, re.MULTILINE
    )
    assert "Traceback" not in done.stdout


def test_a_gpu_that_is_not_there_is_one_sentence_and_costs_no_result(finished):
    try:
        choose_device("gpu")
    except UserError as reason:
        sentence = f"error: {reason}\n"
    else:
        pytest.skip("a GPU can be used here")
    before = finished.states()
    done = finished.snakemake("--cores", "2", config={"device": "gpu"})
    assert done.returncode == 1
    assert sentence in done.stdout
    assert finished.states() == before
    assert finished.planned() == set()


# What is made again


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.planned() == set()


def test_touching_the_library_makes_nothing_again(finished):
    for path in (finished.folder / "src").rglob("*.py"):
        path.touch()
    assert finished.planned() == set()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"seed": 7}, FROM_DATA - DATA - STATISTICS | DRAWN),
        ({"data": {"substitutes": "forbid"}}, FROM_DATA),
        (
            {"datasets": {"mnist": {"deformation": {"displacement": 2.5}}}},
            training("dbn", "sdae")
            | maxima("dbn", "sdae")
            | combination()
            | sampling()
            | manifolds("dbn", "sdae")
            | tuning("dbn", "sdae", "random")
            | fine_tuned("dbn", "sdae")
            | (STUDIES | UNITS | ERRORS | CLAIMS | figures(1, 3, 4)),
        ),
        (
            {"datasets": {"mnist": {"regularization": 0.5}}},
            {"Estimate the statistics of mnist"}
            | maxima("dbn", "sdae")
            | manifolds("dbn", "sdae")
            | fine_tuned("dbn", "sdae")
            | (STUDIES | figures(1, 4)),
        ),
        (
            {"models": {"mnist": {"dbn": {"layer2": {"learning_rate": 0.07}}}}},
            training("dbn2", "dbn3")
            | maxima("dbn2", "dbn3")
            | combination()
            | sampling()
            | manifolds("dbn2", "dbn3")
            | tuning("dbn")
            | fine_tuned("dbn")
            | (UNITS | ERRORS | CLAIMS | figures(1, 3, 4)),
        ),
        (
            {"models": {"mnist": {"sdae": {"layer3": {"corrupted": 0.3}}}}},
            training("sdae3")
            | maxima("sdae3")
            | manifolds("sdae3")
            | tuning("sdae")
            | fine_tuned("sdae")
            | (UNITS | ERRORS | figures(1)),
        ),
        (
            {"models": {"silhouettes": {"sdae": {"layer3": {"corrupted": 0.3}}}}},
            training("sdae3", dataset="silhouettes")
            | maxima("sdae3", dataset="silhouettes")
            | manifolds("sdae3", dataset="silhouettes")
            | tuning("sdae", dataset="silhouettes")
            | fine_tuned("sdae", dataset="silhouettes")
            | (UNITS | ERRORS | CLAIMS | figures(2)),
        ),
        (
            {"datasets": {"natural_images": {"clip": 3.0}}},
            {"Fetch and verify natural_images", "Estimate the statistics of natural_images"}
            | training("dbn", "sdae", dataset="natural_images")
            | maxima("dbn", "sdae", dataset="natural_images")
            | manifolds("dbn", "sdae", dataset="natural_images")
            | combination("natural_images")
            | sampling("natural_images")
            | (UNITS | CLAIMS | KNOWN_UNITS | figures(2, 3, 4)),
        ),
        (
            {"classifiers": {"mnist_originals": {"random": {"epochs": 4}}}},
            tuning("random", dataset="mnist_originals") | ERRORS | RECORD,
        ),
        (
            {"classifiers": {"mnist_rot": {"smooth": {"batch": 7}}}},
            tuning("smooth", dataset="mnist_rot") | ERRORS | OUTPUT | PRECONDITIONED,
        ),
        (
            {"units": {"mnist": {"activation_maximization": {"learning_rate": {"layer3": 0.5}}}}},
            maxima("dbn3", "sdae3") | manifolds("dbn3", "sdae3") | fine_tuned("dbn3", "sdae3") | figures(1),
        ),
        ({"units": {"mnist": {"sampling": {"steps": 40}}}}, sampling() | CLAIMS | figures(3, 4)),
        (
            {"units": {"natural_images": {"sampling": {"steps": 40}}}},
            sampling("natural_images") | CLAIMS | figures(3, 4),
        ),
        ({"units": {"mnist": {"linear_combination": {"kept": 3}}}}, combination() | CLAIMS | figures(4)),
        (
            {"units": {"mnist": {"shown": 37}}},
            maxima("dbn", "sdae")
            | combination()
            | sampling()
            | manifolds("dbn", "sdae")
            | fine_tuned("dbn", "sdae")
            | (STUDIES | figures(1, 3, 4)),
        ),
        (
            {"units": {"mnist": {"invariance": {"max_steps": 4}}}},
            manifolds("dbn", "sdae") | fine_tuned_manifolds("sdae"),
        ),
        ({"units": {"silhouettes": {"invariance": {"variants": {"steps": []}}}}}, variants("silhouettes")),
        ({"units": {"mnist_rot": {"activation_maximization": {"output": {"learning_rate": 0.4}}}}}, OUTPUT),
        ({"units": {"mnist_rot": {"invariance": {"output": {"trials": 5}}}}}, TRACED_OUTPUT),
        ({"supplement": {"units": 4}}, STUDIES),
        ({"supplement": {"searches": {"random": 3}}}, SEARCHES),
        ({"supplement": {"transformations": {"amounts": 2}}}, TRANSFORMATIONS),
        ({"supplement": {"transformations": {"top": 0.5}}}, TABULATED_TRANSFORMATIONS),
        ({"supplement": {"preconditioned": {"max_steps": 4}}}, PRECONDITIONED),
        ({"selection": {"mnist": {"epochs": 3}}}, RECORD),
    ],
)
def test_an_edited_setting_makes_again_what_it_touches(finished, config, expected):
    assert without_explorer(finished.planned(config=config)) == without_explorer(expected)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("paper/figures/figure2.py", figures(2)),
        ("paper/figures/figure3.py", figures(3)),
        ("paper/figures/figure5.py", figures(5)),
        ("paper/figures/figure7.py", figures(7, "7 normalised", "7 of DBNs") | {"Draw the transformations"}),
        ("paper/figures/walks.py", DRAWN_SUPPLEMENT - DRAWN_PRECONDITIONED - OF_KNOWN_UNITS | RECORD),
        ("paper/tables/comparison.py", INVARIANCE | COMPARISON),
        ("paper/tables/rotations.py", ROTATIONS),
        ("paper/tables/transformations.py", TABULATED_TRANSFORMATIONS),
        ("paper/claims/claim.py", CLAIMS | REMARKS),
        ("paper/claims/section4.py", CLAIMS | RECORD),
        ("paper/claims/remarks.py", REMARKS),
        ("paper/statistics.py", CLAIMS | ERRORS | REMARKS | TABULATED_TRANSFORMATIONS),
        ("drawing/sheet.py", figures(1, 2, 3, 4, 5, 6, 7, "7 normalised", "7 of DBNs") | DRAWN_SUPPLEMENT),
        ("gabor.py", UNITS | CLAIMS | RECORD),
        ("visualize/sampling.py", SAMPLING | CLAIMS | figures(3, 4)),
        ("visualize/linear_combination.py", COMBINATION | CLAIMS | figures(4)),
        (
            "invariance/whitening.py",
            STATISTICS | all_of(maxima) | UNITS | MANIFOLDS | OUTPUT | SUPPLEMENT | FINE_TUNED | figures(1, 2, 4),
        ),
        ("invariance/manifold.py", MANIFOLDS | TRACED_FINE_TUNED | SEARCHES | KNOWN_UNITS | figures(5)),
        ("invariance/projection.py", MANIFOLDS | TRACED_FINE_TUNED | STUDIES | KNOWN_UNITS | figures(5)),
        ("invariance/transformations.py", TRANSFORMATIONS),
        ("invariance/firing.py", TRANSFORMATIONS),
        ("models/classifier.py", TUNING | ERRORS | OUTPUT | PRECONDITIONED | FINE_TUNED),
        ("models/rbm.py", FROM_DATA - DATA - STATISTICS - OF_KNOWN_UNITS),
        ("data/sources.py", FROM_DATA),
        ("selection.py", set()),
    ],
)
def test_an_edited_module_makes_again_the_stages_that_import_it(finished, module, expected):
    path = finished.folder / "src" / "deepunits" / module
    source, times = path.read_bytes(), path.stat()
    try:
        path.write_bytes(source + b"# edited\n")
        assert without_explorer(finished.planned()) == without_explorer(expected)
    finally:
        path.write_bytes(source)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_deleted_result_makes_again_what_follows_from_it(finished):
    before = finished.states()
    (finished.results / "units/mnist/dbn/layer2/sampling.npz").unlink()
    assert finished.made() == sampling() | CLAIMS | EXPLORER | figures(3, 4)
    after = finished.states()
    assert {name: content for name, (_, content) in after.items() if name != "run.json"} == {
        name: content for name, (_, content) in before.items() if name != "run.json"
    }
    again = {name for name in before if after[name][0] != before[name][0]}
    drawn = {f"figures/figure{n}.{kind}" for n in (3, 4) for kind in ("pdf", "png", "svg", "npz")}
    scored = {"claims.csv", "scorecard.csv", "scorecard.md"}
    laid_out = {name for name in before if name.startswith("explorer/")}
    assert again == {"units/mnist/dbn/layer2/sampling.npz", "run.json"} | scored | drawn | laid_out
    assert finished.planned() == set()


def test_the_search_tries_every_point_and_chooses_the_best(finished):
    assert finished.planned("select") == SELECTION
    assert finished.made("select") == SELECTION
    rows = table(finished, "selection/selection.csv")
    assert len(rows) == 6
    chosen = {}
    for dataset in GRIDS:
        tried = [row for row in rows if row["dataset"] == dataset]
        [chosen[dataset]] = [row for row in tried if row["chosen"] == "True"]
        assert float(chosen[dataset]["score"]) == min(float(row["score"]) for row in tried)
    winners = yaml.safe_load((finished.results / "selection/winners.yaml").read_text())
    layer = {"units": int(chosen["mnist"]["units"]), "learning_rate": 0.1}
    assert winners["models"]["mnist"] == {"sdae": {"layer1": layer, "layer2": layer, "layer3": layer}}
    assert winners["classifiers"] == {"mnist": {"sdae": {"learning_rate": float(chosen["mnist"]["fine_tuning_rate"])}}}
    decay = float(chosen["natural_images"]["weight_decay"])
    assert winners["models"]["natural_images"] == {"dbn": {"layer1": {"learning_rate": 0.1, "weight_decay": decay}}}


def test_a_job_that_fails_leaves_the_earlier_results(finished, tmp_path):
    run = Run(tmp_path / "run", copy_of=finished.folder)  # for what failed is made again
    before = {name: content for name, (_, content) in run.states().items()}
    done = run.snakemake("--cores", "2", "figure1", config={"data": {"substitutes": "forbid"}})
    assert done.returncode == 1
    assert re.search(r"^error: the files of mnist cannot be had .* data\.directory", done.stdout, re.MULTILINE)
    assert "Traceback" not in done.stdout
    assert {name: content for name, (_, content) in run.states().items()} == before


# The results of a whole run


def arrays(run, name):
    with np.load(run.results / name, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def table(run, name):
    with open(run.results / name, newline="") as file:
        return list(csv.DictReader(file))


def activation(run, dataset, model, depth, x):
    """Return the activations of a layer at the inputs x, in float64, from the stored weights."""
    for k in range(1, depth + 1):
        stored = arrays(run, f"models/{dataset}/{model}/layer{k}.npz")
        a = x @ stored["weights"].astype(float).T + stored["hidden_bias"]
        x = 1 / (1 + np.exp(-a))
    return a


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize(("dataset", "model"), [(d, model) for d, models in MODELS.items() for model in models])
def test_stored_maxima_have_the_stored_activations_and_norm(finished, dataset, model, depth):
    stored = arrays(finished, f"units/{dataset}/{model}/layer{depth}/activation_maximization.npz")
    assert stored["inputs"].shape == (SHOWN[dataset], 9, 144 if dataset == "natural_images" else 784)
    np.testing.assert_array_equal(stored["units"], np.arange(SHOWN[dataset]))
    images = arrays(finished, f"datasets/{dataset}/examples.npz")["train_images"]
    images = images / 255.0 if images.dtype == np.uint8 else images.astype(float)
    rho = np.sqrt((images**2).sum(axis=1)).mean()
    np.testing.assert_allclose(stored["norm"], rho, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(stored["inputs"].astype(float), axis=2), rho, rtol=1e-5)
    for row, unit in enumerate(stored["units"]):
        x = stored["inputs"][row].astype(float)
        expected = activation(finished, dataset, model, depth, x)[:, unit]
        np.testing.assert_allclose(stored["activations"][row], expected, rtol=1e-4, atol=1e-4)


def check_manifolds(stored, best, activation_of):
    """Check that manifolds start at the best maxima, are feasible, and have the activations stored for them."""
    assert {"units", "epsilons", "activations", "optimum", "norm", "shown_units", "inputs"} <= set(stored)
    shown, norm, epsilons = stored["shown_units"], stored["norm"], stored["epsilons"]
    np.testing.assert_array_equal(stored["units"], np.arange(len(stored["units"])))
    assert_single(stored["activations"][: len(best), :, 0].T, [best] * stored["activations"].shape[1])
    x, optimum = stored["inputs"].astype(float), stored["optimum"].astype(float)
    np.testing.assert_allclose(np.linalg.norm(optimum, axis=1), norm, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(x, axis=3), norm, rtol=1e-5)
    distances = np.linalg.norm(x - optimum[shown, None, None], axis=3) / norm
    np.testing.assert_allclose(distances, np.broadcast_to(epsilons, distances.shape), atol=1e-5)
    for row, unit in enumerate(shown):
        expected = activation_of(x[row].reshape(-1, x.shape[3]))[:, unit].reshape(x.shape[1:3])
        np.testing.assert_allclose(stored["activations"][unit], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize(("dataset", "model"), [(d, model) for d, models in MODELS.items() for model in models])
def test_stored_manifolds_are_feasible_and_have_the_stored_activations(finished, dataset, model, depth):
    stored = arrays(finished, f"units/{dataset}/{model}/layer{depth}/invariance.npz")
    maxima = arrays(finished, f"units/{dataset}/{model}/layer{depth}/activation_maximization.npz")
    assert stored["activations"].shape == (SHOWN[dataset] + 1 + 4 * depth, 2 if dataset == "mnist" else 1, 5)
    np.testing.assert_array_equal(stored["epsilons"], [0, 0.5, 1, 1.5, 2])
    np.testing.assert_array_equal(stored["shown_units"], maxima["units"])
    best = maxima["activations"].max(axis=1)
    check_manifolds(stored, best, lambda x: activation(finished, dataset, model, depth, x))
    if depth == 1:  # linear units: the best point at each distance is known, and the worst that a search can end at
        layer = arrays(finished, f"models/{dataset}/{model}/layer1.npz")
        w, x, epsilons = layer["weights"].astype(float), stored["optimum"].astype(float), stored["epsilons"]
        along = (w * x).sum(axis=1)[:, None]
        across = np.sqrt((w**2).sum(axis=1)[:, None] * stored["norm"] ** 2 - along**2)
        least = layer["hidden_bias"][:, None] + along * (1 - epsilons**2 / 2)
        found, slack = stored["activations"].max(axis=1), 1e-5 * abs(least).max()  # the rounding of single precision
        assert (found >= least - slack).all()
        assert (found <= least + across * epsilons * np.sqrt(1 - epsilons**2 / 4) + slack).all()


def test_stored_manifolds_of_output_units_are_those_of_the_classifier(finished):
    stored = arrays(finished, "units/mnist_rot/smooth/output/invariance.npz")
    maxima = arrays(finished, "units/mnist_rot/smooth/output/activation_maximization.npz")
    network = arrays(finished, "models/mnist_rot/smooth/classifier.npz")

    def outputs(x):
        for layer in ("1", "2", "3"):
            x = 1 / (1 + np.exp(-(x @ network[f"weights_{layer}"].astype(float).T + network[f"bias_{layer}"])))
        return x @ network["weights_out"].astype(float).T + network["bias_out"]

    assert maxima["inputs"].shape == (10, 9, 784) and stored["inputs"].shape == (10, 4, 5, 784)
    check_manifolds(stored, maxima["activations"].max(axis=1), outputs)
    rows = table(finished, "tables/rotations.csv")
    assert len(rows) == 2 * 4 * 5
    for row in rows:
        place = int(row["label"]), int(row["trial"]), stored["epsilons"].tolist().index(float(row["epsilon"]))
        assert float(row["activation"]) == pytest.approx(stored["activations"][place], rel=1e-4, abs=1e-4)
    assert {float(row["correlation"]) for row in rows if float(row["epsilon"]) == 0} == {1}


@pytest.mark.parametrize("dataset", MODELS)
def test_the_table_of_invariance_has_the_areas_of_live_units(finished, dataset):
    rows = [row for row in table(finished, "tables/invariance.csv") if row["dataset"] == dataset]
    assert len(rows) == 3 * 4 * 4  # layers, curves and measures, searches
    searches = list(dict.fromkeys((row["search"], row["units"] == str(SHOWN[dataset])) for row in rows))
    other = "whitened, regularization x 10"
    assert searches == [("whitened", False), ("whitened", True), ("plain", True), (other, True)]
    drawn = arrays(finished, "figures/figure7.npz")
    for layer, row in enumerate(
        (row for row in rows[:12] if row["curve"] + row["measure"] == "log_sigmoidarea"), start=1
    ):
        stored = arrays(finished, f"units/{dataset}/sdae/layer{layer}/invariance.npz")
        history = table(finished, f"models/{dataset}/sdae/layer{layer}_history.csv")
        dead = int(history[-1]["dead_units"])
        assert (int(row["units"]), int(row["dead"])) == (len(stored["units"]), dead)
        assert drawn[f"{dataset}_layer{layer}_dead"] == dead
        if dead:  # which ones is not stored
            continue
        curves = -np.logaddexp(0, -stored["activations"].max(axis=1).astype(float))
        assert float(row["mean"]) == pytest.approx(np.trapezoid(curves, stored["epsilons"], axis=1).mean(), rel=1e-4)
        assert float(row["low"]) <= float(row["mean"]) <= float(row["high"])
        np.testing.assert_allclose(drawn[f"{dataset}_layer{layer}_mean"], curves.mean(axis=0))


@pytest.mark.parametrize("dataset", PAIRED)
def test_the_table_of_models_has_the_areas_of_both(finished, dataset):
    rows = [row for row in table(finished, "tables/invariance_models.csv") if row["dataset"] == dataset]
    assert [row["layer"] for row in rows] == 4 * ["1", "2", "3"]  # curves and measures
    layered = [row for row in table(finished, "tables/invariance.csv") if row["dataset"] == dataset][:12]
    drawn = arrays(finished, "figures/figure7_dbn.npz")
    for row, layer in zip(rows, layered, strict=True):  # whose first search is that of all units
        assert [row[name] for name in ("layer", "curve", "measure")] == [
            layer[name] for name in ("layer", "curve", "measure")
        ]
        assert int(row["sdae_live"]) + int(row["sdae_dead"]) == int(layer["units"])
        for name in ("dead", "converged", "mean", "low", "high"):
            assert row[f"sdae_{name}"] == layer[name]
        history = table(finished, f"models/{dataset}/dbn/layer{row['layer']}_history.csv")
        stored = arrays(finished, f"units/{dataset}/dbn/layer{row['layer']}/invariance.npz")
        live = len(stored["units"]) - int(history[-1]["dead_units"])
        assert int(row["dbn_live"]) == drawn[f"{dataset}_layer{row['layer']}_live"] == live
        assert bool(row["dbn_mean"]) == (live > 1)
        assert bool(row["difference"]) == bool(row["dbn_mean"] and row["sdae_mean"])
        if row["difference"]:
            expected = float(row["sdae_mean"]) - float(row["dbn_mean"])
            assert float(row["difference"]) == pytest.approx(expected, rel=1e-4, abs=1e-4)
            assert float(row["difference_low"]) <= float(row["difference"]) <= float(row["difference_high"])
            assert 0 <= float(row["superiority"]) <= 1
        if row["curve"] + row["measure"] == "log_sigmoidarea" and int(row["dbn_dead"]) == 0:
            curves = -np.logaddexp(0, -stored["activations"].max(axis=1).astype(float))
            area = np.trapezoid(curves, stored["epsilons"], axis=1).mean()
            assert float(row["dbn_mean"]) == pytest.approx(area, rel=1e-4)
            np.testing.assert_allclose(drawn[f"{dataset}_layer{row['layer']}_mean"], curves.mean(axis=0))
    if dataset == "mnist":  # whose first layers are live
        assert all(row["difference"] for row in rows if row["layer"] == "1")


def test_variants_are_of_the_units_shown_from_the_same_optima(finished):
    stored = arrays(finished, "units/mnist/sdae/invariance_variants.npz")
    assert stored["searches"].tolist() == ["plain", "whitened, regularization x 10"]
    for layer in (1, 2, 3):
        main = arrays(finished, f"units/mnist/sdae/layer{layer}/invariance.npz")
        found = stored[f"layer{layer}_activations"]
        assert found.shape == (2, 36, 2, 5)
        assert_single(found[:, :, :, 0], np.stack(2 * [main["activations"][:36, :, 0]]))
        assert (found[0] != found[1]).any()


def test_linear_combinations_follow_from_the_stored_weights(finished):
    w1, w2 = (arrays(finished, f"models/mnist/dbn/layer{k}.npz")["weights"] for k in (1, 2))
    stored = arrays(finished, "units/mnist/dbn/layer2/linear_combination.npz")
    for unit, filter_ in zip(stored["units"], stored["filters"], strict=True):
        strongest = np.argsort(np.abs(w2[unit]))[-7:]
        np.testing.assert_allclose(filter_, w2[unit, strongest] @ w1[strongest], rtol=1e-4, atol=1e-6)


def test_samples_of_patches_have_their_shape(finished):
    stored = arrays(finished, "units/natural_images/dbn/layer2/sampling.npz")
    assert stored["samples"].shape == (144, 11, 144)
    assert stored["samples"].min() < 0 < stored["samples"].max()


def test_samples_have_their_shape_and_range(finished):
    stored = arrays(finished, "units/mnist/dbn/layer2/sampling.npz")
    assert stored["samples"].shape == (36, 11, 784)
    assert stored["mean"].shape == (36, 784)
    assert 0 <= stored["samples"].min() < stored["samples"].max() <= 1


@pytest.mark.parametrize("name", ["mnist/random", "mnist_originals/random", "silhouettes/sdae"])
def test_stored_classifiers_have_the_stored_errors(finished, name):
    """Worked out anew from the weights, the examples and the softmax's largest output."""
    dataset, start = name.split("/")
    stored = arrays(finished, f"models/{name}/classifier.npz")
    data = arrays(finished, f"datasets/{dataset}/examples.npz")
    wrong = {}
    for split in ("valid", "test"):
        x = data[f"{split}_images"] / 255.0
        for layer in ("1", "2", "3"):
            x = 1 / (1 + np.exp(-(x @ stored[f"weights_{layer}"].T + stored[f"bias_{layer}"])))
        outputs = x @ stored["weights_out"].T + stored["bias_out"]
        wrong[split] = (outputs.argmax(axis=1) != data[f"{split}_labels"]).mean()
    assert stored["errors"].shape == (2, 2)
    settings, valid_errors = json.loads(str(stored["metadata"]))["settings"], stored["errors"][:, 1]
    if refit := dataset == "mnist_originals":  # the stored network has learnt from the validation examples, too
        counts = [len(data[f"{split}_images"]) for split in ("train", "valid")]
        epoch = settings["epoch_examples"]
        assert settings["examples"] == 2 * epoch + round(epoch * sum(counts) / counts[0])
    else:
        assert wrong["valid"] == pytest.approx(valid_errors.min(), abs=0.002)
    assert wrong["test"] == pytest.approx(stored["test_error"], abs=0.002)
    rows = [r for r in table(finished, "tables/errors.csv") if (r["dataset"], r["initialisation"]) == (dataset, start)]
    [row] = rows
    assert ("deformed" in row["training_data"]) == (dataset == "mnist")
    assert (" and then " in row["training_data"]) == refit
    assert float(row["test_error"]) == pytest.approx(100 * stored["test_error"], abs=0.005)
    assert bool(row["substitute"]) == (dataset != "silhouettes")


def test_maxima_of_outlines_are_whole_objects_parts_or_neither(finished):
    rows = {row["statement"]: row for row in table(finished, "claims.csv")}
    whole, parts, noise = (rows[name] for name in ("whole-objects", "parts", "not-noise"))
    assert f"{SHOWN['silhouettes']} units" in whole["where"]
    assert 0 <= float(whole["value"]) <= float(whole["value"]) + float(parts["value"]) <= 1
    maxima = arrays(finished, "units/silhouettes/sdae/layer3/activation_maximization.npz")
    best = maxima["inputs"][np.arange(len(maxima["units"])), maxima["activations"].argmax(axis=1)].reshape(-1, 28, 28)
    pixels = best - best.mean(axis=(1, 2), keepdims=True)
    adjacent = [(p[:, 1:] * p[:, :-1]).mean() / 2 / p.var() + (p[1:] * p[:-1]).mean() / 2 / p.var() for p in pixels]
    assert float(noise["value"]) == pytest.approx(np.median(adjacent), abs=1e-4)


def test_the_table_of_units_counts_the_dead_and_fits_the_live(finished):
    rows = table(finished, "tables/units.csv")
    assert len(rows) == 3 * sum(map(len, MODELS.values()))
    for row in rows:
        history = table(finished, f"models/{row['dataset']}/{row['model']}/layer{row['layer']}_history.csv")
        assert row["dead"] == history[-1]["dead_units"]
    [first] = [row for row in rows if (row["dataset"], row["model"], row["layer"]) == ("natural_images", "sdae", "1")]
    assert int(first["fitted"]) == int(first["units"]) - int(first["dead"]) > 0
    assert 0 <= float(first["gabor_median"]) < 0.7  # of weights that are still random


@pytest.mark.parametrize("search", ["whitened", "plain", "tangent", "lowest"])
def test_searches_end_where_they_may_with_the_stored_activations(finished, search):
    stored = arrays(finished, "units/mnist/sdae/layer2/searches.npz")
    x, optimum, rho = stored[f"{search}_inputs"].astype(float), stored["optimum"].astype(float), stored["norm"]
    assert x.shape == (3, 5, 784)
    np.testing.assert_allclose(np.linalg.norm(x, axis=2), rho, rtol=1e-5)
    distances = np.linalg.norm(x - optimum[:, None], axis=2) / rho
    np.testing.assert_allclose(distances, np.tile(stored["epsilons"], (3, 1)), atol=1e-5)
    for row, unit in enumerate(stored["units"]):
        expected = activation(finished, "mnist", "sdae", 2, x[row])[:, unit]
        np.testing.assert_allclose(stored[f"{search}_activations"][row], expected, rtol=1e-4, atol=1e-4)


def test_walks_begin_at_the_optimum_with_the_stored_activations(finished):
    stored = arrays(finished, "units/mnist/sdae/layer2/curvatures.npz")
    assert stored["curvatures"].shape == stored["variances"].shape == (3, 783)
    assert (np.diff(stored["curvatures"], axis=1) <= 0).all()
    for row, unit in enumerate(stored["units"]):
        x = stored["inputs"][row].astype(float)
        np.testing.assert_allclose(x[:, 0], np.tile(stored["optimum"][row], (4, 1)), atol=1e-5)
        expected = activation(finished, "mnist", "sdae", 2, x.reshape(-1, 784))[:, unit].reshape(4, 5)
        np.testing.assert_allclose(stored["activations"][row], expected, rtol=1e-4, atol=1e-4)


def test_the_tables_of_the_supplement(finished):
    remarks = table(finished, "tables/supplement.csv")
    assert len(remarks) == 7 + 3 * 6 + 1 and all(row["substitute"] for row in remarks)  # 6 known units, 3 searches
    assert all(float(row["low"]) <= float(row["value"]) <= float(row["high"]) for row in remarks)
    rows = table(finished, "tables/transformations.csv")
    assert len(rows) == 3 * 5
    for row in rows:
        stored = arrays(finished, f"units/mnist/sdae/layer{row['layer']}/transformations.npz")
        assert int(row["reaching"]) <= len(stored["units"]) <= 5
        assert bool(row["firing"]) == (len(stored["units"]) > 0 and row["transformation"] != "manifold")
    first = arrays(finished, "units/mnist/sdae/layer1/transformations.npz")
    assert len(first["units"]) == 5  # whose initial weights are large
    middle = first["activations"][:, :, 1]  # of the amounts, the one that does nothing
    assert_single(middle, np.tile(first["highest"], (4, 1)), 1e-4)


@pytest.mark.parametrize(
    ("file", "sections"),
    [("claims.csv", (techniques, section4, comparison, section5, section6)), ("tables/supplement.csv", (remarks,))],
)
def test_no_claim_is_left_out_for_want_of_an_input(finished, monkeypatch, file, sections):
    """A statement is measured where its files are inputs of the rule: measured on all files it has no more rows."""
    monkeypatch.chdir(finished.folder)
    files = {f"results/{name}" for name in finished.states()}
    found = [row["id"] for s in sections for stated in s.STATEMENTS for _, row in stated.rows(files, seed=1355)]
    assert found == [row["id"] for row in table(finished, file)]


def test_figure6_shows_the_stored_manifolds(finished):
    drawn = arrays(finished, "figures/figure6.npz")
    maxima = arrays(finished, "units/mnist_rot/smooth/output/activation_maximization.npz")
    best = maxima["inputs"][4, maxima["activations"][4].argmax()]
    assert drawn["manifold_images"].shape == (4, 5, 784)
    np.testing.assert_allclose(drawn["manifold_images"][:, 0], np.tile(best, (4, 1)), atol=1e-5)
    np.testing.assert_array_equal(drawn["label5_images"], maxima["inputs"][5, :9])


def test_layers_say_how_they_came_to_be(finished):
    stored = arrays(finished, "models/mnist/sdae/layer2.npz")
    assert stored["weights"].shape == (45, 41)
    assert stored["visible_bias"].shape == (41,)
    metadata = json.loads(str(stored["metadata"]))
    assert metadata["kind"] == "sdae"
    assert metadata["settings"]["corrupted"] == 0.5
    assert metadata["settings"]["deformation"] == {"displacement": 1.5, "smoothness": 4.0, "fields": 5}
    assert metadata["device"] == "cpu"
    history = (finished.results / "models/mnist/sdae/layer2_history.csv").read_text().splitlines()
    assert "reconstruction_error" in history[0].split(",")
    assert len(history) > 1


def test_no_checkpoint_outlives_its_training(finished):
    assert list(finished.results.glob("checkpoints/**/*.npz")) == []


def test_the_record_of_the_run(finished):
    record = json.loads((finished.results / "run.json").read_text())
    assert record["config"]["seed"] == 1355
    assert record["config"]["models"]["mnist"]["dbn"]["layer3"]["examples"] == 1100
    assert record["device"] == "cpu"
    assert record["versions"]["numpy"] == np.__version__
    assert {"datasets/mnist", "models/mnist/sdae/layer3", "figures/figure1", "claims"} <= set(record["stages"])
    assert all(stage["seconds"] > 0 for stage in record["stages"].values())


def test_every_job_has_a_log_and_a_benchmark(finished):
    logs, times = (
        {
            path.relative_to(finished.results / folder).with_suffix("")
            for path in finished.results.rglob(f"*.{kind}")
            if "selection" not in path.parts
        }
        for folder, kind in (("logs", "log"), ("benchmarks", "tsv"))
    )
    assert logs == times
    assert len(logs) == len(EVERYTHING)
    log = (finished.results / "logs/models/mnist/dbn/layer1.log").read_text()
    assert "computing on cpu with 1 threads" in log
    assert "100 %" in log


def test_a_further_seed_makes_everything_once_more(fresh):
    done = fresh.snakemake("--dry-run", config={"seeds": [8]})
    assert done.returncode == 0, done.stdout
    counts = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)}
    own = {
        rule: count for rule, count in counts.items() if not rule.startswith(("seed8_", "gather_seeds", "total", "all"))
    }
    assert {rule.removeprefix("seed8_"): count for rule, count in counts.items() if rule.startswith("seed8_")} == own
    assert counts["gather_seeds"] == 9
    refused = fresh.snakemake("--dry-run", config={"seed": 8, "seeds": [8]}).stdout
    assert "config key seeds has 8, the seed already; it lists further ones, so remove it there" in refused


def test_a_further_seed_gives_what_it_gives_alone(finished):
    file = "models/silhouettes/sdae/layer1.npz"
    for folder, target, config in (("alone", "", {"seed": 8}), ("among", "seeds/8/", {"seeds": [8]})):
        done = finished.snakemake("--cores", "2", "--directory", folder, f"results/{target}{file}", config=config)
        assert done.returncode == 0, done.stdout
    alone, among = (finished.folder / path / file for path in ("alone/results", "among/results/seeds/8"))
    with np.load(alone) as one, np.load(among) as other, np.load(finished.results / file) as usual:
        np.testing.assert_array_equal(one["weights"], other["weights"])
        assert not np.array_equal(one["weights"], usual["weights"])


def test_without_images_of_ones_own_a_sheet_is_of_every_model(fresh):
    sheets = {f"Draw a sheet of the {dataset} {model}" for dataset, models in MODELS.items() for model in models}
    planned = fresh.planned("sheet")
    assert sheets <= planned and not tuning("dbn") & planned and not sheets & fresh.planned()


def test_a_search_for_pictures_changes_what_its_trials_say(fresh):
    search = {"statements": ["modes"], "where": {"dataset": "mnist"}}
    trials = {"as_it_is": {}, "wide": {"models": {"mnist": {"dbn": {"layer2": {"units": 91}}}}}}
    planned = fresh.planned("pictures", config={"pictures": {"rows": search | {"trials": trials}}})
    assert {"Measure rows_as_it_is", "Measure rows_wide", "Gather the trials"} <= planned
    assert training("dbn1", "dbn2") <= planned and not training("dbn3", "sdae1") & planned
    nowhere = search | {"statements": ["mode"], "trials": trials}
    refused = fresh.snakemake("--dry-run", "pictures", config={"pictures": {"rows": nowhere}})
    assert refused.returncode and "the picture of rows_as_it_is is nowhere measured by mode; name" in refused.stdout


def test_a_trial_of_the_search_is_measured(finished):
    search = {"statements": ["one-pattern"], "where": {"dataset": "natural_images"}, "trials": {"fewer": {"seed": 3}}}
    made = finished.snakemake("--cores", "2", "--directory", "trial", "pictures", config={"pictures": {"rows": search}})
    assert made.returncode == 0, made.stdout
    with (finished.folder / "trial" / "results" / "pictures.csv").open() as rows:
        [row] = csv.DictReader(rows)
    assert row["trial"] == "rows_fewer" and row["statement"] == "one-pattern" and -1 <= float(row["value"]) <= 1


def test_images_of_ones_own_need_a_configuration_alone(finished):
    rng = np.random.default_rng(0)
    picture = finished.folder / "pictures" / "0" / "0.png"
    for n, image in enumerate(rng.integers(0, 256, (60, 7, 5), dtype=np.uint8)):
        path = finished.folder / "pictures" / str(n % 3) / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    layer = {"units": 36, "examples": 200, "batch": 20}
    mine = {
        "datasets": {"mine": {"reader": "images", "path": "pictures"}},
        "models": {
            "mine": {"dbn": {"layers": 2, "each": layer}, "small": {"kind": "sdae", "layers": 1, "each": layer}}
        },
        "classifiers": {"mine": {"dbn": {"epochs": 1, "epoch_examples": 20, "batch": 10}}},
        "units": {
            "mine": {
                "sampling": {"steps": 40, "every": 2, "chains": 1},
                "linear_combination": {"kept": 5},
                "invariance": {"epsilons": 3},
            }
        },
    }
    target = "results/models/mine/dbn/classifier.npz"
    done = finished.snakemake("--cores", "2", "--directory", "mine", "sheet", target, config=mine)
    assert done.returncode == 0, done.stdout
    for model, layers in (("dbn", 2), ("small", 1)):
        with np.load(finished.folder / f"mine/results/sheets/mine/{model}.npz") as sheet:
            assert sheet[f"layer{layers}_maxima"].shape == (36, 35)
            assert ("layer2_samples" in sheet) == (model == "dbn")
    with np.load(finished.folder / "mine" / target) as classifier:
        assert classifier["weights_out"].shape == (3, 36)
    assert finished.planned("--directory", "mine", target, config=mine) == set()
    picture.write_bytes((picture.parent / "3.png").read_bytes())
    again = finished.planned("--directory", "mine", target, config=mine)
    assert {"Fetch and verify mine", "Fine-tune the mine dbn classifier"} <= again
    mine["datasets"]["mine"]["path"] = "nowhere.npz"
    refused = finished.snakemake("--dry-run", config=mine).stdout
    assert "config key datasets.mine.path names" in refused and "nowhere.npz, which is not there; correct" in refused


OWN_NETWORK = """
import numpy as np
from deepunits.models.network import Network

def make(units):
    rng = np.random.default_rng(0)
    return Network([rng.normal(size=(units, 35)), rng.normal(size=(4, units))], [np.zeros(units), np.zeros(4)])
"""


def test_a_network_of_ones_own_needs_a_configuration_alone(finished):
    rng = np.random.default_rng(1)
    np.savez(finished.folder / "own.npz", images=rng.random((600, 7, 5)))
    (finished.folder / "own.py").write_text(OWN_NETWORK)
    network = {"module": "own.py:make", "arguments": {"units": 11}, "layers": ["hidden", "top"]}
    own = {
        "datasets": {"own": {"reader": "images", "path": "own.npz"}},
        "networks": {"own": {"net": network}},
        "units": {"own": {"invariance": {"epsilons": 3}}},
        "supplement": {"transformations": {"global_rate": 0.2, "translation": 2.0}},
    }
    transformations = "results/units/own/net/layer2/transformations.npz"
    done = finished.snakemake("--cores", "2", "--directory", "own", "sheet", transformations, config=own)
    assert done.returncode == 0, done.stdout
    results = finished.folder / "own" / "results"
    assert jobs(done.stdout) >= {"Build the network net of own", "Draw a sheet of the own net"}
    with np.load(results / "sheets/own/net.npz") as sheet:
        assert sheet["layer1_maxima"].shape == (11, 35) and sheet["layer2_units"].shape == (4,)
    with (results / "sheets/own/net.csv").open() as rows:
        assert [row["units"] for row in csv.DictReader(rows)] == ["11", "4"]
    with np.load(results / "units/own/net/layer2/transformations.npz") as stored:
        assert stored["scores"].shape == (4, 4)
    third = finished.snakemake("-n", "results/units/own/net/layer3/invariance.npz", config=own).stdout
    assert "layer 3 was asked for, but networks.own.net names layers 1 to 2; ask for one of these" in third
    assert "it is no DBN" in finished.snakemake("-n", "results/units/own/net/layer2/sampling.npz", config=own).stdout
    network["module"] = "nowhere.py:make"
    refused = finished.snakemake("--dry-run", config=own).stdout
    assert "config key networks.own.net.module names" in refused and "nowhere.py, which is no file; corr" in refused


def test_a_run_in_another_directory_keeps_its_results_there(fresh):
    done = fresh.snakemake("--dry-run", "--directory", "runs/other")
    assert done.returncode == 0, done.stdout
    assert jobs(done.stdout) == EVERYTHING


def test_a_folder_may_have_any_name(tmp_path):
    """Snakemake gives the path of Python to a shell."""
    run = Run(tmp_path / "user's folder (x)")
    (run.folder / "my venv").symlink_to(sys.prefix)
    run.python = str(run.folder / "my venv" / "bin" / "python")
    assert run.made("figure5") == {"Draw Figure 5"}
    assert (run.results / "figures" / "figure5.png").exists()
