"""Two arms' responders compared: every interval and test that a protocol may name, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.binomial_intervals import clopper_pearson, mid_p, wilson
from thrombokit.trials import odds_ratio, relative_risk, risk_difference, two_by_two_tests
from thrombokit.trials.two_by_two import Interval, TwoByTwo

SCHEMA = "thrombokit.proportions/1"
ONE_ARM = {"clopper_pearson": clopper_pearson, "wilson": wilson, "mid_p": mid_p}


@dataclass(frozen=True, kw_only=True)
class ArmProportion:
    """One arm's share of responders, with each interval by the name of its method."""

    responders: int
    n: int
    intervals: dict[str, Interval]

    @property
    def estimate(self) -> float:
        """Responders / n."""
        return self.responders / self.n


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """One measure of the difference (None where it does not exist), with each interval by the name of its method.

    `estimates` holds a method's own estimate where it is not the sample's (the conditional odds ratio).
    """

    estimate: float | None
    intervals: dict[str, Interval]
    estimates: dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class ProportionComparison:
    """First arm against second. `p_values` by test; None where a test does not exist."""

    table: TwoByTwo
    confidence: float
    arms: tuple[ArmProportion, ArmProportion]
    risk_difference: Contrast
    risk_ratio: Contrast
    odds_ratio: Contrast
    p_values: dict[str, float | None]
    chi_square_statistic: float | None

    def to_dict(self) -> dict[str, Any]:
        """What `thrombokit trials proportions --json` prints; intervals are [low, high], null where infinite."""
        return {
            "schema": SCHEMA,
            "confidence": self.confidence,
            "arms": [
                {
                    "responders": arm.responders, "n": arm.n, "estimate": arm.estimate,
                    "intervals": {name: interval.to_list() for name, interval in arm.intervals.items()},
                }
                for arm in self.arms
            ],
            "risk_difference": _contrast_dict(self.risk_difference),
            "risk_ratio": _contrast_dict(self.risk_ratio),
            "odds_ratio": _contrast_dict(self.odds_ratio),
            "tests": {
                **{name: {"p": p} for name, p in self.p_values.items()},
                "chi_square": {"p": self.p_values["chi_square"], "statistic": self.chi_square_statistic, "df": 1, "corrected": False},
            },
        }  # fmt: skip

    def to_rows(self) -> list[dict[str, Any]]:
        """One row per interval or test: measure, method, estimate, low, high, p."""
        rows: list[dict[str, Any]] = []
        for name, arm in zip(("first arm", "second arm"), self.arms, strict=True):
            rows += [_row(name, method, arm.estimate, interval) for method, interval in arm.intervals.items()]
        for name in ("risk_difference", "risk_ratio", "odds_ratio"):
            contrast: Contrast = getattr(self, name)
            rows += [_row(name, m, contrast.estimates.get(m, contrast.estimate), i) for m, i in contrast.intervals.items()]
        return rows + [_row("no difference", test, None, None, p) for test, p in self.p_values.items()]

    def table_of_results(self) -> pl.DataFrame:
        """`to_rows` as a table."""
        columns = {"measure": pl.String, "method": pl.String, **dict.fromkeys(("estimate", "low", "high", "p"), pl.Float64)}
        return pl.DataFrame(self.to_rows(), schema=columns)

    def summary(self) -> str:
        """A few plain sentences."""
        first, second = self.arms
        difference, interval = self.risk_difference, self.risk_difference.intervals["miettinen_nurminen"]
        return (
            f"{first.responders}/{first.n} ({100 * first.estimate:.1f} %) against {second.responders}/{second.n} "
            f"({100 * second.estimate:.1f} %). Difference {100 * (difference.estimate or 0.0):.1f} points "
            f"({100 * self.confidence:g} % Miettinen-Nurminen {100 * interval.low:.1f} to {100 * interval.high:.1f}); "
            f"Fisher p = {self.p_values['fisher']:.3g}."
        )


def compare_proportions(a: int, n: int, b: int, m: int, *, confidence: float = 0.95) -> ProportionComparison:
    """`a` responders of `n` against `b` of `m`: first minus (or over) second.

    Parameters
    ----------
    a, n, b, m : int
        Responders and size of the first, then of the second arm.
    confidence : float
        Of every interval, two-sided; above 0.5 and below 1.

    Returns
    -------
    ProportionComparison
        Complete for every table of two arms that are not empty: what does not exist is None, with the interval (0, inf).

    Raises
    ------
    InputError
        If the counts are no two-by-two table, or the confidence is none.
    """
    if not 0.5 < confidence < 1.0:
        raise InputError(
            Fault(place="confidence", found=f"{confidence}", expected="a number above 0.5 and below 1", cure="Write 0.95, say.")
        )
    table = TwoByTwo(a=a, n=n, b=b, m=m)
    conditional, exact = odds_ratio.conditional(table, confidence=confidence)
    statistic, chi_square = two_by_two_tests.chi_square(table)
    return ProportionComparison(
        table=table,
        confidence=confidence,
        arms=(_arm(a, n, confidence), _arm(b, m, confidence)),
        risk_difference=Contrast(
            estimate=table.p1 - table.p2,
            intervals={
                "miettinen_nurminen": risk_difference.miettinen_nurminen(table, confidence=confidence),
                "mee": risk_difference.mee(table, confidence=confidence),
                "newcombe": risk_difference.newcombe(table, confidence=confidence),
            },
            estimates={},
        ),
        risk_ratio=Contrast(
            estimate=relative_risk.risk_ratio(table),
            intervals={
                "log": relative_risk.log_interval(table, confidence=confidence),
                "score": relative_risk.score_interval(table, confidence=confidence),
                "koopman": relative_risk.score_interval(table, confidence=confidence, corrected=False),
            },
            estimates={},
        ),
        odds_ratio=Contrast(
            estimate=odds_ratio.odds_ratio(table),
            intervals={
                "wald": odds_ratio.wald_interval(table, confidence=confidence),
                "score": odds_ratio.score_interval(table, confidence=confidence),
                "exact_conditional": exact,
            },
            estimates={"exact_conditional": conditional},
        ),
        p_values={
            "fisher": two_by_two_tests.fisher(table),
            "boschloo": two_by_two_tests.boschloo(table),
            "boschloo_two_sided_ordering": two_by_two_tests.boschloo_two_sided_ordering(table),
            "chi_square": chi_square,
        },
        chi_square_statistic=statistic,
    )


def _arm(responders: int, n: int, confidence: float) -> ArmProportion:
    limits = {name: method(responders, n, confidence=confidence) for name, method in ONE_ARM.items()}
    return ArmProportion(responders=responders, n=n, intervals={k: Interval(low=v[0], high=v[1]) for k, v in limits.items()})


def _contrast_dict(contrast: Contrast) -> dict[str, Any]:
    out: dict[str, Any] = {"estimate": contrast.estimate}
    for name, interval in contrast.intervals.items():
        limits = interval.to_list()
        out[name] = {"estimate": contrast.estimates[name], "interval": limits} if name in contrast.estimates else limits
    return out


def _row(measure: str, method: str, estimate: float | None, interval: Interval | None, p: float | None = None) -> dict[str, Any]:
    low, high = interval.to_list() if interval else (None, None)
    return {"measure": measure, "method": method, "estimate": estimate, "low": low, "high": high, "p": p}
