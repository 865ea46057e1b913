"""The figures of a time-to-event analysis: each arm's curve and median, the tests between arms, incidences and hazard ratios.

Words and pictures are made from these nouns; `survival.SurvivalResult` is the same with its words and pictures at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from thrombokit.trials.competing_risks import CumulativeIncidence, GrayTest
from thrombokit.trials.hazard_ratios import HazardRatios
from thrombokit.trials.kaplan_meier import MEDIAN_RULES, Median, SurvivalCurve
from thrombokit.trials.log_rank import LogRank
from thrombokit.trials.survival_data import SurvivalData

SCHEMA = "thrombokit.survival/1"


@dataclass(frozen=True, kw_only=True)
class ArmSurvival:
    """One arm: subjects, events, its curve and its median."""

    name: str
    n: int
    n_events: int
    n_competing: int
    curve: SurvivalCurve
    median: Median

    def to_dict(self) -> dict[str, Any]:
        """Keys `name, n, events, median, low, high`; None where the curve or the edge of its band does not come down to one half."""
        return {
            "name": self.name, "n": self.n, "events": self.n_events, "competing": self.n_competing,
            "censored": self.n - self.n_events - self.n_competing,
            "median": self.median.median, "low": self.median.low, "high": self.median.high,
            "verdict": "not_reached" if self.median.median is None else "reached",
            "low_open": self.median.low is None, "high_open": self.median.high is None,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SurvivalEstimates:
    """Arms in order, the test between them (None with one arm), incidences and Gray's tests where causes compete, hazard ratios."""

    data: SurvivalData
    conf_type: str
    confidence: float
    median_rule: str
    arms: tuple[ArmSurvival, ...]
    logrank: LogRank | None
    incidences: tuple[CumulativeIncidence, ...]
    gray: tuple[GrayTest, ...]
    cox: HazardRatios | None = None

    def to_dict(self) -> dict[str, Any]:
        """What `thrombokit trials survival --json` prints."""
        return {
            "schema": SCHEMA,
            "time": self.data.time_name,
            "event_coding": self.data.coding.to_dict(),
            "conf_type": self.conf_type,
            "confidence": self.confidence,
            "median_rule": self.median_rule,
            "median_rule_says": MEDIAN_RULES[self.median_rule],
            "arms": [arm.to_dict() for arm in self.arms],
            "logrank": None if self.logrank is None else {**self.logrank.to_dict(), "arms": list(self.data.arms)},
            "cox": None if self.cox is None else self.cox.to_dict(),
            "cumulative_incidence": [incidence.to_dict() for incidence in self.incidences],
            "gray": [test.to_dict() for test in self.gray],
            "strata": list(self.data.strata) if self.data.is_stratified else [],
            "n": int(self.data.time.size),
            "dropped_rows": len(self.data.dropped),
            "dropped": [row.to_dict() for row in self.data.dropped],
            "merged_times": self.data.n_merged_times,
        }

    def to_rows(self) -> list[dict[str, Any]]:
        """One row per estimate or test: measure, group, method, estimate, low, high, p."""
        band = f"Kaplan-Meier, {self.conf_type} band, rule {self.median_rule}"
        rows = [_row("median", a.name, band, a.median.median, a.median.low, a.median.high) for a in self.arms]
        if self.logrank is not None:
            rows.append(_row("no difference", "all arms", self.logrank.name, self.logrank.statistic, p=self.logrank.p))
        for ratio in self.cox.ratios if self.cox else ():
            fitted = ratio.ratio
            rows.append(_row("hazard ratio", f"{ratio.arm} over {ratio.reference}", f"Cox, {self.cox.ties if self.cox else ''}",
                             fitted.estimate, fitted.low, fitted.high, ratio.p))  # fmt: skip
        for one in self.incidences:
            last = one.to_dict()
            rows.append(_row(f"cumulative incidence of {one.cause}", one.arm, f"Aalen-Johansen at {last['time']:g}",
                             last["estimate"], last["low"], last["high"]))  # fmt: skip
        rows += [_row(f"no difference in {t.cause}", "all arms", "Gray", t.statistic, p=t.p) for t in self.gray]
        return rows

    def table(self) -> pl.DataFrame:
        """`to_rows` as a table; times in the file's unit."""
        numbers = dict.fromkeys(("estimate", "low", "high", "p"), pl.Float64)
        return pl.DataFrame(self.to_rows(), schema={"measure": pl.String, "group": pl.String, "method": pl.String, **numbers})

    def steps(self) -> pl.DataFrame:
        """The curves: one row an arm and distinct time, `arm, time, n_at_risk, n_events, n_censored, survival, std_error, low, high`.

        With competing causes `n_censored` holds those too. Null where the curve has no standard error.
        """
        return pl.concat([_arm_steps(arm) for arm in self.arms])

    def incidence_steps(self) -> pl.DataFrame:
        """The cumulative incidences: `arm, cause, time, n_at_risk, n_events, incidence, std_error, low, high`; empty with one cause."""
        columns = ("time", "n_at_risk", "n_events", "incidence", "std_error", "low", "high")
        schema = {"arm": pl.String, "cause": pl.String, **{c: pl.Int64 if c.startswith("n_") else pl.Float64 for c in columns}}
        tables = [
            pl.DataFrame({"arm": one.arm, "cause": one.cause, **{c: getattr(one, c) for c in columns}}, schema=schema, strict=False)
            for one in self.incidences
        ]
        return pl.concat(tables).fill_nan(None) if tables else pl.DataFrame(schema=schema)


def _arm_steps(arm: ArmSurvival) -> pl.DataFrame:
    curve, risk = arm.curve, arm.curve.risk
    table = pl.DataFrame(
        {
            "arm": [arm.name] * risk.time.size, "time": risk.time, "n_at_risk": risk.n_at_risk, "n_events": risk.n_events,
            "n_censored": risk.n_censored, "survival": curve.survival, "std_error": curve.std_error, "low": curve.low,
            "high": curve.high,
        }
    )  # fmt: skip
    return table.fill_nan(None)


def _row(
    measure: str, group: str, method: str, estimate: float | None, low: float | None = None, high: float | None = None,
    p: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {"measure": measure, "group": group, "method": method, "estimate": estimate, "low": low, "high": high, "p": p}
