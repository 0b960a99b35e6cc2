"""The report: `make report`.

Reads what there is in results/ and starts no other job, so that a run that is not complete can be reported on, too
Makes: results/report.html
"""


report: "../../report/workflow.rst"


rule write_report:
    message:
        "Write the report"
    input:
        template=from_repository("src/deepunits/paper/report.html"),
        modules=modules("write_report"),
    output:
        page="results/report.html",
    params:
        figures={
            name: {"caption": row["caption"], "seen": row["seen"]}
            for name, row in FIGURES.items()
            if row["category"] != "Data"
        },
        tables={name: row["caption"] for name, row in TABLES.items()},
        device=config["device"],
        seeds=list(SEEDS),
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../../../environment.yml"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
    script:
        "../../../scripts/write_report.py"
