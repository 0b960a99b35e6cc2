"""Train a classifier from pretrained layers, or from random weights, and measure its errors."""

import logging

from deepunits.backend import choose_device, device_name
from deepunits.console import job
from deepunits.data.examples import load_examples, load_labels
from deepunits.data.training import training_stream
from deepunits.models.classifier import error_rate, fine_tune, random_network, refit, with_output_layer
from deepunits.models.stack import load_layers, metadata
from deepunits.models.trained import save_classifier
from deepunits.progress import progress
from deepunits.randomness import generator
from deepunits.record import versions

with job(log=snakemake.log[0]):
    params, wildcards, examples = snakemake.params, snakemake.wildcards, snakemake.input.examples
    logger = logging.getLogger("deepunits")
    xp = choose_device(params.device)
    logger.info("computing on %s with %d threads", device_name(xp), snakemake.threads)

    stage = (wildcards.dataset, wildcards.start, "classifier")
    stream = training_stream(examples, ("train",), seed=params.seed, deformation=params.deformation, xp=xp)
    labels = load_labels(examples, "train")
    classes = int(labels.max()) + 1
    if snakemake.input.layers:
        network = with_output_layer(load_layers(snakemake.input.layers), classes)
    else:
        sizes = [stream.pixels, *params.settings["units"].values(), classes]
        network = random_network(sizes, generator(params.seed, *stage, "initial weights"))
    valid = load_examples(examples, "valid"), load_labels(examples, "valid")
    settings, common = params.settings, {"seed": params.seed, "xp": xp}
    with progress(settings["epochs"] * settings["epoch_examples"], " ".join(stage)) as bar:
        tuned = fine_tune(network, stream, valid, settings, stage=stage, progress=bar, log=logger.info, **common)
    seen = len(tuned.valid_errors) * settings["epoch_examples"]
    if settings["refit"]:
        stream = training_stream(examples, ("train", "valid"), seed=params.seed, deformation=params.deformation, xp=xp)
        epoch = round(settings["epoch_examples"] * (1 + len(valid[1]) / len(labels)))
        again = (*stage, "refit")
        with progress(settings["refit"] * epoch, " ".join(again)) as bar:
            tuned = refit(stream, epoch, tuned, settings, stage=again, progress=bar, **common)
        seen += settings["refit"] * epoch
    test_error = error_rate(tuned.network.to(xp), load_examples(examples, "test"), load_labels(examples, "test"))
    logger.info("test error %.2f %%", 100 * test_error)
    settings = settings | {"deformation": params.deformation, "examples": seen}
    record = metadata("classifier", settings, seed=params.seed, stage=stage, xp=xp, versions=versions())
    save_classifier(snakemake.output.classifier, tuned, test_error, record)
