"""Patches of Olshausen and Field's whitened natural images (section 4.4), or of photographs whitened as they did.

Olshausen and Field, "Sparse coding with an overcomplete basis set: a strategy employed by V1?", Vision Research 1997.
"""

import hashlib
from importlib import metadata, resources

import numpy as np

from deepunits.data.matfiles import read_mat
from deepunits.data.releases import File, Release, Unavailable, substitute_record
from deepunits.errors import UserError
from deepunits.randomness import generator

PICTURES = (512, 512, 10)  # height, width, number
SIDE = 12  # of a patch
MARGIN = 4  # pixels along the edges of a picture, where the filter wraps round, that patches keep clear of
CUTOFF = 0.4  # f0 of the whitening filter, in cycles a pixel
VARIANCE = 0.1  # of a whitened picture

# Photographs with natural texture, or at least with edges in all directions, that come with scikit-image (released
# into the public domain) and with scikit-learn (china: CC BY 2.0, danielbuechele). Those with large blurred or empty
# areas, or with edges in two directions only, are left out.
PHOTOGRAPHS = (
    ("skimage.data", "grass.png"),
    ("skimage.data", "gravel.png"),
    ("skimage.data", "chelsea.png"),
    ("skimage.data", "camera.png"),
    ("skimage.data", "astronaut.png"),
    ("skimage.data", "coffee.png"),
    ("sklearn.datasets.images", "china.jpg"),
)


def prepare(sources, *, seed, patches, clip):
    """Return standardised patches of natural images, or of the substitute for them.

    Parameters
    ----------
    sources : deepunits.data.sources.Sources
    seed : int
        The places of the patches are drawn from it.
    patches : int
        Patches for training; a tenth as many are drawn for validation and for testing, each place once.
    clip : float
        Standard deviations from the mean that become -1/2 and 1/2 (see :func:`standardised`).

    Returns
    -------
    splits : dict
        ``train``, ``valid`` and ``test``: patches (n, 144), float32 in [-1/2, 1/2], and None for the labels.
    record : dict
        Where they came from.

    Raises
    ------
    UserError
        If no source has the images and substitutes are forbidden, if the user's file is damaged or another one, or if
        there are not so many patches.
    """
    try:
        pictures, record = original_pictures(sources.fetch(RELEASE))
    except Unavailable as reason:
        sources.allow_substitute(reason, "a set of other photographs, whitened in the same way,")
        pictures, record = whitened_photographs(reason)
    counts = {"train": patches, "valid": patches // 10, "test": patches // 10}
    drawn = draw_patches(pictures, sum(counts.values()), generator(seed, "natural_images", "patches"))
    train = drawn[:patches]
    scaled = standardised(drawn, float(train.mean(dtype=np.float64)), float(train.std(dtype=np.float64)), clip)
    ends = np.cumsum([*counts.values()])[:-1]
    return {split: (part, None) for split, part in zip(counts, np.split(scaled, ends), strict=True)}, record


def standardised(patches, mean, deviation, clip):
    """Return patches less `mean`, over `deviation`, clipped at ±`clip` and scaled so that these limits are ±1/2.

    One mean and one deviation for all pixels: whitened pictures look alike everywhere. The limits let a pixel, with 1/2
    added, be taken for a probability.

    Parameters
    ----------
    patches : array (n, pixels)
    mean, deviation : float
        Of all pixels of the training patches.
    clip : float
        In standard deviations.

    Returns
    -------
    array (n, pixels), float32
    """
    scaled = (patches - mean) / deviation
    return (np.clip(scaled, -clip, clip) / (2 * clip)).astype(np.float32)


def read_pictures(content):
    """Return the pictures in the bytes of ``IMAGES.mat``, shape (10, 512, 512), float32."""
    images = read_mat(content, {"IMAGES": PICTURES})["IMAGES"]
    return np.ascontiguousarray(images.transpose(2, 0, 1), dtype=np.float32)


# The same values are stored in more than one form, so the digest is theirs and not the file's.
RELEASE = Release(
    "natural_images",
    (
        File(
            "IMAGES.mat",
            "sha256:bdc7754847b8044cd06f08eaf361212acd6762329ae0cb1ee801e5d272c46885",
            digested=lambda content: read_pictures(content).astype("<f4", copy=False).tobytes(),
        ),
    ),
    mirrors=("https://www.rctn.org/bruno/sparsenet/{name}",),
)


def original_pictures(fetched):
    """Return Olshausen and Field's whitened pictures, and their record."""
    record = fetched.record(
        "natural_images",
        source="the ten whitened pictures of Olshausen and Field",
        version="IMAGES.mat of sparsenet",
        licence="none stated",
    )
    return read_pictures(fetched.contents["IMAGES.mat"]), record


def whitened_photographs(reason):
    """Return photographs that come with scikit-image and scikit-learn, whitened, and the record of this substitute.

    Each is given the variance 0.1 by itself, because they come from cameras of different contrast.
    """
    from skimage.color import rgb2gray  # here, as they take long to import and the pictures of the paper need none
    from skimage.io import imread
    from skimage.util import img_as_float

    pictures, files = [], {}
    for package, name in PHOTOGRAPHS:
        path = resources.files(package) / name
        if not path.is_file():
            raise UserError(f"the installed package {package.split('.')[0]} lacks {name}; install the locked version.")
        picture = img_as_float(imread(path))
        whitened = whiten(rgb2gray(picture) if picture.ndim == 3 else picture)
        pictures.append((whitened * np.sqrt(VARIANCE / whitened.var())).astype(np.float32))
        files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    versions = [f"{package} {metadata.version(package)}" for package in ("scikit-image", "scikit-learn")]
    record = substitute_record(
        "natural_images",
        source=f"{len(PHOTOGRAPHS)} photographs from scikit-image and scikit-learn, whitened as theirs were",
        obtained="the packages scikit-image and scikit-learn",
        version=", ".join(versions),
        licence="public domain; china.jpg by danielbuechele, CC BY 2.0",
        files=files,
        reason=reason,
    )
    return pictures, record


def whiten(picture, cutoff=CUTOFF):
    """Return a picture with its amplitude at frequency f multiplied by f exp(-(f / cutoff)⁴).

    The rising part flattens the 1/f spectrum of natural images, the falling part cuts off the corners of the frequency
    plane, where there is mostly noise (Olshausen and Field 1997).

    Parameters
    ----------
    picture : array (height, width)
    cutoff : float
        f0, in cycles a pixel.

    Returns
    -------
    array (height, width), float64
    """
    height, width = picture.shape
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    gain = frequency * np.exp(-((frequency / cutoff) ** 4))
    return np.fft.irfft2(gain * np.fft.rfft2(picture), s=picture.shape)


def draw_patches(pictures, count, rng, side=SIDE, margin=MARGIN):
    """Return patches from places drawn at random, no place twice.

    Parameters
    ----------
    pictures : sequence of array (height, width)
        Their sizes may differ.
    count : int
    rng : numpy.random.Generator
    side : int
    margin : int
        Pixels along the edges of each picture that patches keep clear of.

    Returns
    -------
    array (count, side²), of the pictures' type

    Raises
    ------
    UserError
        If the pictures have fewer than `count` places.
    """
    inner = [picture[margin : len(picture) - margin, margin : picture.shape[1] - margin] for picture in pictures]
    windows = [np.lib.stride_tricks.sliding_window_view(picture, (side, side)) for picture in inner]
    places = [window.shape[0] * window.shape[1] for window in windows]
    if count > sum(places):
        raise UserError(f"{count} patches are asked for where the pictures have {sum(places)}; ask for fewer.")
    drawn = rng.choice(sum(places), count, replace=False)
    patches = np.empty((count, side, side), pictures[0].dtype)
    starts = np.cumsum([0, *places])
    for window, start, end in zip(windows, starts[:-1], starts[1:], strict=True):
        here = (start <= drawn) & (drawn < end)
        patches[here] = window[np.unravel_index(drawn[here] - start, window.shape[:2])]
    return patches.reshape(count, -1)
