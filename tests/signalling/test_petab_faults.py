"""What is wrong with a PEtab problem is told in one pass, with file, row, column and cure; what is not supported is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thrombokit.errors import FileFormatError, InputError, MissingExtraError
from thrombokit.io import petab_yaml
from thrombokit.io.petab import read_petab
from thrombokit.signalling.calibrate import fit_petab

Petab = Callable[..., Path]
GOOD: dict[str, Any] = {
    "parameters": [{"parameterId": "k", "nominalValue": 0.5}],
    "observables": [{"observableId": "y", "observableFormula": "A"}],
    "measurements": [{"observableId": "y", "time": 1}],
}  # fmt: skip


def faults_of(path: Path) -> list[str]:
    with pytest.raises(FileFormatError) as caught:
        read_petab(path)
    return [str(fault) for fault in caught.value.faults]


def test_every_table_is_checked_in_one_pass(petab: Petab) -> None:
    path = petab(
        parameters=[
            {"parameterId": "k", "nominalValue": "fast"}, {"parameterId": "k", "nominalValue": 1},
            {"parameterId": "A0", "nominalValue": "inf", "estimate": "yes", "parameterScale": "log2"},
        ],
        observables=[{"observableId": "y", "observableFormula": "A +"}, {"observableId": "z", "observableFormula": "observableParameter1_y"},
                     {"observableId": "w", "observableFormula": "noiseParameter1_w", "noiseDistribution": "cauchy"}],
        measurements=[
            {"observableId": "v", "time": 1}, {"observableId": "y", "time": -1, "simulationConditionId": "c9"},
            {"observableId": "y", "time": "soon", "measurement": ""}, {"observableId": "y", "time": 1, "noiseParameters": "0.3;k"},
        ],
    )  # fmt: skip
    said = "\n".join(faults_of(path))
    for words in (
        'parameters.tsv, row 2, column nominalValue: found "fast"; expected a number on linear scale',
        'parameters.tsv, row 3, column parameterId: found "k" again, first in parameters.tsv, row 2',
        "parameters.tsv, row 4, column nominalValue: found inf; expected a finite number",
        'parameters.tsv, row 4, column estimate: found "yes"; expected 0 or 1',
        'parameters.tsv, row 4, column parameterScale: found "log2"; expected one of lin, log, log10',
        "observables.tsv, row 2, column observableFormula: found the end of the formula",
        'observables.tsv, row 3, column observableFormula: found "observableParameter1_y"; expected "observableParameter1_z"',
        'observables.tsv, row 4, column noiseDistribution: found "cauchy"; expected one of normal, laplace',
        'observables.tsv, row 4, column observableFormula: found "noiseParameter1_w"; expected placeholders observableParameter alone',
        'measurements.tsv, row 2, column observableId: found "v"; expected an id of the observable table',
        'measurements.tsv, row 3, column simulationConditionId: found "c9"; expected an id of the condition table. Add it to its table',
        "measurements.tsv, row 3, column time: found -1; expected a time from 0 on",
        'measurements.tsv, row 4, column time: found "soon"',
        "measurements.tsv, row 4, column measurement: found an empty cell; expected a finite number",
        "measurements.tsv, row 5, column noiseParameters: found 2 entries; expected none",
    ):
        assert words in said


def test_names_that_stand_for_nothing(petab: Petab) -> None:
    path = petab(
        model="compartment c=1; species A in c; A = 1; J: A -> ; k*A; k = 1; B := 2*A",
        parameters=[{"parameterId": "k", "nominalValue": 1}, {"parameterId": "B", "nominalValue": 1}, {"parameterId": "A", "nominalValue": 1},
                    {"parameterId": "idle", "nominalValue": 1}],
        conditions=[{"conditionId": "c0", "B": 1, "kk": 1, "k": "missing"}],
        observables=[{"observableId": "y", "observableFormula": "observableParameter1_y*A + scal", "noiseFormula": "noiseParameter1_y"}],
        measurements=[{"observableId": "y", "time": 1, "observableParameters": "scale", "noiseParameters": "k"}],
    )  # fmt: skip
    said = "\n".join(faults_of(path))
    for words in (
        "parameters.tsv, row 3, column parameterId: found B, whose value a rule of the model gives",
        "parameters.tsv, row 4, column parameterId: found A, a species of the model; expected a parameter",
        'parameters.tsv, row 5, column parameterId: found "idle", which nothing uses',
        "conditions.tsv, row 2, column B: found B, whose value a rule of the model gives",
        'conditions.tsv, row 2, column kk: found "kk"; expected a parameter, species or compartment of the model. Did you mean "k"?',
        'conditions.tsv, row 2, column k: found "missing"; expected a number or an id of the parameter table',
        'observables.tsv, row 2, column observableFormula: found "scal", given by no table',
        'measurements.tsv, row 2, column observableParameters: found "scale"; expected a number or an id of the parameter table',
    ):
        assert words in said


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("format_version: 2.0.0", "format_version: found version 2.0.0; expected version 1. PEtab 2 is not supported"),
        ("- 1", "found YAML without keys; expected the YAML file of a PEtab problem"),
        ("a: [", "found text that is no YAML"),
        ("", ""),
        ("format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- {sbml_files: [a.xml, b.xml], condition_files: [c.tsv], "
         "measurement_files: [m.tsv], observable_files: [o.tsv], mapping_files: [map.tsv]}",
         "sbml_files: found 2 models: a.xml, b.xml; expected one model|mapping_files: found mapping tables; expected"),
        ("format_version: 1\nparameter_file: parameters.tsv\nproblems: [{sbml_files: a.xml}, {}]", "found 2 entries; expected one entry"),
        ("format_version: 1\nparameter_file: 3\nextensions: {select: 1}\nproblems:\n- {sbml_file: a.xml}",
         'extensions: found select|parameter_file: found 3|Did you mean "sbml_files"?|condition_files: found nothing'),
    ],
)  # fmt: skip
def test_problems_of_another_kind_are_refused_by_name(petab: Petab, yaml: str, words: str) -> None:
    path = petab(**GOOD, yaml=yaml)
    if not yaml:
        read_petab(path)
        return
    said = "\n".join(faults_of(path))
    for part in words.split("|"):
        assert part in said


def test_files_that_are_not_there(petab: Petab, tmp_path: Path) -> None:
    path = petab(**GOOD)
    (tmp_path / "observables.tsv").unlink()
    (tmp_path / "measurements.tsv").write_text("observableId\ttime\nA\t1\t3\n")
    said = "\n".join(faults_of(path))
    assert "observables.tsv: found No such file or directory" in said
    assert "measurements.tsv, row 1: found no column simulationConditionId" in said
    assert "measurements.tsv, row 2: found 3 cells; expected 2" in said
    with pytest.raises(FileFormatError, match=r"nowhere.yaml: found No such file"):
        read_petab(tmp_path / "nowhere.yaml")


def test_short_rows_nan_and_empty_rows_are_read(petab: Petab, tmp_path: Path) -> None:
    path = petab(**GOOD)
    header = "observableId\tsimulationConditionId\tmeasurement\ttime\tobservableParameters\tnoiseParameters\tdatasetId"
    (tmp_path / "measurements.tsv").write_text(
        f"\ufeff{header}\t\r\ny\tc0\t1\t2\r\n\t\t\r\ny\tc0\t1\t3\tNaN\tnan\tx\r\n", encoding="utf-8"
    )
    assert [(one.time, one.observable_parameters) for one in read_petab(path).measurements] == [(2.0, ()), (3.0, ())]


def test_measurements_on_a_logarithmic_scale_are_positive(petab: Petab) -> None:
    tables = {**GOOD, "observables": [{"observableId": "y", "observableFormula": "A", "observableTransformation": "log10"}]}
    tables["measurements"] = [{"observableId": "y", "time": 1, "measurement": 0}]
    assert "measurements.tsv, row 2, column measurement: found 0 on the scale log10" in faults_of(petab(**tables))[0]


def test_a_fit_asks_for_bounds_that_a_likelihood_does_not(petab: Petab) -> None:
    parameters = [
        {"parameterId": "k", "nominalValue": 0.5, "lowerBound": ""},
        {"parameterId": "A0", "nominalValue": 1, "lowerBound": 0, "parameterScale": "log10"},
        {"parameterId": "c", "nominalValue": 2, "lowerBound": 5, "upperBound": 5},
    ]
    problem = read_petab(petab(**{**GOOD, "parameters": parameters}))
    with pytest.raises(InputError) as caught:
        fit_petab(problem, starts=0)
    said = str(caught.value)
    assert "parameters.tsv, row 2, column lowerBound: found no finite number; expected a finite bound" in said
    assert "parameters.tsv, row 3, column lowerBound: found 0 on the scale log10" in said
    assert "parameters.tsv, row 4, column lowerBound: found 5, not below the upper bound 5" in said
    assert "starts: found 0" in said
    with pytest.raises(InputError, match="no parameter to estimate"):
        fit_petab(read_petab(petab(**{**GOOD, "parameters": [{"parameterId": "k", "nominalValue": 1, "estimate": 0}]})))


def test_without_the_extra(petab: Petab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(petab_yaml, "yaml", None)
    with pytest.raises(MissingExtraError, match=r'pip install "thrombokit\[signalling\]"'):
        read_petab(petab(**GOOD))
