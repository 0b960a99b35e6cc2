"""The search for settings with which pictures show what the paper says: `pictures --configfile config/pictures.yaml`.

Needs: what the configuration has under pictures
Makes: results/pictures.csv, how the statements of each picture come out in each trial; results/pictures/<trial>/, what that
       takes of a run with the trial's settings

Apart from the choice by validation error (select), which the paper makes.
"""

for TRIAL, (SEARCH, CHANGES) in TRIALS.items():
    MODULE = f"{TRIAL}_"

    module:
        name: MODULE
        snakefile:
            workflow.main_snakefile
        config:
            merge(CONFIGURED, CHANGES) | {"seeds": [], "pictures": {}}
        replace_prefix:
            {"results/": f"results/pictures/{TRIAL}/"}

    use rule * from MODULE as MODULE*


rule measure_trial:
    message:
        "Measure {wildcards.trial}"
    input:
        files=measured_in_trial,
        provenance=lambda wildcards: [
            f"results/pictures/{wildcards.trial}/datasets/{TRIALS[wildcards.trial][0]['where']['dataset']}/provenance.json"
        ],
        modules=modules("measure_claims", *DECLARING),
    output:
        csv="results/pictures/{trial}.csv",
    wildcard_constraints:
        trial="|".join(TRIALS) or "none",
    params:
        sections=sorted({section for row in CLAIMS.values() for section in row["sections"]}),
        statements=lambda wildcards: TRIALS[wildcards.trial][0]["statements"],
        seed=config["seed"],
    log:
        "results/logs/pictures/{trial}.log",
    benchmark:
        "results/benchmarks/pictures/{trial}.tsv"
    conda:
        "../../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
    script:
        "../../../scripts/measure_claims.py"


if TRIALS:

    rule pictures:
        message:
            "Gather the trials"
        input:
            tables=[f"results/pictures/{trial}.csv" for trial in TRIALS],
            modules=modules("gather"),
        output:
            table="results/pictures.csv",
        params:
            column="trial",
            sources=list(TRIALS),
        log:
            "results/logs/pictures.log",
        benchmark:
            "results/benchmarks/pictures.tsv"
        conda:
            "../../../environment.yml"
        threads: 1
        resources:
            mem_mb=500,
        script:
            "../../../scripts/gather.py"
