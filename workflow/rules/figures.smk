"""The figures, each drawn from result files and nothing else; Figure 5 from a search in three dimensions.

Needs: the unit tools' files in results/units/, for Figure 7 results/tables/invariance_curves.npz and
       invariance_curves_dbn.npz, and the datasets' provenance.json, which marks substitutes
Makes: results/figures/figure<n>.pdf, .png and .svg, and .npz with the numbers drawn; beside Figure 7, its supplements
       figure7_normalised and figure7_dbn
"""


COMPARED = ("mnist", "natural_images")  # the datasets of Figures 3 and 4, in their order


localrules:
    figure1,
    figure2,
    figure3,
    figure4,
    figure5,
    figure6,
    figure7,
    figure7_normalised,
    figure7_dbn,


rule figure1:
    message:
        "Draw Figure 1"
    input:
        dbn=maxima_of("mnist", "dbn"),
        sdae=maxima_of("mnist", "sdae"),
        provenance=provenance_of("mnist"),
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


rule figure2:
    message:
        "Draw Figure 2"
    input:
        dbn=maxima_of("natural_images", "dbn"),
        sdae=maxima_of("natural_images", "sdae"),
        silhouettes=maxima_of("silhouettes", "sdae"),
        provenance=provenance_of("natural_images", "silhouettes"),
        modules=modules("draw_figure2"),
    output:
        pdf="results/figures/figure2.pdf",
        png=report("results/figures/figure2.png", caption="../report/figure2.rst", category="Figures"),
        svg="results/figures/figure2.svg",
        numbers="results/figures/figure2.npz",
    log:
        "results/logs/figures/figure2.log",
    benchmark:
        "results/benchmarks/figures/figure2.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_figure2.py"


rule figure3:
    message:
        "Draw Figure 3"
    input:
        sampling=expand("results/units/{dataset}/dbn/layer2/sampling.npz", dataset=COMPARED),
        provenance=provenance_of(*COMPARED),
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
        sampling=expand("results/units/{dataset}/dbn/layer2/sampling.npz", dataset=COMPARED),
        linear_combination=expand("results/units/{dataset}/dbn/layer2/linear_combination.npz", dataset=COMPARED),
        activation_maximization=expand("results/units/{dataset}/dbn/layer2/activation_maximization.npz", dataset=COMPARED),
        provenance=provenance_of(*COMPARED),
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


rule figure5:
    message:
        "Draw Figure 5"
    input:
        modules=modules("draw_figure5"),
    output:
        pdf="results/figures/figure5.pdf",
        png=report("results/figures/figure5.png", caption="../report/figure5.rst", category="Figures"),
        svg="results/figures/figure5.svg",
        numbers="results/figures/figure5.npz",
    log:
        "results/logs/figures/figure5.log",
    benchmark:
        "results/benchmarks/figures/figure5.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_figure5.py"


rule figure6:
    message:
        "Draw Figure 6"
    input:
        maxima="results/units/mnist_rot/sdae/output/activation_maximization.npz",
        invariance="results/units/mnist_rot/sdae/output/invariance.npz",
        provenance=provenance_of("mnist_rot"),
        modules=modules("draw_figure6"),
    output:
        pdf="results/figures/figure6.pdf",
        png=report("results/figures/figure6.png", caption="../report/figure6.rst", category="Figures"),
        svg="results/figures/figure6.svg",
        numbers="results/figures/figure6.npz",
    log:
        "results/logs/figures/figure6.log",
    benchmark:
        "results/benchmarks/figures/figure6.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_figure6.py"


rule figure7:
    message:
        "Draw Figure 7"
    input:
        curves="results/tables/invariance_curves.npz",
        provenance=provenance_of(*MEASURED),
        modules=modules("draw_figure7"),
    output:
        pdf="results/figures/figure7.pdf",
        png=report("results/figures/figure7.png", caption="../report/figure7.rst", category="Figures"),
        svg="results/figures/figure7.svg",
        numbers="results/figures/figure7.npz",
    params:
        datasets=MEASURED,
        curve="log_sigmoid",
        model="sdae",
    log:
        "results/logs/figures/figure7.log",
    benchmark:
        "results/benchmarks/figures/figure7.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_figure7.py"


use rule figure7 as figure7_normalised with:
    message:
        "Draw Figure 7 normalised"
    output:
        pdf="results/figures/figure7_normalised.pdf",
        png=report(
            "results/figures/figure7_normalised.png", caption="../report/figure7_normalised.rst", category="Supplement"
        ),
        svg="results/figures/figure7_normalised.svg",
        numbers="results/figures/figure7_normalised.npz",
    params:
        curve="normalized",
    log:
        "results/logs/figures/figure7_normalised.log",
    benchmark:
        "results/benchmarks/figures/figure7_normalised.tsv"


use rule figure7 as figure7_dbn with:
    message:
        "Draw Figure 7 of DBNs"
    input:
        curves="results/tables/invariance_curves_dbn.npz",
        provenance=provenance_of(*PAIRED),
        modules=rules.figure7.input.modules,
    output:
        pdf="results/figures/figure7_dbn.pdf",
        png=report("results/figures/figure7_dbn.png", caption="../report/figure7_dbn.rst", category="Supplement"),
        svg="results/figures/figure7_dbn.svg",
        numbers="results/figures/figure7_dbn.npz",
    params:
        datasets=PAIRED,
        model="dbn",
    log:
        "results/logs/figures/figure7_dbn.log",
    benchmark:
        "results/benchmarks/figures/figure7_dbn.tsv"
