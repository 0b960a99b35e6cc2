"""Draw digits beside the deformations that training sees."""

import numpy as np

from deepunits.console import job
from deepunits.data.infinite_mnist import InfiniteMNIST
from deepunits.figures import contact_sheet
from deepunits.figures.sheet import save
from deepunits.storage import load_npz

with job(log=snakemake.log[0]):
    params = snakemake.params
    arrays = load_npz(snakemake.input.examples)
    images, labels = (
        np.concatenate([arrays[f"{split}_{kind}"] for split in ("train", "valid")]) for kind in ("images", "labels")
    )
    stream = InfiniteMNIST(images, labels, seed=params.seed, **params.deformation)
    figure, numbers = contact_sheet.draw(stream, snakemake.input.provenance)
    save(figure, numbers, **dict(snakemake.output.items()))
