"""The record of a full run.

Needs: everything that a full run makes
Makes: results/run.json
"""

localrules:
    record_run,


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
        repository=workflow.basedir,
        benchmarks="results/benchmarks",
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
