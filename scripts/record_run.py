"""Record what a full run was made from and with, and how long each stage took."""

from pathlib import Path

from deepunits.backend import choose_device, device_name
from deepunits.console import job
from deepunits.record import commit, versions, wall_times
from deepunits.storage import write_json

with job(log=snakemake.log[0]):
    config = snakemake.params.config
    record = {
        "config": config,
        "versions": versions(),
        "device": device_name(choose_device(config["device"])),
        "commit": commit(snakemake.params.repository),
        "stages": wall_times(Path(snakemake.params.benchmarks)),
    }
    write_json(snakemake.output.record, record)
