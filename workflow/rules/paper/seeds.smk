"""The whole paper once more for each further seed, and what is measured gathered over the seeds.

Needs: the tables and the claims of each seed
Makes: for each of `seeds` in the configuration all that a run makes, in results/seeds/<seed>/; results/seeds/<table>.csv,
       the rows of all seeds
"""

for SEED in config["seeds"]:
    MODULE = f"seed{SEED}_"

    module:
        name: MODULE
        snakefile:
            workflow.main_snakefile
        config:
            CONFIGURED | {"seed": SEED, "seeds": [], "pictures": {}}
        replace_prefix:
            {"results/": f"results/seeds/{SEED}/"}

    use rule * from MODULE as MODULE*


SEEDS = {config["seed"]: "results"} | {seed: f"results/seeds/{seed}" for seed in config["seeds"]}
GATHERED = {Path(row["csv"]).stem: row["csv"] for row in CLAIMS.values()} | {
    name: f"results/tables/{name}.csv" for name in TABLES
}


rule gather_seeds:
    message:
        "Gather {wildcards.table} over the seeds"
    input:
        tables=lambda wildcards: [GATHERED[wildcards.table].replace("results", root, 1) for root in SEEDS.values()],
        modules=modules("gather"),
    output:
        table="results/seeds/{table}.csv",
    params:
        column="seed",
        sources=list(SEEDS),
    wildcard_constraints:
        table="|".join(GATHERED),
    log:
        "results/logs/seeds/{table}.log",
    benchmark:
        "results/benchmarks/seeds/{table}.tsv"
    conda:
        "../../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../../scripts/gather.py"


if config["seeds"]:
    RESULTS += [f"results/seeds/{table}.csv" for table in GATHERED]
    RESULTS += [f"results/seeds/{seed}/run.json" for seed in config["seeds"]]
