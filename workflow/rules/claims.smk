"""The scorecard: the paper's claims, measured.

Needs: the unit tools' files in results/units/, the first layers of the models and the examples
Makes: results/claims.csv and claims.md
"""

MAXIMA = [(model, layer) for model in ("dbn", "sdae") for layer in (1, 2, 3)]


rule claims:
    message:
        "Measure the claims"
    input:
        maxima=[f"results/units/mnist/{model}/layer{k}/activation_maximization.npz" for model, k in MAXIMA],
        dbn_layer1="results/models/mnist/dbn/layer1.npz",
        sdae_layer1="results/models/mnist/sdae/layer1.npz",
        compared="results/units/mnist/dbn/layer2/activation_maximization.npz",
        sampling="results/units/mnist/dbn/layer2/sampling.npz",
        linear_combination="results/units/mnist/dbn/layer2/linear_combination.npz",
        examples="results/datasets/mnist/examples.npz",
        modules=modules("measure_claims"),
    output:
        csv=report("results/claims.csv", caption="../report/claims.rst", category="Claims"),
        markdown="results/claims.md",
    params:
        maxima=MAXIMA,
        seed=config["seed"],
    log:
        "results/logs/claims.log",
    benchmark:
        "results/benchmarks/claims.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
    script:
        "../../scripts/measure_claims.py"
