"""Lines of a simulated model: extremes survive thinning, gaps stay gaps, and nothing is drawn from nothing."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.drawing.model_lines import POINTS_MAX, ModelLine, draw_model_lines
from thrombokit.errors import InputError


def rows_of(*lines: ModelLine) -> list[dict[str, float | str | None]]:
    (rows,) = draw_model_lines(lines, time_title="time (min)", value_title="amount (nmol)").to_dict()["datasets"].values()
    return rows


def test_a_spike_of_one_point_is_drawn() -> None:
    values = np.zeros(10_000)
    values[4321] = 7.0
    rows = rows_of(ModelLine(name="S", time=np.arange(10_000.0), values=values))
    assert len(rows) <= POINTS_MAX + 2
    assert {"name": "S", "time": 4321.0, "value": 7.0} in rows
    assert (rows[0]["time"], rows[-1]["time"]) == (0.0, 9999.0)


def test_what_is_not_finite_is_a_gap() -> None:
    rows = rows_of(ModelLine(name="S", time=np.arange(3.0), values=np.array([1.0, np.nan, 3.0])))
    assert [row["value"] for row in rows] == [1.0, None, 3.0]


def test_titles_and_colours_are_in_the_chart() -> None:
    line = ModelLine(name="S", time=np.arange(3.0), values=np.arange(3.0))
    chart = draw_model_lines([line], time_title="time (min)", value_title="amount (nmol)").to_dict()
    assert (chart["encoding"]["x"]["title"], chart["encoding"]["y"]["title"]) == ("time (min)", "amount (nmol)")
    assert chart["encoding"]["color"]["scale"]["domain"] == ["S"]


def test_nothing_to_draw_and_unequal_lengths_are_told() -> None:
    with pytest.raises(InputError, match="Select something besides the time"):
        draw_model_lines([], time_title="time")
    with pytest.raises(InputError, match='line "S": found 3 times beside 2 values'):
        draw_model_lines([ModelLine(name="S", time=np.arange(3.0), values=np.arange(2.0))], time_title="time")
