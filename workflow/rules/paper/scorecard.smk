"""The scorecard: a row for each statement of the paper.

Needs: results/claims.csv and results/tables/supplement.csv, or those gathered over the seeds, and the datasets' provenance.json, which marks substitutes
Makes: results/scorecard.csv and scorecard.md
"""

DECLARING = [f"deepunits.paper.claims.{section}" for row in CLAIMS.values() for section in row["sections"]]
SCORECARD = ["results/scorecard.csv", "results/scorecard.md"]


rule scorecard:
    message:
        "Make the scorecard"
    input:
        claims=[f"results/seeds/{Path(row['csv']).name}" if config["seeds"] else row["csv"] for row in CLAIMS.values()],
        provenance=provenance_of(*MEASURED),
        modules=modules("score_claims", *DECLARING),
    output:
        csv=report(SCORECARD[0], caption="../../report/caption.rst", category="Claims"),
        markdown=SCORECARD[1],
    params:
        seeds=list(SEEDS) if config["seeds"] else [],
        caption="The paper's statements, one a row: what was measured, the value, the threshold and why, the verdict.",
    log:
        "results/logs/scorecard.log",
    benchmark:
        "results/benchmarks/scorecard.tsv"
    conda:
        "../../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../../scripts/score_claims.py"


RESULTS += SCORECARD
