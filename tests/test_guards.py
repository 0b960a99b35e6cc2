"""Called directly, the library refuses what cannot be meant, in one sentence that names the argument and the remedy."""

import numpy as np
import pytest
import scipy.sparse

from deepunits.drawing.units import draw_curves, draw_manifolds, draw_maxima
from deepunits.errors import UserError
from deepunits.invariance.firing import firing_invariance
from deepunits.invariance.hessian import principal_curvatures
from deepunits.invariance.manifold import trace_manifold
from deepunits.invariance.measures import area, normalized
from deepunits.invariance.transformations import transformation_matrices
from deepunits.invariance.transformed_optima import transformed_optima
from deepunits.invariance.whitening import estimate, preconditioner
from deepunits.models.autoencoder import Denoising, DenoisingAutoencoder
from deepunits.models.network import Network
from deepunits.models.rbm import RBM, ContrastiveDivergence
from deepunits.models.stack import load_layer
from deepunits.models.view import View, energy_units
from deepunits.randomness import generator
from deepunits.storage import save_npz
from deepunits.visualize.activation_maximization import maximize_activation
from deepunits.visualize.linear_combination import combine_filters
from deepunits.visualize.sampling import sample_clamped_units
from deepunits.visualize.strongest import strongest_examples

PIXELS, HIDDEN, TOP, BATCH = 11, 7, 5, 3


def arrays(scale=1.0):
    rng = np.random.default_rng(0)
    shapes = ((HIDDEN, PIXELS), (TOP, HIDDEN)), ((HIDDEN,), (TOP,))
    return [[(scale * rng.normal(size=shape)).astype(np.float32) for shape in kind] for kind in shapes]


def maximize(network=None, layer=2, units=range(3), **changes):
    settings = {"norm": 2.0, "restarts": 4, "learning_rate": 0.3, "threshold": 1e-6, "max_steps": 500}
    network = Network(*arrays()) if network is None else network
    return maximize_activation(network, layer, units, **{"rng": generator(0)} | settings | changes)


def trace(**changes):
    network, units = Network(*arrays()), np.arange(3)
    optimum = changes.pop("optimum", np.eye(3, PIXELS, dtype=np.float32))
    settings = {"norm": 1.0, "epsilons": [0, 1], "trials": 2, "perturbation": 0.1, "unwhitening": np.eye(PIXELS)}
    settings |= {"learning_rate": 0.1, "threshold": 1e-3, "max_steps": 5}
    given = settings | changes
    return trace_manifold(network, given.pop("layer", 2), given.pop("units", units), optimum, rng=generator(0), **given)


def layer(kind, visible="bernoulli"):
    weights = 0.1 * arrays()[0][0]
    return kind.initialise(weights, np.full(PIXELS, 0.0 if visible == "centred" else 0.5), visible=visible)


def train(trainer, examples=None, rate=0.1):
    examples = np.full((BATCH, PIXELS), 0.25, np.float32) if examples is None else examples
    trainer.step(examples, rate, generator(0))
    return trainer


def diverge(visible="bernoulli", **settings):
    return ContrastiveDivergence(layer(RBM, visible), settings.pop("batch", BATCH), **settings)


def denoise(visible="bernoulli", **settings):
    return Denoising(layer(DenoisingAutoencoder, visible), settings.pop("batch", BATCH), **settings)


def sample(**changes):
    settings = {"steps": 10, "every": 5, "chains": 2, "kept": 3}
    given = changes.pop("rbms", [layer(RBM)]), changes.pop("units", [0, 2])
    return sample_clamped_units(*given, rng=generator(0), **settings | changes)


def strongest(examples, count=2):
    return strongest_examples(Network(*arrays()), 2, range(3), examples, count)


def curvatures(optimum):
    return principal_curvatures(Network(*arrays()), 2, 0, optimum)


def fire(matrices=None, **changes):
    matrices = np.eye(PIXELS)[None] if matrices is None else matrices
    given = {"global_rate": 0.5, "strongest": 2} | changes
    return firing_invariance(Network(*arrays()), 2, [0], full(0.5, (9, PIXELS)), matrices, **given)


def full(value, shape=(BATCH, PIXELS)):
    return np.full(shape, value, np.float32)


weights, biases = arrays()
broken = [weights[0], weights[1] * np.nan]

REFUSED = {
    "learning_rate is -0.1; give a number above 0": lambda: maximize(learning_rate=-0.1),
    "restarts is 0; give a whole number, 1 or more": lambda: maximize(restarts=0),
    "restarts is 2.5; give a whole number": lambda: maximize(restarts=2.5),
    "norm is 0; give a number above 0": lambda: maximize(norm=0),
    "norm is nan; give a number above 0": lambda: maximize(norm=float("nan")),
    "threshold is -1; give a number, 0 or more": lambda: maximize(threshold=-1),
    "max_steps is 0; give a whole number": lambda: maximize(max_steps=0),
    "the weights of layer 2 hold NaN or an infinity": lambda: maximize(Network(broken, biases)),
    "units are an array of float64 of shape (2,)": lambda: maximize(units=[0.0, 1.0]),
    "units are an array of bool of shape (5,)": lambda: maximize(units=np.ones(TOP, bool)),
    "layer 2 has units 0 to 4; unit 5 was asked for": lambda: maximize(units=[5]),
    "a list was given in place of an array; make it one by numpy.asarray": lambda: Network(weights, biases).activations(
        [[0.0] * PIXELS], 2
    ),
    "layer 1 has units 0 to 6; unit -1 was asked for": lambda: sample(units=[-1, 3]),
    "layer 3 was asked for, but the network has layers 1 to 2": lambda: maximize(layer=3),
    "layer 2.0 was asked for": lambda: maximize(layer=2.0),
    "there are 2 weights and 1 biases": lambda: Network(weights, biases[:1]),
    "there are 0 weights and 0 biases": lambda: Network([], []),
    "weights are no array of numbers": lambda: Network([[["a"]]], [[0.0]]),
    "layer 2 has weights (5, 7) and biases (4,)": lambda: Network(weights, [biases[0], biases[1][:4]]),
    "trials is 0; give a whole number": lambda: trace(trials=0),
    "learning_rate is -1; give": lambda: trace(learning_rate=-1),
    "perturbation is 0; give a number above 0": lambda: trace(perturbation=0),
    "max_steps is 2.5; give a whole number": lambda: trace(max_steps=2.5),
    "the optima have shape (2, 11); give (3, 11)": lambda: trace(optimum=np.eye(2, PIXELS)),
    "the optima have shape (11,); give (3, 11)": lambda: trace(optimum=np.ones(PIXELS)),
    "the optima are no array of numbers": lambda: trace(optimum=[["a"]]),
    "the numbers of unwhitening have shape (3, 3); give (11, 11)": lambda: trace(unwhitening=np.eye(3)),
    "the numbers of unwhitening hold NaN": lambda: trace(unwhitening=full(np.nan, (PIXELS, PIXELS))),
    "the epsilons have shape (0,); give a sequence": lambda: trace(epsilons=[]),
    "the units shown are an array of bool of shape (2,)": lambda: trace(shown=[True, False]),
    "units are an array of int64 of shape (); give their numbers": lambda: maximize(units=3),
    "units are an array of bool of shape (3,)": lambda: trace(units=np.ones(3, bool)),
    "batch is 0; give a whole number": lambda: diverge(batch=0),
    "gibbs_steps is 0; give a whole number": lambda: diverge(gibbs_steps=0),
    "momentum is 1; give a share, 0 or more and below 1": lambda: diverge(momentum=1),
    "weight_decay is -1; give a number, 0 or more": lambda: diverge(weight_decay=-1),
    "the examples go from 255 to 255; bernoulli visible units are numbers from 0 to 1": lambda: train(
        diverge(), full(255)
    ),
    "the examples go from nan to nan; bernoulli": lambda: train(diverge(), full(np.nan)),
    "the examples go from 0.75 to 0.75; centred visible units": lambda: train(denoise("centred"), full(0.75)),
    "the examples go from inf to inf; gaussian": lambda: train(diverge("gaussian"), full(np.inf)),
    "the examples have shape (4, 11); give (3, 11)": lambda: train(diverge(), full(0.5, (4, PIXELS))),
    "the examples have shape (3, 12); give (3, 11)": lambda: train(denoise(), full(0.5, (3, PIXELS + 1))),
    "learning_rate is -0.1; give a number, 0 or more": lambda: train(diverge(), rate=-0.1),
    "corrupted is 1.5; give a share": lambda: denoise(corrupted=1.5),
    "corruption is 'grey'; set it to zero_mask or salt_and_pepper": lambda: denoise(corruption="grey"),
    "visible is 'grey'; set it to bernoulli or centred or gaussian": lambda: layer(RBM, "grey"),
    "have the shapes (7, 11), (5,) and (11,)": lambda: RBM(weights[0], biases[1], np.zeros(PIXELS, np.float32)),
    "chains is 0; give a whole number": lambda: sample(chains=0),
    "kept is 0; give a whole number, 1 or more": lambda: sample(kept=0),
    "units are an array of bool of shape (7,)": lambda: sample(units=np.ones(HIDDEN, bool)),
    "kept is -1; give a whole number": lambda: combine_filters(weights, -1),
    "weights (7, 11) do not fit on 5 units below": lambda: combine_filters(weights[::-1], 3),
    "the weights have shape (11,); give (units, units below)": lambda: combine_filters([weights[0][0]]),
    "list was given in place of a network; make one by deepunits.Network": lambda: maximize(weights),
    "rng is of type int; give a generator such as deepunits.generator(0, xp=numpy)": lambda: maximize(rng=0),
    "rng is of type RandomState; give a generator": lambda: maximize(rng=np.random.RandomState(0)),
    "the numbers of the preconditioner have shape (3, 3); give (11, 11)": lambda: maximize(preconditioner=np.eye(3)),
    "the numbers of the preconditioner hold NaN": lambda: maximize(preconditioner=full(np.inf, (PIXELS, PIXELS))),
    "layers with weights of the shapes (7, 11), (7, 11) are no DBN; give": lambda: sample(rbms=[layer(RBM)] * 2),
    "layers with weights of the shapes () are no DBN; give one or more": lambda: sample(rbms=[]),
    "DenoisingAutoencoder was given in place of RBM; give": lambda: sample(rbms=[layer(DenoisingAutoencoder)]),
    "seed is -1; give a whole number, 0 or more": lambda: generator(-1),
    "seed is 1.5; give a whole number": lambda: generator(1.5),
    "2.5 is no name of a stage; give a text or a whole number": lambda: generator(1, 2.5),
    "the examples have shape (3, 12); give (n, 11)": lambda: strongest(full(0.5, (BATCH, PIXELS + 1))),
    "the examples have shape (11,); give (n, 11)": lambda: strongest(full(0.5, (PIXELS,))),
    "the examples hold NaN or an infinity": lambda: strongest(full(np.nan)),
    "count is 0; give a whole number, 1 or more": lambda: strongest(full(0.5), 0),
    "the pixels of the optimum have shape (3,); give (11,)": lambda: curvatures(np.ones(3)),
    "the examples have shape (3,); give (n, pixels)": lambda: estimate(np.ones(3)),
    "the examples are no array of numbers": lambda: estimate("digits"),
    "regularization is nan; give a number, 0 or more": lambda: estimate(full(0.5), regularization=float("nan")),
    "a covariance needs at least 2 examples, of a pixel; these have shape (3, 0)": lambda: estimate(np.ones((3, 0))),
    "the numbers of the covariance have shape (4, 3); give (pixels, pixels)": lambda: preconditioner(np.eye(4, 3), 1),
    "the numbers of the covariance hold NaN": lambda: preconditioner(np.full((2, 2), np.nan), 1),
    "the matrices have shape (11, 11); give (amounts, 11, 11)": lambda: transformed_optima(
        Network(*arrays()), 2, [0], np.eye(1, PIXELS), np.eye(PIXELS), norm=1
    ),
    "the optimum of unit 3 is off the sphere of radius 2; scale it to that norm": lambda: transformed_optima(
        Network(*arrays()), 2, [3], np.eye(1, PIXELS), np.eye(PIXELS)[None], norm=2
    ),
    "ndarray was given in place of ActivationMaxima; give what maximize_activation": lambda: draw_maxima(np.eye(3)),
    "NoneType was given in place of InvarianceManifold; give what trace_manifold": lambda: draw_manifolds(None),
    "trial is 2; the manifold has the trials 0 to 1": lambda: draw_manifolds(trace(shown=[0]), (1, PIXELS), trial=2),
    "frames is 0; give a whole number": lambda: draw_manifolds(trace(shown=[0]), (1, PIXELS), frames=0),
    "shape is 'square'; give rows and columns of an image": lambda: draw_maxima(maximize(), "square"),
    "shape is (-1, -11); give rows and columns": lambda: draw_maxima(maximize(), (-1, -11)),
    "there are no units to draw": lambda: draw_maxima(maximize(units=[]), (1, PIXELS)),
    "the manifold called a is of no units": lambda: draw_curves({"a": trace(units=[], optimum=np.ones((0, 11)))}),
    "the examples are sparse; give what their toarray() returns": lambda: estimate(scipy.sparse.eye_array(4)),
    "the examples are complex numbers; give real ones": lambda: estimate(np.ones((3, 2), complex)),
    "the numbers of unwhitening are not symmetric": lambda: trace(unwhitening=np.triu(np.ones((PIXELS, PIXELS)))),
    "the numbers of the preconditioner are not symmetric": lambda: maximize(preconditioner=np.eye(PIXELS, k=1)),
    "the numbers of the covariance are not symmetric": lambda: preconditioner(np.eye(4, k=1), 1),
    "ridge is -1; give a number, 0 or more": lambda: preconditioner(np.eye(4), -1),
    "rng is of type Generator; give a generator": lambda: maximize(rng=np.random.Generator(np.random.MT19937(0))),
    "the optima hold NaN or an infinity": lambda: trace(optimum=full(np.nan), norm=None),
    "the epsilons are no numbers": lambda: trace(epsilons="abc"),
    "type was given in place of a network": lambda: maximize(Network),
    "weights are None; give an array for each layer": lambda: Network(None, biases),
    "nonlinearities are None; give sigmoid, tanh": lambda: Network(weights, biases, None),
    "the inputs have shape (2, 3); give (n, 11)": lambda: Network(weights, biases).activations(np.ones((2, 3)), 2),
    "layer '2' was asked for": lambda: maximize(layer="2"),
    "no weights were given; give those of each layer": lambda: combine_filters([]),
    "RBM was given in place of Sequence; give the layers of a DBN": lambda: sample(rbms=layer(RBM)),
    "filters have shape (3, 3); give (units, filters, pixels)": lambda: energy_units(np.eye(3)),
    "the amounts have shape (); give (amounts,)": lambda: transformation_matrices("rotation", 10, (3, 3)),
    "shape is (9,); give rows and columns of an image": lambda: transformation_matrices("rotation", [10], (9,)),
    "edge is 'zero'; set it to grid-constant or nearest": lambda: transformation_matrices(
        "rotation", [10], (3, 3), edge="zero"
    ),
    "global_rate is 2; give a share, 0 to 1": lambda: fire(global_rate=2),
    "strongest is 2.0; give a whole number": lambda: fire(strongest=2.0),
    "signs are 1; give 1, for high activations": lambda: fire(signs=1),
    "there are no matrices; give one for each amount": lambda: fire(np.empty((0, PIXELS, PIXELS))),
    "the pixels of the optimum hold NaN": lambda: principal_curvatures(
        Network(*arrays()), 2, 0, full(np.nan, (PIXELS,))
    ),
    "the optimum is 0, which is on no sphere": lambda: curvatures(np.zeros(PIXELS)),
    "curves of shape (2, 3) and epsilons of shape (4,) do not fit": lambda: area(np.ones((2, 3)), np.ones(4)),
    "curves of shape (2, 3) and epsilons of shape () do not fit": lambda: normalized(np.ones((2, 3)), 2),
    "list was given in place of dict; give manifolds by the name": lambda: draw_curves([trace()]),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_meant_is_one_sentence(sentence):
    with pytest.raises(UserError) as refused:
        REFUSED[sentence]()
    assert sentence in str(refused.value) and "\n" not in str(refused.value)


def test_the_pixels_of_a_view_may_be_a_number_of_numpy():
    class Sums(View):
        def units(self, layer):
            return 1

        def activations(self, x, layer):
            return x.sum(axis=1, keepdims=True)

    view = Sums(np.prod((3, 3)))
    assert strongest_examples(view, 1, [0], np.eye(9) * np.arange(9), 1) == [[8]]
    with pytest.raises(UserError, match=r"have shape \(20, 5\); give \(n, 9\)"):
        strongest_examples(view, 1, [0], np.ones((20, 5)), 2)


def test_lists_and_ranges_are_as_good_as_arrays():
    as_lists = Network([w.tolist() for w in weights], [b.tolist() for b in biases])
    found, expected = maximize(as_lists, units=[0, 1, 2]), maximize(units=np.arange(3))
    np.testing.assert_array_equal(found.inputs, expected.inputs)


def test_trainers_take_what_their_visible_units_are():
    for trainer in (diverge(), diverge("gaussian"), denoise(), denoise("centred")):
        before = (trainer.rbm if hasattr(trainer, "rbm") else trainer.autoencoder).weights.copy()
        after = train(trainer)
        assert np.abs((after.rbm if hasattr(after, "rbm") else after.autoencoder).weights - before).max() > 0


def test_examples_are_looked_at_again_each_epoch():
    trainer = train(diverge())
    trainer.begin_epoch(generator(0))
    with pytest.raises(UserError, match="from 9 to 9"):
        train(trainer, full(9))


def test_the_width_of_every_batch_is_looked_at():
    for trainer in (train(diverge()), train(denoise())):
        with pytest.raises(UserError, match=r"have shape \(3, 12\); give \(3, 11\)"):
            train(trainer, full(0.5, (BATCH, PIXELS + 1)))


def test_an_ascent_has_converged_where_nothing_is_left_to_climb():
    network = Network(*arrays())
    found = maximize(network)
    assert found.converged.all()
    for unit, inputs in zip(found.units, found.inputs, strict=True):
        _, gradient = network.unit_gradient(inputs, 2, np.full(len(inputs), unit))
        along = (gradient * inputs).sum(axis=1) / np.linalg.norm(gradient, axis=1) / np.linalg.norm(inputs, axis=1)
        assert (along > 0.99).all()


def test_an_ascent_that_stands_still_has_not_converged():
    """A saturated unit below gives no gradient: the activation does not grow, though it is not at its highest."""
    (first, second), (below, top) = arrays()
    saturated = Network([1e4 * first, second], [below - 1e5, top])
    found = maximize(saturated)
    assert not found.converged.any() and np.isfinite(found.activations).all()


def test_an_ascent_that_is_cut_short_has_not_converged():
    assert not maximize(max_steps=1).converged.any()


def test_a_file_that_is_no_layer_is_named(tmp_path):
    save_npz(tmp_path / "layer1.npz", weights=weights[0])
    with pytest.raises(UserError, match="layer1.npz holds no array hidden_bias"):
        load_layer(tmp_path / "layer1.npz")


@pytest.mark.parametrize("as_given", [list, np.float16, int])
def test_optima_of_any_kind_of_number_are_taken(as_given):
    optimum = np.eye(3, PIXELS)
    given = optimum.tolist() if as_given is list else optimum.astype(as_given)
    np.testing.assert_array_equal(trace(optimum=given).activations, trace().activations)
