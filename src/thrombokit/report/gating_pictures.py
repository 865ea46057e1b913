"""From the densities and histograms of a gating to panels for drawing: words for the steps, linear values on the axes, shares as labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from thrombokit.cells.dose_histograms import DoseHistogram
from thrombokit.cells.result import Density, MarkerHistogram
from thrombokit.cells.scales import Scale
from thrombokit.cells.strategy import Group
from thrombokit.cells.treatments import culture_panels
from thrombokit.drawing.densities import DensityPanel, Outline, PanelLabel
from thrombokit.drawing.histograms import OverlayPanel
from thrombokit.drawing.panels import Tick, decade_ticks, linear_ticks
from thrombokit.drawing.ridges import Ridge, RidgePanel
from thrombokit.drawing.traces import TimePanel
from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.report.cells_charts import StrategyPicture

STEP_WORDS = {
    "time": "Time",
    "cells": "Cells, no debris",
    "singlets": "Single cells",
    "singlets_forward": "Single cells",
    "live": "Live cells",
}
POPULATION_WORDS = {"": "all events", "time": "events kept in time", "cells": "cells", "singlets": "single cells",
                    "singlets_forward": "single cells", "live": "live cells"}  # fmt: skip
TIME_BINS = 48
FEWEST_RIDGES = 3

Markers = Mapping[tuple[str, str], str]
"""(staining panel, channel) -> marker; one channel shows different markers in different panels."""


def strategy_pictures(
    densities: Sequence[Density], *, markers: Markers, treatments: Mapping[str, str]
) -> tuple[StrategyPicture, ...]:
    """The densities of each tube as one picture, tubes in the order given; `treatments` maps a tube to what it is."""
    tubes = dict.fromkeys(density.tube for density in densities)
    pictures: list[StrategyPicture] = []
    for tube in tubes:
        mine = [density for density in densities if density.tube == tube]
        steps = [time_panel(one) if one.step == "time" else density_panel(one, markers=markers) for one in mine]
        pictures.append(StrategyPicture(tube=tube, treatment=treatments.get(tube, ""), steps=tuple(steps)))
    return tuple(pictures)


def density_panel(density: Density, *, markers: Markers) -> DensityPanel:
    """One step as a density with its gate; of two markers with the share of each quadrant."""
    first, pair, second = density.step.partition("/")
    step = f"{first} and {second}" if pair else STEP_WORDS.get(density.step, density.step)
    parent = POPULATION_WORDS.get(density.parent, density.parent)
    closed = [outline for outline in density.outlines if outline.shape[0] > 2]
    share = "" if pair or not np.isfinite(density.share_inside) else percent_words(density.share_inside)
    outlines = [Outline(vertices=outline, label=share if outline is closed[0] else "") for outline in closed]
    outlines += [Outline(vertices=outline, closed=False) for outline in density.outlines if outline.shape[0] == 2]
    return DensityPanel(
        heading=f"{step}\n% of {parent}",
        x_title=_title(density.x_name, density, markers), y_title=_title(density.y_name, density, markers),
        x_edges=density.x_edges, y_edges=density.y_edges, counts=density.counts, outlines=tuple(outlines),
        x_ticks=axis_ticks(density.x_edges, density.x_scale), y_ticks=axis_ticks(density.y_edges, density.y_scale),
        labels=_quadrant_labels(density, first, second) if pair else (),
    )  # fmt: skip


def time_panel(density: Density) -> TimePanel:
    """Events a bin and their median signal against time, from a density of a signal against time."""
    edges, counts = _fewer_bins(density.x_edges, density.counts)
    at = np.array([*(_median(density.y_edges, row) for row in counts), _median(density.y_edges, counts.sum(axis=0))])
    plain = at if density.y_scale is None else np.asarray(density.y_scale.inverse(at))
    medians, whole = plain[:-1], plain[-1]
    kept = percent_words(density.share_inside) if np.isfinite(density.share_inside) else "100 %"
    return TimePanel(
        heading=f"Time\n{kept} of all events kept", time=(edges[:-1] + edges[1:]) / 2, rate=counts.sum(axis=1).astype(np.float64),
        signals={density.y_name: 100.0 * medians / whole if whole > 0 else np.full(medians.size, np.nan)},
        removed=removed_spans(density.spans, float(edges[0]), float(edges[-1])),
        time_title="time, as recorded", rate_title="events a bin",
    )  # fmt: skip


def removed_spans(kept: Sequence[tuple[float, float]], low: float, high: float) -> tuple[tuple[float, float], ...]:
    """What lies between low and high outside of the kept spans; nothing where no span is given, for then all is kept."""
    removed: list[tuple[float, float]] = []
    at = low
    for start, stop in sorted(kept):
        if start > at:
            removed.append((at, min(start, high)))
        at = max(at, stop)
    return (*removed, (at, high)) if kept and at < high else tuple(removed)


def overlay_panels(histograms: Sequence[MarkerHistogram]) -> tuple[OverlayPanel, ...]:
    """One panel a marker and control group; the rule behind the threshold is written beside it."""
    names = group_names([histogram.group for histogram in histograms])
    return tuple(
        OverlayPanel(
            heading=f"{one.marker}\n{names[one.group]}" if names[one.group] else one.marker,
            x_title=f"{one.marker} ({one.channel})", edges=one.edges, counts=dict(one.counts), ticks=axis_ticks(one.edges, one.scale),
            threshold=one.threshold, low=one.low, high=one.high, label=one.rule if one.threshold is not None else "",
        )
        for one in histograms
    )  # fmt: skip


def group_names(groups: Sequence[Group]) -> dict[Group, str]:
    """Each control group by what tells it from the others: "donor A, surface"; empty where there is one group alone."""
    said = {group: (group[0], group[1], "" if group[2] is None else f"day {group[2]:g}", group[3]) for group in groups}
    differs = [len({parts[place] for parts in said.values()}) > 1 for place in range(4)]
    # a plate that goes with its donor says nothing that the donor does not
    if len({parts[:2] for parts in said.values()}) == len({parts[0] for parts in said.values()}):
        differs[1] = False
    return {
        group: ", ".join(part for part, told in zip(parts, differs, strict=True) if part and told) for group, parts in said.items()
    }


def axis_ticks(edges: Array, scale: Scale | None) -> tuple[Tick, ...]:
    """Ticks in linear values for an axis from the first to the last edge, on its scale (None: linear)."""
    low, high = float(edges[0]), float(edges[-1])
    if scale is None:
        return linear_ticks(low, high)
    ends = np.asarray(scale.inverse(np.array([low, high])))
    return decade_ticks(float(ends[0]), float(ends[1]), lambda values: np.asarray(scale.apply(values)))


def percent_words(fraction: float) -> str:
    """A share as a label: 0.942 -> "94.2 %", 0.0586 -> "5.86 %", 0.0007 -> "0.07 %", 1.0 -> "100 %"."""
    percent = 100 * fraction
    return "100 %" if percent >= 99.95 else f"{percent:.1f} %" if percent >= 9.995 else f"{percent:.2f} %"


def _title(channel: str, density: Density, markers: Markers) -> str:
    viability = density.step == "live" and channel == density.y_name
    marker = markers.get((density.group[3], channel), "viability" if viability else "")
    return f"{marker} ({channel})" if marker else channel


def _quadrant_labels(density: Density, first: str, second: str) -> tuple[PanelLabel, ...]:
    """Share of each quadrant in its corner; none where the shares of both markers and of both together are not all known."""
    a, b, both = density.shares.get(f"{first}+"), density.shares.get(f"{second}+"), _both(density, first, second)
    if a is None or b is None or both is None:
        return ()
    (x0, x1), (y0, y1) = ((float(edges[0]), float(edges[-1])) for edges in (density.x_edges, density.y_edges))
    corners = ((both, x1, y1), (a - both, x1, y0), (b - both, x0, y1), (1 - a - b + both, x0, y0))
    return tuple(PanelLabel(text=percent_words(max(share, 0.0)), x=x, y=y) for share, x, y in corners)


def _both(density: Density, first: str, second: str) -> float | None:
    """Share of cells with both markers: their own gate, or the stages that have both."""
    own = density.shares.get(f"{first}+{second}+")
    if own is not None:
        return own
    stages = [share for name, share in density.shares.items() if f"{first}+" in name and f"{second}+" in name]
    return sum(stages) if stages else None


def _fewer_bins(edges: Array, counts: IntArray) -> tuple[Array, IntArray]:
    together = -(-counts.shape[0] // TIME_BINS)
    starts = np.arange(0, counts.shape[0], together)
    return np.append(edges[starts], edges[-1]), np.add.reduceat(counts, starts, axis=0)


def _median(edges: Array, counts: IntArray) -> float:
    """Median of binned values, events taken to lie evenly within their bin; not-a-number without events."""
    total = int(counts.sum())
    return float(np.interp(total / 2, np.concatenate([[0], np.cumsum(counts)]), edges)) if total else float("nan")


def ridge_panels(found: Mapping[Group, tuple[MarkerHistogram, Sequence[DoseHistogram]]]) -> tuple[RidgePanel, ...]:
    """What `dose_histograms` found, a panel a control group; groups with fewer than three treatments are left out."""
    names = group_names(list(found))
    panels = (_ridge_panel(pooled, histograms, names[group]) for group, (pooled, histograms) in found.items())
    return tuple(panel for panel in panels if panel is not None)


def _ridge_panel(pooled: MarkerHistogram, histograms: Sequence[DoseHistogram], group: str) -> RidgePanel | None:
    """Vehicle, rising doses, positive control; tubes of the same treatment are added up."""
    rows = [{"donor": pooled.group[0], "day_d": pooled.group[2], "role": h.role, "agonist": h.agonist, "concentration_nM": h.concentration_nM,
             "tube": place} for place, h in enumerate(histograms)]  # fmt: skip
    frame = pl.DataFrame(rows, schema_overrides={"day_d": pl.Float64, "concentration_nM": pl.Float64}, infer_schema_length=None)
    added: dict[str, IntArray] = {}
    several = frame.filter(pl.col("role") == "sample")["agonist"].n_unique() > 1
    for row in culture_panels(frame).unique("tube", maintain_order=True).iter_rows(named=True):
        label = f"{row['agonist']} {row['dose']}" if several and row["role"] == "sample" else row["dose"]
        counts = histograms[row["tube"]].counts
        added[label] = added[label] + counts if label in added else counts
    if len(added) < FEWEST_RIDGES:
        return None
    return RidgePanel(
        heading=f"{pooled.marker}\n{group}" if group else pooled.marker, x_title=f"{pooled.marker} ({pooled.channel})", edges=pooled.edges,
        ridges=tuple(Ridge(label=label, counts=counts) for label, counts in added.items()), ticks=axis_ticks(pooled.edges, pooled.scale),
        threshold=pooled.threshold,
    )  # fmt: skip
