"""Supervised fine-tuning: a softmax layer on top and back-propagation through all layers (section 4.4)."""

from dataclasses import dataclass, field, replace

import numpy as np

from deepunits.backend import accumulate_product, array_module, matmul, sigmoid_layer, times_slope
from deepunits.checks import check_choice
from deepunits.errors import UserError
from deepunits.models import on_gpu
from deepunits.models.network import Network
from deepunits.models.stack import block_of, learning_rate_at
from deepunits.randomness import dropout_mask, generator, uniform


@dataclass
class FineTuned:
    """A fine-tuned network and how its training went.

    Attributes
    ----------
    network : Network
        The hidden layers and, last, the output units before the softmax; NumPy arrays.
    train_errors : list of float
        Share of an epoch's training examples classified wrongly when their turn came, before the step on them.
    valid_errors : list of float
        Share of the validation examples classified wrongly, after each epoch.
    best_epoch : int
        The epoch, counted from 0, of least validation error. The weights are from it or, after :func:`refit`, from
        training that went on from it.
    """

    network: Network
    train_errors: list = field(default_factory=list)
    valid_errors: list = field(default_factory=list)
    best_epoch: int = -1


def with_output_layer(layers, classes):
    """Return a network of pretrained `layers` with an output layer of zeros for `classes` on top."""
    weights = [layer.weights.copy() for layer in layers]
    biases = [layer.hidden_bias.copy() for layer in layers]
    xp = array_module(weights[0])
    return Network(
        [*weights, xp.zeros((classes, len(biases[-1])), xp.float32)], [*biases, xp.zeros(classes, xp.float32)]
    )


def random_network(sizes, rng):
    """Return a network that was not pretrained: weights uniform within ±4 sqrt(6 / (fan-in + fan-out)), biases 0.

    Parameters
    ----------
    sizes : sequence of int
        Pixels, units of each hidden layer, classes.
    rng : numpy.random.Generator

    Notes
    -----
    Glorot and Bengio (2010), for sigmoid units; the output layer starts at zero.
    """
    weights = []
    for below, above in zip(sizes[:-2], sizes[1:-1], strict=True):
        bound = 4 * np.sqrt(6 / (below + above))
        weights.append(bound * (2 * uniform(rng, np.empty((above, below), np.float32)) - 1))
    weights.append(np.zeros((sizes[-1], sizes[-2]), np.float32))
    return Network([w.astype(np.float32) for w in weights], [np.zeros(len(w), np.float32) for w in weights])


def drop_out(x, share, rng, out=None):
    """Return `x` with a random `share` of its components set to 0 and the others scaled up to the same mean.

    Srivastava et al. (2014). `out` may be `x` itself.
    """
    xp = array_module(x)
    return xp.multiply(x, dropout_mask(rng, share, xp.empty_like(x)), out=out)


class Backpropagation:
    """Stochastic gradient descent on the cross-entropy of a softmax over the last layer's activations.

    Parameters
    ----------
    network : Network
        Trained in place.
    batch : int
        Examples in a minibatch, at most.
    weight_decay : float
    input_dropout, hidden_dropout : float
        Shares of the inputs and of the units of each hidden layer that a step does without.
    filter_decay : float
        Weight decay of the first layer, on top of the other.

    Attributes
    ----------
    mistakes : array (batch,) of int
        How many of the examples at each place in a minibatch were classified wrongly, each before the step on it.
    """

    def __init__(self, network, batch, weight_decay=0.0, input_dropout=0.0, hidden_dropout=0.0, filter_decay=0.0):
        for name in network.nonlinearities:
            check_choice("a nonlinearity of the network to train", name, ["sigmoid"])
        xp = array_module(network.weights[0])
        self.network = network
        self.weight_decays = [weight_decay + filter_decay, *[weight_decay] * (network.depth - 1)]
        self.input_dropout, self.hidden_dropout = input_dropout, hidden_dropout
        self.hidden = [xp.empty((batch, len(w)), xp.float32) for w in network.weights]
        self.slopes = [xp.empty_like(h) for h in self.hidden]
        self.mistakes = xp.zeros(batch, xp.int64)

    def step(self, examples, labels, learning_rate, rng=None):
        """Change the parameters by one step on `examples` (n, pixels) with class numbers `labels` (n,), int64.

        Dropout takes `rng`, a generator.
        """
        n, net = len(examples), self.network
        examples, *hidden = self.forward(examples, rng)
        error = hidden[-1]
        self._compare(error, labels)
        for k in reversed(range(net.depth)):
            below = hidden[k - 1] if k else examples
            if k:
                back = self._back(error, k, below)
            decay = 1.0 - learning_rate * self.weight_decays[k]
            accumulate_product(net.weights[k], error, below, alpha=-learning_rate / n, beta=decay)
            _subtract_mean(net.biases[k], error, learning_rate)
            if k:
                error = back

    def forward(self, examples, rng=None):
        """Return `examples` (n, pixels) and each layer's outputs, after dropout: sigmoids, of the last the products."""
        n, net = len(examples), self.network
        below = drop_out(examples, self.input_dropout, rng) if self.input_dropout else examples
        outputs = [below]
        for k, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
            if k + 1 < net.depth:
                below = sigmoid_layer(below, w.T, b, out=self.hidden[k][:n])
                if self.hidden_dropout:
                    drop_out(below, self.hidden_dropout, rng, out=below)
            else:
                below = matmul(below, w.T, out=self.hidden[k][:n])
            outputs.append(below)
        return outputs

    def _compare(self, outputs, labels):
        """Make the products (n, classes) of the last layer the softmax less 1 at the label; count who is mistaken."""
        xp, bias, mistakes = array_module(outputs), self.network.biases[-1], self.mistakes[: len(outputs)]
        if xp is not np:
            on_gpu.softmax_errors(outputs, bias, labels, mistakes)
            return
        outputs += bias
        outputs -= outputs.max(axis=1, keepdims=True)
        np.exp(outputs, out=outputs)
        outputs /= outputs.sum(axis=1, keepdims=True)
        mistakes += outputs.argmax(axis=1) != labels
        outputs[np.arange(len(outputs)), labels] -= 1

    def _back(self, error, k, below):
        """Return the error at the layer under layer `k`, counted from 0, whose outputs are `below`."""
        back = matmul(error, self.network.weights[k])
        return times_slope(back, below, share_kept=1 - self.hidden_dropout, scratch=self.slopes[k - 1][: len(below)])


def _subtract_mean(bias, errors, rate):
    """Subtract from `bias` (units,) `rate` times the mean of the `errors` (n, units), in place."""
    if array_module(errors) is np:
        bias -= (rate / len(errors)) * errors.sum(axis=0)
    else:
        on_gpu.add_rows(errors, bias, -rate / len(errors))


def error_rate(network, examples, labels, block=2000):
    """Return the share of `examples` (n, pixels) whose most active output unit is not the one of `labels` (n,)."""
    xp = array_module(network.weights[0])
    wrong = 0  # on the device, until all is counted
    for start in range(0, len(examples), block):
        part, classes = (xp.asarray(array[start : start + block]) for array in (examples, labels))
        wrong += (network.activations(part, network.depth).argmax(axis=1) != classes).sum()
    return int(wrong) / len(examples)


def fine_tune(network, stream, valid, settings, *, seed, stage, xp=np, progress=None, log=None):
    """Train a classifier with early stopping on the validation error.

    Parameters
    ----------
    network : Network
        Initial weights, pretrained or random, with the output units as the last layer; left as it is.
    stream : object
        ``stream.batch(start, size)`` returns examples, ``stream.batch_labels(start, size)`` their classes.
    valid : tuple of arrays (n, pixels), (n,)
        Validation examples and their classes.
    settings : dict
        ``epochs``, ``epoch_examples``, ``batch``, ``learning_rate``, ``constant_until``, ``weight_decay``,
        ``input_dropout``, ``hidden_dropout``, ``filter_decay`` and ``patience``: epochs without a new least validation
        error after which training stops.
    seed : int
    stage : tuple of str
        Names this training among the users of `seed`.
    xp : module
    progress : object, optional
    log : callable, optional

    Returns
    -------
    FineTuned

    Raises
    ------
    UserError
        If training diverges.
    """
    trainer = _trainer(network, settings, xp)
    network = trainer.network
    result = FineTuned(network)
    for epoch in range(settings["epochs"]):
        error = _train_epoch(trainer, stream, epoch, settings, seed, stage)
        wrong = error_rate(network, valid[0], valid[1])
        result.train_errors.append(error)
        result.valid_errors.append(wrong)
        if wrong <= min(result.valid_errors):
            result.best_epoch = epoch
            result.network = network.copy().to(np)
        if progress is not None:
            progress.update(settings["epoch_examples"])
        if log is not None:
            log(
                f"{' '.join(stage)}: epoch {epoch + 1}, training error {100 * error:.2f} %, "
                f"validation error {100 * wrong:.2f} %"
            )
        if epoch - result.best_epoch >= settings["patience"]:
            break
    return result


def refit(stream, examples, tuned, settings, *, seed, stage, xp=np, progress=None):
    """Go on from the best weights, on more examples, at the learning rates of the plan's last ``refit`` epochs.

    So that the validation examples, which have then done their work, are learnt from too: like the second way of
    Goodfellow, Bengio and Courville (2016, section 7.8), but for a fixed number of epochs.

    Parameters
    ----------
    stream : object
        Training and validation examples together.
    examples : int
        Examples in an epoch.
    tuned : FineTuned
        What :func:`fine_tune` returned.
    settings : dict
        As for :func:`fine_tune`, but for ``epoch_examples``; and ``refit``.
    seed : int
    stage : tuple of str
    xp : module
    progress : object, optional

    Returns
    -------
    FineTuned
        With the new network; the errors are those of `tuned`.

    Raises
    ------
    UserError
        If training diverges.
    """
    trainer, settings = _trainer(tuned.network, settings, xp), settings | {"epoch_examples": examples}
    for epoch in range(settings["epochs"] - settings["refit"], settings["epochs"]):
        _train_epoch(trainer, stream, epoch, settings, seed, stage)
        if progress is not None:
            progress.update(examples)
    return replace(tuned, network=trainer.network.to(np))


def _trainer(network, settings, xp):
    """Return what trains a copy of `network` as the settings say."""
    names = ("batch", "weight_decay", "input_dropout", "hidden_dropout", "filter_decay")
    return Backpropagation(network.copy().to(xp), **{name: settings[name] for name in names})


def _train_epoch(trainer, stream, epoch, settings, seed, stage):
    """Train for an epoch; return the share of its examples classified wrongly when their turn came."""
    xp = array_module(trainer.network.weights[0])
    size, batch, rng = settings["epoch_examples"], settings["batch"], generator(seed, *stage, "epoch", epoch, xp=xp)
    block = block_of(batch)
    trainer.mistakes[:] = 0
    for start in range(epoch * size, (epoch + 1) * size, block):
        count = min(block, (epoch + 1) * size - start)
        examples, labels = stream.batch(start, count), stream.batch_labels(start, count)
        for first in range(0, count, batch):
            rate = learning_rate_at((start + first) / (size * settings["epochs"]), settings)
            trainer.step(examples[first : first + batch], labels[first : first + batch], rate, rng)
    if not bool(xp.isfinite(trainer.network.weights[0]).all()):
        raise UserError(f"fine-tuning of {' '.join(stage)} diverged; lower its learning_rate in the configuration.")
    return int(trainer.mistakes.sum()) / size
