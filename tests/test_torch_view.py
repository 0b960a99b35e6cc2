"""A PyTorch module seen unit by unit: its gradients, its state, and one of our own networks seen through it."""

import numpy as np
import pytest

from deepunits.errors import UserError
from deepunits.invariance.hessian import hessian_vector_product
from deepunits.invariance.manifold import trace_manifold
from deepunits.models.network import Network
from deepunits.visualize.activation_maximization import maximize_activation

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from deepunits.models.torch_view import TorchView  # noqa: E402

SHAPE, PIXELS = (1, 9, 7), 63


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def convolutional():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.ELU(), nn.Conv2d(5, 4, 3, padding=1), nn.Dropout(0.5), nn.Tanh(),
        nn.Flatten(), nn.Linear(4 * 7 * 5, 11),
    ).double()  # fmt: skip


@pytest.mark.parametrize(("kind", "count"), [("flat", 140), ("channel", 4), ("centre", 4)])
def test_gradients_are_central_differences(convolutional, rng, kind, count):
    seen = TorchView(convolutional, ["0", "3", "7"], SHAPE, units=kind)
    assert seen.units(2) == count and seen.units(3) == 11 and seen.pixels == PIXELS
    x, vector = rng.normal(size=(2, 6, PIXELS))
    for layer in (1, 2, 3):
        units = rng.integers(0, seen.units(layer), 6)
        value, gradient = seen.unit_gradient(x, layer, units)
        np.testing.assert_allclose(value, seen.activations(x, layer)[np.arange(6), units])
        ahead, behind = (seen.unit_activation(x + sign * 1e-5 * vector, layer, units) for sign in (1, -1))
        np.testing.assert_allclose((gradient * vector).sum(axis=1), (ahead - behind) / 2e-5, rtol=1e-5, atol=1e-8)
        product = hessian_vector_product(seen, layer, units, x, vector)
        ahead, behind = (seen.unit_gradient(x + sign * 1e-5 * vector, layer, units)[1] for sign in (1, -1))
        np.testing.assert_allclose(product, (ahead - behind) / 2e-5, rtol=1e-4, atol=1e-6)


def test_the_channel_is_the_mean_of_its_positions_and_the_centre_its_middle(convolutional, rng):
    x = rng.normal(size=(3, PIXELS))
    flat, channel, centre = (
        TorchView(convolutional, ["3"], SHAPE, k).activations(x, 1) for k in ("flat", "channel", "centre")
    )
    maps = flat.reshape(3, 4, 7, 5)
    np.testing.assert_allclose(channel, maps.mean(axis=(2, 3)))
    np.testing.assert_allclose(centre, maps[:, :, 3, 2])


def test_the_module_is_as_it_was(convolutional, rng):
    convolutional.train()
    convolutional[3].weight.requires_grad_(False)
    convolutional[4].eval()
    before = (
        [(part.training) for part in convolutional.modules()],
        [p.requires_grad for p in convolutional.parameters()],
    )
    state = {name: tensor.clone() for name, tensor in convolutional.state_dict().items()}
    seen, x = TorchView(convolutional, ["7"], SHAPE), rng.normal(size=(4, PIXELS))
    once, again = seen.activations(x, 1), seen.activations(x, 1)
    np.testing.assert_array_equal(once, again)  # no dropout, and batch norm by its running means
    seen.unit_gradient(x, 1, np.arange(4))
    assert before == (
        [part.training for part in convolutional.modules()],
        [p.requires_grad for p in convolutional.parameters()],
    )
    assert all(torch.equal(tensor, state[name]) for name, tensor in convolutional.state_dict().items())
    assert all(parameter.grad is None for parameter in convolutional.parameters())


def test_one_of_our_networks_is_the_same_through_pytorch(rng):
    sizes = ((23, PIXELS), (19, 23), (11, 19))
    weights = [rng.normal(0, 3 / np.sqrt(n), size=(m, n)).astype(np.float32) for m, n in sizes]
    biases = [rng.normal(size=m).astype(np.float32) for m, _ in sizes]
    parts = []
    for w, b in zip(weights, biases, strict=True):
        linear = nn.Linear(*w.T.shape)
        linear.weight.data, linear.bias.data = torch.tensor(w), torch.tensor(b)
        parts += [linear, nn.Sigmoid()]
    seen = TorchView(nn.Sequential(nn.Flatten(), *parts), ["1", "3", "5"], SHAPE)
    network, x = Network(weights, biases), rng.normal(size=(8, PIXELS)).astype(np.float32)
    np.testing.assert_allclose(seen.activations(x, 3), network.activations(x, 3), atol=1e-4)
    found = [
        maximize_activation(
            n, 3, np.arange(11), norm=3.0, restarts=2, learning_rate=0.1, threshold=1e-8, max_steps=2000,
            rng=np.random.default_rng(1),
        )
        for n in (network, seen)
    ]  # fmt: skip
    np.testing.assert_allclose(found[0].activations, found[1].activations, atol=1e-4)
    epsilons = [0, 0.5, 1.0, 1.5, 2.0]
    manifolds = [
        trace_manifold(
            n, 3, np.arange(11), found[0].best, norm=3.0, epsilons=epsilons, trials=1, perturbation=0.05,
            unwhitening=np.eye(PIXELS), learning_rate=0.1, threshold=1e-7, max_steps=500, rng=np.random.default_rng(2),
        )
        for n in (network, seen)
    ]  # fmt: skip
    np.testing.assert_allclose(manifolds[0].activations, manifolds[1].activations, rtol=1e-3, atol=1e-3)


class Pair(nn.Module):
    def forward(self, x):
        return x, x


@pytest.mark.parametrize(
    ("module", "layers", "shape", "sentence"),
    [
        (
            nn.Sequential(nn.Flatten(), nn.Linear(63, 5)),
            ["linear"],
            SHAPE,
            "the module has no layer linear; it has 0, 1.",
        ),
        (nn.ModuleDict({"features": nn.Linear(63, 5)}), ["feature"], SHAPE, "did you mean features?"),
        (nn.Sequential(nn.Flatten(), nn.Linear(62, 5)), ["1"], SHAPE, "does not take inputs of shape (1, 9, 7)"),
        (nn.Sequential(Pair()), ["0"], SHAPE, "layer 0 gives tuple; name one that gives a tensor"),
    ],
)
def test_what_cannot_be_seen_is_one_sentence(module, layers, shape, sentence):
    with pytest.raises(UserError) as caught:
        TorchView(module, layers, shape)
    assert sentence in str(caught.value)


def test_units_and_layers_that_are_not_there(convolutional):
    seen = TorchView(convolutional, ["7"], SHAPE)
    with pytest.raises(UserError, match="layer 1 has units 0 to 10; unit 11 was asked for"):
        seen.unit_gradient(np.zeros((1, PIXELS)), 1, np.array([11]))
    with pytest.raises(UserError, match="layer conv is not looked at; the layers are 7"):
        seen.layer("conv")
    assert seen.layer("7") == 1
