"""The record of a full run.

Needs: everything that a full run makes
Makes: results/run.json
"""


rule record_run:
    input:
        expand("results/figures/figure{n}.{kind}", n=[1, 3, 4], kind=["pdf", "png", "svg", "npz"]),
        expand("results/units/mnist/dbn/layer{layer}/linear_combination.npz", layer=[2, 3]),
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
