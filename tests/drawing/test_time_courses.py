"""Time courses: a panel a quantity, a line a treatment, the caption below."""

from __future__ import annotations

import json

import polars as pl
import pytest

from thrombokit.drawing.time_courses import CAPTION_WIDTH, time_course_chart
from thrombokit.errors import InputError

ROWS = pl.DataFrame({
    "treatment": ["a", "a", "b", "b"] * 2, "panel": ["ERK"] * 4 + ["AKT"] * 4, "time_h": [0.0, 24.0] * 4,
    "value": [0.0, 1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 4.0],
})  # fmt: skip


def _chart(rows: pl.DataFrame, caption: str = "all assumed") -> dict[str, object]:
    return time_course_chart(rows, series=["a", "b"], value_title="nM", caption=caption, description="d").to_dict()


def test_panels_lines_and_caption() -> None:
    chart = _chart(ROWS)
    assert chart["title"]["text"] == ["all assumed"]  # pyright: ignore
    assert chart["title"]["orient"] == "bottom"  # pyright: ignore
    assert chart["facet"]["sort"] == ["ERK", "AKT"]  # pyright: ignore
    assert '"a", "b"' in json.dumps(chart)
    assert [layer["mark"]["type"] for layer in chart["spec"]["layer"]] == ["line"]  # pyright: ignore


def test_a_band_is_drawn_where_there_is_one() -> None:
    chart = _chart(ROWS.with_columns(low=pl.col("value") * 0.5, high=pl.col("value") * 2.0))
    assert [layer["mark"]["type"] for layer in chart["spec"]["layer"]] == ["area", "line"]  # pyright: ignore


def test_long_captions_are_broken_and_keep_every_word() -> None:
    caption = " ".join(f"word{k}" for k in range(60))
    lines = _chart(ROWS, caption)["title"]["text"]  # pyright: ignore
    assert " ".join(lines) == caption
    assert max(map(len, lines)) <= CAPTION_WIDTH


def test_nothing_to_draw() -> None:
    with pytest.raises(InputError, match="time courses: found no rows; expected at least one treatment and one quantity"):
        _chart(ROWS.head(0))
