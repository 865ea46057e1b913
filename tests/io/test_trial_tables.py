"""Trials read from ADaM data sets and plain tables: what is left out is counted, what contradicts is told with its record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from thrombokit.errors import InputError, UnitError
from thrombokit.io.adam_subjects import read_adsl
from thrombokit.io.adam_times import read_adtte
from thrombokit.io.count_units import canonical_count_unit, count_1e9_per_L, unit_in_words
from thrombokit.io.trial_tables import read_trial
from thrombokit.study.templates.guide_trial import write_synthetic_trial
from thrombokit.trials.survival import analyse_survival
from thrombokit.trials.trial_data import TrialData, baseline_1e9_per_L


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    pl.DataFrame(rows, infer_schema_length=None).write_csv(path)
    return path


def adsl(folder: Path) -> Path:
    base = {
        "TRTSDT": "2024-01-01",
        "TRTEDT": "2024-02-26",
        "SAFFL": "Y",
        "EOSSTT": "COMPLETED",
        "DCSREAS": "",
        "EOSDT": "2024-02-26",
        "REGION": "north",
    }
    return write(folder / "adsl.csv", [
        {"USUBJID": "1", "TRT01P": "active", **base},
        {"USUBJID": "2", "TRT01P": "placebo", **base, "EOSSTT": "DISCONTINUED", "DCSREAS": "ADVERSE EVENT", "EOSDT": "2024-01-20",
         "TRTEDT": "2024-01-19"},
        {"USUBJID": "3", "TRT01P": "", **base},
    ])  # fmt: skip


def record(subject: str, day: int | None, value: float | str, **others: str) -> dict[str, Any]:
    date = "" if day is None else f"2024-01-{day:02d}" if day > 0 else "2023-12-31"
    return {"USUBJID": subject, "TRTP": {"1": "active", "2": "placebo"}.get(subject, ""), "PARAMCD": "PLAT", "PARAM": "Platelets (10^9/L)",
            "AVAL": value,
            "AVALU": "", "ADY": day, "ADT": date, "AVISIT": "Week", "DTYPE": "", "ABLFL": "", **others}  # fmt: skip


def adlb(folder: Path, *rows: dict[str, Any]) -> Path:
    return write(folder / "adlb.csv", list(rows))


def left_out(data: TrialData) -> dict[str, int]:
    return {one.reason: one.n for one in data.left_out}


def test_days_units_baseline_and_what_is_left_out(tmp_path: Path) -> None:
    table = adlb(
        tmp_path, record("1", -1, 12, ABLFL="Y"), record("1", 1, 14), record("1", 8, 55000, AVALU="/uL"), record("1", 15, 60, AVALU="10^3/uL"),
        record("1", 22, 9, AVALU="10^4/uL"), record("1", 22, 90, AVISIT="Maximum"), record("1", 23, 91, DTYPE="LOCF"), record("1", 24, ""),
        record("1", None, 70), record("1", 8, 55, AVISIT="End of treatment"), record("2", 8, 20, AVISIT="Unscheduled 1"),
        record("3", 8, 20), record("1", 8, 44, PARAMCD="HGB"),
    )  # fmt: skip
    data = read_trial(table, subjects=adsl(tmp_path))
    assert [(d, c) for d, c in zip(data.day.tolist(), data.count_1e9_per_L.tolist(), strict=True)] == [
        (-1, 12),
        (0, 14),
        (7, 55),
        (14, 60),
        (21, 90),
        (7, 20),
    ]
    assert data.scheduled.tolist() == [True] * 5 + [False]
    assert baseline_1e9_per_L(data)[0] == 14
    assert left_out(data) == {
        "subject without an arm (screen failure)": 1, 'derived visit ("Maximum")': 1, "derived record (DTYPE = LOCF)": 1, "no value": 1, "no day": 1,
        "repeat of a row (same subject, day and value)": 1, "record of a subject without an arm": 1,
    }  # fmt: skip
    assert len(data.notes) == 1
    assert "adlb.csv, row 2: 12e9/L on day -1, the last before the first dose is 14e9/L on day 0" in data.notes[0]
    first, second = data.subjects
    assert (first.completed, first.dropped_out, first.stop_day, first.factors["REGION"]) == (True, False, 56.0, "north")
    assert (second.completed, second.dropout_day, second.dropout_reason, second.stop_day) == (False, 19.0, "Adverse event", 18.0)
    assert set(data.inputs) == {"adlb.csv", "adsl.csv"}


def test_every_contradiction_is_told_with_its_record(tmp_path: Path) -> None:
    table = adlb(
        tmp_path, record("9", 8, 20), {**record("1", 8, 20), "TRTP": "placebo"}, record("1", 9, "many"), record("1", 10, 50, AVALU="g/dL"),
        {**record("1", 11, 50), "ADY": 12}, {**record("2", 12, 50), "ADY": 0}, record("2", 15, 40), record("2", 15, 60), record("2", 16, 50_000),
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        read_trial(table, subjects=adsl(tmp_path))
    said = str(caught.value)
    for words in (
        'row 2: found subject "9"; expected a subject of adsl.csv', 'row 3, TRTP: found subject 1 in arm "placebo"; expected "active"',
        'row 4, AVAL: found "many"', 'row 5: found unit "g/dL"',
        "row 6, ADY: found 12 beside ADT 2024-01-11 and a first dose on 2024-01-01; expected 11",
        "row 7, ADY: found 0; expected 1 for the day of the first dose",
        "row 8: found subject 2, day 14, with different counts: 40e9/L in adlb.csv, row 8; "
        "60e9/L in adlb.csv, row 9", "row 10: found 50000e9/L",
    ):  # fmt: skip
        assert words in said, words


def test_different_counts_of_one_day_are_settled_by_flag_time_or_schedule(tmp_path: Path) -> None:
    flagged = adlb(tmp_path, record("1", 8, 40, ANL01FL=""), record("1", 8, 60, ANL01FL="Y"))
    data = read_trial(flagged, subjects=adsl(tmp_path))
    assert data.count_1e9_per_L.tolist() == [60]
    assert left_out(data)["another row of that day is the one flagged for analysis"] == 1
    timed = adlb(tmp_path, record("1", 8, 40, ADTM="2024-01-08T14:00"), record("1", 8, 60, ADTM="2024-01-08T08:00"))
    assert read_trial(timed, subjects=adsl(tmp_path)).count_1e9_per_L.tolist() == [60, 40]
    both = adlb(tmp_path, record("1", 8, 40), record("1", 8, 60, AVISIT="UNSCHEDULED"))
    assert read_trial(both, subjects=adsl(tmp_path)).scheduled.tolist() == [True, False]


def test_the_parameter_must_be_one(tmp_path: Path) -> None:
    table = adlb(tmp_path, record("1", 8, 40), record("1", 8, 40, PARAMCD="PLT"))
    with pytest.raises(InputError, match=r"found PARAMCD PLAT, PLT; expected one platelet count.*--param"):
        read_trial(table, subjects=adsl(tmp_path))
    assert read_trial(table, subjects=adsl(tmp_path), param="PLT").day.size == 1
    with pytest.raises(InputError, match="ADLB without ADSL"):
        read_trial(table)


def test_rescues_by_day_date_and_study_day(tmp_path: Path) -> None:
    table, people = adlb(tmp_path, record("1", 8, 40)), adsl(tmp_path)
    for rows in (
        [{"USUBJID": "1", "ASTDY": 15}],
        [{"USUBJID": "1", "ASTDT": "2024-01-15"}],
        [{"subject": "1", "day": 14}],
        [{"subject": "1", "week": 2}],
    ):
        data = read_trial(table, subjects=people, rescue=write(tmp_path / "rescue.csv", rows))
        assert data.subjects[0].rescue_days == (14.0,)
    with pytest.raises(InputError) as caught:
        read_trial(
            table,
            subjects=people,
            rescue=write(tmp_path / "rescue.csv", [{"subject": "7", "day": "3"}, {"subject": "1", "day": ""}]),
        )
    assert 'found subject "7"' in str(caught.value)
    assert "found no day of rescue of subject 1" in str(caught.value)


def test_a_plain_table_alone_and_with_subjects(tmp_path: Path) -> None:
    rows = [
        {"subject": "a", "arm": "x", "week": 1, "count": 60, "unit": "G/L", "site": "1"},
        {"subject": "b", "arm": "y", "week": 2, "count": 45000, "unit": "/uL", "site": "2"},
    ]
    alone = read_trial(write(tmp_path / "c.csv", rows))
    assert (alone.arms, alone.day.tolist(), alone.count_1e9_per_L.tolist()) == (("x", "y"), [7, 14], [60, 45])
    assert alone.subjects[1].factors == {"site": "2"}
    counts, subjects = write_synthetic_trial(tmp_path, 2, per_arm=5)
    whole = read_trial(counts, subjects=subjects)
    assert len(whole.subjects) == 15
    people = pl.read_csv(subjects)
    assert [one.dropped_out for one in whole.subjects] == people["dropout_day"].is_not_null().to_list()
    assert (
        sum(len(one.rescue_days) for one in whole.subjects) == people["rescue_days"].cast(pl.String).str.split(";").list.len().sum()
    )


def test_faults_of_plain_tables(tmp_path: Path) -> None:
    counts = write(tmp_path / "c.csv", [
        {"subject": "a", "arm": "x", "day": 7, "week": 1, "count": 60, "unit": ""}, {"subject": "a", "arm": "y", "day": 14, "week": 2,
                                                                                     "count": 60, "unit": "G/L"},
        {"subject": "a", "arm": "x", "day": 7, "week": 3, "count": "x", "unit": "G/L"}, {"subject": "q", "arm": "x", "day": 7, "week": 1,
                                                                                         "count": 1, "unit": "G/L"},
    ])  # fmt: skip
    people = write(
        tmp_path / "s.csv",
        [{"subject": "a", "arm": "x", "treated": "perhaps", "rescue_days": "3; soon"}, {"subject": "a", "arm": "x"}],
    )
    with pytest.raises(InputError) as caught:
        read_trial(counts, subjects=people)
    said = str(caught.value)
    for words in ("row 2, unit: found no unit", 'found subject a in arm "y"', "day 7 beside week 3", '"x"; expected a number', 'found subject "q"',
                  'treated: found "perhaps"', 'rescue_days: found "soon"', "found subject a again"):  # fmt: skip
        assert words in said, words
    with pytest.raises(InputError, match="no column day or week"):
        read_trial(write(tmp_path / "c.csv", [{"subject": "a", "arm": "x", "count": 1}]))


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("10^9/L", 1), ("x10E9/L", 1), ("10**9/L", 1), ("×10⁹/L", 1), ("GI/L", 1), ("G/L", 1), ("10^3/uL", 1), ("10^3/µL", 1), ("K/mm3", 1), ("/nL", 1),
     ("/uL", 1e-3), ("cells/uL", 1e-3), ("10^6/L", 1e-3), ("10^4/uL", 10), ("/L", 1e-9)],
)  # fmt: skip
def test_units_of_counts(unit: str, factor: float) -> None:
    assert count_1e9_per_L(50_000.0, unit, place="") == pytest.approx(50_000 * factor, rel=1e-15)


def test_what_is_no_unit_of_a_count() -> None:
    assert [canonical_count_unit(u) for u in ("g/dL", "", "mg", "%", "10^9")] == [None] * 5
    assert unit_in_words("Platelets (first) (10^9/L)") == "10^9/L"
    assert unit_in_words("Platelets") is None
    with pytest.raises(UnitError, match="no unit"):
        count_1e9_per_L(1.0, " ", place="here")


def test_the_pilot_study_reads_the_same_from_every_form(reference_data: Path) -> None:
    pilot, other = reference_data / "clinical" / "cdisc-pilot-adam", reference_data / "clinical" / "dataset-json"
    pairs = [
        (pilot / "adtte.xpt", pilot / "adsl.xpt"),
        (other / "adtte.json", other / "adsl.json"),
        (other / "adtte.ndjson", other / "adsl.json"),
    ]
    read = [read_adtte(times, adsl=people) for times, people in pairs]
    texts = {json.dumps(analyse_survival(one).to_dict()) for one in read}
    assert len(texts) == 1
    assert [(a, int((read[0].arm == k).sum())) for k, a in enumerate(read[0].arms)] == [
        ("Placebo", 86),
        ("Xanomeline High Dose", 84),
        ("Xanomeline Low Dose", 84),
    ]
    raw = pl.DataFrame({"c": read[0].event})
    assert raw["c"].sum() == 152
    people = [read_adsl(path) for path in (pilot / "adsl.xpt", other / "adsl.json")]
    assert people[0].subjects == people[1].subjects
    assert sum(one.dropped_out for one in people[0].subjects) + sum(bool(one.completed) for one in people[0].subjects) == 254


def times(folder: Path, *rows: dict[str, Any]) -> Path:
    return write(folder / "adtte.csv", [{"PARAMCD": "RESP", "TRTP": "active", "REGION": "n", **row} for row in rows])


def test_adtte_turns_cnsr_round_and_drops_what_is_missing(tmp_path: Path) -> None:
    data = read_adtte(times(tmp_path, {"USUBJID": "1", "AVAL": 5, "CNSR": 0}, {"USUBJID": "2", "AVAL": 6, "CNSR": 2}, {"USUBJID": "3",
        "AVAL": "", "CNSR": 0}),
                      strata=("REGION",))  # fmt: skip
    assert data.event.tolist() == [True, False]
    assert [(d.row, d.reason) for d in data.dropped] == [(4, "missing AVAL")]
    assert data.strata == ("REGION=n",)


def test_adtte_against_adsl(tmp_path: Path) -> None:
    table = times(tmp_path, {"USUBJID": "1", "AVAL": 5, "CNSR": 0}, {"USUBJID": "2", "AVAL": -6, "CNSR": 0.5}, {"USUBJID": "8", "AVAL": 1, "CNSR": 0},
                  {"USUBJID": "1", "AVAL": 7, "CNSR": 1})  # fmt: skip
    with pytest.raises(InputError) as caught:
        read_adtte(table, adsl=adsl(tmp_path))
    said = str(caught.value)
    for words in ('row 3, TRTP: found subject 2 in arm "active"; expected "placebo"', 'row 4: found subject "8"', "row 5: found subject 1 again",
                  "row 3, CNSR: found 0.5", "row 3, AVAL: found -6"):  # fmt: skip
        assert words in said, words
    several = times(tmp_path, {"USUBJID": "1", "AVAL": 5, "CNSR": 0}, {"USUBJID": "1", "AVAL": 5, "CNSR": 0, "PARAMCD": "LOSS"})
    with pytest.raises(InputError, match=r"2 parameters: RESP, LOSS.*--param"):
        read_adtte(several)
    with pytest.raises(InputError, match=r'no "RSP".*Did you mean "RESP"'):
        read_adtte(several, param="RSP")
    assert read_adtte(several, param="LOSS").time.tolist() == [5]
