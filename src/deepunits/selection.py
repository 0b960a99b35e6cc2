"""The paper's way of choosing hyperparameters (section 4.4): by validation error, on a grid."""

FINE_TUNING_RATE = "fine_tuning_rate"  # the one hyperparameter of a grid that is the classifier's and not the layers'


def layer_settings(layers, point, examples):
    """Return the settings of layers at a point of the grid.

    Parameters
    ----------
    layers : dict of dict
        Settings by layer, as configured.
    point : dict
        Hyperparameters by name, the same for every layer.
    examples : int
        Training examples that each layer sees in the search.
    """
    chosen = {name: value for name, value in point.items() if name != FINE_TUNING_RATE}
    return {layer: settings | chosen | {"examples": examples} for layer, settings in layers.items()}


def classifier_settings(classifier, point, epochs):
    """Return the settings of a classifier at a point of the grid, trained for so many `epochs`."""
    rate = point.get(FINE_TUNING_RATE, classifier["learning_rate"])
    return classifier | {"learning_rate": rate, "epochs": epochs, "patience": epochs}


def winners(tried):
    """Return the trial of least score for each dataset and model; of equals the first.

    Parameters
    ----------
    tried : list of dict
        With ``dataset``, ``model``, ``score``, ``layers`` (how many were trained) and ``point``, a dict.
    """
    best = {}
    for trial in tried:
        key = trial["dataset"], trial["model"]
        if key not in best or trial["score"] < best[key]["score"]:
            best[key] = trial
    return list(best.values())


def as_configuration(trials):
    """Return what the configuration says where these trials are chosen, as nested dicts with its keys."""
    config = {}
    for trial in trials:
        dataset, model, point = trial["dataset"], trial["model"], dict(trial["point"])
        rate = point.pop(FINE_TUNING_RATE, None)
        layers = {f"layer{k}": dict(point) for k in range(1, trial["layers"] + 1)}
        config.setdefault("models", {}).setdefault(dataset, {})[model] = layers
        if rate is not None:
            config.setdefault("classifiers", {}).setdefault(dataset, {})[model] = {"learning_rate": rate}
    return config
