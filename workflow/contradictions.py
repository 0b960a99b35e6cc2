"""What a schema cannot see in a configuration: keys that do not fit one another."""

from dependencies import parameters, readers


def contradictions(config):
    """Yield what does not fit in the resolved configuration, a sentence each."""
    if config["seed"] in config["seeds"]:
        yield f"config key seeds has {config['seed']}, the seed already; it lists further ones, so remove it there"
    yield from _of_datasets(config)
    yield from _of_names(config)
    yield from _of_models(config)
    yield from _of_networks(config)
    yield from _of_units(config)
    yield from _of_classifiers(config)
    yield from _of_supplement(config)
    yield from _of_selection(config)


def _of_datasets(config):
    for name, dataset in config["datasets"].items():
        reader = dataset["reader"]
        if reader not in readers():
            yield f'config key datasets.{name}.reader is "{reader}"; it must be one of {", ".join(readers())}'
            continue
        taken = reader_options(reader)
        given = [key for key in dataset if key not in ("reader", "regularization", "edge", "deformation")]
        for key, needed in taken.items():
            if needed and key not in given:
                yield f"config key datasets.{name}.{key} is missing, but the reader {reader} takes it; give it a value"
        for key in given:
            if key not in taken:
                yield f"config key datasets.{name}.{key} is there, but the reader {reader} takes none; remove it"


def reader_options(reader):
    """Return the options of a dataset that its reader takes, and whether it needs them.

    That is what `prepare` takes, less the sources and the seed.
    """
    taken = parameters(f"deepunits.data.{reader}", "prepare")
    return {name: needed for name, needed in taken.items() if name not in ("sources", "seed")}


def _of_names(config):
    """Yield the datasets that other parts name and that are not there."""
    for part in ("models", "networks", "classifiers", "units", "selection"):
        for dataset in config[part]:
            key = f"config key {part}.{dataset} is there, but"
            if dataset not in config["datasets"]:
                yield f"{key} datasets has no {dataset}; add that or remove this"
            elif part == "selection" and dataset not in config["models"]:
                yield f"{key} models has no {dataset}; add that or remove this"
            elif part == "units" and dataset not in config["kinds"]:
                yield f"{key} neither models nor networks has {dataset}; add it to one of these or remove this"
            elif part == "networks" and dataset not in config["units"]:
                yield f"{key} units has no {dataset}; add units.{dataset}, which may be empty: {{}}"


def _of_models(config):
    for dataset, models in config["models"].items():
        for model, layers in models.items():
            if model in ("each", "random"):
                yield f"config key models.{dataset}.{model} has a name that classifiers need; give it another"
            for number, (name, layer) in enumerate(layers.items(), start=1):
                key = f"models.{dataset}.{model}.{name}"
                if name != f"layer{number}":
                    yield (
                        f"config key {key} is there, but models.{dataset}.{model}.layers has fewer; raise it to "
                        f"{name.removeprefix('layer')} or remove this"
                    )
                    return
                if layer["batch"] > layer["examples"]:
                    yield (
                        f"config key {key}.batch is {layer['batch']}; it must be at most {layer['examples']}, the "
                        "examples of the layer"
                    )
                if number > 1 and layer["visible"] == "centred":
                    yield (
                        f'config key {key}.visible is "centred", but what the layer sees are probabilities; set it to '
                        '"bernoulli"'
                    )
                if config["kinds"][dataset][model] == "dbn":
                    yield from _of_boltzmann_machine(key, layer)


def _of_networks(config):
    for dataset, networks in config["networks"].items():
        for name, network in networks.items():
            key = f"networks.{dataset}.{name}"
            if name in config["models"].get(dataset, {}):
                yield f"config key {key} has the name of a model in models.{dataset}; give it another"
            rates = config["units"][dataset]["activation_maximization"]["learning_rate"]
            for k in range(1, len(network["layers"]) + 1):
                if f"layer{k}" not in rates:
                    rate = f"units.{dataset}.activation_maximization.learning_rate.layer{k}"
                    yield f"config key {rate} is missing, but {key} has a layer {k}; add it"


def _of_boltzmann_machine(key, layer):
    if layer["visible"] == "gaussian" and "visible_variance" not in layer:
        yield f"config key {key}.visible_variance is missing; give it a value"
    for one, other in (("sparsity_target", "sparsity_cost"), ("sparsity_cost", "sparsity_target")):
        if one in layer and other not in layer:
            yield f"config key {key}.{other} is missing; give it a value"


def _of_units(config):
    for dataset, units in config["units"].items():
        rates = units["activation_maximization"]["learning_rate"]
        for model, layers in config["models"].get(dataset, {}).items():
            for name, layer in layers.items():
                if name not in rates:
                    key = f"units.{dataset}.activation_maximization.learning_rate.{name}"
                    yield f"config key {key} is missing, but models.{dataset}.{model} has a {name}; add it"
                if units["shown"] > layer["units"]:
                    yield (
                        f"config key units.{dataset}.shown is {units['shown']}; it must be at most {layer['units']}, "
                        f"the units of models.{dataset}.{model}.{name}"
                    )
        if (step := units["invariance"]["step"]) in units["invariance"]["variants"]["steps"]:
            yield (
                f"config key units.{dataset}.invariance.variants.steps names {step}, which is the step of "
                f"units.{dataset}.invariance itself; remove it there"
            )
        kinds = config["kinds"][dataset].values()
        for tool in ("sampling", "linear_combination"):
            if tool in units and "dbn" not in kinds:
                yield f"config key units.{dataset}.{tool} is there, but models.{dataset} has no DBN; remove it"
        if "linear_combination" in units:
            yield from _of_filters(config, dataset, units["linear_combination"]["kept"])
        sampling = units.get("sampling")
        if sampling and sampling["steps"] // sampling["every"] * sampling["chains"] < sampling["kept"]:
            yield (
                f"config key units.{dataset}.sampling.kept is {sampling['kept']}; it must be at most "
                "(steps / every) x chains, the samples that are drawn"
            )


def _of_filters(config, dataset, kept):
    """Yield the layers of DBNs that have fewer filters than the unit above is to be a combination of."""
    for model, layers in config["models"].get(dataset, {}).items():
        if config["kinds"][dataset][model] == "dbn":
            for name, layer in [*layers.items()][:-1]:
                if kept > layer["units"]:
                    yield (
                        f"config key units.{dataset}.linear_combination.kept is {kept}; it must be at most "
                        f"{layer['units']}, the units of models.{dataset}.{model}.{name}"
                    )


def _of_classifiers(config):
    for dataset, starts in config["classifiers"].items():
        for start, settings in starts.items():
            key = f"classifiers.{dataset}.{start}"
            model = settings.get("from", start)
            if model != "random" and model not in config["models"].get(dataset, {}):
                yield f"config key {key} is there, but models.{dataset} has no {model}; add that or remove this"
            if model != "random" and "units" in settings:
                yield f"config key {key}.units is there, but its units are those of models.{dataset}.{model}; remove it"
            if model == "random" and "units" not in settings:
                yield f"config key {key}.units is missing, but it starts from random weights; give it a value"
            for number, name in enumerate(settings.get("units", ()), start=1):
                if name != f"layer{number}":
                    yield f"config key {key}.units.{name} is there, but there is no layer{number}; count from layer1 on"
                    break
            if settings["batch"] > settings["epoch_examples"]:
                yield (
                    f"config key {key}.batch is {settings['batch']}; it must be at most {settings['epoch_examples']}, "
                    "the examples of an epoch"
                )
            if settings["refit"] > settings["epochs"]:
                yield (
                    f"config key {key}.refit is {settings['refit']}; it must be at most {settings['epochs']}, "
                    "all epochs"
                )


def _of_supplement(config):
    supplement = config["supplement"]
    dataset, model = supplement["dataset"], supplement["model"]
    if dataset not in config["units"]:
        yield f'config key supplement.dataset is "{dataset}"; it must be one of {", ".join(config["units"])}'
        return
    if model not in config["models"].get(dataset, {}):
        yield f'config key supplement.model is "{model}", but models.{dataset} has no {model}; add that or change this'
        return
    if supplement["layer"] > (last := len(config["models"][dataset][model])):
        yield (
            f"config key supplement.layer is {supplement['layer']}; it must be at most {last}, the layers of "
            f"models.{dataset}.{model}"
        )
    if supplement["units"] > (shown := config["units"][dataset]["shown"]):
        yield f"config key supplement.units is {supplement['units']}; it must be at most {shown}, units.{dataset}.shown"


def _of_selection(config):
    for dataset, search in config["selection"].items():
        classified = dataset in config["classifiers"]
        if classified and "epochs" not in search:
            yield f"config key selection.{dataset}.epochs is missing; give it a value"
        if not classified and "epochs" in search:
            yield f"config key selection.{dataset}.epochs is there, but {dataset} has no classes to tell; remove it"
        for model, grid in search.items():
            key = f"selection.{dataset}.{model}"
            if model in ("examples", "epochs"):
                continue
            if model not in config["models"][dataset]:
                yield f"config key {key} is there, but models.{dataset} has no {model}; add that or remove this"
                continue
            if classified and model not in config["classifiers"][dataset]:
                yield f"config key {key} is there, but classifiers.{dataset} has no {model}; add that or remove this"
            if config["kinds"][dataset][model] == "dbn" and "corrupted" in grid:
                yield f"config key {key}.corrupted is there, but a DBN corrupts nothing; remove it"
            if not classified and "fine_tuning_rate" in grid:
                yield f"config key {key}.fine_tuning_rate is there, but {dataset} has no classes to tell; remove it"
