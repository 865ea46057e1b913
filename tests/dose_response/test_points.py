"""The table of points: every fault in one pass, with its row; order kept or asked for."""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl
import pytest

from thrombokit.dose_response.points import points_from_table
from thrombokit.errors import FileFormatError

GOOD = pl.DataFrame(
    {
        "curve": ["a", "a", "b", "b"],
        "concentration_nM": [0.0, 10.0, 1.0, 2.0],
        "response": [1.0, 2.0, None, 4.0],
        "weight": [1.0] * 4,
    }
)


def faults_of(table: pl.DataFrame, **options: object) -> list[str]:
    with pytest.raises(FileFormatError) as caught:
        points_from_table(table, source="t.csv", **options)  # type: ignore[arg-type]
    return [str(fault) for fault in caught.value.faults]


def test_a_good_table() -> None:
    points = points_from_table(GOOD)
    assert (points.n_curves, points.has_runs) == (2, False)
    assert points.keys["curve"].to_list() == ["a", "b"]
    assert points.x.tolist() == [-np.inf, np.log(10.0), np.log(2.0)]
    assert points.y.tolist() == [1.0, 2.0, 4.0]
    assert (points.starts.tolist(), points.n_excluded.tolist()) == ([0, 2, 3], [0, 1])
    part = pickle.loads(pickle.dumps(points)).slice(1, 2)
    assert (part.keys["curve"].to_list(), part.y.tolist(), part.starts.tolist()) == (["b"], [4.0], [0, 1])


def test_missing_columns_and_no_rows() -> None:
    assert faults_of(GOOD.drop("response", "curve")) == [
        "t.csv: found columns concentration_nM, weight; expected columns curve, concentration_nM, response, optional weight and run. "
        "Add curve, response."
    ]
    assert "found no rows" in faults_of(GOOD.clear())[0]


def test_all_faults_come_in_one_pass_with_their_rows() -> None:
    table = pl.DataFrame(
        {
            "curve": ["a"] * 6,
            "concentration_nM": [-1.0, float("nan"), float("inf"), None, 1.0, 2.0],
            "response": [1.0, 2.0, 3.0, 4.0, float("inf"), float("nan")],
            "weight": [1.0, 0.0, -2.0, None, float("inf"), 1.0],
        }
    )
    said = faults_of(table)
    places = [text.split(": found")[0] for text in said]
    assert places == [
        *(f"t.csv, row {row}, column concentration_nM" for row in (2, 3, 4, 5)),
        *(f"t.csv, row {row}, column response" for row in (6, 7)),
        *(f"t.csv, row {row}, column weight" for row in (3, 4, 5, 6)),
    ]
    assert said[0].endswith("found -1.0; expected a dose in nM, 0 or more (0 = vehicle). Correct the cell or drop the row.")


def test_text_where_a_number_should_be() -> None:
    table = GOOD.with_columns(response=pl.Series(["1,5", "2", "x", None]))
    said = faults_of(table)
    assert [text.split(";")[0] for text in said] == [
        't.csv, row 2, column response: found "1,5"',
        't.csv, row 4, column response: found "x"',
    ]
    assert "Write the decimal sign as a point" in said[0]
    numbers_as_text = GOOD.with_columns(response=pl.Series(["1.5", " 2 ", None, "4e1"]))
    assert points_from_table(numbers_as_text).y.tolist() == [1.5, 2.0, 40.0]


def test_empty_names() -> None:
    table = GOOD.with_columns(curve=pl.Series(["a", "", None, "b"]), run=pl.Series(["1", "1", "1", None]))
    said = faults_of(table)
    assert [text.split(":")[0] for text in said] == ["t.csv, row 3", "t.csv, row 4", "t.csv, row 5"]
    assert "found an empty name; expected curve and run in every row. Fill in the name." in said[0]


def test_scattered_curves_are_refused_or_gathered() -> None:
    scattered = GOOD[[2, 0, 3, 1]].with_columns(response=pl.Series([3.0, 1.0, 4.0, 2.0]))
    assert faults_of(scattered) == [
        't.csv, row 4: found curve "b" again, after other curves; expected all rows of a curve next to each other. '
        "Sort the file by curve, or pass --sort.",
        't.csv, row 5: found curve "a" again, after other curves; expected all rows of a curve next to each other. '
        "Sort the file by curve, or pass --sort.",
    ]
    points = points_from_table(scattered, sort=True)
    assert points.keys["curve"].to_list() == ["b", "a"], "in order of first appearance"
    assert points.y.tolist() == [3.0, 4.0, 1.0, 2.0]


def test_the_same_curve_in_two_runs_is_two_curves() -> None:
    points = points_from_table(GOOD.with_columns(curve=pl.lit("a"), run=pl.Series(["1", "1", "2", "2"])))
    assert points.keys.rows() == [("a", "1"), ("a", "2")]
    assert points.has_runs


def test_no_more_than_twenty_faults_of_a_kind() -> None:
    table = pl.DataFrame({"curve": ["a"] * 50, "concentration_nM": [-1.0] * 50, "response": [1.0] * 50})
    assert len(faults_of(table)) == 20
