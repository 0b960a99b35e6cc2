"""Train one layer of a model on what the trained layers below it make of the examples."""

import hashlib
import logging
from pathlib import Path

from deepunits.backend import choose_device, device_name
from deepunits.console import job
from deepunits.data.examples import load_examples
from deepunits.data.training import training_stream
from deepunits.models.stack import load_layers, metadata, pretrain_layer, save_layer
from deepunits.progress import progress
from deepunits.record import versions
from deepunits.storage import write_rows

HELD_OUT = 2000  # test examples that the reconstruction error is measured on

with job(log=snakemake.log[0]):
    params, wildcards = snakemake.params, snakemake.wildcards
    logger = logging.getLogger("deepunits")
    xp = choose_device(params.device)
    logger.info("computing on %s with %d threads", device_name(xp), snakemake.threads)

    # No test example and no label is used. Digits held out from fine-tuning are in the 60,000 that are deformed.
    splits = ("train", "valid") if params.deformation else ("train",)
    stream = training_stream(snakemake.input.examples, splits, seed=params.seed, deformation=params.deformation, xp=xp)
    # What the examples are belongs to the settings, so that no checkpoint is resumed on other data.
    settings = {
        **params.settings,
        "deformation": params.deformation,
        "examples_sha256": hashlib.sha256(Path(snakemake.input.examples).read_bytes()).hexdigest(),
    }
    stage = (wildcards.dataset, wildcards.model, f"layer{wildcards.layer}")
    with progress(settings["examples"], " ".join(stage)) as bar:
        layer, history = pretrain_layer(
            params.kind,
            stream,
            load_layers(snakemake.input.lower, examples=settings["examples_sha256"]),
            settings,
            seed=params.seed,
            stage=stage,
            held_out=load_examples(snakemake.input.examples, "test")[:HELD_OUT],
            xp=xp,
            checkpoint=params.checkpoint,
            progress=bar,
            log=logger.info,
        )
    save_layer(
        snakemake.output.layer,
        layer,
        metadata(params.kind, settings, seed=params.seed, stage=stage, xp=xp, versions=versions()),
    )
    write_rows(snakemake.output.history, history)
    Path(params.checkpoint).unlink(missing_ok=True)
