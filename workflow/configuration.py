"""The configuration is refused, in one sentence, if it cannot be meant."""

import json
import math
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from contradictions import contradictions
from inheritance import resolve
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


def fault(config, *demands):
    """Return what is wrong with the configuration as it is written, one sentence, or None.

    Parameters
    ----------
    config : dict
    *demands : callable
        Given the resolved configuration, yields sentences about what else is wrong with it.
    """
    errors = list(Validator(schema()).iter_errors(config))
    if errors:
        return f"{_sentence(min(errors, key=_urgency))} ({WHERE})."
    resolved = resolve(config)
    found = next((sentence for demand in (contradictions, *demands) for sentence in demand(resolved)), None)
    return found and f"{found} ({WHERE})."


@cache
def schema():
    """Return the schema, in which ``complete`` is written out as what is required."""
    loaded = json.loads(SCHEMA.read_text())
    _write_out(loaded, loaded["$defs"])
    return loaded


def _write_out(part, definitions):
    if isinstance(part, dict):
        if "complete" in part:
            named = definitions[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
            part["required"] = [key for key in named["properties"] if key not in part["complete"]]
        for value in part.values():
            _write_out(value, definitions)


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
        case "type":
            demand = "be " + " or ".join(TYPES[name] for name in ([limit] if isinstance(limit, str) else limit))
        case "enum":
            demand = "be " + " or ".join(map(_show, limit))
        case "const":
            demand = f"be {_show(limit)}"
        case "minimum":
            demand = f"be at least {limit}"
        case "maximum":
            demand = f"be at most {limit}"
        case "exclusiveMinimum":
            demand = f"be greater than {limit}"
        case "exclusiveMaximum":
            demand = f"be less than {limit}"
        case "minProperties":
            return f"config key {key} is empty; put something there or take it away"
        case "minItems":
            demand = f"have at least {limit} of them"
        case "maxItems":
            demand = f"have at most {limit} of them"
        case "uniqueItems":
            demand = "name nothing twice"
        case "pattern":  # of a name
            where = f" under {key}" if key else ""
            return f'the name {_show(error.instance)}{where} must be lower-case letters, digits and "_", a letter first'
        case "not":
            return f"config key {key} has no place there; remove it"
        case _:
            demand = f"obey {error.validator}: {limit}"
    return f"config key {key} is {_show(error.instance)}; it must {demand}{_hint(error.instance)}"


def _unknown(error):
    known = [*error.schema.get("properties", {})]
    patterns = error.schema.get("patternProperties", {})
    if patterns:
        known += ["layer1", "layer2", "layer3"]
    unknown = next(name for name in error.instance if name not in known and not _is_layer(name, patterns))
    near = get_close_matches(str(unknown), known, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(known)}"
    return f"config key {_key([*error.absolute_path, unknown])} is unknown; {remedy}"


def _is_layer(name, patterns):
    return bool(patterns) and str(name).startswith("layer") and str(name)[5:].isdigit() and str(name)[5] != "0"


def _hint(value):
    """Say what YAML does to 1e-3, if `value` is such a number."""
    try:
        float(value if isinstance(value, str) else "")
    except ValueError:
        return ""
    return "; YAML takes it for a text, so write 1.0e-3 for 1e-3, 2500000 for 2.5e6, and no quotes"


def _key(path):
    return ".".join(part if part and part.isprintable() else _show(part) for part in map(str, path))


def _show(value):
    return json.dumps(value, default=str)
