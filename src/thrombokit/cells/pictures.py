"""Small densities of one tube, step by step, and histograms of markers: what the pictures of a strategy are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thrombokit.cells.drift import TimeQuality
from thrombokit.cells.gates import PolygonGate
from thrombokit.cells.result import Density
from thrombokit.cells.scales import LogicleScale, LogScale, Scale
from thrombokit.cells.steps import top_of
from thrombokit.cells.strategy import TIME_ID, FittedStrategy
from thrombokit.cells.tubes import VIABILITY, Panel, Tube
from thrombokit.numerics.arrays import Array, BoolArray, IntArray

_CELLS = 96
_NO_EVENTS = np.zeros(0)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Axis:
    """One axis of a picture: a channel on a scale, its values (n_events,) there, and the view."""

    name: str
    scale: Scale | None
    values: Array
    low: float
    high: float


def densities_of(
    tube: Tube, fitted: FittedStrategy, quality: TimeQuality, decoded: Array, compensated: Array, members: Mapping[str, BoolArray]
) -> tuple[Density, ...]:
    """One density a step, for one tube.

    Parameters
    ----------
    tube : Tube
    fitted : FittedStrategy
        Of its control group.
    quality : TimeQuality
    decoded, compensated : arrays of shape (n_events, n_channels)
    members : mapping of population to bool array of shape (n_events,)
        What `apply_gates` gave for the tube's tree.
    """
    panel, found = tube.panel, list[Density]()
    everything = np.ones(tube.sample.n_events, dtype=np.bool_)

    def axis(channel: str, shown: BoolArray, *, stain: bool = False, linear: bool = False) -> _Axis:
        column = (compensated if stain else decoded)[:, tube.sample.channel_names.index(channel)]
        return _axis(channel, np.asarray(column, dtype=np.float64), shown, top_of(tube.sample, channel), stain=stain, linear=linear)

    def add(step: str, parent: str | None, x: _Axis, y: _Axis, shown: BoolArray, names: tuple[str, ...], **more: object) -> None:
        shares = {name: float(members[name][shown].mean()) for name in names if name in members and shown.any()}
        found.append(_density(step, fitted, tube, parent or "", x, y, shown, shares, **more))  # pyright: ignore[reportArgumentType]

    if panel.time in tube.sample.channel_names:
        x, y = axis(panel.time, everything, linear=True), axis(panel.fsc_area, everything)
        add(TIME_ID, None, x, y, everything, (TIME_ID,), spans=quality.kept, gate=TIME_ID)
    for id, x_name, y_name in _scatter_panels(panel):
        gate = next((g for g in fitted.tree.gates if g.id == id), None)
        if not isinstance(gate, PolygonGate) or y_name not in tube.sample.channel_names:
            continue
        parent = gate.parent or (TIME_ID if TIME_ID in members else None)
        shown = members[parent] if parent else everything
        y = axis(y_name, shown, stain=id == "live")
        add(id, parent, axis(x_name, shown), y, shown, (id, "singlets"), outlines=(_clipped(gate.vertices),), gate=id)
    shown = members[fitted.analysed] if fitted.analysed else everything
    for first, second in (("CD41", "CD61"), ("CD41", "CD42b"), ("CD34", "CD41")):
        if first in panel.channels and second in panel.channels:
            x, y = (axis(panel.channels[m], shown, stain=True) for m in (first, second))
            names = (f"{first}+{second}+", f"{first}+", f"{second}+", *(stage.name for stage in fitted.stages))
            outlines = _lines(fitted, panel, tube, first, second, x, y)
            add(f"{first}/{second}", fitted.analysed, x, y, shown, names, outlines=outlines, gate=f"{first}+{second}+")
    return tuple(found)


def _scatter_panels(panel: Panel) -> tuple[tuple[str, str, str], ...]:
    """Gate, x and y channel of the steps that are polygons; a singlet gate of several bands is shown by its first."""
    height = panel.fsc_height
    return (
        ("cells", panel.fsc_area, panel.ssc_area),
        ("singlets", panel.fsc_area, height),
        ("singlets_forward", panel.fsc_area, height),
        ("live", panel.fsc_area, panel.channels.get(VIABILITY, "")),
    )


def _axis(name: str, plain: Array, shown: BoolArray, top: float, *, stain: bool, linear: bool) -> _Axis:
    if linear:
        some = plain[shown] if shown.any() else np.zeros(1)
        return _Axis(name=name, scale=None, values=plain, low=float(some.min()), high=float(np.nextafter(some.max(), np.inf)))
    scale = LogicleScale(t=top, w=0.5, m=4.5) if stain else LogScale(t=top, m=4.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = scale.apply(plain)
    finite = values[shown & np.isfinite(values)]
    low = float(np.quantile(finite, 0.001)) - 0.02 if finite.size else 0.0
    return _Axis(name=name, scale=scale, values=values, low=min(low, 0.98), high=1.001)


def _density(
    step: str, fitted: FittedStrategy, tube: Tube, parent: str, x: _Axis, y: _Axis, shown: BoolArray, shares: dict[str, float], *,
    outlines: tuple[Array, ...] = (), spans: tuple[tuple[float, float], ...] = (), gate: str = "",
) -> Density:  # fmt: skip
    x_edges, y_edges = (np.linspace(axis.low, axis.high, _CELLS + 1) for axis in (x, y))
    return Density(
        step=step, group=fitted.group, tube=tube.name, parent=parent, gate=gate, x_name=x.name, y_name=y.name, x_scale=x.scale,
        y_scale=y.scale, x_edges=x_edges, y_edges=y_edges, counts=_counts(x, y, shown), outlines=outlines, spans=spans, shares=shares,
    )  # fmt: skip


def _counts(x: _Axis, y: _Axis, shown: BoolArray) -> IntArray:
    """Counts (n_x, n_y); events beyond the view are counted at its edge, those without a place on an axis nowhere."""
    good = shown & np.isfinite(x.values) & np.isfinite(y.values)
    cells = [
        np.clip(((axis.values[good] - axis.low) / max(axis.high - axis.low, 1e-300) * _CELLS).astype(np.int64), 0, _CELLS - 1)
        for axis in (x, y)
    ]
    return np.bincount(cells[0] * _CELLS + cells[1], minlength=_CELLS**2).reshape(_CELLS, _CELLS)


def _clipped(vertices: Array) -> Array:
    return np.clip(vertices, -0.5, 1.2)


def _lines(fitted: FittedStrategy, panel: Panel, tube: Tube, first: str, second: str, x: _Axis, y: _Axis) -> tuple[Array, ...]:
    """The two thresholds at the median size, as lines across the view."""
    size = LogScale(t=top_of(tube.sample, panel.fsc_area), m=4.5).apply(np.array([fitted.size_at[0]]))
    lines: list[Array] = []
    for marker, vertical in ((first, True), (second, False)):
        line = fitted.thresholds[marker].line if marker in fitted.thresholds else None
        if line is None or not np.isfinite(size).all():
            continue
        at = float(line.at(size)[0])
        lines.append(np.array([[at, y.low], [at, y.high]]) if vertical else np.array([[x.low, at], [x.high, at]]))
    return tuple(lines)
