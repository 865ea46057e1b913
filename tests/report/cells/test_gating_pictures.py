"""From densities and histograms to panels: words, linear ticks, shares, what was taken out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.dose_histograms import DoseHistogram
from thrombokit.cells.result import Density, MarkerHistogram
from thrombokit.cells.scales import LogicleScale, LogScale
from thrombokit.report.gating_pictures import (
    axis_ticks,
    density_panel,
    group_names,
    overlay_panels,
    percent_words,
    removed_spans,
    ridge_panels,
    strategy_pictures,
    time_panel,
)  # fmt: skip

GROUP = ("D1", "P1", 12.0, "surface")
EDGES = np.linspace(0.0, 1.0, 11)


def _density(**changes: object) -> Density:
    plain = Density(
        step="CD41/CD61", group=GROUP, tube="A01", parent="live", gate="CD41+CD61+", x_name="PE-A", y_name="APC-A", x_scale=LogicleScale(),
        y_scale=LogicleScale(), x_edges=EDGES, y_edges=EDGES, counts=np.ones((10, 10), dtype=np.int64),
        outlines=(np.array([[0.5, 0.0], [0.5, 1.0]]), np.array([[0.0, 0.4], [1.0, 0.4]])),
        shares={"CD41+": 0.6, "CD61+": 0.55, "CD41+CD61+": 0.5},
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)  # pyright: ignore[reportArgumentType]  # a test's own changes


def _histogram(**changes: object) -> MarkerHistogram:
    plain = MarkerHistogram(group=GROUP, marker="CD41", channel="PE-A", scale=LogicleScale(), edges=EDGES, counts={"stained": np.arange(10)},
                            rule="FMO", threshold=0.5, low=0.45, high=0.56)  # fmt: skip
    return dataclasses.replace(plain, **changes)  # pyright: ignore[reportArgumentType]  # a test's own changes


def test_two_markers_show_the_share_of_each_quadrant_in_its_corner() -> None:
    panel = density_panel(
        _density(), markers={("surface", "PE-A"): "CD41", ("surface", "APC-A"): "CD61", ("ploidy", "APC-A"): "CD42b"}
    )
    assert (panel.heading, panel.x_title, panel.y_title) == ("CD41 and CD61\n% of live cells", "CD41 (PE-A)", "CD61 (APC-A)")
    assert {(label.x, label.y): label.text for label in panel.labels} == {
        (1.0, 1.0): "50.0 %", (1.0, 0.0): "10.0 %", (0.0, 1.0): "5.00 %", (0.0, 0.0): "35.0 %",
    }  # fmt: skip
    assert [outline.closed for outline in panel.outlines] == [False, False]


def test_both_markers_may_be_told_by_the_stages_that_carry_them() -> None:
    shares = {"CD41+": 0.5, "CD42b+": 0.3, "CD34+CD41+CD42b+": 0.05, "CD34-CD41+CD42b+": 0.2, "CD34-CD41+CD42b-": 0.25}
    panel = density_panel(_density(step="CD41/CD42b", shares=shares), markers={})
    assert panel.labels[0].text == "25.0 %"
    assert density_panel(_density(shares={"CD41+": 0.5}), markers={}).labels == (), "no share is guessed"


def test_a_gate_is_labelled_with_the_share_inside() -> None:
    gate = np.array([[0.2, 0.2], [0.9, 0.2], [0.9, 0.9]])
    density = _density(step="singlets", gate="singlets", parent="cells", outlines=(gate,), shares={"singlets": 0.942}, x_name="FSC-A",
                       y_name="FSC-H", x_scale=LogScale(t=262144.0, m=4.5), y_scale=LogScale(t=262144.0, m=4.5))  # fmt: skip
    panel = density_panel(density, markers={})
    assert panel.heading == "Single cells\n% of cells"
    assert panel.outlines[0].label == "94.2 %"
    assert [tick.label for tick in panel.x_ticks if tick.label][-1] == "10⁵"


def test_the_live_step_names_its_dye_and_not_its_scatter() -> None:
    panel = density_panel(_density(step="live", gate="live", x_name="FSC-A", y_name="BV510-A", outlines=(), shares={}), markers={})
    assert (panel.x_title, panel.y_title) == ("FSC-A", "viability (BV510-A)")


def test_ticks_of_a_linear_axis_are_round_and_those_of_logicle_pass_through_zero() -> None:
    assert [tick.label for tick in axis_ticks(np.array([0.0, 100.0]), None)] == ["0", "25", "50", "75", "100"]
    labels = [tick.label for tick in axis_ticks(LogicleScale().apply(np.array([-1_000.0, 262_144.0])), LogicleScale())]
    assert {"0", "10³", "10⁵", "−10³"} <= set(labels)


@pytest.mark.parametrize(
    ("share", "words"), [(0.942, "94.2 %"), (0.0586, "5.86 %"), (0.0007, "0.07 %"), (1.0, "100 %"), (0.0, "0.00 %")]
)
def test_shares_in_words(share: float, words: str) -> None:
    assert percent_words(share) == words


def test_time_shows_events_a_bin_the_median_signal_and_what_was_removed() -> None:
    counts = np.zeros((100, 10), dtype=np.int64)
    counts[:50, 4], counts[50:, 5] = 10, 10
    density = _density(step="time", parent="", gate="time", x_name="Time", y_name="FSC-A", x_scale=None, y_scale=None, counts=counts,
                       x_edges=np.linspace(0.0, 200.0, 101), y_edges=np.linspace(0.0, 100.0, 11), outlines=(),
                       spans=((0.0, 40.0), (60.0, 200.0)), shares={"time": 0.9})  # fmt: skip
    panel = time_panel(density)
    assert panel.heading == "Time\n90.0 % of all events kept"
    assert panel.removed == ((40.0, 60.0),)
    assert panel.rate.sum() == 1_000
    signal = panel.signals["FSC-A"]
    assert signal[0] == pytest.approx(90.0, abs=0.1), "the middle of its bin, 45, beside the tube's median, 50"
    assert signal[-1] == pytest.approx(110.0, abs=0.1)


def test_a_picture_of_a_tube_begins_with_time() -> None:
    time = _density(step="time", parent="", gate="time", x_scale=None, y_scale=None, outlines=(), shares={})
    (picture,) = strategy_pictures([time, _density()], markers={}, treatments={"A01": "D1, vehicle"})
    assert (picture.tube, picture.treatment) == ("A01", "D1, vehicle")
    assert [step.heading.split("\n")[0] for step in picture.steps] == ["Time", "CD41 and CD61"]


@given(st.lists(st.floats(0.0, 100.0), min_size=0, max_size=8, unique=True))
def test_kept_and_removed_make_up_the_whole(cuts: list[float]) -> None:
    ends = sorted(cuts)[: len(cuts) // 2 * 2]
    kept = list(zip(ends[::2], ends[1::2], strict=True))
    removed = removed_spans(kept, 0.0, 100.0)
    total = sum(stop - start for start, stop in (*kept, *removed))
    assert total == pytest.approx(100.0 if kept else 0.0, abs=1e-9)
    assert all(start < stop for start, stop in removed)


def test_groups_are_named_by_what_tells_them_apart() -> None:
    same_plate = [("D1", "P1", 12.0, "surface"), ("D2", "P1", 12.0, "surface")]
    assert list(group_names(same_plate).values()) == ["D1", "D2"]
    own_plate = [("D1", "P1", 12.0, "surface"), ("D2", "P2", 12.0, "ploidy")]
    assert list(group_names(own_plate).values()) == ["D1, surface", "D2, ploidy"]
    days = [("D1", "P1", 10.0, "surface"), ("D1", "P1", 12.0, "surface"), ("D1", "P2", 12.0, "surface")]
    assert list(group_names(days).values()) == ["P1, day 10", "P1, day 12", "P2, day 12"]
    assert list(group_names(same_plate[:1]).values()) == [""]


def test_the_rule_is_written_beside_the_threshold() -> None:
    other = _histogram(group=("D2", "P2", 12.0, "surface"), threshold=None, rule="none")
    first, second = overlay_panels([_histogram(), other])
    assert (first.heading, first.label, first.threshold) == ("CD41\nD1", "FMO", 0.5)
    assert (second.heading, second.label, second.threshold) == ("CD41\nD2", "", None)


def test_ridges_rise_from_vehicle_to_positive_control_and_add_replicates() -> None:
    doses = [("sample", 3.0), ("vehicle", 0.0), ("sample", 0.3), ("positive_control", None), ("vehicle", 0.0)]
    tubes = tuple(
        DoseHistogram(tube=f"t{n}", group=GROUP, role=role, agonist="rhTPO" if dose is None else "hetrombopag", concentration_nM=dose,
                      counts=np.full(10, n + 1))
        for n, (role, dose) in enumerate(doses)
    )  # fmt: skip
    (panel,) = ridge_panels({GROUP: (_histogram(), tubes)})
    assert [ridge.label for ridge in panel.ridges] == ["vehicle", "0.3 nM", "3 nM", "rhTPO"]
    assert panel.ridges[0].counts.tolist() == [7] * 10
    assert panel.threshold == 0.5
    assert ridge_panels({GROUP: (_histogram(), tubes[:2])}) == (), "two treatments are no series"
