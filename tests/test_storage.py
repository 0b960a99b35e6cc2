"""Result files: same bytes from same arrays, whole or absent, and never with a NaN in them."""

import csv
import json
import pickle
import zipfile

import numpy as np
import pytest

from deepunits.errors import UserError
from deepunits.storage import load_npz, save_npz, write_json, write_rows, write_text


@pytest.fixture
def arrays():
    rng = np.random.default_rng(3)
    return {
        "weights": rng.standard_normal((5, 7)).astype(np.float32),
        "covariance": rng.standard_normal((3, 3)),
        "units": np.arange(11),
        "norm": np.float32(2.5),
        "metadata": np.array('{"seed": 7}'),
    }


def test_arrays_come_back_as_they_went(tmp_path, arrays):
    save_npz(tmp_path / "new" / "a.npz", **arrays)
    loaded = load_npz(tmp_path / "new" / "a.npz")
    assert list(loaded) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array, strict=True)


def test_same_arrays_give_same_bytes_at_any_time(tmp_path, arrays, monkeypatch):
    save_npz(tmp_path / "a.npz", **arrays)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    save_npz(tmp_path / "b.npz", **arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_and_the_earlier_file_stays(tmp_path, arrays, value):
    path = tmp_path / "a.npz"
    save_npz(path, **arrays)
    before = path.read_bytes()
    arrays["weights"][4, 6] = value
    with pytest.raises(UserError, match=r"a\.npz.*weights"):
        save_npz(path, **arrays)
    assert path.read_bytes() == before


def test_a_write_that_fails_midway_leaves_the_earlier_file_alone(tmp_path, arrays, monkeypatch):
    path = tmp_path / "a.npz"
    save_npz(path, **arrays)
    before = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(UserError, match=r"a\.npz cannot be written \(No space left"):
        save_npz(path, **arrays)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file/a.npz"):
        save_npz(tmp_path / "file" / "a.npz", units=np.arange(3))


def test_objects_are_refused(tmp_path):
    with pytest.raises(TypeError, match="things"):
        save_npz(tmp_path / "a.npz", things=np.array([{}, None]))
    assert not (tmp_path / "a.npz").exists()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"a\.npz cannot be read \(No such file"):
        load_npz(tmp_path / "a.npz")


def test_a_file_cut_short_anywhere_is_named(tmp_path, arrays):
    path = tmp_path / "a.npz"
    save_npz(path, **arrays)
    whole = path.read_bytes()
    for size in (0, 1, 5, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"a\.npz is damaged"):
            load_npz(path)


def test_an_altered_byte_is_noticed(tmp_path, arrays):
    path = tmp_path / "a.npz"
    save_npz(path, **arrays)
    altered = bytearray(path.read_bytes())
    start = altered.index(np.ascontiguousarray(arrays["covariance"]).tobytes())
    altered[start + 7] ^= 1
    path.write_bytes(altered)
    with pytest.raises(UserError, match=r"a\.npz is damaged"):
        load_npz(path)


def test_pickles_are_never_opened(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, things=np.array([{}, None]))
    with pytest.raises(UserError, match=r"a\.npz"):
        load_npz(path)
    path.write_bytes(pickle.dumps([1, 2, 3]))
    with pytest.raises(UserError, match=r"a\.npz"):
        load_npz(path)


def test_a_lone_npy_file_is_no_npz_file(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    with pytest.raises(UserError, match=r"a\.npy is damaged"):
        load_npz(tmp_path / "a.npy")


def test_text_and_json(tmp_path):
    write_text(tmp_path / "a.txt", "ρ ≈ 9\n")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "ρ ≈ 9\n"
    write_json(tmp_path / "a.json", {"b": [1, 2.5], "a": "é"})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": "é", "b": [1, 2.5]}
    with pytest.raises(ValueError):
        write_json(tmp_path / "b.json", {"a": float("nan")})


def test_rows_come_back_as_they_went(tmp_path):
    rows = [{"examples": 7, "rate": 0.1 + 0.2, "what": 'a "b", c'}, {"examples": 11, "rate": 1e-300, "what": "d"}]
    write_rows(tmp_path / "rows.csv", rows)
    with open(tmp_path / "rows.csv", newline="") as file:
        read = list(csv.DictReader(file))
    assert [{name: type(rows[0][name])(text) for name, text in row.items()} for row in read] == rows
