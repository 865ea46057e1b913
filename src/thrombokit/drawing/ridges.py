"""Histograms of one marker dose by dose, one above the other: how a population moves as the dose rises.

Each ridge is scaled to its own highest bin and may reach over the one above; the lowest dose stands at the bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
from numpy.typing import NDArray

from thrombokit.drawing.histograms import thinned
from thrombokit.drawing.panels import (
    PANEL_PX,
    PanelAxis,
    PanelRows,
    Row,
    Tick,
    fraction,
    of_kind,
    panel_axis_rows,
    panel_base,
    panels_chart,
)
from thrombokit.drawing.theme import INK
from thrombokit.errors import Fault, InputError

BINS_MAX = 64
OVERLAP = 1.9
"""Height of a ridge in units of the distance between two."""
RIDGE_PX = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Ridge:
    """One dose: what is written at its left ("vehicle", "0.3 nM") and its counts (n,)."""

    label: str
    counts: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class RidgePanel:
    """The doses of one culture, rising; `edges` (n + 1,) in display coordinates, `threshold` (display) where there is one."""

    heading: str
    x_title: str
    edges: NDArray[np.float64]
    ridges: tuple[Ridge, ...]
    ticks: tuple[Tick, ...] = ()
    threshold: float | None = None

    def __post_init__(self) -> None:
        wrong = [
            f"{ridge.label} with {ridge.counts.size} counts" for ridge in self.ridges if ridge.counts.size != self.edges.size - 1
        ]
        if wrong or not self.ridges:
            raise InputError(
                Fault(place=f'ridges "{self.heading}"', found=", ".join(wrong) or "no dose",
                      expected=f"one or more doses, each with {self.edges.size - 1} counts", cure="Bin all doses over the same edges.")
            )  # fmt: skip


def ridge_chart(panels: Sequence[RidgePanel], *, description: str, columns: int = 4) -> alt.FacetChart:
    """Cultures side by side.

    Parameters
    ----------
    panels : sequence of RidgePanel
        In reading order; headings are unique.
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Panels beside one another.
    """
    most = max((len(panel.ridges) for panel in panels), default=1)
    base = panel_base()
    ridge = of_kind(base, "ridge").encode(y2=alt.Y2("base:Q"), detail=alt.Detail("step:Q"))
    shade = alt.Color("step:Q", legend=None, scale=alt.Scale(domain=[0, max(1, most - 1)], range=["#B9C3CE", "#56B4E9", "#0072B2"]))
    layers = [
        ridge.mark_area(opacity=0.85, stroke="#FFFFFF", strokeWidth=1, clip=True).encode(color=shade),
        of_kind(base, "threshold").mark_rule(color=INK, strokeDash=[4, 2]).encode(y2="y2:Q"),
    ]
    height = max(PANEL_PX, RIDGE_PX * (most + 1))
    return panels_chart([_rows(panel) for panel in panels], layers, description=description, columns=columns, height_px=height)


def _rows(panel: RidgePanel) -> PanelRows:
    number = len(panel.ridges)
    x = PanelAxis(title=panel.x_title, low=float(panel.edges[0]), high=float(panel.edges[-1]), ticks=panel.ticks)
    ticks = tuple(Tick(at=float(n), label=ridge.label) for n, ridge in enumerate(panel.ridges))
    y = PanelAxis(title="", low=-0.2, high=number - 1 + OVERLAP + 0.1, ticks=ticks)
    rows: list[Row] = []
    # from the top down, so that each ridge lies over the one above it
    for step in reversed(range(number)):
        middles, heights = thinned(panel.edges, panel.ridges[step].counts, BINS_MAX)
        tops = y.place(step + OVERLAP * heights / max(1.0, float(heights.max(initial=0.0))))
        ground = fraction(y.place(np.array([float(step)]))[0])
        rows.extend(
            {"kind": "ridge", "step": step, "x": fraction(a), "y": fraction(b), "base": ground}
            for a, b in zip(x.place(middles), tops, strict=True)
        )
    if panel.threshold is not None:
        rows.append({"kind": "threshold", "x": fraction(x.place(np.array([panel.threshold]))[0]), "y": 0.0, "y2": 1.0})
    return PanelRows(heading=panel.heading, rows=[*rows, *panel_axis_rows(x, y)])
