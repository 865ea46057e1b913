"""Hazard ratios: against a likelihood written out here, and the cases in which there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from tests.trials.survival_samples import data_of, subjects

from thrombokit import InputError, MissingExtraError, survival_data
from thrombokit.trials import cox
from thrombokit.trials.cox import fit_cox
from thrombokit.trials.survival_data import SurvivalData

Rows = list[tuple[int, int, int, int]]


def log_likelihood(data: SurvivalData, beta: np.ndarray, ties: str) -> float:
    """The partial log-likelihood as it stands in the textbooks, one event time after another; beta of the first arm is 0."""
    risk, total = np.exp(np.append(0.0, beta))[data.arm], 0.0
    for stratum in range(len(data.strata)):
        inside = data.stratum == stratum
        for t in np.unique(data.time[inside & data.event]):
            died = inside & data.event & (data.time == t)
            left, gone, d = risk[inside & (data.time >= t)].sum(), risk[died].sum(), int(died.sum())
            shares = np.arange(d) / d if ties == "efron" else np.zeros(d)
            total += np.log(risk[died]).sum() - np.log(left - shares * gone).sum()
    return total


def three_arms(seed: int, n_strata: int = 1) -> SurvivalData:
    rng = np.random.default_rng(seed)
    n = 120
    arm, stratum = np.arange(n) % 3, rng.integers(0, n_strata, n)
    time = np.ceil(rng.exponential(6.0 / np.array([1.0, 1.6, 0.7])[arm]))
    return survival_data(
        time=time, cause=(rng.random(n) < 0.8).astype(np.int64), arm=arm, arms=("placebo", "low", "high"), stratum=stratum,
        strata=[f"s{k}" for k in range(n_strata)] if n_strata > 1 else ("all",),
    )  # fmt: skip


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("n_strata", [1, 3])
def test_it_is_the_top_of_the_likelihood(ties: str, n_strata: int) -> None:
    data = three_arms(3, n_strata)
    found = fit_cox(data, ties=ties)
    top = optimize.minimize(lambda b: -log_likelihood(data, b, ties), np.zeros(2), method="BFGS", options={"gtol": 1e-8})
    assert (found.verdict, found.df, found.stratified) == ("fit", 2, n_strata > 1)
    assert [one.log_ratio for one in found.ratios] == pytest.approx(list(top.x), abs=1e-5)
    assert found.likelihood_ratio == pytest.approx(2 * (-top.fun - log_likelihood(data, np.zeros(2), ties)), abs=1e-6)
    curvature = [
        (log_likelihood(data, top.x + step, ties) - 2 * -top.fun + log_likelihood(data, top.x - step, ties)) / 1e-6
        for step in np.eye(2) * 1e-3
    ]
    both = log_likelihood(data, top.x + 1e-3, ties) - 2 * -top.fun + log_likelihood(data, top.x - 1e-3, ties)
    mixed = (both / 1e-6 - sum(curvature)) / 2
    spread = np.linalg.inv(-np.array([[curvature[0], mixed], [mixed, curvature[1]]]))
    assert [one.std_error for one in found.ratios] == pytest.approx(np.sqrt(np.diag(spread)).tolist(), rel=1e-3)


def test_turning_the_reference_round() -> None:
    data = three_arms(4)
    one, other = fit_cox(data), fit_cox(data, reference="low")
    assert [r.arm for r in other.ratios] == ["placebo", "high"]
    assert other.ratios[0].ratio.estimate * one.ratios[0].ratio.estimate == pytest.approx(1.0)
    assert other.ratios[0].ratio.low * one.ratios[0].ratio.high == pytest.approx(1.0)
    assert other.likelihood_ratio == pytest.approx(one.likelihood_ratio)


@settings(max_examples=40)
@given(subjects(n_arms=3, n_strata=2, most=25), st.sampled_from(["efron", "breslow"]))
def test_its_likelihood_is_the_textbook_one_also_for_events_at_time_zero(rows: Rows, ties: str) -> None:
    data = data_of(rows, n_arms=3, n_strata=2)
    found = fit_cox(data, ties=ties)
    if found.verdict == "fit":
        beta = np.array([one.log_ratio for one in found.ratios])
        assert found.log_likelihood == pytest.approx(log_likelihood(data, beta, ties), rel=1e-9, abs=1e-9)
        for step in (*(1e-3 * np.eye(2)), *(-1e-3 * np.eye(2))):
            assert log_likelihood(data, beta + step, ties) < found.log_likelihood


@settings(max_examples=40)
@given(subjects(n_arms=2, most=12))
def test_a_finite_ratio_exists_exactly_where_the_likelihood_turns(rows: Rows) -> None:
    data = data_of(rows, n_arms=2)
    found = fit_cox(data, ties="breslow")
    far = [log_likelihood(data, np.array([beta]), "breslow") for beta in (-12.0, 0.0, 12.0)]
    turns = max(far[0], far[2]) < max(log_likelihood(data, np.array([b]), "breslow") for b in np.linspace(-6, 6, 41)) - 1e-3
    assert (found.verdict == "fit") == turns
    for one in found.ratios:
        assert (one.ratio.estimate is None) == (found.verdict != "fit")
        if one.ratio.estimate is not None:
            assert one.ratio.low <= one.ratio.estimate <= one.ratio.high


def test_an_arm_without_events_has_no_finite_ratio() -> None:
    found = fit_cox(data_of([(1, 1, 0, 0), (3, 1, 0, 0), (2, 0, 1, 0), (4, 0, 1, 0)], n_arms=2))
    assert found.verdict == "monotone"
    assert "arm 1 never had an event" in found.message
    assert found.to_dict()["ratios"][0] == {
        "arm": "arm 1", "reference": "arm 0", "estimate": None, "low": None, "high": None, "log_ratio": None, "std_error": None, "p": None,
    }  # fmt: skip
    assert fit_cox(data_of([(1, 0, 0, 0), (3, 0, 1, 0)], n_arms=2)).verdict == "no_events"


def test_arms_compared_through_a_third() -> None:
    """Strata in which a and b, then b and c meet: a against c is still known."""
    pair = [(1, 1, 0, 0), (2, 1, 1, 0), (3, 1, 0, 0), (4, 1, 1, 0)]
    rows = [*pair, *((t, c, a + 1, 1) for t, c, a, _ in pair)]
    assert fit_cox(data_of(rows, n_arms=3, n_strata=2)).verdict == "fit"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cox, "hazard_regression", None)
    with pytest.raises(MissingExtraError, match=r'statsmodels, which is not installed: pip install "thrombokit\[clinical\]"'):
        fit_cox(three_arms(1))


def test_what_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        fit_cox(data_of([(1, 1, 0, 0)], n_arms=1), ties="exact", reference="x", confidence=2.0)
    said = str(caught.value)
    words = ("found one arm", '"exact"; expected efron or breslow', '"x"; expected one of the arms arm 0', "above 0.5 and below 1")
    assert [word for word in words if word not in said] == []
