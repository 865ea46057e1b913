"""Contract of `thrombokit signalling llh PROBLEM.yaml [--json]`, and of `fit` and `profile`."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
BOEHM = "models/petab_benchmark/Boehm_JProteomeRes2014/Boehm_JProteomeRes2014.yaml"
SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">
<listOfCompartments><compartment id="c" size="1" constant="true"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" initialConcentration="2" hasOnlySubstanceUnits="false" boundaryCondition="false"
 constant="false"/></listOfSpecies>
<listOfParameters><parameter id="k" value="0.5" constant="true"/></listOfParameters>
<listOfRules><rateRule variable="A"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><cn>-1</cn><ci>k</ci><ci>A</ci></apply>
</math></rateRule></listOfRules></model></sbml>
"""


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    tables = {
        "conditions": "conditionId\nc0\n",
        "parameters": "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\nk\tlog10\t0.01\t10\t0.3\t1\n",
        "observables": "observableId\tobservableFormula\tnoiseFormula\ny\tA\t0.1\n",
        "measurements": "observableId\tsimulationConditionId\tmeasurement\ttime\n"
        + "".join(f"y\tc0\t{value}\t{time}\n" for time, value in ((1, 1.3), (2, 0.7), (4, 0.2), (6, 0.15))),
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.tsv").write_text(text)
    (tmp_path / "m.xml").write_text(SBML)
    (tmp_path / "p.yaml").write_text(
        "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- sbml_files: [m.xml]\n  condition_files: [conditions.tsv]\n"
        "  measurement_files: [measurements.tsv]\n  observable_files: [observables.tsv]\n"
    )
    return tmp_path / "p.yaml"


def test_the_log_likelihood(command: Command, reference_data: Path) -> None:
    done = command("signalling", "llh", reference_data / BOEHM, "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.petab_llh/1"
    assert document["llh"] == pytest.approx(-138.22200, abs=1e-3)
    assert float(command("signalling", "llh", reference_data / BOEHM).stdout) == pytest.approx(document["llh"], abs=1e-6)


def test_the_gradient_on_request(command: Command, problem: Path) -> None:
    """d llh / d log10 k of a decay, by hand: sum of (y - A) / sd^2 x dA/dk x k ln 10."""
    done = command("signalling", "llh", problem, "--gradient", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.petab_llh/1"
    measured = {1: 1.3, 2: 0.7, 4: 0.2, 6: 0.15}
    level = {t: 2.0 * math.exp(-0.3 * t) for t in measured}
    slope = sum((measured[t] - level[t]) / 0.01 * -t * level[t] for t in measured) * 0.3 * math.log(10.0)
    (row,) = document["gradient"]
    assert row["parameter"] == "k"
    assert row["gradient"] == pytest.approx(slope, rel=1e-4)
    assert row["error"] < 1e-3 * abs(slope)
    assert command("signalling", "llh", problem, "--gradient").stdout.splitlines()[1] == "parameter,gradient,error"


def test_what_is_not_supported_is_named_without_a_traceback(command: Command, problem: Path) -> None:
    problem.write_text(problem.read_text().replace("sbml_files: [m.xml]", "sbml_files: [m.xml, n.xml]\n  mapping_files: [map.tsv]"))
    done = command("signalling", "llh", problem, "--json")
    assert done.exit_code == 3
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.error/1"
    assert [fault["found"] for fault in document["faults"]] == ["mapping tables", "2 models: m.xml, n.xml"]
    assert "Several models in one problem are not supported" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_cannot_be_simulated_ends_with_4(command: Command, problem: Path) -> None:
    model = problem.parent / "m.xml"
    model.write_text(model.read_text().replace("<cn>-1</cn><ci>k</ci><ci>A</ci>", "<ci>A</ci><ci>A</ci>"))
    done = command("signalling", "llh", problem)
    assert done.exit_code == 4
    assert "measurements.tsv, row 2" in done.stderr


def test_a_fit_and_its_files(command: Command, problem: Path, tmp_path: Path) -> None:
    done = command("signalling", "fit", problem, "--starts", "3", "--seed", "4", "--out", tmp_path / "fit", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.signalling_fit/1"
    assert {"source", "seed", "log_likelihood", "outcome", "n_searches", "n_near_best", "parameters", "searches"} <= set(document)
    assert json.loads((tmp_path / "fit/fit.json").read_text()) == document
    (row,) = csv.DictReader((tmp_path / "fit/parameters.csv").read_text().splitlines())
    assert float(row["estimate"]) == document["parameters"][0]["estimate"] == pytest.approx(0.49, abs=0.03)
    assert len((tmp_path / "fit/searches.csv").read_text().splitlines()) == 4


def test_a_profile_and_its_files(command: Command, problem: Path, tmp_path: Path) -> None:
    out = tmp_path / "profile"
    done = command("signalling", "profile", problem, "--parameter", "k", "--starts", "2", "--out", out)
    assert done.exit_code == 0, done.stderr
    (row,) = csv.DictReader(done.stdout.splitlines())
    assert float(row["low"]) < float(row["estimate"]) < float(row["high"])
    assert (row["low_end"], row["high_end"]) == ("closed", "closed")
    assert sorted(path.name for path in out.iterdir()) == ["fit.json", "parameters.csv", "profiles.csv", "searches.csv"]
    assert json.loads((out / "fit.json").read_text())["schema"] == "thrombokit.signalling_profiles/1"
    wrong = command("signalling", "profile", problem, "--parameter", "kk", "--starts", "1", "--confidence", "0.1")
    assert wrong.exit_code == 3
    assert 'Did you mean "k"?' in wrong.stderr
    assert "0.5 to 0.999" in wrong.stderr
