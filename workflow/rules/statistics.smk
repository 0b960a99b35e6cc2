"""What is known of a dataset before any training: mean norm, covariance, whitening (§5.1).

Needs: results/datasets/<dataset>/examples.npz
Makes: results/statistics/<dataset>.npz
"""


rule estimate_statistics:
    message:
        "Estimate the statistics of {wildcards.dataset}"
    input:
        examples="results/datasets/{dataset}/examples.npz",
        modules=modules("estimate_statistics"),
    output:
        statistics="results/statistics/{dataset}.npz",
    params:
        regularization=lambda wildcards: config["datasets"][wildcards.dataset]["regularization"],
    log:
        "results/logs/statistics/{dataset}.log",
    benchmark:
        "results/benchmarks/statistics/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
    script:
        "../../scripts/estimate_statistics.py"


RESULTS += expand("results/statistics/{dataset}.npz", dataset=config["datasets"])
