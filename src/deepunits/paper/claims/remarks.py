"""The remarks of section 5 that the paper gives without numbers: the Hessian, minimization, whitening."""

from functools import partial

import numpy as np

from deepunits.invariance.hessian import variance_along
from deepunits.invariance.known_units import GEODESIC, reached
from deepunits.invariance.measures import departures
from deepunits.paper.claims.claim import WHERE, cases, statement
from deepunits.paper.statistics import over_units
from deepunits.storage import load_npz

STATEMENTS = []
claim = partial(statement, STATEMENTS)

FLATTEST = 0.1  # share of the eigenvectors that counts as those of smallest curvature
DISTANCE = 1.0  # ε at which searches are compared

# Of the layer that is studied, whichever the configuration names.
STUDIED = cases(
    dataset=["mnist", "natural_images", "silhouettes", "mnist_rot"], model=["dbn", "sdae"], layer=[2, 3, 4, 5]
)
SEARCHES = "units/{dataset}/{model}/layer{layer}/searches.npz"
CURVATURES = "units/{dataset}/{model}/layer{layer}/curvatures.npz"
STATISTICS = "statistics/{dataset}.npz"
AT_A_DISTANCE = f"{WHERE}, at ε = {{epsilon:.3g}}"


@claim(
    "flat-directions-are-background",
    "5.1, footnote 16",
    "The directions of smallest curvature change the background.",
    f"median over units of the variance of the data along the flattest {FLATTEST:.0%} of the eigenvectors, relative to "
    "that of a pixel",
    "<= 0.5",
    "half of what a direction at random has",
    cases=STUDIED,
    curvatures=CURVATURES,
)
def variance_along_flattest(case, curvatures):
    variances = load_npz(curvatures)["variances"]
    flattest = variances[:, : max(round(FLATTEST * variances.shape[1]), 1)]
    return over_units(flattest.mean(axis=1), seed=case.seed)


class Searches:
    """The searches of a layer at `DISTANCE` from the optima.

    Parameters
    ----------
    path : path
        ``searches.npz`` of the layer.
    """

    def __init__(self, path):
        self.found = load_npz(path)
        self.at = int(np.abs(self.found["epsilons"] - DISTANCE).argmin())
        self.fields = {"epsilon": self.found["epsilons"][self.at]}
        self.top = self.found["plain_activations"][:, 0].astype(np.float64)

    def fall(self, search):
        """Return by how much the activation falls on the way of a `search`, (U,)."""
        return self.top - self.found[f"{search}_activations"][:, self.at]

    def variance(self, search, statistics):
        """Return the variance of the data along the way of a `search`, relative to that of a pixel, (U,)."""
        pairs = zip(self.found[f"{search}_inputs"][:, self.at], self.found["optimum"], strict=True)
        ways = np.array([departures(x, optimum) for x, optimum in pairs])
        return variance_along(ways, load_npz(statistics)["covariance"])


@claim(
    "geodesics-are-local",
    "2.3, 5",
    "Geodesics as of Berkes and Wiskott are valid near the optimum alone; the manifolds are less local.",
    "median over units of the fall of the activation along the geodesic of smallest curvature, over that along the "
    "manifold",
    ">= 1",
    "the sign of the logarithm is the statement",
    where=f"{AT_A_DISTANCE} (at ε = {{nearest:.2g}} {{near:.2f}})",
    cases=STUDIED,
    curvatures=CURVATURES,
    searches=SEARCHES,
)
def fall_along_geodesic(case, curvatures, searches):
    walked, found = load_npz(curvatures), Searches(searches)
    heights = walked["activations"][:, walked["walked"].argmin()].astype(np.float64)
    fall = heights[:, :1] - heights
    at = int(np.abs(walked["epsilons"] - DISTANCE).argmin())
    near = np.median(fall[:, 1] / (found.top - found.found["plain_activations"][:, 1]))
    fields = found.fields | {"nearest": walked["epsilons"][1], "near": near}
    return *over_units(fall[:, at] / found.fall("plain"), seed=case.seed), fields


@claim(
    "minimum-in-background",
    "5.1, footnote 17",
    "Minimising the activation shows the same background effect.",
    "median over units of the variance of the data along the way to the lowest activation, relative to that of a pixel",
    "<= 0.5",
    "half of what a direction at random has",
    where=AT_A_DISTANCE,
    cases=STUDIED,
    searches=SEARCHES,
    statistics=STATISTICS,
)
def variance_towards_lowest(case, searches, statistics):
    found = Searches(searches)
    return *over_units(found.variance("lowest", statistics), seed=case.seed), found.fields


for directions, drawn in (("data-like", "drawn as the data vary"), ("random", "all as likely")):

    @claim(
        f"ridge-{directions}",
        "5.1, footnote 17",
        "The activation is like a ridge: it falls significantly in most directions, and hardly along a few.",
        f"median over units of the fall of the activation in random directions, {drawn}, over that along the manifold",
        ">= 2",
        "twice is significant",
        where=AT_A_DISTANCE,
        cases=[case | {"directions": directions.replace("-", "_")} for case in STUDIED],
        searches=SEARCHES,
    )
    def fall_in_random_directions(case, searches):
        found = Searches(searches)
        return *over_units(found.fall(case.directions) / found.fall("plain"), seed=case.seed), found.fields


@claim(
    "whitening-leaves-background",
    "5.1",
    "Whitening counteracts the background effect: the search moves where the data vary.",
    "median over units of the variance of the data along the way of the whitened search, over that of the plain search",
    ">= 1",
    "the sign of the logarithm is the statement",
    where=AT_A_DISTANCE,
    cases=STUDIED,
    searches=SEARCHES,
    statistics=STATISTICS,
)
def gain_in_variance(case, searches, statistics):
    found = Searches(searches)
    gain = found.variance("whitened", statistics) / found.variance("plain", statistics)
    return *over_units(gain, seed=case.seed), found.fields


@claim(
    "whitening-keeps-optimum",
    "5.1, equation 1",
    "Whitening is a change of variables: the highest activation at a distance stays what it is.",
    "median over units of the activation found less with whitening than without, as a share of that at the optimum",
    "<= 0.01",
    "equal but for the threshold of the searches",
    where=AT_A_DISTANCE,
    cases=STUDIED,
    searches=SEARCHES,
)
def loss_by_whitening(case, searches):
    found = Searches(searches)
    loss = (found.fall("whitened") - found.fall("plain")) / np.abs(found.top)
    return *over_units(loss, seed=case.seed), found.fields


KNOWN = ("simple cell", "complex cell", "two pairs", "shift-invariant", "isolated optimum", "isolated with linear part")
FARTHEST = 1.9  # ε up to which; opposite the optimum, at 2, there is one point alone


def least_reached(known, unit, search):
    """Return the least share of the highest activation, at any ε up to `FARTHEST`, that a search finds of a unit."""
    found = load_npz(known)
    share = reached(found["activations"], found["highest"])[:, :, found["epsilons"] <= FARTHEST + 1e-9]
    rows = share[found["units"] == unit][:, found["searches"] == search]
    return (rows.min(),) * 3 if rows.size else None


@claim(
    "manifold-of-known-units",
    "5.1",
    "The points of highest activation on the sphere, one for each distance, show what a unit is invariant to.",
    "of units whose invariances are known: least share of the highest activation there is, at any ε up to 1.9, that a "
    "search finds",
    ">= 0.99",
    "all that there is but for the threshold of the search",
    where="{unit}, {search} steps",
    cases=cases(dataset=["natural_images"], search=["plain", "tangent", "whitened"], unit=KNOWN),
    known="units/{dataset}/known_units.npz",
)
def found_on_manifold(case, known):
    return least_reached(known, case.unit, case.search)


@claim(
    "geodesic-of-known-unit",
    "5.1, footnote 16",
    "The direction of smallest curvature is an invariance near the optimum alone, not of a curved manifold.",
    "of a unit that no shift changes: least share of the highest activation there is, at any ε up to 1.9, along the "
    "geodesic that leaves as a shift does",
    "<= 0.95",
    "a twentieth of the activation lost, where the manifold loses none",
    where="{unit}",
    cases=cases(dataset=["natural_images"], unit=["shift-invariant"]),
    known="units/{dataset}/known_units.npz",
)
def found_on_geodesic(case, known):
    return least_reached(known, case.unit, GEODESIC)
