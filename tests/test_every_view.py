"""Every tool runs on every view of a network, on all units and starts at once, and gives what the view itself says."""

import numpy as np
import pytest
from sklearn.neural_network import BernoulliRBM, MLPClassifier

from deepunits.invariance.alternatives import random_walks
from deepunits.invariance.constrained_ascent import STEPS
from deepunits.invariance.firing import firing_invariance
from deepunits.invariance.hessian import principal_curvatures
from deepunits.invariance.manifold import trace_manifold
from deepunits.invariance.measures import area, normalized
from deepunits.invariance.transformations import KINDS, amounts, transformation_matrices
from deepunits.invariance.transformed_optima import normalized_curves, transformed_optima
from deepunits.models.network import Network
from deepunits.models.sklearn_view import from_sklearn
from deepunits.models.view import QuadraticForms
from deepunits.visualize.activation_maximization import maximize_activation
from deepunits.visualize.strongest import strongest_examples

SHAPE, PIXELS, NORM = (5, 7), 35, 3.0
EPSILONS = np.linspace(0, 2, 9)


def arrays(nonlinearities):
    rng = np.random.default_rng(1)
    sizes = (PIXELS, 23, 19, 11)
    weights = [
        rng.normal(0, 2 / n**0.5, size=(m, n)).astype(np.float32) for n, m in zip(sizes, sizes[1:], strict=False)
    ]
    return Network(weights, [0.3 * rng.normal(size=len(w)).astype(np.float32) for w in weights], nonlinearities)


def perceptron(activation):
    rng = np.random.default_rng(2)
    images, labels = rng.normal(size=(211, PIXELS)), rng.integers(0, 3, 211)
    settings = {"learning_rate_init": 0.03, "max_iter": 20, "tol": 0.0, "random_state": 0}
    with pytest.warns():
        return from_sklearn(MLPClassifier((23, 13), activation=activation, **settings).fit(images, labels))


def machines():
    rng = np.random.default_rng(3)
    images = (rng.uniform(size=(211, PIXELS)) < rng.uniform(size=PIXELS)).astype(float)
    settings = {"learning_rate": 0.05, "n_iter": 10, "random_state": 0}
    lower = BernoulliRBM(17, **settings).fit(images)
    return from_sklearn([lower, BernoulliRBM(7, **settings).fit(lower.transform(images))])


def forms():
    rng = np.random.default_rng(4)
    symmetric = rng.normal(size=(5, PIXELS, PIXELS)).astype(np.float32) / 12
    return QuadraticForms(symmetric + symmetric.swapaxes(1, 2), rng.normal(size=(5, PIXELS)).astype(np.float32))


def convolutional():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from deepunits.models.torch_view import TorchView

    torch.manual_seed(0)
    torch.set_num_threads(1)  # on a small network more threads only wait for one another
    layers = torch.nn.Conv2d(1, 5, 3), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(75, 7)
    return TorchView(torch.nn.Sequential(*layers), ["0", "3"], (1, *SHAPE))


VIEWS = {
    "sigmoid": lambda: arrays("sigmoid"),
    "tanh": lambda: arrays("tanh"),
    "relu": lambda: arrays("relu"),
    "identity": lambda: arrays("identity"),
    "relu, then tanh": lambda: arrays(("relu", "tanh")),
    "scikit-learn, an MLP": lambda: perceptron("tanh"),
    "scikit-learn, RBMs": machines,
    "quadratic forms": forms,
    "PyTorch": convolutional,
}


@pytest.fixture(params=VIEWS)
def view(request):
    return VIEWS[request.param]()


def smooth(view):
    """Return whether gradients change gradually; the maxima of ReLUs are on edges, where they jump."""
    return "relu" not in getattr(view, "nonlinearities", ())


def maximize(view, units, rng=0, restarts=3, **options):
    settings = {"norm": NORM, "restarts": restarts, "learning_rate": 0.2, "threshold": 1e-5, "max_steps": 300} | options
    return maximize_activation(view, view.depth, units, **settings, rng=np.random.default_rng(rng))


def test_the_maxima_are_points_of_the_sphere_where_the_gradient_points_outwards(view):
    units = np.arange(min(5, view.units(view.depth)))
    found = maximize(view, units)
    inputs, rows = found.inputs.reshape(-1, PIXELS), np.repeat(units, 3)
    np.testing.assert_allclose(np.linalg.norm(inputs, axis=1), NORM, rtol=1e-5)
    value, gradient = view.unit_gradient(inputs, view.depth, rows)
    np.testing.assert_allclose(value, found.activations.ravel(), rtol=1e-4, atol=1e-4)
    cosines = (inputs * gradient).sum(axis=1) / NORM / np.linalg.norm(gradient, axis=1)
    assert (cosines[found.converged.ravel()] > 0.8).all()
    others = NORM * np.random.default_rng(1).normal(size=(200, PIXELS)) / PIXELS**0.5
    assert (
        found.activations.max(axis=1) > view.activations(others.astype(np.float32), view.depth)[:, units].max(0)
    ).all()


def test_a_preconditioner_draws_the_maxima_towards_its_directions(view):
    few = np.zeros(PIXELS, np.float32)
    few[:8] = 1.0
    found = maximize(view, [0, 1], preconditioner=np.diag(few + np.float32(1e-3)))
    plain = maximize(view, [0, 1])
    assert (np.square(found.best[:, :8]).sum(1) > np.square(plain.best[:, :8]).sum(1)).all()


@pytest.mark.parametrize("step", STEPS)
def test_the_manifolds_keep_to_their_distances_and_are_those_of_each_unit_alone(view, step):
    units = np.arange(min(5, view.units(view.depth)))
    optimum = maximize(view, units).best
    unwhitening = np.diag(np.linspace(0.5, 1.0, PIXELS))
    settings = {
        "norm": NORM, "epsilons": EPSILONS, "perturbation": 0.05, "unwhitening": unwhitening, "learning_rate": 0.1,
        "threshold": 1e-3, "max_steps": 20, "step": step, "trials": 2,
    }  # fmt: skip
    found = trace_manifold(view, view.depth, units, optimum, **settings, shown=units, rng=np.random.default_rng(0))
    distances = np.linalg.norm(found.inputs - optimum[:, None, None], axis=-1) / NORM
    np.testing.assert_allclose(distances, np.broadcast_to(EPSILONS, distances.shape), atol=1e-3)
    rows = np.repeat(units, 2 * len(EPSILONS))
    np.testing.assert_allclose(
        view.unit_activation(found.inputs.reshape(-1, PIXELS), view.depth, rows),
        found.activations.ravel(), rtol=1e-4, atol=1e-4,
    )  # fmt: skip
    first = trace_manifold(view, view.depth, units[:1], optimum[:1], **settings, rng=np.random.default_rng(0))
    np.testing.assert_allclose(first.activations[0, :, 0], found.activations[0, :, 0], rtol=1e-4)
    best = found.activations.max(axis=1)
    if step != "whitened":  # which ends lower
        random = random_walks(
            view, view.depth, units, optimum, EPSILONS, count=20, root=None, rng=np.random.default_rng(0)
        )
        random = area(random, EPSILONS)
        assert (area(best, EPSILONS) >= random - 0.001 * abs(random)).all()  # those of a linear unit are the same
    np.testing.assert_allclose(normalized(best, EPSILONS)[:, [0, -1]], np.broadcast_to([1, 0], (len(units), 2)))


def test_the_optimum_curves_downwards(view):
    optimum = maximize(view, [0]).best[0]
    found = principal_curvatures(view, view.depth, 0, optimum)
    assert found.directions.shape == (PIXELS - 1, PIXELS)
    if not smooth(view):  # the Hessian sees nothing of an edge
        return
    # The activation along the most curved geodesic, by central differences of its angle.
    angle = 0.02
    for curvature, direction in ((found.curvatures[k], found.directions[k]) for k in (0, -1)):
        turned = [np.cos(a) * optimum + np.sin(a) * NORM * direction for a in (-angle, 0, angle)]
        behind, here, ahead = view.unit_activation(np.array(turned, np.float32), view.depth, np.zeros(3, int))
        whole = abs(found.curvatures).max()
        assert (ahead - 2 * here + behind) / (angle * NORM) ** 2 == pytest.approx(curvature, abs=0.1 * whole + 0.01)


def test_the_firing_rates_are_those_of_their_definition(view):
    examples = np.random.default_rng(5).normal(size=(301, PIXELS)).astype(np.float32)
    matrices = transformation_matrices("horizontal_translation", [-1.0, 0.0, 1.0], SHAPE)
    units, strongest = [2, 0, 1], 4
    found = firing_invariance(view, view.depth, units, examples, matrices, global_rate=0.02, strongest=strongest)
    activations = view.activations(examples, view.depth)[:, units]
    for column in range(3):
        rates = []
        for sign in (1, -1):
            h = sign * activations[:, column]
            threshold, excited = np.sort(h)[-6], np.argsort(-h)[:strongest]
            turned = np.concatenate([examples[excited] @ matrix.T for matrix in matrices])
            moved = sign * view.activations(turned, view.depth)[:, units[column]]
            rates.append((moved >= threshold - 1e-6).mean() / (h >= threshold).mean())
        assert found.scores[column] == pytest.approx(max(rates))
    best = strongest_examples(view, view.depth, units, examples, strongest)
    np.testing.assert_array_equal(best, np.argsort(-activations, axis=0, kind="stable")[:strongest].T)


@pytest.mark.parametrize("kind", KINDS)
def test_transformed_optima_have_the_activations_of_the_view(view, kind):
    optimum = maximize(view, range(3)).best
    matrices = transformation_matrices(kind, amounts(kind, 1.5, 3), SHAPE)
    distances, activations = transformed_optima(view, view.depth, range(3), optimum, matrices, norm=NORM)
    for g, matrix in enumerate(matrices):
        moved = optimum @ matrix.T
        moved *= NORM / np.linalg.norm(moved, axis=1, keepdims=True)
        np.testing.assert_allclose(activations[:, g], np.diag(view.activations(moved, view.depth)[:, :3]), atol=1e-3)
        np.testing.assert_allclose(distances[:, g], np.linalg.norm(moved - optimum, axis=1) / NORM, atol=1e-5)
    opposite = view.unit_activation(-optimum, view.depth, np.arange(3))
    measured = {"distances": distances[None], "activations": activations[None]}
    curves = normalized_curves(measured | {"highest": activations[:, 3], "opposite": opposite}, np.array([0.0]))
    np.testing.assert_allclose(curves, 1, atol=1e-3)
