"""A published trial's counts analysed anew, with what the article prints beside: what counts alone can and cannot reproduce."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from thrombokit.evidence.published_trials import PublishedEndpoint, PublishedTrial
from thrombokit.numerics.binomial_intervals import clopper_pearson
from thrombokit.trials.several_arms import ArmsComparison, compare_arms

SCHEMA = "thrombokit.published-trial/1"


@dataclass(frozen=True, kw_only=True)
class EndpointAnalysis:
    """One endpoint: each arm's share with its exact interval, and every arm against the reference (None for a single arm)."""

    endpoint: PublishedEndpoint
    shares: dict[str, tuple[float, float, float]]
    compared: ArmsComparison | None


@dataclass(frozen=True, kw_only=True)
class PublishedAnalysis:
    """All endpoints of one published trial."""

    trial: PublishedTrial
    confidence: float
    endpoints: tuple[EndpointAnalysis, ...]

    def to_dict(self) -> dict[str, Any]:
        """What `thrombokit trials published --json` prints."""
        t = self.trial
        return {"schema": SCHEMA, "name": t.name, "title": t.title, "source": t.source, "locator": t.locator, "tier": t.tier, "note": t.note,
                "confidence": self.confidence, "endpoints": [_endpoint(e, t) for e in self.endpoints]}  # fmt: skip

    def table(self) -> pl.DataFrame:
        """One row per endpoint and arm: counts, share with exact interval, difference and odds ratio from the counts, printed odds ratio."""
        return pl.DataFrame([row for e in self.endpoints for row in _rows(e, self.trial)], infer_schema_length=None)

    def summary(self) -> str:
        """Title, source and note."""
        return f"{self.trial.title}. {self.trial.source}, {self.trial.locator} ({self.trial.tier}). {self.trial.note}"


def analyse_published(trial: PublishedTrial, *, confidence: float = 0.95) -> PublishedAnalysis:
    """Every endpoint of a published trial from its counts.

    Parameters
    ----------
    trial : PublishedTrial
    confidence : float
        Of every interval, two-sided.

    References
    ----------
    Shares: Clopper-Pearson. Arms against the reference: see `compare_arms`.
    """
    return PublishedAnalysis(
        trial=trial, confidence=confidence, endpoints=tuple(_analysed(e, trial, confidence) for e in trial.endpoints)
    )


def _analysed(endpoint: PublishedEndpoint, trial: PublishedTrial, confidence: float) -> EndpointAnalysis:
    counts = {arm: (endpoint.responders[arm], size) for arm, size in trial.sizes.items()}
    shares = {arm: (x / n, *clopper_pearson(x, n, confidence=confidence)) for arm, (x, n) in counts.items()}
    grouped = {arm: {"": pair} for arm, pair in counts.items()}
    compared = compare_arms(grouped, reference=trial.reference, confidence=confidence) if trial.reference else None
    return EndpointAnalysis(endpoint=endpoint, shares=shares, compared=compared)


def _rows(analysis: EndpointAnalysis, trial: PublishedTrial) -> list[dict[str, Any]]:
    against = {c.arm: c for c in analysis.compared.comparisons} if analysis.compared else {}
    rows: list[dict[str, Any]] = []
    for arm, (share, low, high) in analysis.shares.items():
        compared, printed = against.get(arm), analysis.endpoint.odds_ratios.get(arm)
        difference = compared.pooled.risk_difference if compared else None
        ratio = compared.pooled.odds_ratio if compared else None
        limits = difference.intervals["miettinen_nurminen"].to_list() if difference else [None, None]
        odds = ratio.intervals["score"].to_list() if ratio else [None, None]
        rows.append({
            "endpoint": analysis.endpoint.name, "arm": arm, "responders": analysis.endpoint.responders[arm], "n": trial.sizes[arm],
            "percent": 100 * share, "percent_low": 100 * low, "percent_high": 100 * high,
            "difference_points": 100 * difference.estimate if difference and difference.estimate is not None else None,
            "difference_low": None if limits[0] is None else 100 * limits[0], "difference_high": None if limits[1] is None else 100 * limits[1],
            "odds_ratio": ratio.estimate if ratio else None, "odds_ratio_low": odds[0], "odds_ratio_high": odds[1],
            "fisher_p": compared.pooled.p_values["fisher"] if compared else None, "p_holm": compared.p_holm if compared else None,
            "printed_odds_ratio": printed.estimate if printed else None, "printed_low": printed.low if printed else None,
            "printed_high": printed.high if printed else None,
        })  # fmt: skip
    return rows


def _endpoint(analysis: EndpointAnalysis, trial: PublishedTrial) -> dict[str, Any]:
    arms = [{key: value for key, value in row.items() if key != "endpoint"} for row in _rows(analysis, trial)]
    compared = analysis.compared.to_dict()["comparisons"] if analysis.compared else []
    return {"endpoint": analysis.endpoint.name, "arms": arms, "comparisons": compared}
