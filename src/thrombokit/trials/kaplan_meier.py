"""Kaplan-Meier: the share still without the event over time, its pointwise band, and the median by a rule that is said.

References
----------
Kaplan EL, Meier P (1958) J Am Stat Assoc 53:457-481, doi:10.1080/01621459.1958.10501452. Variance of Greenwood; median limits where the
band's edges cross one half: Brookmeyer R, Crowley J (1982) Biometrics 38:29-41, doi:10.2307/2530286.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray, frozen
from thrombokit.numerics.normal_distribution import two_sided_z

ConfType = Literal["log", "log-log", "plain"]
MedianRule = Literal["R", "inf"]
CONF_TYPES: tuple[str, ...] = get_args(ConfType)
MEDIAN_RULES: dict[str, str] = {
    "R": "first time at which the curve is 0.5 or below; where it is 0.5 exactly, the middle of that level stretch (R, survival)",
    "inf": "first time at which the curve is 0.5 or below, also where it is 0.5 exactly (infimum)",
}
"""Rule -> what it says. The two differ only where a curve stands at exactly one half, which is usual when all are seen weekly."""
LEVEL_NOISE = float(np.sqrt(np.finfo(np.float64).eps))
"""A curve within this of one half stands at one half: products of fractions do not give 0.5 to the last bit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskTable(FrozenArrays):
    """Distinct times (t,) in rising order; at each, how many are at risk just before, and how many have the event or are censored."""

    time: Array
    n_at_risk: IntArray
    n_events: IntArray
    n_censored: IntArray

    def at_risk_at(self, times: Array) -> IntArray:
        """Subjects still under observation at `times` (m,), those that end there included."""
        after = np.append(self.n_at_risk, 0)
        return after[np.searchsorted(self.time, times, side="left")]


@dataclass(frozen=True, kw_only=True, eq=False)
class SurvivalCurve(FrozenArrays):
    """A Kaplan-Meier curve: `survival` (t,) just after each time of the risk table, and its band.

    The band is NaN where the curve is 0, and for "log-log" also where it is 1: no standard error is there to make one of.
    """

    risk: RiskTable
    survival: Array
    std_error: Array
    low: Array
    high: Array
    conf_type: str
    confidence: float

    def at(self, times: Array) -> Array:
        """The curve at `times` (m,); 1 before the first of its times."""
        return np.append(1.0, self.survival)[np.searchsorted(self.risk.time, times, side="right")]


@dataclass(frozen=True, kw_only=True)
class Median:
    """Median with its limits; None where the curve, or the edge of the band, does not come down to one half."""

    median: float | None
    low: float | None
    high: float | None
    rule: str


def risk_table(time: Array, event: BoolArray) -> RiskTable:
    """Count who is at risk and who ends, at each distinct time of `time` (n,); `event` (n,) tells events from censorings."""
    distinct, place = np.unique(time, return_inverse=True)
    ended = np.bincount(place, minlength=distinct.size)
    events = np.bincount(place, weights=event, minlength=distinct.size).astype(np.int64)
    at_risk = time.size - np.cumsum(ended) + ended
    return RiskTable(
        time=frozen(distinct), n_at_risk=frozen(at_risk, np.int64), n_events=frozen(events, np.int64),
        n_censored=frozen(ended - events, np.int64),
    )  # fmt: skip


def estimate_survival(time: Array, event: BoolArray, *, conf_type: str = "log", confidence: float = 0.95) -> SurvivalCurve:
    """The Kaplan-Meier curve of one group.

    Parameters
    ----------
    time : array of shape (n,), finite, with near-ties merged
        Any unit.
    event : array of shape (n,)
        True where the time is that of the event, False where observation ended without it.
    conf_type : "log", "log-log" or "plain"
        Scale on which the band is symmetric; log is the usual one of R, log-log that of SAS.
    confidence : float
        Of the band at each single time, two-sided; above 0.5 and below 1.

    Raises
    ------
    InputError
        If there is no subject, or the band's type or confidence is none.
    """
    faults = band_faults(conf_type, confidence)
    if time.size == 0:
        faults.append(Fault(place="time", found="no subject", expected="at least one", cure="Leave the empty group out."))
    raise_all(faults, InputError)
    risk = risk_table(time, event)
    n, d = risk.n_at_risk.astype(np.float64), risk.n_events.astype(np.float64)
    survival: Array = np.cumprod((n - d) / n, dtype=np.float64)
    with np.errstate(divide="ignore"):
        log_error = np.sqrt(np.cumsum(d / (n * (n - d))))
    low, high = band(survival, log_error, conf_type=conf_type, confidence=confidence)
    with np.errstate(invalid="ignore"):
        std_error = survival * log_error
    return SurvivalCurve(
        risk=risk, survival=frozen(survival), std_error=frozen(std_error), low=frozen(low), high=frozen(high),
        conf_type=conf_type, confidence=confidence,
    )  # fmt: skip


def band(survival: Array, log_error: Array, *, conf_type: str, confidence: float) -> tuple[Array, Array]:
    """Lower and upper edge (t,) of the pointwise band; `log_error` (t,) is the standard error of log S."""
    z = two_sided_z(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        if conf_type == "plain":
            half = z * survival * log_error
            return np.maximum(survival - half, 0.0), np.minimum(survival + half, 1.0)
        logs = np.log(np.where(survival > 0.0, survival, np.nan))
        if conf_type == "log":
            return np.exp(logs - z * log_error), np.minimum(np.exp(logs + z * log_error), 1.0)
        logs[survival >= 1.0] = np.nan
        middle, half = np.log(-logs), z * log_error / -logs
        return np.exp(-np.exp(middle + half)), np.exp(-np.exp(middle - half))


def median_of(curve: SurvivalCurve, *, rule: str = "R") -> Median:
    """The median and its limits, all three by the same rule.

    Parameters
    ----------
    curve : SurvivalCurve
        Its band is used for the limits.
    rule : "R" or "inf"
        See `MEDIAN_RULES`. "R" is what R prints for a `survfit` (survival 3); a level stretch at the very end gives its first time.
        "inf" is the smallest time with S(t) <= 0.5. The manual of SAS's LIFETEST also takes the middle of an exact stretch, for the
        estimate; its limits are made from the whole set of times that the band does not exclude.

    Raises
    ------
    InputError
        If there is no such rule.
    """
    raise_all(rule_faults(rule), InputError)
    times = curve.risk.time
    return Median(
        median=reaching_time(times, curve.survival, 0.5, rule=rule),
        low=reaching_time(times, curve.low, 0.5, rule=rule),
        high=reaching_time(times, curve.high, 0.5, rule=rule),
        rule=rule,
    )


def reaching_time(times: Array, falling: Array, level: float, *, rule: str) -> float | None:
    """When a falling step curve (t,) comes down to `level`, by the rule; None where it never does. NaN stands for no curve."""
    reached = np.flatnonzero(falling < level + LEVEL_NOISE)
    if not reached.size:
        return None
    first = int(reached[0])
    if rule == "R" and abs(falling[first] - level) < LEVEL_NOISE:
        below = np.flatnonzero(falling[first:] < falling[first])
        if below.size:
            return float(0.5 * (times[first] + times[first + int(below[0])]))
    return float(times[first])


def band_faults(conf_type: str, confidence: float) -> list[Fault]:
    """What is wrong with the band that is asked for."""
    faults: list[Fault] = []
    if conf_type not in CONF_TYPES:
        faults.append(Fault(place="conf-type", found=f'"{conf_type}"', expected=", ".join(CONF_TYPES), cure="Write one of them."))
    if not 0.5 < confidence < 1.0:
        faults.append(
            Fault(place="confidence", found=f"{confidence}", expected="a number above 0.5 and below 1", cure="Write 0.95, say.")
        )
    return faults


def rule_faults(rule: str) -> list[Fault]:
    """What is wrong with the median rule that is asked for."""
    if rule in MEDIAN_RULES:
        return []
    return [Fault(place="median-rule", found=f'"{rule}"', expected=" or ".join(MEDIAN_RULES), cure="Write one of them.")]
