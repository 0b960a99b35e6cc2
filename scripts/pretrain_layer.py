"""Train one layer of a model on what the trained layers below it make of the examples."""

import hashlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from deepunits.backend import choose_device, device_name
from deepunits.console import job, progress
from deepunits.data.examples import load_examples
from deepunits.data.infinite_mnist import InfiniteMNIST
from deepunits.data.streams import ExampleStream
from deepunits.models.stack import load_layer, metadata, pretrain_layer, save_layer
from deepunits.record import versions
from deepunits.storage import load_npz, write_text

HELD_OUT = 2000  # test examples that the reconstruction error is measured on

with job(log=snakemake.log[0]):
    params, wildcards = snakemake.params, snakemake.wildcards
    logger = logging.getLogger("deepunits")
    xp = choose_device(params.device)
    logger.info("computing on %s with %d threads", device_name(xp), snakemake.threads)

    arrays = load_npz(snakemake.input.examples)
    images, labels = (
        np.concatenate([arrays[f"{split}_{kind}"] for split in ("train", "valid")]) for kind in ("images", "labels")
    )
    if params.deformation:
        stream = InfiniteMNIST(images, labels, seed=params.seed, **params.deformation, xp=xp)
    else:
        stream = ExampleStream(load_examples(snakemake.input.examples, "train"), seed=params.seed, xp=xp)

    # What the examples are belongs to the settings, so that no checkpoint is resumed on other data.
    settings = {
        **params.settings,
        "deformation": params.deformation,
        "examples_sha256": hashlib.sha256(images).hexdigest(),
    }
    stage = (wildcards.dataset, wildcards.model, f"layer{wildcards.layer}")
    with progress(settings["examples"], " ".join(stage)) as bar:
        layer, history = pretrain_layer(
            wildcards.model,
            stream,
            [load_layer(path) for path in snakemake.input.lower],
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
        metadata(wildcards.model, settings, seed=params.seed, stage=stage, xp=xp, versions=versions()),
    )
    write_text(snakemake.output.history, pd.DataFrame(history).to_csv(index=False))
    Path(params.checkpoint).unlink(missing_ok=True)
