"""Lasting remission in a cohort: who, from when on, and what the rest of the simulation makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.errors import SpecError
from thrombokit.io.patient_models import load_model
from thrombokit.patients.calibration.virtual_patients import draw_patients, remitted
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.remission import Remission
from thrombokit.patients.simulate_cohort import simulate_cohort

WEEKS = 30


def untreated(n: int, remission: Remission | None) -> CohortResult:
    cohort = Cohort(n=n, remission=remission)
    return simulate_cohort(load_model("hetrombopag-itp"), FixedDose(amount=0.0), cohort, seed=4, weeks=WEEKS)


def test_the_count_is_at_least_that_of_remission_from_its_day_on() -> None:
    result = untreated(80, Remission(share=0.5, count_1e9_per_L=150.0, within_d=140.0))
    after = 7.0 * np.arange(WEEKS + 1)[None, :] >= result.remission_d[:, None]
    assert (result.counts[after] == 150.0).all()
    np.testing.assert_allclose(result.counts[~after], np.repeat(result.baseline[:, None], WEEKS + 1, axis=1)[~after], rtol=1e-9)
    remits = np.isfinite(result.remission_d)
    assert 25 <= remits.sum() <= 55
    assert result.remission_d[remits].max() <= 140.0
    assert result.patients["remission_d"].null_count() == 80 - remits.sum()
    assert f"{remits.sum()} went into lasting remission." in result.summary()
    assert result.to_dict()["remissions"] == remits.sum()


def test_nobody_remits_without_a_share_and_nothing_else_changes() -> None:
    none, zero, some = (untreated(40, one) for one in (None, Remission(share=0.0), Remission(share=0.3)))
    assert none.measured.tobytes() == zero.measured.tobytes()
    others = ~np.isfinite(some.remission_d)
    assert some.measured[others].tobytes() == none.measured[others].tobytes()
    assert np.isinf(none.remission_d).all()
    assert "remission_d" not in none.patients.columns


def test_it_means_what_it_meant_in_the_fit() -> None:
    """Share and days of remission among 2,000 candidates of the calibration and of a cohort."""
    share, day = 0.3, 100.0
    candidates = draw_patients(1, "a trial", 2000, 2)
    visits = np.array([0.0, day])
    fitted = remitted(candidates, np.full((2000, 2), 10.0), visits, share)
    assert set(np.unique(fitted)) == {10.0, 150.0}
    assert (fitted[:, 0] == 10.0).all()
    remission = Remission(share=share)
    rng = np.random.default_rng(1)
    days = np.array([remission.day_of(uniforms) for uniforms in rng.random((20_000, 2))])
    assert (days <= day).mean() == pytest.approx((fitted[:, 1] == 150.0).mean(), abs=0.01)
    assert np.isfinite(days).mean() == pytest.approx(share, abs=0.01)


def test_a_slower_engine_says_the_same() -> None:
    """The remission is of the count, not of an engine."""
    result = simulate_cohort(
        load_model("hetrombopag-itp"),
        FixedDose(amount=0.0),
        Cohort(n=6, remission=Remission(share=1.0)),
        seed=4,
        weeks=WEEKS,
        prefer="ode",
    )
    assert (result.counts[:, -1] == 150.0).all()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SpecError) as caught:
        Remission(share=1.2, count_1e9_per_L=0.0, within_d=float("inf"))
    told = str(caught.value)
    for words in ("remission, share: found 1.2; expected a number from 0 to 1", "count_1e9_per_L: found 0", "within_d: found inf"):
        assert words in told
