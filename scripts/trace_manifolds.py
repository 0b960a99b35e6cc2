"""Trace the invariance manifolds of all units of one layer."""

import logging
from dataclasses import asdict

import numpy as np

from deepunits.backend import choose_device, device_name
from deepunits.console import job
from deepunits.invariance.most_invariant import kept_until_known, more_of_the_most_invariant, only_drawn
from deepunits.invariance.search import optima, search
from deepunits.models.trained import check_fit, load_network
from deepunits.randomness import generator
from deepunits.storage import load_npz, save_npz

with job(log=snakemake.log[0]):
    params, wildcards, files = snakemake.params, snakemake.wildcards, snakemake.input
    log = logging.getLogger("deepunits").info
    xp = choose_device(params.device)
    log("computing on %s", device_name(xp))
    network, maxima, statistics = load_network(files.network).to(xp), load_npz(files.maxima), load_npz(files.statistics)
    layer = int(wildcards.get("layer", network.depth))  # the last, but of a classifier a hidden one may be asked for
    check_fit(network, layer, maxima, statistics)
    units = np.arange(network.units(layer))
    kept = "most_invariant" in snakemake.output.keys()
    stage = (params.seed, *wildcards, "invariance")
    found = search(
        network,
        layer,
        units,
        optima(network, layer, maxima, params.maximization, rng=generator(*stage, "optima", xp=xp)),
        statistics,
        params.search,
        rng=generator(*stage, "manifolds", xp=xp),
        shown=kept_until_known(units, maxima["units"], params.search, network.pixels) if kept else maxima["units"],
    )
    log(
        "%.0f %% of the searches converged, after %.1f steps in the mean",
        100 * found.converged.mean(),
        found.steps.mean(),
    )
    save_npz(snakemake.output.manifolds, **asdict(only_drawn(found, maxima["units"])))
    if kept:
        rng = generator(*stage, "most invariant", xp=xp)
        more = more_of_the_most_invariant(network, layer, found, maxima, params.maximization, rng=rng)
        save_npz(snakemake.output.most_invariant, **more)
