"""Put the errors of the classifiers beside the published ones."""

import json

import pandas as pd

from deepunits.console import job
from deepunits.data.examples import load_provenance, substitute
from deepunits.storage import load_npz, write_text
from deepunits.tables import error_rows

with job(log=snakemake.log[0]):
    params, files = snakemake.params, snakemake.input
    records = dict(zip(params.datasets, map(load_provenance, files.provenance), strict=True))
    classifiers = []
    for (dataset, start), path in zip(params.classifiers, files.classifiers, strict=True):
        stored, counts = load_npz(path), records[dataset]["counts"]
        refit = json.loads(str(stored["metadata"]))["settings"]["refit"]
        used = f"{counts['train']} and then {counts['train'] + counts['valid']}" if refit else counts["train"]
        deformed = ", deformed anew each time" if dataset in params.deformed else ""
        classifiers.append(
            {
                "dataset": dataset,
                "initialisation": start,
                "training_data": f"{used} examples{deformed}",
                "valid_error": stored["errors"][:, 1].min(),
                "test_error": stored["test_error"],
                "test_examples": counts["test"],
                "substitute": substitute(records[dataset]),
            }
        )
    write_text(snakemake.output.table, pd.DataFrame(error_rows(classifiers)).to_csv(index=False))
