"""MMRM of a trial: what it estimates, what it leaves out, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.errors import InputError
from thrombokit.numerics.streams import stream
from thrombokit.trials.mmrm import MmrmResult, fit_mmrm
from thrombokit.trials.repeated_measures import Covariate, RepeatedMeasures

VISITS = ("week 2", "week 4", "week 10")


def counts(n: int = 60, seed: int = 1, missing: float = 0.1) -> RepeatedMeasures:
    """log10 counts that rise by 0.1 a visit, by 0.3 more on active, with sex and base as covariates."""
    rng = stream(seed, "counts")
    arm = np.array(["active", "placebo"], dtype=object)[np.arange(n) % 2]
    sex = np.array(["f", "m"], dtype=object)[(np.arange(n) // 2) % 2]
    base, patient = rng.normal(1.2, 0.2, n), rng.normal(0.0, 0.2, n)
    who, when = np.repeat(np.arange(n), 3), np.tile(np.arange(3), n)
    response = 1.0 + 0.1 * when + 0.3 * when * (arm[who] == "active") + 0.5 * base[who] + patient[who] + rng.normal(0, 0.15, 3 * n)
    response[rng.uniform(size=3 * n) < missing] = np.nan
    return RepeatedMeasures(
        file="trial.csv", subject=np.array([f"S{i}" for i in who], dtype=object), visit=np.array(VISITS, dtype=object)[when],
        arm=arm[who], response=response, places=tuple(f"trial.csv, row {k + 2}" for k in range(3 * n)),
        covariates=(Covariate(name="base", values=base[who]), Covariate(name="sex", words=sex[who])),
    )  # fmt: skip


def changed(data: RepeatedMeasures, **columns: object) -> RepeatedMeasures:
    kept = {name: getattr(data, name) for name in ("file", "subject", "visit", "arm", "response", "covariates", "places")}
    return RepeatedMeasures(**{**kept, **columns})  # type: ignore[arg-type]


def contrast(result: MmrmResult, visit: str):
    return next(c for c in result.contrasts if c.visit == visit)


def test_visits_stand_in_their_order_and_the_reference_first() -> None:
    result = fit_mmrm(counts(), reference="placebo", covariance="us")
    assert result.rows.visits == VISITS
    assert result.rows.arms == ("placebo", "active")
    assert [(c.visit, c.arm, c.reference) for c in result.contrasts] == [(v, "active", "placebo") for v in VISITS]
    assert contrast(result, "week 10").estimate == pytest.approx(0.6, abs=0.15)
    assert result.verdict == "converged"


def test_means_stand_at_the_mean_of_numbers_and_even_shares_of_categories() -> None:
    data = counts(missing=0.0)
    result = fit_mmrm(data, reference="placebo", covariance="cs")
    base = data.covariates[0].values
    assert base is not None
    assert result.rows.extra_names == ("base", "sex = m")
    assert result.rows.extra_means == pytest.approx([base.mean(), 0.5])
    shifted = changed(data, covariates=(Covariate(name="base", values=base + 100.0), data.covariates[1]))
    again = fit_mmrm(shifted, reference="placebo", covariance="cs")
    assert [m.estimate for m in again.lsmeans] == pytest.approx([m.estimate for m in result.lsmeans], abs=1e-7)


def test_swapping_the_reference_swaps_the_sign() -> None:
    one, two = fit_mmrm(counts(), reference="placebo"), fit_mmrm(counts(), reference="active")
    assert two.minus2_reml == pytest.approx(one.minus2_reml, abs=1e-8)
    for first, second in zip(one.contrasts, two.contrasts, strict=True):
        assert (second.estimate, second.se, second.df) == pytest.approx((-first.estimate, first.se, first.df), rel=1e-6)
        assert second.low == pytest.approx(-first.high if first.high is not None else None, rel=1e-6)


def test_rows_that_lack_something_are_counted_by_reason() -> None:
    data = counts(missing=0.0)
    response, base = np.array(data.response), data.covariates[0].values
    assert base is not None
    response[[0, 4]] = np.nan
    base = np.array(base)
    base[[4, 9]] = np.nan
    arm = np.array(data.arm)
    arm[12] = ""
    lacking = changed(data, response=response, arm=arm, covariates=(Covariate(name="base", values=base), data.covariates[1]))
    result = fit_mmrm(lacking, reference="placebo", covariance="cs")
    assert {d.reason: d.n for d in result.rows.dropped} == {"no arm": 1, "no response": 2, "no base": 1}
    assert result.rows.dropped[1].first_places == ("trial.csv, row 2", "trial.csv, row 6")
    assert "4 rows left out" in result.summary()


def faults_of(data: RepeatedMeasures, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        fit_mmrm(data, **{"reference": "placebo", "covariance": "cs", **options})  # type: ignore[arg-type]
    return str(caught.value)


def test_every_fault_names_its_place() -> None:
    data = counts(missing=0.0)
    subject, arm = np.array(data.subject), np.array(data.arm)
    subject[3:6] = "S0"
    said = faults_of(changed(data, subject=subject))
    assert "trial.csv, row 5: found subject S0 at visit week 2 again, after trial.csv, row 2" in said
    assert 'subject S0 in arm "placebo", above in "active"' in said
    arm[:] = "active"
    assert 'no arm "placebo" among active' in faults_of(changed(data, arm=arm))
    assert "there is nothing to compare" in faults_of(changed(data, arm=arm), reference="active")
    assert "List exactly these visits" in faults_of(data, visit_order=["week 2", "week 4"])
    assert "above 0.5 and below 1" in faults_of(data, confidence=95.0)
    assert '"banded"; expected us, ar1' in faults_of(data, covariance="banded")


def test_designs_that_cannot_be_estimated_are_refused() -> None:
    data = counts(missing=0.0)
    base = data.covariates[0].values
    assert base is not None
    twice = (*data.covariates, Covariate(name="again", values=2.0 * base + 1.0))
    assert "repeat each other" in faults_of(changed(data, covariates=twice))
    same = (Covariate(name="site", words=np.full(base.size, "A", dtype=object)),)
    assert "the same site in every row" in faults_of(changed(data, covariates=same))
    response = np.array(data.response)
    response[(data.arm == "active") & (data.visit == "week 4")] = np.nan
    assert 'no response of arm "active" at visit "week 4"'.replace('"week 4"', "week 4") in faults_of(
        changed(data, response=response)
    )


def test_visits_never_seen_together_need_another_covariance() -> None:
    data = counts(missing=0.0)
    response = np.array(data.response)
    late = np.arange(response.size) // 3 % 4 < 2
    response[late & (data.visit == "week 10")] = np.nan
    response[~late & (data.visit == "week 2")] = np.nan
    apart = changed(data, response=response)
    assert "0 subject(s) seen both at visit week 2 and at visit week 10" in faults_of(apart, covariance="us")
    assert fit_mmrm(apart, reference="placebo", covariance="ar1").verdict == "converged"


@pytest.mark.long
@pytest.mark.parametrize("degrees", ["satterthwaite", "kenward-roger"])
def test_intervals_hold_what_they_promise(degrees: str, print_figure: Callable[[str], None]) -> None:
    """30 subjects, 10 % missing, unstructured: 95 % intervals of the last difference over 2,000 trials."""
    held, runs = 0, 2000
    for seed in range(1, runs + 1):
        result = fit_mmrm(counts(30, seed), reference="placebo", degrees=degrees)
        last = contrast(result, "week 10")
        assert last.low is not None
        assert last.high is not None
        held += last.low <= 0.6 <= last.high
    print_figure(f"MMRM, 30 subjects, {degrees}: {100 * held / runs:.1f} % of {runs} intervals hold the difference")
    assert 0.935 <= held / runs <= 0.965
