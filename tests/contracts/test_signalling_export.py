"""Contract of `thrombokit signalling export sbml|antimony|sbgn|petab [MODEL] --out PLACE`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thrombokit import load_network, simulate_model

Command = Callable[..., Any]
KHOLODENKO = "models/biomodels/BIOMD0000000010.xml"


@pytest.mark.parametrize(("form", "name"), [("sbml", "m.xml"), ("antimony", "m.ant")])
def test_the_built_in_model_comes_back_the_same(command: Command, tmp_path: Path, form: str, name: str) -> None:
    done = command("signalling", "export", form, "--out", tmp_path / "new" / name, "--json", "--quiet")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.export/1"
    assert (document["form"], document["model"], document["files"]) == (form, "tpor", [name])
    again = load_network(tmp_path / "new" / name)
    assert again.sbml == load_network().sbml, "the same bytes, sources in the notes and all"
    assert "doi:10.1126/science.1184913" in again.parameter_by_id["mpl_turnover"].notes


@pytest.mark.parametrize(("form", "name"), [("sbml", "k.sbml"), ("antimony", "k.txt")])
def test_any_model_means_the_same_in_the_other_form(
    command: Command, reference_data: Path, tmp_path: Path, form: str, name: str
) -> None:
    source = reference_data / KHOLODENKO
    done = command("signalling", "export", form, source, "--out", tmp_path / name)
    assert done.exit_code == 0, done.stderr
    runs = [
        simulate_model(load_network(path), end=1000.0, points=11, selections=["MAPK_PP", "MKK_P"]).values
        for path in (source, tmp_path / name)
    ]
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-6)


def test_a_map(command: Command, tmp_path: Path) -> None:
    done = command("signalling", "export", "sbgn", "--out", tmp_path / "m.sbgn")
    assert done.exit_code == 0
    assert "Process Description" in done.stderr
    text = (tmp_path / "m.sbgn").read_text(encoding="utf-8")
    assert text.startswith("<?xml")
    assert "rates are assumed" in text
    assert "calibrated on EPO-R or other cells" in text


def test_a_problem_says_that_its_data_are_synthetic(command: Command, tmp_path: Path) -> None:
    done = command("signalling", "export", "petab", "--out", tmp_path / "problem", "--seed", "3", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert "SYNTHETIC measurements" in document["message"]
    assert "SYNTHETIC" in done.stderr
    assert sorted(document["files"]) == sorted(path.name for path in (tmp_path / "problem").iterdir())
    llh = command("signalling", "llh", tmp_path / "problem" / document["files"][0], "--json")
    assert llh.exit_code == 0, llh.stderr
    assert np.isfinite(json.loads(llh.stdout)["llh"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("sbml", "--out", "m.svg"), ('"m.svg"', "ends in .xml or .sbml for sbml")),
        (("sbgn", "--out", "m.xml", "--seed", "1"), ("ends in .sbgn for sbgn", "--seed beside sbgn", "2 faults")),
        (("petab", "other.xml", "--out", "p.yaml"), ("a model of your own", '"p.yaml"', "a folder", "2 faults")),
        (("petab", "--out", "p", "--agonist", "rhTPO"), ("rhTPO, which does not act at His499",)),
        (("petab", "--out", "p", "--agonist", "hetrombopog"), ("hetrombopog",)),
        (("antimony", "nowhere.xml", "--out", "m.ant"), ("nowhere.xml", "No such file")),
    ],
)  # fmt: skip
def test_what_is_wrong_ends_with_3_and_is_named(command: Command, options: tuple[str, ...], words: tuple[str, ...]) -> None:
    done = command("signalling", "export", *options)
    assert done.exit_code == 3, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr


def test_a_place_that_cannot_be_written(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    done = command("signalling", "export", "sbml", "--out", tmp_path / "file" / "m.xml")
    assert done.exit_code == 3
    assert "a folder to write" in done.stderr
