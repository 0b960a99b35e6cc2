"""What the paper's figures need of the configuration, beyond what the instrument does."""

NEEDED = {  # and what shows it
    "models.mnist.dbn": "Figure 1",
    "models.mnist.sdae": "Figure 1",
    "models.natural_images.dbn": "Figure 2",
    "models.natural_images.sdae": "Figure 2",
    "models.silhouettes.sdae": "Figure 2",
    "units.mnist.sampling": "Figure 3",
    "units.natural_images.sampling": "Figure 3",
    "units.mnist.linear_combination": "Figure 4",
    "units.natural_images.linear_combination": "Figure 4",
    "models.mnist_rot.sdae": "Figure 7",
    "classifiers.mnist_rot.smooth": "Figure 6",
    "units.mnist_rot.activation_maximization.output": "Figure 6",
    "units.mnist_rot.invariance.output": "Figure 6",
    "units.mnist": "Figure 7",
    "units.natural_images": "Figure 7",
    "units.silhouettes": "Figure 7",
    "datasets.mnist.deformation": "the contact sheet",
}
LEAST = {
    "units.mnist.shown": (36, "Figure 1"),
    "units.natural_images.shown": (144, "Figure 2"),
    "units.silhouettes.shown": (144, "Figure 2"),
    "units.mnist.activation_maximization.restarts": (9, "Figure 1"),
    "units.natural_images.activation_maximization.restarts": (9, "Figure 2"),
    "units.mnist_rot.activation_maximization.output.restarts": (9, "Figure 6"),
    "units.mnist_rot.invariance.output.trials": (4, "Figure 6"),
}
LAYERS = 3  # of the paper's models


def paper_requirements(config):
    """Yield what the resolved configuration lacks, a sentence each."""
    for key, shown_by in NEEDED.items():
        if _at(config, key) is None:
            yield f"config key {key} is missing, but {shown_by} shows it; give it a value"
    for key, (least, shown_by) in LEAST.items():
        value = _at(config, key)
        if value is None:  # as for the hidden units
            value = _at(config, key.replace(".output", ""))
        if value is not None and value < least:
            yield f"config key {key} is {value}; it must be at least {least}, which {shown_by} shows"
    for dataset in dict.fromkeys(key.split(".")[1] for key in NEEDED if key.startswith("models.")):
        for model, layers in config["models"].get(dataset, {}).items():
            if model in ("dbn", "sdae") and len(layers) < LAYERS:
                key = f"models.{dataset}.{model}.layers"
                yield f"config key {key} is {len(layers)}; it must be at least {LAYERS}, which the tables compare"


def _at(config, key):
    """Return the value at a dotted key, or None."""
    for part in key.split("."):
        if config is None or part not in config:
            return None
        config = config[part]
    return config
