"""Maximise the activation of output units along the gradient times the covariance of the data."""

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
    statistics = load_npz(snakemake.input.statistics)
    network = load_network(snakemake.input.classifier).to(xp)
    check_fit(network, network.depth, statistics)
    covariance = xp.asarray(statistics["unwhitening"] @ statistics["unwhitening"], dtype=np.float32)
    maxima = maximize_activation(
        network,
        network.depth,
        np.arange(network.units(network.depth)),
        norm=float(statistics["mean_norm"]),
        **params.settings,
        preconditioner=covariance,
        rng=generator(params.seed, *wildcards, "output", "preconditioned maximization", xp=xp),
    )
    logging.getLogger("deepunits").info(
        "%d of %d starts converged, after %d steps at the median",
        maxima.converged.sum(),
        maxima.converged.size,
        np.median(maxima.steps),
    )
    save_npz(snakemake.output.maxima, **asdict(maxima))
