"""tables.xlsx read back: every number, no formula, the same bytes."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from thrombokit.plate.result import PlateResult, QualityCheck
from thrombokit.plate.tables import quality_table, ratio_table
from thrombokit.report.tables import check_words, potency_table, published_table, runs_left_out
from thrombokit.report.workbook import write_workbook
from thrombokit.study.result import StudyResult

SHEETS = ["answer", "potencies", "ratios", "fits", "quality", "wells", "published", "provenance"]


@pytest.fixture(scope="module")
def book(study: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    return openpyxl.load_workbook(write_workbook(study, tmp_path_factory.mktemp("book") / "out" / "tables.xlsx"))


def _cells(book: openpyxl.Workbook, name: str) -> list[tuple[Any, ...]]:
    return list(book[name].iter_rows(values_only=True))


def _expected(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    def cell(value: object) -> object:
        return None if value == "" or (isinstance(value, float) and not math.isfinite(value)) else value

    return [tuple(frame.columns), *(tuple(cell(value) for value in row) for row in frame.iter_rows())]


def _assert_same(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    assert len(found) == len(expected)
    for got, want in zip(found, expected, strict=True):
        for one, other in zip(got, want, strict=True):
            assert one == (pytest.approx(other, rel=1e-14) if isinstance(other, float) else other)


def test_every_table_reads_back_as_it_was(book: openpyxl.Workbook, study: StudyResult, plate: PlateResult) -> None:
    assert book.sheetnames == SHEETS
    frames = {
        "potencies": potency_table(plate), "ratios": ratio_table(plate), "fits": plate.fits, "quality": quality_table(plate).drop("operator"),
        "wells": plate.wells, "published": published_table(study.published),
    }  # fmt: skip
    for name, frame in frames.items():
        _assert_same(_cells(book, name), _expected(frame))


def test_headers_stay_in_view(book: openpyxl.Workbook) -> None:
    assert {book[name].freeze_panes for name in SHEETS[1:]} == {"A2"}


def test_the_answer_says_synthetic_and_research_use(book: openpyxl.Workbook) -> None:
    lines = [row[0] for row in _cells(book, "answer")]
    assert lines[0] == "Hetrombopag and six others, 32D-MPL and CD34+"
    assert lines[1] == "Research use only. Not for diagnosis or treatment."
    assert lines[2].startswith("Synthetic data: every signal")
    assert any("33.5-fold below the EC50 of eltrombopag" in line for line in lines)
    assert ("study", "synthetic", "yes") in _cells(book, "provenance")
    assert book.properties.description == "Synthetic data."


def test_provenance_names_inputs_and_hides_the_operator(book: openpyxl.Workbook, study: StudyResult) -> None:
    rows = _cells(book, "provenance")
    assert all(("input", name, digest) in rows for name, digest in study.provenance.inputs)
    assert ("study", "seed", "11") in rows
    values = [row[2] for row in rows]
    assert 'operator = "(not shown)"' in values
    assert not any("OP-7" in str(value) for value in values)


def test_the_same_result_gives_the_same_bytes(changed: Callable[..., StudyResult], tmp_path: Path) -> None:
    first, second = (write_workbook(changed(), tmp_path / name).read_bytes() for name in ("a.xlsx", "b.xlsx"))
    assert first == second
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").properties.created == datetime.datetime(2000, 1, 1)


def test_text_stays_text_and_not_finite_stays_empty(
    changed: Callable[..., StudyResult], plate: PlateResult, tmp_path: Path
) -> None:
    names = ["=1+1", "+2", "-3", "@SUM(A1)", "https://example.org", "12.5"]
    wells = plate.wells.head(6).with_columns(agonist=pl.Series(names), signal=pl.Series([math.nan, math.inf, None, 1e-5, 0.0, 3.0]))
    study = changed(plate=dataclasses.replace(plate, wells=wells), title="=HYPERLINK()")
    book = openpyxl.load_workbook(write_workbook(study, tmp_path / "t.xlsx"))
    sheet, column = book["wells"], wells.columns.index("agonist") + 1
    cells = [sheet.cell(row, column) for row in range(2, 8)]
    assert [cell.value for cell in cells] == names
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.hyperlink for cell in cells} == {None}
    signal = [sheet.cell(row, wells.columns.index("signal") + 1).value for row in range(2, 8)]
    assert signal == [None, None, None, 1e-5, 0, 3]
    assert book["answer"]["A1"].data_type == "s"


def test_a_study_without_plates_keeps_all_sheets(changed: Callable[..., StudyResult], tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_workbook(changed(plate=None, published=()), tmp_path / "t.xlsx"))
    assert book.sheetnames == ["answer", "potencies", "ratios", "quality", "fits", "wells", "published", "provenance"]
    assert "No plates were analysed in this study." in [row[0] for row in _cells(book, "answer")]


def test_the_operator_is_told_only_where_allowed(changed: Callable[..., StudyResult], plate: PlateResult, tmp_path: Path) -> None:
    quality = tuple(dataclasses.replace(q, operator="OP-9") for q in plate.quality)
    coded = dataclasses.replace(plate, quality=quality)
    for show in (True, False):
        book = openpyxl.load_workbook(write_workbook(changed(plate=coded, show_operator=show), tmp_path / "t.xlsx"))
        told = [cell for row in _cells(book, "quality") for cell in row if cell == "OP-9"]
        assert bool(told) == show


def test_runs_with_the_same_reason_stand_together(plate: PlateResult) -> None:
    potency = plate.potencies[0]
    left_out = (("run 1", "flat"), ("run 2", "plate p failed"), ("run 3", "flat"))
    assert runs_left_out(dataclasses.replace(potency, runs_left_out=left_out)) == "run 1, run 3: flat; run 2: plate p failed"
    by_number = dataclasses.replace(potency, runs_left_out=(("1", "flat"), ("donor A", "flat")))
    assert runs_left_out(by_number) == "run 1, donor A: flat"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("vehicle_cv_pct", 17.04, "vehicle CV 17 %"), ("z_prime", 0.5142, "Z' 0.514"), ("my_own_check", 2.0, "my own check 2"),
     ("ssmd", None, "SSMD"), ("ssmd", math.nan, "SSMD")],
)  # fmt: skip
def test_quality_figures_in_words(name: str, value: float | None, words: str) -> None:
    assert check_words(QualityCheck(check=name, value=value, status="pass", reason="")) == words


def test_quality_light_of_a_potency_follows_its_plates(plate: PlateResult) -> None:
    rows = potency_table(plate)
    lights = dict(zip(rows["cell_system"].to_list(), zip(rows["quality"], rows["quality_reason"], strict=True), strict=True))
    assert lights == {"32D-MPL": ("warn", "1 of 6 plates failed and left out"), "CD34+": ("warn", "1 of 6 plates with a warning")}
    failed = tuple(dataclasses.replace(q, status="fail") for q in plate.quality)
    passed = tuple(dataclasses.replace(q, status="pass") for q in plate.quality)
    for quality, light in ((failed, "fail"), (passed, "pass")):
        assert set(potency_table(dataclasses.replace(plate, quality=quality))["quality"]) == {light}
