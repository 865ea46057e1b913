"""Two arms compared within strata: every stratified estimate, interval and test that a protocol may name, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.numerics.firth import fit_firth
from thrombokit.trials.cochran_mantel_haenszel import AssociationTest, cmh_test
from thrombokit.trials.exact_strata import ExactCommonOddsRatio, exact_common_odds_ratio
from thrombokit.trials.mantel_haenszel import (
    CommonMeasure,
    Homogeneity,
    breslow_day,
    common_difference,
    common_odds_ratio,
    common_risk_ratio,
    klingenberg,
    sato,
)
from thrombokit.trials.strata import Strata
from thrombokit.trials.stratified_difference import stratified_miettinen_nurminen, stratified_newcombe
from thrombokit.trials.two_by_two import Interval


@dataclass(frozen=True, kw_only=True)
class FirthOddsRatio:
    """Odds ratio of the arms adjusted for strata by penalised logistic regression; finite in separated data. `ended` says how."""

    estimate: float
    interval: Interval
    p: float
    ended: str


@dataclass(frozen=True, kw_only=True)
class StratifiedComparison:
    """First arm against second within strata."""

    strata: Strata
    confidence: float
    difference: float
    difference_intervals: dict[str, Interval]
    odds_ratio: CommonMeasure
    risk_ratio: CommonMeasure
    exact: ExactCommonOddsRatio
    firth: FirthOddsRatio
    tests: dict[str, AssociationTest]
    homogeneity: dict[str, Homogeneity]

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it; intervals are [low, high], null where infinite."""
        return {
            "strata": [{"stratum": name, "first": f"{t.a}/{t.n}", "second": f"{t.b}/{t.m}"}
                       for name, t in zip(self.strata.names, self.strata.tables, strict=True)],
            "without_comparison": list(self.strata.without_comparison),
            "risk_difference": {"estimate": self.difference, **{k: i.to_list() for k, i in self.difference_intervals.items()}},
            "odds_ratio": {
                "mantel_haenszel": {"estimate": self.odds_ratio.estimate, "interval": self.odds_ratio.interval.to_list()},
                "exact_conditional": {"estimate": self.exact.estimate, "interval": self.exact.interval.to_list()},
                "firth": {"estimate": self.firth.estimate, "interval": self.firth.interval.to_list(), "ended": self.firth.ended},
            },
            "risk_ratio": {"mantel_haenszel": {"estimate": self.risk_ratio.estimate, "interval": self.risk_ratio.interval.to_list()}},
            "tests": {
                **{k: {"statistic": t.statistic, "df": t.df, "p": t.p} for k, t in self.tests.items()},
                "exact_conditional": {"p": self.exact.p}, "firth": {"p": self.firth.p},
            },
            "homogeneity": {k: {"statistic": h.statistic, "df": h.df, "p": h.p} for k, h in self.homogeneity.items()},
        }  # fmt: skip


def compare_strata(strata: Strata, *, confidence: float = 0.95) -> StratifiedComparison:
    """First arm against second, strata held.

    Parameters
    ----------
    strata : Strata
    confidence : float
        Of every interval, two-sided.

    Returns
    -------
    StratifiedComparison
        Complete for every set of tables: what does not exist is None with the interval (0, inf).

    References
    ----------
    In the modules of each method.
    """
    return StratifiedComparison(
        strata=strata, confidence=confidence, difference=common_difference(strata),
        difference_intervals={
            "miettinen_nurminen": stratified_miettinen_nurminen(strata, confidence=confidence),
            "newcombe": stratified_newcombe(strata, confidence=confidence),
            "sato": sato(strata, confidence=confidence),
            "klingenberg": klingenberg(strata, confidence=confidence),
        },
        odds_ratio=common_odds_ratio(strata, confidence=confidence), risk_ratio=common_risk_ratio(strata, confidence=confidence),
        exact=exact_common_odds_ratio(strata, confidence=confidence), firth=_firth(strata, confidence),
        tests={"cmh": cmh_test(strata), "cmh_corrected": cmh_test(strata, corrected=True)},
        homogeneity={"breslow_day": breslow_day(strata, tarone=False), "tarone": breslow_day(strata)},
    )  # fmt: skip


def _firth(strata: Strata, confidence: float) -> FirthOddsRatio:
    """An intercept a stratum and one effect of the arm."""
    k = len(strata.tables)
    design = np.zeros((2 * k, k + 1))
    design[np.arange(2 * k), np.repeat(np.arange(k), 2)] = 1.0
    design[::2, k] = 1.0
    responders = np.array([count for t in strata.tables for count in (t.a, t.b)], dtype=np.float64)
    sizes = np.array([size for t in strata.tables for size in (t.n, t.m)], dtype=np.float64)
    fit = fit_firth(design, responders, sizes, confidence=confidence, profiled=[k])
    interval = Interval(low=math.exp(fit.low[k]), high=math.exp(fit.high[k]) if math.isfinite(fit.high[k]) else math.inf)
    return FirthOddsRatio(
        estimate=math.exp(fit.coefficients[k]), interval=interval, p=float(fit.p_values[k]), ended=str(fit.outcome)
    )
