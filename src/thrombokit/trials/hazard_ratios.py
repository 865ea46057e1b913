"""Hazard ratios of arms against a reference, how the fit ended, and when there is none: the noun that `cox` fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thrombokit.domain.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class HazardRatio:
    """One arm over the reference; `log_ratio` with its standard error and Wald p, all None where there is no finite ratio."""

    arm: str
    reference: str
    ratio: Estimate
    log_ratio: float | None
    std_error: float | None
    p: float | None

    def to_dict(self) -> dict[str, Any]:
        """Its fields by name."""
        return {
            "arm": self.arm, "reference": self.reference, **self.ratio.to_dict(), "log_ratio": self.log_ratio,
            "std_error": self.std_error, "p": self.p,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class HazardRatios:
    """A Cox model with the arm alone.

    `verdict`: "fit"; "monotone" (the likelihood rises without end: some arm had no event while others were at risk, or all of them, so
    that a ratio is 0 or infinite); "no_events"; "not_converged". `likelihood_ratio` is the statistic of no difference, with `df` and `p`.
    """

    verdict: str
    ties: str
    stratified: bool
    confidence: float
    ratios: tuple[HazardRatio, ...]
    log_likelihood: float | None
    likelihood_ratio: float | None
    df: int
    p: float | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Keys `verdict`, `ties`, `ratios` and the test of all arms together."""
        return {
            "verdict": self.verdict, "ties": self.ties, "stratified": self.stratified, "confidence": self.confidence,
            "ratios": [ratio.to_dict() for ratio in self.ratios], "log_likelihood": self.log_likelihood,
            "likelihood_ratio": {"statistic": self.likelihood_ratio, "df": self.df, "p": self.p}, "message": self.message,
        }  # fmt: skip
