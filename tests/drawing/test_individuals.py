"""A chart of individuals: every line when there are few, evenly spaced ones when there are many, and that is said."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.drawing.individuals import DRAWN_AT_MOST, POINTS_AT_MOST, individuals_chart
from thrombokit.errors import InputError


def chart_of(n_lines: int, n_points: int) -> dict:
    individual = np.repeat(np.arange(n_lines), n_points)
    time = np.tile(np.linspace(0.0, 10.0, n_points), n_lines)
    labels = [str(100 + line) for line in individual]
    return individuals_chart(
        time=time, values=time + individual, individual=individual, labels=labels, time_title="time (h)", value_title="PLATELET"
    ).to_dict()  # fmt: skip


def rows_of(drawn: dict) -> list[dict]:
    (rows,) = drawn["datasets"].values()
    return rows


def test_few_lines_are_all_drawn() -> None:
    drawn = chart_of(3, 5)
    rows = rows_of(drawn)
    assert rows[0] == {"line": 0, "ID": "100", "time": 0, "value": 0}
    assert len(rows) == 15
    assert drawn["title"]["text"] == ["3 individuals"]
    assert "PLATELET over time (h)" in drawn["description"]


def test_of_many_evenly_spaced_ones_with_their_ends() -> None:
    drawn = chart_of(100, 1000)
    rows = rows_of(drawn)
    assert len({row["line"] for row in rows}) == DRAWN_AT_MOST
    assert {row["line"] for row in rows} >= {0, 99}
    assert len(rows) == DRAWN_AT_MOST * POINTS_AT_MOST
    assert max(row["time"] for row in rows) == 10
    assert drawn["title"]["text"] == [f"{DRAWN_AT_MOST} of 100 individuals"]


def test_nothing_to_draw() -> None:
    with pytest.raises(InputError, match="no values of PLATELET"):
        chart_of(0, 0)
