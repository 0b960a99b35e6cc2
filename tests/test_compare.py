"""Two folders of results are the same, or the array that differs is named."""

import json

import numpy as np
import pytest

from deepunits.compare import main
from deepunits.storage import save_npz, write_json, write_text


@pytest.fixture
def runs(tmp_path):
    """Two folders with the same results, made at other times."""
    for name in ("first", "second"):
        folder = tmp_path / name
        metadata = np.array(json.dumps({"seed": 3, "versions": {"made": name}}))
        save_npz(folder / "models" / "layer1.npz", weights=np.arange(15.0).reshape(3, 5), metadata=metadata)
        rows = ["a,1.5,", "b,2.0,text"] if name == "first" else ["b,2,text", "a,1.50,"]
        write_text(folder / "claims.csv", "\n".join(["id,value,substitute", *rows]) + "\n")
        write_json(folder / "run.json", {"config": {"seed": 3}, "stages": {"all": name}})
        write_text(folder / "logs" / "a.log", name)
    return tmp_path / "first", tmp_path / "second"


def test_times_versions_and_the_order_of_claims_do_not_count(runs, capsys):
    assert main(map(str, runs)) == 0
    assert capsys.readouterr().out == "3 files with 6 arrays compared: no differences\n"


def test_an_array_that_differs_is_named(runs, capsys):
    weights = np.arange(15.0).reshape(3, 5)
    weights[2, 1] += 0.25
    metadata = np.array(json.dumps({"seed": 4}))
    save_npz(runs[1] / "models" / "layer1.npz", weights=weights, metadata=metadata, more=np.zeros(2))
    assert main(map(str, runs)) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"models/layer1.npz: more only in {runs[1]}",
        "models/layer1.npz: metadata.seed: 1 of 1 differ",
        "models/layer1.npz: weights: 1 of 15 differ, by 0.25 at most",
        "3 files with 6 arrays compared: 3 differences",
    ]
    assert main([*map(str, runs), "--ignore", "weights"]) == 1
    assert "weights" not in capsys.readouterr().out


def test_a_file_that_one_lacks_a_shape_and_a_cell_are_named(runs, capsys):
    (runs[0] / "run.json").unlink()
    save_npz(runs[0] / "models" / "layer1.npz", weights=np.zeros((5, 3)), metadata=np.array('{"seed": 3}'))
    write_text(runs[0] / "claims.csv", "id,value,substitute\na,1.5,text\nb,2.0,text\n")
    assert main(map(str, runs)) == 1
    found = capsys.readouterr().out
    assert f"run.json: only in {runs[1]}" in found
    assert "weights: float64 (5, 3) and float64 (3, 5)" in found and "substitute: 1 of 2 differ" in found


def test_a_folder_that_is_not_there_is_one_sentence(runs, capsys):
    with pytest.raises(SystemExit):
        main([str(runs[0]), "nowhere"])
    assert "nowhere is no folder; name the results of a run" in capsys.readouterr().err
