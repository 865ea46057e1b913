"""Panels whose axes differ, side by side in one faceted chart.

A facet gives all of its panels the same axes, and a chart of its own for every panel is slow and large. So each panel is drawn in
fractions of its width and height, and its ticks, their labels and the titles are rows of data like everything else, told apart by
`kind`. A panel may hold two axes above one another (`start`, `stop`), such as a flow rate over a signal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from thrombokit.drawing.numerals import Cell
from thrombokit.drawing.theme import FAINT_INK, HAIRLINE, INK, styled
from thrombokit.errors import Fault, InputError

Row = Mapping[str, Cell]
PANEL_PX = 184
LEFT_PX, GAP_PX = 58, 20
"""Room for labels and title left of a panel, and between one panel with its labels and the next."""
LABEL_GAP = 0.1
"""Two labelled ticks lie at least this share of the axis apart; a tick closer to its neighbour stays without a label."""
TICK_GAP = 0.025


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A mark on an axis: `at` in the axis' own display coordinates, and what is written beside it (empty: nothing)."""

    at: float
    label: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelAxis:
    """One axis of a panel: display coordinates from `low` to `high`, drawn from fraction `start` to `stop` of the panel.

    Raises
    ------
    InputError
        If low is not below high, or either is not finite.
    """

    title: str
    low: float
    high: float
    ticks: tuple[Tick, ...] = ()
    start: float = 0.0
    stop: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InputError(
                Fault(place=f'axis "{self.title}"', found=f"an axis from {self.low:g} to {self.high:g}", expected="low < high, both finite",
                      cure="Draw tubes that hold events with finite values in this channel.")
            )  # fmt: skip

    def place(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Display coordinates as fractions of the panel, same shape; what lies outside (or open at infinity) moves to the edge."""
        share = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)


@dataclass(frozen=True, kw_only=True)
class PanelRows:
    """What one panel shows: its heading (lines parted by a line break), and rows with `kind`, `x`, `y` in fractions of the panel."""

    heading: str
    rows: list[Row]


def panel_axis_rows(x: PanelAxis, *ys: PanelAxis) -> list[Row]:
    """Rows for the ticks, labels and titles of one panel's axes."""
    rows: list[Row] = [{"kind": "x title", "x": 0.5, "y": 0.0, "text": x.title}] if x.title else []
    for tick, at in _inside(x):
        rows.append({"kind": "x tick", "x": at, "y": 0.0, "text": tick.label})
    for axis in ys:
        if axis.title:
            rows.append({"kind": "y title", "x": 0.0, "y": fraction((axis.start + axis.stop) / 2), "text": axis.title})
        for tick, at in _inside(axis):
            rows.append({"kind": "y tick", "x": 0.0, "y": at, "text": tick.label})
    return rows


def panels_chart(
    panels: Sequence[PanelRows], layers: Sequence[alt.Chart], *, description: str, columns: int, height_px: int = PANEL_PX,
    width_px: int = PANEL_PX,
) -> alt.FacetChart:  # fmt: skip
    """All panels in one chart.

    Parameters
    ----------
    panels : sequence of PanelRows
        In reading order; headings are unique.
    layers : sequence of Chart
        Marks that pick their rows by `kind`, drawn between the frame and the ticks.
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Panels beside one another.
    height_px, width_px : int
        Size of one panel.

    Raises
    ------
    InputError
        If there is no panel, or two bear the same heading.
    """
    _refuse_unclear(panels)
    rows = [{"panel": p.heading, "order": order, **_dense(row)} for order, p in enumerate(panels) for row in p.rows]
    data = alt.InlineData(values=rows)  # pyright: ignore[reportArgumentType]
    frame = alt.ViewBackground(stroke=HAIRLINE, strokeWidth=1)
    chart = alt.layer(*layers, *_axis_layers(width_px)).properties(width=width_px, height=height_px, view=frame)
    facet = alt.Facet(
        "panel:N",
        title=None,
        sort=alt.EncodingSortField("order", op="min"),
        header=alt.Header(labelExpr="split(datum.value, '\\n')", labelAnchor="start", labelLimit=width_px + 16, labelPadding=5),
    )
    spacing = {"row": GAP_PX, "column": GAP_PX}
    faceted = chart.facet(facet=facet, data=data, columns=min(columns, len(panels)), spacing=spacing)
    return styled(faceted.properties(description=description, usermeta={"panel_px": width_px + LEFT_PX + GAP_PX}))


def panel_base() -> alt.Chart:
    """A chart over the panel's unit square, without axes; add a filter and a mark."""
    unit = alt.Scale(domain=[0, 1], nice=False, zero=False)
    return alt.Chart().encode(x=alt.X("x:Q", scale=unit, axis=None), y=alt.Y("y:Q", scale=unit, axis=None))


def of_kind(chart: alt.Chart, kind: str) -> alt.Chart:
    """The chart for rows of one kind alone."""
    return chart.transform_filter(f"datum.kind === '{kind}'")


def fraction(value: float) -> float:
    """A fraction of the panel as short as the eye needs: four decimals."""
    return round(float(value), 4)


def decade_ticks(low: float, high: float, scale: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> tuple[Tick, ...]:
    """Ticks at 0 and at powers of ten of both signs, for a scale that is linear around 0 and logarithmic away from it.

    Parameters
    ----------
    low, high : float
        Ends of the axis in linear values, low < high.
    scale : callable
        Linear values to display coordinates, rising, same shape.

    Returns
    -------
    tuple of Tick
        Left to right. Powers that would crowd together towards 0 are left out, the largest and 0 kept first.
    """
    largest = max(abs(low), abs(high), 10.0)
    powers = range(math.floor(math.log10(largest)), 0, -1)
    wanted = [0.0, *(sign * 10.0**power for power in powers for sign in (1.0, -1.0))]
    values = [value for value in wanted if low <= value <= high]
    if not values:
        return ()
    ends = scale(np.array([low, high]))
    span = float(ends[1] - ends[0])
    return _spaced([(float(at), power_words(value)) for value, at in zip(values, scale(np.array(values)), strict=True)], span)


def linear_ticks(low: float, high: float, *, about: int = 4) -> tuple[Tick, ...]:
    """Ticks at round numbers on a linear axis from `low` to `high`, thousands written "50k"."""
    step = _round_step((high - low) / about)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(Tick(at=k * step, label=short_words(k * step)) for k in range(first, last + 1))


def power_words(value: float) -> str:
    """0, or a power of ten as a cytometrist writes it: "10³", "−10⁴"."""
    if value == 0:
        return "0"
    power = round(math.log10(abs(value)))
    return ("\u2212" if value < 0 else "") + "10" + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(power))


def short_words(value: float) -> str:
    """A round number in few letters: 50000 -> "50k", 1500000 -> "1.5M", 0.25 -> "0.25"."""
    sign, size = ("\u2212" if value < 0 else ""), abs(value)
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{sign}{size / unit:g}{letter}"
    return f"{sign}{size:g}"


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if rough <= factor * power * (1 + 1e-9))


def _spaced(candidates: Iterable[tuple[float, str]], span: float) -> tuple[Tick, ...]:
    """Ticks from (place, label), the important first, thinned so that neither marks nor labels crowd."""
    kept: list[Tick] = []
    for at, label in candidates:
        if any(abs(at - tick.at) < TICK_GAP * span for tick in kept):
            continue
        crowded = any(tick.label and abs(at - tick.at) < LABEL_GAP * span for tick in kept)
        kept.append(Tick(at=at, label="" if crowded else label))
    return tuple(sorted(kept, key=lambda tick: tick.at))


def _inside(axis: PanelAxis) -> list[tuple[Tick, float]]:
    ticks = [tick for tick in axis.ticks if axis.low <= tick.at <= axis.high]
    return [(tick, fraction(axis.place(np.array([tick.at]))[0])) for tick in ticks]


def _dense(row: Row) -> Row:
    """Every row has a count `c`, so that the page packs the column without row numbers."""
    return row if "c" in row else {**row, "c": 0}


def _axis_layers(width_px: int) -> list[alt.Chart]:
    base = panel_base()
    label: dict[str, Any] = {"fontSize": 10, "color": FAINT_INK}
    title: dict[str, Any] = {"fontSize": 11, "color": INK, "limit": width_px + 20}
    text = alt.Text("text:N")
    x, y = of_kind(base, "x tick"), of_kind(base, "y tick")
    return [
        x.mark_tick(orient="vertical", size=5, thickness=1, color=HAIRLINE, opacity=1, yOffset=3),
        y.mark_tick(orient="horizontal", size=5, thickness=1, color=HAIRLINE, opacity=1, xOffset=-3),
        x.mark_text(baseline="top", dy=8, **label).encode(text=text),
        y.mark_text(align="right", dx=-8, **label).encode(text=text),
        of_kind(base, "x title").mark_text(baseline="top", dy=23, **title).encode(text=text),
        of_kind(base, "y title").mark_text(angle=270, baseline="bottom", dy=-34, **title).encode(text=text),
    ]


def _refuse_unclear(panels: Sequence[PanelRows]) -> None:
    headings = [panel.heading for panel in panels]
    twice = sorted({heading for heading in headings if headings.count(heading) > 1})
    if not panels or twice:
        raise InputError(
            Fault(place="panels of a chart", found=f"the heading {', '.join(map(repr, twice))} twice" if twice else "no panel",
                  expected="at least one panel, each with a heading of its own",
                  cure="Name the tube or the step in the heading." if twice else "Leave the picture out.")
        )  # fmt: skip
