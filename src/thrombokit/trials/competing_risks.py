"""Cumulative incidence where something else may come first: first response, with rescue and drop-out competing.

One minus Kaplan-Meier would count a rescued subject as one who may still respond; the Aalen-Johansen estimate does not. Its variance
is the delta method on the hazards (multinomial at each time): without censoring F (1 - F) / n, with a single cause Greenwood's. Arms are
compared by Gray's test, a log-rank test in which those who met a competing event stay at risk, thinned as censoring would have
thinned them.

References
----------
Aalen OO, Johansen S (1978) Scand J Stat 5:141-150. Dinse GE, Larson MG (1986) Biometrika 73:379-386, doi:10.1093/biomet/73.2.379.
Gray RJ (1988) Ann Stat 16:1141-1154, doi:10.1214/aos/1176350951; the score is his, its covariance is derived here from the same
martingales and corrected for ties as the log-rank test is, so that without competing events the two tests are one. Other programs
correct for ties in their own ways, so that their statistics need not agree to every digit where many subjects share a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen
from thrombokit.numerics.normal_distribution import two_sided_z
from thrombokit.trials.kaplan_meier import band_faults, reaching_time
from thrombokit.trials.log_rank import at_risk_by_arm, events_by_arm, quadratic_test
from thrombokit.trials.survival_data import SurvivalData

WHOLE_NOISE = 1e-12
"""An incidence this near to 1 is 1: shares that fill the whole do not sum to it to the last bit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CumulativeIncidence(FrozenArrays):
    """Share of one arm's subjects with one cause by each time: `time`, `n_at_risk`, `n_events`, `incidence`, band, all of shape (t,).

    The band is NaN where the incidence is 0 and the scale is logarithmic, for "log-log" also where it is 1.
    """

    arm: str
    cause: str
    time: Array
    n_at_risk: IntArray
    n_events: IntArray
    incidence: Array
    std_error: Array
    low: Array
    high: Array

    def reaching(self, share: float, *, rule: str) -> float | None:
        """First time at which the incidence is `share` (0 to 1), by a median rule; None where it never is."""
        return reaching_time(self.time, 1.0 - self.incidence, 1.0 - share, rule=rule)

    def to_dict(self) -> dict[str, Any]:
        """Events, and the incidence at the last time with its band (None where there is none)."""
        n_events = int(self.n_events.sum())
        return {
            "arm": self.arm, "cause": self.cause, "events": n_events, "time": float(self.time[-1]),
            "estimate": float(self.incidence[-1]), "std_error": float(self.std_error[-1]),
            "low": _finite(self.low[-1]), "high": _finite(self.high[-1]),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GrayTest:
    """Gray's test of one cause between the arms; `verdict` as of the log-rank test."""

    cause: str
    verdict: str
    statistic: float | None
    df: int
    p: float | None

    def to_dict(self) -> dict[str, Any]:
        """Its fields by name."""
        return {"cause": self.cause, "statistic": self.statistic, "df": self.df, "p": self.p, "verdict": self.verdict}


def estimate_incidence(
    time: Array, cause: IntArray, *, of: int, arm: str = "all", name: str = "event", conf_type: str = "log", confidence: float = 0.95
) -> CumulativeIncidence:  # fmt: skip
    """The Aalen-Johansen estimate of one cause in one group.

    Parameters
    ----------
    time : array of shape (n,), finite, with near-ties merged
        Any unit.
    cause : array of shape (n,)
        0 = censored, 1 and above = causes.
    of : int
        The cause whose incidence is wanted.
    arm, name : str
        What the group and the cause are called.
    conf_type : "log", "log-log" or "plain"
        Scale of the incidence F on which the band is symmetric: log F, log(-log F) or F.
    confidence : float
        Of the band at each single time, two-sided.

    Raises
    ------
    InputError
        If there is no subject, or the band's type or confidence is none.
    """
    faults = band_faults(conf_type, confidence)
    if time.size == 0:
        faults.append(Fault(place="time", found="no subject", expected="at least one", cure="Leave the empty group out."))
    if faults:
        raise InputError(faults)
    distinct, place = np.unique(time, return_inverse=True)
    ended = np.bincount(place, minlength=distinct.size)
    n = (time.size - np.cumsum(ended) + ended).astype(np.float64)
    any_cause: Array = np.bincount(place, weights=cause > 0, minlength=distinct.size).astype(np.float64)
    this_cause: Array = np.bincount(place, weights=cause == of, minlength=distinct.size).astype(np.float64)
    before = np.append(1.0, np.cumprod((n - any_cause) / n)[:-1])
    incidence = np.minimum(np.cumsum(before * this_cause / n), 1.0)
    error = np.sqrt(_variance(n, any_cause, this_cause, before, incidence))
    low, high = _band(incidence, error, conf_type, confidence)
    return CumulativeIncidence(
        arm=arm, cause=name, time=frozen(distinct), n_at_risk=frozen(n, np.int64), n_events=frozen(this_cause, np.int64),
        incidence=frozen(incidence), std_error=frozen(error), low=frozen(low), high=frozen(high),
    )  # fmt: skip


def compare_incidence(data: SurvivalData, *, of: int = 1) -> GrayTest:
    """Gray's test (rho = 0) of cause `of` between the arms; within strata where the data have them.

    Parameters
    ----------
    data : SurvivalData
        Two arms or more.
    of : int
        The cause, 1 and above.

    Raises
    ------
    InputError
        If there is one arm only, or no such cause.
    """
    faults: list[Fault] = []
    if len(data.arms) < 2:
        faults.append(Fault(place="arm", found="one arm", expected="two or more", cure="Name the column of the arms."))
    if not 1 <= of <= len(data.causes):
        faults.append(Fault(place="cause", found=f"{of}", expected=f"1 to {len(data.causes)}", cure="Name one of the causes."))
    if faults:
        raise InputError(faults)
    data, size = data.known_strata, len(data.arms)
    excess, covariance = np.zeros(size), np.zeros((size, size))
    for stratum in range(len(data.strata)):
        inside = data.stratum == stratum
        parts = _gray_stratum(data.time[inside], data.cause[inside], data.arm[inside], size, of)
        excess, covariance = excess + parts[0], covariance + parts[1]
    verdict, statistic, df, p = quadratic_test(excess, covariance, any_event=bool((data.cause == of).any()))
    return GrayTest(cause=data.causes[of - 1], verdict=verdict, statistic=statistic, df=df, p=p)


def _variance(n: Array, any_cause: Array, this_cause: Array, before: Array, incidence: Array) -> Array:
    """Of the incidence at each time (t,); the sums over earlier times are running sums, so that nothing is quadratic in t."""
    left = n - any_cause
    spread = np.divide(any_cause, n * left, out=np.zeros_like(n), where=left > 0.0)
    shared = before * this_cause / n**2
    own = before**2 * this_cause * (n - this_cause) / n**3
    first = incidence**2 * np.cumsum(spread) - 2.0 * incidence * np.cumsum(incidence * spread) + np.cumsum(incidence**2 * spread)
    second = incidence * np.cumsum(shared) - np.cumsum(incidence * shared)
    return np.maximum(first - 2.0 * second + np.cumsum(own), 0.0)


def _band(incidence: Array, error: Array, conf_type: str, confidence: float) -> tuple[Array, Array]:
    z = two_sided_z(confidence)
    if conf_type == "plain":
        return np.maximum(incidence - z * error, 0.0), np.minimum(incidence + z * error, 1.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = np.log(np.where(incidence > 0.0, incidence, np.nan))
        half = z * error / incidence
        if conf_type == "log":
            return np.exp(logs - half), np.minimum(np.exp(logs + half), 1.0)
        logs[incidence > 1.0 - WHOLE_NOISE] = np.nan
        middle, half = np.log(-logs), half / -logs
        return np.exp(-np.exp(middle + half)), np.exp(-np.exp(middle - half))


def _gray_stratum(time: Array, cause: IntArray, arm: IntArray, size: int, of: int) -> tuple[Array, Array]:
    """Gray's excess (size,) and its covariance (size, size) in one stratum."""
    times = np.unique(time[cause > 0])
    if not times.size:
        return np.zeros(size), np.zeros((size, size))
    n = at_risk_by_arm(time, arm, size, times).astype(np.float64)
    this = events_by_arm(time, cause == of, arm, size, times).astype(np.float64)
    other = events_by_arm(time, (cause > 0) & (cause != of), arm, size, times).astype(np.float64)
    safe = np.maximum(n, 1.0)
    left: Array = np.cumprod(1.0 - (this + other) / safe, axis=0, dtype=np.float64)
    before = _just_before(left, 1.0)
    had: Array = np.cumsum(before * this / safe, axis=0, dtype=np.float64)
    incidence = _just_before(had, 0.0)
    thinning = np.divide(n, before, out=np.zeros_like(n), where=before > 0.0)
    weight = thinning * (1.0 - incidence)  # those at risk, with the ones who met a competing event still among them
    total, events = weight.sum(axis=1), this.sum(axis=1)
    share = np.divide(weight, total[:, None], out=np.zeros_like(n), where=total[:, None] > 0.0)
    excess = np.sum(this - share * events[:, None], axis=0)
    hazard = np.divide(events, total, out=np.zeros_like(events), where=total > 0.0)
    tied = np.divide(total - events, total - 1.0, out=np.zeros_like(total), where=total > 1.0)
    covariance = np.zeros((size, size))
    for r in range(size):
        towards = (np.arange(size) == r) - share
        terms = towards * (thinning[:, r] * hazard)[:, None]
        later = np.cumsum(terms[::-1], axis=0)[::-1] - terms
        others_share = 1.0 - incidence[:, r] - before[:, r]
        of_this = towards - (others_share / safe[:, r])[:, None] * later
        of_other = ((1.0 - incidence[:, r]) / safe[:, r])[:, None] * later
        covariance += np.einsum("t,ti,tj->ij", weight[:, r] * hazard * np.maximum(tied, 0.0), of_this, of_this)
        covariance += np.einsum("t,ti,tj->ij", other[:, r], of_other, of_other)
    return excess, covariance


def _just_before(after: Array, start: float) -> Array:
    """Values just before each time from values just after, shape (t, size)."""
    return np.vstack([np.full((1, after.shape[1]), start), after[:-1]])


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
