"""Transform the optima of units, and the test examples that excite them most, by known transformations."""

import logging

import numpy as np

from deepunits.backend import choose_device, device_name, to_host
from deepunits.console import job
from deepunits.data.examples import load_examples
from deepunits.figures.tiles import squares
from deepunits.invariance import transformations
from deepunits.models.network import Network
from deepunits.models.stack import load_layer
from deepunits.storage import load_npz, save_npz

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.input
    xp = choose_device(params.device)
    logging.getLogger("deepunits").info("computing on %s", device_name(xp))
    network = Network.from_layers([load_layer(path) for path in files.layers]).to(xp)
    examples = xp.asarray(load_examples(files.examples, "test"))
    shape = squares(examples[:1]).shape[1:]
    amounts = {kind: transformations.amounts(kind, largest, params.amounts) for kind, largest in params.largest.items()}
    matrices = {
        kind: transformations.transformation_matrices(kind, values, shape, edge=params.edge)
        for kind, values in amounts.items()
    }
    for layer, (traced, output) in enumerate(zip(files.invariance, snakemake.output, strict=True), start=1):
        stored = load_npz(traced)
        units, optimum = stored["units"][: params.units], xp.asarray(stored["optimum"][: params.units])
        rows, norm = xp.asarray(units), float(stored["norm"])
        found = {name: [] for name in ("scores", "local_rates", "global_rates", "distances", "activations")}
        for kind in matrices.values():
            firing = transformations.firing_invariance(
                network,
                layer,
                units,
                examples,
                kind,
                global_rate=params.global_rate,
                strongest=params.strongest,
                signs=(1,),
            )
            moved = transformations.transformed_optima(network, layer, units, optimum, kind, norm=norm)
            values = (firing.scores, firing.local_rates, firing.global_rates, *moved)
            for name, value in zip(found, values, strict=True):
                found[name].append(value.astype(np.float32))
        save_npz(
            output,
            units=units,
            kinds=np.array(list(matrices)),
            amounts=np.array(list(amounts.values())),
            highest=to_host(network.unit_activation(optimum, layer, rows)),
            opposite=to_host(network.unit_activation(-optimum, layer, rows)),
            **found,
        )
