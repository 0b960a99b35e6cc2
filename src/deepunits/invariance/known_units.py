"""Units whose invariances are known exactly: what searches for manifolds find is held against the truth (section 5.1).

Such units stand for cells of the visual cortex: a simple cell is linear, a complex cell the energy of a Gabor pair in
quadrature (Adelson and Bergen, 1985). Studies of invariance in neurons are tested on such units (Baroni et al., 2023).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from deepunits.invariance.hessian import principal_curvatures, walk_along
from deepunits.invariance.manifold import trace_manifold
from deepunits.invariance.whitening import scaled_root
from deepunits.models.view import AmplitudeUnits, QuadraticForms, View, energy_units
from deepunits.randomness import generator

# The searches, by the kind of step and the factor of the covariance's regularization.
STEPS = {
    "plain": ("plain", 1.0),
    "tangent": ("tangent", 1.0),
    "whitened": ("whitened", 1.0),
    "whitened_100": ("whitened", 100.0),
    "whitened_1000": ("whitened", 1000.0),
}
GEODESIC = (
    "geodesic"  # beside them: the great circle in the flattest direction of the Hessian (Berkes and Wiskott, 2006)
)
SEARCH = {"trials": 3, "perturbation": 0.05, "learning_rate": 0.3, "threshold": 1e-6, "max_steps": 300}


@dataclass(frozen=True)
class KnownUnit:
    """A unit, and where its activation is highest.

    Attributes
    ----------
    name : str
    view : View
        The unit is the only one of its first layer.
    optimum : array (P,)
        One x_opt, of norm ρ.
    highest : array (E,)
        The highest activation that there is at each distance ε from it, on the sphere.
    pairs : array (K, 2, P)
        Orthonormal: every x with the same norm in the span of each pair, and nothing else, is an optimum. Of units
        with an isolated optimum K is 0.
    pooled : bool
        Whether it is the norm in all pairs together that counts, and not that in each.
    shift : array (P,), optional
        The direction in which the optimum moves if the patch is shifted: the activation is flat along it, as along some
        others, of which the Hessian tells none from another.
    """

    name: str
    view: View
    optimum: np.ndarray
    highest: np.ndarray
    pairs: np.ndarray
    pooled: bool = False
    shift: np.ndarray | None = None

    def distance(self, x):
        """Return how far the inputs `x` (n, P) are from the nearest optimum, in units of ρ; 0 if that is isolated."""
        norm = np.linalg.norm(self.optimum)
        if not len(self.pairs):
            return np.zeros(len(x))
        parts = np.einsum("np,kip->nki", x, self.pairs)
        outside = np.maximum((x**2).sum(axis=1) - (parts**2).sum(axis=(1, 2)), 0)
        lengths = np.linalg.norm(parts, axis=2)
        if self.pooled:
            lengths = np.linalg.norm(lengths, axis=1, keepdims=True)
        wanted = norm / np.sqrt(lengths.shape[1])
        return np.sqrt(outside + ((lengths - wanted) ** 2).sum(axis=1)) / norm

    def travelled(self, x):
        """Return by which angle the inputs `x` (n, P) lie from the optimum within the span of the pairs, radians."""
        span = self.pairs.reshape(-1, x.shape[1]) if len(self.pairs) else np.eye(x.shape[1])
        inside, start = x @ span.T, span @ self.optimum
        cosines = inside @ start / np.linalg.norm(inside, axis=1) / np.linalg.norm(start)
        return np.arccos(np.clip(cosines, -1, 1))


def known_units(side, norm, epsilons, *, seed):
    """Return the units that searches are tried on, on patches of `side` by `side` pixels.

    Parameters
    ----------
    side : int
        8 or more.
    norm : float
        ρ.
    epsilons : array (E,)
    seed : int
        Of the quadratic forms.

    Returns
    -------
    list of KnownUnit
        - ``simple cell``: linear, a Gabor;
        - ``complex cell``: the energy of a Gabor pair, invariant to its phase;
        - ``two pairs``: the energy of two, invariant to whatever stays in their span;
        - ``shift-invariant``: the sum of the amplitudes of gratings of 1, 2 and 3 cycles, which a shift of the patch
          leaves as they are;
        - ``isolated optimum`` and ``isolated with linear part``: quadratic forms.
    """
    pairs = np.stack([gabor_pair(side, angle) for angle in (0.4, 0.4 + np.pi / 2)])
    pairs[1] -= pairs[1] @ pairs[0].T @ pairs[0]
    pairs[1] = np.linalg.qr(pairs[1].T)[0].T
    cycles = np.array([1, 2, 3])
    gratings = np.stack([grating_pair(side, count) for count in cycles])
    flat = np.full(len(epsilons), norm**2)
    start = gratings[:, 0].sum(axis=0) * norm / np.sqrt(len(gratings))
    return [
        _quadratic("simple cell", np.zeros((side**2, side**2)), pairs[0, 0], norm, epsilons),
        KnownUnit("complex cell", energy_units(pairs[:1]), norm * pairs[0, 0], flat, pairs[:1]),
        KnownUnit("two pairs", energy_units(pairs.reshape(1, 4, -1)), norm * pairs[0, 0], flat, pairs, pooled=True),
        KnownUnit(
            "shift-invariant",
            AmplitudeUnits(gratings[None]),
            start,
            np.full(len(epsilons), norm * np.sqrt(len(gratings))),
            gratings,
            shift=np.einsum("k,kp->p", cycles, gratings[:, 1]),
        ),
        *_quadratic_forms(side, norm, epsilons, generator(seed, "known units")),
    ]


def _quadratic_forms(side, norm, epsilons, rng):
    axes = np.linalg.qr(rng.normal(size=(side**2, side**2)))[0]
    hessian = axes / np.arange(1, side**2 + 1) @ axes.T  # eigenvalues 1, 1/2, 1/3, ...
    linear = rng.normal(size=side**2)
    yield _quadratic("isolated optimum", hessian, np.zeros(side**2), norm, epsilons)
    yield _quadratic("isolated with linear part", hessian, norm / 2 * linear / np.linalg.norm(linear), norm, epsilons)


def _quadratic(name, hessian, linear, norm, epsilons):
    optimum = highest_on_sphere(hessian, linear, norm)
    highest = np.array([_form(hessian, linear, highest_at(hessian, linear, optimum, e)) for e in epsilons])
    view = QuadraticForms(hessian[None], linear[None], np.zeros(1))
    return KnownUnit(name, view, optimum, highest, np.zeros((0, 2, len(linear))))


def _form(hessian, linear, x):
    return x @ hessian @ x / 2 + linear @ x


def highest_on_sphere(hessian, linear, radius):
    """Return the x (P,) of norm `radius` at which x'Hx/2 + f'x is highest, by bisection (Berkes and Wiskott, 2006).

    Where Hx + f = λx, λ is at least the largest eigenvalue of H, and ‖(λ - H)⁻¹ f‖ falls with it.

    Parameters
    ----------
    hessian : array (P, P)
        H, symmetric.
    linear : array (P,)
        f.
    radius : float
    """
    values, vectors = np.linalg.eigh(hessian)
    along, gaps, slope = vectors.T @ linear, values[-1] - values, np.linalg.norm(linear)
    if slope == 0:
        return radius * vectors[:, -1]

    def excess(above):  # of λ above the largest eigenvalue
        return np.linalg.norm(along / (above + gaps)) - radius

    least, most = 1e-9 * slope / radius, 2 * slope / radius
    if excess(least) > 0:
        x = along / (brentq(excess, least, most, xtol=1e-300) + gaps)
        return vectors @ (x * radius / np.linalg.norm(x))
    x = along[:-1] / (least + gaps[:-1])  # f has no part along the largest eigenvalue, which fills what is missing
    return vectors @ np.append(x, np.sqrt(radius**2 - x @ x))


def highest_at(hessian, linear, optimum, epsilon):
    """Return the x (P,) at which x'Hx/2 + f'x is highest at distance ερ from the `optimum`, on its sphere.

    With x = c x_opt + y, y orthogonal to x_opt and of a known length, it is another form of y on a sphere.
    """
    norm, share = np.linalg.norm(optimum), 1 - epsilon**2 / 2
    radius = norm * epsilon * np.sqrt(1 - epsilon**2 / 4)
    if radius == 0:
        return share * optimum
    basis = np.linalg.qr(optimum[:, None], mode="complete")[0][:, 1:]
    slope = basis.T @ (share * hessian @ optimum + linear)
    return share * optimum + basis @ highest_on_sphere(basis.T @ hessian @ basis, slope, radius)


def gabor_pair(side, angle, frequency=0.2, width=2.0):
    """Return a Gabor pair in quadrature, (2, P), orthonormal; `frequency` in cycles a pixel, `width` in pixels."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    phase = 2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle))
    envelope = np.exp(-(x**2 + y**2) / (2 * width**2))
    pair = np.stack([envelope * np.cos(phase), envelope * np.sin(phase)]).reshape(2, -1)
    return pair / np.linalg.norm(pair, axis=1, keepdims=True)  # one is even and one odd, so they are orthogonal


def grating_pair(side, cycles):
    """Return two gratings of so many cycles across a patch, a quarter of a cycle apart, (2, P), orthonormal."""
    phase = np.broadcast_to(2 * np.pi * cycles * np.arange(side) / side, (side, side)).ravel()
    return np.stack([np.cos(phase), np.sin(phase)]) * np.sqrt(2) / side


def trace_known_units(units, epsilons, statistics, *, seed):
    """Trace the manifold of each unit by every search of `STEPS`, and walk along the `GEODESIC`.

    Parameters
    ----------
    units : sequence of KnownUnit
    epsilons : array (E,)
    statistics : dict of arrays
        ``eigenvalues``, ``eigenvectors`` and ``regularization`` of patches of the same size.
    seed : int

    Returns
    -------
    dict of array
        By the name of the search: the inputs (U, E, P) at which the activation is highest of all trials.
    """
    axes, ridge = (statistics["eigenvalues"], statistics["eigenvectors"]), statistics["regularization"]
    roots = {factor: scaled_root(*axes, factor * ridge) for _, factor in STEPS.values()}
    found = {name: [] for name in (*STEPS, GEODESIC)}
    for unit in units:
        for name, (step, factor) in STEPS.items():
            traced = trace_manifold(
                unit.view,
                1,
                np.array([0]),
                unit.optimum[None],
                norm=np.linalg.norm(unit.optimum),
                epsilons=epsilons,
                unwhitening=roots[factor],
                rng=generator(seed, unit.name),  # the same starts for all searches
                step=step,
                shown=[0],
                **SEARCH,
            )
            best = traced.activations[0].argmax(axis=0)
            found[name].append(traced.inputs[0, best, np.arange(len(epsilons))])
        flattest = unit.shift
        if flattest is None:  # as Berkes and Wiskott (2006)
            flattest = principal_curvatures(unit.view, 1, 0, unit.optimum).directions[0]
        found[GEODESIC].append(walk_along(unit.view, 1, 0, unit.optimum, flattest[None], epsilons)[1][0])
    return {name: np.stack(inputs) for name, inputs in found.items()}


def measure(units, found):
    """Hold what searches have found against the truth.

    Parameters
    ----------
    units : sequence of KnownUnit
    found : dict of array (K, E, P)
        Of :func:`trace_known_units`.

    Returns
    -------
    dict of array
        ``units`` (K,) and ``searches`` (S,), their names; ``highest`` (K, E); ``activations``, ``distances`` in units
        of ρ and ``travelled`` in radians, (K, S, E); ``inputs`` (K, S, E, P), float32.
    """
    inputs = np.stack(list(found.values()), axis=1)
    rows = [[(unit, x) for x in ways] for unit, ways in zip(units, inputs, strict=True)]
    return {
        "units": np.array([unit.name for unit in units]),
        "searches": np.array(list(found)),
        "highest": np.array([unit.highest for unit in units]),
        "activations": np.array([[unit.view.activations(x, 1)[:, 0] for unit, x in row] for row in rows]),
        "distances": np.array([[unit.distance(x) for unit, x in row] for row in rows]),
        "travelled": np.array([[unit.travelled(x) for unit, x in row] for row in rows]),
        "inputs": inputs.astype(np.float32),
    }


def reached(activations, highest):
    """Return which share of the highest activation that there is at each distance searches reach, (K, S, E).

    What is missing is taken as a share of the activation at the optimum: 1 is all that there is.

    Parameters
    ----------
    activations : array (K, S, E)
        Of K units by S searches.
    highest : array (K, E)
    """
    return 1 - (highest[:, None] - activations) / highest[:, None, :1]
