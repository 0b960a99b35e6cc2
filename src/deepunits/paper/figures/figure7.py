"""Figure 7: the activation of units along their invariance manifolds, layer by layer."""

from deepunits.drawing.sheet import LINE, MARGIN, TEXT_WIDTH, Sheet, style
from deepunits.errors import UserError
from deepunits.paper.figures.panels import COLUMN_TITLES
from deepunits.paper.figures.results import DATASET_NAMES, path_list, substitutes
from deepunits.storage import load_npz

TITLES = DATASET_NAMES | {"natural_images": "Natural image patches"}
COLORS = ("#0072b2", "#d55e00", "#009e73")  # of the layers: told apart by the colour-blind too (Okabe and Ito, 2008)
DASHES = ("-", (0, (6, 1.5)), (0, (1.5, 1)))  # and in print without colours
AXES = {"log_sigmoid": "log(sigmoid(activation))", "normalized": "(h(ε) − h(2)) / (h(0) − h(2))"}
LABEL = 0.5  # inches left of each panel, for its axis
WIDTH, HEIGHT = TEXT_WIDTH / 2 - LABEL - 2 * MARGIN, 1.9
BELOW = 0.4  # inches below each panel, for its axis


@style()
def draw(curves, datasets, curve="log_sigmoid", model="sdae", provenance=()):
    """Draw a panel for each dataset: the mean over the live units of each layer, and the middle half of them.

    Parameters
    ----------
    curves : path
        ``invariance_curves.npz``, of SDAEs, or ``invariance_curves_dbn.npz``, of DBNs.
    datasets : list of str
    curve : {'log_sigmoid', 'normalized'}
        What is drawn against ε: that of Figure 7, or the supplementary one that no scale and no bias changes.
    model : {'sdae', 'dbn'}
        Whose curves these are.
    provenance : path or list of path
        ``provenance.json`` of the datasets.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``<dataset>_epsilons`` (E,) and, of each layer, ``<dataset>_layer<k>_live`` and ``…_dead`` (), how many units
        are; ``…_mean``, ``…_lower`` and ``…_upper`` (E,), the quartiles, where any unit is live.

    Raises
    ------
    UserError
        If the file lacks a dataset.
    """
    stored, numbers = load_npz(curves), {}
    rows = -(-len(datasets) // 2)
    sheet = Sheet(TEXT_WIDTH, rows * (LINE + HEIGHT + BELOW), substitutes(path_list(provenance)))
    for number, dataset in enumerate(datasets):
        if f"{dataset}_epsilons" not in stored:
            raise UserError(f"{curves} has no curves of {dataset}; delete it and run again.")
        left, top = LABEL + number % 2 * TEXT_WIDTH / 2, LINE + number // 2 * (LINE + HEIGHT + BELOW)
        sheet.text(f"{TITLES[dataset]}, {model.upper()}", left + WIDTH / 2, top - LINE / 2)
        axes = sheet.axes(left, top, WIDTH, HEIGHT)
        axes.set(xlim=(0, 2), xticks=(0, 0.5, 1, 1.5, 2), xlabel="ε")
        if number % 2 == 0:
            axes.set_ylabel(AXES[curve])
        numbers |= _panel(axes, stored, dataset, curve)
    return sheet.figure, numbers


def _panel(axes, stored, dataset, curve):
    """Draw the layers of a dataset; return the numbers shown."""
    epsilons = stored[f"{dataset}_epsilons"]
    shown = {f"{dataset}_epsilons": epsilons}
    for layer, (title, color, dashes) in enumerate(zip(COLUMN_TITLES, COLORS, DASHES, strict=True), start=1):
        name = f"{dataset}_layer{layer}"
        live, dead = stored[f"{name}_live"], stored[f"{name}_dead"]
        shown |= {f"{name}_live": live, f"{name}_dead": dead}
        if not live:
            continue
        mean, lower, upper = (stored[f"{name}_{curve}_{which}"] for which in ("mean", "lower", "upper"))
        label = f"{title}, {live} units" + (f" ({dead} dead)" if dead else "")
        axes.plot(epsilons, mean, color=color, linestyle=dashes, label=label)
        axes.fill_between(epsilons, lower, upper, color=color, alpha=0.15, linewidth=0)
        shown |= {f"{name}_mean": mean, f"{name}_lower": lower, f"{name}_upper": upper}
    axes.legend(loc="lower left", frameon=False)
    return shown
