"""Overlays against controls, ridges over dose, DNA histograms with their components: what is drawn and what is refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import altair as alt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.drawing.export import chart_spec, chart_to_svg
from thrombokit.drawing.histograms import LETTER, OverlayPanel, overlay_chart, thinned
from thrombokit.drawing.panels import Tick
from thrombokit.drawing.ploidy import COMPONENTS, RESIDUAL_AXIS, SPLIT, PloidyPanel, ploidy_chart, ploidy_plate_chart
from thrombokit.drawing.ridges import Ridge, RidgePanel, ridge_chart
from thrombokit.errors import InputError

EDGES = np.linspace(0.0, 1.0, 11)
COUNTS = np.array([0, 1, 4, 10, 20, 10, 4, 1, 0, 0])
SIGNALS = {f"{2 ** (k + 1)}N": 1_000.0 * 2**k for k in range(6)}


def _rows(chart: alt.FacetChart, kind: str) -> list[dict[str, Any]]:
    (rows,) = chart_spec(chart)["datasets"].values()
    return [row for row in rows if row["kind"] == kind]


def _overlay(**changes: Any) -> OverlayPanel:
    parts: dict[str, Any] = {"heading": "CD41", "x_title": "CD41 (PE)", "edges": EDGES, "counts": {"stained": COUNTS, "FMO": COUNTS[::-1]},
                             "threshold": 0.5, "low": 0.45, "high": 0.6, "label": "41.3 %"}  # fmt: skip
    return OverlayPanel(**{**parts, **changes})


def _dna(heading: str = "A01", **changes: Any) -> PloidyPanel:
    edges = np.geomspace(200.0, 90_000.0, 401)
    middles = np.sqrt(edges[1:] * edges[:-1])
    components = {
        name: 200.0 * np.exp(-0.5 * (np.log(middles / at) / 0.06) ** 2) / 2**k for k, (name, at) in enumerate(SIGNALS.items())
    }
    parts: dict[str, Any] = {"heading": heading, "edges": edges, "counts": np.rint(np.sum(list(components.values()), axis=0)).astype(np.int64),
                             "components": components, "class_signals": SIGNALS}  # fmt: skip
    return PloidyPanel(**{**parts, **changes})


def test_each_histogram_is_a_share_of_its_own_highest_bin() -> None:
    rows = _rows(overlay_chart([_overlay(counts={"stained": COUNTS, "FMO": 1_000 * COUNTS})], description="d"), "tube")
    heights = {kind: [row["y"] for row in rows if row["tube"] == kind] for kind in ("stained", "FMO")}
    assert heights["stained"] == heights["FMO"]
    assert max(heights["stained"]) == pytest.approx(100 / 112, abs=1e-4)


def test_the_threshold_stands_with_its_interval_and_the_share_above_it() -> None:
    chart = overlay_chart([_overlay()], description="CD41 against its controls")
    (threshold,) = _rows(chart, "threshold")
    assert (threshold["x"], threshold["from"], threshold["x2"]) == (0.5, 0.45, 0.6)
    svg = chart_to_svg(chart)
    for word in (">41.3 %<", ">stained<", ">FMO<", ">CD41 (PE)<"):
        assert word in svg
    assert "unstained" not in svg, "the legend names what is drawn"
    assert chart.to_dict(validate=True)["description"] == "CD41 against its controls"


def test_without_a_threshold_none_is_drawn_and_without_an_interval_the_line_alone() -> None:
    assert _rows(overlay_chart([_overlay(threshold=None)], description="d"), "threshold") == []
    (threshold,) = _rows(overlay_chart([_overlay(low=None, high=None)], description="d"), "threshold")
    assert threshold["from"] == threshold["x"] == threshold["x2"]


def test_a_threshold_at_the_right_edge_keeps_its_label_inside() -> None:
    (label,) = _rows(overlay_chart([_overlay(threshold=0.99)], description="d"), "threshold label")
    assert label["x"] == pytest.approx(1 - 6 * LETTER), "six letters from the edge"


def test_histograms_of_other_bins_or_unknown_tubes_are_refused_together() -> None:
    with pytest.raises(
        InputError, match=r'overlay "CD41": found isotype, stained with 3 counts; expected histograms named stained, FMO, unstained'
    ):
        _overlay(counts={"stained": COUNTS[:3], "isotype": COUNTS})


@settings(max_examples=40)
@given(st.integers(1, 400), st.integers(1, 120))
def test_thinning_keeps_events_and_order(n: int, most: int) -> None:
    edges = np.linspace(0.0, 1.0, n + 1)
    counts = np.arange(n, dtype=np.int64)
    middles, heights = thinned(edges, counts, most)
    assert middles.size <= most
    assert (np.diff(middles) > 0).all()
    together = -(-n // most)
    whole = n // together
    assert heights[:whole].sum() == pytest.approx(counts[: whole * together].sum())


def _ridges(**changes: Any) -> RidgePanel:
    ridges = tuple(Ridge(label=label, counts=COUNTS) for label in ("vehicle", "1 nM", "10 nM"))
    parts: dict[str, Any] = {"heading": "D1", "x_title": "CD41", "edges": EDGES, "ridges": ridges, "ticks": (Tick(at=0.5, label="10³"),),
                             "threshold": 0.5}  # fmt: skip
    return RidgePanel(**{**parts, **changes})


def test_ridges_rise_with_the_dose_and_overlap() -> None:
    chart = ridge_chart([_ridges()], description="ridges")
    rows = _rows(chart, "ridge")
    ground = {row["step"]: row["base"] for row in rows}
    assert ground[0] < ground[1] < ground[2]
    assert max(row["y"] for row in rows if row["step"] == 0) > ground[1], "a ridge may reach over the one above"
    assert [row["step"] for row in rows] == sorted((row["step"] for row in rows), reverse=True), "the lowest is drawn last"
    assert max(row["y"] for row in rows) <= 1.0
    svg = chart_to_svg(chart)
    assert svg.index(">vehicle<") < svg.index(">1 nM<") < svg.index(">10 nM<")


def test_ridges_need_a_dose_and_the_same_bins() -> None:
    with pytest.raises(InputError, match=r'ridges "D1": found no dose'):
        _ridges(ridges=())
    with pytest.raises(InputError, match=r"found 3 nM with 4 counts; expected one or more doses, each with 10 counts"):
        _ridges(ridges=(Ridge(label="3 nM", counts=COUNTS[:4]),))


def test_components_add_up_to_the_fit_and_the_residuals_of_a_good_one_are_small() -> None:
    chart = ploidy_chart([_dna()], description="DNA")
    assert {row["name"] for row in _rows(chart, "component")} == set(SIGNALS)
    residuals = np.array([row["y"] for row in _rows(chart, "residual")])
    zero = RESIDUAL_AXIS.place(np.zeros(1))[0]
    one_sd = RESIDUAL_AXIS.place(np.ones(1))[0] - zero
    assert residuals.size > 50
    assert np.abs(residuals - zero).max() < one_sd
    assert min(row["y"] for row in _rows(chart, "bar")) > SPLIT, "the histogram stands above the residuals"


def test_residuals_are_in_standard_deviations_of_the_bin() -> None:
    edges = np.exp2(np.linspace(8.0, 12.0, 5))
    panel = _dna(
        edges=edges, counts=np.array([100, 130, 60, 100]), components={"2N": np.full(4, 100.0)}, class_signals={"2N": 300.0}
    )
    ends = [row["y"] for row in _rows(ploidy_chart([panel], description="d"), "residual")]
    assert ends == pytest.approx(RESIDUAL_AXIS.place(np.array([0.0, 3.0, -4.0, 0.0])).tolist(), abs=1e-4)


def test_a_histogram_without_a_fit_shows_counts_alone() -> None:
    chart = ploidy_chart([_dna(components={})], description="d")
    assert Counter(row["kind"] for row in chart_spec(chart)["datasets"].popitem()[1])["bar"] > 0
    assert _rows(chart, "residual") == _rows(chart, "fit") == []


def test_classes_are_named_at_their_peaks_and_in_the_legend() -> None:
    chart = ploidy_chart([_dna()], description="d")
    places = {row["text"]: row["x"] for row in _rows(chart, "x tick")}
    assert list(places) == list(SIGNALS)
    steps = np.diff(list(places.values()))
    assert steps == pytest.approx(np.full(5, steps[0]), abs=2e-4), "classes stand at even steps"
    assert all(chart_to_svg(chart).count(f">{name}<") == 2 for name in SIGNALS), "tick and legend"


def test_linear_bins_are_summed_evenly_on_the_log_axis() -> None:
    edges = np.linspace(100.0, 70_000.0, 1_025)
    counts = np.full(1_024, 10, dtype=np.int64)
    bars = _rows(ploidy_chart([_dna(edges=edges, counts=counts, components={})], description="d"), "bar")
    widths = [row["x2"] - row["x"] for row in bars]
    assert len(bars) < 200
    assert max(widths[-20:]) < 2.5 * min(widths[-20:])


def test_a_plate_of_wells_is_small_multiples_without_components() -> None:
    chart = ploidy_plate_chart([_dna(f"A{n:02d}") for n in range(1, 13)], description="plate")
    spec = chart_spec(chart)
    assert spec["columns"] == 6
    assert _rows(chart, "component") == []
    assert len({row["panel"] for row in _rows(chart, "fit")}) == 12
    assert chart_to_svg(chart).count(">8N<") == 12


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"counts": np.ones(3, dtype=np.int64)}, r"other lengths: \['counts'\]"),
        ({"edges": np.linspace(0.0, 1.0, 401)}, "401 edges from 0"),
        ({"components": {"2N": np.ones(5)}}, r"other lengths: \['2N'\]"),
        ({"edges": np.full(401, 2.0)}, "401 edges from 2"),
        ({"edges": np.append(np.linspace(1.0, 2.0, 400), np.inf)}, "401 edges from 1"),
    ],
)
def test_what_is_no_dna_histogram_is_refused(changes: dict[str, Any], found: str) -> None:
    with pytest.raises(
        InputError, match=rf'DNA histogram "A01": found .*{found}.* Leave out bins at or below zero and open ones\.'
    ):
        _dna(**changes)


def test_every_class_has_a_colour_of_its_own() -> None:
    assert len(set(COMPONENTS.values())) == len(COMPONENTS)
