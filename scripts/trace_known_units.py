"""Trace the manifolds of units whose truth is known, and hold what is found against it."""

import numpy as np

from deepunits.console import job
from deepunits.drawing.tiles import squares
from deepunits.invariance.known_units import known_units, trace_known_units
from deepunits.storage import load_npz, save_npz

with job(log=snakemake.log[0]):
    params, statistics = snakemake.params, load_npz(snakemake.input.statistics)
    epsilons, norm = np.linspace(0, 2, params.distances + 1), float(statistics["mean_norm"])
    units = known_units(squares(statistics["mean"]).shape[0], norm, epsilons, seed=params.seed)
    found = trace_known_units(units, epsilons, statistics, seed=params.seed)
    inputs = np.stack(list(found.values()), axis=1)

    def of_each(measure):
        return np.array([[measure(unit, x) for x in ways] for unit, ways in zip(units, inputs, strict=True)])

    save_npz(
        snakemake.output.known,
        units=np.array([unit.name for unit in units]),
        searches=np.array(list(found)),
        epsilons=epsilons,
        norm=norm,
        highest=np.array([unit.highest for unit in units]),
        activations=of_each(lambda unit, x: unit.view.activations(x, 1)[:, 0]),
        distances=of_each(lambda unit, x: unit.distance(x)),
        travelled=of_each(lambda unit, x: unit.travelled(x)),
        inputs=inputs.astype(np.float32),
    )
