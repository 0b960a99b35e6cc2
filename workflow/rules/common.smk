"""The configuration checked, and what all stages share."""

import copy
import hashlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir, "workflow")))

from configuration import fault
from inheritance import layers, merge, resolve
from contradictions import reader_options
from dependencies import library_modules, offer_library, parameters
from paper_requirements import paper_requirements
from recovery import clear_stale_lock
from selection import point, points, searched_classifier, searched_layers

# Snakemake puts the path of Python into a shell command as it is: a folder's name may hold a space or a quote.
PYTHON = sys.executable
sys.executable = shlex.quote(PYTHON)

if workflow.is_main_process and clear_stale_lock():
    print("The run before this one was killed: its lock is removed, and what it had finished is kept.", file=sys.stderr)

if isinstance(config.get("seeds"), list):  # --config "seeds=[1, 2]" gives texts
    config["seeds"] = [int(seed) if str(seed).isdigit() else seed for seed in config["seeds"]]
CONFIGURED = copy.deepcopy(config)  # before what the parts inherit is written out
if sentence := fault(config, paper_requirements):
    sys.exit(f"error: {sentence}")
resolved = resolve(config)
config.clear()
config.update(resolved)


offer_library()


# Every file of a full run, and not the last ones only, so that Snakemake makes again whichever is deleted. Each of the
# files included adds its own.
RESULTS = []
# Dataset, model and number of every layer; the same of networks of the user's; dataset and name of every classifier.
LAYERS = [
    (dataset, model, layer)
    for dataset, models in config["models"].items()
    for model in models
    for layer in layers(config, dataset, model)
]
NETWORKS = [
    (dataset, name, layer)
    for dataset, networks in config["networks"].items()
    for name in networks
    for layer in layers(config, dataset, name)
]
CLASSIFIERS = [(dataset, start) for dataset, starts in config["classifiers"].items() for start in starts]


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    model="|".join(
        {
            name: None
            for part in ("models", "networks", "classifiers")
            for names in config[part].values()
            for name in names
        }
    ),
    start="|".join({start: None for starts in config["classifiers"].values() for start in starts}),
    layer="[1-9][0-9]*",


def kind(wildcards):
    """Return the kind of a model: dbn, sdae or network; None if there is no such model."""
    return config["kinds"].get(wildcards.dataset, {}).get(wildcards.model)


def modules(script, *named):
    """Return the library modules that scripts/<script>.py imports, some by name: inputs of its rule."""
    files = library_modules(Path(workflow.basedir, "scripts", f"{script}.py"), *named)
    # Relative to where the rule runs; in the repository also where results are kept in a storage.
    return [local(os.path.relpath(path)) for path in files]


def layer_settings(wildcards):
    """Return the hyperparameters of a layer."""
    if wildcards.model not in config["models"][wildcards.dataset]:
        sys.exit(
            f"error: a {wildcards.model} of {wildcards.dataset} was asked for, but models.{wildcards.dataset} has none; "
            f"add {wildcards.model} to the configuration."
        )
    configured = layers(config, wildcards.dataset, wildcards.model)
    if int(wildcards.layer) not in configured:
        sys.exit(
            f"error: layer {wildcards.layer} was asked for, but models.{wildcards.dataset}.{wildcards.model} has layers "
            f"1 to {configured[-1]}; ask for one of these, or raise layers in the configuration."
        )
    return config["models"][wildcards.dataset][wildcards.model][f"layer{wildcards.layer}"]


def network_files(dataset, model, last):
    """Return the files of the layers 1 to `last` of a model, or the one that describes a network of the user's."""
    folder = f"results/models/{dataset}/{model}"
    if model in config["networks"].get(dataset, {}):
        return f"{folder}/network.json"
    return [f"{folder}/layer{k}.npz" for k in range(1, last + 1)]


def network_of(wildcards):
    """Return the files of the network of a model's layers up to one."""
    if kind(wildcards) == "network":
        named = layers(config, wildcards.dataset, wildcards.model)
        if int(wildcards.layer) not in named:
            sys.exit(
                f"error: layer {wildcards.layer} was asked for, but networks.{wildcards.dataset}.{wildcards.model} names "
                f"layers 1 to {named[-1]}; ask for one of these, or name another."
            )
    else:
        layer_settings(wildcards)
    return network_files(wildcards.dataset, wildcards.model, int(wildcards.layer))


def layers_up_to(wildcards, last):
    """Return the files of the trained layers 1 to `last` of a model."""
    layer_settings(wildcards)
    return network_files(wildcards.dataset, wildcards.model, last)


def checkpoint_of(layer):
    """Return where the training of a layer that goes into a file keeps its checkpoint, in the same folder of results."""
    return str(Path(layer).parents[3] / "checkpoints" / Path(*Path(layer).parts[-3:]))


def boltzmann_machines(wildcards):
    """Return the files of a DBN's layers up to one: no other model can be sampled from."""
    if kind(wildcards) != "dbn":
        sys.exit(
            f"error: samples of the {wildcards.dataset} {wildcards.model} were asked for, but it is no DBN; ask for "
            "those of a DBN, or for activation maximization."
        )
    return layers_up_to(wildcards, int(wildcards.layer))


def unit_settings(tool):
    """Return a function of the wildcards: the settings of a unit tool for the dataset."""

    def settings(wildcards):
        key = f"units.{wildcards.dataset}.{tool}"
        if tool not in config["units"][wildcards.dataset]:
            sys.exit(f"error: config key {key} is missing, but a file that needs it was asked for; add it.")
        return config["units"][wildcards.dataset][tool]

    return settings


def hidden_settings(tool):
    """Return a function of the wildcards: the settings of a unit tool for hidden layers."""

    def settings(wildcards):
        found = unit_settings(tool)(wildcards)
        return {key: value for key, value in found.items() if key not in ("output", "variants")}

    return settings


def output_settings(tool):
    """Return a function of the wildcards: those for output units; the keys of `output` replace those of the same names."""

    def settings(wildcards):
        found = unit_settings(tool)(wildcards)
        if "output" not in found:
            key = f"units.{wildcards.dataset}.{tool}.output"
            sys.exit(f"error: config key {key} is missing, but a file that needs it was asked for; add it.")
        return hidden_settings(tool)(wildcards) | found["output"]

    return settings


def maximization_settings(wildcards):
    """Return the settings of activation maximization for a layer, its own learning rate among them."""
    settings = hidden_settings("activation_maximization")(wildcards)
    return settings | {"learning_rate": settings["learning_rate"][f"layer{wildcards.layer}"]}


def pretrained_layers(wildcards):
    """Return the files of all layers of the model that a classifier starts from."""
    classifier_settings(wildcards)
    model = started_from(wildcards.dataset, wildcards.start)
    if model == "random":
        return []
    last = layers(config, wildcards.dataset, model)[-1]
    return [f"results/models/{wildcards.dataset}/{model}/layer{k}.npz" for k in range(1, last + 1)]


def started_from(dataset, classifier):
    """Return the model that a classifier starts from, or random."""
    return config["classifiers"][dataset][classifier].get("from", classifier)


def classifier_settings(wildcards):
    """Return how a classifier is trained."""
    if (wildcards.dataset, wildcards.start) not in CLASSIFIERS:
        key = f"classifiers.{wildcards.dataset}.{wildcards.start}"
        sys.exit(f"error: config key {key} is missing, but a classifier that needs it was asked for; add it.")
    return config["classifiers"][wildcards.dataset][wildcards.start]


def layers_looked_at(wildcards):
    """Return the numbers of the layers of a model whose units are looked at."""
    dataset, model = wildcards.dataset, wildcards.model
    if dataset not in config["units"] or model not in config["kinds"][dataset]:
        sys.exit(
            f"error: a sheet of the {dataset} {model} was asked for; it needs units.{dataset} and "
            f"models.{dataset}.{model} or networks.{dataset}.{model} in the configuration."
        )
    return layers(config, dataset, model)


def whole_network(wildcards):
    """Return the files of the network of all layers of a model whose units are looked at."""
    return network_files(wildcards.dataset, wildcards.model, layers_looked_at(wildcards)[-1])


def tool_files(tool):
    """Return a function of the wildcards: a unit tool's files of the layers that have them."""

    def files(wildcards):
        numbers, folder = layers_looked_at(wildcards), f"results/units/{wildcards.dataset}/{wildcards.model}"
        if tool in ("sampling", "linear_combination"):
            made = tool in config["units"][wildcards.dataset] and kind(wildcards) == "dbn"
            numbers = [k for k in numbers if made and (k == 2 or k > 2 and tool == "linear_combination")]
        if tool == "transformations":
            studied = config["supplement"]
            made = (studied["dataset"], studied["model"]) == (wildcards.dataset, wildcards.model)
            numbers = [k for k in numbers if made and k <= 3]
        return [f"{folder}/layer{k}/{tool}.npz" for k in numbers]

    return files


def reader(wildcards):
    """Return the name of the module of the library that reads a dataset."""
    return config["datasets"][wildcards.dataset]["reader"]


def own_path(dataset):
    """Return where images of the user's own are, or nothing."""
    return from_repository(config["datasets"][dataset].get("path", ""))


def from_repository(path):
    """Return where a file is, seen from the working directory: a relative path is found from the repository.

    So a repository that has been moved, with what the user keeps in it, has nothing to do anew. Nothing stays nothing.
    """
    if not path:
        return path
    path = Path(path).expanduser()
    return str(path) if path.is_absolute() else os.path.relpath(Path(workflow.basedir, path))


def listing(path):
    """Return a digest of the names, sizes and times of the files in a folder, whose own time tells of few changes."""
    files = sorted(file for file in Path(path).rglob("[!.]*") if file.is_file()) if path and Path(path).is_dir() else []
    states = [(str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(states).encode()).hexdigest() if files else None


def own_files(dataset, name):
    """Return the files of the user's that a network is built from, by what they are."""
    network = config["networks"][dataset][name]
    code, _, _ = network["module"].rpartition(":")
    files = {"module": code if code.endswith(".py") else "", "weights": network.get("weights", "")}
    return {key: from_repository(path) for key, path in files.items() if path}


def network_settings(wildcards):
    """Return how a network is built, with its files where they are."""
    network = config["networks"][wildcards.dataset][wildcards.model]
    files = own_files(wildcards.dataset, wildcards.model)
    if "module" in files:
        files["module"] = f"{files['module']}:{network['module'].rpartition(':')[2]}"
    return network | files


def drawing(wildcards):
    """Return what a reader draws or makes examples with: its options, and the seed if it takes that."""
    name, dataset = reader(wildcards), config["datasets"][wildcards.dataset]
    seed = {"seed": config["seed"]} if "seed" in parameters(f"deepunits.data.{name}", "prepare") else {}
    options = seed | {option: dataset[option] for option in reader_options(name) if option in dataset}
    return options | {"path": own_path(wildcards.dataset)} if "path" in options else options


def deformation(wildcards):
    """Return how the training examples of a dataset are deformed, or None."""
    return config["datasets"][wildcards.dataset].get("deformation")


def examples_of(*datasets):
    """Return the examples of datasets."""
    return [f"results/datasets/{dataset}/examples.npz" for dataset in datasets]


def provenance_of(*datasets):
    """Return what says where datasets came from."""
    return [f"results/datasets/{dataset}/provenance.json" for dataset in datasets]


# A job that computes on the device holds the machine's GPU where the configuration wants one; profiles/gpu has jobs
# wait for it.
GPU = int(config["device"] == "gpu")
TRY_GPU = """
from deepunits.backend import choose_device
from deepunits.console import job
with job():
    choose_device("gpu")
"""


onstart:
    if workflow.local_exec:
        # For a limit on submissions, which only a cluster needs, Snakemake looks at all jobs once a second, and once more
        # for every job that has ended: in the end it takes a core for itself.
        workflow.scheduler.job_rate_limiter = None
    # Before a job starts, because Snakemake then deletes what the job is to make again.
    if GPU and workflow.local_exec and subprocess.run([PYTHON, "-c", TRY_GPU]).returncode:
        sys.exit(1)
