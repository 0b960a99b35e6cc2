"""Trace the manifolds of units whose truth is known, and hold what is found against it."""

import numpy as np

from deepunits.console import job
from deepunits.drawing.tiles import squares
from deepunits.invariance.known_units import known_units, measure, trace_known_units
from deepunits.storage import load_npz, save_npz

with job(log=snakemake.log[0]):
    params, statistics = snakemake.params, load_npz(snakemake.input.statistics)
    epsilons, norm = np.linspace(0, 2, params.distances + 1), float(statistics["mean_norm"])
    units = known_units(squares(statistics["mean"]).shape[0], norm, epsilons, seed=params.seed)
    found = measure(units, trace_known_units(units, epsilons, statistics, seed=params.seed))
    save_npz(snakemake.output.known, epsilons=epsilons, norm=norm, **found)
