"""Regimens beside one another in the same virtual patients.

Every regimen meets the same patients with the same fluctuations and errors (common random numbers), so a difference is within patients and
its interval is narrower than the two arms' own. Intervals are Monte-Carlo: of the simulation, not of what is unknown about the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt
import numpy as np
import polars as pl
from scipy.special import ndtri

from thrombokit.drawing.regimen_differences import regimen_chart
from thrombokit.errors import Fault, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.binomial_intervals import wilson
from thrombokit.patients.cohort_diagnostics import CountRange
from thrombokit.patients.cohort_result import CohortResult

PERCENT = "% of weeks"
SHARES = ("in range at the end", "ever above the limit", "rescued", "left")
"""Measures that are yes or no in each patient; the others are means."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegimenMeasure:
    """One measure of one regimen: its mean (or share) over patients, and the difference from the reference, with intervals."""

    regimen: str
    measure: str
    unit: str
    value: float
    low: float
    high: float
    difference: float | None
    difference_low: float | None
    difference_high: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class RegimenComparison:
    """Measures of every regimen; `reference` is the one the others are compared with."""

    measures: tuple[RegimenMeasure, ...]
    regimens: tuple[str, ...]
    reference: str
    n: int
    n_weeks: int
    seed: int
    counts_in: CountRange
    confidence: float
    title: str

    def table(self) -> pl.DataFrame:
        """A row a regimen and measure: value and difference from the reference, each with a Monte-Carlo interval."""
        rows = [
            {"regimen": m.regimen, "measure": m.measure, "unit": m.unit, "value": m.value, "low": m.low, "high": m.high,
             "difference": m.difference, "difference_low": m.difference_low, "difference_high": m.difference_high}
            for m in self.measures
        ]  # fmt: skip
        return pl.DataFrame(rows, schema_overrides=dict.fromkeys(("difference", "difference_low", "difference_high"), pl.Float64))

    def value(self, regimen: str, measure: str) -> RegimenMeasure:
        """One measure.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        for found in self.measures:
            if (found.regimen, found.measure) == (regimen, measure):
                return found
        raise KeyError(f"{regimen}, {measure}")

    def summary(self) -> str:
        """Time in range of every regimen, and how each differs from the reference."""
        r = self.counts_in
        said = [f"{self.title}: {len(self.regimens)} regimens in the same {self.n} virtual patients, {self.n_weeks} weeks, seed {self.seed}. "
                f"Range {r.low:g} to {r.high:g}, limit {r.above:g} x 1e9/L."]  # fmt: skip
        for regimen in self.regimens:
            m = self.value(regimen, "time in range")
            text = f"{regimen}: {m.value:.1f} % of the weeks in range ({m.low:.1f} to {m.high:.1f})"
            if m.difference is not None:
                text += f", {m.difference:+.1f} points from {self.reference} ({m.difference_low:+.1f} to {m.difference_high:+.1f})"
            said.append(f"{text}.")
        return " ".join(
            [*said, f"Intervals ({100 * self.confidence:g} %) are of the simulation alone. Simulated: research use only."]
        )

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, for `--json`."""
        return {
            "schema": "thrombokit.regimens/1", "title": self.title, "reference": self.reference, "regimens": list(self.regimens),
            "patients": self.n, "weeks": self.n_weeks, "seed": self.seed, "low_1e9_per_L": self.counts_in.low,
            "high_1e9_per_L": self.counts_in.high, "above_1e9_per_L": self.counts_in.above, "confidence": self.confidence,
            "measures": self.table().to_dicts(),
        }  # fmt: skip

    def plot(self) -> alt.TopLevelMixin:
        """Every measure that is not 0 everywhere in a panel, a regimen a row, with intervals."""
        shown = self.table().filter((pl.col("value") > 0.0).any().over("measure"))
        return regimen_chart(shown, regimens=self.regimens, caption=f"{self.title}; the same {self.n} virtual patients under each regimen, "
                             f"{self.n_weeks} weeks, simulated. Bars: {100 * self.confidence:g} % Monte-Carlo intervals.")  # fmt: skip


def compare_cohorts(
    cohorts: Mapping[str, CohortResult],
    *,
    reference: str | None = None,
    counts_in: CountRange | None = None,
    confidence: float = 0.95,
) -> RegimenComparison:
    """Compare cohorts of the same patients under different regimens.

    Parameters
    ----------
    cohorts : mapping of str to CohortResult
        Regimen -> its cohort; all of one model, cohort and seed.
    reference : str, optional
        The regimen the others are compared with; the first by default.
    counts_in : CountRange, optional
        Target 50 to 200, limit 400 x 1e9/L by default.
    confidence : float
        Of the Monte-Carlo intervals.

    Returns
    -------
    RegimenComparison
        Means with normal intervals; shares with Wilson's, their paired differences by Agresti and Min.

    Raises
    ------
    InputError
        If the cohorts are not of the same patients, or the reference is not among them.

    References
    ----------
    Agresti and Min 2005, doi:10.1002/sim.1781 (paired difference of proportions: half a patient is added to each cell).
    """
    names = list(cohorts)
    raise_all(_faults(cohorts, reference))
    chosen, r = reference or names[0], counts_in or CountRange()
    of = {name: _measures(cohorts[name], r) for name in names}
    measures: list[RegimenMeasure] = []
    for name in names:
        for measure, (values, unit) in of[name].items():
            base = None if name == chosen else of[chosen][measure][0]
            measures.append(_measure(name, measure, unit, values, base, confidence))
    first = cohorts[names[0]]
    return RegimenComparison(measures=tuple(measures), regimens=tuple(names), reference=chosen, n=first.n, n_weeks=first.n_weeks, seed=first.seed,
                             counts_in=r, confidence=confidence, title=first.model_title)  # fmt: skip


def _faults(cohorts: Mapping[str, CohortResult], reference: str | None) -> list[Fault]:
    if len(cohorts) < 2:
        return [Fault(place="regimens", found=f"{len(cohorts)}", expected="two or more to compare", cure="Add a regimen.")]
    faults: list[Fault] = []
    names = list(cohorts)
    if reference is not None and reference not in cohorts:
        faults.append(
            Fault(place="reference", found=f'"{reference}"', expected=f"one of {', '.join(names)}", cure="Name a regimen.")
        )
    first = cohorts[names[0]]
    for name in names[1:]:
        other = cohorts[name]
        same = (first.seed, first.n, first.n_weeks, first.model_hash) == (other.seed, other.n, other.n_weeks, other.model_hash)
        if not same or not np.array_equal(first.inputs, other.inputs, equal_nan=True):
            faults.append(Fault(place=f"regimen {name}", found=f"other patients than under {names[0]}", expected="one model, cohort, seed and weeks",
                                cure="Simulate every regimen with the same cohort and seed."))  # fmt: skip
    return faults


def _measures(result: CohortResult, r: CountRange) -> dict[str, tuple[Array, str]]:
    """Measure -> a value for each patient, and the unit. Weeks 1 to the end; weeks after leaving count as out of range."""
    measured, doses = result.measured[:, 1:], result.doses_mg[:, 1:]
    with np.errstate(invalid="ignore"):
        in_range = (measured >= r.low) & (measured <= r.high) & ~result.rescued[:, 1:]
        above, below = measured > r.above, measured < r.low
    weeks = measured.shape[1]
    return {
        "time in range": (100.0 * in_range.mean(axis=1), PERCENT),
        "time below": (100.0 * below.sum(axis=1) / weeks, PERCENT),
        "time above the limit": (100.0 * above.sum(axis=1) / weeks, PERCENT),
        "mean dose": (doses.mean(axis=1), result.amount_unit),
        "in range at the end": (in_range[:, -1].astype(np.float64), "share"),
        "ever above the limit": (above.any(axis=1).astype(np.float64), "share"),
        "rescued": (result.rescue_given.any(axis=1).astype(np.float64), "share"),
        "left": (result.dropped_out[:, -1].astype(np.float64), "share"),
    }


def _measure(regimen: str, measure: str, unit: str, values: Array, base: Array | None, confidence: float) -> RegimenMeasure:
    z, n = float(ndtri(0.5 + 0.5 * confidence)), values.size
    value = float(values.mean())
    if measure in SHARES:
        low, high = wilson(float(values.sum()), n, confidence=confidence)
    elif unit == PERCENT and not values.std():  # all alike says little of the others: as if each patient were all or nothing
        low, high = (100.0 * end for end in wilson(value / 100.0 * n, n, confidence=confidence))
    else:
        half = z * float(values.std(ddof=1)) / np.sqrt(n) if n > 1 else np.inf
        low, high = value - half, value + half
        if unit == PERCENT:
            low, high = max(low, 0.0), min(high, 100.0)
    difference = None if base is None else float((values - base).mean())
    bounds: tuple[float | None, float | None] = (None, None)
    if base is not None and measure in SHARES:
        bounds = _paired_shares(values, base, z)
    elif base is not None and difference is not None:
        half = z * float((values - base).std(ddof=1)) / np.sqrt(n) if n > 1 else np.inf
        bounds = (difference - half, difference + half)
    return RegimenMeasure(regimen=regimen, measure=measure, unit=unit, value=value, low=low, high=high, difference=difference,
                          difference_low=bounds[0], difference_high=bounds[1])  # fmt: skip


def _paired_shares(values: Array, base: Array, z: float) -> tuple[float, float]:
    n = values.size + 2.0
    gained, lost = float(((values > 0.5) & (base < 0.5)).sum()) + 0.5, float(((values < 0.5) & (base > 0.5)).sum()) + 0.5
    middle = (gained - lost) / n
    half = z * float(np.sqrt(gained + lost - (gained - lost) ** 2 / n)) / n
    return max(middle - half, -1.0), min(middle + half, 1.0)
