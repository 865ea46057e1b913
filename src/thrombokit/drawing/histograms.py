"""A marker in the stained tube laid over its controls (FMO, unstained), with the threshold drawn through them and its interval.

Each histogram is a share of its own highest bin, because tubes hold different numbers of events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
from numpy.typing import NDArray

from thrombokit.drawing.panels import (
    PanelAxis,
    PanelRows,
    Row,
    Tick,
    fraction,
    of_kind,
    panel_axis_rows,
    panel_base,
    panels_chart,
)  # fmt: skip
from thrombokit.drawing.theme import BLUE, GREY, INK, ORANGE
from thrombokit.errors import Fault, InputError

TUBES: dict[str, str] = {"stained": BLUE, "FMO": ORANGE, "unstained": GREY}
"""Kind of tube -> colour; the stained one is filled, its controls are lines."""
BINS_MAX = 96
HEIGHT_PX = 132
LETTER = 0.034
"""Width of a letter of a label, as a fraction of the panel: a label at the right edge starts early enough to stay inside."""
SHARE_TICKS = (Tick(at=0.0, label="0"), Tick(at=50.0, label="50"), Tick(at=100.0, label="100"))


@dataclass(frozen=True, kw_only=True, eq=False)
class OverlayPanel:
    """One marker: histograms by kind of tube ("stained", "FMO", "unstained") over the same bins.

    `edges` (n + 1,) rise, in display coordinates; `counts` maps a kind to its counts (n,). `threshold` with `low` and `high` is in
    display coordinates too, None where there is none; `label` says how many lie above it ("41.3 %").
    """

    heading: str
    x_title: str
    edges: NDArray[np.float64]
    counts: dict[str, NDArray[np.int64]]
    ticks: tuple[Tick, ...] = ()
    threshold: float | None = None
    low: float | None = None
    high: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.counts if kind not in TUBES]
        wrong = [
            f"{kind} with {np.size(counts)} counts"
            for kind, counts in self.counts.items()
            if np.size(counts) != self.edges.size - 1
        ]
        if unknown or wrong or not self.counts:
            raise InputError(
                Fault(place=f'overlay "{self.heading}"', found=", ".join([*unknown, *wrong]) or "no histogram",
                      expected=f"histograms named {', '.join(TUBES)}, each with {self.edges.size - 1} counts between {self.edges.size} edges",
                      cure="Bin all tubes of a marker over the same edges.")
            )  # fmt: skip


def overlay_chart(panels: Sequence[OverlayPanel], *, description: str, columns: int = 4) -> alt.FacetChart:
    """Markers side by side.

    Parameters
    ----------
    panels : sequence of OverlayPanel
        In reading order; headings are unique.
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Panels beside one another.
    """
    present = [kind for kind in TUBES if any(kind in panel.counts for panel in panels)]
    rows = [_rows(panel) for panel in panels]
    return panels_chart(rows, _layers(present), description=description, columns=columns, height_px=HEIGHT_PX)


def thinned(edges: NDArray[np.float64], counts: NDArray[np.int64], most: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles and counts of at most `most` bins: neighbours are summed, a rest at the end is its own, scaled to the same width."""
    together = -(-counts.size // most)
    starts = np.arange(0, counts.size, together)
    ends = np.minimum(starts + together, counts.size)
    summed = np.add.reduceat(counts, starts).astype(np.float64) * together / (ends - starts)
    return (edges[starts] + edges[ends]) / 2, summed


def _rows(panel: OverlayPanel) -> PanelRows:
    x = PanelAxis(title=panel.x_title, low=float(panel.edges[0]), high=float(panel.edges[-1]), ticks=panel.ticks)
    y = PanelAxis(title="% of highest bin", low=0.0, high=112.0, ticks=SHARE_TICKS)
    rows: list[Row] = []
    for kind, counts in panel.counts.items():
        middles, heights = thinned(panel.edges, np.asarray(counts, dtype=np.int64), BINS_MAX)
        shares = 100.0 * heights / max(1.0, float(heights.max(initial=0.0)))
        xs, ys = x.place(middles), y.place(shares)
        rows.extend(
            {"kind": "tube", "tube": kind, "x": fraction(a), "y": fraction(b), "zero": 0} for a, b in zip(xs, ys, strict=True)
        )
    return PanelRows(heading=panel.heading, rows=[*rows, *_threshold_rows(panel, x), *panel_axis_rows(x, y)])


def _threshold_rows(panel: OverlayPanel, x: PanelAxis) -> list[Row]:
    if panel.threshold is None:
        return []
    at = fraction(x.place(np.array([panel.threshold]))[0])
    ends = x.place(np.array([panel.threshold if end is None else end for end in (panel.low, panel.high)]))
    rows: list[Row] = [{"kind": "threshold", "x": at, "y": 0.0, "x2": fraction(ends[1]), "from": fraction(ends[0]), "y2": 1.0}]
    if panel.label:
        rows.append(
            {
                "kind": "threshold label",
                "x": fraction(min(at + 0.02, 1.0 - LETTER * len(panel.label))),
                "y": 0.985,
                "text": panel.label,
            }
        )
    return rows


def _layers(present: list[str]) -> list[alt.Chart]:
    base = panel_base()
    scale = alt.Scale(domain=present, range=[TUBES[kind] for kind in present])
    tube = of_kind(base, "tube").encode(
        color=alt.Color("tube:N", sort=present, scale=scale, legend=alt.Legend(title=None, orient="top", symbolOpacity=1)),
        y2=alt.Y2("zero:Q"),
    )
    line = of_kind(base, "tube").encode(color=alt.Color("tube:N", sort=present, scale=scale))
    threshold = of_kind(base, "threshold")
    return [
        threshold.mark_rect(color=INK, opacity=0.16, clip=True).encode(x=alt.X("from:Q", axis=None), x2="x2:Q", y2="y2:Q"),
        tube.transform_filter("datum.tube === 'stained'").mark_area(opacity=0.3, clip=True),
        line.mark_line(strokeWidth=1.5, clip=True),
        threshold.mark_rule(color=INK, strokeDash=[4, 2], strokeWidth=1.3).encode(y2="y2:Q"),
        of_kind(base, "threshold label")
        .mark_text(align="left", baseline="top", fontSize=11, fontWeight=600, color=INK)
        .encode(text="text:N"),
    ]
