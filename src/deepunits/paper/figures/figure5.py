"""Figure 5: how an invariance manifold is traced, in three dimensions, drawn from the search itself."""

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from deepunits.drawing.sheet import TEXT_WIDTH, Sheet, style
from deepunits.invariance.manifold import trace_manifold
from deepunits.invariance.projection import farthest, project
from deepunits.models.network import Network
from deepunits.randomness import generator
from deepunits.visualize.activation_maximization import maximize_activation

SEED = 5
NORM, EPSILON = 1.0, 0.8
LAYER, UNIT = 2, np.array([0])
STEP = 0.055  # length of the gradient step that is drawn, as a multiple of the gradient: long enough to be seen
START = 0.81  # where on the feasible circle it starts, as a share of a turn from the highest point
# Five hidden units that look along an arc of the sphere, and a unit that adds them up: its activation is a bent ridge.
ARC = np.array([[0.99, 0.12, -0.1], [0.87, -0.05, 0.47], [0.6, -0.38, 0.7], [0.2, -0.72, 0.67], [-0.25, -0.9, 0.35]])
GAIN, THRESHOLD = 8.0, 6.8
STRENGTHS = np.array([[3.0, 3.6, 3.6, 3.0, 2.2]])

HEIGHT = 4.2  # inches
SCALE = 1.62  # inches that ρ has on paper
ORIGIN = (2.35, 2.35)  # of the inputs on paper: inches from the left and from the top
PIXELS_PER_INCH = 200  # of the spheres; lines and letters have no pixels
ELEVATION, AZIMUTH = 29.0, -64.0  # degrees, of the viewer, who is far away
COLOURS = LinearSegmentedColormap.from_list("activation", ["#3f6592", "#9bb8d3", "#eef1ef", "#f6d9a8", "#e2954a"])
GLASS = np.array([0.5, 0.57, 0.66])
INK, CIRCLE, PATH, REJECTED = "#222222", "#1f5fae", "#b3261e", "#666666"


@dataclass
class Example:
    """One step of the search for the highest activation at distance ε, of a unit with three inputs.

    Attributes
    ----------
    network : Network
    optimum : array (3,)
        x_opt, by activation maximization.
    manifold : array (E, 3)
        x*_ε for ascending ε, by the search.
    circle : array (n, 3)
        All points that meet both constraints.
    x, stepped : array (3,)
        A point of the circle, and where the gradient step leads from it.
    chosen, rejected : array (3,)
        Its two projections onto the circle: that of higher activation and the other.
    """

    network: Network
    optimum: np.ndarray
    manifold: np.ndarray
    circle: np.ndarray
    x: np.ndarray
    stepped: np.ndarray
    chosen: np.ndarray
    rejected: np.ndarray

    def activation(self, x):
        """Return the unit's activation at the points `x` (..., 3)."""
        return self.network.activations(x.reshape(-1, 3), LAYER)[:, UNIT[0]].reshape(x.shape[:-1])


def example():
    """Run activation maximization and the search for the manifold on a network with three inputs."""
    directions = ARC / np.linalg.norm(ARC, axis=1, keepdims=True)
    weights = [GAIN * directions, STRENGTHS]
    biases = [np.full(len(ARC), -THRESHOLD), np.zeros(1)]
    network = Network([w.astype(np.float32) for w in weights], [b.astype(np.float32) for b in biases])
    maxima = maximize_activation(
        network,
        LAYER,
        UNIT,
        norm=NORM,
        restarts=9,
        learning_rate=0.05,
        threshold=1e-7,
        max_steps=5000,
        rng=generator(SEED, "activation maximization"),
    )
    optimum = maxima.best.astype(np.float64)
    optimum *= NORM / np.linalg.norm(optimum)
    traced = trace_manifold(
        network,
        LAYER,
        UNIT,
        optimum,
        norm=NORM,
        epsilons=np.linspace(0, EPSILON, 17),
        trials=1,
        perturbation=0.01,
        unwhitening=np.eye(3),
        learning_rate=0.05,
        threshold=1e-5,
        max_steps=1000,
        rng=generator(SEED, "manifold"),
        step="plain",
        shown=UNIT,
    )
    highest = traced.inputs[0, 0, -1].astype(np.float64)
    circle = _circle(optimum[0], highest)
    x = circle[round(START * (len(circle) - 1))][None]
    stepped = x + STEP * network.unit_gradient(x, LAYER, UNIT)[1]
    nearest = project(stepped, optimum, EPSILON)
    pair = np.concatenate([nearest, farthest(nearest, optimum, EPSILON)])
    order = np.argsort(-network.unit_activation(pair, LAYER, UNIT.repeat(2)))
    chosen, rejected = pair[order]
    return Example(network, optimum[0], traced.inputs[0, 0], circle, x[0], stepped[0], chosen, rejected)


def _circle(optimum, highest, points=361):
    """Return the feasible points around the optimum, from `highest` on, counter-clockwise to one who sees the optimum.

    They are projections of points around it, so that the circle drawn is that of the search.
    """
    centre = (1 - EPSILON**2 / 2) * optimum
    first = highest - centre
    second = np.cross(optimum / NORM, first)
    turn = np.linspace(0, 2 * np.pi, points)[:, None]
    around = centre + np.cos(turn) * first + np.sin(turn) * second
    return project(around, np.broadcast_to(optimum, around.shape), EPSILON)


@style()
def draw():
    """Draw both spheres, the circle where they meet, a gradient step, its two projections and the one chosen.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : dict of array
        ``epsilon``, ``norm`` and the points of the :class:`Example` by their names.
    """
    shown = example()
    sheet = Sheet(TEXT_WIDTH, HEIGHT)
    axes = sheet.axes(0, 0, TEXT_WIDTH, HEIGHT)
    left, top = -ORIGIN[0] / SCALE, ORIGIN[1] / SCALE
    extent = (left, left + TEXT_WIDTH / SCALE, top - HEIGHT / SCALE, top)
    axes.imshow(_spheres(shown, extent), extent=extent)
    axes.set_axis_off()
    _search(axes, shown)
    _names(axes, shown)
    numbers = {
        name: getattr(shown, name) for name in ("optimum", "manifold", "circle", "x", "stepped", "chosen", "rejected")
    }
    return sheet.figure, numbers | {"norm": NORM, "epsilon": EPSILON}


def _view():
    """Return what the viewer sees as right, as up and as towards himself: unit vectors, (3, 3)."""
    elevation, azimuth = np.radians([ELEVATION, AZIMUTH])
    towards = [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    return np.array([right, np.cross(towards, right), towards])


def _spheres(shown, extent):
    """Return a picture, (rows, columns, RGBA), of the sphere of norm ρ, coloured by the activation, and of the other.

    Each pixel is a ray to the viewer, who is far away: where it leaves a sphere is a square root. The second sphere is
    of glass, and is seen where it stands out of the first.
    """
    left, right, bottom, top = extent
    columns, rows = round(TEXT_WIDTH * PIXELS_PER_INCH), round(HEIGHT * PIXELS_PER_INCH)
    across, up = np.meshgrid(np.linspace(left, right, columns), np.linspace(top, bottom, rows))
    points, normals, hit = _seen(across, up, np.zeros(3), NORM)
    low, high = shown.activation(-shown.optimum[None]), shown.activation(shown.optimum[None])
    picture = COLOURS((shown.activation(points) - low) / (high - low))
    picture[..., :3] *= _light(normals)
    picture[~hit] = 1, 1, 1, 0

    glass, normals, on_glass = _seen(across, up, shown.optimum, EPSILON * NORM)
    before = on_glass & (~hit | ((glass - points) @ _view()[2] > 0))
    opacity = np.where(before, 0.62 - 0.5 * normals @ _view()[2], 0)[..., None]  # more of it is looked through at a rim
    picture[..., :3] = opacity * GLASS * _light(normals) + (1 - opacity) * picture[..., :3]
    picture[before, 3] = np.maximum(picture[before, 3], opacity[before, 0])
    return np.clip(picture, 0, 1)


def _seen(across, up, centre, radius):
    """Return the points of a sphere that are seen at places on paper, the normals there, and where it is seen."""
    view = _view()
    a, b = across - centre @ view[0], up - centre @ view[1]
    depth = radius**2 - a**2 - b**2
    offsets = np.stack([a, b, np.sqrt(np.maximum(depth, 0))], axis=-1) @ view
    return centre + offsets, offsets / radius, depth >= -0.01 * radius**2  # as far as under the line of the rim


def _light(normals):
    """Return how bright surfaces are that face `normals` (..., 3), lit from above the viewer's left shoulder."""
    lamp = np.array([-0.6, 0.8, 1.0]) @ _view()
    return 0.82 + 0.18 * (normals @ (lamp / np.linalg.norm(lamp)))[..., None]


def _on_paper(points):
    """Return where points (..., 3) are on paper, as (2, ...)."""
    return _view()[:2] @ np.asarray(points).T


def _search(axes, shown):
    """Draw the circle of feasible points, the manifold, and one step of the search."""
    turn = np.linspace(0, 2 * np.pi, 361)
    for centre, radius in ((np.zeros(3), NORM), (shown.optimum, EPSILON * NORM)):
        rim = centre + radius * np.column_stack([np.cos(turn), np.sin(turn)]) @ _view()[:2]
        within = (np.linalg.norm(rim, axis=1) < NORM) & (radius < NORM)
        axes.plot(*np.where(within, np.nan, _on_paper(rim)), color=INK, linewidth=0.8)
    behind = shown.circle @ _view()[2] < 0
    axes.plot(*np.where(behind, np.nan, _on_paper(shown.circle)), color=CIRCLE, linewidth=1.8)
    axes.plot(*np.where(behind, _on_paper(shown.circle), np.nan), color=CIRCLE, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.plot(*_on_paper(shown.manifold), color=PATH, linewidth=2.2)
    for end, colour in ((shown.chosen, INK), (shown.rejected, REJECTED)):
        axes.plot(*_on_paper([shown.stepped, end]), color=colour, linewidth=0.9, linestyle=(0, (4, 2)))
    arrow = {"arrowstyle": "-|>", "linewidth": 1.4, "color": INK, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
    axes.annotate("", _on_paper(shown.stepped), _on_paper(shown.x), arrowprops=arrow)
    for point, face, edge in (
        (shown.optimum, PATH, PATH),
        (shown.manifold[-1], "white", PATH),
        (shown.x, INK, INK),
        (shown.chosen, CIRCLE, INK),
        (shown.rejected, "white", REJECTED),
    ):
        axes.plot(*_on_paper(point), marker="o", markersize=5, markerfacecolor=face, markeredgecolor=edge)


def _names(axes, shown):
    """Write beside each thing what it is, with a line to it where there is no room at it."""
    line = {"arrowstyle": "-", "linewidth": 0.5, "color": INK, "shrinkA": 1, "shrinkB": 4}
    right, up, _ = _view()
    rims = {"small": shown.optimum + EPSILON * NORM * (0.8 * right + 0.6 * up), "large": -0.8 * right - 0.6 * up}
    left = shown.circle[np.argmin(shown.circle @ right)]
    for text, point, place, colour in (
        ("$x_{opt}$", shown.optimum, None, PATH),
        ("$x$", shown.x, (0.62, -1.02), INK),
        (r"$\Vert x - x_{opt}\Vert = \varepsilon\rho$", rims["small"], (1.4, 1.15), INK),
        (r"$x^*_\varepsilon$, highest on the circle", shown.manifold[-1], (1.4, 0.25), PATH),
        (r"gradient step, $x + \mu\,\partial h/\partial x$", shown.stepped, (1.4, -0.42), INK),
        ("nearest projection, of\nhigher activation: chosen", shown.chosen, (1.4, -0.85), INK),
        ("farthest projection", shown.rejected, (-1.35, 1.25), REJECTED),
        ("both constraints\nare met", left, (-1.35, 0.8), CIRCLE),
        ("$\\Vert x\\Vert = \\rho$, coloured by\nthe activation $h(x)$", rims["large"], (-1.4, -1.0), INK),
    ):
        if place is None:
            axes.annotate(text, _on_paper(point), (6, 6), textcoords="offset points", color=colour)
        else:
            axes.annotate(text, _on_paper(point), place, color=colour, va="center", arrowprops=line)
