"""What a cohort's counts and doses do week by week: percentiles, share in the target range, dose over time, time above a limit.

Every interval here is of the simulation: how far it would move with other virtual patients. It is not what is unknown about the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import numpy as np
import polars as pl
from scipy.special import ndtri

from thrombokit.drawing.cohort_weeks import cohort_weeks_chart
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.binomial_intervals import wilson
from thrombokit.patients.cohort_result import CohortResult

PERCENTILES = (5.0, 25.0, 50.0, 75.0, 95.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class CountRange:
    """Platelet counts of interest, 1e9/L: the target from `low` to `high`, both ends in, and the limit `above` that none should pass."""

    low: float = 50.0
    high: float = 200.0
    above: float = 400.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.low < self.high <= self.above < np.inf:
            raise InputError(Fault(place="count range", found=f"{self.low:g}-{self.high:g}, limit {self.above:g}", expected="0 <= low < high <= top",
                                   cure="Correct the numbers, in 1e9/L."))  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortDiagnostics(FrozenArrays):
    """The weeks of a cohort; `weeks_above` (n,) is the number of weeks after week 0 that each patient spent above the limit."""

    title: str
    n: int
    n_weeks: int
    counts_in: CountRange
    confidence: float
    amount_unit: str
    weeks: pl.DataFrame
    weeks_above: Array

    def table(self) -> pl.DataFrame:
        """A row a week: `patients`, percentiles of the count, shares in range, below it and above the limit with intervals, doses."""
        return self.weeks

    def summary(self) -> str:
        """Shares at the end, time above the limit, and dose."""
        last, r = self.weeks.row(-1, named=True), self.counts_in
        said = [f"{self.title}: {self.n} virtual patients, {self.n_weeks} weeks."]
        if last["in_range"] is not None:
            said.append(f"Week {last['week']}: {100 * last['in_range']:.1f} % at {r.low:g} to {r.high:g} x 1e9/L (Monte-Carlo interval "
                        f"{100 * last['in_range_low']:.1f} to {100 * last['in_range_high']:.1f} %), median {last['p50']:.3g} x 1e9/L.")  # fmt: skip
        ever = int((self.weeks_above > 0).sum())
        low, high = wilson(ever, self.n, confidence=self.confidence)
        said.append(f"Ever above {r.above:g} x 1e9/L: {100 * ever / self.n:.1f} % ({100 * low:.1f} to {100 * high:.1f} %), "
                    f"on average {float(self.weeks_above.mean()):.2f} weeks a patient.")  # fmt: skip
        if last["dose_mean"] is not None:
            said.append(f"Mean dose at week {last['week']}: {last['dose_mean']:.3g} {self.amount_unit}, held or stopped "
                        f"{100 * last['not_dosed']:.1f} %.")  # fmt: skip
        return " ".join([*said, "Simulated: research use only."])

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, for `--json`."""
        return {
            "schema": "thrombokit.cohort-diagnostics/1", "title": self.title, "patients": self.n, "weeks": self.n_weeks,
            "low_1e9_per_L": self.counts_in.low, "high_1e9_per_L": self.counts_in.high, "above_1e9_per_L": self.counts_in.above,
            "confidence": self.confidence, "by_week": self.weeks.to_dicts(), "ever_above": int((self.weeks_above > 0).sum()),
            "mean_weeks_above": float(self.weeks_above.mean()),
        }  # fmt: skip

    def plot(self) -> alt.TopLevelMixin:
        """Four panels over the weeks: counts, share in range, dose, share above the limit."""
        return cohort_weeks_chart(self.weeks, low=self.counts_in.low, high=self.counts_in.high, above=self.counts_in.above,
                                  amount_unit=self.amount_unit, caption=f"{self.title}; {self.n} virtual patients, simulated")  # fmt: skip


def diagnose_cohort(result: CohortResult, *, counts_in: CountRange | None = None, confidence: float = 0.95) -> CohortDiagnostics:
    """Percentiles, shares and doses of a cohort by week.

    Parameters
    ----------
    result : CohortResult
        From `simulate_cohort`. Measured counts; those who left are not counted from then on; within the exclusion window of a rescue a
        patient is not in range.
    counts_in : CountRange, optional
        Target 50 to 200, limit 400 x 1e9/L by default.
    confidence : float
        Of the Monte-Carlo intervals (Wilson for shares, normal for means).

    Returns
    -------
    CohortDiagnostics
    """
    r = counts_in or CountRange()
    rows = [_week(result, week, r, confidence) for week in range(result.n_weeks + 1)]
    with np.errstate(invalid="ignore"):
        above = np.nansum(result.measured[:, 1:] > r.above, axis=1).astype(np.float64)
    return CohortDiagnostics(
        title=f"{result.model_title}; {result.regimen}", n=result.n, n_weeks=result.n_weeks, counts_in=r, confidence=confidence,
        amount_unit=result.amount_unit, weeks=pl.DataFrame(rows, infer_schema_length=None), weeks_above=above,
    )  # fmt: skip


def _week(result: CohortResult, week: int, r: CountRange, confidence: float) -> dict[str, object]:
    there = ~np.isnan(result.measured[:, week])
    counts, doses = result.measured[there, week], result.doses_mg[there, week]
    n = counts.size
    row: dict[str, object] = {"week": week, "patients": n}
    levels = np.percentile(counts, PERCENTILES) if n else [None] * len(PERCENTILES)
    row |= {f"p{level:g}": None if value is None else float(value) for level, value in zip(PERCENTILES, levels, strict=True)}
    shares = {
        "in_range": (counts >= r.low) & (counts <= r.high) & ~result.rescued[there, week], "below": counts < r.low, "above": counts > r.above,
    }  # fmt: skip
    for name, holds in shares.items():
        low, high = wilson(int(holds.sum()), n, confidence=confidence) if n else (None, None)
        row |= {name: float(holds.mean()) if n else None, f"{name}_low": low, f"{name}_high": high}
    half = float(ndtri(0.5 + 0.5 * confidence)) * float(doses.std(ddof=1)) / np.sqrt(n) if n > 1 else np.nan
    mean = float(doses.mean()) if n else None
    row |= {"dose_mean": mean, "dose_low": None if mean is None or np.isnan(half) else mean - half,
            "dose_high": None if mean is None or np.isnan(half) else mean + half, "dose_median": float(np.median(doses)) if n else None,
            "not_dosed": float((doses == 0.0).mean()) if n else None}  # fmt: skip
    return row
