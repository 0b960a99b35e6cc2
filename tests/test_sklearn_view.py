"""scikit-learn's networks seen unit by unit: they compute what scikit-learn computes, up to the nonlinearity."""

import warnings

import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM, MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deepunits.errors import UserError
from deepunits.models.network import Network
from deepunits.models.sklearn_view import from_sklearn

PIXELS, CLASSES = 11, 3


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.uniform(size=(53, PIXELS)), rng.integers(0, CLASSES, 53)


def fit(estimator, *data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a few steps have not converged
        return estimator.fit(*data)


@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu", "identity"])
@pytest.mark.parametrize("hidden", [(), (7,), (7, 5, 13)], ids=str)
def test_a_perceptron_has_the_outputs_of_scikit_learn(data, activation, hidden):
    images, labels = data
    settings = {"hidden_layer_sizes": hidden, "activation": activation, "max_iter": 5, "random_state": 0}
    classifier = fit(MLPClassifier(**settings), images, labels)
    network = from_sklearn(classifier, dtype=float)
    assert network.depth == len(hidden) + 1 and network.pixels == PIXELS
    outputs = network.activations(images, network.depth)
    np.testing.assert_allclose(softmax(outputs, axis=1), classifier.predict_proba(images), rtol=1e-10)

    two = fit(MLPClassifier(**settings), images, labels == 1)
    np.testing.assert_allclose(
        expit(from_sklearn(two, dtype=float).activations(images, network.depth)[:, 0]),
        two.predict_proba(images)[:, 1],
        rtol=1e-10,
    )
    targets = np.stack([images[:, 0], labels], axis=1)
    regressor = fit(MLPRegressor(**settings), images, targets)
    found = from_sklearn(regressor, dtype=float).activations(images, network.depth)
    np.testing.assert_allclose(found, regressor.predict(images), rtol=1e-10, atol=1e-12)


def test_single_precision_is_the_default(data):
    classifier = fit(MLPClassifier((7,), max_iter=5), *data)
    network, precise = from_sklearn(classifier), from_sklearn(classifier, dtype=float)
    assert {array.dtype for array in (*network.weights, *network.biases)} == {np.dtype(np.float32)}
    np.testing.assert_allclose(
        network.activations(data[0].astype(np.float32), 2), precise.activations(data[0], 2), atol=1e-5
    )


def stack(images, sizes):
    rbms = []
    for size in sizes:
        rbms.append(BernoulliRBM(size, n_iter=3, random_state=0).fit(images))
        images = rbms[-1].transform(images)
    return rbms, images


def test_a_stack_of_rbms_has_the_probabilities_of_scikit_learn(data):
    rbms, top = stack(data[0], (7, 5, 13))
    for given in (rbms, tuple(rbms), make_pipeline(*rbms)):
        network = from_sklearn(given, dtype=float)
        assert network.depth == 3 and network.nonlinearities == ("sigmoid", "sigmoid")
        np.testing.assert_allclose(network.activations(data[0], 3), logit(top), rtol=1e-8)
    np.testing.assert_allclose(
        from_sklearn(rbms[0], dtype=float).activations(data[0], 1), logit(rbms[0].transform(data[0])), rtol=1e-8
    )


def test_a_classifier_may_stand_on_rbms(data):
    images, labels = data
    for classifier, depth in ((LogisticRegression(), 3), (MLPClassifier((4,), max_iter=5, activation="tanh"), 4)):
        rbms = [BernoulliRBM(size, n_iter=2, random_state=0) for size in (7, 5)]
        pipeline = fit(make_pipeline(*rbms, "passthrough", classifier), images, labels)
        network = from_sklearn(pipeline, dtype=float)
        assert network.nonlinearities == ("sigmoid", "sigmoid", "tanh")[: depth - 1]
        found = softmax(network.activations(images, depth), axis=1)
        np.testing.assert_allclose(found, pipeline.predict_proba(images), rtol=1e-8)


class Mine(MLPClassifier):
    pass


def test_a_class_derived_from_an_mlp_is_one(data):
    assert isinstance(from_sklearn(fit(Mine((3,), max_iter=2), *data)), Network)


def test_what_cannot_be_seen_is_one_sentence(data):
    classifier = fit(MLPClassifier((7,), max_iter=2), *data)
    rbms, _ = stack(data[0], (7, 5))
    with pytest.raises(UserError, match="the MLPClassifier is not fitted .*; call its fit first"):
        from_sklearn(MLPClassifier())
    with pytest.raises(UserError, match="the BernoulliRBM is not fitted .*; call its fit first"):
        from_sklearn([rbms[0], BernoulliRBM()])
    with pytest.raises(UserError, match="StandardScaler is no layer that can be looked at; give BernoulliRBM, MLP"):
        from_sklearn(make_pipeline(StandardScaler(), classifier))
    with pytest.raises(UserError, match="MLPClassifier is under another part; only a BernoulliRBM has layers on it"):
        from_sklearn([classifier, rbms[1]])
    with pytest.raises(UserError, match="the stack is empty"):
        from_sklearn([])
    with pytest.raises(UserError, match=r"layer 2 has weights \(7, 11\) and biases \(7,\), which do not fit"):
        from_sklearn([rbms[0], rbms[0]])
    with pytest.raises(UserError, match="activation of the perceptron is 'softsign'; set it to logistic or tanh"):
        from_sklearn(fit(MLPClassifier((7,), max_iter=2), *data).set_params(activation="softsign"))
    classifier.coefs_[1][2, 1] = np.nan
    with pytest.raises(UserError, match="the weights of layer 2 hold NaN or an infinity; give numbers alone"):
        from_sklearn(classifier)
