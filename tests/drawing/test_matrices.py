"""The heat map of a table: order of lines and columns, colours by table, and what it says without values."""

from __future__ import annotations

import polars as pl
import pytest

from thrombokit.drawing.export import chart_spec, chart_to_svg
from thrombokit.drawing.matrices import matrix_chart
from thrombokit.errors import InputError

TITLES = {"line_title": "dye", "column_title": "detector", "value_title": "spillover, %", "description": "Two dyes."}
CELLS = pl.DataFrame(
    {
        "table": ["one", "one", "two", "two"],
        "line": ["B", "A", "B", "A"],
        "column": ["A", "B", "A", "B"],
        "value": [20.0, 5.0, -1.0, None],
        "text": ["20.0", "5.00", "-1.00", "–"],
    }
)


def test_cells_keep_their_numbers_and_colours_are_shares_of_the_table_s_largest() -> None:
    chart = matrix_chart(CELLS, **TITLES)
    spec = chart_spec(chart)
    (rows,) = spec["datasets"].values()
    assert [row.get("share") for row in rows] == [1.0, 0.25, 0.0, 0.0]
    assert "20.0" in chart_to_svg(chart)


def test_columns_stand_in_the_order_of_the_lines() -> None:
    layers = chart_spec(matrix_chart(CELLS, **TITLES))["spec"]["layer"]
    assert all(layer["encoding"]["x"]["sort"] == ["B", "A"] == layer["encoding"]["y"]["sort"] for layer in layers)


def test_a_table_without_values_is_refused() -> None:
    with pytest.raises(InputError, match=r"heat map of spillover, %: found no cell with a value"):
        matrix_chart(CELLS.with_columns(value=pl.lit(None, dtype=pl.Float64)), **TITLES)
