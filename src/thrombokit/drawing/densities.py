"""Two channels against one another as a binned density with gates drawn in: the plain picture of cytometry, without raw events.

Counts come binned, on whatever scale the caller looks at the channels (linear, logicle, asinh): edges and outlines are in the same
display coordinates, ticks carry linear values as labels. Colour is the logarithm of the count; empty bins are not drawn at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
)
from thrombokit.drawing.theme import BLACK, INK
from thrombokit.errors import Fault, InputError

BINS_MAX = 64
"""Bins drawn a side; finer counts are summed. At 184 pixels a bin is about three pixels wide, and a density stays below 40 KB."""
LABEL_HEIGHT, LABEL_HALF = 0.085, 0.14
"""Room of a label, as fractions of the panel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """The border of a gate in display coordinates: `vertices` of shape (n, 2), n >= 2; infinite ones run to the panel's edge.

    `label` (such as "94.2 %") is written where `label_at` says (display x, y), or at the outline's top. `closed` False draws a line.
    """

    vertices: NDArray[np.float64]
    label: str = ""
    label_at: tuple[float, float] | None = None
    closed: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", _read_only(self.vertices))


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelLabel:
    """A few words at a place (display x, y)."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, kw_only=True, eq=False)
class DensityPanel:
    """One density: `counts` of shape (n_x, n_y) between `x_edges` (n_x + 1,) and `y_edges` (n_y + 1,), display coordinates.

    Edges rise in equal steps.

    Raises
    ------
    InputError
        If shapes do not belong together, edges do not rise evenly, or a count is negative.
    """

    heading: str
    x_title: str
    y_title: str
    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    outlines: tuple[Outline, ...] = ()
    x_ticks: tuple[Tick, ...] = field(default=())
    y_ticks: tuple[Tick, ...] = field(default=())
    labels: tuple[PanelLabel, ...] = ()

    def __post_init__(self) -> None:
        for name in ("x_edges", "y_edges", "counts"):
            object.__setattr__(self, name, _read_only(getattr(self, name)))
        wrong = _wrong(self)
        if wrong:
            raise InputError(
                Fault(place=f'density "{self.heading}"', found=wrong,
                      expected="counts >= 0 of shape (n_x, n_y), n_x + 1 and n_y + 1 edges in equal steps",
                      cure="Bin the events with even edges on the display scale.")
            )  # fmt: skip

    @property
    def x(self) -> PanelAxis:
        """The horizontal axis."""
        return PanelAxis(title=self.x_title, low=float(self.x_edges[0]), high=float(self.x_edges[-1]), ticks=self.x_ticks)

    @property
    def y(self) -> PanelAxis:
        """The vertical axis."""
        return PanelAxis(title=self.y_title, low=float(self.y_edges[0]), high=float(self.y_edges[-1]), ticks=self.y_ticks)


def density_chart(panels: Sequence[DensityPanel], *, description: str, columns: int = 4) -> alt.FacetChart:
    """Densities side by side, with one colour scale.

    Parameters
    ----------
    panels : sequence of DensityPanel
        In reading order; headings are unique.
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Panels beside one another.
    """
    layers = density_layers(panels)
    return panels_chart([density_rows(panel) for panel in panels], layers, description=description, columns=columns)


def density_rows(panel: DensityPanel) -> PanelRows:
    """One panel's bins, outlines, labels and axes as rows."""
    rows = [*_cell_rows(panel), *(row for n, o in enumerate(panel.outlines) for row in _outline_rows(panel, o, n))]
    for label in panel.labels:
        x, y = float(panel.x.place(np.array([label.x]))[0]), float(panel.y.place(np.array([label.y]))[0])
        rows.append({"kind": "gate label", **_kept_inside(x, y), "text": label.text})
    return PanelRows(heading=panel.heading, rows=[*rows, *panel_axis_rows(panel.x, panel.y)])


def density_layers(panels: Sequence[DensityPanel | None]) -> list[alt.Chart]:
    """The marks for `density_rows`: bins, outlines in black on white, labels that stay legible on both.

    `panels` are those of the chart in order, None where a panel shows something else.
    """
    base = panel_base()
    most = max([10, *(int(_coarse(panel.counts).max(initial=0)) for panel in panels if panel is not None)])
    colour = alt.Color(
        "c:Q",
        scale=alt.Scale(type="log", domain=[1, most], range=["#D3E4F1", "#56B4E9", "#0072B2", "#0B2545"], interpolate="lab"),
        legend=alt.Legend(
            title="events a bin",
            orient="top",
            gradientLength=180,
            gradientThickness=9,
            format="~s",
            values=[10**power for power in range(len(str(most)))],
        ),
    )
    cells = of_kind(base, "bin").transform_calculate(**_bin_corners(panels))
    gate = of_kind(base, "gate").encode(detail="gate:N", order="step:Q")
    label = of_kind(base, "gate label").encode(text="text:N")
    words: dict[str, Any] = {"fontSize": 11, "fontWeight": 600, "align": "center", "baseline": "bottom", "dy": -3, "clip": False}
    return [
        cells.mark_rect(clip=True).encode(
            x=alt.X("left:Q", axis=None), x2="right:Q", y=alt.Y("lower:Q", axis=None), y2="upper:Q", color=colour
        ),
        gate.mark_line(color="#FFFFFF", strokeWidth=3.4, clip=True, opacity=0.85),
        gate.mark_line(color=BLACK, strokeWidth=1.5, clip=True),
        label.mark_text(stroke="#FFFFFF", strokeWidth=4, strokeJoin="round", color="#FFFFFF", **words),
        label.mark_text(color=INK, **words),
    ]


def _bin_corners(panels: Sequence[DensityPanel | None]) -> dict[str, str]:
    """Corners of a bin from its place in the grid, as expressions; each panel has a grid of its own."""
    shapes = [(1, 1) if panel is None else panel.counts.shape for panel in panels]
    across, up = (f"[{','.join(repr(_summed(n[side]) / n[side]) for n in shapes)}][datum.order]" for side in (0, 1))
    # a bin reaches a little under its neighbours, else white hairlines show between them
    return {
        "left": f"datum.x * {across}", "right": f"min(1, (datum.x + 1.08) * {across})",
        "lower": f"datum.y * {up}", "upper": f"min(1, (datum.y + 1.08) * {up})",
    }  # fmt: skip


def _cell_rows(panel: DensityPanel) -> list[Row]:
    counts = _coarse(panel.counts)
    return [{"kind": "bin", "x": int(i), "y": int(j), "c": _two_digits(int(counts[i, j]))} for i, j in np.argwhere(counts > 0)]


def _outline_rows(panel: DensityPanel, outline: Outline, number: int) -> list[Row]:
    border = np.vstack([outline.vertices, outline.vertices[:1]]) if outline.closed else outline.vertices
    xs, ys = panel.x.place(border[:, 0]), panel.y.place(border[:, 1])
    rows: list[Row] = []
    for step, (x, y) in enumerate(zip(xs, ys, strict=True)):
        rows.append({"kind": "gate", "x": fraction(x), "y": fraction(y), "gate": number, "step": step})
    if outline.label:
        rows.append({"kind": "gate label", **_label_place(panel, outline, xs, ys), "text": outline.label})
    return rows


def _label_place(panel: DensityPanel, outline: Outline, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Row:
    """Where a label stands: as asked, or inside the outline's upper edge, never over the panel's border."""
    if outline.label_at is not None:
        x, y = panel.x.place(np.array([outline.label_at[0]]))[0], panel.y.place(np.array([outline.label_at[1]]))[0]
    else:
        x, y = (float(xs.min()) + float(xs.max())) / 2, float(ys.max()) - LABEL_HEIGHT
    return _kept_inside(float(x), float(y))


def _kept_inside(x: float, y: float) -> Row:
    """A place for words that do not run over the panel's border."""
    return {"x": fraction(min(max(x, LABEL_HALF), 1 - LABEL_HALF)), "y": fraction(min(max(y, 0.01), 1 - LABEL_HEIGHT))}


def _summed(bins: int) -> int:
    """How many neighbouring bins are summed into one."""
    return -(-bins // BINS_MAX)


def _coarse(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Neighbouring bins summed until at most `BINS_MAX` stand along either side; the last of a row may hold fewer."""
    for axis in (0, 1):
        counts = np.add.reduceat(counts, np.arange(0, counts.shape[axis], _summed(counts.shape[axis])), axis=axis)
    return counts


def _two_digits(count: int) -> int:
    """A count to two digits, as much as a colour tells."""
    return int(f"{count:.1e}".replace(".", "").split("e")[0]) * 10 ** (len(str(count)) - 2) if count >= 100 else count


def _wrong(panel: DensityPanel) -> str:
    edges, counts = (panel.x_edges, panel.y_edges), panel.counts
    if counts.ndim != 2 or any(e.ndim != 1 or e.size != n + 1 or n < 1 for e, n in zip(edges, counts.shape, strict=False)):
        return f"counts of shape {counts.shape} between {edges[0].size} and {edges[1].size} edges"
    for edge in edges:
        steps = np.diff(edge)
        if not (np.isfinite(edge).all() and steps.min() > 0 and np.allclose(steps, steps.mean(), rtol=1e-6, atol=0.0)):
            return "edges that do not rise in equal steps"
    return f"a count of {counts.min()}" if counts.min() < 0 else ""


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    array = np.array(values, copy=True)
    array.flags.writeable = False
    return array
