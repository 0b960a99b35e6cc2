"""Find the inputs that maximise the activation of units of one layer."""

import logging
from dataclasses import asdict

import numpy as np

from deepunits.backend import choose_device, device_name
from deepunits.console import job
from deepunits.models.trained import check_fit, load_network
from deepunits.randomness import generator
from deepunits.storage import load_npz, save_npz
from deepunits.visualize.activation_maximization import maximize_activation

with job(log=snakemake.log[0]):
    params, wildcards = snakemake.params, snakemake.wildcards
    xp = choose_device(params.device)
    logging.getLogger("deepunits").info("computing on %s", device_name(xp))
    network = load_network(snakemake.input.network).to(xp)
    layer = int(wildcards.get("layer", network.depth))  # the last, but of a classifier a hidden one may be asked for
    statistics = load_npz(snakemake.input.statistics)
    check_fit(network, layer, statistics)
    maxima = maximize_activation(
        network,
        layer,
        np.arange(min(params.shown, network.units(layer))),
        norm=float(statistics["mean_norm"]),
        **params.settings,
        rng=generator(params.seed, *wildcards, "activation maximization", xp=xp),
    )
    logging.getLogger("deepunits").info(
        "%d of %d starts converged, after %d steps at the median",
        maxima.converged.sum(),
        maxima.converged.size,
        np.median(maxima.steps),
    )
    save_npz(snakemake.output.maxima, **asdict(maxima))
