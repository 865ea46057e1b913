"""[trials] of a study: what its words mean, what is refused, what is saved, and that no subject leaves it unasked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import thrombokit as tk
from thrombokit.errors import FileFormatError, InputError
from thrombokit.study.archive_trials import read_trials, trials_document, write_trials
from thrombokit.study.load import load_study
from thrombokit.study.run import run_study
from thrombokit.study.saved_values import plain, tables_in
from thrombokit.study.templates.guide_trial_text import trial_texts
from thrombokit.trials.stage import TrialsStage

HEAD = 'schema = 1\n\n[study]\ntitle = "A trial"\nseed = 1\nsynthetic = true\n\n[trials]\n'
DATA = 'data = "trial/counts.csv"\nsubjects = "trial/subjects.csv"\n'
PLAN = 'estimands = "trial/estimands.toml"\n'
PUBLISHED = 'published = ["hetrombopag-phase1", "hetrombopag-phase3"]\n'
ADTTE = (
    "USUBJID,PARAMCD,AVAL,CNSR,TRTP\nS1,TT,10,0,A\nS2,TT,12,1,A\nS3,TT,15,0,A\nS4,TT,3,0,B\nS5,TT,4,0,B\nS6,TT,9,0,B\n"
    "S1,OTHER,1,0,A\n"
)


def study_in(folder: Path, section: str, **files: str) -> Path:
    """A study of a synthetic trial with these words in its section; files by name, __ for a full stop."""
    texts = {**trial_texts(7), "study.toml": HEAD + section, **{name.replace("__", "."): text for name, text in files.items()}}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def stage_of(folder: Path) -> TrialsStage:
    found = run_study(load_study(folder)).trials
    assert found is not None
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study_in(tmp_path_factory.mktemp("trial"), DATA + PLAN + PUBLISHED)


@pytest.fixture(scope="module")
def result(folder: Path) -> tk.StudyResult:
    return run_study(load_study(folder))


@pytest.fixture(scope="module")
def stage(result: tk.StudyResult) -> TrialsStage:
    assert result.trials is not None
    return result.trials


def faults(folder: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_study(folder)
    return [str(fault) for fault in caught.value.faults]


def test_three_rules_for_one_week_stand_side_by_side(stage: TrialsStage) -> None:
    rows = stage.estimands.filter(pl.col("estimand").str.starts_with("response at week 8"))
    assert rows["estimand"].n_unique() == 3
    assert rows["rescue"].n_unique() == 2
    assert rows["missing"].n_unique() == 3
    against = rows.filter(pl.col("against").is_not_null())
    assert against.height == 6
    assert set(against["against"]) == {"placebo"}
    for row in against.to_dicts():
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        assert row["p"] <= row["p_adjusted"] <= 1.0
    for row in rows.to_dicts():
        assert row["low"] <= row["estimate"] <= row["high"]
        assert row["estimate"] == pytest.approx(row["responders"] / row["n"])
    primary = rows.filter(pl.col("role") == "primary")
    assert set(primary["strata"]) == {"splenectomy"}
    assert set(primary["test"].drop_nulls()) == {"cmh"}


def test_as_measured_counts_at_least_the_responders_of_failure(stage: TrialsStage) -> None:
    rows = stage.estimands.filter(pl.col("measure") == "share responding")
    strict = rows.filter(pl.col("role") == "primary").sort("arm")["responders"].to_list()
    mild = rows.filter(pl.col("missing") == "the last count carried on").sort("arm")["responders"].to_list()
    assert all(one >= other for one, other in zip(mild, strict, strict=True))


def test_every_number_is_in_one_data_set_once_with_method_inputs_and_version(stage: TrialsStage) -> None:
    table = stage.results
    assert table["id"].is_duplicated().sum() == 0
    assert table.filter((pl.col("method") == "") | (pl.col("version") == "")).is_empty()
    of_trial = table.filter(~pl.col("estimand").str.starts_with("hetrombopag"))
    assert set(json.loads(of_trial["input_sha256"][0])) == {"counts.csv", "subjects.csv"}
    for row in stage.estimands.filter(pl.col("measure") == "share responding").to_dicts():
        (found,) = table.filter(
            (pl.col("estimand") == row["estimand"]) & (pl.col("measure") == "share") & (pl.col("group") == row["arm"])
            & (pl.col("method") == "clopper_pearson")
        ).to_dicts()  # fmt: skip
        assert (found["value"], found["low"], found["high"], found["n"]) == (row["estimate"], row["low"], row["high"], row["n"])


def test_table_2_has_the_published_counts_and_what_the_article_prints(stage: TrialsStage) -> None:
    week_8 = stage.published.filter(pl.col("endpoint") == "platelets >= 50e9/L at week 8")
    assert dict(zip(week_8["arm"], zip(week_8["responders"], week_8["n"], strict=True), strict=True)) == {
        "hetrombopag 2.5 mg": (99, 168), "hetrombopag 5 mg": (110, 171), "placebo": (5, 85),
    }  # fmt: skip
    assert week_8["printed_odds_ratio"].drop_nulls().to_list() == [25.97, 32.81]
    phase_1 = stage.published.filter(pl.col("trial") == "hetrombopag-phase1")
    assert list(zip(phase_1["responders"], phase_1["n"], strict=True)) == [(22, 37), (29, 37)]
    assert phase_1.filter(~(pl.col("percent_low") < pl.col("percent")) | ~(pl.col("percent") < pl.col("percent_high"))).is_empty()
    printed = stage.results.filter(pl.col("method") == "as the article prints it")
    assert set(printed["verdict"]) == {"not reproduced"}
    assert "shown beside, not reproduced" in stage.summary()


def test_saved_and_read_again_it_is_the_same(stage: TrialsStage, tmp_path: Path) -> None:
    files = write_trials(stage, tmp_path)
    assert len(files) == len(set(files))
    again = read_trials(tmp_path)
    assert plain(again) == plain(stage)
    for path, table in tables_in(stage).items():
        assert tables_in(again)[path].equals(table), path
        assert tables_in(again)[path].schema == table.schema, path
    assert trials_document(again) == trials_document(stage)
    assert pl.read_parquet(tmp_path / "trials_analysis_results.parquet").equals(stage.results)
    csv = pl.read_csv(tmp_path / "trials_analysis_results.csv", schema=stage.results.schema)
    assert csv.equals(stage.results)


def test_a_changed_table_is_told(stage: TrialsStage, tmp_path: Path) -> None:
    write_trials(stage, tmp_path)
    (tmp_path / "trials/results.parquet").write_bytes(b"other")
    with pytest.raises(FileFormatError, match=r"results/results\.parquet: found a damaged or changed table"):
        read_trials(tmp_path)
    write_trials(stage, tmp_path)
    (tmp_path / "trials/values.json").write_text('{"schema": "thrombokit.trials_values/1", "values": {}}', encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"results/trials\.json: found a damaged result"):
        read_trials(tmp_path)


def test_no_subject_leaves_the_study_unasked(result: tk.StudyResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tk.write_output(result, out, published="2026-01-01")
    told = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.suffix in (".json", ".csv", ".html")}
    names = [f"S{number:03d}".encode() for number in (1, 40, 77, 120)]
    assert not [
        path.name for path, text in told.items() for name in names if b'"' + name + b'"' in text or b"," + name + b"," in text
    ]
    assert result.trials is not None
    assert not {one.key for one in result.trials.pictures} & {"trials-waterfall", "trials-swimmer"}


def test_with_include_subjects_they_are_drawn_and_the_page_says_so(tmp_path: Path, result: tk.StudyResult) -> None:
    asked = run_study(load_study(study_in(tmp_path / "study", DATA + PLAN + "include_subjects = true\n")))
    assert asked.trials is not None
    pictures = {one.key: one.spec for one in asked.trials.pictures}
    assert {"trials-waterfall", "trials-swimmer"} <= pictures.keys()
    assert "S001" in json.dumps(pictures["trials-swimmer"])
    assert any("single subjects’ data" in sentence for sentence in tk.answer_sentences(asked))
    assert result.trials is not None
    write_trials(asked.trials, tmp_path)
    write_trials(result.trials, tmp_path)
    assert not list((tmp_path / "trials").glob("trials-swimmer*")), "a picture of subjects does not outlive its consent"


def test_words_of_the_section_stand_in_place_of_the_plans(tmp_path: Path) -> None:
    words = 'reference = "2.5 mg"\nstrata = ["sex"]\nsubgroups = ["sex"]\nweeks = [4, 8]\nafter_d = 2\n'
    study = load_study(study_in(tmp_path, DATA + PLAN + words))
    assert study.trials is not None
    plan = study.trials.plan
    assert plan is not None
    assert (plan.reference, plan.visits.weeks, plan.visits.before_d, plan.visits.after_d) == ("2.5 mg", (4.0, 8.0), 3.0, 2.0)
    assert [one.strata for one in plan.estimands] == [("splenectomy",), *[("sex",)] * 4]
    found = run_study(study).trials
    assert found is not None
    assert set(found.estimands["against"].drop_nulls()) == {"2.5 mg"}
    assert set(found.subgroups["factor"]) == {"all", "sex"}
    assert any("adds the strata sex to 4 of 5 estimands" in one for one in found.caveats)
    assert any("are the study file's" in one for one in found.caveats)
    mild = found.estimands.filter(pl.col("missing") == "the last count carried on")
    assert set(mild["test"].drop_nulls()) == {"cmh"}


def test_a_shipped_plan_by_name(tmp_path: Path) -> None:
    study = load_study(study_in(tmp_path, DATA + 'estimands = "hetrombopag-phase3"\n'))
    assert study.trials is not None
    assert study.trials.plan is not None
    assert study.trials.plan.source == "hetrombopag-phase3.toml"
    assert {name for name, _ in study.inputs} == {"study.toml", "trial/counts.csv", "trial/subjects.csv"}


def test_published_alone(tmp_path: Path) -> None:
    result = run_study(load_study(study_in(tmp_path, 'published = ["hetrombopag-phase3"]\n')))
    assert result.trials is not None
    assert result.trials.pictures == ()
    assert result.trials.results.height > 50
    out = tmp_path / "out"
    tk.write_output(result, out, published="2026-01-01")
    again = tk.read_results(out).trials
    assert again is not None
    assert plain(again) == plain(result.trials)
    assert "25.97" not in (page := (out / "report.html").read_text(encoding="utf-8"))
    assert "26.0 (9.83 to 68.6)" in page
    assert "99/168" in page


def test_adtte_has_curves_medians_and_a_picture(tmp_path: Path) -> None:
    section = 'adtte = "adtte.csv"\nadtte_param = "TT"\n'
    found = stage_of(study_in(tmp_path, section, adtte__csv=ADTTE))
    medians = {row["group"]: row["estimate"] for row in found.medians.filter(pl.col("measure") == "median").to_dicts()}
    assert medians == {"A": 15.0, "B": 4.0}
    (picture,) = found.pictures
    assert picture.key == "trials-adtte"
    assert found.curves.filter((pl.col("estimand") == "adtte.csv") & (pl.col("arm") == "B"))["value"].to_list() == pytest.approx(
        [2 / 3, 1 / 3, 0]
    )
    (input_row,) = set(found.results["input_sha256"])
    assert list(json.loads(input_row)) == ["adtte.csv"]
    assert len(json.loads(input_row)["adtte.csv"]) == 64


ONE_FAULT = [
    ("", "study.toml:8, trials", "found neither data nor adtte nor published", "Add data"),
    (DATA, "study.toml:9, trials.data", "counts without estimands", 'estimands = "hetrombopag-phase3"'),
    (PUBLISHED + 'reference = "placebo"\n', "trials.reference", "reference without data", "remove reference"),
    (PUBLISHED + 'adtte_param = "TT"\n', "trials.adtte_param", "adtte_param without adtte", "Name adtte"),
    ('published = ["hetrombopag-phase2"]\n', "trials.published[1]", '"hetrombopag-phase2"', "Did you mean"),
    ('published = ["hetrombopag-phase3", "hetrombopag-phase3"]\n', "trials.published[2]", "a second time", "Keep one"),
    (DATA + 'estimands = "hetrombopag-phase2"\n', "trials.estimands", '"hetrombopag-phase2"', 'Did you mean "hetrombopag-phase3"?'),
    (
        DATA + 'estimands = "trial/estimand.toml"\n',
        "trials.estimands",
        "which is not there",
        'Did you mean "trial/estimands.toml"?',
    ),
    (DATA + PLAN + 'reference = "plazebo"\n', "trials.reference", '"plazebo"', 'Did you mean "placebo"?'),
    (DATA + PLAN + 'strata = ["splenectomie"]\n', "trials.strata[1]", '"splenectomie"', 'Did you mean "splenectomy"?'),
    (DATA + PLAN + 'subgroups = ["age"]\n', "trials.subgroups[1]", '"age"', "Name a column"),
    (DATA + PLAN + "weeks = [8, 4]\n", "trials.weeks", "[8.0, 4.0]", "[1, 2, 3, 4]"),
    (DATA + PLAN + "before_d = 5\n", "trials.before_d", "share a day", "Make before_d + after_d less than"),
    (PUBLISHED + "wheels = 2\n", "trials.wheels", 'unknown key "wheels"', "Did you mean"),
    (DATA.replace("counts", "count") + PLAN, "trials.data", "which is not there", 'Did you mean "trial/counts.csv"?'),
]


@pytest.mark.parametrize(("section", "place", "found", "cure"), ONE_FAULT)
def test_one_fault(tmp_path: Path, section: str, place: str, found: str, cure: str) -> None:
    (message,) = faults(study_in(tmp_path, section))
    assert place in message
    assert found in message
    assert cure in message


def test_what_the_plan_asks_and_the_data_lack_is_told_before_the_run(tmp_path: Path) -> None:
    plan = trial_texts(7)["trial/estimands.toml"].replace('strata = ["splenectomy"]', 'strata = ["region"]')
    plan = plan.replace('reference = "placebo"', 'reference = "placebo"\narms = ["5 mg", "10 mg"]')
    folder = study_in(tmp_path, DATA + PLAN + "weeks = [1, 2, 3, 4]\n")
    (folder / "trial/estimands.toml").write_text(plan, encoding="utf-8")
    told = faults(folder)
    assert len(told) == 5
    assert 'estimands.toml, arms: found "10 mg"; expected an arm of the data: placebo, 2.5 mg, 5 mg' in told[0]
    assert 'estimand response at week 8, strata "region": found no subject that has it' in told[1]
    assert all("endpoint.week: found 8; expected a planned week: 1, 2, 3, 4" in one for one in told[2:])


def test_faults_of_section_and_of_every_file_come_in_one_pass(tmp_path: Path) -> None:
    counts = trial_texts(7)["trial/counts.csv"].replace("\nS001,", "\nS999,", 1)
    plan = trial_texts(7)["trial/estimands.toml"].replace('missing = "locf"', 'missing = "lcf"')
    folder = study_in(tmp_path, DATA + PLAN + 'published = ["phase3"]\nadtte = "adtte.csv"\n', adtte__csv=ADTTE)
    (folder / "trial/counts.csv").write_text(counts, encoding="utf-8")
    (folder / "trial/estimands.toml").write_text(plan, encoding="utf-8")
    told = "\n".join(faults(folder))
    for words in ('"phase3"', 'subject "S999"', "lcf", "2 parameters: TT, OTHER"):
        assert words in told


@pytest.mark.parametrize("name", ["adtte.xpt", "adtte.json"])
def test_cdisc_times_against_their_adsl(reference_data: Path, tmp_path: Path, name: str) -> None:
    kind = "cdisc-pilot-adam" if name.endswith("xpt") else "dataset-json"
    source = reference_data / "clinical" / kind
    folder = study_in(tmp_path, f'adtte = "{name}"\nsubjects = "adsl.{name.split(".")[1]}"\n')
    for one in (name, f"adsl.{name.split('.')[1]}"):
        (folder / one).symlink_to(source / one)
    found = stage_of(folder)
    assert set(found.arms) == {"Placebo", "Xanomeline High Dose", "Xanomeline Low Dose"}
    medians = found.medians.filter(pl.col("measure") == "median")
    assert medians["estimate"].drop_nulls().len() >= 2
    assert found.curves["n_at_risk"].max() == 86


@pytest.mark.parametrize("workers", ["2"])
def test_two_workers_give_the_same_bytes(command: Callable[..., Any], folder: Path, tmp_path: Path, workers: str) -> None:
    for name, more in (("one", ()), ("two", ("--workers", workers))):
        assert command("run", folder, "--out", tmp_path / name, "--quiet", *more).exit_code == 0
    for path in (p for p in (tmp_path / "one").rglob("*") if p.is_file() and p.name != "ro-crate-metadata.json"):
        assert (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes() == path.read_bytes(), path.name
