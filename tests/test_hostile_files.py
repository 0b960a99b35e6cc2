"""Damaged and hostile files are refused in one sentence or read rightly: a few hundred of what `make torture` tries."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from corpus import ARRAYS, CHECKPOINT, CLASSIFIER, LAYER, MAXIMA, READERS, RECORD, STORED, npz
from hypothesis import given, settings
from hypothesis import strategies as st

from deepunits import archives
from deepunits.data import images
from deepunits.errors import UserError
from deepunits.layouts import LAYOUTS, layout_of
from deepunits.models import stack
from deepunits.models.network import Network
from deepunits.models.trained import check_fit, load_classifier, load_network
from deepunits.storage import filled, load_json, load_npz, save_npz
from deepunits.tables import read_table
from deepunits.visualize.activation_maximization import ActivationMaxima

ROOT = Path(__file__).parents[1]
HARNESS = Path(__file__).with_name("hostile.py")


def test_damaged_and_crafted_files_are_refused_or_read_rightly():
    """In a process of its own, whose memory and time are limited and whose acts are watched."""
    done = subprocess.run([sys.executable, HARNESS, "--inputs", "250"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"refused"' in done.stdout


@pytest.mark.parametrize("name", READERS)
def test_the_sound_file_is_read(name, tmp_path):
    """So that nothing is refused that ought not to be."""
    reader = READERS[name]
    for beside, content in reader.beside.items():
        (tmp_path / beside).write_bytes(content)
    content = reader.around(reader.whole)
    (tmp_path / reader.name).write_bytes(content)
    assert reader.right(reader.read(tmp_path / reader.name), content)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(READERS)),
    edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), max_size=5),
    kept=st.floats(0, 1),
)
def test_any_bytes_in_any_place_are_refused_or_read_rightly(name, edits, kept):
    """As the harness does, but Hypothesis looks for the smallest change that is neither."""
    reader = READERS[name]
    content = bytearray(reader.whole[: round(kept * len(reader.whole))])
    for where, piece in edits:
        at = int(where * len(content))
        content[at : at + len(piece)] = piece
    content = reader.around(bytes(content))
    with tempfile.TemporaryDirectory() as folder:
        for beside, sound in reader.beside.items():
            Path(folder, beside).write_bytes(sound)
        path = Path(folder, reader.name)
        path.write_bytes(content)
        try:
            found = reader.read(path)
        except UserError as refused:
            assert "\n" not in str(refused)
        else:
            assert reader.right(found, content)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "images.npy")
    with pytest.raises(UserError, match=r"images\.npy is neither a folder nor a \.npz or \.npy file"):
        images.prepare(None, seed=0, path=tmp_path / "images.npy")


@given(content=st.binary(max_size=200), packed=st.booleans())
def test_gzip_is_undone_and_all_else_left_alone(content, packed):
    import gzip

    if packed or not content.startswith(b"\x1f\x8b"):
        assert archives.gunzip(gzip.compress(content) if packed else content) == content


@given(
    shape=st.lists(st.integers(0, 4), max_size=3),
    kind=st.sampled_from(["?", "u1", "<i8", ">f4", "<f8", "<c8", "<U3", "S2"]),
    fortran=st.booleans(),
)
def test_any_plain_array_comes_back(shape, kind, fortran):
    import io

    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(kind)
    content = io.BytesIO()
    np.save(content, np.asfortranarray(array) if fortran and shape else array)
    found = archives.read_npy(lambda: io.BytesIO(content.getvalue()), len(content.getvalue()))
    np.testing.assert_array_equal(found, array, strict=True)


# --- Results edited by hand ---

FILES = {  # sound ones of each kind, and who reads them
    "statistics/mnist.npz": ({"mean_norm": 2.0, "mean": np.zeros(5), "covariance": np.eye(5)}, load_npz),
    "models/layer1.npz": (LAYER | {"metadata": RECORD}, stack.load_layer),
    "models/classifier.npz": (CLASSIFIER, load_classifier),
    "units/activation_maximization.npz": (MAXIMA, lambda path: filled(ActivationMaxima, load_npz(path))),
    "datasets/own/examples.npz": (STORED, load_npz),
    "checkpoint.npz": (
        CHECKPOINT,
        lambda path: stack._resume(path, "mine", {name: np.zeros_like(array) for name, array in LAYER.items()}),
    ),
}
EDITS = {
    "another shape": lambda array: np.zeros((*array.shape, 2), array.dtype),
    "NaN": lambda array: np.full(array.shape, np.nan, array.dtype if array.dtype.kind == "f" else float),
    "text": lambda array: np.full(array.shape, "x"),
    "no array": None,
}
EDITED = [
    (file, name, edit)
    for file, (arrays, _) in FILES.items()
    for name in arrays
    for edit in EDITS
    # What its reader does not ask for may be missing or say anything; a checkpoint of another identity is not used.
    if not (edit == "no array" and (file.startswith(("statistics", "datasets")) or name in ("errors", "test_error")))
    and not (name == "metadata" and "classifier" in file and edit in ("text", "no array"))
    and not (name == "identity" and edit != "no array")
]


@pytest.mark.parametrize(("file", "name", "edit"), EDITED)
def test_an_edited_array_is_named_with_its_file(tmp_path, file, name, edit):
    arrays, read = FILES[file]
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {key: np.asarray(array) for key, array in arrays.items()}
    path.write_bytes(npz(**whole))
    read(path)
    edited = {key: array for key, array in whole.items() if key != name or EDITS[edit]}
    if EDITS[edit]:
        edited[name] = EDITS[edit](whole[name])
    path.write_bytes(npz(**edited))
    with pytest.raises(UserError) as refused:
        read(path)
    sentence = str(refused.value)
    assert str(path) in sentence and "delete it and run again" in sentence and "\n" not in sentence
    assert re.search(rf"\b{name}\b|weights|layer|identity", sentence)


@pytest.mark.parametrize("end", LAYOUTS)
def test_every_axis_is_one_length_throughout_a_file(tmp_path, end):
    """Each axis of each array is made one longer in its turn."""
    name = end.replace(r"\d+", "1").replace(r"\w+", "own").replace("\\", "")
    lengths = {}
    sound = {}
    for array, axes in layout_of(name).items():
        shape = [lengths.setdefault(axis, 2 + len(lengths)) for axis in axes.split()]
        sound[array] = np.full(shape, "{}") if array == "metadata" else np.ones(shape, int)
    path = tmp_path / name
    save_npz(path, **sound)
    assert set(load_npz(path)) == set(sound)
    shared = [axis for axis in lengths if sum(axis in axes.split() for axes in layout_of(name).values()) > 1]
    for array, axes in layout_of(name).items():
        for position, axis in enumerate(axes.split()):
            if axis in shared:
                longer = np.concatenate([sound[array], np.take(sound[array], [0], position)], position)
                save_npz(path, **sound | {array: longer})
                with pytest.raises(UserError, match=rf"{path.name} holds \d+ {axis} in its array \w+ and \d+ in \w+"):
                    load_npz(path)


def stacked(tmp_path, number, hidden, visible, **about):
    record = {"stage": ("mnist", "dbn", f"layer{number}"), "seed": 1} | about
    settings = {"units": hidden, "examples": 100, "examples_sha256": record.pop("examples_sha256", "a")}
    layer = stack.RBM(np.ones((hidden, visible), np.float32), np.zeros(hidden), np.zeros(visible))
    path = tmp_path / f"layer{number}.npz"
    stack.save_layer(path, layer, stack.metadata("dbn", settings, xp=np, versions={}, **record))
    return path


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"visible": 6}, "has weights for 6 units below, where .*layer1.npz has 5"),
        ({"stage": ("mnist", "sdae", "layer2")}, "is of another run: its metadata has another model than .*layer1.npz"),
        ({"seed": 2}, "is of another run: its metadata has another seed than"),
        ({"examples_sha256": "b"}, "is of another run: its metadata has another examples than"),
    ],
)
def test_a_layer_of_another_run_is_refused(tmp_path, about, sentence):
    below = stacked(tmp_path, 1, 5, 7)
    above = stacked(tmp_path, 2, 4, about.pop("visible", 5), **about)
    with pytest.raises(UserError, match=rf"layer2.npz {sentence}.*; delete it and run again"):
        load_network([below, above])
    assert load_network([below, stacked(tmp_path, 2, 4, 5)]).depth == 2


def test_layers_of_other_examples_are_not_built_upon(tmp_path):
    path = stacked(tmp_path, 1, 5, 7)
    assert len(stack.load_layers([path], examples="a")) == 1
    with pytest.raises(UserError, match="layer1.npz is of another run: its metadata has another examples than the dat"):
        stack.load_layers([path], examples="b")


def test_results_of_another_network_are_refused(tmp_path):
    network = Network([np.ones((3, 35)), np.ones((4, 3))], [np.zeros(3), np.zeros(4)])
    path = tmp_path / "activation_maximization.npz"
    save_npz(path, **MAXIMA)
    check_fit(network, 2, load_npz(path))
    with pytest.raises(
        UserError, match=r"maximization.npz has units 0 to 3 in its array units, where layer 1 has 0 to"
    ):
        check_fit(network, 1, load_npz(path))
    other = Network([np.ones((4, 36))], [np.zeros(4)])
    with pytest.raises(UserError, match=r"npz is about images of 35 pixels and the network takes 36: they are of diff"):
        check_fit(other, 1, load_npz(path))


def test_what_is_asked_for_and_not_there_is_named(tmp_path):
    save_npz(tmp_path / "a.npz", **ARRAYS)
    with pytest.raises(UserError, match=r"a\.npz holds no array biases; delete it and run again"):
        load_npz(tmp_path / "a.npz")["biases"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("[1]", "holds a list where a dict"), ("[" * 100_000, "goes too deep"), ("{", "Expecting"), (b"\xff", "codec")],
)
def test_a_record_that_is_none_is_named(tmp_path, content, complaint):
    path = tmp_path / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=rf"a\.json cannot be read \(.*{complaint}"):
        load_json(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'"a,b\n1,2\n', b"a,b\n1,2,3,4\n1\n\n1,2,3,4,5,6\n"])
def test_a_table_that_is_none_is_named(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.csv (is damaged or no \.csv file|holds no column value)"):
        read_table(tmp_path / "a.csv", ["value"])


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"a\.csv cannot be read \(No such file"):
        read_table(tmp_path / "a.csv")
