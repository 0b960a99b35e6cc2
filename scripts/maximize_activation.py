"""Find the inputs that maximise the activation of units of one layer."""

import logging
from dataclasses import asdict

import numpy as np

from deepunits.backend import choose_device, device_name, generator
from deepunits.console import job
from deepunits.models.network import Network
from deepunits.models.stack import load_layer
from deepunits.storage import load_npz, save_npz
from deepunits.visualize.activation_maximization import maximize_activation

with job(log=snakemake.log[0]):
    params, wildcards = snakemake.params, snakemake.wildcards
    xp = choose_device(params.device)
    logging.getLogger("deepunits").info("computing on %s", device_name(xp))
    maxima = maximize_activation(
        Network.from_layers([load_layer(path) for path in snakemake.input.layers]).to(xp),
        int(wildcards.layer),
        np.arange(params.shown),
        norm=float(load_npz(snakemake.input.statistics)["mean_norm"]),
        restarts=params.restarts,
        learning_rate=params.learning_rate,
        threshold=params.threshold,
        max_steps=params.max_steps,
        rng=generator(params.seed, *wildcards, "activation maximization", xp=xp),
    )
    logging.getLogger("deepunits").info(
        "%d of %d starts converged, after %d steps at the median",
        maxima.converged.sum(),
        maxima.converged.size,
        np.median(maxima.steps),
    )
    save_npz(snakemake.output.maxima, **asdict(maxima))
