"""Transform the optima of live units, and the test examples that excite them most, by known transformations."""

import logging

import numpy as np

from deepunits.backend import choose_device, device_name, to_host
from deepunits.console import job
from deepunits.data.examples import load_examples
from deepunits.drawing.tiles import squares
from deepunits.invariance import transformations
from deepunits.models.network import Network
from deepunits.models.stack import encode, load_layer
from deepunits.storage import load_npz, save_npz

EXAMPLES = 2000  # test examples, the same that pretraining counts dead units on

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.input
    xp = choose_device(params.device)
    logging.getLogger("deepunits").info("computing on %s", device_name(xp))
    layers = [load_layer(path).to(xp) for path in files.layers]
    network = Network.from_layers(layers)
    examples = xp.asarray(load_examples(files.examples, "test"))
    shape = squares(examples[:1]).shape[1:]
    amounts = {kind: transformations.amounts(kind, largest, params.amounts) for kind, largest in params.largest.items()}
    matrices = {
        kind: transformations.transformation_matrices(kind, values, shape, edge=params.edge)
        for kind, values in amounts.items()
    }
    for layer, (traced, output) in enumerate(zip(files.invariance, snakemake.output, strict=True), start=1):
        stored = load_npz(traced)
        dead = to_host(layers[layer - 1].dead_units(encode(layers[: layer - 1], examples[:EXAMPLES])))
        live = np.flatnonzero(~dead[stored["units"]])[: params.units]
        units, optimum = stored["units"][live], xp.asarray(stored["optimum"][live])
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
