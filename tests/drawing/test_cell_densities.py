"""Densities, time traces and the gating strategy: what is drawn, where, how large it is, and what is refused."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import altair as alt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from thrombokit.drawing.densities import BINS_MAX, DensityPanel, Outline, density_chart
from thrombokit.drawing.export import chart_spec, chart_to_svg
from thrombokit.drawing.gating_strategy import gating_strategy_chart
from thrombokit.drawing.panels import LABEL_GAP, TICK_GAP, PanelAxis, decade_ticks, linear_ticks, power_words, short_words
from thrombokit.drawing.traces import POINTS_MAX, TimePanel
from thrombokit.errors import InputError
from thrombokit.numerics.streams import stream
from thrombokit.report.embedding import packed_spec

TOP = 262144.0


def _asinh(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.arcsinh(np.asarray(values) / 150.0) / np.arcsinh(TOP / 150.0)


def _panel(counts: NDArray[np.int64], heading: str = "Single cells", outlines: tuple[Outline, ...] = ()) -> DensityPanel:
    edges = [np.linspace(0.0, 1.0, n + 1) for n in counts.shape]
    return DensityPanel(heading=heading, x_title="FSC-A", y_title="FSC-H", x_edges=edges[0], y_edges=edges[1], counts=counts,
                        outlines=outlines, x_ticks=linear_ticks(0.0, 1.0), y_ticks=linear_ticks(0.0, 1.0))  # fmt: skip


def _rows(chart: alt.FacetChart, kind: str) -> list[dict[str, Any]]:
    (rows,) = chart_spec(chart)["datasets"].values()
    return [row for row in rows if row["kind"] == kind]


def _density(panel: DensityPanel) -> alt.FacetChart:
    return density_chart([panel], description="a density")


def _time_panel(**changes: Any) -> TimePanel:
    parts: dict[str, Any] = {
        "heading": "Time", "time": np.arange(0.5, 60.0), "rate": np.full(60, 500.0),
        "signals": {"FSC-A": np.full(60, 100.0)}, "removed": ((30.0, 33.0),),
    }  # fmt: skip
    return TimePanel(**{**parts, **changes})


@settings(max_examples=20)
@given(st.tuples(st.integers(1, 200), st.integers(1, 200)), st.integers(0, 10_000))
def test_summing_bins_keeps_every_event_and_the_size_small(shape: tuple[int, int], seed: int) -> None:
    counts = stream(seed, "density").poisson(0.02, shape).astype(np.int64)
    bins = _rows(_density(_panel(counts)), "bin")
    assert sum(row["c"] for row in bins) == counts.sum()
    assert all(0 <= row["x"] < BINS_MAX and 0 <= row["y"] < BINS_MAX for row in bins)
    assert len(bins) <= (counts > 0).sum(), "empty bins are not drawn"


@pytest.mark.parametrize("n", [10, 64, 65, 100, 128, 129, 200])
def test_a_summed_bin_covers_the_place_its_events_came_from(n: int) -> None:
    counts = np.zeros((n, 3), dtype=np.int64)
    counts[n - 1, 1] = 7
    chart = _density(_panel(counts))
    (row,) = _rows(chart, "bin")
    layer = next(one for one in chart_spec(chart)["spec"]["layer"] if any(t.get("as") == "left" for t in one.get("transform", [])))
    formula = next(t["calculate"] for t in layer["transform"] if t.get("as") == "left")
    width = float(formula.split("[")[1].split("]")[0])
    assert row["x"] * width <= (n - 1) / n < (row["x"] + 1) * width + 1e-12


def test_a_density_of_fifty_thousand_events_packs_into_forty_kilobytes() -> None:
    rng = stream(1, "many events")
    x, y = _asinh(rng.lognormal(8.0, 1.2, 50_000)), _asinh(rng.normal(3_000.0, 2_500.0, 50_000))
    edges = np.linspace(float(_asinh(np.array(-1_000.0))), 1.0, 129)
    counts, *_ = np.histogram2d(x, y, bins=(edges, edges))
    panel = _panel(counts.astype(np.int64))
    packed = json.dumps(packed_spec(chart_spec(_density(panel))), separators=(",", ":"))
    assert len(packed) <= 40_000


def test_counts_are_shortened_to_two_digits_for_the_colour() -> None:
    counts = np.array([[1, 99], [1234, 100]], dtype=np.int64)
    assert sorted(row["c"] for row in _rows(_density(_panel(counts)), "bin")) == [1, 99, 100, 1200]


def test_the_gate_is_closed_labelled_and_cut_at_the_edge_of_the_panel() -> None:
    gate = Outline(vertices=np.array([[0.5, -math.inf], [math.inf, -math.inf], [math.inf, 0.75], [0.5, 0.75]]), label="94.2 %")
    chart = _density(_panel(np.ones((4, 4), dtype=np.int64), outlines=(gate,)))
    corners = [(row["x"], row["y"]) for row in sorted(_rows(chart, "gate"), key=lambda row: row["step"])]
    assert corners == [(0.5, 0.0), (1.0, 0.0), (1.0, 0.75), (0.5, 0.75), (0.5, 0.0)]
    (label,) = _rows(chart, "gate label")
    assert label["text"] == "94.2 %"
    assert 0.5 < label["x"] < 1.0
    assert label["y"] < 0.75, "inside the gate"
    assert ">94.2 %<" in chart_to_svg(chart)


def test_an_open_outline_is_a_line_and_a_label_stands_where_asked() -> None:
    cut = Outline(vertices=np.array([[0.25, 0.0], [0.25, 1.0]]), closed=False, label="3.0 %", label_at=(0.6, 0.9))
    chart = _density(_panel(np.ones((4, 4), dtype=np.int64), outlines=(cut,)))
    assert len(_rows(chart, "gate")) == 2
    (label,) = _rows(chart, "gate label")
    assert (label["x"], label["y"]) == (0.6, 0.9)


def test_arrays_of_a_panel_cannot_be_written_to() -> None:
    panel = _panel(np.ones((2, 2), dtype=np.int64), outlines=(Outline(vertices=np.array([[0.0, 0.0], [1.0, 1.0]])),))
    for array in (panel.counts, panel.x_edges, panel.outlines[0].vertices):
        with pytest.raises(ValueError, match="read-only"):
            array.flat[0] = 9


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"counts": np.ones((2, 3), dtype=np.int64)}, r"counts of shape \(2, 3\) between 3 and 3 edges"),
        ({"x_edges": np.array([0.0, 1.0, 3.0])}, "edges that do not rise in equal steps"),
        ({"x_edges": np.array([0.0, math.nan, 1.0])}, "edges that do not rise in equal steps"),
        ({"counts": np.array([[1, 1], [-2, 1]])}, "a count of -2"),
    ],
)
def test_what_is_no_density_is_refused(changes: dict[str, Any], found: str) -> None:
    edges = np.array([0.0, 1.0, 2.0])
    parts: dict[str, Any] = {"heading": "Live", "x_title": "x", "y_title": "y", "x_edges": edges, "y_edges": edges,
                             "counts": np.ones((2, 2), dtype=np.int64)}  # fmt: skip
    with pytest.raises(InputError, match=rf'density "Live": found {found}; expected counts >= 0 .* Bin the events with even edges'):
        DensityPanel(**{**parts, **changes})


def test_headings_must_tell_panels_apart() -> None:
    panel = _panel(np.ones((2, 2), dtype=np.int64))
    with pytest.raises(InputError, match=r"found the heading 'Single cells' twice; .* Name the tube or the step in the heading\."):
        density_chart([panel, panel], description="two")
    with pytest.raises(InputError, match=r"found no panel; .* Leave the picture out\."):
        density_chart([], description="none")


def test_headings_and_titles_may_hold_anything_a_user_types() -> None:
    names = ["quote \" ' `", "line \u2028 separator", "back \\ slash", "</script>", "${datum}"]
    panels = [_panel(np.ones((2, 2), dtype=np.int64), heading=name) for name in names]
    svg = chart_to_svg(gating_strategy_chart([*panels, _time_panel(signals={names[0]: np.full(60, 99.0)})], description="d"))
    places = [svg.index(word) for word in ("quote", "separator", "slash", "&lt;/script", "${datum}")]
    assert places == sorted(places), "panels stand in the order given"


def test_an_axis_that_does_not_rise_is_refused() -> None:
    with pytest.raises(InputError, match=r'axis "CD41": found an axis from 1 to 1; expected low < high'):
        PanelAxis(title="CD41", low=1.0, high=1.0)


@pytest.mark.parametrize(("value", "words"), [(0.0, "0"), (1e3, "10³"), (-1e4, "−10⁴"), (1e12, "10¹²")])
def test_powers_in_words(value: float, words: str) -> None:
    assert power_words(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.0, "0"), (50_000.0, "50k"), (1.5e6, "1.5M"), (-4.0, "−4"), (0.25, "0.25")])
def test_round_numbers_in_words(value: float, words: str) -> None:
    assert short_words(value) == words


def test_ticks_of_a_scale_through_zero_name_linear_values_of_both_signs() -> None:
    ticks = decade_ticks(-2_000.0, TOP, _asinh)
    labels = [tick.label for tick in ticks if tick.label]
    assert labels == ["−10³", "0", "10³", "10⁴", "10⁵"]
    places = {tick.label: tick.at for tick in ticks}
    assert places["10⁴"] == pytest.approx(float(_asinh(np.array(1e4))))


@given(st.floats(-1e5, -0.0), st.floats(11.0, 1e7))
def test_ticks_never_crowd_and_stay_on_the_axis(low: float, high: float) -> None:
    ticks = decade_ticks(low, high, _asinh)
    ends = _asinh(np.array([low, high]))
    span = ends[1] - ends[0]
    at = np.array([tick.at for tick in ticks])
    assert len(ticks) >= 1
    assert (np.diff(at) >= TICK_GAP * span * (1 - 1e-9)).all()
    assert ((at >= ends[0] - 1e-12) & (at <= ends[1] + 1e-12)).all()
    named = np.array([tick.at for tick in ticks if tick.label])
    assert (np.diff(named) >= LABEL_GAP * span * (1 - 1e-9)).all()


@given(st.floats(-1e5, 1e5), st.floats(0.01, 1e6))
def test_linear_ticks_are_few_and_inside(low: float, span: float) -> None:
    ticks = linear_ticks(low, low + span)
    assert 1 <= len(ticks) <= 6
    assert all(low - 1e-6 * span <= tick.at <= low + span * (1 + 1e-6) for tick in ticks)


def test_a_time_panel_shows_rate_signal_and_what_was_removed() -> None:
    chart = gating_strategy_chart([_time_panel()], description="time")
    (removed,) = _rows(chart, "removed")
    assert (removed["x"], removed["x2"]) == (0.5, 0.55)
    lines = Counter(row["series"] for row in _rows(chart, "line"))
    assert lines == {"": 60, "FSC-A": 60}
    rate = [row["y"] for row in _rows(chart, "line") if row["series"] == ""]
    signal = [row["y"] for row in _rows(chart, "line") if row["series"] == "FSC-A"]
    assert min(rate) > max(signal), "the rate stands above the signal"
    assert "signal against time" in chart_to_svg(chart)


def test_long_traces_are_averaged_and_empty_bins_left_out() -> None:
    time = np.arange(1_000.0)
    signal = np.full(1_000, 100.0)
    signal[:500] = math.nan
    panel = _time_panel(time=time, rate=np.full(1_000, 50.0), signals={"CD41": signal}, removed=())
    chart = gating_strategy_chart([panel], description="time")
    lines = Counter(row["series"] for row in _rows(chart, "line"))
    assert lines[""] == POINTS_MAX
    assert 45 <= lines["CD41"] <= 51, "half of the time"


def test_lines_of_other_length_than_time_are_refused() -> None:
    with pytest.raises(
        InputError, match=r'time panel "Time": found 60 time bins beside .*FSC-A.*\(59,\).* Bin the events by time\.'
    ):
        _time_panel(signals={"FSC-A": np.full(59, 100.0)})
    with pytest.raises(InputError, match="times that do not rise"):
        _time_panel(time=np.zeros(60))


def test_the_strategy_renders_and_has_one_legend_for_all_panels() -> None:
    counts = np.arange(16, dtype=np.int64).reshape(4, 4)
    steps = [_time_panel(), *(_panel(counts, heading=f"step {n}") for n in range(5))]
    chart = gating_strategy_chart(steps, description="the strategy of tube A01")
    svg = chart_to_svg(chart)
    assert svg.count(">events a bin<") == 1
    spec = chart_spec(chart)
    assert (spec["description"], spec["columns"]) == ("the strategy of tube A01", 4)
    assert chart.to_dict(validate=True)["$schema"].endswith("v6.4.1.json")


def test_the_same_panels_give_the_same_spec_under_any_theme() -> None:
    panel = _panel(np.ones((4, 4), dtype=np.int64))
    first = chart_spec(_density(panel))
    with alt.theme.enable("dark"):
        assert chart_spec(_density(panel)) == first
