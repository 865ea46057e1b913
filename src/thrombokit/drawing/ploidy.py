"""DNA histograms with what the fit took them apart into, and what it left over.

Above, the events in each bin on a square-root axis, on which a class of 1 % can still be seen beside one of 80 %; below, the residual of
each bin in units of its own standard deviation. The x axis is logarithmic to base 2, so that the classes stand at even steps.
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
    short_words,
)
from thrombokit.drawing.theme import BLACK, BLUE, GREEN, GREY, HAIRLINE, INK, ORANGE, PURPLE, SKY_BLUE, VERMILLION
from thrombokit.errors import Fault, InputError

COMPONENTS: dict[str, str] = {
    "2N": SKY_BLUE, "4N": BLUE, "8N": GREEN, "16N": ORANGE, "32N": VERMILLION, "64N": PURPLE, "S phase": GREY, "debris": "#A08B6C",
    "doublets": BLACK,
}  # fmt: skip
"""Component of a DNA histogram -> colour, in the order of the legend; other names are drawn in grey."""
BINS_MAX = 140
SPLIT = 0.27
"""The residuals take this share of the panel."""
RESIDUAL_AXIS = PanelAxis(
    title="resid. (SD)", low=-5.0, high=5.0, ticks=tuple(Tick(at=at, label=short_words(at)) for at in (-4.0, 0.0, 4.0)), stop=SPLIT
)  # fmt: skip
WIDTH_PX, HEIGHT_PX = 420, 250
SMALL_WIDTH_PX, SMALL_HEIGHT_PX = 150, 76


@dataclass(frozen=True, kw_only=True, eq=False)
class PloidyPanel:
    """One DNA histogram: `edges` (n + 1,) linear signal, rising and positive; `counts` (n,) events.

    `components` maps a name (see `COMPONENTS`) to its expected events in each bin (n,); their sum is the fit, none: no fit was made.
    `class_signals` maps "2N" ... "64N" to the signal of its peak.
    """

    heading: str
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    components: dict[str, NDArray[np.float64]]
    class_signals: dict[str, float]
    x_title: str = "DNA signal, log scale"

    def __post_init__(self) -> None:
        n = self.edges.size - 1
        wrong = [name for name, values in (("counts", self.counts), *self.components.items()) if np.size(values) != n]
        if wrong or n < 2 or not np.isfinite(self.edges).all() or not (np.diff(self.edges) > 0).all() or not self.edges[0] > 0:
            found = f"{self.edges.size} edges from {self.edges[0]:g}, other lengths: {wrong or 'none'}"
            raise InputError(
                Fault(place=f'DNA histogram "{self.heading}"', found=found,
                      expected="rising, finite, positive edges, one more than counts and than each component's values",
                      cure="Leave out bins at or below zero and open ones.")
            )  # fmt: skip


def ploidy_chart(panels: Sequence[PloidyPanel], *, description: str, columns: int = 2) -> alt.FacetChart:
    """Histograms with components and residuals, side by side.

    Parameters
    ----------
    panels : sequence of PloidyPanel
        In reading order; headings are unique.
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Panels beside one another.
    """
    names = list(dict.fromkeys(name for panel in panels for name in panel.components))
    names.sort(key=lambda name: list(COMPONENTS).index(name) if name in COMPONENTS else len(COMPONENTS))
    rows = [_full_rows(panel) for panel in panels]
    return panels_chart(rows, _layers(names), description=description, columns=columns, height_px=HEIGHT_PX, width_px=WIDTH_PX)


def ploidy_plate_chart(panels: Sequence[PloidyPanel], *, description: str, columns: int = 6) -> alt.FacetChart:
    """Small multiples of a plate: histogram and fitted line of each well, classes marked below; arguments as `ploidy_chart`."""
    rows = [_small_rows(panel) for panel in panels]
    return panels_chart(
        rows, _layers([]), description=description, columns=columns, height_px=SMALL_HEIGHT_PX, width_px=SMALL_WIDTH_PX
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Binned:
    """A histogram summed into bins even on the log axis, as far as the given bins allow; `width` (m,) relative to the even one."""

    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    components: dict[str, NDArray[np.float64]]
    width: NDArray[np.float64]

    @property
    def expected(self) -> NDArray[np.float64]:
        return np.sum(list(self.components.values()), axis=0) if self.components else np.zeros(self.counts.size)

    @property
    def heights(self) -> NDArray[np.float64]:
        return self.counts / self.width

    @property
    def middles(self) -> NDArray[np.float64]:
        return np.log2((self.edges[:-1] + self.edges[1:]) / 2)


def _full_rows(panel: PloidyPanel) -> PanelRows:
    bins, x = _binned(panel, BINS_MAX), _signal_axis(panel, panel.class_signals)
    top = 1.08 * max([1.0, float(bins.heights.max()), float((bins.expected / bins.width).max())])
    y = PanelAxis(title="events a bin", low=0.0, high=float(np.sqrt(top)), ticks=_root_ticks(top), start=SPLIT + 0.06)
    rows = _histogram_rows(x, y, bins)
    for name, values in bins.components.items():
        rows += _curve_rows("component", x, y, bins, values, name)
    if not bins.components:
        return PanelRows(heading=panel.heading, rows=[*rows, *panel_axis_rows(x, y)])
    rows += [*_curve_rows("fit", x, y, bins, bins.expected, "fit"), *_residual_rows(x, bins)]
    return PanelRows(heading=panel.heading, rows=[*rows, *panel_axis_rows(x, y, RESIDUAL_AXIS)])


def _small_rows(panel: PloidyPanel) -> PanelRows:
    named = {name: at for name, at in panel.class_signals.items() if name in ("2N", "8N", "32N")}
    bins, x = _binned(panel, BINS_MAX // 2), _signal_axis(panel, named, title="")
    y = PanelAxis(title="", low=0.0, high=float(np.sqrt(1.08 * max(1.0, float(bins.heights.max())))))
    rows = _histogram_rows(x, y, bins)
    if bins.components:
        rows += _curve_rows("fit", x, y, bins, bins.expected, "fit")
    return PanelRows(heading=panel.heading, rows=[*rows, *panel_axis_rows(x, y)])


def _signal_axis(panel: PloidyPanel, classes: dict[str, float], *, title: str | None = None) -> PanelAxis:
    ticks = tuple(Tick(at=float(np.log2(at)), label=name) for name, at in classes.items() if at > 0)
    low, high = float(np.log2(panel.edges[0])), float(np.log2(panel.edges[-1]))
    return PanelAxis(title=panel.x_title if title is None else title, low=low, high=high, ticks=ticks)


def _binned(panel: PloidyPanel, most: int) -> _Binned:
    low, high = np.log2(panel.edges[0]), np.log2(panel.edges[-1])
    cuts = np.unique(np.searchsorted(panel.edges, np.exp2(np.linspace(low, high, most + 1))[1:-1]))
    starts = np.concatenate([[0], cuts[(cuts > 0) & (cuts < panel.counts.size)]])
    edges = np.append(panel.edges[starts], panel.edges[-1])
    return _Binned(
        edges=edges,
        counts=np.add.reduceat(panel.counts.astype(np.float64), starts),
        components={name: np.add.reduceat(values, starts) for name, values in panel.components.items()},
        width=np.diff(np.log2(edges)) / ((high - low) / most),
    )


def _histogram_rows(x: PanelAxis, y: PanelAxis, bins: _Binned) -> list[Row]:
    corners, tops, ground = x.place(np.log2(bins.edges)), y.place(np.sqrt(bins.heights)), fraction(y.start)
    return [
        {"kind": "bar", "x": fraction(corners[k]), "x2": fraction(corners[k + 1] + 0.0005), "y": fraction(tops[k]), "base": ground}
        for k in range(bins.counts.size)
        if bins.counts[k] > 0
    ]


def _curve_rows(kind: str, x: PanelAxis, y: PanelAxis, bins: _Binned, values: NDArray[np.float64], name: str) -> list[Row]:
    """A line of expected events, without the stretches where it lies on the ground."""
    xs, ys = x.place(bins.middles), y.place(np.sqrt(values / bins.width))
    seen = [k for k in range(xs.size) if max(ys[max(0, k - 1) : k + 2]) > y.start + 0.006]
    return [{"kind": kind, "name": name, "x": fraction(xs[k]), "y": fraction(ys[k])} for k in seen]


def _residual_rows(x: PanelAxis, bins: _Binned) -> list[Row]:
    """Pearson residuals of the bins as drawn, (seen - expected) / sqrt(expected); beyond +-5 they end at the edge."""
    expected = bins.expected
    values = (bins.counts - expected) / np.sqrt(np.maximum(expected, 1.0))
    middles, ends, zero = x.place(bins.middles), RESIDUAL_AXIS.place(values), fraction(RESIDUAL_AXIS.place(np.zeros(1))[0])
    rows: list[Row] = [{"kind": "zero", "x": 0.0, "x2": 1.0, "y": zero}]
    rows.extend(
        {"kind": "residual", "x": fraction(middles[k]), "y": fraction(ends[k]), "base": zero}
        for k in range(values.size)
        if bins.counts[k] > 0 or expected[k] > 0.5
    )
    return rows


def _root_ticks(top: float) -> tuple[Tick, ...]:
    """Ticks of a square-root axis at 1, 3, 10, 30 ... events, those far enough apart."""
    kept = [Tick(at=0.0, label="0")]
    for value in sorted((factor * 10.0**power for power in range(8) for factor in (1.0, 3.0)), reverse=True):
        at = float(np.sqrt(value))
        if value <= top and all(abs(at - tick.at) > 0.16 * np.sqrt(top) for tick in kept):
            kept.append(Tick(at=at, label=short_words(value)))
    return tuple(kept)


def _layers(names: list[str]) -> list[alt.Chart]:
    base = panel_base()
    bars = of_kind(base, "bar").mark_rect(color="#D4DAE0", clip=True).encode(x2="x2:Q", y2="base:Q")
    fit = of_kind(base, "fit").mark_line(color=INK, strokeWidth=1.1, clip=True)
    zero = of_kind(base, "zero").mark_rule(color=HAIRLINE).encode(x2="x2:Q")
    residual = of_kind(base, "residual").mark_rule(color=INK, strokeWidth=1.1).encode(y2="base:Q")
    if not names:
        return [bars, fit]
    colours = [COMPONENTS.get(name, GREY) for name in names]
    colour = alt.Color("name:N", sort=names, scale=alt.Scale(domain=names, range=colours),
                       legend=alt.Legend(title=None, orient="top", symbolType="stroke", symbolStrokeWidth=3, symbolSize=140, columns=5))  # fmt: skip
    component = of_kind(base, "component").mark_line(strokeWidth=2, clip=True).encode(color=colour)
    return [bars, fit, component, zero, residual]
