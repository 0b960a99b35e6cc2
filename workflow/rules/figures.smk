"""The figures, each drawn from result files and nothing else.

Needs: the unit tools' files in results/units/ and the datasets' provenance.json, which marks substitutes
Makes: results/figures/figure<n>.pdf, .png and .svg, and .npz with the numbers drawn
"""


localrules:
    figure1,
    figure3,
    figure4,


rule figure1:
    message:
        "Draw Figure 1"
    input:
        dbn=expand("results/units/mnist/dbn/layer{layer}/activation_maximization.npz", layer=[1, 2, 3]),
        sdae=expand("results/units/mnist/sdae/layer{layer}/activation_maximization.npz", layer=[1, 2, 3]),
        provenance=["results/datasets/mnist/provenance.json"],
        modules=modules("draw_figure1"),
    output:
        pdf="results/figures/figure1.pdf",
        png=report("results/figures/figure1.png", caption="../report/figure1.rst", category="Figures"),
        svg="results/figures/figure1.svg",
        numbers="results/figures/figure1.npz",
    log:
        "results/logs/figures/figure1.log",
    benchmark:
        "results/benchmarks/figures/figure1.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_figure1.py"


rule figure3:
    message:
        "Draw Figure 3"
    input:
        sampling=["results/units/mnist/dbn/layer2/sampling.npz"],
        provenance=["results/datasets/mnist/provenance.json"],
        modules=modules("draw_figure3"),
    output:
        pdf="results/figures/figure3.pdf",
        png=report("results/figures/figure3.png", caption="../report/figure3.rst", category="Figures"),
        svg="results/figures/figure3.svg",
        numbers="results/figures/figure3.npz",
    log:
        "results/logs/figures/figure3.log",
    benchmark:
        "results/benchmarks/figures/figure3.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_figure3.py"


rule figure4:
    message:
        "Draw Figure 4"
    input:
        sampling=["results/units/mnist/dbn/layer2/sampling.npz"],
        linear_combination=["results/units/mnist/dbn/layer2/linear_combination.npz"],
        activation_maximization=["results/units/mnist/dbn/layer2/activation_maximization.npz"],
        provenance=["results/datasets/mnist/provenance.json"],
        modules=modules("draw_figure4"),
    output:
        pdf="results/figures/figure4.pdf",
        png=report("results/figures/figure4.png", caption="../report/figure4.rst", category="Figures"),
        svg="results/figures/figure4.svg",
        numbers="results/figures/figure4.npz",
    log:
        "results/logs/figures/figure4.log",
    benchmark:
        "results/benchmarks/figures/figure4.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_figure4.py"
