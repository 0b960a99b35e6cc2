"""The search: a point reaches every layer and the classifier, and the winners are read back as a configuration."""

import pytest

from deepunits.selection import as_configuration, classifier_settings, layer_settings, winners

LAYERS = {"layer1": {"units": 7, "learning_rate": 0.1, "batch": 5}, "layer2": {"units": 5, "learning_rate": 0.2}}
POINT = {"units": 11, "corrupted": 0.3, "fine_tuning_rate": 0.7}


def test_a_point_replaces_what_it_names_in_every_layer():
    settings = layer_settings(LAYERS, POINT, examples=300)
    assert settings == {
        "layer1": {"units": 11, "learning_rate": 0.1, "batch": 5, "corrupted": 0.3, "examples": 300},
        "layer2": {"units": 11, "learning_rate": 0.2, "corrupted": 0.3, "examples": 300},
    }
    assert LAYERS["layer1"]["units"] == 7


@pytest.mark.parametrize(("point", "rate"), [(POINT, 0.7), ({"units": 11}, 0.5)])
def test_a_point_may_name_the_rate_of_the_classifier(point, rate):
    settings = classifier_settings({"learning_rate": 0.5, "batch": 3, "epochs": 50, "patience": 5}, point, epochs=9)
    assert settings == {"learning_rate": rate, "batch": 3, "epochs": 9, "patience": 9}


def trial(dataset, model, score, layers=2, **point):
    return {"dataset": dataset, "model": model, "score": score, "layers": layers, "point": point}


def test_the_least_error_wins_for_each_model():
    tried = [
        trial("mnist", "dbn", 0.3, units=5),
        trial("mnist", "dbn", 0.1, units=7),
        trial("mnist", "dbn", 0.1, units=11),
        trial("mnist", "sdae", 0.2, units=13),
        trial("natural_images", "dbn", 70.0, units=3),
    ]
    assert winners(tried) == [tried[1], tried[3], tried[4]]


def test_winners_are_said_as_the_configuration_says_them():
    best = [trial("mnist", "dbn", 0.1, **POINT), trial("natural_images", "dbn", 7.0, layers=1, weight_decay=0.1)]
    layer = {"units": 11, "corrupted": 0.3}
    assert as_configuration(best) == {
        "models": {
            "mnist": {"dbn": {"layer1": layer, "layer2": layer}},
            "natural_images": {"dbn": {"layer1": {"weight_decay": 0.1}}},
        },
        "classifiers": {"mnist": {"dbn": {"learning_rate": 0.7}}},
    }
