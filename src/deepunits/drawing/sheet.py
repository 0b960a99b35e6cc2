"""The sheet of paper that a figure is drawn on, in one style, and the files it is saved to."""

import functools
import io
import textwrap

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from deepunits.storage import save_npz, write_bytes

TEXT_WIDTH = 6.5  # inches, of the paper's pages
MARGIN = 0.05
DPI = 300  # of the PNG
LINE = 0.2  # height of a line of text
NOTE_SIZE, NOTE_LINE, NOTE_LETTERS = 6.5, 0.14, 19  # points, inches, letters to an inch

STYLE = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so that every machine has it
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "deepunits",  # identifiers in an SVG are random without it
}

# Without dates and version numbers, so that the same numbers give the same bytes.
METADATA = {"pdf": {"CreationDate": None, "Producer": None, "Creator": None}, "svg": {"Date": None, "Creator": None}}

# Use as ``with style():`` or ``@style()``. Starts from Matplotlib's defaults, whatever the user's own settings.
style = functools.partial(matplotlib.style.context, ["default", STYLE])


class Sheet:
    """A figure on which things are placed in inches from its top left corner.

    Parameters
    ----------
    width, height : float
        Inches.
    note : str
        Set below everything else, in as many lines as it needs; the sheet grows by these.
    """

    def __init__(self, width, height, note=""):
        lines = textwrap.wrap(note, int(NOTE_LETTERS * width))
        self.width, self.height = width, height + NOTE_LINE * len(lines) + MARGIN * bool(lines)
        self.figure = Figure(figsize=(self.width, self.height))
        for number, line in enumerate(lines):
            self.text(line, width / 2, height + NOTE_LINE * (number + 0.6), fontsize=NOTE_SIZE, style="italic")

    def axes(self, left, top, width, height):
        """Return Matplotlib axes in a rectangle of the sheet."""
        bottom = self.height - top - height
        return self.figure.add_axes((left / self.width, bottom / self.height, width / self.width, height / self.height))

    def image(self, grey, left, top, width):
        """Place the image `grey` (rows, columns), or one with colours, in [0, 1]; return its height on the sheet."""
        height = width * grey.shape[0] / grey.shape[1]
        axes = self.axes(left, top, width, height)
        axes.set_axis_off()
        axes.imshow(grey, cmap="gray", vmin=0, vmax=1, aspect="auto", interpolation="none")
        return height

    def text(self, text, left, top, **properties):
        """Place `text`, centred at a point of the sheet unless its `properties` say otherwise."""
        centred = {"ha": "center", "va": "center"}
        self.figure.text(left / self.width, 1 - top / self.height, text, **{**centred, **properties})

    def side_text(self, text, left, top, height, **properties):
        """Place `text` upright beside something that reaches from `top` down over `height`."""
        self.text(text, left, top + height / 2, rotation=90, **properties)


@style()
def save(figure, arrays, *, pdf, png, svg, numbers):
    """Write a figure, and the numbers it shows, to four files that are the same byte for byte on every run.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    arrays : dict of array
        The numbers, for the ``.npz`` file.
    pdf, png, svg, numbers : path
    """
    save_npz(numbers, **arrays)
    for path, content in ((pdf, _vector(figure, "pdf")), (svg, _vector(figure, "svg")), (png, _raster(figure))):
        write_bytes(path, content)


def _vector(figure, kind):
    """Return the bytes of a PDF or SVG, in which images keep their pixels as they are."""
    return _render(figure, "none", format=kind, metadata=METADATA[kind])


def _raster(figure):
    """Return the bytes of a PNG, with one channel if the figure is grey: half the size."""
    # The pixels of an image do not fall on those of the PNG: Matplotlib repeats large ones and smooths small ones.
    raw = _render(figure, "antialiased", format="png", pil_kwargs={"compress_level": 0})
    image = Image.open(io.BytesIO(raw)).convert("RGB")
    red, green, blue = image.split()
    if red == green == blue:
        image = red
    content = io.BytesIO()
    image.save(content, "png", dpi=(DPI, DPI))  # to optimise it would take five times as long, for 2 % of the size
    return content.getvalue()


def _render(figure, interpolation, **options):
    for image in figure.findobj(AxesImage):
        image.set_interpolation(interpolation)
    content = io.BytesIO()
    figure.savefig(content, dpi=DPI, **options)
    return content.getvalue()
