"""Greedy layer-wise pretraining: one layer at a time, on what the layers below make of the data (section 3)."""

import functools
import hashlib
import itertools
import json
import time
from pathlib import Path

import numpy as np

from deepunits.backend import array_module, device_name, to_host
from deepunits.errors import UserError
from deepunits.models.autoencoder import Denoising, DenoisingAutoencoder
from deepunits.models.layer import PARAMETERS
from deepunits.models.rbm import RBM, ContrastiveDivergence
from deepunits.randomness import bernoulli, generator, uniform
from deepunits.storage import load_npz, save_npz, text_of

BLOCK = 1000  # examples fetched and encoded at a time; a minibatch is a slice of a block
EPOCH = 50_000  # examples between two measurements, checkpoints and fresh random generators
INITIAL_EXAMPLES = 10_000  # examples whose mean sets the visible biases
HISTORY = ("examples", "learning_rate", "reconstruction_error", "dead_units", "examples_per_second")

# Which layer a model is a stack of, how it is trained, and the settings that its trainer takes.
KINDS = {
    "dbn": (
        RBM,
        ContrastiveDivergence,
        ("gibbs_steps", "persistent", "momentum", "weight_decay", "sparsity_target", "sparsity_cost"),
    ),
    "sdae": (DenoisingAutoencoder, Denoising, ("corruption", "corrupted", "momentum", "weight_decay")),
}


def encode(layers, x, rng=None):
    """Pass examples up through trained layers.

    Parameters
    ----------
    layers : sequence of TiedLayer
        Bottom first; may be empty.
    x : array (n, visible)
    rng : generator, optional
        With it, layers whose `pass_up` is ``samples`` give binary states; without it, all give probabilities.

    Returns
    -------
    array (n, hidden units of the last layer)
    """
    for layer in layers:
        sampled = rng is not None and layer.pass_up == "samples"
        x = layer.sample_hidden(rng, x) if sampled else layer.mean_hidden(x)
    return x


def learning_rate_at(progress, settings):
    """Return the learning rate when the share `progress` of all examples has been seen.

    It is constant until the share ``constant_until``, then falls linearly to 0.
    """
    constant = settings["constant_until"]
    if progress <= constant:
        return settings["learning_rate"]
    return settings["learning_rate"] * (1 - progress) / (1 - constant)


def pretrain_layer(
    model, stream, lower, settings, *, seed, stage, held_out, xp=np, checkpoint=None, progress=None, log=None
):
    """Train one layer of a stack, the layers below being fixed.

    Parameters
    ----------
    model : {'dbn', 'sdae'}
        Restricted Boltzmann machine or denoising auto-encoder.
    stream : object
        Training examples: ``stream.batch(start, size)`` returns examples number `start` to `start + size - 1`.
    lower : sequence of TiedLayer
        The trained layers below, bottom first.
    settings : dict
        The layer's hyperparameters, by the names of the configuration.
    seed : int
    stage : tuple of str
        Names this training among the users of `seed`, such as ``("mnist", "dbn", "layer1")``.
    held_out : array (n, pixels)
        Examples that the reconstruction error is measured on.
    xp : module
        ``numpy`` or ``cupy``.
    checkpoint : path, optional
        Where the state of training is kept at each epoch, and taken up again after an interruption.
    progress : object, optional
        Told of the examples seen, by ``update(n)`` (see :func:`deepunits.progress.progress`).
    log : callable, optional
        Called with a line of text at each epoch.

    Returns
    -------
    layer : RBM or DenoisingAutoencoder
        With NumPy arrays.
    history : list of dict
        One record an epoch, with the keys `HISTORY`.

    Raises
    ------
    UserError
        If training diverges.
    """
    lower = [layer.to(xp) for layer in lower]
    held_out = encode(lower, xp.asarray(held_out))
    layer = _initial_layer(model, stream, lower, settings, seed, stage, xp)
    _, trainer_class, names = KINDS[model]
    trainer = trainer_class(layer, settings["batch"], **{name: settings[name] for name in names if name in settings})
    arrays = {name: getattr(layer, name) for name in PARAMETERS} | trainer.state
    identity = _identity(model, lower, settings, seed, stage)
    inputs = _inputs(stream, lower, settings["examples"])

    history = _resume(checkpoint, identity, arrays) if checkpoint else []
    if progress is not None:
        progress.update(history[-1]["examples"] if history else 0)
    for epoch in range(len(history), -(-settings["examples"] // EPOCH)):
        started = time.perf_counter()
        examples = range(epoch * EPOCH, min((epoch + 1) * EPOCH, settings["examples"]))
        rng = generator(seed, *stage, "epoch", epoch, xp=xp)
        rate = _train_epoch(trainer, inputs, examples, settings, rng, progress)
        seconds = time.perf_counter() - started
        values = (
            examples.stop,
            rate,
            layer.reconstruction_error(held_out),
            int(layer.dead_units(held_out).sum()),
            len(examples) / seconds,
        )
        history.append(dict(zip(HISTORY, values, strict=True)))
        if not np.isfinite(history[-1]["reconstruction_error"]):
            raise UserError(f"training of {' '.join(stage)} diverged; lower its learning_rate in the configuration.")
        if log is not None:
            log(
                "{}: {} examples, rate {:.4g}, error {:.2f}, {} dead units, {:.0f} examples/s".format(
                    " ".join(stage), *values
                )
            )
        if checkpoint:
            save_npz(
                checkpoint,
                identity=np.array(identity),
                history=np.array(json.dumps(history)),
                **{name: to_host(array) for name, array in arrays.items()},
            )
    return layer.to(np), history


def block_of(batch):
    """Return how many examples are fetched at a time to be trained on in minibatches of `batch`."""
    return max(BLOCK // batch, 1) * batch


def _inputs(stream, lower, examples):
    """Return a function of `start`, `size` and `rng` that gives the inputs of a layer above the layers `lower`.

    Of a finite set that is passed over more than once, the means of the layers up to the first that draws states are
    made once: they are the same in every pass.
    """
    if not lower or not hasattr(stream, "through") or examples <= len(stream.examples):
        return lambda start, size, rng: encode(lower, stream.batch(start, size), rng)
    means_only = list(itertools.takewhile(lambda layer: layer.pass_up == "means", lower))
    kept, above = lower[: len(means_only) + 1], lower[len(means_only) + 1 :]
    means, drawn = stream.through(functools.partial(encode, kept)), kept[-1].pass_up == "samples"

    def inputs(start, size, rng):
        x = means.batch(start, size)
        if drawn:
            x = bernoulli(rng, x, array_module(x).empty_like(x), out=x)
        return encode(above, x, rng)

    return inputs


def _train_epoch(trainer, inputs, examples, settings, rng, progress):
    """Train on the examples numbered by the range `examples`; return the last learning rate."""
    batch = settings["batch"]
    block = block_of(batch)
    trainer.begin_epoch(rng)
    for start in range(examples.start, examples.stop, block):
        size = min(block, examples.stop - start)
        x = inputs(start, size, rng)
        for first in range(0, size - batch + 1, batch):
            rate = learning_rate_at((start + first) / settings["examples"], settings)
            trainer.step(x[first : first + batch], rate, rng)
        if progress is not None:
            progress.update(size)
    return rate


def _initial_layer(model, stream, lower, settings, seed, stage, xp):
    """Return an untrained layer with small uniform weights and visible biases that fit the mean of the data."""
    examples = encode(lower, stream.batch(0, INITIAL_EXAMPLES))
    mean = examples.mean(axis=0)
    uniforms = uniform(generator(seed, *stage, "initial weights"), np.empty((settings["units"], len(mean)), np.float32))
    weights = xp.asarray(settings["initial_weights"] * (2 * uniforms - 1))
    layer = KINDS[model][0].initialise(weights, mean, **_kinds(settings))
    layer.check_examples(examples)
    return layer


def _identity(model, lower, settings, seed, stage):
    """Return a digest of all that a training run depends on but its data, to tell a checkpoint of another run."""
    digest = hashlib.sha256(json.dumps([model, settings, seed, stage], sort_keys=True).encode())
    for layer in lower:
        digest.update(to_host(layer.weights).tobytes())
    return digest.hexdigest()


def _resume(checkpoint, identity, arrays):
    """Load the state in `checkpoint` into `arrays` if it is this run's; return the history so far."""
    if not Path(checkpoint).exists():
        return []
    saved = load_npz(checkpoint)
    if str(saved["identity"]) != identity:
        return []
    for name, array in arrays.items():
        if saved[name].shape != array.shape or saved[name].dtype != array.dtype:
            raise UserError(
                f"{checkpoint} holds {saved[name].dtype} of shape {saved[name].shape} in its array {name}, where the "
                f"training has {array.dtype} of shape {array.shape}; delete it and run again."
            )
        array[...] = array_module(array).asarray(saved[name])
    history = text_of(checkpoint, saved, "history", list)
    if not all(isinstance(epoch, dict) and epoch.keys() == set(HISTORY) for epoch in history):
        raise UserError(f"{checkpoint} holds no epochs in its history; delete it and run again.")
    return history


def metadata(model, settings, *, seed, stage, xp, versions):
    """Return what is stored with a trained layer, as JSON text: how it came to be."""
    record = {
        "kind": model,
        "stage": list(stage),
        "settings": settings,
        "seed": seed,
        "examples_seen": settings["examples"],
        "device": device_name(xp),
        "versions": versions,
    }
    return json.dumps(record, sort_keys=True)


def save_layer(path, layer, record):
    """Write a trained layer and its metadata, JSON text `record`, to the ``.npz`` file `path`."""
    save_npz(path, **{name: getattr(layer, name) for name in PARAMETERS}, metadata=np.array(record))


def load_layers(paths, examples=None):
    """Return the trained layers of one stack, with NumPy arrays.

    Parameters
    ----------
    paths : sequence of path
        The files ``layer<k>.npz``, bottom first.
    examples : str, optional
        The sha256 of the examples that they have to be trained on.

    Raises
    ------
    UserError
        If one cannot be read, or they are not of the same run: of one model, seed and examples, one upon the other.
    """
    layers, known, below = [], None, None
    for path in paths:
        layer, record = _read_layer(path)
        if layers and layer.weights.shape[1] != len(layers[-1].weights):
            raise UserError(
                f"{path} has weights for {layer.weights.shape[1]} units below, where {below} has "
                f"{len(layers[-1].weights)}: they are of different runs; delete it and run again."
            )
        settings = record["settings"]
        origin = [record.get("stage", [])[:-1], record.get("seed"), settings.get("examples_sha256", examples)]
        known = known or [*origin[:2], examples or origin[2]]
        for what, mine, first in zip(("model", "seed", "examples"), origin, known, strict=True):
            if mine != first:
                raise UserError(
                    f"{path} is of another run: its metadata has another {what} than "
                    f"{paths[0] if layers else 'the dataset'}; delete it and run again."
                )
        layers, below = [*layers, layer], path
    return layers


def load_layer(path):
    """Return the trained layer in the ``.npz`` file `path`, with NumPy arrays."""
    return _read_layer(path)[0]


def _read_layer(path):
    """Return the trained layer in a file, and how it came to be."""
    saved = load_npz(path)
    arrays = {name: saved[name] for name in PARAMETERS}
    record = text_of(path, saved, "metadata")
    if any(array.dtype.kind != "f" for array in arrays.values()):
        raise UserError(f"{path} holds weights or biases that are no real numbers; delete it and run again.")
    if not isinstance(record.get("settings"), dict) or not isinstance(record.get("stage", []), list):
        raise UserError(f"{path} does not say in its metadata how it came to be; delete it and run again.")
    try:
        return KINDS[record["kind"]][0](**arrays, **_kinds(record["settings"])), record
    except (KeyError, TypeError, UserError) as reason:
        raise UserError(f"{path} is no trained layer ({reason}); delete it and run again.") from reason


def _kinds(settings):
    """Return the settings that say what the layer's units are."""
    return {name: settings[name] for name in ("pass_up", "visible", "visible_variance") if name in settings}
