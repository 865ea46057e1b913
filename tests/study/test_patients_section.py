"""[patients] of a study: what its words mean, every fault with its line, and an archive that loses nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from thrombokit.errors import FileFormatError, InputError, SpecError
from thrombokit.io.cohort_files import simulate_cohort
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.stage import PatientsStage
from thrombokit.patients.titration import Titration
from thrombokit.report.page import report_html
from thrombokit.report.patients import patients_parts, patients_sentences
from thrombokit.scale.engine import ProcessEngine
from thrombokit.study import run_patients
from thrombokit.study.archive import read_results, write_results
from thrombokit.study.archive_patients import arms_table, patients_tables
from thrombokit.study.load import Study, load_study
from thrombokit.study.result import StudyResult
from thrombokit.study.run import run_study
from thrombokit.study.saved_values import plain, tables_in

HEAD = """schema = 1
[study]
title = "Patients"
seed = 5

[[agonists]]
name = "hetrombopag"

[[agonists]]
name = "avatrombopag"
"""
MODEL = """schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central"]
default_dose = "depot"
default_observation = "central"
[theta]
CL = {value = 2.0, tier = "published", source = "invented for this test"}
[record]
V = "20*WT/70"
[flow]
"depot->central" = "1"
"central->out" = "CL/V"
[output]
CONC = "central/V"
"""
EVENTS = "ID,TIME,AMT,EVID,DV,WT\n1,0,100,1,.,70\n1,2,.,0,.,70\n1,8,.,0,.,70\n2,0,50,1,.,80\n2,4,.,0,.,80\n"
PROFILE = "ID,TIME,DV,AMT\n" + "\n".join(
    f"{k},{t},{v * k},100" for k in (1, 2, 3) for t, v in ((0, 0), (1, 8), (2, 6), (4, 3), (8, 0.75))
)
WHOLE = """
[patients]
patients = 60
weeks = 6
target_1e9_per_L = [50, 250]

[[patients.covariates]]
column = "MEAL"
values = [0, 2]
shares = [0.8, 0.2]

[patients.fluctuation]
log_sd = 0.3
correlation_time_d = 14

[patients.rescue]
threshold_1e9_per_L = 20
hazard_per_d = 0.05
added_1e9_per_L = 40
duration_d = 14

[patients.drop_out]
hazard_per_d = 0.003

[patients.adherence]
missed_share = 0.05

[[patients.cohorts]]
agonist = "hetrombopag"
regimens = ["default", "5 mg once daily", "placebo"]
starts = [2.5, 5]

[[patients.events]]
file = "events.csv"
model = "mine.toml"

[[patients.profiles]]
file = "pk.csv"
"""


def written(folder: Path, section: str) -> Path:
    """A study folder with that section, a model, an event table and concentrations."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("mine.toml", MODEL), ("events.csv", EVENTS), ("pk.csv", PROFILE), ("study.toml", HEAD + section)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def faults(folder: Path, section: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_study(written(folder, section))
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return load_study(written(tmp_path_factory.mktemp("patients") / "study", WHOLE))


@pytest.fixture(scope="module")
def result(study: Study) -> StudyResult:
    return run_study(study)


@pytest.fixture(scope="module")
def stage(result: StudyResult) -> PatientsStage:
    assert result.patients is not None
    return result.patients


def test_the_section_is_read_into_nouns(study: Study) -> None:
    given = study.patients
    assert given is not None
    (cohort,) = given.cohorts
    assert [name for name, _ in cohort.regimens] == [
        "hetrombopag-150-250, from 2.5 mg", "hetrombopag-150-250, from 5 mg", "5 mg once daily", "placebo",
    ]  # fmt: skip
    kinds = [type(regimen) for _, regimen in cohort.regimens]
    assert kinds == [Titration, Titration, FixedDose, FixedDose]
    assert [one.start for _, one in cohort.regimens if isinstance(one, Titration)] == [2.5, 5.0]
    assert given.who.criterion is not None
    assert given.who.criterion.when == "< 30"
    assert (given.counts_in.low, given.counts_in.high) == (50.0, 250.0)
    assert {name for name, _ in study.inputs} == {"study.toml", "mine.toml", "events.csv", "pk.csv"}


def test_a_bare_section_runs_every_agonist_with_a_model(tmp_path: Path) -> None:
    given = load_study(written(tmp_path, "\n[patients]\n")).patients
    assert given is not None
    assert [(one.name, [name for name, _ in one.regimens]) for one in given.cohorts] == [("hetrombopag", ["hetrombopag-150-250"])]
    assert given.notes == ("Not simulated, as they have no model of platelets in itp: avatrombopag.",)


def test_an_arm_is_what_the_same_words_give_in_python(stage: PatientsStage, tmp_path: Path) -> None:
    written(tmp_path, "\n[patients]\npatients = 30\nweeks = 6\n")
    ours = run_study(load_study(tmp_path)).patients
    assert ours is not None
    direct = simulate_cohort("hetrombopag", cohort=Cohort(n=30), seed=5, weeks=6)
    rows = ours.courses
    np.testing.assert_array_equal(rows["count_1e9_per_L"].to_numpy().reshape(30, 7), direct.counts)
    assert ours.ledger.height == len(direct.ledger) == ours.arms[0].decisions
    assert ours.reasons["decisions"].sum() == ours.ledger.height
    assert stage.arms[0].name == "hetrombopag-150-250, from 2.5 mg"


def test_regimens_are_compared_in_the_same_patients(stage: PatientsStage) -> None:
    assert stage.measures["cohort"].unique().to_list() == ["hetrombopag"]
    first = stage.measures.filter(pl.col("arm") == stage.arms[0].name)
    assert first["difference"].null_count() == first.height
    by_arm = stage.members.group_by("arm", maintain_order=True).agg(pl.col("baseline_1e9_per_L"))
    baselines = by_arm["baseline_1e9_per_L"].to_list()
    assert len(baselines) == 4
    assert all(one == baselines[0] for one in baselines)
    placebo = stage.weeks_of("hetrombopag: placebo")
    assert placebo["dose_mean"].drop_nulls().to_list() == [0.0] * placebo.height


def test_event_tables_and_concentrations_stand_beside(stage: PatientsStage) -> None:
    (run,) = stage.events
    assert (run.name, run.individuals, run.records, run.random, run.decisions) == ("events", 2, 5, False, None)
    value = stage.event_rows.filter((pl.col("ID") == 1.0) & (pl.col("TIME") == 2.0))["value"].item()
    ka, ke = 1.0, 0.1
    assert value == pytest.approx(100 / 20 * ka / (ka - ke) * (np.exp(-ke * 2) - np.exp(-ka * 2)), rel=1e-6)
    (analysis,) = stage.profiles
    assert analysis.profiles == 3
    assert "CMAX: geometric mean (CV) 14.54 conc (60.1 %), n = 3." in analysis.said
    highest = stage.nca_parameters.filter((pl.col("PPTESTCD") == "CMAX") & (pl.col("USUBJID") == "2"))["PPSTRESN"].item()
    assert highest == 16.0


def test_the_archive_loses_nothing(result: StudyResult, stage: PatientsStage, tmp_path: Path) -> None:
    write_results(result, tmp_path)
    again = read_results(tmp_path).patients
    assert again is not None
    assert plain(again) == plain(stage)
    before, after = tables_in(stage), tables_in(again)
    for name, table in before.items():
        assert after[name].schema == table.schema, name
        assert after[name].equals(table), name
    write_results(read_results(tmp_path), tmp_path / "second")
    for path in (tmp_path / "results").rglob("*"):
        if path.is_file():
            assert (tmp_path / "second" / path.relative_to(tmp_path)).read_bytes() == path.read_bytes(), path.name


def test_a_changed_ledger_is_refused(result: StudyResult, tmp_path: Path) -> None:
    write_results(result, tmp_path)
    ledger = tmp_path / "results/patients/ledger.parquet"
    pl.read_parquet(ledger).head(3).write_parquet(ledger)
    with pytest.raises(FileFormatError, match=r"ledger\.parquet: found a damaged or changed table"):
        read_results(tmp_path)


@pytest.mark.long
def test_two_processes_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study(written(tmp_path, "\n[patients]\npatients = 60\nweeks = 4\n"))
    one = run_study(study).patients
    monkeypatch.setattr(run_patients, "WORTH_PROCESSES", 0)
    other = run_study(study, engine=ProcessEngine(2)).patients
    assert one is not None
    assert other is not None
    assert plain(other) == plain(one)
    assert all(tables_in(other)[name].equals(table) for name, table in tables_in(one).items())


def test_no_single_patient_is_on_the_page_or_in_the_workbook(result: StudyResult, stage: PatientsStage) -> None:
    page = report_html(result)
    for value in stage.members["baseline_1e9_per_L"].head(5).to_list():
        assert f"{value!r}"[:8] not in page
    assert set(patients_tables(stage)) == {"arms", "weeks", "measures", "reasons", "nca"}
    assert all("ID" not in table.columns and "patient" not in table.columns for table in patients_tables(stage).values())
    assert arms_table(stage).height == len(stage.arms)


def test_every_figure_says_what_it_rests_on(stage: PatientsStage) -> None:
    parts = patients_parts(stage)
    assert len(parts["figures"]) == len(stage.arms) + 1
    for figure in parts["figures"]:
        assert "assumed" in figure.caption
        assert "published" in figure.caption
    for arm, figure in zip(stage.arms, parts["patients"]["weeks"], strict=True):
        assert f"Engine {arm.engine}, relative error of a count at most {arm.stated_error:.0e}" in figure.caption
        assert "research use only" in figure.caption


def test_the_answer_says_engine_ties_inclusion_and_what_is_left_out(stage: PatientsStage) -> None:
    said = "\n".join(patients_sentences(stage))
    for words in (
        "These are simulated patients.", "Engine quadrature", "decisions", "near tie", "until their count before treatment was < 30",
        "9 published, 6 calibrated, 3 assumed", "what is not known of the model is in neither", "in the same virtual patients", "left before the end",
    ):  # fmt: skip
        assert words in said, words
    assert "Research use only." in stage.summary()


def test_an_arm_that_is_not_there_is_named(stage: PatientsStage) -> None:
    with pytest.raises(InputError, match=r'arm: found "x"; expected an arm of the study: "hetrombopag-150-250, from 2.5 mg"'):
        stage.plot("x")
    assert stage.plot().to_dict()["vconcat"]


WRONG = [
    ("patients = 1", "study.toml:13, patients.patients: found the number 1", "patients = 1000"),
    ("inclusion = 'under 30'", "patients.inclusion: cohort, inclusion, when", "< 30"),
    ("target_1e9_per_L = [200, 50]", "patients.target_1e9_per_L: count range: found 200-50", "Correct the numbers"),
    ("population = 'itp2'", "no agonist with a model of platelets", "populations: "),
    ("[[patients.covariates]]\ncolumn = 'WT'\nvalue = 70",
     'patients.covariates[1].column: found "WT"; expected a column of the models: MEAL', "Remove it."),
    ("[[patients.covariates]]\ncolumn = 'MEAL'", "found neither value, share, median nor values", "log_sd = 0.2"),
    ("[[patients.covariates]]\ncolumn = 'MEAL'\nvalue = 1\nlow = 2", "found value and low", "one of value, share"),
    ("[[patients.covariates]]\ncolumn = 'MEAL'\nvalues = [0, 1]\nshares = [0.2, 0.2]",
     "covariates[1]: covariate, shares", "sum to 1"),
    ("[patients.rescue]\nthreshold_1e9_per_L = 20\nhazard_per_d = 0.1\nduration_d = 1\nonset_d = 2",
     "patients.rescue: rescue, onset_d", "at most duration_d"),
    ("[[patients.cohorts]]", "patients.cohorts[1]: found neither agonist nor model", "Keep one"),
    ("[[patients.cohorts]]\nagonist = 'hetrombopak'", 'cohorts[1].agonist: found "hetrombopak"', 'Did you mean "hetrombopag"?'),
    ("[[patients.cohorts]]\nagonist = 'avatrombopag'", "cohorts[1].agonist: avatrombopag, population itp", "no model"),
    ("[[patients.cohorts]]\nmodel = 'hetrombopag-it'", "cohorts[1].model", 'Did you mean "hetrombopag-itp"?'),
    ("[[patients.cohorts]]\nagonist = 'hetrombopag'\nregimens = ['hetrombopag-150-25']",
     "cohorts[1].regimens[1]", 'Did you mean "hetrombopag-150-250"?'),
    ("[[patients.cohorts]]\nagonist = 'hetrombopag'\nregimens = ['5 mg/kg once daily']",
     "cohorts[1].regimens[1]: cohort, regimen", "a dose in mg"),
    ("[[patients.cohorts]]\nagonist = 'hetrombopag'\nregimens = ['placebo', 'placebo']",
     'found "placebo" a second time', "Remove one."),
    ("[[patients.cohorts]]\nagonist = 'hetrombopag'\nstarts = [3]",
     "cohorts[1].starts: found 3, which is no dose of", "2.5, 3.75, 5, 7.5 mg"),
    ("[[patients.cohorts]]\nagonist = 'hetrombopag'\nregimens = ['placebo']\nstarts = [2.5]",
     "starting doses without a titration", "Remove starts"),
    ("[[patients.cohorts]]\nagonist = 'hetrombopag'\n[[patients.cohorts]]\nagonist = 'Hetrombopag'",
     'cohorts[2]: found "hetrombopag" a second time', "one [[patients.cohorts]]"),
    ("[[patients.events]]\nfile = 'event.csv'\nmodel = 'mine.toml'", "patients.events[1].file", 'Did you mean "events.csv"?'),
    ("[[patients.events]]\nfile = 'events.csv'\nmodel = 'min.toml'", "patients.events[1].model", 'Did you mean "mine.toml"?'),
    ("[[patients.events]]\nfile = 'events.csv'\nmodel = '../mine.toml'", "a path that leaves the study folder", "Copy the file"),
    ("[[patients.profiles]]\nfile = 'pk.csv'\nconcentration = 'CONC'", "CONC", "DV"),
    ("[[patients.profiles]]\nfile = 'pk.csv'\nroute = 'infusion'", "patients.profiles[1]", "duration"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "found", "cure"), WRONG, ids=[words.replace("\n", " ")[:70] for words, _, _ in WRONG])
def test_one_fault(tmp_path: Path, words: str, found: str, cure: str) -> None:
    (message,) = faults(tmp_path, f"\n[patients]\n{words}\n")
    assert found in message
    assert cure in message


def test_all_faults_in_one_pass(tmp_path: Path) -> None:
    section = "\n[patients]\ninclusion = '> 30 <'\n[[patients.cohorts]]\nagonist = 'hetrombopag'\nregimens = ['nothing', '3 mg now and then']\n"
    messages = faults(tmp_path, section)
    assert len(messages) == 3
    assert all(message.startswith("study.toml:") for message in messages)


def test_what_only_a_compiled_model_shows_is_refused_before_anything_runs(tmp_path: Path) -> None:
    section = "\n[patients]\npopulation = 'healthy'\n[[patients.cohorts]]\nmodel = 'mine.toml'\nregimens = ['5 mg once daily']\n"
    study = load_study(written(tmp_path, section))
    with pytest.raises(SpecError) as caught:
        run_study(study)
    assert "patients.cohorts[1], 5 mg once daily: mine.toml, output: found no PLATELET (outputs: CONC)" in str(caught.value)
