"""Curves, tests and incidences beside statsmodels, on real data and on simulated ones with ties and strata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight, survdiff

from thrombokit import read_survival, survival_data
from thrombokit.trials.competing_risks import estimate_incidence
from thrombokit.trials.kaplan_meier import estimate_survival
from thrombokit.trials.log_rank import compare_arms
from thrombokit.trials.survival_data import SurvivalData


def simulated(seed: int, n: int = 150, n_arms: int = 3) -> SurvivalData:
    rng = np.random.default_rng(seed)
    return survival_data(
        time=np.ceil(rng.exponential(8.0, n)), cause=rng.integers(0, 3, n), arm=np.arange(n) % n_arms,
        arms=[f"arm {k}" for k in range(n_arms)], stratum=rng.integers(0, 3, n), strata=("a", "b", "c"), causes=("response", "rescue"),
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_curve_and_its_error(seed: int) -> None:
    data = simulated(seed)
    ours, theirs = estimate_survival(data.time, data.event), SurvfuncRight(data.time, data.event.astype(float))
    at = np.searchsorted(ours.risk.time, theirs.surv_times)
    assert ours.survival[at] == pytest.approx(theirs.surv_prob, abs=1e-12)
    inside = theirs.surv_prob > 0
    assert ours.std_error[at][inside] == pytest.approx(theirs.surv_prob_se[inside], abs=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize(
    ("rho", "options"), [(0.0, {}), (1.0, {"weight_type": "fh", "fh_p": 1.0}), (0.5, {"weight_type": "fh", "fh_p": 0.5})]
)
def test_the_tests(seed: int, stratified: bool, rho: float, options: dict[str, Any]) -> None:
    data = simulated(seed, n_arms=2)
    if not stratified:
        data = survival_data(time=data.time, cause=data.cause, arm=data.arm, arms=data.arms, causes=data.causes)
    with np.errstate(all="ignore"):
        statistic, p = survdiff(data.time, data.event.astype(int), data.arm, strata=data.stratum if stratified else None, **options)
    ours = compare_arms(data, rho=rho)
    assert (ours.statistic, ours.p) == pytest.approx((statistic, p), rel=1e-8)


def test_three_arms() -> None:
    data = simulated(7)
    data = survival_data(time=data.time, cause=data.cause, arm=data.arm, arms=data.arms, causes=data.causes)
    statistic, p = survdiff(data.time, data.event.astype(int), data.arm)
    ours = compare_arms(data)
    assert (ours.statistic, ours.p, ours.df) == pytest.approx((statistic, p, 2), rel=1e-8)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_incidence(seed: int) -> None:
    data = simulated(seed)
    with np.errstate(all="ignore"):  # theirs divides by zero where the last subject at risk has an event
        theirs = CumIncidenceRight(data.time, data.cause)
    for k in (1, 2):
        ours = estimate_incidence(data.time, data.cause, of=k)
        at = np.searchsorted(ours.time, theirs.times)
        assert ours.incidence[at] == pytest.approx(theirs.cinc[k - 1], abs=1e-12)
        # theirs is Aalen's variance, without the factors (n - 1) / n of the multinomial: near, not equal
        known = np.isfinite(theirs.cinc_se[k - 1])
        assert known.sum() > 5
        assert ours.std_error[at][known] == pytest.approx(theirs.cinc_se[k - 1][known], rel=0.05, abs=2e-3)


def test_real_data(reference_data: Path) -> None:
    data = read_survival(reference_data / "clinical/survival-r/lung.csv", time="time", event="status", arm="sex")
    ours, theirs = estimate_survival(data.time, data.event), SurvfuncRight(data.time, data.event.astype(float))
    assert ours.survival[np.searchsorted(ours.risk.time, theirs.surv_times)] == pytest.approx(theirs.surv_prob, abs=1e-12)
    statistic, _ = survdiff(data.time, data.event.astype(int), data.arm, weight_type="fh", fh_p=1.0)
    assert compare_arms(data, rho=1.0).statistic == pytest.approx(statistic, rel=1e-8)
