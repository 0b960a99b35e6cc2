"""The tutorial runs from its first line to its last, and what it says of its pictures is so."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.py"


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """Return the tutorial's variables, and the folder of its pictures."""
    folder, before, variables = tmp_path_factory.mktemp("tutorial"), Path.cwd(), {"__name__": "tutorial"}
    os.chdir(folder)
    try:
        exec(compile(TUTORIAL.read_text(encoding="utf-8"), TUTORIAL, "exec"), variables)
    except SystemExit as end:
        assert end.code == 0
    finally:
        os.chdir(before)
    return variables, folder


def check_outputs(network, layer, maxima, manifold, images):
    """Check that every output unit is excited most by its own maximum, and more than by any image."""
    activations = network.activations(maxima.best, layer)
    np.testing.assert_array_equal(activations.argmax(axis=1), range(10))
    assert (np.diag(activations) > network.activations(images, layer).max(axis=0)).all()
    kept = manifold.activations.max(axis=1)
    linear = (1 - manifold.epsilons**2 / 4) * (kept[:, :1] - kept[:, -1:]) + kept[:, -1:]
    assert kept.mean(axis=0).sum() > linear.mean(axis=0).sum()


def test_the_part_of_scikit_learn(tutorial):
    found, folder = tutorial
    assert found["accuracy"] > 0.85 and found["maxima"].converged.all()
    check_outputs(found["network"], 3, found["maxima"], found["manifold"], found["images"])
    assert found["mean_area"](found["first"]) == pytest.approx(4 / 3, abs=0.01)  # a first layer is linear
    for name in ("maxima", "manifold", "curves"):
        assert np.ptp(np.asarray(Image.open(folder / f"{name}.png").convert("L"))) > 200


def test_the_part_of_pytorch(tutorial):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    found, folder = tutorial
    assert found["convolutional_accuracy"] > 0.85
    check_outputs(found["view"], 3, found["outputs"], found["traced"], found["images"])
    for name in ("maxima_outputs", "maxima_channels", "manifold_convolutional", "curves_both"):
        assert np.ptp(np.asarray(Image.open(folder / f"{name}.png").convert("L"))) > 200
