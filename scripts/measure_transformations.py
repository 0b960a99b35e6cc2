"""Transform the optima of live units of a layer, and the test examples that excite them most, in known ways."""

import logging

import numpy as np

from deepunits.backend import choose_device, device_name, to_host
from deepunits.console import job
from deepunits.data.examples import image_shape, load_examples
from deepunits.invariance.firing import firing_invariance
from deepunits.invariance.transformations import amounts, transformation_matrices
from deepunits.invariance.transformed_optima import transformed_optima
from deepunits.models.network import dead_units
from deepunits.models.trained import check_fit, load_network
from deepunits.storage import load_npz, save_npz

EXAMPLES = 2000  # test examples, the same that pretraining counts dead units on

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.input
    xp = choose_device(params.device)
    logging.getLogger("deepunits").info("computing on %s", device_name(xp))
    layer, network = int(snakemake.wildcards.layer), load_network(files.network).to(xp)
    examples = xp.asarray(load_examples(files.examples, "test"))
    shape = image_shape(files.provenance, examples)
    taken = {kind: amounts(kind, largest, params.amounts) for kind, largest in params.largest.items()}
    stored = load_npz(files.invariance)
    check_fit(network, layer, stored)
    dead = dead_units(network, layer, examples[:EXAMPLES])
    live = np.flatnonzero(~dead[stored["units"]])[: params.units]
    units, optimum = stored["units"][live], xp.asarray(stored["optimum"][live])
    rows, norm = xp.asarray(units), float(stored["norm"])
    found = {name: [] for name in ("scores", "local_rates", "global_rates", "distances", "activations")}
    for kind, values in taken.items():
        matrices = transformation_matrices(kind, values, shape, edge=params.edge)
        firing = firing_invariance(
            network,
            layer,
            units,
            examples,
            matrices,
            global_rate=params.global_rate,
            strongest=params.strongest,
            signs=(1,),
        )
        moved = transformed_optima(network, layer, units, optimum, matrices, norm=norm)
        for name, value in zip(found, (firing.scores, firing.local_rates, firing.global_rates, *moved), strict=True):
            found[name].append(value.astype(np.float32))
    save_npz(
        snakemake.output.transformations,
        units=units,
        kinds=np.array(list(taken)),
        amounts=np.array(list(taken.values())),
        highest=to_host(network.unit_activation(optimum, layer, rows)),
        opposite=to_host(network.unit_activation(-optimum, layer, rows)),
        **found,
    )
