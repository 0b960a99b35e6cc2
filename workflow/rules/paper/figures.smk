"""The figures, each drawn from result files and nothing else; Figure 5 from a search in three dimensions.

Needs: the unit tools' files in results/units/, tables, and the datasets' provenance.json, which marks substitutes
Makes: results/figures/<figure>.pdf, .png and .svg, and .npz with the numbers drawn

To add a figure, write deepunits.paper.figures.<module> and add a row to the table.
"""


def figure(message, datasets=(), drawn_by=None, category="Figures", arguments=None, caption="", seen=(), **files):
    """Return a row of the table: what `draw` of the module takes, and what the report says of it.

    The module is named as the figure is, unless `drawn_by` says otherwise. `seen` names the statements of the scorecard
    that say whether the figure shows what the paper sees in it.
    """
    row = {"message": message, "drawn_by": drawn_by, "category": category, "seen": list(seen)}
    files |= {"provenance": provenance_of(*datasets)} if datasets else {}
    return row | {"arguments": arguments or {}, "caption": " ".join(caption.split()), "files": files}


def maxima_of(dataset, model):
    """Return the activation maxima of the layers that Figures 1 and 2 show."""
    return [f"results/units/{dataset}/{model}/layer{k}/activation_maximization.npz" for k in (1, 2, 3)]


def second_layers(tool):
    """Return a unit tool's files of the layers that Figures 3 and 4 show."""
    return [f"results/units/{dataset}/dbn/layer2/{tool}.npz" for dataset in COMPARED]


# A row for each figure, and for each that supplements it. Those of the category Data are made on request.
FIGURES = {
    "figure1": figure(
        "Draw Figure 1",
        ["mnist"],
        dbn=maxima_of("mnist", "dbn"),
        sdae=maxima_of("mnist", "sdae"),
        seen=["gabor-sdae-1", "unimodal", "pseudo-digits", "whole-objects", "different-features"],
        caption="""Activation maximization on MNIST (Figure 1 of the paper): 36 units of the first, second and third
        layer of a DBN (top) and an SDAE (middle). Bottom: 4 third-layer units of the SDAE, each from 9 random starts.""",
    ),
    "figure2": figure(
        "Draw Figure 2",
        ["natural_images", "silhouettes"],
        dbn=maxima_of("natural_images", "dbn"),
        sdae=maxima_of("natural_images", "sdae"),
        silhouettes=maxima_of("silhouettes", "sdae"),
        seen=["gabor-sdae-1", "gabor-dbn-1", "gabor-dbn-2", "corners", "parts"],
        caption="""Activation maximization on natural image patches and Caltech Silhouettes (Figure 2 of the paper): 144
        units of the first, second and third layer of a DBN (top) and an SDAE (middle) on patches, and of an SDAE on
        Silhouettes (bottom). Right: 4 third-layer units of the SDAE on patches, each from 9 random starts.""",
    ),
    "figure3": figure(
        "Draw Figure 3",
        COMPARED,
        sampling=second_layers("sampling"),
        seen=["modes", "one-pattern", "mixing"],
        caption="""Six units of the second layer of a DBN (Figure 3 of the paper), on MNIST (top) and on natural image
        patches (bottom): each row holds samples drawn with the unit clamped to 1.""",
    ),
    "figure4": figure(
        "Draw Figure 4",
        COMPARED,
        sampling=second_layers("sampling"),
        linear_combination=second_layers("linear_combination"),
        activation_maximization=second_layers("activation_maximization"),
        seen=["linear-like-maximum", "samples-differ", "means-like-digits", "sharper", "parts-of-maxima"],
        caption="""The units of the second layer of a DBN seen in three ways (Figure 4 of the paper), on MNIST (top) and
        on natural image patches (bottom): the mean of samples with the unit clamped, linear combination of the filters
        below, activation maximization. Black is negative, white is positive, gray is zero.""",
    ),
    "figure5": figure(
        "Draw Figure 5",
        caption="""How an invariance manifold is traced (Figure 5 of the paper), by the search itself run on a unit with
        three inputs. Both spheres are seen, ‖x‖ = ρ coloured by the unit's activation (blue low, orange high) and
        ‖x − x_opt‖ = ερ as glass, with the circle of feasible points where they meet. From x a step along the gradient
        leaves the circle; of its two projections back onto it, the one of higher activation is chosen. Red: the
        manifold x*_ε for smaller ε.""",
    ),
    "figure6": figure(
        "Draw Figure 6",
        ["mnist_rot"],
        activation_maximization=f"results/units/mnist_rot/{DRAWN}/output/activation_maximization.npz",
        invariance=f"results/units/mnist_rot/{DRAWN}/output/invariance.npz",
        seen=["multimodal", "rotated-labels", "smooth-labels", "manifolds-differ", "rotations"],
        caption="""Output units of a DBN fine-tuned on mnist-rot with strong decay of its filters, for smooth pictures at
        the price of more errors (results/tables/errors.csv; Figure 6 of the paper). Above, activation
        maximization for the labels 4 and 5 from 9 random starts; the frame marks the best solution of the 4. Below,
        four invariance manifolds of the 4 from that solution, a row each, ε growing to the right; only the small random
        perturbation at the start differs.""",
    ),
    "figure7": figure(
        "Draw Figure 7",
        MEASURED,
        curves="results/tables/invariance_curves.npz",
        arguments={"datasets": MEASURED, "curve": "log_sigmoid", "model": "sdae"},
        seen=["faster-below"],
        caption="""Invariance of the units of different layers (Figure 7 of the paper), of SDAEs on MNIST, natural image
        patches, Caltech Silhouettes and mnist-rot: the logarithm of the sigmoid of the activation along the invariance
        manifolds, against the distance ε from the optimum. Lines are means over all live units of a layer, shades their
        middle half.""",
    ),
    "figure7_normalised": figure(
        "Draw Figure 7 normalised",
        MEASURED,
        drawn_by="figure7",
        category="Supplement",
        curves="results/tables/invariance_curves.npz",
        arguments={"datasets": MEASURED, "curve": "normalized", "model": "sdae"},
        seen=["faster-below-normalized"],
        caption="""The curves of Figure 7 without the scale and the bias of the units (no figure of the paper):
        (h(ε) − h(2)) / (h(0) − h(2)), which is 1 − ε²/4 for every unit of the first layer. Lines are means over all
        live units of a layer, shades their middle half.""",
    ),
    "figure7_dbn": figure(
        "Draw Figure 7 of DBNs",
        PAIRED,
        drawn_by="figure7",
        category="Supplement",
        curves="results/tables/invariance_curves_dbn.npz",
        arguments={"datasets": PAIRED, "curve": "log_sigmoid", "model": "dbn"},
        caption="""The curves of Figure 7 of DBNs in place of SDAEs (no figure of the paper): the logarithm of the
        sigmoid of the activation along the invariance manifolds, against the distance ε from the optimum. Lines are
        means over all live units of a layer, shades their middle half.""",
    ),
    "supplement_preconditioned": figure(
        "Draw the maxima with a preconditioned gradient",
        ["mnist_rot"],
        category="Supplement",
        maxima=f"results/units/mnist_rot/{DRAWN}/output/activation_maximization.npz",
        preconditioned=f"results/units/mnist_rot/{DRAWN}/output/preconditioned_maximization.npz",
        caption="""Supplementary to Figure 6, an extension of the paper: activation maximization for all output units of
        the network fine-tuned on mnist-rot, from 4 random starts, along the gradient g (above) and along C g (below),
        with C the regularised covariance of the data. The latter ends where C g, not g, is parallel to x: at no
        maximum, but at a point drawn towards the directions in which the data vary.""",
    ),
    "supplement_hessian": figure(
        "Draw the directions of the Hessian",
        [STUDY["dataset"]],
        category="Supplement",
        curvatures=f"{STUDIED_LAYER}/curvatures.npz",
        arguments={"place": STUDY_PLACE},
        seen=["geodesics-are-local", "flat-directions-are-background"],
        caption="""Eigenvectors of the Hessian at the optima, which section 5 sets aside (footnote 16). Left, the
        curvature of the activation along the great circles of the sphere that leave in their directions; centre, the
        variance of the data along them, relative to that of a pixel; right and below, what is met on four of these
        circles. Means over units; 80 % of them lie in the shade.""",
    ),
    "supplement_minimization": figure(
        "Draw the lowest activations",
        [STUDY["dataset"]],
        category="Supplement",
        searches=f"{STUDIED_LAYER}/searches.npz",
        arguments={"place": STUDY_PLACE},
        seen=["minimum-in-background", "ridge-random", "ridge-data-like"],
        caption="""The lowest activations at each distance from the optimum (footnote 17) beside the highest, the
        manifold, and beside random directions, all equally likely or drawn with the covariance of the data. Means over
        units; 80 % of them lie in the shade.""",
    ),
    "supplement_whitening": figure(
        "Draw what whitening changes",
        [STUDY["dataset"]],
        category="Supplement",
        searches=f"{STUDIED_LAYER}/searches.npz",
        arguments={"place": STUDY_PLACE},
        seen=["whitening-leaves-background", "whitening-keeps-optimum"],
        caption="""What whitening changes in the search for manifolds (section 5.1): the plain search along the gradient
        g; Algorithm 1, along C g; and a search along C times the part of g tangent to the feasible sphere, which
        equation 1 describes as well and whose fixed points are those of the plain one. Equation 1 cannot move the
        optimum; a search that stops where C g, not g, has no tangential part ends lower. Means over units; 80 % of them
        lie in the shade.""",
    ),
    "supplement_transformations": figure(
        "Draw the transformations",
        [STUDY["dataset"]],
        category="Supplement",
        transformations=expand(f"{STUDIED}/layer{{k}}/transformations.npz", k=[1, 2, 3]),
        invariance=expand(f"{STUDIED}/layer{{k}}/invariance.npz", k=[1, 2, 3]),
        table="results/tables/transformations.csv",
        arguments={"place": STUDY_PLACE[:2]},
        seen=["rotations-or-translations", "grouped-by-transformation"],
        caption="""Invariance to known transformations, by layer. Above, the activation of optima that are rotated,
        moved or scaled, against the distance that this takes them, as section 6 proposes; middle, the same on a scale
        on which every linear unit is the broken line; last column, the manifolds that no transformation restricts.
        Below, the score of Goodfellow et al. (2009): local over global firing rate, the mean of the top-scoring units,
        with 95 % bootstrap intervals.""",
    ),
    "supplement_known_units": figure(
        "Draw units whose truth is known",
        ["natural_images"],
        category="Supplement",
        known=KNOWN_UNITS,
        seen=["manifold-of-known-units", "geodesic-of-known-unit"],
        caption="""Searches for the manifolds of units whose invariances are known: a linear unit, energies of one and of
        two Gabor pairs, a sum of Fourier amplitudes, which no shift changes, and two quadratic forms with an isolated
        optimum. Plain and tangent steps find all the activation that there is at each distance; whitened ones less, the
        more the covariance of the patches is regularised the more; the geodesic in the flattest direction of the Hessian
        leaves the manifold where that is curved.""",
    ),
    "contact_sheet": figure(
        "Draw digits beside their deformations",
        ["mnist"],
        category="Data",
        examples="results/datasets/mnist/examples.npz",
        arguments={"deformation": config["datasets"]["mnist"]["deformation"], "seed": config["seed"]},
        caption="""Digits of MNIST and the deformations of them that training sees (infinite MNIST; Loosli, Canu and
        Bottou, 2007).""",
    ),
}
KINDS = ["pdf", "png", "svg", "npz"]


for name, row in FIGURES.items():

    rule:
        name:
            name
        message:
            row["message"]
        input:
            **row["files"],
            modules=modules("draw", f"deepunits.paper.figures.{row['drawn_by'] or name}"),
        output:
            pdf=f"results/figures/{name}.pdf",
            png=report(f"results/figures/{name}.png", caption="../../report/caption.rst", category=row["category"]),
            svg=f"results/figures/{name}.svg",
            numbers=f"results/figures/{name}.npz",
        params:
            drawn_by=row["drawn_by"] or name,
            arguments=row["arguments"],
            caption=row["caption"],
        log:
            f"results/logs/figures/{name}.log",
        benchmark:
            f"results/benchmarks/figures/{name}.tsv"
        conda:
            "../../../environment.yml"
        localrule: True
        threads: 1
        resources:
            mem_mb=1000,
        script:
            "../../../scripts/draw.py"


RESULTS += expand(
    "results/figures/{name}.{kind}", name=[n for n, row in FIGURES.items() if row["category"] != "Data"], kind=KINDS
)
