"""Networks that scikit-learn has trained, as a :class:`Network`. An estimator is enough: nothing else is imported."""

import numpy as np

from deepunits.checks import check_choice, check_finite
from deepunits.errors import UserError
from deepunits.models.network import Network

# scikit-learn's names of the activation functions, and ours.
ACTIVATIONS = {"logistic": "sigmoid", "tanh": "tanh", "relu": "relu", "identity": "identity"}


def from_sklearn(estimator, dtype: type = np.float32) -> Network:
    """Return the network that scikit-learn has fitted.

    Parameters
    ----------
    estimator : estimator, Pipeline, or sequence of estimators
        An ``MLPClassifier`` or ``MLPRegressor``; a ``BernoulliRBM``; or, bottom first, a stack of ``BernoulliRBM`` with
        an MLP or a ``LogisticRegression`` on it, if wanted. The output units are the last layer, before their softmax.
    dtype : dtype
        Of the network's arrays. Single precision is faster.

    Returns
    -------
    Network

    Raises
    ------
    UserError
        If a part is of another kind, is not fitted, holds NaN, or does not fit on the one below.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from deepunits import from_sklearn
    >>> images, labels = load_iris(return_X_y=True)
    >>> network = from_sklearn(MLPClassifier((7,), max_iter=3000, random_state=0).fit(images, labels))
    >>> network.depth, network.units(1), network.units(2)
    (2, 7, 3)
    """
    parts = _parts(estimator)
    weights, biases, between = [], [], []
    for number, part in enumerate(parts):
        name = type(part).__name__
        read = next((READERS[base.__name__] for base in type(part).__mro__ if base.__name__ in READERS), None)
        if read is None:
            raise UserError(
                f"{name} is no layer that can be looked at; give {', '.join(READERS)}, or a stack of these."
            )
        if number + 1 < len(parts) and read is not _rbm:
            raise UserError(f"{name} is under another part; only a BernoulliRBM has layers on it.")
        try:
            found = read(part)
        except AttributeError as reason:
            raise UserError(f"the {name} is not fitted ({reason}); call its fit first.") from reason
        weights += [np.ascontiguousarray(w, dtype=dtype) for w in found[0]]
        biases += [np.ascontiguousarray(b, dtype=dtype) for b in found[1]]
        between += found[2]
    for layer, arrays in enumerate(zip(weights, biases, strict=True), start=1):
        for kind, array in zip(("weights", "biases"), arrays, strict=True):
            check_finite(f"the {kind} of layer {layer}", array)
    return Network(weights, biases, between[: len(weights) - 1])


def _parts(estimator):
    """Return the estimators of a stack, bottom first."""
    if hasattr(estimator, "steps"):
        return [part for _, part in estimator.steps if part is not None and part != "passthrough"]
    parts = list(estimator) if isinstance(estimator, list | tuple) else [estimator]
    if not parts:
        raise UserError("the stack is empty; give its estimators, bottom first.")
    return parts


def _rbm(part):
    return [part.components_], [part.intercept_hidden_], ["sigmoid"]


def _perceptron(part):
    check_choice("the activation of the perceptron", part.activation, ACTIVATIONS)
    between = [ACTIVATIONS[part.activation]] * (len(part.coefs_) - 1)
    return [w.T for w in part.coefs_], part.intercepts_, between


def _linear(part):
    return [part.coef_], [part.intercept_], []


# Which arrays a part has: weights, biases, and the nonlinearities behind each but the output.
READERS = {
    "BernoulliRBM": _rbm,
    "MLPClassifier": _perceptron,
    "MLPRegressor": _perceptron,
    "LogisticRegression": _linear,
}
