"""Estimate mean norm, covariance and whitening of a dataset from its training examples."""

from deepunits.console import job
from deepunits.data.examples import load_examples
from deepunits.invariance import whitening
from deepunits.storage import save_npz

with job(log=snakemake.log[0]):
    examples = load_examples(snakemake.input.examples, "train")
    statistics = whitening.estimate(examples, regularization=snakemake.params.regularization)
    save_npz(snakemake.output.statistics, **statistics)
