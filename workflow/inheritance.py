"""How the parts of the configuration inherit: what each has, written out."""

import copy


def resolve(config):
    """Return the configuration with what each part inherits written out, and the kind of each model as ``kinds``.

    A layer has, from the weakest on: what each layer of its kind has by default, what the layer of its number has by
    default, what each layer of its model has, and what is said of it alone. Classifiers and unit tools likewise.
    """
    defaults = config["defaults"]
    resolved = {key: copy.deepcopy(value) for key, value in config.items() if key != "defaults"}
    resolved["datasets"] = {name: merge(defaults["dataset"], entry) for name, entry in config["datasets"].items()}
    resolved["kinds"] = {
        dataset: dict.fromkeys(config["networks"].get(dataset, {}), "network")
        | {name: model.get("kind", name) for name, model in config["models"].get(dataset, {}).items()}
        for dataset in [*config["models"], *config["networks"]]
    }
    resolved["models"] = {
        dataset: {name: _layers(defaults[resolved["kinds"][dataset][name]], model) for name, model in models.items()}
        for dataset, models in config["models"].items()
    }
    resolved["classifiers"] = {
        dataset: {
            start: merge(*(part.get(key, {}) for part in (defaults["classifier"], starts) for key in ("each", start)))
            for start in starts
            if start != "each"
        }
        for dataset, starts in config["classifiers"].items()
    }
    resolved["units"] = {
        dataset: {"shown": tools.get("shown", defaults["units"]["shown"])}
        | {tool: merge(defaults["units"][tool], tools.get(tool, {})) for tool in _tools(tools)}
        for dataset, tools in config["units"].items()
    }
    return resolved


def merge(*mappings):
    """Return mappings laid over one another, the last on top."""
    merged = {}
    for mapping in mappings:
        for key, value in mapping.items():
            if isinstance(value, dict):
                value = merge(merged.get(key, {}), value)
            merged[key] = copy.deepcopy(value)
    return merged


def layers(config, dataset, model):
    """Return the numbers of the layers that a model is resolved to have, or a network of the user's: 1, 2, ..."""
    if model in config["networks"].get(dataset, {}):
        return list(range(1, len(config["networks"][dataset][model]["layers"]) + 1))
    return sorted(int(key.removeprefix("layer")) for key in config["models"][dataset][model])


def _layers(default, model):
    """Return the settings of each layer of a model, by name; of a layer that is there though it should not be, too."""
    count = model.get("layers", default["layers"])
    named = [key for key in model if key not in ("kind", "layers", "each")]
    names = [*(f"layer{k}" for k in range(1, count + 1)), *named]
    return {
        name: merge(*(part.get(key, {}) for part in (default, model) for key in ("each", name)))
        for name in dict.fromkeys(names)
    }


def _tools(tools):
    """Return the tools that a dataset's units are looked at with: two always, two where they are named."""
    named = [tool for tool in ("sampling", "linear_combination") if tool in tools]
    return ["activation_maximization", *named, "invariance"]
