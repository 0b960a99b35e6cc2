"""The claims of section 4 as measured statistics: maxima, the three techniques compared, what the units look like."""

import numpy as np
from scipy.spatial.distance import cdist

from deepunits.claims import Claim, best_of, cosine, cosine_among_starts, over_units
from deepunits.tables import GABOR, wilson_interval

OUTLINES = 0.9  # share of the outlines in a dataset that count as whole objects
SMOOTH = 0.5  # correlation between adjacent pixels from which a picture is not noise


def variation_of_maxima(activations):
    """Return the coefficient of variation of the maximal activations (U, R) of each unit, shape (U,)."""
    return activations.std(axis=1) / np.abs(activations.mean(axis=1))


def matched_cosine(a, b):
    """Return how alike two pictures of the same unit are beyond what all units share: cosines, shape (U,).

    The mean over units is taken off both `a` and `b` (U, P) first, since all means of digits are alike.
    """
    return cosine(a - a.mean(axis=0), b - b.mean(axis=0))


def distance_to_data(inputs, examples):
    """Return the distance from each of `inputs` (n, P) to the nearest of `examples` (m, P), shape (n,)."""
    return cdist(inputs, examples).min(axis=1)


def likeness_to_classes(inputs, examples, labels):
    """Return the highest correlation of each of `inputs` with the mean example of a class.

    Parameters
    ----------
    inputs : array (n, P)
    examples : array (m, P)
    labels : array (m,) of int

    Returns
    -------
    array (n,)
    """
    means = np.array([examples[labels == label].mean(axis=0) for label in np.unique(labels)])
    return (1 - cdist(inputs, means, "correlation")).max(axis=1)


def smoothness(images, shape):
    """Return the correlation between adjacent pixels (Moran's I) in each of some images, (n,): about 0 in noise.

    Parameters
    ----------
    images : array (n, P)
    shape : (int, int)
        Rows and columns of an image.
    """
    pixels = (images - images.mean(axis=1, keepdims=True)).reshape(-1, *shape)
    across = (pixels[:, :, 1:] * pixels[:, :, :-1]).mean(axis=(1, 2))
    down = (pixels[:, 1:] * pixels[:, :-1]).mean(axis=(1, 2))
    return (across + down) / (2 * (pixels**2).mean(axis=(1, 2)))


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


def claims_about_objects(name, maxima, examples, labels, held_out, *, seed):
    """Return the claims of section 4.4 about whole objects and parts of them, for a layer trained on outlines.

    A maximum counts as a whole object if it is as much like the mean of a class as most outlines are, and as a part if
    it is not but is smooth, too.

    Parameters
    ----------
    name : str
    maxima : dict of arrays
        As stored; square images.
    examples : array (m, P)
    labels : array (m,) of int
        Classes of the examples.
    held_out : array (n, P)
        Other examples, which do not enter the means.
    seed : int

    Notes
    -----
    Means of classes are blurred, so a blob in the middle counts as a whole object.
    """
    identity, best = name.replace(" ", "-"), best_of(maxima)
    side = round(best.shape[1] ** 0.5)
    least = np.quantile(likeness_to_classes(held_out, examples, labels), 1 - OUTLINES)
    whole = likeness_to_classes(best, examples, labels) >= least
    adjacent = smoothness(best, (side, side))
    parts = ~whole & (adjacent >= SMOOTH)

    def share(kind, text, found, which, threshold):
        statistic = (
            f"share of {len(best)} units whose maximum is {which} like a class mean as {100 * OUTLINES:.0f} % of "
            f"held-out outlines are (correlation at least {least:.2f}), {name}"
        )
        interval = wilson_interval(int(found.sum()), len(best))
        return Claim(f"{kind}-{identity}", "4.4", text, statistic, float(found.mean()), *interval, threshold)

    return [
        share("whole-objects", "A few units look like detectors of whole objects.", whole, "as", ">= 0.03"),
        share(
            "parts", "Most units encode parts of objects.", parts, f"smooth (at least {SMOOTH}) and not as", ">= 0.5"
        ),
        Claim(
            f"not-noise-{identity}",
            "4.4",
            "What the units look like is interpretable.",
            f"median over units of the correlation between adjacent pixels of the maximum, {name}",
            *over_units(adjacent, seed=seed),
            f">= {SMOOTH}",
        ),
    ]


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
