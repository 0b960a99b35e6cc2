"""Trace the manifolds of the same units by several searches, and walk in random directions to compare."""

import logging

import numpy as np

from deepunits.backend import choose_device, device_name, to_host
from deepunits.console import job
from deepunits.invariance.alternatives import SEARCHES, random_walks
from deepunits.invariance.manifold import trace_manifold
from deepunits.models.trained import check_fit, load_network
from deepunits.randomness import generator
from deepunits.storage import filled, load_npz, save_npz
from deepunits.visualize.activation_maximization import ActivationMaxima

with job(log=snakemake.log[0]):
    params, wildcards, settings = snakemake.params, snakemake.wildcards, dict(snakemake.params.settings)
    logger = logging.getLogger("deepunits")
    xp = choose_device(params.device)
    logger.info("computing on %s", device_name(xp))
    network = load_network(snakemake.input.layers).to(xp)
    stored, statistics = load_npz(snakemake.input.maxima), load_npz(snakemake.input.statistics)
    layer, maxima = int(wildcards.layer), filled(ActivationMaxima, stored)
    check_fit(network, layer, stored, statistics)
    units = maxima.units[: params.units]
    optima = xp.asarray(maxima.best[: params.units])
    epsilons = np.linspace(0, 2, settings.pop("distances") + 1)
    count, stage = settings.pop("random"), (params.seed, *wildcards)

    found = {}
    for name, search in SEARCHES.items():
        traced = trace_manifold(
            network,
            layer,
            units,
            optima,
            norm=float(maxima.norm),
            epsilons=epsilons,
            trials=1,
            unwhitening=statistics["unwhitening"],
            rng=generator(*stage, "searches", xp=xp),  # the same starts for all searches
            shown=units,
            **settings,
            **search,
        )
        logger.info("%s: %.0f %% of the searches converged", name, 100 * traced.converged.mean())
        found |= {
            f"{name}_activations": traced.activations[:, 0],
            f"{name}_inputs": traced.inputs[:, 0],
            f"{name}_steps": traced.steps[:, 0],
            f"{name}_converged": traced.converged[:, 0],
        }
    roots = {"random": None, "data_like": xp.asarray(statistics["unwhitening"], dtype=optima.dtype)}
    for name, root in roots.items():
        rng = generator(*stage, name, xp=xp)
        walks = random_walks(network, layer, units, optima, epsilons, count=count, root=root, rng=rng)
        found[f"{name}_activations"] = walks.astype(np.float32)
    save_npz(
        snakemake.output.searches,
        units=units,
        epsilons=epsilons,
        optimum=to_host(optima),
        norm=maxima.norm,
        **found,
    )
