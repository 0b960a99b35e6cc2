"""An explorer of every unit: pages of numbers and sprites that a browser opens from a folder, without a server."""

import io
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

from deepunits.data.examples import as_float32, image_shape, load_provenance, substitute
from deepunits.drawing.tiles import as_images, intensity_grey, montage, symmetric_grey
from deepunits.gabor import fit_gabors
from deepunits.invariance.measures import area, normalized
from deepunits.models.network import dead_units
from deepunits.models.trained import load_network
from deepunits.storage import load_npz, write_bytes, write_text
from deepunits.visualize.activation_maximization import best_solutions
from deepunits.visualize.starts import cosine_among_starts
from deepunits.visualize.strongest import strongest_examples

COLUMNS = 25  # tiles across a sprite of one tile a unit
EXAMPLES = 9  # strongest examples of a unit
SAMPLES = 8  # of a unit, beside their mean
SEARCHED = 3_000  # test examples among which the strongest are sought, to bound the time
CHANGING = 2000  # of these, those over which a unit that hardly changes is dead: those of the table of units
GREYS = 31  # odd, so that zero is one of them; few, so that a run stays under 30 MB
LEVEL = 4  # of the compression of PNG, of 9; the usual 6 takes twice the time
FITTED = 256  # pixels of the largest images that Gabor functions are fitted to, which takes longer than all else
OUTPUT = "output"  # the layer of the output units of a classifier
WIDTH = (0.5,)  # of the one start of these fits; of a hundred units two or three are fitted better from more
DIGITS = 4  # of the numbers written
CATALOGUE = '"CATALOGUE"'  # in the template, where the page has what there is to choose from


def write_explorer(folder, models, *, examples, provenances, network, **tools) -> None:
    """Write the whole explorer: its page, and a folder for each model.

    Parameters
    ----------
    folder : path
        Gets ``index.html`` and the folders ``<dataset>/<model>``.
    models : dict of dict of list
        For each dataset its models, and of these what layers they have, by their numbers and ``output``.
    examples, provenances : list of path
        Of the datasets, in their order.
    network, **tools : list of path
        Those of all models together; where a file lies says whose it is: ``<dataset>/<model>/<file>`` or
        ``<dataset>/<model>/<layer>/<file>``.

    Raises
    ------
    UserError
        If a file cannot be read or written.
    """
    provenances = dict(zip(models, provenances, strict=True))
    for (dataset, of_dataset), images in zip(models.items(), examples, strict=True):
        shown = _Examples(images, provenances[dataset])
        for model in of_dataset:
            files = {
                name: [p for p in paths if Path(p).parts[-4:-2] == (dataset, model)] for name, paths in tools.items()
            }
            networks = [path for path in network if Path(path).parts[-3:-1] == (dataset, model)]
            write_model(Path(folder, dataset, model), networks, examples=shown, **files)
    write_text(Path(folder, "index.html"), page(models, provenances))


def write_model(folder, network, maxima, invariance, examples, provenance=None, **tools) -> None:
    """Write what the explorer shows of a model: of each layer its numbers and its images.

    Parameters
    ----------
    folder : path
        Gets ``<layer>.js`` and ``<layer>_<what>.png`` of each layer, and ``examples.png``.
    network : list of path
        As :func:`deepunits.models.trained.load_network` takes them. A ``classifier.npz`` among them has the
        output units.
    maxima, invariance : list of path
        ``<layer>/activation_maximization.npz`` and ``<layer>/invariance.npz``, where a layer is ``layer<k>`` or
        ``output``. A layer that has the former only shows the units that were maximised.
    examples, provenance : path
        Of the dataset. Its images have the ``shape`` of the record, or are square. Where they have no labels, and are
        small, square and grey, it is measured how much each unit is like a Gabor function.
    **tools : list of path
        ``<layer>/<tool>.npz`` of the layers that have them: combination, sampling, transformations, most_invariant.

    Raises
    ------
    UserError
        If a file cannot be read or written.
    """
    shown = examples if isinstance(examples, _Examples) else _Examples(examples, provenance)
    images, labels = shown.images, shown.labels
    sprites = _Sprites(Path(folder), shown.shape)
    layers, tools = _by_layer(maxima), {"invariance": invariance} | tools
    by_layer = {name: _by_layer(paths) for name, paths in tools.items()}
    networks = _networks(network)
    found = {}
    for layer, path in layers.items():
        others = {name: load_npz(paths[layer]) for name, paths in by_layer.items() if layer in paths}
        found[layer], optima = _layer(sprites, layer, load_npz(path), **others)
        if labels is None and len(set(sprites.shape)) == 1 and len(optima[0]) <= FITTED:
            found[layer]["gabors"] = _likeness_to_gabors(optima)
        whole = networks[layer == OUTPUT]
        number = whole.depth if layer == OUTPUT else int(layer.removeprefix("layer"))
        strongest = strongest_examples(whole, number, found[layer]["units"], images, min(EXAMPLES, len(images)))
        found[layer]["examples"] = strongest
        if layer != OUTPUT:
            found[layer]["dead"] = np.flatnonzero(dead_units(whole, number, images[:CHANGING]))
    pool = np.unique(np.concatenate([page["examples"].ravel() for page in found.values()]))
    sprites.save("examples.png", images[pool], COLUMNS, images.min() >= 0 and images.max() <= 1)
    for layer, page in found.items():
        if labels is not None:
            page["classes"] = layer == OUTPUT and set(labels) == set(range(len(page["units"])))
            page["labels"] = labels[page["examples"]]
        page["searched"] = len(images)
        page["examples"] = np.searchsorted(pool, page["examples"])
        write_text(Path(folder, f"{layer}.js"), f"receive({_json(page)});\n")


def page(models, provenances) -> str:
    """Return the page of the explorer, HTML that needs nothing else than the folders beside it.

    Parameters
    ----------
    models : dict of dict of list
        For each dataset its models, and of these the numbers of their layers, and ``output``; the folder of each is
        ``<dataset>/<model>``.
    provenances : dict of path
        The ``provenance.json`` of each dataset.

    Raises
    ------
    UserError
        If a record cannot be read.
    """
    records = {dataset: load_provenance(path) for dataset, path in provenances.items()}
    catalogue = [
        {
            "name": dataset,
            "source": records[dataset]["source"],
            "substitute": bool(substitute(records[dataset])),
            "classes": records[dataset].get("classes") or [],
            "models": [{"name": name, "layers": list(layers)} for name, layers in of_dataset.items()],
        }
        for dataset, of_dataset in models.items()
    ]
    template = files("deepunits.drawing").joinpath("explorer.html").read_text(encoding="utf-8")
    return template.replace(CATALOGUE, _json(catalogue).replace("<", "\\u003c"))


class _Examples:
    """The test examples of a dataset: `images` (n, P), `labels` (n,) or None, and the `shape` of an image."""

    def __init__(self, examples, provenance):
        arrays = load_npz(examples)
        self.images = as_float32(arrays["test_images"][:SEARCHED])
        self.labels = arrays["test_labels"][:SEARCHED].astype(int) if "test_labels" in arrays else None
        self.shape = image_shape(provenance, self.images)


def _networks(paths):
    """Return the network of the hidden layers and that with the output units, or None where there is none."""
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    classifiers = [path for path in paths if Path(path).name == "classifier.npz"]
    hidden = [path for path in paths if path not in classifiers]
    described = hidden and Path(hidden[0]).suffix == ".json"
    whole = load_network(hidden[0] if described else hidden) if hidden else None
    return whole, load_network(classifiers[0]) if classifiers else None


class _Sprites:
    """Writes many small images as one PNG, without gaps, in few greys."""

    def __init__(self, folder, shape):
        self.folder, self.shape = folder, shape

    def save(self, name, pixels, columns, intensities=False):
        """Write `pixels` (n, P), row after row: intensities in [0, 1], or else each on its own scale around zero."""
        images = as_images(pixels, self.shape)
        grey = intensity_grey(images) if intensities else symmetric_grey(images, tuple(range(1, images.ndim)))
        steps = np.rint(montage(grey, columns, gap=0) * (GREYS - 1)).astype(np.uint8)
        levels = np.rint(np.linspace(0, 255, GREYS)).astype(np.uint8)
        file = io.BytesIO()
        if steps.ndim == 2 or steps.shape[2] == 1:
            image = Image.fromarray(steps.reshape(steps.shape[:2]))
            image.putpalette(np.repeat(levels, 3).tobytes())
            image.save(file, "PNG", compress_level=LEVEL)
        else:
            Image.fromarray(levels[steps]).save(file, "PNG", compress_level=LEVEL)
        write_bytes(self.folder / name, file.getvalue())


def _by_layer(paths):
    """Return `paths` by the name of the folder they are in: ``layer<k>`` or ``output``."""
    return {Path(path).parent.name: path for path in paths}


def _layer(
    sprites, layer, maxima, invariance=None, combination=None, sampling=None, transformations=None, most_invariant=None
):
    """Write the sprites of a layer; return its numbers and the optima (U, P) of its units."""
    found = {"units": maxima["units"], "shape": sprites.shape, "columns": COLUMNS}
    found |= {"maximized": _maximized(sprites, layer, maxima, most_invariant)}
    if invariance is None:
        optima = best_solutions(maxima["inputs"], maxima["activations"])
        found["activations"] = maxima["activations"].max(axis=1)
    else:
        optima = invariance["optimum"]
        found |= _traced(sprites, layer, invariance, most_invariant)
    sprites.save(f"{layer}_units.png", optima, COLUMNS)
    if combination is not None:
        sprites.save(f"{layer}_combinations.png", combination["filters"], COLUMNS)
        found["combined"] = {"units": combination["units"], "kept": combination["kept"]}
    if sampling is not None:
        found["sampled"] = _sampled(sprites, layer, sampling)
    if transformations is not None:
        kinds = [kind.replace("_", " ") for kind in transformations["kinds"].tolist()]
        found["transformed"] = {"units": transformations["units"], "kinds": kinds, "scores": transformations["scores"]}
    return found, optima


def _likeness_to_gabors(optima):
    """Return R² of the Gabor function fitted to each of the `optima` (U, P), shape (U,); NaN for a constant one."""
    found, varied = np.full(len(optima), np.nan), np.ptp(optima, axis=1) > 0
    if varied.any():
        found[varied] = fit_gabors(optima[varied], WIDTH).r_squared
    return found


def _maximized(sprites, layer, maxima, most_invariant):
    """Write the solutions of all starts, a row a unit; return their numbers, those of the first units first."""
    parts, names = [(maxima, slice(None))], ("units", "inputs", "activations", "steps", "converged")
    if most_invariant is not None:
        parts.append((most_invariant, ~np.isin(most_invariant["units"], maxima["units"])))
    numbers = {name: np.concatenate([stored[name][rows] for stored, rows in parts]) for name in names}
    inputs = numbers.pop("inputs")
    sprites.save(f"{layer}_solutions.png", inputs.reshape(-1, inputs.shape[2]), inputs.shape[1])
    numbers["first"] = len(maxima["units"])
    return numbers | ({"cosines": cosine_among_starts(inputs)} if inputs.shape[1] > 1 else {})


def _traced(sprites, layer, invariance, most_invariant):
    """Write the frames of the units that have them, a row a unit; return the curves of all."""
    highest, epsilons = invariance["activations"].max(axis=1), invariance["epsilons"]
    live = highest[:, 0] > highest[:, -1]
    curves = np.full(highest.shape, np.nan)
    curves[live] = normalized(highest[live], epsilons)
    shown, frames = invariance["shown_units"], invariance["inputs"][:, 0]
    if most_invariant is not None:
        new = ~np.isin(most_invariant["shown_units"], shown)
        shown = np.concatenate([shown, most_invariant["shown_units"][new]])
        frames = np.concatenate([frames, most_invariant["frames"][new]])
    if len(frames):
        sprites.save(f"{layer}_manifolds.png", frames.reshape(-1, frames.shape[2]), len(epsilons))
    return {
        "units": invariance["units"],
        "activations": highest[:, 0],
        "epsilons": epsilons,
        "curves": curves,
        "areas": area(curves, epsilons),
        "reached": invariance["converged"].mean(axis=(1, 2)),
        "shown": shown,
    }


def _sampled(sprites, layer, sampling):
    """Write the mean and a few samples of each unit, a row a unit; return which they are."""
    samples = sampling["samples"]
    spread = np.linspace(0, samples.shape[1] - 1, min(SAMPLES, samples.shape[1])).round().astype(int)
    rows = np.concatenate([sampling["mean"][:, None], samples[:, spread]], axis=1)
    intensities = samples.min() >= 0 and samples.max() <= 1
    sprites.save(f"{layer}_samples.png", rows.reshape(-1, rows.shape[2]), rows.shape[1], intensities)
    return {"units": sampling["units"], "columns": rows.shape[1], "kept": samples.shape[1]}


def _json(value):
    """Return `value` as compact JSON; numbers that are none become null."""
    return json.dumps(_plain(value), separators=(",", ":"), allow_nan=False)


def _plain(value):
    """Return `value`, arrays turned to lists, with few digits."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            rounded = np.round(value.astype(np.float64), DIGITS)
            return (rounded if np.isfinite(value).all() else np.where(np.isfinite(value), rounded, None)).tolist()
        return value.tolist()
    if isinstance(value, float | np.floating):
        return round(float(value), DIGITS) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
