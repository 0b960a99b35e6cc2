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
    """Return the best trial for each dataset and model, by the rule of one standard error.

    Those within one standard error of the least score count as equal to it (Breiman et al. 1984), since a validation
    set cannot tell them apart. Of these the most regularised wins, which has the smoothest filters: the one of lowest
    learning rate, of equal rates that of largest weight decay, and of equal decays that of least score.

    Parameters
    ----------
    tried : list of dict
        With ``dataset``, ``model``, ``score``, ``standard_error``, ``layers`` (how many were trained) and ``point``, a
        dict.
    """
    searches = {}
    for trial in tried:
        searches.setdefault((trial["dataset"], trial["model"]), []).append(trial)
    return [_best(trials) for trials in searches.values()]


def _best(trials):
    least = min(trials, key=lambda trial: trial["score"])
    equal = [trial for trial in trials if trial["score"] <= least["score"] + least["standard_error"]]
    return min(equal, key=_least_regularized_last)


def _least_regularized_last(trial):
    point = trial["point"]
    return point.get("learning_rate", 0), -point.get("weight_decay", 0), trial["score"]


def standard_error(share, count):
    """Return the standard error of an error rate: a `share` of `count` examples."""
    return (share * (1 - share) / count) ** 0.5


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
