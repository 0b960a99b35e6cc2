"""Sample inputs from a DBN with one unit of its top layer clamped to 1, for several units."""

import logging

import numpy as np

from deepunits.backend import choose_device, device_name
from deepunits.console import job
from deepunits.models.stack import load_layers
from deepunits.progress import progress
from deepunits.randomness import generator
from deepunits.storage import save_npz
from deepunits.visualize.sampling import chain_of_samples, sample_clamped_units

with job(log=snakemake.log[0]):
    params, wildcards = snakemake.params, snakemake.wildcards
    xp = choose_device(params.device)
    logging.getLogger("deepunits").info("computing on %s", device_name(xp))
    units = np.arange(params.shown)
    description = f"{wildcards.dataset} {wildcards.model} layer {wildcards.layer} sampling"
    with progress(params.sampling["steps"], description, unit="steps") as bar:
        samples, mean = sample_clamped_units(
            [layer.to(xp) for layer in load_layers(snakemake.input.layers)],
            units,
            **params.sampling,
            rng=generator(params.seed, *wildcards, "sampling", xp=xp),
            progress=bar,
        )
    chain = chain_of_samples(**params.sampling)
    save_npz(snakemake.output.samples, units=units, samples=samples, mean=mean, chain=chain)
