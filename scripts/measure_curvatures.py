"""Find the eigenvectors of the Hessian at the optima of units, and walk along some of them."""

import numpy as np

from deepunits.console import job
from deepunits.invariance.hessian import principal_curvatures, variance_along, walk_along
from deepunits.models.trained import check_fit, load_network
from deepunits.storage import filled, load_npz, save_npz
from deepunits.visualize.activation_maximization import ActivationMaxima

with job(log=snakemake.log[0]):
    params, layer = snakemake.params, int(snakemake.wildcards.layer)
    network = load_network(snakemake.input.layers)
    stored, statistics = load_npz(snakemake.input.maxima), load_npz(snakemake.input.statistics)
    check_fit(network, layer, stored, statistics)
    maxima, covariance = filled(ActivationMaxima, stored), statistics["covariance"]
    units, optima = maxima.units[: params.units], maxima.best[: params.units]
    epsilons = np.linspace(0, 2, params.distances + 1)
    walked = np.array([0, 1, (len(covariance) - 1) // 2, len(covariance) - 2])  # flattest two, middle, steepest
    found = {name: [] for name in ("curvatures", "variances", "activations", "inputs")}
    for unit, optimum in zip(units, optima, strict=True):
        principal = principal_curvatures(network, layer, int(unit), optimum)
        walks = walk_along(network, layer, int(unit), optimum, principal.directions[walked], epsilons)
        values = (principal.curvatures, variance_along(principal.directions, covariance), *walks)
        for name, value in zip(found, values, strict=True):
            found[name].append(value.astype(np.float32))
    save_npz(
        snakemake.output.curvatures,
        units=units,
        epsilons=epsilons,
        optimum=optima,
        norm=maxima.norm,
        walked=walked,
        **found,
    )
