"""Train a model with one choice of hyperparameters, and measure it on validation examples."""

import logging

from deepunits.backend import choose_device, device_name
from deepunits.console import job
from deepunits.data.examples import load_examples, load_labels
from deepunits.data.training import training_stream
from deepunits.models.classifier import fine_tune, with_output_layer
from deepunits.models.stack import pretrain_layer
from deepunits.progress import progress
from deepunits.selection import classifier_settings, layer_settings, standard_error
from deepunits.storage import write_json

HELD_OUT = 2000  # validation examples that the reconstruction error is measured on

with job(log=snakemake.log[0]):
    params, wildcards, path = snakemake.params, snakemake.wildcards, snakemake.input.examples
    log = logging.getLogger("deepunits").info
    xp = choose_device(params.device)
    log("computing on %s with %d threads", device_name(xp), snakemake.threads)

    stream = training_stream(path, ("train",), seed=params.seed, deformation=params.deformation, xp=xp)
    valid = load_examples(path, "valid")
    stack, dead = [], []
    settings = layer_settings(params.layers, params.point, params.examples)
    with progress(len(settings) * params.examples, f"{wildcards.dataset} {wildcards.model} {wildcards.point}") as bar:
        for layer in settings:
            trained, history = pretrain_layer(
                params.kind,
                stream,
                stack,
                settings[layer],
                seed=params.seed,
                stage=(wildcards.dataset, wildcards.model, layer),
                held_out=valid[:HELD_OUT],
                xp=xp,
                progress=bar,
                log=log,
            )
            stack.append(trained)
            dead.append(history[-1]["dead_units"])
    if params.classifier is None:
        criterion, score = "reconstruction error of the first layer", history[-1]["reconstruction_error"]
        error = 0.0  # the same patches at every point
    else:
        labels = load_labels(path, "valid")
        tuned = fine_tune(
            with_output_layer(stack, int(load_labels(path, "train").max()) + 1),
            training_stream(path, ("train",), seed=params.seed, xp=xp),
            (valid, labels),
            classifier_settings(params.classifier, params.point, params.epochs),
            seed=params.seed,
            stage=(wildcards.dataset, wildcards.model, "classifier"),
            xp=xp,
            log=log,
        )
        criterion, score = "classification error", min(tuned.valid_errors)
        error = standard_error(score, len(labels))
    trial = {
        "dataset": wildcards.dataset,
        "model": wildcards.model,
        "point": params.point,
        "layers": len(stack),
        "criterion": criterion,
        "score": score,
        "standard_error": error,
        "dead_units": dead,
    }
    write_json(snakemake.output.trial, trial)
