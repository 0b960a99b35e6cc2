"""A configuration that cannot be meant is refused in one sentence that names the key."""

import copy
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from configuration import fault, schema
from inheritance import layers, merge, resolve
from paper_requirements import LEAST, NEEDED, paper_requirements

ROOT = Path(__file__).parents[1]


@cache
def parsed(name):
    return yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))


def load(name):
    return copy.deepcopy(parsed(name))


def changed(key, value):
    """Return the paper's configuration with one dotted key set."""
    changes = value
    for part in reversed(key.split(".")):
        changes = {part: changes}
    return merge(load("config.yaml"), changes)


def leaves(mapping, path=()):
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield ".".join((*path, key)), value


def holder(config, key):
    """Return the mapping that holds a dotted key, and its last part."""
    *path, name = key.split(".")
    for part in path:
        config = config[part]
    return config, name


def without(key):
    """Return the paper's configuration without a dotted key."""
    config = load("config.yaml")
    place, name = holder(config, key)
    del place[name]
    return config


def test_both_configurations_are_sound():
    assert fault(load("config.yaml"), paper_requirements) is None
    assert fault(merge(load("config.yaml"), load("quick.yaml")), paper_requirements) is None


def test_every_value_of_the_quick_configuration_makes_a_difference():
    paper, quick = load("config.yaml"), dict(leaves(load("quick.yaml")))
    resolved = resolve(merge(paper, load("quick.yaml")))
    for key in quick:
        changes = load("quick.yaml")
        place, name = holder(changes, key)
        del place[name]
        assert resolve(merge(paper, changes)) != resolved, key


KEYS = [key for key, _ in leaves(load("config.yaml"))]
MODEL_ELSE = re.compile(r"selection\.\w+\.(examples|epochs)")  # misspelt, these would name a model
# What may be there or not: a layer's rate, a deeper layer of a random network, a grid of the search.
OPTIONAL = re.compile(r"defaults\..+\.learning_rate\.layer\d|defaults\..+\.units\.layer[23]|defaults\.dbn\.layer1\..+")


@pytest.mark.parametrize("key", [key for key in KEYS if not MODEL_ELSE.fullmatch(key)])
def test_no_key_may_be_misspelt(key):
    config = load("config.yaml")
    place, name = holder(config, key)
    place[f"{name}x"] = place.pop(name)
    assert f"config key {key}x is unknown; did you mean {name}?" in fault(config)


@pytest.mark.parametrize("key", [key for key in KEYS if key.startswith("defaults.") and not OPTIONAL.fullmatch(key)])
def test_every_default_is_needed(key):
    assert f"config key {key} is missing;" in fault(without(key))


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
        ("units.mnist.shown", 35, "is 35; it must be at least 36, which Figure 1 shows ("),
        ("units.natural_images.shown", 143, "is 143; it must be at least 144, which Figure 2 shows ("),
        ("units.silhouettes.shown", 143, "is 143; it must be at least 144, which Figure 2 shows ("),
        ("units.mnist_rot.shown", 0, "is 0; it must be at least 1 ("),
        ("units.natural_images.activation_maximization.restarts", 8, "is 8; it must be at least 9, which Fig"),
        ("datasets.natural_images.clip", 0, "is 0; it must be greater than 0 ("),
        ("datasets.natural_images.patches", 9, "is 9; it must be at least 10 ("),
        ("models.mnist.dbn.layer1.visible", "centred", 'is "centred"; it must be "bernoulli" or "gaussian" ('),
        ("models.natural_images.dbn.layer1.visible_variance", 0, "is 0; it must be greater than 0 ("),
        ("classifiers.mnist.dbn.patience", 0, "is 0; it must be at least 1 ("),
        ("classifiers.mnist.dbn.batch", 50001, "is 50001; it must be at most 50000, the examples of an epoch ("),
        ("classifiers.mnist.sdae.units", {"layer1": 5}, "is there, but its units are those of models.mnist.sdae; rem"),
        ("selection.mnist.sdae.units", [], "it must have at least 1 of them ("),
        ("selection.mnist.dbn.corrupted", [0.5], "is there, but a DBN corrupts nothing; remove it ("),
        ("classifiers.mnist_rot.sdae.refit", 61, "is 61; it must be at most 60, all epochs ("),
        ("classifiers.mnist_rot.sdae.refit", -1, "is -1; it must be at least 0 ("),
        ("selection.natural_images.dbn.fine_tuning_rate", [0.5], "natural_images has no classes to tell; remove it ("),
        (
            "supplement.dataset",
            "cifar",
            'is "cifar"; it must be one of mnist, natural_images, silhouettes, mnist_rot (',
        ),
        ("datasets.mnist.reader", "cifar", 'is "cifar"; it must be one of images, mnist, mnist_rot, nat'),
        ("datasets.mnist.patches", 100, "is there, but the reader mnist takes none; remove it ("),
        ("datasets.mnist.edge", "wrap", 'is "wrap"; it must be "grid-constant" or "nearest" ('),
        ("models.mnist.dbn.kind", "sdae", 'is "sdae"; it must be "dbn" ('),
        ("models.mnist.dbn.layers", 2, "config key models.mnist.dbn.layers is 2; it must be at least 3, which the"),
        ("models.mnist.dbn.each.units", 0, "is 0; it must be at least 1 ("),
        ("defaults.sdae.each.corrupted", 2, "is 2; it must be at most 1 ("),
        ("units.mnist_rot.invariance.output.variants", {}, "has no place there; remove it ("),
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
        ("units.mnist_rot.invariance.output.trials", 3, "is 3; it must be at least 4, which Figure 6 shows ("),
        ("units.mnist_rot.activation_maximization.output.restarts", 8, "is 8; it must be at least 9, which Fig"),
        ("data.directory", 7, "is 7; it must be a text or null ("),
        ("data.sources", ["mirrors", "mirrors"], "it must name nothing twice ("),
        ("data.sources", [], "it must have at least 1 of them ("),
        ("data.sources", ["pigeon"], 'config key data.sources.0 is "pigeon"; it must be "directory" or'),
        ("data.sources", "npm", "it must be a list ("),
    ],
)
def test_wrong_values_are_named(key, value, sentence):
    found = fault(changed(key, value), paper_requirements)
    assert sentence in found
    assert key in found
    assert "\n" not in found


def test_a_misspelt_key_beats_the_keys_that_it_makes_missing():
    config = load("config.yaml")
    config["models"]["mnist"]["dbn"]["layer1"] = {"unit": 500}
    assert "models.mnist.dbn.layer1.unit is unknown; did you mean units?" in fault(config)


def test_a_key_like_no_other_gets_the_list():
    assert "config key zebra is unknown; the keys here are seed, pictures, seeds," in fault(changed("zebra", 1))


def test_names_are_plain():
    assert 'the name "My data" under datasets must be' in fault(changed("datasets.My data", {"reader": "mnist"}))


def test_a_layer_that_the_model_does_not_have_is_refused():
    found = fault(changed("models.mnist.dbn.layer5", {"units": 7}))
    assert "models.mnist.dbn.layer5 is there, but models.mnist.dbn.layers has fewer; raise it to 5" in found


def test_another_layer_needs_its_settings_everywhere():
    config = changed("models.mnist.dbn.layers", 4)
    assert "units.mnist.activation_maximization.learning_rate.layer4 is missing" in fault(config)
    config["units"]["mnist"]["activation_maximization"]["learning_rate"]["layer4"] = 1.0
    assert fault(config) is None
    assert layers(resolve(config), "mnist", "dbn") == [1, 2, 3, 4]


# --- what each part inherits ---


def test_a_layer_inherits_from_the_general_to_the_special():
    config = load("config.yaml")
    config["models"]["mnist"]["wide"] = {"kind": "dbn", "each": {"units": 11, "batch": 12}, "layer2": {"batch": 13}}
    config["defaults"]["dbn"] |= {"layer2": {"units": 21, "momentum": 0.5}}
    found = resolve(config)["models"]["mnist"]["wide"]
    assert [found[layer]["units"] for layer in found] == [11, 11, 11]
    assert [found[layer]["batch"] for layer in found] == [12, 13, 12]
    assert [found[layer]["momentum"] for layer in found] == [0.0, 0.5, 0.0]
    assert [found[layer]["persistent"] for layer in found] == [False, True, True]
    assert resolve(config)["kinds"]["mnist"] == {"dbn": "dbn", "sdae": "sdae", "wide": "dbn"}


def test_a_classifier_inherits_from_the_general_to_the_special():
    config = load("config.yaml")
    config["classifiers"]["mnist"] = {"each": {"epochs": 3, "batch": 4}, "dbn": {"batch": 5}, "random": {}}
    found = resolve(config)["classifiers"]["mnist"]
    assert (found["dbn"]["epochs"], found["dbn"]["batch"], found["dbn"]["refit"]) == (3, 5, 0)
    assert found["random"]["units"] == {"layer1": 500, "layer2": 500, "layer3": 500}
    assert found["random"]["batch"] == 4 and "units" not in found["dbn"] and "each" not in found


def test_tools_are_used_where_they_are_named():
    config = load("config.yaml")
    config["units"]["mnist"] = {"sampling": {"chains": 3}}
    found = resolve(config)["units"]["mnist"]
    assert found["sampling"] == config["defaults"]["units"]["sampling"] | {"chains": 3}
    assert found["invariance"] == config["defaults"]["units"]["invariance"] and "linear_combination" not in found


def test_tools_of_dbns_need_one():
    config = changed("units.digits", {"sampling": {}})
    config["datasets"]["digits"] = {"reader": "mnist"}
    config["models"]["digits"] = {"sdae": {}}
    assert "units.digits.sampling is there, but models.digits has no DBN; remove it" in fault(config)
    config["models"]["digits"]["dbn"] = {}
    assert fault(config) is None


def test_resolving_leaves_the_configuration_as_it_is():
    config = load("config.yaml")
    resolve(config)["models"]["mnist"]["dbn"]["layer1"]["units"] = 7
    assert config == load("config.yaml")


def test_datasets_and_models_of_other_names_need_no_more_than_a_few_lines():
    config = changed("datasets.digits", {"reader": "mnist"})
    config["models"]["digits"] = {"small": {"kind": "sdae", "each": {"units": 40}}}
    config["units"]["digits"] = {"activation_maximization": {"restarts": 2}}
    config["classifiers"]["digits"] = {"small": {"epochs": 3}}
    assert fault(config, paper_requirements) is None
    config["classifiers"]["digits"] = {"large": {}}
    assert "classifiers.digits.large is there, but models.digits has no large; add that" in fault(config)
    del config["datasets"]["digits"]
    assert "models.digits is there, but datasets has no digits; add that or remove this" in fault(config)
    assert "models.mnist.other.kind is missing" in fault(changed("models.mnist.other", {"layers": 2}))


def test_the_example_of_the_guide_is_sound():
    guide = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    examples = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)]
    assert len(examples) == 3
    assert [fault(merge(load("config.yaml"), example), paper_requirements) for example in examples] == [None] * 3


def test_a_network_of_the_user_has_layers_and_a_name_of_its_own():
    network = {"module": "mine.py:make", "layers": ["first", "last"]}
    assert fault(changed("networks.mnist.mine", network), paper_requirements) is None
    assert "networks.mnist.dbn has the name of a model in models.mnist; g" in fault(
        changed("networks.mnist.dbn", network)
    )
    found = fault(changed("networks.mnist.mine", network | {"layers": ["a", "b", "c", "d"]}))
    assert "learning_rate.layer4 is missing, but networks.mnist.mine has a layer 4; add it" in found
    assert "networks.mnist.mine.layers is missing; give it a value" in fault(
        changed("networks.mnist.mine.module", "a:b")
    )
    found = fault(changed("networks.mnist_originals.mine", network))
    assert "networks.mnist_originals is there, but units has no mnist_originals; add units.mnist_originals" in found
    alone = changed("networks.digits.mine", network)
    alone["datasets"]["digits"], alone["units"]["digits"] = {"reader": "mnist"}, {}
    assert fault(alone, paper_requirements) is None
    alone["networks"] = {}
    assert "units.digits is there, but neither models nor networks has digits; add it to one" in fault(alone)


@pytest.mark.parametrize("name", ["each", "random"])
def test_a_model_has_no_name_that_classifiers_need(name):
    found = fault(changed(f"models.mnist.{name}", {"kind": "sdae"}))
    assert f"config key models.mnist.{name} has a name that classifiers need; give it another" in found


def test_what_the_schema_knows_is_explained():
    """Each key is at least named where the configuration explains itself."""
    text = "".join((ROOT / "config" / name).read_text(encoding="utf-8") for name in ("config.yaml", "README.md"))
    assert {key for key in properties(schema()) if not re.search(rf"\b{key}\b", text)} == set()


def properties(part):
    """Yield the names of all properties in a schema."""
    if isinstance(part, dict):
        yield from part.get("properties", {})
        for value in part.values():
            yield from properties(value)


def test_a_layer_cannot_show_more_units_than_it_has():
    assert fault(changed("models.mnist.sdae.layer2.units", 36)) is None
    found = fault(changed("models.mnist.sdae.layer2.units", 35))
    assert re.match(r"config key units\.mnist\.shown is 36; it must be at most 35, .*mnist\.sdae\.layer2 \(", found)


def test_more_samples_cannot_be_kept_than_are_drawn():
    found = fault(changed("units.mnist.sampling", {"steps": 50, "every": 10, "chains": 3, "kept": 16}))
    assert "units.mnist.sampling.kept is 16" in found
    assert fault(changed("units.mnist.sampling", {"steps": 50, "every": 10, "chains": 3, "kept": 15})) is None


def test_a_model_may_be_left_out_with_all_that_is_made_of_it():
    config = without("models.mnist_rot.dbn")
    assert "classifiers.mnist_rot.dbn is there, but models.mnist_rot has no dbn; add that or remove" in fault(config)
    del config["classifiers"]["mnist_rot"]["dbn"]
    config["classifiers"]["mnist_rot"]["smooth"]["from"] = "sdae"
    assert "selection.mnist_rot.dbn is there, but models.mnist_rot has no dbn; add that or remove" in fault(config)
    del config["selection"]["mnist_rot"]["dbn"]
    assert fault(config) is None
    config["models"]["mnist_rot"] = {}
    assert "config key models.mnist_rot is empty; put something there or take it away (" in fault(config)


@pytest.mark.parametrize("key", NEEDED)
def test_what_a_figure_shows_must_be_there(key):
    [*found] = paper_requirements(resolve(without(key)))
    assert f"config key {key} is missing, but {NEEDED[key]} shows it; give it a value" in found


@pytest.mark.parametrize("key", LEAST)
def test_a_figure_shows_no_fewer(key):
    least, figure = LEAST[key]
    assert f"at least {least}, which {figure} shows" in fault(changed(key, least - 1), paper_requirements)


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
