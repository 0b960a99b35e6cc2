"""The grids that the search for hyperparameters goes through, from the configuration."""

from snakemake.utils import Paramspace


def space(config, dataset, model):
    """Return the grid of a search as a Paramspace, with one wildcard for a point."""
    from pandas import MultiIndex  # here, so that no target but `select` waits for the import

    grid = config["selection"][dataset][model]
    points = MultiIndex.from_product(grid.values(), names=grid).to_frame(index=False)
    return Paramspace(points, filename_params="*", single_wildcard="point")


def points(config):
    """Return the names of all points: dataset, model and hyperparameters."""
    return [
        f"{dataset}/{model}/{point}"
        for dataset, search in config["selection"].items()
        for model in search
        if model not in ("examples", "epochs")
        for point in space(config, dataset, model).instance_patterns
    ]


def point(config, wildcards):
    """Return the hyperparameters of a point by name, as the wildcards have them."""
    chosen = space(config, wildcards.dataset, wildcards.model).instance(wildcards)
    return {name: value.item() for name, value in chosen.items()}


def searched_layers(config, dataset, model):
    """Return the settings of the layers that are trained at a point: all, or the first one where that decides."""
    settings = config["models"][dataset][model]
    return settings if dataset in config["classifiers"] else {"layer1": settings["layer1"]}


def searched_classifier(config, dataset, model):
    """Return the settings of the classifier whose error decides, or None."""
    return config["classifiers"].get(dataset, {}).get(model)
