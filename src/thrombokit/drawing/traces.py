"""A tube against the time of its acquisition: flow rate above, signal below, and the stretches that were taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
from numpy.typing import NDArray

from thrombokit.drawing.panels import PanelAxis, PanelRows, Row, fraction, linear_ticks, of_kind, panel_axis_rows, panel_base
from thrombokit.drawing.theme import BLUE, GREEN, OKABE_ITO, PURPLE, SKY_BLUE, VERMILLION
from thrombokit.errors import Fault, InputError

POINTS_MAX = 96
"""Points drawn a line; more are averaged in groups."""
SPLIT = 0.42
"""The signal takes this share of the panel, the flow rate the rest above it."""
SERIES_COLOURS = (BLUE, GREEN, PURPLE, SKY_BLUE, *(c for c in OKABE_ITO if c not in (BLUE, GREEN, PURPLE, SKY_BLUE, VERMILLION)))


@dataclass(frozen=True, kw_only=True, eq=False)
class TimePanel:
    """Flow rate and signals of one tube in bins of time.

    `time` (n,) are the bins' middles, rising; `rate` (n,) events a second or a bin; `signals` maps a channel's title to its median in each
    bin as % of its median in the whole tube, shape (n,), NaN where a bin is empty. `removed` are stretches taken out. Units are said in
    `time_title` and `rate_title`.
    """

    heading: str
    time: NDArray[np.float64]
    rate: NDArray[np.float64]
    signals: dict[str, NDArray[np.float64]]
    removed: tuple[tuple[float, float], ...] = ()
    time_title: str = "time (s)"
    rate_title: str = "events / s"

    def __post_init__(self) -> None:
        lengths = {name: np.shape(values) for name, values in (("rate", self.rate), *self.signals.items())}
        wrong = {name: shape for name, shape in lengths.items() if shape != np.shape(self.time)}
        if wrong or self.time.ndim != 1 or self.time.size < 2 or not (np.diff(self.time) > 0).all():
            raise InputError(
                Fault(place=f'time panel "{self.heading}"', found=f"{self.time.size} time bins beside {wrong or 'times that do not rise'}",
                      expected="two or more bins of rising time, and as many values of every line", cure="Bin the events by time.")
            )  # fmt: skip


def time_rows(panel: TimePanel) -> PanelRows:
    """Lines, removed stretches and axes of one tube as rows."""
    step = float(np.median(np.diff(panel.time)))
    low, high = float(panel.time[0]) - step / 2, float(panel.time[-1]) + step / 2
    x = PanelAxis(title=panel.time_title, low=low, high=high, ticks=linear_ticks(low, high))
    top = 1.15 * float(np.nanmax(panel.rate, initial=1.0))
    rate = PanelAxis(title=panel.rate_title, low=0.0, high=top, ticks=linear_ticks(0.0, top, about=3), start=SPLIT + 0.06)
    bottom, roof = _signal_range(panel)
    signal = PanelAxis(title="signal (%)", low=bottom, high=roof, ticks=linear_ticks(bottom, roof, about=3), stop=SPLIT)
    rows: list[Row] = [{"kind": "divide", "x": 0.0, "x2": 1.0, "y": SPLIT + 0.03}]
    for stretch in panel.removed:
        start, end = x.place(np.array(stretch))
        rows.append({"kind": "removed", "x": fraction(start), "x2": fraction(end), "y": 0.0, "y2": 1.0})
    rows += _line_rows(panel.time, panel.rate, x, rate, "")
    for name, values in panel.signals.items():
        rows += _line_rows(panel.time, values, x, signal, name)
    return PanelRows(heading=panel.heading, rows=[*rows, *panel_axis_rows(x, rate, signal)])


def time_layers(panels: Sequence[TimePanel | None]) -> list[alt.Chart]:
    """The marks for `time_rows`; none where no panel shows time."""
    names = list(dict.fromkeys(name for panel in panels if panel is not None for name in panel.signals))
    if not any(panel is not None for panel in panels):
        return []
    base = panel_base()
    lines = of_kind(base, "line")
    layers = [
        of_kind(base, "removed").mark_rect(color=VERMILLION, opacity=0.22, clip=True).encode(x2="x2:Q", y2="y2:Q"),
        of_kind(base, "divide").mark_rule(color="#D9E0E6").encode(x2="x2:Q"),
        lines.transform_filter("datum.series === ''").mark_line(strokeWidth=1.3, color="#4A5560"),
    ]
    if names:
        colours = [SERIES_COLOURS[n % len(SERIES_COLOURS)] for n in range(len(names))]
        # the stroke channel, because colour is the count's: two scales of one channel would give every panel legends of its own
        colour = alt.Stroke("series:N", sort=names, scale=alt.Scale(domain=names, range=colours),
                            legend=alt.Legend(title="signal against time", orient="top", symbolType="stroke", symbolStrokeWidth=2))  # fmt: skip
        layers.append(lines.transform_filter("datum.series !== ''").mark_line(strokeWidth=1.1, clip=True).encode(stroke=colour))
    return layers


def _signal_range(panel: TimePanel) -> tuple[float, float]:
    """Ends of the signal axis (%): 80 to 120, wider where the signals go further, 0 to 250 at most."""
    values = np.concatenate([np.asarray(v, dtype=np.float64) for v in panel.signals.values()] or [np.array([100.0])])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 80.0, 120.0
    return max(0.0, min(80.0, float(values.min()) - 2.0)), min(250.0, max(120.0, float(values.max()) + 2.0))


def _line_rows(time: NDArray[np.float64], values: NDArray[np.float64], x: PanelAxis, y: PanelAxis, series: str) -> list[Row]:
    groups = np.array_split(np.arange(time.size), min(POINTS_MAX, time.size))
    rows: list[Row] = []
    for group in groups:
        known = group[np.isfinite(values[group])]
        if known.size:
            at, value = x.place(time[known].mean(keepdims=True)), y.place(values[known].mean(keepdims=True))
            rows.append({"kind": "line", "x": fraction(at[0]), "y": fraction(value[0]), "series": series})
    return rows
