"""Show units of a deep layer as linear combinations of the filters below."""

import numpy as np

from deepunits.console import job
from deepunits.models.stack import load_layers
from deepunits.storage import save_npz
from deepunits.visualize.linear_combination import combine_filters

with job(log=snakemake.log[0]):
    params = snakemake.params
    units = np.arange(params.shown)
    filters = combine_filters([layer.weights for layer in load_layers(snakemake.input.layers)], params.kept)[units]
    save_npz(snakemake.output.filters, units=units, filters=filters, kept=params.kept)
