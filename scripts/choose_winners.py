"""Choose among the trials the best of each model: a table, and the winners as a configuration."""

import pandas as pd
import yaml

from deepunits.console import job
from deepunits.data.examples import load_provenance, substitute
from deepunits.selection import as_configuration, winners
from deepunits.storage import load_json, write_text

with job(log=snakemake.log[0]):
    trials = [load_json(path) for path in snakemake.input.trials]
    best = winners(trials)
    records = dict(zip(snakemake.params.datasets, map(load_provenance, snakemake.input.provenance), strict=True))
    rows = []
    for trial in trials:
        about = {name: trial[name] for name in ("dataset", "model", "criterion")}
        outcome = {
            "dead_units": " ".join(map(str, trial["dead_units"])),
            "score": trial["score"],
            "standard_error": trial["standard_error"],
            "chosen": trial in best,
            "substitute": substitute(records[trial["dataset"]]),
        }
        rows.append(about | trial["point"] | outcome)
    write_text(snakemake.output.table, pd.DataFrame(rows).convert_dtypes().to_csv(index=False))
    write_text(snakemake.output.winners, yaml.safe_dump(as_configuration(best), sort_keys=False))
