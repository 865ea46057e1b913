"""`parameters` and `draws` of [patients]: read, run beside the arms, archived, on the page; and what is told of wrong ones."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from thrombokit.agonists.parameter_sets import load_parameter_set
from thrombokit.errors import InputError
from thrombokit.io.cohort_files import simulate_draws
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.stage import PatientsStage
from thrombokit.report.page import report_html
from thrombokit.report.patients import patients_parts, patients_sentences
from thrombokit.report.patients_tables import draws_page
from thrombokit.study import run_patients
from thrombokit.study.archive import read_results, write_results
from thrombokit.study.archive_patients import arms_table, patients_tables
from thrombokit.study.load import load_study
from thrombokit.study.result import StudyResult
from thrombokit.study.run import run_study
from thrombokit.study.saved_values import plain, tables_in

HEAD = """schema = 1
[study]
title = "Draws"
seed = 5

[[agonists]]
name = "hetrombopag"

[[agonists]]
name = "romiplostim"
"""
WHOLE = """
[patients]
patients = 24
weeks = 4
parameters = "calibrated"
draws = 8
"""
STOPPED = "hetrombopag-itp-absolute-stopped-day-14"


def written(folder: Path, section: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(HEAD + section, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    return run_study(load_study(written(tmp_path_factory.mktemp("draws") / "study", WHOLE)))


@pytest.fixture(scope="module")
def stage(result: StudyResult) -> PatientsStage:
    assert result.patients is not None
    return result.patients


def test_the_draws_of_an_arm_are_those_of_the_face(stage: PatientsStage) -> None:
    direct = simulate_draws("hetrombopag", cohort=Cohort(n=24), draws=8, seed=5, weeks=4)
    assert stage.draws.drop("arm").equals(direct.table())
    arm = stage.arms[0]
    assert (arm.draws, arm.parameter_sets) == (8, direct.sets)
    assert stage.draws["arm"].unique().to_list() == [arm.name]


def test_a_model_without_sets_runs_alone_and_says_so(stage: PatientsStage) -> None:
    assert [arm.draws for arm in stage.arms] == [8, 0]
    assert any("romiplostim runs with the values of its model file alone" in note for note in stage.notes)
    assert run_patients.WITH_DRAWS in stage.notes
    assert run_patients.ONE_SET not in stage.notes


def test_sets_and_hashes_stand_in_tables_sentences_and_page(result: StudyResult, stage: PatientsStage) -> None:
    words = f"{STOPPED} ({load_parameter_set(STOPPED).sha256[:12]})"
    assert words in arms_table(stage)["frozen_sets"][0]
    assert words in "\n".join(patients_sentences(stage))
    page = draws_page(stage)
    assert page is not None
    assert words in str(page.note)
    assert len(page.rows) == 3 * 4
    parts = patients_parts(stage)
    assert [figure.key for figure in parts["patients"]["drawn"]] == ["patients-draws-1"]
    assert words in parts["patients"]["drawn"][0].caption
    html = report_html(result)
    assert "Under draws of frozen parameters" in html
    assert words in html
    assert "draws" in patients_tables(stage)


def test_the_archive_loses_nothing(result: StudyResult, stage: PatientsStage, tmp_path: Path) -> None:
    write_results(result, tmp_path)
    again = read_results(tmp_path).patients
    assert again is not None
    assert plain(again) == plain(stage)
    assert all(tables_in(again)[name].equals(table) for name, table in tables_in(stage).items())
    assert pl.read_csv(tmp_path / "results/patients_draws.csv").height == stage.draws.height
    document = json.loads((tmp_path / "results/patients.json").read_text(encoding="utf-8"))
    assert document["arms"][0]["parameter_sets"][0]["sha256"] == stage.arms[0].parameter_sets[0].sha256
    assert len(document["draws"]) == stage.draws.height


def test_results_from_before_there_were_draws_are_still_read(tmp_path: Path) -> None:
    write_results(run_study(load_study(written(tmp_path / "s", "\n[patients]\npatients = 5\nweeks = 2\n"))), tmp_path)
    values = tmp_path / "results/patients/values.json"
    document = json.loads(values.read_text(encoding="utf-8"))
    for arm in document["values"]["arms"]:
        for name in ("parameter_sets", "draws", "said_of_draws"):
            del arm[name]
    values.write_text(json.dumps(document), encoding="utf-8")
    found = read_results(tmp_path).patients
    assert found is not None
    assert [(arm.draws, arm.parameter_sets) for arm in found.arms] == [(0, ()), (0, ())]


def test_sets_by_name_go_to_the_cohort_they_were_fitted_for(tmp_path: Path) -> None:
    given = load_study(
        written(tmp_path, f'\n[patients]\nparameters = ["{STOPPED}", "hetrombopag-itp-relative-stopped-day-14"]\n')
    ).patients
    assert given is not None
    assert given.draws == 40
    assert [[one.parameters.name for one in cohort.sets] for cohort in given.cohorts] == [
        [STOPPED, "hetrombopag-itp-relative-stopped-day-14"],
        [],
    ]
    assert given.cohorts[0].sets[1].model.file == "hetrombopag-itp-relative.toml"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("draws = 8", "patients.draws: found draws without parameters"),
        ("parameters = 'calibrated'\ndraws = 10", "patients.draws: draws: found 10; expected a multiple of 4"),
        ("parameters = 'hetrombopag-itp-absolute-stopped-day-15'", f'Did you mean "{STOPPED}"?'),
        (
            f"parameters = ['{STOPPED}', 'eltrombopag-itp-emax']",
            "patients.parameters[2]: parameter set eltrombopag-itp-emax: found the agonist hetrombopag",
        ),
        (
            "parameters = 'calibrated'\n[[patients.cohorts]]\nagonist = 'romiplostim'",
            "expected a cohort whose model was calibrated",
        ),
        ("parameters = 3", 'patients.parameters: found the number 3; expected "calibrated", the name of a frozen set'),
    ],
)
def test_one_fault(tmp_path: Path, words: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        load_study(written(tmp_path, f"\n[patients]\n{words}\n"))
    assert len(caught.value.faults) == 1
    assert found in str(caught.value)
    assert str(caught.value).startswith("study.toml:")
