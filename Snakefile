"""Understanding Representations Learned in Deep Architectures (Erhan, Courville and Bengio, 2010), reproduced.

    snakemake --cores all             the whole paper
    snakemake --cores all figure1     one figure and what it needs: figure1 ... figure7
    snakemake --cores all sheet       a page of the units of each model: of your own images, if the configuration has any
    snakemake --cores all explorer    a page for a browser that shows every unit
    snakemake --cores all supplement  what section 5 tried and set aside, and known transformations
    snakemake --cores all select      the search for hyperparameters (section 4.4), which the paper's run does not need
    snakemake --cores all pictures --configfile config/pictures.yaml    the search for settings that show what it says
    snakemake -n                      what would be done

config/config.yaml explains every setting; workflow/rules/ has the stages, in the order of the includes below.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config/config.yaml"


# The instrument: any dataset and model of the configuration.
include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/fine_tune.smk"
include: "workflow/rules/networks.smk"
include: "workflow/rules/units.smk"
include: "workflow/rules/invariance.smk"
include: "workflow/rules/sheets.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/select.smk"
# The paper, played on it.
include: "workflow/rules/paper/places.smk"
include: "workflow/rules/paper/figures.smk"
include: "workflow/rules/paper/tables.smk"
include: "workflow/rules/paper/claims.smk"
include: "workflow/rules/paper/seeds.smk"
include: "workflow/rules/paper/scorecard.smk"
include: "workflow/rules/paper/supplement.smk"
include: "workflow/rules/paper/pictures.smk"
include: "workflow/rules/paper/report.smk"
include: "workflow/rules/run.smk"


localrules:
    all,


rule all:
    message:
        "All is made"
    default_target: True
    input:
        RESULTS,
        "results/run.json",
