"""The record of a full run, and on request its configuration: `snakemake --cores 1 --quiet all -- configuration`.

Needs: everything that a full run makes
Makes: results/run.json
"""

import yaml


localrules:
    configuration,
    record_run,


rule configuration:
    message:
        "The configuration, with what each part inherits"
    log:
        "results/logs/configuration.log",
    run:
        print(yaml.safe_dump(config, sort_keys=False, width=120), end="")


rule record_run:
    message:
        "Record the run"
    input:
        RESULTS,
        modules=modules("record_run"),
    output:
        record="results/run.json",
    params:
        config=config,
        repository=from_repository("."),
        benchmarks=lambda wildcards, output: f"{Path(output.record).parent}/benchmarks",
    log:
        "results/logs/run.log",
    benchmark:
        "results/benchmarks/run.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/record_run.py"
