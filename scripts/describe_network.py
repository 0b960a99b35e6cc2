"""Build a network that was trained elsewhere, and write what it is built from."""

from deepunits.console import job
from deepunits.data.examples import image_shape, load_examples
from deepunits.models.external import describe

with job(log=snakemake.log[0]):
    files = snakemake.input
    shape = image_shape(files.provenance, load_examples(files.examples, "test"))
    describe(snakemake.output.description, shape=shape, **snakemake.params.settings)
