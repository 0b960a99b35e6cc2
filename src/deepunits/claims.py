"""The claims of the paper as measured statistics, each with an interval, a threshold and a verdict."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import bootstrap

from deepunits.backend import generator
from deepunits.invariance.measures import departures, explained_by_rotation
from deepunits.tables import GABOR, wilson_interval

# The layers, by dataset, that the paper sees fall faster along ε than the layer above them (section 5.3).
FASTER_BELOW = {"mnist": (1, 2), "natural_images": (1,), "silhouettes": (1, 2), "mnist_rot": (1,)}
CURVES = {"log_sigmoid": "log(sigmoid(activation))", "normalized": "(h(ε) - h(2)) / (h(0) - h(2))"}
FARTHEST = 2**0.5  # ε up to which manifolds are compared: beyond, all of them turn into the optimum's opposite

COLUMNS = ("id", "section", "claim", "statistic", "value", "low", "high", "threshold", "verdict")


@dataclass
class Claim:
    """One claim of the paper, measured.

    Attributes
    ----------
    id : str
    section : str
        Of the paper.
    claim : str
        What the paper says, in brief.
    statistic : str
        What is measured.
    value, low, high : float
        The statistic and its 95 % bootstrap interval over units.
    threshold : str
        What the value is held against, such as ``>= 0.9``: our choice, since the paper gives no numbers.
    """

    id: str
    section: str
    claim: str
    statistic: str
    value: float
    low: float
    high: float
    threshold: str

    @property
    def verdict(self):
        """``holds``, ``fails``, or ``undecided`` if the interval reaches across the threshold."""
        relation, bound = self.threshold.split()
        held = [end >= float(bound) if relation == ">=" else end <= float(bound) for end in (self.low, self.high)]
        return {(True, True): "holds", (False, False): "fails"}.get(tuple(held), "undecided")

    def row(self):
        """Return the claim as a dict with the keys `COLUMNS`."""
        return asdict(self) | {"verdict": self.verdict}


def over_units(values, statistic=np.median, *, seed):
    """Return `statistic` of `values` (units,) with its 95 % percentile bootstrap interval: value, low, high."""
    values = np.asarray(values, dtype=np.float64)
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0]), float(values[0])
    interval = bootstrap(
        (values,), statistic, method="percentile", n_resamples=2000, rng=generator(seed, "bootstrap")
    ).confidence_interval
    return float(statistic(values)), float(interval.low), float(interval.high)


def cosine(a, b):
    """Return the cosine between the last axes of `a` and `b`, broadcast over the others."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.sum(a * b, axis=-1) / lengths


def cosine_among_starts(inputs):
    """Return the mean pairwise cosine among the solutions (U, R, P) of each unit, shape (U,)."""
    first, second = np.triu_indices(inputs.shape[1], 1)
    return cosine(inputs[:, first], inputs[:, second]).mean(axis=1)


def variation_of_maxima(activations):
    """Return the coefficient of variation of the maximal activations (U, R) of each unit, shape (U,)."""
    return activations.std(axis=1) / np.abs(activations.mean(axis=1))


def best_of(maxima):
    """Return the input of highest activation for each unit, (U, P), of activation-maximization arrays."""
    return maxima["inputs"][np.arange(len(maxima["units"])), maxima["activations"].argmax(axis=1)]


def matched_cosine(a, b):
    """Return how alike two pictures of the same unit are beyond what all units share: cosines, shape (U,).

    The mean over units is taken off both `a` and `b` (U, P) first, since all means of digits are alike.
    """
    return cosine(a - a.mean(axis=0), b - b.mean(axis=0))


def distance_to_data(inputs, examples):
    """Return the distance from each of `inputs` (n, P) to the nearest of `examples` (m, P), shape (n,)."""
    return cdist(inputs, examples).min(axis=1)


def claims_about_maxima(name, maxima, *, seed):
    """Return the claims of sections 4.2 and 4.4 about activation maximization of one layer.

    Parameters
    ----------
    name : str
        Which layer, such as ``mnist sdae layer 3``.
    maxima : dict of arrays
        As stored by activation maximization.
    seed : int
    """
    identity = name.replace(" ", "-")
    return [
        Claim(
            f"unimodal-{identity}",
            "4.4",
            "Most random initializations yield roughly the same input pattern.",
            f"median over units of the mean pairwise cosine among starts, {name}",
            *over_units(cosine_among_starts(maxima["inputs"]), seed=seed),
            ">= 0.9",
        ),
        Claim(
            f"close-maxima-{identity}",
            "4.4",
            "The maximal values of the activation are quite close to each other.",
            f"median over units of the coefficient of variation among starts, {name}",
            *over_units(variation_of_maxima(maxima["activations"]), seed=seed),
            "<= 0.02",
        ),
        Claim(
            f"one-rate-{identity}",
            "4.4",
            "The same learning rate of the gradient ascent works for all units of a layer.",
            f"share of ascents that converge, {name}",
            *over_units(maxima["converged"].mean(axis=1), np.mean, seed=seed),
            ">= 0.95",
        ),
    ]


def claims_about_methods(name, maxima, sampling, combination, examples, *, seed):
    """Return the claims of sections 4.3 and 4.4 that compare the three techniques on the same units of one layer.

    Parameters
    ----------
    name : str
    maxima, sampling, combination : dict of arrays
        As stored, for the same units.
    examples : array (m, P)
        Examples of the data that no model was trained on.
    seed : int
    """
    identity, best = name.replace(" ", "-"), best_of(maxima)
    samples = sampling["samples"]
    distances = distance_to_data(samples.reshape(-1, samples.shape[2]), examples).reshape(samples.shape[:2])
    nearer = distances.mean(axis=1) - distance_to_data(best, examples)
    linear, mean = matched_cosine(best, combination["filters"]), matched_cosine(best, sampling["mean"])
    return [
        Claim(
            f"linear-like-maximum-{identity}",
            "4.4",
            "Linear combination and activation maximization are quite similar.",
            f"median over units of their cosine, mean over units removed, {name}",
            *over_units(linear, seed=seed),
            ">= 0.5",
        ),
        Claim(
            f"samples-differ-{identity}",
            "4.4",
            "Sampling gives whole examples where the other two give parts: it is less like the maximum.",
            f"median over units of cosine(maximum, linear) - cosine(maximum, sampling mean), {name}",
            *over_units(linear - mean, seed=seed),
            ">= 0",
        ),
        Claim(
            f"samples-like-data-{identity}",
            "4.4",
            "Samples are much more likely to be part of the distribution of examples than maxima.",
            f"median over units of distance to the nearest example, samples less maximum, {name}",
            *over_units(nearer, seed=seed),
            "<= 0",
        ),
    ]


def samples_claim(name, sampling, *, seed):
    """Return the claim of section 4.4 that samples of patches with one unit clamped are of one pattern.

    Parameters
    ----------
    name : str
    sampling : dict of arrays
    seed : int
    """
    return Claim(
        f"one-pattern-{name.replace(' ', '-')}",
        "4.4",
        "Samples of natural image patches are of the same pattern, for a given unit.",
        f"median over units of the mean pairwise cosine among samples, {name}",
        *over_units(cosine_among_starts(sampling["samples"]), seed=seed),
        ">= 0.5",
    )


def claims_about_gabors(rows):
    """Return the claims of section 4.4 about Gabor-like filters of natural images.

    Parameters
    ----------
    rows : list of dict
        Of the table of units (see :func:`deepunits.tables.unit_row`), those of natural images. A layer without live
        units has no claim.
    """
    row_of = {(row["model"], row["layer"]): row for row in rows}
    found = []
    for model, layer, suffix, text, threshold in (
        ("sdae", 1, "", "The first-layer filters of the SDAE are Gabor-like.", ">= 0.7"),
        ("dbn", 1, "", "Those of the DBN, which minimise its reconstruction error, are not.", "<= 0.35"),
        ("dbn", 2, "_shown", "Yet its second layer is a mixture of Gabor-like features and gratings.", ">= 0.25"),
    ):
        share, count = row_of[model, layer][f"gabor_share{suffix}"], int(row_of[model, layer][f"fitted{suffix}"])
        if not count:
            continue
        claim = Claim(
            f"gabor-{model}-layer-{layer}",
            "4.4",
            text,
            f"share of {count} live units with a Gabor fit of R² above {GABOR}, natural_images {model} layer {layer}",
            share,
            *wilson_interval(round(share * count), count),
            threshold,
        )
        found.append(claim)
    return found


def first_layer_claim(name, maxima, weights, *, seed):
    """Return the claim of section 4.2 that a first-layer unit is maximised by its own filter.

    Parameters
    ----------
    name : str
    maxima : dict of arrays
    weights : array (hidden, P)
    seed : int
    """
    worst = cosine(maxima["inputs"], weights[maxima["units"]][:, None]).min(axis=1)
    return Claim(
        f"filter-{name.replace(' ', '-')}",
        "4.2",
        "In the first layer the maximum is proportional to the filter itself.",
        f"mean over units of the least cosine with the filter among starts, {name}",
        *over_units(worst, np.mean, seed=seed),
        ">= 0.999",
    )


def claims_about_layers(dataset, rows):
    """Return the claims of section 5.3 that the activation of upper layers falls more slowly, for one dataset.

    Each is measured on all units by the configured search; on the curves without bias and scale, which the paper does
    not draw; and, for the units shown, by the search among several that agrees with it least.

    Parameters
    ----------
    dataset : str
    rows : list of dict
        Of the table of invariance for `dataset` (see :func:`deepunits.invariance.comparison.layer_rows`), in its order:
        the first search is the configured one over all units.
    """
    found = []
    for lower, curve in [(lower, curve) for lower in FASTER_BELOW[dataset] for curve in CURVES]:
        wanted = (lower + 1, curve, "area")
        areas = [row for row in rows if (row["layer"], row["curve"], row["measure"]) == wanted]
        measured = [row for row in areas if np.isfinite(row["difference"])]
        if not measured:  # too few units are live
            continue
        first, least = measured[0], min(measured[1:], key=lambda row: row["difference"], default=measured[0])
        several = f"the least of {len(measured) - 1} searches of {least['units']} units ({least['search']})"
        found += [
            _faster_below(dataset, lower, curve, first, "", f"all {first['units']} units"),
            _faster_below(dataset, lower, curve, least, "-any-search", several),
        ]
    return found


def _faster_below(dataset, lower, curve, row, suffix, which):
    return Claim(
        f"faster-below-{dataset}-{lower}-{lower + 1}-{curve.replace('_', '-')}{suffix}",
        "5.3",
        f"The activation falls faster along ε in layer {lower} than in layer {lower + 1}.",
        f"mean area under {CURVES[curve]}, layer {lower + 1} less layer {lower}, {dataset} {row['model']}, {which}",
        row["difference"],
        row["difference_low"],
        row["difference_high"],
        ">= 0",
    )


def claims_about_output(name, maxima, manifolds, hidden, *, label, seed):
    """Return the claims of section 5.2 about the output units of a network fine-tuned on mnist-rot.

    Parameters
    ----------
    name : str
        Which network, such as ``mnist_rot sdae``.
    maxima, manifolds : dict of arrays
        As stored for all output units.
    hidden : array (U, R, P)
        Solutions for hidden units of Figure 1, which the paper finds unimodal.
    label : int
        The output unit whose manifolds are measured.
    seed : int
    """
    identity = f"{name.replace(' ', '-')}-output"
    among_starts, of_hidden = cosine_among_starts(maxima["inputs"]), np.median(cosine_among_starts(hidden))
    epsilons = manifolds["epsilons"]
    near = np.flatnonzero((epsilons > 0) & (epsilons <= FARTHEST))
    optimum, inputs = (manifolds[array][label].astype(float) for array in ("optimum", "inputs"))
    ways = departures(inputs[:, near], optimum)
    first, second = np.triu_indices(len(ways), 1)
    side = round(len(optimum) ** 0.5)
    explained = [explained_by_rotation(frames, (side, side)) for frames in inputs[:, [0, *near]]]
    angles, turned, as_it_is = np.moveaxis(explained, 1, 0)[..., 1:]
    return [
        Claim(
            f"multimodal-{identity}",
            "5.2",
            "The maximum of an output unit depends on the random start.",
            f"median over output units of the mean pairwise cosine among starts, {name} (label 4: "
            f"{among_starts[4]:.2f}, label 5: {among_starts[5]:.2f}; hidden units of Figure 1: {of_hidden:.3f})",
            *over_units(among_starts, seed=seed),
            "<= 0.9",
        ),
        Claim(
            f"manifolds-differ-{identity}-{label}",
            "5.2",
            "Manifolds from slightly different starts become quite different.",
            "mean over pairs of trials and ε up to √2 of the cosine between their departures from the optimum, "
            f"{name}, label {label}",
            *over_units(cosine(ways[first], ways[second]).mean(axis=1), np.mean, seed=seed),
            "<= 0.5",
        ),
        Claim(
            f"rotations-{identity}-{label}",
            "5.2",
            "The manifolds capture rotations of the optimum.",
            "mean over trials and ε up to √2 of the correlation with the optimum as it is best turned, less the "
            f"{as_it_is.mean():.2f} with it as it is, {name}, label {label} "
            f"(turned by {np.abs(angles).mean():.0f}° in the mean)",
            *over_units((turned - as_it_is).mean(axis=1), np.mean, seed=seed),
            ">= 0.1",
        ),
    ]


def as_markdown(rows):
    """Return a table in Markdown; a claim that was measured on a substitute says so.

    Parameters
    ----------
    rows : list of dict
        Of :meth:`Claim.row`, with ``substitute``: what stands in for the dataset, empty if nothing does.
    """
    lines = ["| section | claim | statistic | value | 95 % interval | threshold | verdict |", "|" + "---|" * 7]
    for row in rows:
        statistic = row["statistic"] + (f" (on a substitute: {row['substitute']})" if row["substitute"] else "")
        lines.append(
            f"| {row['section']} | {row['claim']} | {statistic} | {row['value']:.4g} "
            f"| {row['low']:.4g} … {row['high']:.4g} | {row['threshold']} | {row['verdict']} |"
        )
    return "\n".join(lines) + "\n"
