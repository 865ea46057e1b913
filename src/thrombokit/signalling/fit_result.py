"""What a fit of a PEtab problem found: estimates, their intervals where they were profiled, and how every search ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.outcome import Outcome
from thrombokit.signalling.petab_problem import ScaleName

NEAR = 0.1
"""Searches that end within this much of the best log-likelihood count as having found the same maximum."""


@dataclass(frozen=True, kw_only=True)
class ParameterFit:
    """One estimated parameter, on linear scale.

    `low` and `high` are the ends of the profile interval; None where that side is open or was not profiled, as `low_end` and `high_end`
    say ("closed", "open: ...", "not profiled"). `at_bound` is "lower", "upper" or "".
    """

    id: str
    name: str
    scale: ScaleName
    estimate: float
    nominal: float
    at_bound: str = ""
    low: float | None = None
    high: float | None = None
    low_end: str = "not profiled"
    high_end: str = "not profiled"

    def to_dict(self) -> dict[str, Any]:
        """All fields."""
        return {
            "parameter": self.id, "name": self.name, "scale": self.scale, "estimate": self.estimate, "low": self.low, "high": self.high,
            "low_end": self.low_end, "high_end": self.high_end, "at_bound": self.at_bound, "nominal": self.nominal,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchEnd(FrozenArrays):
    """One search: where it started and ended, arrays of shape (n,) on the parameters' scales, how, and after how many steps."""

    number: int
    start: Array
    start_log_likelihood: float
    point: Array
    log_likelihood: float
    outcome: Outcome
    steps: int
    promised_gain: float


@dataclass(frozen=True, kw_only=True, eq=False)
class FitResult(FrozenArrays):
    """The best of all searches.

    Attributes
    ----------
    source : str
        The problem's file.
    seed : int
    n_measurements : int
    log_likelihood : float
        At the estimates.
    outcome : Outcome
        How the best search ended.
    parameters : tuple of ParameterFit
        Estimated ones.
    searches : tuple of SearchEnd
        In the order of their numbers.
    point : array of shape (n,)
        The estimates on the parameters' scales.
    confidence : float or None
        Of the intervals, None before profiles.
    """

    source: str
    seed: int
    n_measurements: int
    log_likelihood: float
    outcome: Outcome
    parameters: tuple[ParameterFit, ...]
    searches: tuple[SearchEnd, ...]
    point: Array
    confidence: float | None = None

    @property
    def n_near_best(self) -> int:
        """Searches that ended within `NEAR` of the best."""
        return sum(one.log_likelihood >= self.log_likelihood - NEAR for one in self.searches)

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 k - 2 log L."""
        return 2.0 * len(self.parameters) - 2.0 * self.log_likelihood

    def table(self) -> pl.DataFrame:
        """One row per estimated parameter; values on linear scale, in the units of the model."""
        numbers = ("estimate", "low", "high", "nominal")
        columns = ("parameter", "name", "scale", "estimate", "low", "high", "low_end", "high_end", "at_bound", "nominal")
        schema = {name: pl.Float64() if name in numbers else pl.String() for name in columns}
        return pl.DataFrame([one.to_dict() for one in self.parameters], schema=schema)

    def searches_table(self) -> pl.DataFrame:
        """One row per search, the best first."""
        rows = [
            {"start": one.number, "log_likelihood": _finite(one.log_likelihood), "outcome": str(one.outcome), "steps": one.steps,
             "start_log_likelihood": _finite(one.start_log_likelihood), "promised_gain": _finite(one.promised_gain)}
            for one in self.searches
        ]  # fmt: skip
        schema = {"start": pl.Int64, "log_likelihood": pl.Float64, "outcome": pl.String, "steps": pl.Int64,
                  "start_log_likelihood": pl.Float64, "promised_gain": pl.Float64}  # fmt: skip
        return pl.DataFrame(rows, schema=schema).sort("log_likelihood", "start", descending=[True, False], nulls_last=True)

    def summary(self) -> str:
        """A few plain sentences."""
        said = [
            f"{self.source}: log-likelihood {self.log_likelihood:.5f} for {self.n_measurements} measurements and "
            f"{len(self.parameters)} estimated parameters; {self.n_near_best} of {len(self.searches)} searches ended within {NEAR:g} of it "
            f"({self.outcome.replace('_', ' ')})."
        ]
        if self.n_near_best == 1 and len(self.searches) > 1:
            said.append("No second search found this maximum: there may be a better one, use more starts.")
        bound = [f"{one.id} ({one.at_bound})" for one in self.parameters if one.at_bound]
        if bound:
            said.append(f"At a bound: {', '.join(bound)}.")
        if self.confidence is not None:
            open_ends = [one.id for one in self.parameters if one.low_end.startswith("open") or one.high_end.startswith("open")]
            closed = len(self.parameters) - len(open_ends)
            said.append(f"Profile intervals at {100 * self.confidence:g} %: {closed} closed on both sides.")
            if open_ends:
                said.append(f"Not determined on one side or both: {', '.join(open_ends)}.")
        return " ".join(said)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "schema": "thrombokit.signalling_fit/1", "source": self.source, "seed": self.seed, "log_likelihood": self.log_likelihood,
            "aic": self.aic, "n_measurements": self.n_measurements, "outcome": str(self.outcome), "n_searches": len(self.searches),
            "n_near_best": self.n_near_best, "confidence": self.confidence,
            "parameters": [one.to_dict() for one in self.parameters], "searches": self.searches_table().to_dicts(),
        }  # fmt: skip


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
