"""Fit every donor's curve with weights that know how much a well of cells can tell.

Percentages: 4PL on the percent scale, each well weighted by 1 / variance with the beta-binomial's variance at the fitted mean. The
correlation rho within a well is estimated from the scatter about the curves, pooled over all donors and agonists of a population (day,
panel), and the weights are formed anew until they stand still. Yields: 4PL on the natural log of the yield, each well weighted by its own
relative error and the scatter between wells, pooled in the same way. Either way the interval of a curve rests on its wells (points
minus parameters), never on the number of cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from thrombokit.cells.dose_series import DoseSeries
from thrombokit.dose_response.fit import fit_points
from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints
from thrombokit.dose_response.settings import FitSettings
from thrombokit.drawing.numerals import three_digits
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray, frozen
from thrombokit.numerics.beta_binomial import extra_variance, intraclass_correlation, share_variance
from thrombokit.numerics.curves import logistic

ROUNDS = 4
LEAST_VARIANCE = 0.01
"""No well counts for more than this share of its curve's largest variance allows: near 0 % what scatters is the gate, not the counting."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SeriesPoints(FrozenArrays):
    """The wells of all curves, one after the other, as they are fitted.

    series : one a curve. row : (n_points,) row of the checked table. curve : (n_points,) number of the curve. x : ln dose, -inf for
    vehicle. y : percent, or ln yield. size : cells counted in the parent (percent), else NaN. own_variance : of ln yield, else NaN.
    starts : (n_curves + 1,). n_excluded : (n_curves,) wells without a usable value. pool : (n_curves,) which curves share their scatter.
    """

    series: tuple[DoseSeries, ...]
    percent: bool
    row: IntArray
    curve: IntArray
    x: Array
    y: Array
    size: Array
    own_variance: Array
    starts: IntArray
    n_excluded: IntArray
    pool: IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationFits(FrozenArrays):
    """Fits with the points they were fitted to; `scatter` (n_pools,) is rho (percent) or the CV between wells (yields), NaN where unknown."""

    points: SeriesPoints
    curves: CurvePoints
    fits: CurveFits
    fitted: Array
    scatter: Array


def series_points(table: pl.DataFrame, series: list[DoseSeries]) -> SeriesPoints:
    """Wells of all series from a checked table with `count` and `parent_count`, or `value` and `relative_sd`."""
    percent = "count" in table.columns
    first, second = (table[name].to_numpy() for name in (("count", "parent_count") if percent else ("value", "relative_sd")))
    dose = np.where(table["role"].to_numpy() == "vehicle", 0.0, table["concentration_nM"].to_numpy())
    usable = np.isfinite(first) & np.isfinite(second) & ((second > 0) if percent else (first > 0))
    kept = [each.rows[usable[each.rows]] for each in series]
    row = np.concatenate([np.empty(0, np.int64), *kept])
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.log(dose[row])
        y = 100.0 * first[row] / second[row] if percent else np.log(first[row])
    pools: dict[tuple[str, float | None, str], int] = {}
    return SeriesPoints(
        series=tuple(series), percent=percent, row=frozen(row, np.int64),
        curve=frozen(np.repeat(np.arange(len(kept)), [k.size for k in kept]), np.int64), x=frozen(x), y=frozen(y),
        size=frozen(second[row] if percent else np.full(row.size, np.nan)),
        own_variance=frozen(np.full(row.size, np.nan) if percent else second[row] ** 2),
        starts=frozen(np.concatenate([[0], np.cumsum([k.size for k in kept])]), np.int64),
        n_excluded=frozen([each.rows.size - k.size for each, k in zip(series, kept, strict=True)], np.int64),
        pool=frozen([pools.setdefault((s.population, s.day_d, s.panel), len(pools)) for s in series], np.int64),
    )  # fmt: skip


def fit_populations(points: SeriesPoints, *, confidence: float) -> PopulationFits:
    """Fit all curves, weights and scatter in turn until they stand still; a curve that cannot be fitted gets a verdict."""
    settings = FitSettings(weights="column", confidence=confidence)
    keys = pl.DataFrame({"curve": [each.label() for each in points.series]}, schema={"curve": pl.String})
    scatter = np.zeros(int(points.pool.max(initial=-1)) + 1)
    curves, fits, fitted = _fitted_with(points, keys, np.ones(points.y.size), settings)
    for _ in range(ROUNDS - 1):
        scatter = _scatter(points, fitted, scatter.size)
        curves, fits, fitted = _fitted_with(points, keys, 1.0 / _variance(points, fitted, np.nan_to_num(scatter)), settings)
    fits = say_bounds(fits) if points.percent else fits
    shown = scatter if points.percent else np.sqrt(scatter)
    return PopulationFits(
        points=points, curves=curves, fits=_say_excluded(fits, points), fitted=frozen(fitted), scatter=frozen(shown)
    )


def _fitted_with(
    points: SeriesPoints, keys: pl.DataFrame, weight: Array, settings: FitSettings
) -> tuple[CurvePoints, CurveFits, Array]:
    """All curves fitted with these weights, and the fitted value of every well."""
    curves = CurvePoints(
        keys=keys, x=points.x, y=points.y, w=frozen(weight), starts=points.starts, n_excluded=points.n_excluded
    )  # fmt: skip
    fits = fit_points(curves, settings)
    return curves, fits, _fitted(points, fits)


def _fitted(points: SeriesPoints, fits: CurveFits) -> Array:
    """Fitted value of every well, shape (n_points,); NaN where the curve has no fit."""
    each = fits.theta[points.curve]
    return each[:, 0] + (each[:, 1] - each[:, 0]) * logistic(points.x, each[:, 2], np.exp(each[:, 3]))


def _share(points: SeriesPoints, fitted: Array) -> Array:
    """Fitted share of every well, kept half a cell away from 0 and 1."""
    edge = 0.5 / (points.size + 1.0)
    return np.clip(np.nan_to_num(fitted / 100.0, nan=0.5), edge, 1.0 - edge)


def _scatter(points: SeriesPoints, fitted: Array, n_pools: int) -> Array:
    """rho, or the extra variance of ln yield, of every pool; degrees of freedom are wells less four for each curve."""
    out = np.full(n_pools, np.nan)
    known = np.isfinite(fitted)
    pool = points.pool[points.curve]
    for k in range(n_pools):
        chosen = known & (pool == k)
        degrees = float(chosen.sum()) - 4.0 * np.unique(points.curve[chosen]).size
        if points.percent:
            share, size = _share(points, fitted)[chosen], points.size[chosen]
            chi_squared = (points.y[chosen] / 100.0 - share) ** 2 * size / (share * (1.0 - share))
            out[k] = intraclass_correlation(chi_squared, size, degrees)
        else:
            own = np.maximum(points.own_variance[chosen], 1e-12)
            out[k] = extra_variance((points.y[chosen] - fitted[chosen]) ** 2, own, degrees)
    return out


def _variance(points: SeriesPoints, fitted: Array, scatter: Array) -> Array:
    """Variance of every well's response, shape (n_points,), above 0."""
    each = scatter[points.pool[points.curve]]
    if not points.percent:
        return np.maximum(points.own_variance + each, 1e-12)
    variance = 1e4 * share_variance(_share(points, fitted), points.size, each)
    largest = np.zeros(points.starts.size - 1)
    np.maximum.at(largest, points.curve, variance)
    return np.maximum(variance, LEAST_VARIANCE * largest[points.curve])


def say_bounds(fits: CurveFits) -> CurveFits:
    """Percentages live between 0 and 100: a plateau outside is told, and beyond its own error it is not determined (`plateau_open`)."""
    verdict, opened, message = fits.verdict.copy(), fits.open_plateau.copy(), fits.message.copy()
    halves = np.stack(fits.plateau_intervals())
    plateaus = fits.theta[:, :2].T
    judged = np.isin(fits.verdict, ("fit", "plateau_open", "not_sigmoid"))
    for i in (int(k) for k in np.flatnonzero(judged & np.any((plateaus < 0) | (plateaus > 100), axis=0))):
        for name, k in (("bottom", int(np.argmin(plateaus[:, i]))), ("top", int(np.argmax(plateaus[:, i])))):
            value, half = float(plateaus[k, i]), float(halves[k, i])
            outside = max(-value, value - 100.0)
            if outside <= 0:
                continue
            limit = "below 0 %" if value < 0 else "above 100 %"
            said = f"the fitted {name}, {three_digits(value)} %, lies {limit}"
            beyond = not outside <= half
            said += ", by more than its error: it is not determined" if beyond else ", within its error"
            message[i] = "; ".join(part for part in (str(message[i]), said) if part)
            if beyond and verdict[i] in ("fit", "plateau_open"):
                verdict[i] = "plateau_open"
                opened[i] = name if opened[i] in ("", name) else "both"
    return replace(fits, verdict=verdict, open_plateau=opened, message=message)


def _say_excluded(fits: CurveFits, points: SeriesPoints) -> CurveFits:
    """Wells without a usable value are named in the message: an empty tube, or a yield of 0, which has no logarithm."""
    message = fits.message.copy()
    kind = "no cells counted" if points.percent else "no yield above 0, which has no logarithm"
    for i in (int(k) for k in np.flatnonzero(points.n_excluded > 0)):
        n = int(points.n_excluded[i])
        said = f"{n} well{'s' if n > 1 else ''} left out ({kind})"
        message[i] = "; ".join(part for part in (str(message[i]), said) if part)
    return replace(fits, message=message)


def closed_ends(fits: CurveFits) -> tuple[BoolArray, BoolArray]:
    """Whether each curve closes its EC50 from below and from above, shape (n_curves,); a curve without an EC50 inside closes neither
    the side it lies beyond nor, when flat or bad, any."""
    inside = np.isin(fits.verdict, ("fit", "plateau_open", "not_sigmoid"))
    with np.errstate(divide="ignore"):
        above = (fits.verdict == "beyond_range") & (fits.theta[:, 2] > np.log(fits.dose_high_nM))
        below = (fits.verdict == "beyond_range") & ~above
    return (inside | above) & np.isfinite(fits.ln_low), (inside | below) & np.isfinite(fits.ln_high)
