"""Singlets: a band that follows size, so that large polyploid cells, which have wide pulses by themselves, are kept.

A cell's pulse gets wider as the cell gets larger; two cells in one event give a pulse that is too wide for its area. So the height given
the area is looked at, along the ridge of the density from the smallest to the largest events, and the band is as wide as the spread about
that ridge on its clean side (upwards: doublets lie below). Where side scatter has a height too, both detectors must agree: one
cell passes both at the same speed and shows the same pulse width in both; a small cell on a large one weighs differently in forward and side
light and does not. With a DNA stain its own area and height give a third band: two nuclei of 4N are not one of 8N.

References
----------
Wersto et al. 2001, doi:10.1002/cyto.1171 (doublets by area, height and width of the DNA pulse); Tomer 2004,
doi:10.1182/blood-2004-02-0696 (megakaryocyte diameter from 21 um at 2N to 56 um at 64N: a fixed width gate removes the largest).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thrombokit.cells.gates import BooleanGate, Dimension, Gate, Operand, PolygonGate, polygon
from thrombokit.cells.scales import LogScale, Ratio
from thrombokit.cells.steps import FAR, FittedStep, log_dimension
from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.polygons import inside_polygon
from thrombokit.numerics.ridges import Ridge, follow_ridge

_ID = "singlets"
_STRIP, _FEWEST = 0.05, 500
_RATIO_SCALE = LogScale(t=10.0, m=2.0)


@dataclass(frozen=True, kw_only=True)
class SingletSettings:
    """Half-widths of the bands in standard deviations; `use_side` and `use_dna` switch the second and third band."""

    enabled: bool = True
    below: float = 2.75
    above: float = 2.75
    agreement: float = 2.75
    dna_below: float = 3.5
    use_side: bool = True
    use_dna: bool = True


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """Names of a detector's area and height, the top of their scale, and pooled values of both, decoded, shape (n_events,)."""

    area: str
    height: str
    top: float
    areas: Array
    heights: Array

    def logs(self) -> tuple[Array, Array]:
        """log10 of area, and of height / area; not-a-number where either is not positive."""
        good = (self.areas > 0) & (self.heights > 0)
        area = np.where(good, self.areas, np.nan)
        ratio = np.where(good, self.heights, np.nan) / area
        return np.log10(area), np.log10(ratio)


def fit_singlets(
    forward: Pulse | None, side: Pulse | None, dna: Pulse | None, settings: SingletSettings, *, parent: str | None
) -> tuple[FittedStep, tuple[Gate, ...]]:
    """The gate that leaves doublets out.

    Parameters
    ----------
    forward, side, dna : Pulse or None
        Events of the parent gate, pooled; the same events in all. None: that height (or stain) was not recorded.
    settings : SingletSettings
    parent : str or None
        Gate in which it lies.

    Returns
    -------
    step : FittedStep
        With the gate "singlets", or None.
    bands : tuple of Gate
        The gates that "singlets" is made of, where it is made of more than one.
    """
    if not settings.enabled:
        return FittedStep(step=_ID, gate=None, rule="off", sentence="Singlet gate switched off."), ()
    bands: dict[str, PolygonGate] = {}
    if forward is not None and (band := _area_height_band(forward, settings.below, settings.above, "singlets_forward", parent)):
        bands["height follows area"] = band
        if side is not None and settings.use_side and (agreeing := _agreement_band(forward, side, settings.agreement, parent)):
            bands["forward and side pulse agree"] = agreeing
    if dna is not None and settings.use_dna and forward is not None:
        dna = _within(dna, _passing(bands, forward, side))
    if dna is not None and settings.use_dna and (band := _area_height_band(dna, settings.dna_below, 4.0, "singlets_DNA", parent)):
        bands["DNA height follows area"] = band
    if not bands:
        why = "no pulse height was recorded" if forward is None and dna is None else "too few events"
        return FittedStep(step=_ID, gate=None, rule="none", sentence=f"No singlet gate: {why}; doublets are among the cells."), ()
    gates = tuple(bands.values())
    sentence = f"Singlets by {', '.join(bands)}; the bands follow size."
    if len(gates) == 1:
        only = polygon(_ID, gates[0].x, gates[0].y, gates[0].vertices, parent=parent)
        return FittedStep(step=_ID, gate=only, rule=" + ".join(bands), sentence=sentence), ()
    joined = BooleanGate(id=_ID, operation="and", operands=tuple(Operand(gate=g.id) for g in gates), parent=parent)
    return FittedStep(step=_ID, gate=joined, rule=" + ".join(bands), sentence=sentence), gates


def _passing(bands: dict[str, PolygonGate], forward: Pulse, side: Pulse | None) -> BoolArray:
    """Events in the scatter bands found so far: among them two-nuclei events are few, and the DNA ridge is easily followed."""
    inside = np.ones(forward.areas.size, dtype=np.bool_)
    for band in bands.values():
        if band.id == "singlets_forward":
            scale = LogScale(t=forward.top, m=4.5)
            x, y = (scale.apply(np.maximum(values, 1e-9)) for values in (forward.areas, forward.heights))
        elif side is not None:
            x, y = (_RATIO_SCALE.apply(10.0 ** np.nan_to_num(pulse.logs()[1], nan=-9.0)) for pulse in (forward, side))
        else:
            continue
        inside &= inside_polygon(x, y, band.vertices)
    return inside


def _within(pulse: Pulse, rows: BoolArray) -> Pulse:
    return replace(pulse, areas=pulse.areas[rows], heights=pulse.heights[rows])


def _area_height_band(pulse: Pulse, below: float, above: float, id: str, parent: str | None) -> PolygonGate | None:
    """Polygon in log area and log height: the ridge, so many standard deviations down and up."""
    area, ratio = pulse.logs()
    good = np.isfinite(area) & (pulse.areas < 0.999 * pulse.top)
    if good.sum() < _FEWEST:
        return None
    ridge = follow_ridge(area[good], ratio[good], strip=_STRIP, one_sided=True)  # log width is convex in log area
    if ridge is None:
        return None
    places = _places(ridge, np.log10(pulse.top))
    middle, sd = ridge.at(places) + places, ridge.sd_at(places)
    outline = np.concatenate([np.column_stack([places, middle - below * sd]), np.column_stack([places, middle + above * sd])[::-1]])
    x, y = log_dimension(pulse.area, pulse.top), log_dimension(pulse.height, pulse.top)
    return polygon(id, x, y, _on_scale(outline, pulse.top), parent=parent)


def _places(ridge: Ridge, log_top: float) -> Array:
    """Where the outline has its corners: the ridge's own places, thinned, and far beyond both ends; a corner where the area saturates."""
    inner = ridge.x[:: max(1, ridge.x.size // 24)]
    return np.unique(np.concatenate([[ridge.x[0] - 2.0], inner, [ridge.x[-1], log_top, log_top + 0.3]]))


def _on_scale(log_values: Array, top: float) -> Array:
    scale = LogScale(t=top, m=4.5)
    return np.clip(scale.apply(10.0**log_values), -FAR, FAR)


def _agreement_band(forward: Pulse, side: Pulse, width: float, parent: str | None) -> PolygonGate | None:
    """Polygon in height / area of forward and of side scatter: side given forward, so many standard deviations either way."""
    _, x = forward.logs()
    _, y = side.logs()
    good = np.isfinite(x) & np.isfinite(y) & (forward.areas < 0.999 * forward.top) & (side.areas < 0.999 * side.top)
    if good.sum() < _FEWEST:
        return None
    x, y = x[good], y[good]
    inside = (x > np.quantile(x, 0.002)) & (x < np.quantile(x, 0.998))
    ridge = follow_ridge(x[inside], y[inside] - x[inside], strip=0.02)
    if ridge is None:
        return None
    places = np.unique(np.concatenate([[-0.95], ridge.x[:: max(1, ridge.x.size // 16)], [0.95]]))
    middle = places + np.interp(places, ridge.x, ridge.y)
    sd = ridge.sd_at(places)
    outline = np.concatenate([np.column_stack([places, middle - width * sd]), np.column_stack([places, middle + width * sd])[::-1]])
    scaled = np.clip(_RATIO_SCALE.apply(10.0**outline), -FAR, FAR)
    return polygon("singlets_side", _pulse_shape(forward), _pulse_shape(side), scaled, parent=parent)


def _pulse_shape(pulse: Pulse) -> Dimension:
    return Dimension(channel=Ratio(numerator=pulse.height, denominator=pulse.area), scale=_RATIO_SCALE)
