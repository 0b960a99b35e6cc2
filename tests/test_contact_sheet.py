"""The contact sheet of infinite MNIST shows each digit beside its own deformations."""

import json

import numpy as np
from PIL import Image

from deepunits.data.infinite_mnist import InfiniteMNIST
from deepunits.drawing.sheet import save
from deepunits.paper.figures import contact_sheet
from deepunits.storage import save_npz

LABELS = np.array([3, 0, 3, 1, 0, 7, 1])


def test_each_row_is_one_digit_and_its_deformations(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (len(LABELS), 784), np.uint8)
    deformation = {"displacement": 1.5, "smoothness": 4.0, "fields": 5}
    stream = InfiniteMNIST(images, LABELS, seed=1, **deformation)
    examples, provenance = (tmp_path / "mnist" / name for name in ("examples.npz", "provenance.json"))
    splits = {"train": slice(0, 4), "valid": slice(4, None)}  # training sees both
    arrays = {f"{split}_images": images[rows] for split, rows in splits.items()}
    save_npz(examples, **arrays, **{f"{split}_labels": LABELS[rows] for split, rows in splits.items()})
    provenance.write_text(json.dumps({"substitute": True, "source": "noise"}))
    figure, numbers = contact_sheet.draw(examples, deformation, 1, provenance)
    np.testing.assert_array_equal(numbers["indices"][:, 0], [1, 3, 0, 5])
    for indices, row in zip(numbers["indices"], numbers["examples"], strict=True):
        assert len(np.unique(stream.labels(indices))) == 1
        assert len(np.unique(indices)) == len(indices)
        np.testing.assert_array_equal(row, stream.examples(indices))
        np.testing.assert_array_equal(np.rint(255 * row[0]), images[indices[0]])
    assert any("substitute" in text.get_text() for text in figure.texts)
    files = {kind: tmp_path / f"sheet.{kind}" for kind in ("pdf", "png", "svg", "numbers")}
    save(figure, numbers, **files)
    assert Image.open(files["png"]).width > 16 * 28
