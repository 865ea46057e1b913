"""The survival chart: every arm drawn, numbers at risk on the axis' scale, no step lost that the eye could see."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit import InputError, analyse_survival, survival_data
from thrombokit.drawing.export import chart_spec, chart_to_svg
from thrombokit.drawing.survival import StepCurves, round_ticks, survival_chart
from thrombokit.trials.survival import SurvivalResult


def result_of(n: int = 40, *, n_causes: int = 1, conf_type: str = "log") -> SurvivalResult:
    rng = np.random.default_rng(8)
    data = survival_data(
        time=np.ceil(rng.exponential(6.0, n)), cause=rng.integers(0, n_causes + 1, n), arm=np.arange(n) % 2, arms=("placebo", "active"),
        causes=("response", "rescue")[:n_causes], time_name="week",
    )  # fmt: skip
    return analyse_survival(data, conf_type=conf_type)


def layers_of(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def rows_of(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    data = layer["data"]
    return data["values"] if "values" in data else spec["datasets"][data["name"]]


@pytest.mark.parametrize("conf_type", ["log", "log-log", "plain"])
def test_the_lines_are_the_curves(conf_type: str) -> None:
    result = result_of(conf_type=conf_type)
    spec = chart_spec(result.plot())
    (line,) = layers_of(spec, "line")
    rows = rows_of(spec, line)
    for arm in result.arms:
        drawn = [(row["time"], row["value"]) for row in rows if row["arm"] == arm.name]
        assert drawn[0] == (0, 1)
        assert [value for _, value in drawn] == pytest.approx(
            arm.curve.at(np.array([t for t, _ in drawn])).tolist(), rel=1e-3, abs=1e-4
        )
        assert all("low" in row and "high" in row for row in rows if row["arm"] == arm.name)
    assert line["mark"]["interpolate"] == "step-after"


def test_numbers_at_risk() -> None:
    result = result_of()
    spec = chart_spec(result.plot())
    shown = [rows_of(spec, layer) for layer in layers_of(spec, "text") if layer["encoding"]["text"]["field"] == "n"]
    assert [rows[0]["n"] for rows in shown] == [arm.n for arm in result.arms]
    for arm, rows in zip(result.arms, shown, strict=True):
        inside = result.data.arm == result.data.arms.index(arm.name)
        assert [row["n"] for row in rows] == [int((result.data.time[inside] >= row["time"]).sum()) for row in rows]
    svg = chart_to_svg(result.plot())
    assert [word for word in ("At risk", "placebo", "active", "week", "Kaplan-Meier") if word not in svg] == []


def test_incidence_has_a_dash_for_each_cause_and_a_band_for_the_event() -> None:
    result = result_of(n_causes=2)
    spec = chart_spec(result.plot_incidence())
    (line,) = layers_of(spec, "line")
    assert line["encoding"]["strokeDash"]["scale"]["domain"] == ["response", "rescue"]
    rows = rows_of(spec, line)
    assert {row["cause"] for row in rows if "low" in row} == {"response"}
    assert {row["value"] for row in rows if row["time"] == 0} == {0}
    alone = chart_spec(result_of().plot_incidence())
    assert "strokeDash" not in layers_of(alone, "line")[0]["encoding"]


def test_many_subjects_make_no_heavy_chart() -> None:
    rng = np.random.default_rng(9)
    data = survival_data(time=rng.exponential(6.0, 20_000), cause=(rng.random(20_000) < 0.7).astype(np.int64))
    result = analyse_survival(data)
    spec = chart_spec(result.plot())
    rows = rows_of(spec, layers_of(spec, "line")[0])
    assert len(rows) < 600
    drawn = np.array([row["value"] for row in rows])
    assert np.abs(np.diff(drawn)).max() < 0.01
    assert rows[-1]["time"] == pytest.approx(float(data.time.max()), rel=1e-3)


@given(st.floats(1e-6, 1e6))
def test_round_ticks(end: float) -> None:
    ticks = round_ticks(end)
    assert ticks[0] == 0.0
    assert 2 <= len(ticks) <= 10
    assert ticks[-1] <= end * (1 + 1e-6)
    assert ticks[-1] + ticks[1] > end * (1 - 1e-6)
    assert f"{ticks[1]:.0e}"[0] in "125"


def test_nothing_to_draw() -> None:
    assert round_ticks(0.0) == (0.0,)
    none = pl.DataFrame(schema={"arm": pl.String, "time": pl.Float64, "value": pl.Float64})
    with pytest.raises(InputError, match="survival chart: found no curve"):
        survival_chart(StepCurves(curves=none, censored=none, at_risk=none), arms=(), causes=(), x_title="", y_title="", caption="",
                       description="")  # fmt: skip


def test_all_events_at_time_zero_can_be_drawn() -> None:
    result = analyse_survival(survival_data(time=np.zeros(3), cause=np.ones(3, np.int64)))
    assert chart_to_svg(result.plot()).startswith("<svg")
