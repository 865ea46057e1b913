"""Are the curves of the arms alike? The log-rank test and its kin: stratified, and weighted after Fleming and Harrington.

At each event time the events of an arm are held against its share of those at risk; what is left over is summed, over strata too, and
weighed by its covariance. Weights S(t-)^rho (1 - S(t-))^gamma, from the curve of all arms of a stratum, turn the test towards early
(rho > 0) or late (gamma > 0) differences; they belong in the protocol, not in the result.

References
----------
Mantel N (1966) Cancer Chemother Rep 50:163-170. Harrington DP, Fleming TR (1982) Biometrika 69:553-566, doi:10.1093/biomet/69.3.553.
With gamma = 0 this is R's `survdiff(rho=)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.numerics.normal_distribution import chi_square_p
from thrombokit.trials.survival_data import SurvivalData

RANK_NOISE = 1e-10
"""An eigenvalue of the covariance below this part of the largest is rounding: the excesses of all arms sum to zero."""


@dataclass(frozen=True, kw_only=True)
class LogRank:
    """The test's end: `verdict` is "tested", or "no_events", or "not_comparable" (arms never at risk together, or
    only where the weight is 0); then no p.

    `observed` and `expected` (unweighted) events by arm, in the order of the data's arms.
    """

    verdict: str
    statistic: float | None
    df: int
    p: float | None
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    rho: float
    gamma: float
    stratified: bool

    @property
    def name(self) -> str:
        """The test in words."""
        weighted = f"Fleming-Harrington ({self.rho:g}, {self.gamma:g})" if self.rho or self.gamma else "log-rank"
        return f"stratified {weighted}" if self.stratified else weighted

    def to_dict(self) -> dict[str, Any]:
        """Keys `statistic`, `df`, `p` and what they rest on."""
        return {
            "statistic": self.statistic, "df": self.df, "p": self.p, "verdict": self.verdict, "test": self.name,
            "rho": self.rho, "gamma": self.gamma, "stratified": self.stratified,
            "observed": list(self.observed), "expected": list(self.expected),
        }  # fmt: skip


def compare_arms(data: SurvivalData, *, rho: float = 0.0, gamma: float = 0.0) -> LogRank:
    """Compare the arms; within strata where the data have them.

    Parameters
    ----------
    data : SurvivalData
        Two arms or more. What competes with the event counts as censored: the test is about the rate among those still at risk.
    rho, gamma : float, >= 0
        Exponents of the weights; 0 and 0 is the log-rank test.

    Returns
    -------
    LogRank

    Raises
    ------
    InputError
        If there is one arm only, or an exponent is negative or not finite.
    """
    faults = weight_faults(rho, gamma)
    if len(data.arms) < 2:
        faults.append(Fault(place="arm", found="one arm", expected="two or more", cure="Name the column of the arms."))
    raise_all(faults, InputError)
    data, size = data.known_strata, len(data.arms)
    excess, expected, covariance = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for stratum in range(len(data.strata)):
        inside = data.stratum == stratum
        parts = _one_stratum(data.time[inside], data.event[inside], data.arm[inside], size, rho, gamma)
        excess, expected, covariance = excess + parts[0], expected + parts[1], covariance + parts[2]
    verdict, statistic, df, p = quadratic_test(excess, covariance, any_event=bool(data.event.any()))
    return LogRank(
        verdict=verdict, statistic=statistic, df=df, p=p, rho=rho, gamma=gamma, stratified=data.is_stratified,
        observed=tuple(int(k) for k in np.bincount(data.arm[data.event], minlength=size)),
        expected=tuple(float(value) for value in expected),
    )  # fmt: skip


def weight_faults(rho: float, gamma: float) -> list[Fault]:
    """What is wrong with the exponents of the weights."""
    return [
        Fault(place=name, found=f"{value}", expected="a number, 0 or more", cure="Write 0 for no weight.")
        for name, value in (("rho", rho), ("gamma", gamma))
        if not 0.0 <= value < np.inf
    ]


def quadratic_test(excess: Array, covariance: Array, *, any_event: bool) -> tuple[str, float | None, int, float | None]:
    """Verdict, statistic, degrees of freedom and p of excess' covariance^- excess; the covariance's rank is the degrees of freedom."""
    if not any_event:
        return "no_events", None, 0, None
    values, vectors = np.linalg.eigh(covariance)
    df = int(np.count_nonzero(values > RANK_NOISE * values[-1])) if values[-1] > 0.0 else 0
    if df == 0:
        return "not_comparable", None, 0, None
    along = vectors[:, -df:].T @ excess
    statistic = float(np.sum(along**2 / values[-df:]))
    return "tested", statistic, df, chi_square_p(statistic, df)


def at_risk_by_arm(time: Array, arm: IntArray, size: int, times: Array) -> IntArray:
    """How many of each arm are under observation just before `times` (t,), shape (t, size)."""
    by_arm = [np.sort(time[arm == k]) for k in range(size)]
    return np.stack([own.size - np.searchsorted(own, times, side="left") for own in by_arm], axis=1)


def events_by_arm(time: Array, event: BoolArray, arm: IntArray, size: int, times: Array) -> IntArray:
    """Events of each arm at `times` (t,), which hold every event time; shape (t, size)."""
    counts = np.zeros((times.size, size), np.int64)
    np.add.at(counts, (np.searchsorted(times, time[event]), arm[event]), 1)
    return counts


def _one_stratum(time: Array, event: BoolArray, arm: IntArray, size: int, rho: float, gamma: float) -> tuple[Array, Array, Array]:
    """Weighted observed minus expected (size,), expected without weights (size,), and the covariance (size, size)."""
    times = np.unique(time[event])
    at_risk = at_risk_by_arm(time, arm, size, times).astype(np.float64)
    events = events_by_arm(time, event, arm, size, times)
    n, d = at_risk.sum(axis=1), events.sum(axis=1).astype(np.float64)
    before = np.append(1.0, np.cumprod(1.0 - d / n)[:-1]) if times.size else n
    weight = before**rho * np.maximum(1.0 - before, 0.0) ** gamma
    share = at_risk / n[:, None]
    expected = share * d[:, None]
    spread = weight**2 * d * (n - d) / np.maximum(n - 1.0, 1.0)
    covariance = np.diag(spread @ share) - np.einsum("t,ti,tj->ij", spread, share, share)
    return weight @ (events - expected), expected.sum(axis=0), covariance
