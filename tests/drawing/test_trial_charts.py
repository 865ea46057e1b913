"""Charts of a trial: what is drawn, and what cannot be."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from thrombokit.drawing.export import chart_spec, chart_to_svg
from thrombokit.drawing.response_by_visit import response_by_visit_chart
from thrombokit.drawing.spaghetti import spaghetti_chart
from thrombokit.drawing.subgroup_forest import subgroup_forest_chart
from thrombokit.drawing.subject_flow import FlowColumn, subject_flow_chart
from thrombokit.drawing.swimmer import swimmer_chart
from thrombokit.drawing.waterfall import waterfall_chart
from thrombokit.errors import InputError

SHARES = pl.DataFrame(
    {
        "arm": ["a", "a", "b"],
        "week": [1.0, 2.0, 1.0],
        "share": [0.5, None, 0.2],
        "low": [0.3, None, 0.1],
        "high": [0.7, None, 0.4],
        "n": [9, 0, 8],
    }
)
FOREST = pl.DataFrame({"arm": ["a", "a"], "label": ["all", "sex: F"], "whole": [True, False], "difference": [0.2, None], "low": [-0.1,
    None], "high": [0.5, None],
                       "counts": ["4/9 vs 2/9", "0/0 vs 1/3"]})  # fmt: skip


def rows_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The one data set of a chart."""
    (rows,) = spec["datasets"].values()
    return rows


def test_shares_by_visit() -> None:
    spec = chart_spec(response_by_visit_chart(SHARES, arms=("a", "b"), y_title="responding", caption="Wilson", description="d"))
    drawn = json.dumps(spec)
    assert drawn.count('"share": 0.5') == 1  # one data set behind rule, line and point
    assert '"n": 0' in drawn
    with pytest.raises(InputError, match="found no share"):
        response_by_visit_chart(
            SHARES.with_columns(share=pl.lit(None, pl.Float64)), arms=("a",), y_title="", caption="", description=""
        )


def test_flow() -> None:
    columns = [
        FlowColumn(arm=name, boxes=(("Enrolled 3", ()), ("Dropped out 1", ("a reason much longer than a box is wide can be 1",))))
        for name in ("a", "b")
    ]
    svg = chart_to_svg(subject_flow_chart(columns, description="d"))
    assert svg.count(">Enrolled 3<") == 2
    assert "…" in svg
    with pytest.raises(InputError, match="arms with different numbers of boxes"):
        subject_flow_chart([columns[0], FlowColumn(arm="b", boxes=())], description="d")
    with pytest.raises(InputError, match="no arm"):
        subject_flow_chart([], description="d")


def test_forest_writes_counts_also_where_there_is_no_difference() -> None:
    svg = chart_to_svg(subgroup_forest_chart(FOREST, arms=("a",), x_title="difference", caption="c", description="d"))
    assert "0/0 vs 1/3" in svg
    with pytest.raises(InputError, match="found no difference"):
        subgroup_forest_chart(FOREST.tail(1), arms=("a",), x_title="", caption="", description="")


def test_waterfall_falls() -> None:
    rows = pl.DataFrame(
        {"arm": ["a"] * 3, "subject": ["x", "y", "z"], "value": [1.0, 30.0, -4.0], "responded": [False, True, False]}
    )
    spec = chart_spec(waterfall_chart(rows, arms=("a",), y_title="change", caption="c", description="d"))
    assert [(row["subject"], row["place"]) for row in rows_of(spec)] == [("y", 0), ("x", 1), ("z", 2)]
    with pytest.raises(InputError, match="found no subject"):
        waterfall_chart(rows.clear(), arms=("a",), y_title="", caption="", description="")


def test_swimmers_are_ordered_by_their_end() -> None:
    lanes = pl.DataFrame({"arm": ["a", "a"], "subject": ["x", "y"], "end": [3.0, 8.0]})
    events = pl.DataFrame({"arm": ["a"], "subject": ["x"], "time": [2.0], "event": ["rescue"]})
    spec = chart_spec(
        swimmer_chart(
            lanes, events, arms=("a",), marks={"rescue": ("#000000", "circle")}, x_title="week", caption="c", description="d"
        )
    )
    assert [(row["kind"], row["subject"], row["lane"]) for row in rows_of(spec)] == [
        ("lane", "y", 0),
        ("lane", "x", 1),
        ("event", "x", 1),
    ]
    with pytest.raises(InputError, match="found no subject"):
        swimmer_chart(lanes.clear(), events, arms=("a",), marks={}, x_title="", caption="", description="")


def test_counts_below_one_are_drawn_at_one() -> None:
    middles = pl.DataFrame(
        {"arm": ["a", "a"], "time": [1.0, 2.0], "median": [0.5, None], "lower": [0.0, None], "upper": [4.0, None]}
    )
    lines = pl.DataFrame({"arm": ["a"], "subject": ["x"], "time": [1.0], "value": [0.0]})
    chart = spaghetti_chart(middles, lines, arms=("a",), levels=(50.0,), x_title="week", y_title="y", caption="c", description="d")
    rows = rows_of(chart_spec(chart))
    assert [row.get("median", row.get("value", row.get("level"))) for row in rows] == [1, 1, 50]
    with pytest.raises(InputError, match="found no count"):
        spaghetti_chart(middles.tail(1), lines, arms=("a",), levels=(), x_title="", y_title="", caption="", description="")
