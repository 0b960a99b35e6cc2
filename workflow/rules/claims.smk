"""The scorecard: the paper's claims, measured.

Needs: the unit tools' files in results/units/, results/tables/invariance.csv, the first layers of the models, the
       examples and the datasets' provenance.json, which marks substitutes
Makes: results/claims.csv and claims.md
"""

# The datasets that claims are made about, those of §4.4, and those of these that Figure 4 compares the techniques on.
CLAIMED = ["mnist", "natural_images", "silhouettes", "mnist_rot"]
MAXIMIZED = ["mnist", "natural_images", "silhouettes"]
COMPARED = ["mnist", "natural_images"]
MAXIMA = [
    (dataset, model, layer) for dataset in MAXIMIZED for model in config["models"][dataset] for layer in (1, 2, 3)
]


rule claims:
    message:
        "Measure the claims"
    input:
        maxima=[f"results/units/{d}/{m}/layer{k}/activation_maximization.npz" for d, m, k in MAXIMA],
        first_layers=[f"results/models/{d}/{m}/layer1.npz" for d, m, k in MAXIMA if k == 1],
        compared=expand("results/units/{d}/dbn/layer2/activation_maximization.npz", d=COMPARED),
        sampling=expand("results/units/{d}/dbn/layer2/sampling.npz", d=COMPARED),
        combination=expand("results/units/{d}/dbn/layer2/linear_combination.npz", d=COMPARED),
        patch_samples="results/units/natural_images/dbn/layer2/sampling.npz",
        outline_maxima="results/units/silhouettes/sdae/layer3/activation_maximization.npz",
        outlines="results/datasets/silhouettes/examples.npz",
        units="results/tables/units.csv",
        invariance="results/tables/invariance.csv",
        hidden="results/units/mnist/sdae/layer3/activation_maximization.npz",
        outputs=expand("results/units/mnist_rot/{m}/output/activation_maximization.npz", m=CLASSIFIED),
        output_manifolds=expand("results/units/mnist_rot/{m}/output/invariance.npz", m=CLASSIFIED),
        examples=expand("results/datasets/{d}/examples.npz", d=COMPARED),
        provenance=expand("results/datasets/{d}/provenance.json", d=CLAIMED),
        modules=modules("measure_claims"),
    output:
        csv=report("results/claims.csv", caption="../report/claims.rst", category="Claims"),
        markdown="results/claims.md",
    params:
        datasets=CLAIMED,
        maxima=MAXIMA,
        compared=COMPARED,
        layered=MEASURED,
        classified=CLASSIFIED,
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
