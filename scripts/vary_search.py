"""Trace the manifolds of the units shown of every layer by other searches, to see what the measures depend on."""

import logging

import numpy as np

from deepunits.backend import choose_device, device_name
from deepunits.console import job
from deepunits.invariance.search import search, variants
from deepunits.models.trained import check_fit, load_network
from deepunits.randomness import generator
from deepunits.storage import load_npz, save_npz

with job(log=snakemake.log[0]):
    params, wildcards, files = snakemake.params, snakemake.wildcards, snakemake.input
    log = logging.getLogger("deepunits").info
    xp = choose_device(params.device)
    log("computing on %s", device_name(xp))
    statistics = load_npz(files.statistics)
    varied = list(variants(params.search, params.varied))
    names, found = [name for name, _, _ in varied], {}
    for layer, path in enumerate(files.manifolds, start=1):
        network, main = load_network(files.layers[:layer]).to(xp), load_npz(path)
        check_fit(network, layer, main, statistics)
        units = main["shown_units"]
        optimum = xp.asarray(main["optimum"][units])
        manifolds = []
        for name, settings, ridge in varied:
            rng = generator(params.seed, *wildcards, "variants", layer, xp=xp)  # the same starts for all searches
            manifolds.append(search(network, layer, units, optimum, statistics, settings, rng=rng, ridge=ridge))
            log("layer %d, %s: %.0f %% converged", layer, name, 100 * manifolds[-1].converged.mean())
        found[f"layer{layer}_units"] = units
        for array in ("activations", "converged"):
            found[f"layer{layer}_{array}"] = np.array([getattr(manifold, array) for manifold in manifolds])
    save_npz(snakemake.output.variants, searches=np.array(names, dtype=str), epsilons=main["epsilons"], **found)
