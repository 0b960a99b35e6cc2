"""Images of the user's own: an array, IDX files, or a folder of pictures."""

import hashlib
import io
from functools import partial
from pathlib import Path

import numpy as np
import skimage.transform
from PIL import Image, ImageOps, UnidentifiedImageError

from deepunits.archives import Damaged, decoding, gunzip, read_npy
from deepunits.checks import check_finite
from deepunits.data.examples import SPLITS, as_float32
from deepunits.data.mnist import NAMES, parse_idx
from deepunits.errors import UserError
from deepunits.randomness import generator
from deepunits.storage import load_arrays

SHARES = (0.8, 0.9)  # where validation and test begin, if the files say nothing
FEWEST = 10  # images that can be split
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".pgm", ".ppm")
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM")  # whatever a file is called; PostScript would be run
LARGEST = 2**26  # pixels of a picture
DEEP = ("I;16", "I;16B", "I;16L", "I")  # modes of pictures of 16 bits
CHANNELS = {"grey": "L", "rgb": "RGB"}


def prepare(sources, *, seed, path, size=None, colour="grey"):
    """Return the user's images, split.

    Parameters
    ----------
    sources : deepunits.data.sources.Sources
        Not used: the images are at `path`.
    seed : int
        Where the files say no splits, 80, 10 and 10 % are drawn from it.
    path : path
        - ``.npz``: ``images`` and perhaps ``labels``, or ``train_images``, ``valid_images``, ``test_images`` with their
          ``_labels``; without ``valid_images`` a tenth of those for training are taken;
        - ``.npy``: an array of images;
        - a folder with the four IDX files of MNIST's names, gzipped or not, of any size;
        - any other folder: its pictures, of one class each subfolder, if there are any. What is hidden, its name
          beginning with a dot, is left out.

        An array is (n, rows, columns), (n, rows, columns, channels) with 1 or 3 channels, or (n, pixels). Whole
        numbers, of 1, 8 or 16 bits, become [0, 1]; other numbers stay as they are.
    size : (int, int), optional
        Rows and columns that the images are resized to. Pictures of several sizes need it.
    colour : {'grey', 'rgb'}
        What pictures are read as.

    Returns
    -------
    splits : dict
        ``train``, ``valid`` and ``test``: images (n, P), uint8 or float32, row by row, and labels (n,) from 0, or None.
    record : dict
        Where they came from, with their ``shape`` and the ``classes`` by label.

    Raises
    ------
    UserError
        If there is nothing at `path`, a file cannot be read, images and labels do not fit together, or an image holds
        NaN or infinity.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path} is not there; correct the path of the dataset.")
    parts, digests = _read(path, colour, size)
    parts = {name: (_numbers(path, images, size), labels) for name, (images, labels) in parts.items()}
    shapes = {images.shape[1:] for images, _ in parts.values()}
    if len(shapes) > 1:
        raise UserError(f"{path} has images of the shapes {', '.join(map(str, shapes))}; make them one, or set size.")
    [shape] = shapes
    parts, classes = _from_zero(path, parts)
    splits = _split(path, parts, seed)
    record = {
        "dataset": path.stem,
        "source": f"the user's own images, {path.name}",
        "obtained": "a path of the configuration",
        "version": None,
        "licence": "the user's",
        "files": digests,
        "substitute": False,
        "reason": None,
        "shape": list(shape),
        "classes": classes,
    }
    return {name: (images.reshape(len(images), -1), labels) for name, (images, labels) in splits.items()}, record


def _read(path, colour, size):
    """Return images and labels (or None) by the name of their split, or of all as ``images``, and the files' sha256."""
    if path.is_dir():
        found = {name: next((p for p in _idx_files(path, name) if p.is_file()), None) for name in NAMES}
        return _read_idx(found) if all(found.values()) else _read_folder(path, colour, size)
    if path.suffix not in (".npz", ".npy") or not path.is_file():
        raise UserError(f"{path} is neither a folder nor a .npz or .npy file; give one of these as path.")
    content = path.read_bytes()
    digests = {path.name: hashlib.sha256(content).hexdigest()}
    if path.suffix == ".npz":
        return _read_npz(path), digests
    try:
        return {"images": (read_npy(partial(io.BytesIO, content), len(content)), None)}, digests
    except Damaged as reason:
        raise UserError(f"{path} is damaged or no .npy file of numbers ({reason}); replace it.") from reason


def _read_npz(path):
    arrays = load_arrays(path, "replace it")
    names = ["images"] if "images" in arrays else [s for s in SPLITS if f"{s}_images" in arrays]
    if names not in (["images"], ["train"], ["train", "test"], list(SPLITS)):
        raise UserError(
            f"{path} has the arrays {', '.join(arrays) or 'none'}; it needs images, or train_images with test_images."
        )
    if names == ["images"]:
        return {"images": (arrays["images"], arrays.get("labels"))}
    return {name: (arrays[f"{name}_images"], arrays.get(f"{name}_labels")) for name in names}


def _idx_files(folder, name):
    """Yield where an IDX file may be; many downloads have a dot in its name."""
    for known in (name, name.replace("-idx", ".idx")):
        yield from (folder / known, folder / f"{known}.gz")


def _read_idx(found):
    parts, digests = {}, {}
    for name, path in found.items():
        content = path.read_bytes()
        try:
            plain = gunzip(content)
        except Damaged as reason:
            raise UserError(f"{path} is cut short or damaged ({reason}); replace it.") from reason
        digests[path.name] = hashlib.sha256(content).hexdigest()
        parts[name] = parse_idx(plain, str(path), dimensions=3 if "images" in name else 1)
    train_images, train_labels, test_images, test_labels = parts.values()
    return {"train": (train_images, train_labels), "test": (test_images, test_labels)}, digests


def _read_folder(folder, colour, size):
    """Read the pictures of a folder; those in a subfolder are of one class, called as it is."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
    paths = [p for p in paths if not any(part.startswith(".") for part in p.relative_to(folder).parts)]
    if not paths:
        raise UserError(f"{folder} holds neither pictures nor the IDX files of MNIST; correct the path.")
    images = [_resized(_read_picture(path, colour), size) for path in paths]
    shapes = {image.shape: path for image, path in zip(images, paths, strict=True)}
    if len(shapes) > 1:
        (one, first), (other, second) = list(shapes.items())[:2]
        raise UserError(
            f"{first} has {one[0]} x {one[1]} pixels and {second} {other[0]} x {other[1]}; set size, so that all "
            "are resized to it."
        )
    if len({image.dtype for image in images}) > 1:  # some have 16 bits, or were resized
        images = [as_float32(image) for image in images]
    labels = np.array([path.relative_to(folder).parts[0] if path.parent != folder else "" for path in paths])
    contents = hashlib.sha256()
    for path in paths:
        contents.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return {"images": (np.stack(images), labels)}, {folder.name: contents.hexdigest()}


def _read_picture(path, colour):
    """Return the picture at `path` upright, (rows, columns) or (rows, columns, 3): uint8, or float32.

    16 bits become [0, 1]; the numbers of a picture of floats stay as they are.
    """
    try:
        # From memory: of a file, Pillow makes room for as much as a damaged one claims.
        with decoding("picture"), Image.open(io.BytesIO(path.read_bytes()), formats=FORMATS) as opened:
            if opened.width * opened.height > LARGEST:
                raise Damaged(f"it has {opened.width} x {opened.height} pixels; make it smaller")
            picture = ImageOps.exif_transpose(opened)
            if picture.mode in DEEP or picture.mode == "F":
                grey = np.asarray(picture, dtype=np.float32) / np.float32(1 if picture.mode == "F" else 65535)
                return grey if colour == "grey" else np.repeat(grey[..., None], 3, axis=2)
            return np.asarray(picture.convert("RGB").convert(CHANNELS[colour]))
    except Damaged as reason:
        what = f"it is none of {', '.join(FORMATS)}" if isinstance(reason.__cause__, UnidentifiedImageError) else reason
        raise UserError(f"{path} is damaged or no picture that can be read ({what}); replace it.") from reason


def _resized(image, size):
    if size is None or image.shape[:2] == tuple(size):
        return image
    smaller = size[0] < image.shape[0] or size[1] < image.shape[1]
    resized = skimage.transform.resize(image, (*size, *image.shape[2:]), order=1, anti_aliasing=smaller)
    return resized.astype(np.float32)  # bytes have become [0, 1]


def _numbers(path, images, size):
    """Return images as bytes, or as float32: 16 bits scaled to [0, 1], other numbers as they are."""
    if images.dtype.kind not in "buif" or images.ndim not in (2, 3, 4) or not images.size:
        raise UserError(
            f"{path} holds images of shape {images.shape} and type {images.dtype}; give numbers as "
            "(n, rows, columns), with channels behind them if there are any."
        )
    if images.ndim == 4 and images.shape[3] not in (1, 3):
        raise UserError(
            f"{path} holds images of shape {images.shape}; give (n, rows, columns, channels), with 1 channel or 3."
        )
    if images.dtype.kind in "bui" and images.min() >= 0 and images.max() <= 1:
        images = images.astype(np.uint8) * np.uint8(255)  # black and white
    elif images.dtype == np.uint16:
        images = images.astype(np.float32) / np.float32(65535)
    elif images.dtype.kind in "bui" and images.dtype != np.uint8:
        if images.min() < 0 or images.max() > 255:
            raise UserError(f"{path} holds whole numbers from {images.min()} to {images.max()}; give 8 or 16 bits.")
        images = images.astype(np.uint8)
    elif images.dtype.kind == "f":
        wrong = ~np.isfinite(images.reshape(len(images), -1)).all(axis=1)
        if wrong.any():
            raise UserError(f"{path} holds NaN or infinity in {wrong.sum()} images, first in number {wrong.argmax()}.")
        images = images.astype(np.float32)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if size is None:
        return images
    if images.ndim == 2:
        raise UserError(f"{path} holds images as rows of pixels, which cannot be resized; give (n, rows, columns).")
    return np.stack([_resized(image, size) for image in images])


def _from_zero(path, parts):
    """Count labels from 0, in the order of the classes; images of one class have none."""
    labels = [found for _, found in parts.values() if found is not None]
    for name, (images, found) in parts.items():
        if found is not None and np.shape(found) != (len(images),):
            raise UserError(f"{path} has {len(images)} images and labels of shape {np.shape(found)} ({name}).")
        if found is not None and found.dtype.kind == "f":
            check_finite(f"the labels in {path}", found)
    if labels and len(labels) < len(parts):
        without = next(name for name, (_, found) in parts.items() if found is None)
        raise UserError(f"{path} has labels, but none of the {without} images; give them for all splits or for none.")
    classes = np.unique(np.concatenate(labels)) if labels else np.empty(0)
    if len(classes) < 2:
        return {name: (images, None) for name, (images, _) in parts.items()}, []
    numbered = {name: (images, np.searchsorted(classes, found)) for name, (images, found) in parts.items()}
    return numbered, [str(name) for name in classes]


def _split(path, parts, seed):
    """Return ``train``, ``valid`` and ``test``; what is not split is drawn from the seed."""
    rng = generator(seed, "images", "splits")
    if set(parts) == set(SPLITS):
        return parts
    shares = {"images": SHARES, "train": SHARES if "test" not in parts else SHARES[1:]}
    name = "images" if "images" in parts else "train"
    images, labels = parts[name]
    if len(images) < FEWEST:
        raise UserError(f"{path} has {len(images)} images to split; give at least {FEWEST}.")
    order = rng.permutation(len(images))
    rows = np.split(order, [round(share * len(images)) for share in shares[name]])
    drawn = [(images[part], None if labels is None else labels[part]) for part in rows]
    return dict(zip(SPLITS, [*drawn, *([parts["test"]] if "test" in parts else [])], strict=True))
