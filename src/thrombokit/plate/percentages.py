"""Curves as a percentage of the window: plateaus, Emax, and the absolute EC50, each with its interval and the controls' error in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.special import stdtrit

from thrombokit.dose_response.fits import CurveFits
from thrombokit.numerics.arrays import Array
from thrombokit.plate.normalise import WINDOW, Normalised

Ends = tuple[float | None, float | None, float | None]
_NOTHING: Ends = (None, None, None)


def percent_columns(owners: Sequence[Normalised], fits: CurveFits) -> pl.DataFrame:
    """bottom_pct, top_pct, emax_pct (% of the window or of vehicle) and ec50_abs_nM, each with _low and _high; one row a curve.

    ec50_abs_nM is the dose at which the curve reaches 50 % of the rhTPO window; null without rhTPO and for curves that do not reach it
    inside the tested doses.
    """
    half0, half1 = fits.plateau_intervals()
    columns: dict[str, list[float | None]] = {}
    for name in ("bottom_pct", "top_pct", "emax_pct", "ec50_abs_nM"):
        rows = [
            _absolute(i, owner, fits) if name == "ec50_abs_nM" else _plateau(name, i, owner, fits, half0, half1)
            for i, owner in enumerate(owners)
        ]
        for suffix, part in (("", 0), ("_low", 1), ("_high", 2)):
            columns[f"{name}{suffix}"] = [row[part] for row in rows]
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64))


def _plateau(name: str, i: int, owner: Normalised, fits: CurveFits, half0: Array, half1: Array) -> Ends:
    """One plateau of curve i in % with its interval; Emax is the plateau at high dose."""
    rising = bool(fits.theta[i, 1] >= fits.theta[i, 0])
    at_high = name == "emax_pct" or (name == "top_pct") == rising
    which = "top" if at_high == rising else "bottom"
    if bool(fits.unknown_plateau(which)[i]):
        return _NOTHING
    value, half = (float(fits.theta[i, 1]), float(half1[i])) if at_high else (float(fits.theta[i, 0]), float(half0[i]))
    centre, t = float(owner.percent(value)), _critical_t(fits, i)
    spread = t * float(owner.percent_se(np.array(value), np.array(half / t)))  # the plateau's error and the controls' together
    return (centre, centre - spread, centre + spread) if np.isfinite(spread) else (centre, None, None)


def _absolute(i: int, owner: Normalised, fits: CurveFits) -> Ends:
    """Dose at 50 % of the window by inverting the 4PL; interval by the delta method on the log dose, controls' error included."""
    if (
        owner.unit != WINDOW
        or owner.vehicle is None
        or owner.positive is None
        or str(fits.verdict[i]) not in ("fit", "plateau_open")
    ):
        return _NOTHING
    half_way = 0.5 * (owner.zero + owner.full)
    a0, a1, m, ln_h = (float(v) for v in fits.theta[i, :4])
    share = (half_way - a0) / (a1 - a0) if a1 != a0 else np.nan
    if not 0.0 < share < 1.0 or fits.settings.model not in ("3pl", "4pl"):
        return _NOTHING
    h, logit = np.exp(ln_h), np.log(share / (1.0 - share))
    x = m + logit / h
    if not np.log(fits.dose_low_nM[i]) <= x <= np.log(fits.dose_high_nM[i]):
        return _NOTHING
    by_share = 1.0 / (h * share * (1.0 - share))
    span = a1 - a0
    gradient = np.array([by_share * (share - 1.0) / span, -by_share * share / span, 1.0, -logit / h])
    own = float(gradient @ fits.covariance[i, :4, :4] @ gradient)
    controls = (0.5 * by_share / span) ** 2 * (owner.vehicle.se**2 + owner.positive.se**2)
    half = _critical_t(fits, i) * float(np.sqrt(own + controls))
    if not np.isfinite(half):
        return float(np.exp(x)), None, None
    return float(np.exp(x)), float(np.exp(x - half)), float(np.exp(min(x + half, 700.0)))


def _critical_t(fits: CurveFits, i: int) -> float:
    return float(stdtrit(max(int(fits.degrees[i]), 1), 0.5 + fits.settings.confidence / 2))
