"""Fitted curves: parameters, intervals, verdicts; one row a curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import stdtrit

from thrombokit.dose_response.settings import FitSettings
from thrombokit.numerics import curves
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray, TextArray
from thrombokit.numerics.outcome import OUTCOME_BY_CODE, Outcome
from thrombokit.numerics.variance_model import VarianceModel

if TYPE_CHECKING:
    import altair as alt

FITS_COLUMNS = (
    "curve", "verdict", "ec50_nM", "ec50_low_nM", "ec50_high_nM", "bound_side", "hill_slope", "hill_low", "hill_high", "bottom", "top",
    "open_plateau", "rss", "n_points", "n_excluded", "confidence", "interval_method", "model", "message",
)  # fmt: skip
"""Columns of FITS.csv in their order; `run` follows `curve` where the table named runs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveFits(FrozenArrays):
    """Fits of n curves, and the noise they were weighted with.

    theta : (n, p), in the order a0, a1, ln EC50, ln hill, then ln s (5PL) or ln EC50 of the fall, a2 (bell); see `numerics.curves`.
    covariance : (n, p, p) of theta, residual scale included; NaN where singular.
    ln_low, ln_high : (n,) ends of the interval of ln EC50, +-inf where open.
    rss : (n,) sum of weight x residual^2 over all points. degrees : (n,) points minus parameters. scale : (n,) rss / degrees,
    or the square of a robust fit's scale.
    verdict, open_plateau, qualifier, message : (n,) text. dose_low_nM, dose_high_nM : (n,) lowest and highest dose above 0.
    level : (n,) weighted mean response, what a flat curve comes to.
    variance : the noise model of each run ("" without runs); empty unless weights = "model".
    """

    keys: pl.DataFrame
    settings: FitSettings
    theta: Array
    covariance: Array
    ln_low: Array
    ln_high: Array
    rss: Array
    scale: Array
    degrees: IntArray
    n_points: IntArray
    n_excluded: IntArray
    code: IntArray
    p_flat: Array
    dose_low_nM: Array
    dose_high_nM: Array
    verdict: TextArray
    open_plateau: TextArray
    qualifier: TextArray
    message: TextArray
    level: Array
    variance: dict[str, VarianceModel]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """How each fit ended, length n."""
        return tuple(OUTCOME_BY_CODE[int(c)] for c in self.code)

    @property
    def ec50_nM(self) -> Array:
        """Relative EC50, shape (n,); NaN where the verdict allows none (flat, bad, beyond_range)."""
        value = np.exp(self.theta[:, 2])
        return np.where(np.isin(self.verdict, ("flat", "bad", "beyond_range")), np.nan, value)

    @property
    def se_ln_ec50(self) -> Array:
        """Standard error of ln EC50 from the covariance, shape (n,)."""
        return np.sqrt(self.covariance[:, 2, 2])

    def table(self) -> pl.DataFrame:
        """One row a curve with the columns of FITS.csv (docs/conventions.md); null where not finite or open."""
        empty = np.isin(self.verdict, ("flat", "bad"))
        beyond = self.verdict == "beyond_range"
        with np.errstate(divide="ignore"):  # a curve without a dose above 0 has no highest dose
            above = beyond & (self.theta[:, 2] > np.log(self.dose_high_nM))
        with np.errstate(over="ignore"):  # a Wald interval can end beyond any number: printed as open
            low = np.where(empty | (beyond & ~above), np.nan, np.exp(self.ln_low))
            high = np.where(empty | above, np.nan, np.exp(self.ln_high))
        bounded = beyond & np.where(above, np.isfinite(self.ln_low), np.isfinite(self.ln_high))
        a0, a1 = self.theta[:, 0], self.theta[:, 1]
        sign = np.where(a1 >= a0, 1.0, -1.0)
        ln_hill, hill_half = self.theta[:, 3], self._half(3)
        with np.errstate(over="ignore"):
            ends = np.stack([sign * np.exp(ln_hill - hill_half), sign * np.exp(ln_hill + hill_half)])
        plateaus = self.printed_plateaus()
        columns = {
            "verdict": self.verdict.astype(str), "ec50_nM": self.ec50_nM, "ec50_low_nM": np.where(low > 0, low, np.nan), "ec50_high_nM": high,
            "bound_side": np.where(bounded, np.where(above, "above", "below"), "").astype(str),
            "hill_slope": np.where(empty, np.nan, sign * np.exp(ln_hill)),
            "hill_low": np.where(empty, np.nan, ends.min(axis=0)), "hill_high": np.where(empty, np.nan, ends.max(axis=0)),
            "bottom": np.fmin(*plateaus), "top": np.fmax(*plateaus),
            "open_plateau": self.open_plateau.astype(str), "rss": self.rss, "n_points": self.n_points, "n_excluded": self.n_excluded,
            "message": self.message.astype(str),
        }  # fmt: skip
        table = pl.DataFrame(columns).with_columns(
            confidence=pl.lit(self.settings.confidence),
            interval_method=pl.lit(self.settings.interval),
            model=pl.lit(self.settings.model),
        )
        table = table.with_columns(pl.col(pl.Float64).replace([np.inf, -np.inf], [None, None]).fill_nan(None))
        table = table.with_columns(pl.col("bound_side", "open_plateau", "message").replace("", None))
        return pl.concat([self.keys, table], how="horizontal").select([*self.keys.columns, *FITS_COLUMNS[1:]])

    def printed_plateaus(self) -> tuple[Array, Array]:
        """Plateaus at dose 0 and at high dose as they are printed, each of shape (n,); NaN for "bad".

        A flat curve has its mean for both. Where a curve with its inflection beyond the doses leaves a plateau open, the fit's own value can lie
        anywhere; printed is the fitted response at the last dose before it, which the plateau lies beyond.
        """
        a0, a1 = self.theta[:, 0].copy(), self.theta[:, 1].copy()
        flat = self.verdict == "flat"
        a0[flat] = a1[flat] = self.level[flat]
        rising = a1 >= a0
        for i in np.flatnonzero(self.verdict == "beyond_range"):
            at_start, at_end = ("bottom", "top") if rising[i] else ("top", "bottom")
            ends = self.predict(int(i), np.array([self.dose_low_nM[i], self.dose_high_nM[i]]))
            a0[i] = ends[0] if self.open_plateau[i] in (at_start, "both") else a0[i]
            a1[i] = ends[1] if self.open_plateau[i] in (at_end, "both") else a1[i]
        bad = self.verdict == "bad"
        a0[bad] = a1[bad] = np.nan
        return a0, a1

    def unknown_plateau(self, which: str) -> BoolArray:
        """Curves, shape (n,), whose "top" or "bottom" is not worth a number: flat, bad, or open with the inflection beyond the doses."""
        open_here = np.isin(self.open_plateau, (which, "both")) & (self.verdict == "beyond_range")
        return np.isin(self.verdict, ("flat", "bad")) | open_here

    def _half(self, index: int) -> Array:
        """Half-width of the t interval of theta[:, index], shape (n,)."""
        from_t = _critical_t(self.settings.confidence, self.degrees)
        return from_t * np.sqrt(self.covariance[:, index, index])

    def plateau_intervals(self) -> tuple[Array, Array]:
        """Half-widths of the t intervals of a0 and a1, each of shape (n,), response units."""
        return self._half(0), self._half(1)

    def predict(self, i: int, concentration_nM: Array) -> Array:
        """Fitted response of curve `i` at doses of any shape, in nM."""
        with np.errstate(divide="ignore"):
            return self._value(np.log(np.asarray(concentration_nM, dtype=np.float64)), self.theta[i])

    def _value(self, x: Array, theta: Array) -> Array:
        a0, a1, m, ln_h = (float(v) for v in theta[:4])
        if self.settings.model == "bell":
            return curves.bell(x, a0, a1, float(theta[5]), m, float(theta[4]), float(np.exp(ln_h)))
        if self.settings.model == "5pl":
            return curves.five_parameter(x, a0, a1, m, float(np.exp(ln_h)), float(np.exp(theta[4])))
        return curves.four_parameter(x, a0, a1, m, float(np.exp(ln_h)))

    def band(self, i: int, concentration_nM: Array) -> tuple[Array, Array]:
        """Pointwise confidence band (low, high) of curve `i` by the delta method; NaN where the covariance is singular."""
        with np.errstate(divide="ignore"):
            x = np.log(np.asarray(concentration_nM, dtype=np.float64))
        centre, gradient = self._value(x, self.theta[i]), np.empty((self.theta.shape[1], x.size))
        for k in range(self.theta.shape[1]):
            step = 1e-5 * max(1.0, abs(float(self.theta[i, k])))
            up, down = self.theta[i].copy(), self.theta[i].copy()
            up[k] += step
            down[k] -= step
            gradient[k] = (self._value(x, up) - self._value(x, down)) / (2 * step)
        variance = np.einsum("ix,ij,jx->x", gradient, self.covariance[i], gradient)
        half = float(_critical_t(self.settings.confidence, self.degrees[i : i + 1])[0]) * np.sqrt(np.maximum(variance, 0.0))
        return centre - half, centre + half

    def summary(self) -> str:
        """How many curves got which verdict, in one sentence."""
        names, counts = np.unique(self.verdict.astype(str), return_counts=True)
        parts = [f"{count} {name}" for name, count in zip(names, counts, strict=True)]
        return f"{self.theta.shape[0]} curves fitted ({self.settings.model}): " + ", ".join(parts) + "."

    def plot(self) -> alt.FacetChart:
        """EC50 of every curve that has one, with its interval, as a forest plot (nM, log axis).

        Raises
        ------
        InputError
            If no curve has an EC50.
        """
        # altair takes 0.3 s to import, which a fit that draws nothing should not pay
        from thrombokit.drawing.forest import forest_chart

        table = self.table().filter(pl.col("ec50_nM").is_not_null())
        label = pl.col("run") if "run" in table.columns else pl.col("verdict")
        rows = table.select(
            assay=pl.lit(""), agonist="curve", kind=pl.lit("run"), label=label, ec50_nM="ec50_nM", ec50_low_nM="ec50_low_nM",
            ec50_high_nM="ec50_high_nM",
        )  # fmt: skip
        return forest_chart(rows, description="EC50 of every curve with its interval, in nM.")


def _critical_t(confidence: float, degrees: IntArray) -> Array:
    return stdtrit(np.maximum(degrees, 1), 0.5 + confidence / 2)
