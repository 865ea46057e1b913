"""Which wells make a curve: vehicle is shared as the bench shares it, and what is wrong in a table is told in one pass."""

from __future__ import annotations

import polars as pl
import pytest

from thrombokit.cells.dose_series import check_table, dose_series
from thrombokit.errors import InputError


def checked(rows: list[dict[str, object]]) -> pl.DataFrame:
    return check_table(pl.DataFrame(rows, infer_schema_length=None), numbers=(), source="counts.csv")


def row(agonist: str, dose: float | None, **more: object) -> dict[str, object]:
    return {"donor": "D1", "agonist": agonist, "concentration_nM": dose, "role": "sample", "plate": "p1"} | more


def test_vehicle_without_an_agonist_is_shared_by_all_agonists_of_the_donor() -> None:
    table = checked([row("", 0.0, role="vehicle"), row("a", 1.0), row("b", 1.0), row("a", 10.0), row("a", 1.0, donor="D2")])
    series = {(s.donor, s.agonist): s.rows.tolist() for s in dose_series(table)}
    assert series == {("D1", "a"): [0, 1, 3], ("D1", "b"): [0, 2], ("D2", "a"): [4]}


def test_vehicle_that_names_an_agonist_of_the_table_is_its_own() -> None:
    table = checked([row("a", 0.0), row("b", 0.0), row("DMSO", 0.0), row("a", 1.0), row("b", 1.0)])
    series = {s.agonist: s.rows.tolist() for s in dose_series(table)}
    assert series == {"a": [0, 2, 3], "b": [1, 2, 4]}


def test_vehicle_of_the_same_plate_goes_before_that_of_others() -> None:
    table = checked([row("", 0.0), row("", 0.0, plate="p2"), row("a", 1.0), row("b", 1.0, plate="p3")])
    series = {s.agonist: s.rows.tolist() for s in dose_series(table)}
    assert series == {"a": [0, 2], "b": [0, 1, 3]}


def test_a_positive_control_is_a_curve_from_four_doses_and_untreated_wells_never() -> None:
    few = [row("rhTPO", 10.0, role="positive_control"), row("a", 1.0), row("", None, role="untreated")]
    many = [row("rhTPO", dose, role="positive_control") for dose in (1.0, 10.0, 100.0, 1000.0)]
    assert [s.agonist for s in dose_series(checked(few))] == ["a"]
    assert [s.agonist for s in dose_series(checked(many))] == ["rhTPO"]


def test_days_and_panels_are_series_of_their_own() -> None:
    rows = [row("a", 1.0, day_d=7.0), row("a", 1.0, day_d=12.0), row("a", 1.0, day_d=12.0, panel="PI"), row("a", 1.0, day_d=None)]
    found = [(s.day_d, s.panel, s.rows.tolist()) for s in dose_series(checked(rows))]
    assert found == [(7.0, "", [0]), (12.0, "", [1]), (12.0, "PI", [2]), (None, "", [3])]


def test_tubes_stained_otherwise_than_in_full_take_no_part() -> None:
    rows = [row("a", 1.0, kind="full"), row("a", 1.0, kind="fmo"), row("", None, kind="unstained"), row("", 0.0, kind="fmo")]
    assert [s.rows.tolist() for s in dose_series(checked(rows))] == [[0]]


def test_all_faults_are_told_at_once_with_row_and_cure() -> None:
    rows = [row("a", -1.0), row("", 5.0), row("a", 1.0, donor=" "), row("a", 1.0, role="vehikle"), row("a", None)]
    with pytest.raises(InputError) as caught:
        checked(rows)
    said = str(caught.value)
    assert "counts.csv, row 2, column concentration_nM: found -1" in said
    assert "counts.csv, row 6, column concentration_nM: found nothing" in said
    assert "counts.csv, row 3, column agonist: found nothing; expected the agonist of a dose above 0. Name the agonist." in said
    assert "counts.csv, row 4, column donor: found nothing; expected the donor's name: n is donors" in said
    assert 'row 5, column role: found "vehikle"' in said
    assert 'Did you mean "vehicle"?' in said
    assert len(caught.value.faults) == 5


def test_text_for_a_number_is_told_with_its_place() -> None:
    with pytest.raises(InputError, match=r'counts.csv, row 3, column concentration_nM: found "30 nM"; expected a number'):
        checked([row("a", "1"), row("a", "30 nM")])  # type: ignore[arg-type]


def test_numbers_written_as_text_are_read() -> None:
    assert checked([row("a", " 1.5 ")])["concentration_nM"].to_list() == [1.5]  # type: ignore[arg-type]


def test_a_missing_column_and_an_empty_table_are_told() -> None:
    with pytest.raises(InputError, match=r"found columns donor; expected columns donor, agonist, concentration_nM, count"):
        check_table(pl.DataFrame({"donor": ["D1"]}), numbers=("count",), source="counts.csv")
    with pytest.raises(InputError, match="found no rows"):
        check_table(
            pl.DataFrame(schema={"donor": pl.String, "agonist": pl.String, "concentration_nM": pl.Float64}), numbers=(), source="x"
        )


def test_a_table_of_controls_alone_holds_no_series() -> None:
    table = checked([row("", 0.0, role="vehicle"), row("rhTPO", 10.0, role="positive_control")])
    with pytest.raises(
        InputError, match=r"counts.csv: found only control wells; expected a dose series: .* Check the columns role"
    ):
        dose_series(table, source="counts.csv")
