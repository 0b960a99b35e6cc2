"""A network that was trained elsewhere is built from its description, or what is wrong with that is one sentence."""

import numpy as np
import pytest

from deepunits.errors import UserError
from deepunits.models.external import build, describe, load_described, module_shape
from deepunits.models.network import Network
from deepunits.models.trained import load_network
from deepunits.models.view import QuadraticForms

CODE = """
import numpy as np
from deepunits.models.network import Network
from deepunits.models.view import QuadraticForms

def sigmoids(hidden=5):
    rng = np.random.default_rng(0)
    return Network([rng.normal(size=(hidden, 6)), rng.normal(size=(3, hidden))], [np.zeros(hidden), np.zeros(3)])

def forms():
    return QuadraticForms(np.stack([np.eye(6), 2 * np.eye(6)]))

def nothing():
    return 7

def broken():
    raise OSError("no weights here")
"""
TORCH = """
from torch import nn

def make(channels=3):
    return nn.Sequential(nn.Conv2d(3, channels, 2), nn.ReLU(), nn.Flatten(), nn.Linear(channels * 6, 5))
"""


@pytest.fixture
def code(tmp_path):
    (tmp_path / "own.py").write_text(CODE)
    (tmp_path / "torched.py").write_text(TORCH)
    return tmp_path


def described(code, name, layers, **others):
    plain = {"arguments": {}, "weights": None, "shape": [2, 3], "units": "flat"}
    return {"module": f"{code}/{name}", "layers": layers} | plain | others


def test_a_network_and_a_view_are_taken_as_they_are(code):
    network = build(described(code, "own.py:sigmoids", ["hidden", "top"], arguments={"hidden": 7}))
    assert isinstance(network, Network) and network.units(1) == 7 and network.depth == 2
    forms = build(described(code, "own.py:forms", ["forms"]))
    assert isinstance(forms, QuadraticForms) and forms.units(1) == 2


def test_a_file_may_have_neighbours_and_dataclasses(code):
    (code / "neighbour_of_own.py").write_text("UNITS = 13\n")
    (code / "with_neighbour.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nimport numpy as np\n"
        "from neighbour_of_own import UNITS\nfrom deepunits.models.network import Network\n"
        "@dataclass\nclass Size:\n    units: int = UNITS\n"
        "def make():\n    return Network([np.ones((Size().units, 6))], [np.zeros(Size().units)])\n"
    )
    assert build(described(code, "with_neighbour.py:make", ["only"])).units(1) == 13


def test_what_is_described_is_read_again(code):
    path = code / "results" / "network.json"
    settings = {"module": f"{code}/own.py:sigmoids", "layers": ["hidden", "top"], "shape": (2, 3)}
    describe(path, **settings, arguments={"hidden": 11})
    again, x = load_network(path), np.ones((1, 6), np.float32)
    first = build(described(code, "own.py:sigmoids", ["hidden", "top"], arguments={"hidden": 11}))
    np.testing.assert_array_equal(again.activations(x, 2), first.activations(x, 2))
    path.write_text("{}")
    with pytest.raises(UserError, match="network.json describes no network .'module'.; run the rule"):
        load_described(path)


@pytest.mark.parametrize(
    ("name", "layers", "others", "sentence"),
    [
        ("own.py:other", ["a"], {}, "own.py has no other; correct module"),
        ("own.py", ["a"], {}, "write it as file.py:name or package.module:name"),
        ("nowhere.py:make", ["a"], {}, "nowhere.py cannot be imported (FileNotFoundError"),
        ("own.py:sigmoids", ["a", "b"], {"arguments": {"hiden": 3}}, "cannot be called with {'hiden': 3} (TypeError"),
        ("own.py:broken", ["a"], {}, "cannot be called with {} (OSError: no weights here)"),
        ("own.py:sigmoids", ["a"], {}, "gives a network of 2 layers; name so many, not 1"),
        ("own.py:sigmoids", ["a", "b"], {"weights": "w.pt"}, "gives a network with its weights; remove weights"),
        ("own.py:sigmoids", ["a", "b"], {"shape": [2, 4]}, "gives a network of 6 inputs; the images have 8 numbers"),
        ("own.py:nothing", ["a"], {}, "gives int; let it give a torch.nn.Module, or a Network or View"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(code, name, layers, others, sentence):
    with pytest.raises(UserError) as caught:
        build(described(code, name, layers, **others))
    assert sentence in str(caught.value)


def test_colours_come_first_in_a_module():
    assert module_shape([7, 5, 3]) == (3, 7, 5) and module_shape([7, 5]) == (1, 7, 5) and module_shape([35]) == (35,)


def test_a_module_sees_the_images_as_they_are(code):
    torch = pytest.importorskip("torch")
    view = build(described(code, "torched.py:make", ["0", "3"], shape=[3, 4, 3]))
    images = np.random.default_rng(0).random((2, 3, 4, 3)).astype(np.float32)
    with torch.no_grad():
        expected = view.module(torch.tensor(images).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(view.activations(images.reshape(2, -1), 2), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["weights.safetensors", "weights.pt"])
def test_weights_are_read_or_refused(code, kind):
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from safetensors.torch import save_file

    path = code / kind
    save = save_file if kind.endswith("safetensors") else torch.save
    state = build(described(code, "torched.py:make", ["3"], shape=[3, 4, 3])).module.state_dict()
    save(state, path)
    again = build(described(code, "torched.py:make", ["3"], shape=[3, 4, 3], weights=path)).module.state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in state.items())

    def refusal(**others):
        with pytest.raises(UserError) as caught:
            build(described(code, "torched.py:make", ["3"], shape=[3, 4, 3], weights=path, **others))
        return str(caught.value)

    assert "0.weight has the shape (3, 3, 2, 2) and not (4, 3, 2, 2); 0.bias has" in refusal(arguments={"channels": 4})
    save({"0.weight": state["0.weight"], "more": state["0.bias"]}, path)
    assert "0.bias is missing; 3.weight is missing; 3.bias is missing, and 1 more" in refusal()
    path.write_bytes(path.read_bytes()[:40])
    assert "is damaged or holds no weights" in refusal()
    path.unlink()
    assert "cannot be read (No such file" in refusal()


def test_a_pickle_of_more_than_tensors_is_refused(code):
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(2, 2), code / "whole.pt")
    with pytest.raises(UserError, match="holds more than tensors; save the state_dict of the module alone"):
        build(described(code, "torched.py:make", ["3"], shape=[3, 4, 3], weights=code / "whole.pt"))
    torch.save([1, 2], code / "list.pt")
    with pytest.raises(UserError, match="holds no state_dict; save the one of the module"):
        build(described(code, "torched.py:make", ["3"], shape=[3, 4, 3], weights=code / "list.pt"))
