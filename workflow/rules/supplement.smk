"""The supplement of section 5: what the paper tried and set aside, and known transformations (§5, footnotes 16, 17, §6).

Needs: results/models/<dataset>/<model>/layer<k>.npz, the statistics and examples of the dataset, and in
       results/units/<dataset>/<model>/ activation_maximization.npz of the layer studied and invariance.npz of layers 1
       to 3; results/models/mnist_rot/sdae/classifier.npz and its output units' activation_maximization.npz
Makes: curvatures.npz and searches.npz of the layer studied, transformations.npz of layers 1 to 3 and
       preconditioned_maximization.npz of the output units, in results/units/<dataset>/<model>/;
       results/figures/supplement_<study>.pdf, .png, .svg and .npz; results/tables/supplement.csv and transformations.csv
"""

STUDY = config["supplement"]
STUDIED = f"results/units/{STUDY['dataset']}/{STUDY['model']}"
STUDY_PLACE = [STUDY["dataset"], STUDY["model"], STUDY["layer"]]
STUDIED_LAYER = f"{STUDIED}/layer{STUDY['layer']}"
STUDIES = ["preconditioned", "hessian", "minimization", "whitening", "transformations"]
SUPPLEMENT = [
    "results/units/mnist_rot/sdae/output/preconditioned_maximization.npz",
    f"{STUDIED_LAYER}/curvatures.npz",
    f"{STUDIED_LAYER}/searches.npz",
    *expand(f"{STUDIED}/layer{{k}}/transformations.npz", k=[1, 2, 3]),
    *expand("results/figures/supplement_{study}.{kind}", study=STUDIES, kind=["pdf", "png", "svg", "npz"]),
    *expand("results/tables/{table}.csv", table=["supplement", "transformations"]),
]


localrules:
    supplement,
    supplement_preconditioned,
    supplement_hessian,
    supplement_minimization,
    supplement_whitening,
    supplement_transformations,


rule supplement:
    message:
        "The supplement is made"
    input:
        SUPPLEMENT,


rule maximize_preconditioned:
    message:
        "Maximise preconditioned activations of the output units of the {wildcards.dataset} {wildcards.model}"
    input:
        classifier="results/models/{dataset}/{model}/classifier.npz",
        statistics="results/statistics/{dataset}.npz",
        modules=modules("maximize_preconditioned"),
    output:
        maxima="results/units/{dataset}/{model}/output/preconditioned_maximization.npz",
    params:
        settings=STUDY["preconditioned"],
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/output/preconditioned_maximization.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/output/preconditioned_maximization.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        gpu=GPU,
    script:
        "../../scripts/maximize_preconditioned.py"


rule measure_curvatures:
    message:
        "Measure curvatures in layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        layers=lambda wildcards: layers_up_to(wildcards, int(wildcards.layer)),
        maxima="results/units/{dataset}/{model}/layer{layer}/activation_maximization.npz",
        statistics="results/statistics/{dataset}.npz",
        modules=modules("measure_curvatures"),
    output:
        curvatures="results/units/{dataset}/{model}/layer{layer}/curvatures.npz",
    params:
        units=STUDY["units"],
        distances=STUDY["searches"]["distances"],
    log:
        "results/logs/units/{dataset}/{model}/layer{layer}/curvatures.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/layer{layer}/curvatures.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
    script:
        "../../scripts/measure_curvatures.py"


rule compare_searches:
    message:
        "Compare searches in layer {wildcards.layer} of the {wildcards.dataset} {wildcards.model}"
    input:
        layers=lambda wildcards: layers_up_to(wildcards, int(wildcards.layer)),
        maxima="results/units/{dataset}/{model}/layer{layer}/activation_maximization.npz",
        statistics="results/statistics/{dataset}.npz",
        modules=modules("compare_searches"),
    output:
        searches="results/units/{dataset}/{model}/layer{layer}/searches.npz",
    params:
        units=STUDY["units"],
        settings=STUDY["searches"],
        seed=config["seed"],
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/layer{layer}/searches.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/layer{layer}/searches.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        gpu=GPU,
    script:
        "../../scripts/compare_searches.py"


rule measure_transformations:
    message:
        "Transform optima and examples of the {wildcards.dataset} {wildcards.model}"
    input:
        layers=expand("results/models/{{dataset}}/{{model}}/layer{k}.npz", k=[1, 2, 3]),
        invariance=expand("results/units/{{dataset}}/{{model}}/layer{k}/invariance.npz", k=[1, 2, 3]),
        examples="results/datasets/{dataset}/examples.npz",
        modules=modules("measure_transformations"),
    output:
        expand("results/units/{{dataset}}/{{model}}/layer{k}/transformations.npz", k=[1, 2, 3]),
    params:
        largest={
            "rotation": STUDY["transformations"]["rotation"],
            "horizontal_translation": STUDY["transformations"]["translation"],
            "vertical_translation": STUDY["transformations"]["translation"],
            "scaling": STUDY["transformations"]["scaling"],
        },
        **{name: STUDY["transformations"][name] for name in ("units", "amounts", "global_rate", "strongest")},
        edge=lambda wildcards: "nearest" if wildcards.dataset == "natural_images" else "grid-constant",
        device=config["device"],
    log:
        "results/logs/units/{dataset}/{model}/transformations.log",
    benchmark:
        "results/benchmarks/units/{dataset}/{model}/transformations.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        gpu=GPU,
    script:
        "../../scripts/measure_transformations.py"


rule tabulate_supplement:
    message:
        "Tabulate the remarks"
    input:
        curvatures=f"{STUDIED_LAYER}/curvatures.npz",
        searches=f"{STUDIED_LAYER}/searches.npz",
        statistics=f"results/statistics/{STUDY['dataset']}.npz",
        provenance=f"results/datasets/{STUDY['dataset']}/provenance.json",
        modules=modules("tabulate_supplement"),
    output:
        table=report("results/tables/supplement.csv", caption="../report/supplement.rst", category="Supplement"),
    params:
        name="{} {} layer {}".format(*STUDY_PLACE),
        seed=config["seed"],
    log:
        "results/logs/tables/supplement.log",
    benchmark:
        "results/benchmarks/tables/supplement.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/tabulate_supplement.py"


rule tabulate_transformations:
    message:
        "Tabulate the transformations"
    input:
        transformations=expand(f"{STUDIED}/layer{{k}}/transformations.npz", k=[1, 2, 3]),
        invariance=expand(f"{STUDIED}/layer{{k}}/invariance.npz", k=[1, 2, 3]),
        provenance=f"results/datasets/{STUDY['dataset']}/provenance.json",
        modules=modules("tabulate_transformations"),
    output:
        table=report(
            "results/tables/transformations.csv", caption="../report/transformations.rst", category="Supplement"
        ),
    params:
        dataset=STUDY["dataset"],
        model=STUDY["model"],
        top=STUDY["transformations"]["top"],
        seed=config["seed"],
    log:
        "results/logs/tables/transformations.log",
    benchmark:
        "results/benchmarks/tables/transformations.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/tabulate_transformations.py"


rule supplement_preconditioned:
    message:
        "Draw the maxima with a preconditioned gradient"
    input:
        maxima="results/units/mnist_rot/sdae/output/activation_maximization.npz",
        preconditioned="results/units/mnist_rot/sdae/output/preconditioned_maximization.npz",
        provenance=provenance_of("mnist_rot"),
        modules=modules("draw_supplement_preconditioned"),
    output:
        pdf="results/figures/supplement_preconditioned.pdf",
        png=report(
            "results/figures/supplement_preconditioned.png",
            caption="../report/supplement_preconditioned.rst",
            category="Supplement",
        ),
        svg="results/figures/supplement_preconditioned.svg",
        numbers="results/figures/supplement_preconditioned.npz",
    log:
        "results/logs/figures/supplement_preconditioned.log",
    benchmark:
        "results/benchmarks/figures/supplement_preconditioned.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_supplement_preconditioned.py"


rule supplement_hessian:
    message:
        "Draw the directions of the Hessian"
    input:
        curvatures=f"{STUDIED_LAYER}/curvatures.npz",
        provenance=provenance_of(STUDY["dataset"]),
        modules=modules("draw_supplement_hessian"),
    output:
        pdf="results/figures/supplement_hessian.pdf",
        png=report(
            "results/figures/supplement_hessian.png",
            caption="../report/supplement_hessian.rst",
            category="Supplement",
        ),
        svg="results/figures/supplement_hessian.svg",
        numbers="results/figures/supplement_hessian.npz",
    params:
        place=STUDY_PLACE,
    log:
        "results/logs/figures/supplement_hessian.log",
    benchmark:
        "results/benchmarks/figures/supplement_hessian.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_supplement_hessian.py"


rule supplement_minimization:
    message:
        "Draw the lowest activations"
    input:
        searches=f"{STUDIED_LAYER}/searches.npz",
        provenance=provenance_of(STUDY["dataset"]),
        modules=modules("draw_supplement_minimization"),
    output:
        pdf="results/figures/supplement_minimization.pdf",
        png=report(
            "results/figures/supplement_minimization.png",
            caption="../report/supplement_minimization.rst",
            category="Supplement",
        ),
        svg="results/figures/supplement_minimization.svg",
        numbers="results/figures/supplement_minimization.npz",
    params:
        place=STUDY_PLACE,
    log:
        "results/logs/figures/supplement_minimization.log",
    benchmark:
        "results/benchmarks/figures/supplement_minimization.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_supplement_minimization.py"


rule supplement_whitening:
    message:
        "Draw what whitening changes"
    input:
        searches=f"{STUDIED_LAYER}/searches.npz",
        provenance=provenance_of(STUDY["dataset"]),
        modules=modules("draw_supplement_whitening"),
    output:
        pdf="results/figures/supplement_whitening.pdf",
        png=report(
            "results/figures/supplement_whitening.png",
            caption="../report/supplement_whitening.rst",
            category="Supplement",
        ),
        svg="results/figures/supplement_whitening.svg",
        numbers="results/figures/supplement_whitening.npz",
    params:
        place=STUDY_PLACE,
    log:
        "results/logs/figures/supplement_whitening.log",
    benchmark:
        "results/benchmarks/figures/supplement_whitening.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_supplement_whitening.py"


rule supplement_transformations:
    message:
        "Draw the transformations"
    input:
        transformations=expand(f"{STUDIED}/layer{{k}}/transformations.npz", k=[1, 2, 3]),
        invariance=expand(f"{STUDIED}/layer{{k}}/invariance.npz", k=[1, 2, 3]),
        table="results/tables/transformations.csv",
        provenance=provenance_of(STUDY["dataset"]),
        modules=modules("draw_supplement_transformations"),
    output:
        pdf="results/figures/supplement_transformations.pdf",
        png=report(
            "results/figures/supplement_transformations.png",
            caption="../report/supplement_transformations.rst",
            category="Supplement",
        ),
        svg="results/figures/supplement_transformations.svg",
        numbers="results/figures/supplement_transformations.npz",
    params:
        place=STUDY_PLACE[:2],
    log:
        "results/logs/figures/supplement_transformations.log",
    benchmark:
        "results/benchmarks/figures/supplement_transformations.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../scripts/draw_supplement_transformations.py"
