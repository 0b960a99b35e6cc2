"""Refusing a configuration that cannot be meant, in one sentence that names the key."""

import difflib
import json
import math
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

SCHEMA = Path(__file__).parent / "schemas" / "config.schema.json"
WHERE = "config/config.yaml explains every key"
TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping of keys to values",
    "string": "a text",
}

# JSON's numbers are looser than ours: 500.0 would pass for a whole number, NaN for any.
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
            "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
        }
    ),
)


def fault(config):
    """Return what is wrong with the resolved configuration, one sentence, or None."""
    errors = list(Validator(json.loads(SCHEMA.read_text())).iter_errors(config))
    if errors:
        return f"{_sentence(min(errors, key=_urgency))} ({WHERE})."
    contradiction = next(_contradictions(config), None)
    return contradiction and f"{contradiction} ({WHERE})."


def layers(config, dataset, model):
    """Return the numbers of the layers that a model is configured to have: 1, 2, ..."""
    return sorted(int(key.removeprefix("layer")) for key in config["models"][dataset][model])


def _urgency(error):
    """Sort errors: a misspelt key before the key that it makes missing, then by where they stand."""
    return error.validator != "additionalProperties", _key(error.absolute_path)


def _sentence(error):
    key = _key(error.absolute_path)
    limit = error.validator_value
    match error.validator:
        case "additionalProperties":
            return _unknown(error)
        case "required":
            missing = next(name for name in limit if name not in error.instance)
            return f"config key {_key([*error.absolute_path, missing])} is missing; give it a value"
        case "dependentRequired":
            missing = next(n for name in error.instance for n in limit.get(name, []) if n not in error.instance)
            remedy = "number layers without gaps" if missing.startswith("layer") else "give it a value"
            return f"config key {_key([*error.absolute_path, missing])} is missing; {remedy}"
        case "type":
            demand = "be " + " or ".join(TYPES[name] for name in ([limit] if isinstance(limit, str) else limit))
        case "enum":
            demand = "be " + " or ".join(map(_show, limit))
        case "minimum":
            demand = f"be at least {limit}"
        case "maximum":
            demand = f"be at most {limit}"
        case "exclusiveMinimum":
            demand = f"be greater than {limit}"
        case "exclusiveMaximum":
            demand = f"be less than {limit}"
        case "minProperties":
            return f"config key {key} is empty; give it one of {', '.join(error.schema['properties'])}"
        case "minItems":
            demand = f"have at least {limit} of them"
        case "uniqueItems":
            demand = "name nothing twice"
        case _:
            demand = f"obey {error.validator}: {limit}"
    return f"config key {key} is {_show(error.instance)}; it must {demand}{_hint(error.instance)}"


def _unknown(error):
    known = [*error.schema["properties"]]
    unknown = next(name for name in error.instance if name not in known)
    near = difflib.get_close_matches(str(unknown), known, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(known)}"
    return f"config key {_key([*error.absolute_path, unknown])} is unknown; {remedy}"


def _hint(value):
    """Say what YAML does to 1e-3, if `value` is such a number."""
    try:
        float(value if isinstance(value, str) else "")
    except ValueError:
        return ""
    return "; YAML takes it for a text, so write 1.0e-3 for 1e-3, 2500000 for 2.5e6, and no quotes"


def _contradictions(config):
    """Yield what a schema cannot see: keys that do not fit one another."""
    yield from _contradictions_of_models(config)
    yield from _contradictions_of_units(config)
    yield from _contradictions_of_classifiers(config)
    yield from _contradictions_of_supplement(config)
    yield from _contradictions_of_selection(config)


def _contradictions_of_supplement(config):
    supplement = config["supplement"]
    dataset, model = supplement["dataset"], supplement["model"]
    if model not in config["models"][dataset]:
        yield f'config key supplement.model is "{model}", but models.{dataset} has no {model}; add that or change this'
        return
    if supplement["layer"] > (last := layers(config, dataset, model)[-1]):
        yield (
            f"config key supplement.layer is {supplement['layer']}; it must be at most {last}, the layers of "
            f"models.{dataset}.{model}"
        )
    if supplement["units"] > (shown := config["units"][dataset]["shown"]):
        yield f"config key supplement.units is {supplement['units']}; it must be at most {shown}, units.{dataset}.shown"


def _contradictions_of_selection(config):
    for dataset, search in config["selection"].items():
        for model in search.keys() & {"dbn", "sdae"}:
            key = f"selection.{dataset}.{model}"
            if model not in config["models"][dataset]:
                yield f"config key {key} is there, but models.{dataset} has no {model}; add that or remove this"
            if "epochs" in search and model not in config["classifiers"][dataset]:
                yield f"config key {key} is there, but classifiers.{dataset} has no {model}; add that or remove this"
            if model == "dbn" and "corrupted" in search[model]:
                yield f"config key {key}.corrupted is there, but a DBN corrupts nothing; remove it"
            if "epochs" not in search and "fine_tuning_rate" in search[model]:
                yield f"config key {key}.fine_tuning_rate is there, but {dataset} has no classes to tell; remove it"


def _contradictions_of_classifiers(config):
    for dataset, starts in config["classifiers"].items():
        for start, settings in starts.items():
            key = f"classifiers.{dataset}.{start}"
            if start != "random" and start not in config["models"][dataset]:
                yield f"config key {key} is there, but models.{dataset} has no {start}; add that or remove this"
            if start != "random" and "units" in settings:
                yield f"config key {key}.units is there, but its units are those of models.{dataset}.{start}; remove it"
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


def _contradictions_of_models(config):
    for dataset, models in config["models"].items():
        for model, settings in models.items():
            for layer in settings:
                if settings[layer]["batch"] > settings[layer]["examples"]:
                    yield (
                        f"config key models.{dataset}.{model}.{layer}.batch is {settings[layer]['batch']}; it must be "
                        f"at most {settings[layer]['examples']}, the examples of the layer"
                    )


def _contradictions_of_units(config):
    for dataset, units in config["units"].items():
        rates = units["activation_maximization"]["learning_rate"]
        for model, settings in config["models"][dataset].items():
            for layer in settings:
                if layer not in rates:
                    key = f"units.{dataset}.activation_maximization.learning_rate.{layer}"
                    yield f"config key {key} is missing, but models.{dataset}.{model} has a {layer}; add it"
                if units["shown"] > settings[layer]["units"]:
                    yield (
                        f"config key units.{dataset}.shown is {units['shown']}; it must be at most "
                        f"{settings[layer]['units']}, the units of models.{dataset}.{model}.{layer}"
                    )
        if (step := units["invariance"]["step"]) in units["invariance"]["variants"]["steps"]:
            yield (
                f"config key units.{dataset}.invariance.variants.steps names {step}, which is the step of "
                f"units.{dataset}.invariance itself; remove it there"
            )
        sampling = units.get("sampling")
        if sampling and sampling["steps"] // sampling["every"] * sampling["chains"] < sampling["kept"]:
            yield (
                f"config key units.{dataset}.sampling.kept is {sampling['kept']}; it must be at most "
                "(steps / every) x chains, the samples that are drawn"
            )


def _key(path):
    return ".".join(map(str, path))


def _show(value):
    return json.dumps(value, default=str)
