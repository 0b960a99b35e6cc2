"""A configuration that cannot be meant is refused in one sentence that names the key."""

import copy
import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from configuration import fault, layers  # noqa: E402

# What a search goes through, how deep a random network is, and rates for the layers that the models have.
MAY_BE_LEFT_OUT = re.compile(
    r"selection\..+\.(dbn|sdae)\..+|classifiers\..+\.random\.units\.layer3|.+activation_maximization\.learning_rate\..+"
)


def load(name):
    return yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))


def merged(base, changes):
    """Return `base` with `changes` laid over it, mapping by mapping, as Snakemake does."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def changed(key, value):
    """Return the paper's configuration with one dotted key set."""
    changes = value
    for part in reversed(key.split(".")):
        changes = {part: changes}
    return merged(load("config.yaml"), changes)


def leaves(mapping, path=()):
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield ".".join((*path, key)), value


def test_both_configurations_are_sound():
    assert fault(load("config.yaml")) is None
    assert fault(merged(load("config.yaml"), load("quick.yaml"))) is None


def test_the_quick_configuration_only_overrides():
    paper = dict(leaves(load("config.yaml")))
    quick = dict(leaves(load("quick.yaml")))
    assert set(quick) <= set(paper)
    assert {key for key, value in quick.items() if paper[key] == value} == set()


@pytest.mark.parametrize("key", [key for key, _ in leaves(load("config.yaml"))])
def test_every_key_is_needed_and_none_may_be_misspelt(key):
    config = load("config.yaml")
    *path, name = key.split(".")
    place = config
    for part in path:
        place = place[part]
    value = place.pop(name)
    if not MAY_BE_LEFT_OUT.fullmatch(key):
        assert f"config key {key} is missing;" in fault(config)
    place[f"{name}x"] = value
    assert f"config key {key}x is unknown; did you mean {name}?" in fault(config)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("seed", -1, "config key seed is -1; it must be at least 0 ("),
        ("seed", 3.0, "config key seed is 3.0; it must be a whole number ("),
        ("seed", True, "config key seed is true; it must be a whole number ("),
        ("device", "tpu", 'config key device is "tpu"; it must be "auto" or "cpu" or "gpu" ('),
        ("models.mnist.dbn.layer1.learning_rate", -0.1, "is -0.1; it must be greater than 0 ("),
        ("models.mnist.dbn.layer1.learning_rate", 0, "is 0; it must be greater than 0 ("),
        ("models.mnist.dbn.layer1.learning_rate", float("nan"), "is NaN; it must be a number ("),
        ("models.mnist.dbn.layer1.learning_rate", "1e-3", 'is "1e-3"; it must be a number; YAML takes it for a text'),
        ("models.mnist.sdae.layer2.examples", "2.5e6", 'is "2.5e6"; it must be a whole number; YAML takes it'),
        ("models.mnist.sdae.layer2.examples", 2.5e6, "is 2500000.0; it must be a whole number ("),
        ("models.mnist.sdae.layer2.examples", 0, "is 0; it must be at least 1 ("),
        ("models.mnist.sdae.layer2.corrupted", 1.1, "is 1.1; it must be at most 1 ("),
        ("models.mnist.sdae.layer3.momentum", 1, "is 1; it must be less than 1 ("),
        ("models.mnist.dbn.layer2.persistent", "yes please", "it must be true or false ("),
        ("models.mnist.dbn.layer2", 500, "is 500; it must be a mapping of keys to values ("),
        ("models.mnist.sdae.layer3.batch", 2500001, "is 2500001; it must be at most 2500000, the examples"),
        ("units.mnist.shown", 35, "is 35; it must be at least 36 ("),
        ("units.natural_images.shown", 143, "is 143; it must be at least 144 ("),
        ("units.silhouettes.shown", 143, "is 143; it must be at least 144 ("),
        ("units.mnist_rot.shown", 0, "is 0; it must be at least 1 ("),
        ("units.natural_images.activation_maximization.restarts", 8, "is 8; it must be at least 9 ("),
        ("datasets.natural_images.clip", 0, "is 0; it must be greater than 0 ("),
        ("datasets.natural_images.patches", 9, "is 9; it must be at least 10 ("),
        ("models.mnist.dbn.layer1.visible", "centred", 'is "centred"; it must be "bernoulli" or "gaussian" ('),
        ("models.natural_images.dbn.layer1.visible_variance", 0, "is 0; it must be greater than 0 ("),
        ("classifiers.mnist.dbn.patience", 0, "is 0; it must be at least 1 ("),
        ("classifiers.mnist.dbn.batch", 50001, "is 50001; it must be at most 50000, the examples of an epoch ("),
        ("classifiers.mnist.sdae.units", {"layer1": 5}, "is there, but its units are those of models.mnist.sdae; rem"),
        ("selection.mnist.sdae.units", [], "it must have at least 1 of them ("),
        ("selection.mnist.dbn.corrupted", [0.5], "is there, but a DBN corrupts nothing; remove it ("),
        (
            "models.mnist.dbn.layer1.visible",
            "centred",
            'is "centred"; it must be "bernoulli" or "gaussian" (',
        ),
        ("classifiers.mnist_rot.sdae.refit", 61, "is 61; it must be at most 60, all epochs ("),
        ("classifiers.mnist_rot.sdae.refit", -1, "is -1; it must be at least 0 ("),
        ("selection.natural_images.dbn.fine_tuning_rate", [0.5], "natural_images has no classes to tell; remove it ("),
        ("supplement.dataset", "cifar", 'is "cifar"; it must be "mnist" or "natural_images" or "silhouettes" or'),
        ("supplement.layer", 1, "is 1; it must be at least 2 ("),
        ("supplement.units", 2, "is 2; it must be at least 3 ("),
        ("supplement.units", 37, "is 37; it must be at most 36, units.mnist.shown ("),
        ("supplement.searches.max_steps", 1, "is 1; it must be at least 2 ("),
        ("supplement.transformations.scaling", 1.0, "is 1.0; it must be greater than 1 ("),
        ("supplement.transformations.rotation", 181, "is 181; it must be at most 180 ("),
        ("supplement.transformations.top", 0, "is 0; it must be greater than 0 ("),
        ("supplement.preconditioned.restarts", 3, "is 3; it must be at least 4 ("),
        ("units.mnist.invariance.epsilons", 2, "is 2; it must be at least 3 ("),
        ("units.mnist.invariance.perturbation", 0, "is 0; it must be greater than 0 ("),
        ("units.mnist.invariance.step", "white", 'is "white"; it must be "whitened" or "plain" or "tangent" ('),
        ("units.mnist.invariance.threshold", 1, "is 1; it must be less than 1 ("),
        ("units.mnist.invariance.max_steps", 1, "is 1; it must be at least 2 ("),
        ("units.mnist.invariance.variants.regularizations", [0.1, 0], "is 0; it must be greater than 0 ("),
        (
            "units.mnist.invariance.variants.steps",
            ["plain", "whitened"],
            "names whitened, which is the step of units.mn",
        ),
        ("units.mnist_rot.invariance.output.trials", 3, "is 3; it must be at least 4 ("),
        ("units.mnist_rot.activation_maximization.output.restarts", 8, "is 8; it must be at least 9 ("),
        ("data.directory", 7, "is 7; it must be a text or null ("),
        ("data.sources", ["mirrors", "mirrors"], "it must name nothing twice ("),
        ("data.sources", [], "it must have at least 1 of them ("),
        ("data.sources", ["pigeon"], 'config key data.sources.0 is "pigeon"; it must be "directory" or'),
        ("data.sources", "npm", "it must be a list ("),
    ],
)
def test_wrong_values_are_named(key, value, sentence):
    found = fault(changed(key, value))
    assert sentence in found
    assert key in found
    assert "\n" not in found


def test_a_misspelt_key_beats_the_keys_that_it_makes_missing():
    config = load("config.yaml")
    config["models"]["mnist"]["dbn"]["layer1"] = {"unit": 500}
    assert "models.mnist.dbn.layer1.unit is unknown; did you mean units?" in fault(config)


def test_a_key_like_no_other_gets_the_list():
    assert "config key zebra is unknown; the keys here are seed, device," in fault(changed("zebra", 1))


def test_layers_have_no_gaps():
    layer = load("config.yaml")["models"]["mnist"]["dbn"]["layer3"]
    found = fault(changed("models.mnist.dbn.layer5", layer))
    assert "models.mnist.dbn.layer4 is missing; number layers without gaps" in found


def test_another_layer_needs_its_settings_everywhere():
    config = load("config.yaml")
    config["models"]["mnist"]["dbn"]["layer4"] = config["models"]["mnist"]["dbn"]["layer3"]
    assert "units.mnist.activation_maximization.learning_rate.layer4 is missing" in fault(config)
    config["units"]["mnist"]["activation_maximization"]["learning_rate"]["layer4"] = 1.0
    assert fault(config) is None
    assert layers(config, "mnist", "dbn") == [1, 2, 3, 4]


def test_a_layer_cannot_show_more_units_than_it_has():
    assert fault(changed("models.mnist.sdae.layer2.units", 36)) is None
    found = fault(changed("models.mnist.sdae.layer2.units", 35))
    assert re.match(r"config key units\.mnist\.shown is 36; it must be at most 35, .*mnist\.sdae\.layer2 \(", found)


def test_more_samples_cannot_be_kept_than_are_drawn():
    found = fault(changed("units.mnist.sampling", {"steps": 50, "every": 10, "chains": 3, "kept": 16}))
    assert "units.mnist.sampling.kept is 16" in found
    assert fault(changed("units.mnist.sampling", {"steps": 50, "every": 10, "chains": 3, "kept": 15})) is None


def without(key):
    """Return the paper's configuration without a dotted key."""
    config = load("config.yaml")
    *path, name = key.split(".")
    place = config
    for part in path:
        place = place[part]
    del place[name]
    return config


def test_a_model_may_be_left_out_with_all_that_is_made_of_it():
    config = without("models.mnist_rot.dbn")
    assert "classifiers.mnist_rot.dbn is there, but models.mnist_rot has no dbn; add that or remove" in fault(config)
    del config["classifiers"]["mnist_rot"]["dbn"]
    assert "selection.mnist_rot.dbn is there, but models.mnist_rot has no dbn; add that or remove" in fault(config)
    del config["selection"]["mnist_rot"]["dbn"]
    assert fault(config) is None
    config["models"]["mnist_rot"] = {}
    assert "config key models.mnist_rot is empty; give it one of dbn, sdae (" in fault(config)


@pytest.mark.parametrize(
    "key",
    [
        *("models.mnist.dbn", "models.natural_images.sdae", "models.silhouettes.sdae", "models.mnist_rot.sdae"),
        *("classifiers.mnist_rot.sdae", "units.natural_images.sampling"),
    ],
)
def test_what_a_figure_shows_must_be_there(key):
    assert f"config key {key} is missing; give it a value (" in fault(without(key))


def test_a_search_needs_the_classifier_whose_error_decides():
    found = fault(without("classifiers.silhouettes.sdae"))
    assert "config key selection.silhouettes.sdae is there, but classifiers.silhouettes has no sdae;" in found
    assert fault(without("selection.silhouettes")) is None


def test_the_supplement_studies_a_layer_that_is_there():
    found = fault(changed("supplement.layer", 4))
    assert "config key supplement.layer is 4; it must be at most 3, the layers of models.mnist.sdae (" in found
    config = without("models.silhouettes.dbn")
    del config["classifiers"]["silhouettes"]["dbn"], config["selection"]["silhouettes"]["dbn"]
    config["supplement"] |= {"dataset": "silhouettes", "model": "dbn"}
    assert 'config key supplement.model is "dbn", but models.silhouettes has no dbn; add that or ch' in fault(config)
    config["supplement"]["model"] = "sdae"
    assert fault(config) is None


def test_real_numbers_need_their_variance():
    found = fault(changed("models.mnist.dbn.layer1.visible", "gaussian"))
    assert "config key models.mnist.dbn.layer1.visible_variance is missing; give it a value (" in found


def test_a_sparsity_target_needs_its_cost():
    found = fault(changed("models.mnist.dbn.layer1.sparsity_target", 0.1))
    assert "config key models.mnist.dbn.layer1.sparsity_cost is missing; give it a value (" in found
