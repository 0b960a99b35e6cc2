"""The search: a point reaches every layer and the classifier, and the winners are read back as a configuration."""

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml
from inheritance import resolve

from deepunits.selection import as_configuration, classifier_settings, layer_settings, standard_error, winners

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


def trial(dataset, model, score, layers=2, error=0.0, **point):
    about = {"dataset": dataset, "model": model, "layers": layers, "point": point}
    return about | {"score": score, "standard_error": error}


def test_the_least_error_wins_for_each_model():
    tried = [
        trial("mnist", "dbn", 0.3, units=5),
        trial("mnist", "dbn", 0.1, units=7),
        trial("mnist", "dbn", 0.1, units=11),
        trial("mnist", "sdae", 0.2, units=13),
        trial("natural_images", "dbn", 70.0, units=3),
    ]
    assert winners(tried) == [tried[1], tried[3], tried[4]]


@pytest.mark.parametrize(
    "better", [{"score": 0.155}, {"score": 0.165, "weight_decay": 0.1}], ids=["less error", "more weight decay"]
)
def test_of_points_that_cannot_be_told_apart_the_most_regularised_wins(better):
    rates = {0.01: 0.20, 0.02: 0.16, 0.05: 0.15, 0.1: 0.14}
    tried = [trial("mnist", "sdae", score, error=0.03, learning_rate=rate) for rate, score in rates.items()]
    tried.append(trial("mnist", "sdae", **better, error=0.03, learning_rate=0.02))
    tried.insert(0, trial("mnist", "sdae", 0.171, error=0.03, learning_rate=0.01, weight_decay=1.0))  # too bad to win
    assert winners(tried) == [tried[-1]]


def test_the_standard_error_is_that_of_a_mean():
    wrong = np.repeat([1.0, 0.0], [3, 8])
    assert standard_error(3 / 11, 11) == pytest.approx(wrong.std() / 11**0.5)


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


ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
RESOLVED = resolve(CONFIG)
GRIDS = {
    (dataset, model): search[model]
    for dataset, search in CONFIG["selection"].items()
    for model in ("dbn", "sdae")
    if model in search
}


def committed_rows():
    """Return the rows of the committed table by dataset and model, and each one's hyperparameters."""
    rows = {key: [] for key in GRIDS}
    with open(ROOT / "docs" / "selection.csv", newline="") as file:
        for row in csv.DictReader(file):
            key = row["dataset"], row["model"]
            rows[key].append((row, {name: float(row[name]) for name in GRIDS[key]}))
    return rows


def test_the_committed_table_has_the_points_of_the_grids_and_the_winners_by_the_rule():
    for (dataset, model), rows in committed_rows().items():
        grid = GRIDS[dataset, model]
        points = sorted(tuple(point.values()) for _, point in rows)
        assert points == sorted(itertools.product(*grid.values()))
        tried = [
            trial(dataset, model, float(row["score"]), error=float(row["standard_error"]), **point)
            for row, point in rows
        ]
        [best] = winners(tried)
        assert [row["chosen"] == "True" for row, _ in rows] == [candidate is best for candidate in tried]


# What was set for the pictures after the search: docs/pictures.md.
OVERRULED = {("mnist", "sdae", "learning_rate")}


def test_the_paper_is_run_with_the_winners():
    """The configuration has, for each model that was searched, the values that the committed table marks as chosen."""
    for (dataset, model), rows in committed_rows().items():
        [chosen] = [point for row, point in rows if row["chosen"] == "True"]
        layers = RESOLVED["models"][dataset][model]
        searched = layers.values() if dataset in RESOLVED["classifiers"] else [layers["layer1"]]
        for name, value in chosen.items():
            if name == "fine_tuning_rate":
                assert RESOLVED["classifiers"][dataset][model]["learning_rate"] == value
            elif (dataset, model, name) not in OVERRULED:
                assert all(layer[name] == value for layer in searched)
