"""Three significant digits for readers, four behind charts."""

from __future__ import annotations

import math
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.drawing.numerals import chart_records, three_digits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.41, "0.410"), (13.4, "13.4"), (1234.5, "1230"), (9.996, "10.0"), (0.9996, "1.00"), (999.6, "1000"), (0.0, "0"), (100.0, "100"),
        (-2.345, "-2.35"), (1.5e-5, "1.50e-5"), (2.5e7, "2.50e7"), (0.00012345, "0.000123"), (None, "–"), (math.nan, "–"), (math.inf, "–"),
    ],
)  # fmt: skip
def test_three_digits_as_written(value: float | None, text: str) -> None:
    assert three_digits(value) == text


@given(st.floats(min_value=1e-9, max_value=1e9))
def test_three_digits_reads_back_to_within_half_a_digit(value: float) -> None:
    text = three_digits(value)
    assert float(text) == pytest.approx(value, rel=0.0051)
    digits = re.sub(r"e.*|[.]|^0+[.]?0*", "", text)
    assert len(digits.lstrip("0")) >= 3 or float(text) >= 100


@given(st.floats(min_value=1e-9, max_value=1e9))
def test_chart_data_keep_four_digits(value: float) -> None:
    (row,) = chart_records(pl.DataFrame({"x": [value]}))
    assert row["x"] == pytest.approx(value, rel=5.1e-4)
    assert float(f"{float(row['x'] or 0):.4g}") == row["x"]


def test_chart_records_leave_out_what_is_missing() -> None:
    frame = pl.DataFrame({"x": [1.0, None, math.nan, math.inf], "word": ["a", None, "c", "d"], "flag": [True, False, None, True]})
    assert chart_records(frame) == [
        {"x": 1, "word": "a", "flag": True},
        {"flag": False},
        {"word": "c"},
        {"word": "d", "flag": True},
    ]
