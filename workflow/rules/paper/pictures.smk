"""The search for settings with which pictures show what the paper says: `--configfile config/pictures.yaml pictures`.

Needs: what the configuration has under pictures
Makes: results/pictures.csv, how the statements of each picture come out in each trial; results/pictures/<trial>/, what that
       takes of a run with the trial's settings

Apart from the choice by validation error (select), which the paper makes.
"""

TRIALS = {
    f"{picture}_{name}": (search, changes)
    for picture, search in config["pictures"].items()
    for name, changes in search["trials"].items()
}


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


def measured_in_trial(wildcards):
    """Return the files that the statements of a trial's picture are measured on."""
    search, _ = TRIALS[wildcards.trial]
    sys.path.insert(0, str(Path(workflow.basedir, "src")))
    from deepunits.paper.claims.scorecard import statements

    root = f"results/pictures/{wildcards.trial}"
    files = [
        f"{root}/{template.format(**case)}"
        for statement in statements()
        if statement.name in search["statements"]
        for case in statement.cases
        if search["where"].items() <= case.items()
        for template in statement.reads.values()
    ]
    if not files:
        sys.exit(
            f"error: the picture of {wildcards.trial} is nowhere measured by {', '.join(search['statements'])}; name "
            "statements of src/deepunits/paper/claims and places of theirs under pictures in the configuration."
        )
    return files


rule measure_trial:
    message:
        "Measure {wildcards.trial}"
    input:
        files=measured_in_trial,
        provenance=lambda wildcards: (
            f"results/pictures/{wildcards.trial}/datasets/{TRIALS[wildcards.trial][0]['where']['dataset']}/provenance.json"
        ),
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
