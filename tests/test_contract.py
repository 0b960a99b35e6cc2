"""Whatever the schema knows is refused before any job starts if it cannot be meant, with the key and the remedy."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from configuration import fault, schema
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from inheritance import merge
from paper_requirements import paper_requirements

ROOT = Path(__file__).parents[1]
# A part of each kind that the paper's configuration has none of.
OTHERS = {
    "networks": {"mnist": {"cnn": {"module": "mine.py:make", "weights": "w.pt", "layers": ["one"], "units": "flat"}}},
    "pictures": {"rows": {"statements": ["modes"], "where": {"dataset": "mnist"}, "trials": {"as_it_is": {}}}},
    "datasets": {"own": {"reader": "images", "path": "own/", "size": [28, 28], "colour": "grey"}},
}
BASE = merge(yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8")), OTHERS)
SAMPLES = {  # of each type
    "string": "blue",
    "integer": 7,
    "number": 0.25,
    "boolean": True,
    "array": [[]],
    "object": {"blue": 1},
    "null": None,
}


def changed(path, value):
    """Return the configuration with another value at a path of keys."""
    config = place = dict(BASE)
    for part in path[:-1]:
        place[part] = dict(place.get(part, {}))  # what is not on the way is shared
        place = place[part]
    place[path[-1]] = value
    return config


def places(part, config, path=()):
    """Yield the path of each key that the schema knows, and what the schema says of it.

    Where names are the user's, the first of the configuration stands for all.
    """
    part = written_out(part)
    yield path, part
    inner = dict(part.get("properties", {}))
    for pattern, of_pattern in part.get("patternProperties", {}).items():
        inner |= {name: of_pattern for name in config if re.match(pattern, name)} if isinstance(config, dict) else {}
    open_names = part.get("additionalProperties")
    if isinstance(open_names, dict) and isinstance(config, dict):
        names = [name for name in config if name not in inner]
        inner |= {name: open_names for name in names[:1]}
    for name, below in inner.items():
        if "not" not in below:
            yield from places(below, config.get(name) if isinstance(config, dict) else None, (*path, name))


def written_out(part):
    """Return a part of the schema with what it refers to."""
    if "$ref" in part:
        named = schema()["$defs"][part["$ref"].rsplit("/", 1)[1]]
        return merge(written_out(named), {key: value for key, value in part.items() if key != "$ref"})
    return part


def wrong_values(part):
    """Yield values that a part of the schema does not admit."""
    admitted = [part["type"]] if isinstance(part.get("type"), str) else part.get("type", [])
    if "enum" in part or "const" in part:
        allowed = part.get("enum", [part.get("const")])
        yield from (value for value in SAMPLES.values() if value not in allowed)
        return
    if not admitted:
        return
    taken = {"integer": {"integer"}, "number": {"integer", "number"}}
    fine = set().union(*(taken.get(name, {name}) for name in admitted))
    yield from (value for name, value in SAMPLES.items() if name not in fine)
    if fine & {"integer", "number"}:
        yield from (float("nan"), float("inf"))
        yield from () if "string" in fine else ("1e-3",)
    for limit, beyond in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", 0), ("exclusiveMaximum", 0)):
        if limit in part:
            yield part[limit] + beyond
    if "pattern" in part:
        yield from ("", "No Name", "../x")
    if part.get("minItems"):
        yield []
    if part.get("uniqueItems"):
        yield [1, 1]
    if part.get("minProperties"):
        yield {}


def holder(path):
    """Return the mapping of the configuration that a path leads into, or None."""
    place = BASE
    for name in path[:-1]:
        place = place.get(name, {})
    return place or None


# Where a mapping may be left out, its keys are tried where the configuration has it.
PLACES = {".".join(path): (path, part) for path, part in places(schema(), BASE) if path and holder(path)}


def refused(config, *named):
    sentence = fault(config, paper_requirements)
    assert sentence is not None, named
    assert "\n" not in sentence and "config/config.yaml explains every key" in sentence
    assert re.search(
        r"; (it must|raise|count|give|add|remove|put|set|did|the keys|correct)|must be|so remove", sentence
    ), sentence
    for name in named:
        assert name in sentence, sentence
    return sentence


def test_the_schema_is_walked_to_its_ends():
    known = {name for _, part in PLACES.values() for name in part.get("properties", {})}
    assert {"corrupted", "kept", "clip", "perturbation", "fine_tuning_rate", "module", "trials", "fields"} <= known
    assert len(PLACES) > 200 and sum(len([*wrong_values(part)]) for _, part in PLACES.values()) > 1000
    assert fault(BASE, paper_requirements) is None


@pytest.mark.parametrize("part", sorted({key.split(".")[0] for key in PLACES}))
def test_every_key_refuses_what_it_cannot_mean(part):
    """Where the same definition stands at several keys, it is tried at one of each name."""
    tried = set()
    for key, (path, definition) in PLACES.items():
        same = (path[-1], repr(definition))
        if path[0] != part or same in tried:
            continue
        tried.add(same)
        for value in wrong_values(definition):
            refused(changed(path, value), key)


@pytest.mark.parametrize("part", sorted({key.split(".")[0] for key in PLACES}))
def test_every_mapping_refuses_a_misspelt_key(part):
    tried = set()
    for key, (path, definition) in PLACES.items():
        if path[0] != part or definition.get("additionalProperties") is not False or repr(definition) in tried:
            continue
        tried.add(repr(definition))
        for name in definition.get("properties", ()):
            refused(changed((*path, f"{name}x"), 1), f"{key}.{name}x", f"did you mean {name}?")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    key=st.sampled_from(sorted(PLACES)),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=5,
    ),
)
@example(key="datasets.mnist.deformation", value={"\n": None})
def test_any_value_anywhere_is_taken_or_refused_in_one_sentence(key, value):
    sentence = fault(changed(PLACES[key][0], value), paper_requirements)
    assert sentence is None or sentence.startswith(("config key ", "the name ")) and "\n" not in sentence


def without(*keys):
    config = copy.deepcopy(BASE)
    for key in keys:
        *path, name = key.split(".")
        place = config
        for part in path:
            place = place[part]
        del place[name]
    return config


IMPOSSIBLE = {  # a configuration, and what its refusal names
    "samples of an SDAE": (
        merge(without("models.mnist.dbn", "classifiers.mnist.dbn", "selection.mnist.dbn"), {}),
        "units.mnist.sampling is there, but models.mnist has no DBN; remove it",
    ),
    "more filters than units": (
        changed(("models", "mnist", "dbn", "layer1", "units"), 99),
        "units.mnist.linear_combination.kept is 100; it must be at most 99, the units of models.mnist.dbn.layer1",
    ),
    "more samples than drawn": (
        changed(("units", "mnist", "sampling", "kept"), 10**6),
        "units.mnist.sampling.kept is 1000000; it must be at most",
    ),
    "a layer beyond the stack": (
        changed(("models", "mnist", "dbn", "layer5"), {}),
        "models.mnist.dbn.layer5 is there, but models.mnist.dbn.layers",
    ),
    "a study beyond the stack": (changed(("supplement", "layer"), 4), "supplement.layer is 4; it must be at most 3"),
    "a gap in a network": (
        changed(("classifiers", "mnist", "random", "units"), {"layer1": 5, "layer2": 5, "layer5": 5}),
        "classifiers.mnist.random.units.layer5 is there, but there is no layer",
    ),
    "probabilities that are centred": (
        changed(("models", "mnist", "sdae", "layer2", "visible"), "centred"),
        'models.mnist.sdae.layer2.visible is "centred", but what the layer sees are probabilities; set it',
    ),
    "a dataset of a figure removed": (
        without("datasets.natural_images"),
        "models.natural_images is there, but datasets has no natural_images; add that or remove this",
    ),
    "all of a figure's dataset removed": (
        without(*(f"{part}.silhouettes" for part in ("datasets", "models", "classifiers", "units", "selection"))),
        "models.silhouettes.sdae is missing, but Figure 2 shows it; give it a value",
    ),
    "a model of a figure removed": (
        without("models.natural_images.dbn", "selection.natural_images.dbn", "units.natural_images.sampling")
        | {"units": without("units.natural_images.sampling", "units.natural_images.linear_combination")["units"]},
        "models.natural_images.dbn is missing, but Figure 2 shows it",
    ),
    "units of nothing": (changed(("units", "own"), {}), "units.own is there, but"),
    "a classifier of nothing": (
        changed(("classifiers", "mnist", "smooth"), {"from": "none"}),
        "classifiers.mnist.smooth is there, but models.mnist has no none; add that or remove this",
    ),
    "a seed twice": (changed(("seeds",), [BASE["seed"]]), "seeds has 1355, the seed already"),
    "a reader without its options": (
        without("datasets.natural_images.clip"),
        "datasets.natural_images.clip is missing",
    ),
    "an option without its reader": (
        changed(("datasets", "mnist", "clip"), 2.0),
        "datasets.mnist.clip is there, but the reader mnist takes none; remove it",
    ),
    "a reader that is none": (changed(("datasets", "mnist", "reader"), "sources"), "datasets.mnist.reader is"),
    "a key of the other kind": (
        changed(("models", "mnist", "dbn", "layer1", "corrupted"), 0.5),
        "models.mnist.dbn.layer1.corrupted is unknown",
    ),
    "more units shown than there are": (changed(("units", "mnist", "shown"), 501), "units.mnist.shown is 501"),
    "a batch of more than there is": (
        changed(("models", "mnist_rot", "sdae", "layer1", "batch"), 400_001),
        "models.mnist_rot.sdae.layer1.batch is 400001; it must be at most 400000",
    ),
    "a search of nothing": (changed(("selection", "own"), {"examples": 5}), "selection.own is there, but"),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_what_does_not_fit_together_is_refused(what):
    config, sentence = IMPOSSIBLE[what]
    refused(config, f"config key {sentence}")


@pytest.mark.parametrize(
    ("changes", "target", "sentence"),
    [
        (
            "models: {mnist: {sdae: {layer1: {corrupted: 2}}}}",
            "all",
            "models.mnist.sdae.layer1.corrupted is 2; it must",
        ),
        ("models: {mnist: {dbn: {layr1: {}}}}", "all", "models.mnist.dbn.layr1 is unknown; did you mean layer1?"),
        ("{}", "results/units/mnist/sdae/layer2/sampling.npz", "but it is no DBN; ask for those of a DBN"),
        ("{}", "results/models/mnist/dbn/layer9.npz", "has layers 1 to 3; ask for one of these"),
        ("data: {directory: nowhere}", "all", "config key data.directory names"),
    ],
)
def test_snakemake_starts_no_job(tmp_path, changes, target, sentence):
    (tmp_path / "changes.yaml").write_text(changes)
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(ROOT / "Snakefile"), "--configfile"]
    done = subprocess.run(
        [*command, "changes.yaml", "--", target],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("error: ")]
    assert done.returncode and len(said) == 1 and sentence in said[0], done.stdout + done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "results").exists()
