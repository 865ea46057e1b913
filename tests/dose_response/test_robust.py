"""Robust fits: what an outlier does to them, what they refuse, and that they equal ordinary fits where there is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from thrombokit.dose_response.fit import CURVES_A_TASK, estimate_noise, fit_curves
from thrombokit.dose_response.fits import FITS_COLUMNS
from thrombokit.dose_response.points import points_from_table
from thrombokit.dose_response.settings import FitSettings
from thrombokit.errors import InputError
from thrombokit.numerics.outcome import Outcome
from thrombokit.scale.engine import ProcessEngine

DOSES = np.repeat(np.concatenate([[0.0], 0.3 * 3.0 ** np.arange(9)]), 3)
KINDS = ("huber", "tukey")
BOTH = pytest.mark.parametrize("robust", KINDS)


def curve(seed: int, *, name: str = "a", ec50: float = 20.0, span: float = 90.0, sd: float = 1.0) -> pl.DataFrame:
    mean = 10.0 + span * DOSES**1.2 / (DOSES**1.2 + ec50**1.2)
    y = mean + sd * np.random.default_rng(seed).standard_normal(DOSES.size)
    return pl.DataFrame({"curve": [name] * DOSES.size, "concentration_nM": DOSES, "response": y})


def moved(table: pl.DataFrame, row: int, by: float) -> pl.DataFrame:
    return table.with_columns(response=pl.col("response") + pl.when(pl.int_range(pl.len()) == row).then(by).otherwise(0.0))


@given(seed=st.integers(0, 10_000), kind=st.sampled_from(KINDS), weights=st.sampled_from(["none", "model"]))
@settings(max_examples=25, deadline=None)
def test_without_outliers_robust_and_ordinary_ec50s_agree_within_1_per_cent_of_a_quiet_curve(
    seed: int, kind: str, weights: str
) -> None:
    table = curve(seed, sd=0.2)
    ordinary, robust = fit_curves(table, weights=weights), fit_curves(table, weights=weights, robust=kind)  # type: ignore[arg-type]
    assert robust.ec50_nM[0] == pytest.approx(ordinary.ec50_nM[0], rel=0.01)


@given(
    seed=st.integers(0, 10_000), kind=st.sampled_from(KINDS), row=st.sampled_from([15, 16, 17]), by=st.sampled_from([-80.0, 120.0])
)
@settings(max_examples=25, deadline=None)
def test_one_gross_outlier_moves_the_ordinary_ec50_by_15_per_cent_and_the_robust_one_by_less_than_5(
    seed: int, kind: str, row: int, by: float
) -> None:
    """On the slope, one of three replicates."""
    table = curve(seed)
    spoilt = moved(table, row, by)
    before = fit_curves(table, weights="none").ec50_nM[0]
    assert abs(fit_curves(spoilt, weights="none").ec50_nM[0] / before - 1) > 0.15
    assert abs(fit_curves(spoilt, weights="none", robust=kind).ec50_nM[0] / before - 1) < 0.05  # type: ignore[arg-type]


@BOTH
def test_exact_points_and_one_outlier_give_the_exact_curve(robust: str) -> None:
    fits = fit_curves(moved(curve(1, sd=0.0), 16, 60.0), weights="none", robust=robust)  # type: ignore[arg-type]
    assert fits.ec50_nM[0] == pytest.approx(20.0, rel=1e-6)


@BOTH
def test_the_table_has_the_columns_of_fits_csv_and_all_points_count(robust: str) -> None:
    table = moved(curve(2), 16, 50.0)
    fits = fit_curves(table, weights="none", robust=robust)  # type: ignore[arg-type]
    (row,) = fits.table().rows(named=True)
    assert tuple(row) == FITS_COLUMNS
    assert (row["interval_method"], row["n_points"], row["n_excluded"], row["verdict"]) == ("sandwich", 30, 0, "fit")
    residual = table["response"].to_numpy() - fits.predict(0, DOSES)
    assert row["rss"] == pytest.approx(np.sum(residual**2))
    assert row["rss"] > 45.0**2, "the outlier stays in the sum"
    assert row["ec50_low_nM"] * row["ec50_high_nM"] == pytest.approx(row["ec50_nM"] ** 2), "a t interval on ln EC50"
    assert row["ec50_low_nM"] < 20.0 < row["ec50_high_nM"]
    assert np.sqrt(fits.scale[0]) == pytest.approx(1.0, rel=0.5), "the scale is that of the well-behaved points"


@BOTH
def test_a_3pl_keeps_its_hill_slope_and_bad_and_flat_curves_their_verdict(robust: str) -> None:
    few = curve(1, name="few").filter(pl.col("concentration_nM") < 1.0)
    table = pl.concat([curve(1), curve(3, name="flat", span=0.0), few])
    rows = fit_curves(table, model="3pl", weights="none", robust=robust).table().rows(named=True)  # type: ignore[arg-type]
    assert rows[0]["hill_slope"] == 1.0
    assert [row["verdict"] for row in rows] == ["fit", "flat", "bad"]


@BOTH
def test_flat_curves_are_called_flat_about_95_times_in_100(robust: str) -> None:
    """Of 300 one standard error is 1.3 points; a robust test of few points is a little liberal, hence 88."""
    table = pl.concat([curve(i, name=f"c{i}", span=0.0) for i in range(300)])
    fits = fit_curves(table, weights="none", robust=robust)  # type: ignore[arg-type]
    assert np.mean(fits.verdict == "flat") > 0.88


def test_a_toxic_top_dose_is_not_taken_for_an_outlier() -> None:
    table = curve(1, ec50=3.0).with_columns(
        response=pl.when(pl.col("concentration_nM") > 1_000).then(pl.col("response") - 60.0).otherwise("response")
    )
    for robust in ("none", *KINDS):
        assert fit_curves(table, weights="none", robust=robust).verdict[0] == "not_sigmoid"  # type: ignore[arg-type]


@BOTH
@pytest.mark.parametrize("factor", [1e-3, 1e4])
def test_responses_times_a_factor_leave_the_ec50_where_it_is(robust: str, factor: float) -> None:
    table = pl.concat([moved(curve(i, name=f"c{i}"), 16 + i, 50.0) for i in range(4)])
    one = fit_curves(table, robust=robust)  # type: ignore[arg-type]
    other = fit_curves(table.with_columns(pl.col("response") * factor), robust=robust)  # type: ignore[arg-type]
    np.testing.assert_allclose(other.theta[:, 2], one.theta[:, 2], atol=1e-5)
    np.testing.assert_allclose(other.ln_high, one.ln_high, atol=1e-5)


def test_the_order_of_points_and_the_number_of_workers_change_nothing(simulate_curves: Callable) -> None:
    table = simulate_curves(CURVES_A_TASK + 10, seed=3, n_doses=6, replicates=2).table
    one = fit_curves(table, weights="none", robust="tukey").table()
    assert_frame_equal(fit_curves(table, weights="none", robust="tukey", engine=ProcessEngine(2)).table(), one)
    turned = table.head(120).reverse()
    back = fit_curves(turned, weights="none", robust="tukey").table().reverse()
    assert_frame_equal(back, one.head(10), rel_tol=1e-6)


def test_the_noise_model_is_estimated_without_far_points(simulate_curves: Callable) -> None:
    simulated = simulate_curves(300, seed=2, sd=1.0, cv=0.08)
    rng = np.random.default_rng(1)
    hit = pl.Series(rng.random(simulated.table.height) < 0.05)
    spoilt = simulated.table.with_columns(response=pl.col("response") + pl.when(hit).then(60.0).otherwise(0.0))
    points = points_from_table(spoilt)
    ordinary = estimate_noise(points, FitSettings())[""]
    robust = estimate_noise(points, FitSettings(robust="huber", interval="sandwich"))[""]
    assert robust.phi == pytest.approx(0.08, rel=0.15)
    assert robust.sigma0 == pytest.approx(1.0, rel=0.5)
    assert ordinary.phi > 0.2, "or the test shows nothing"


def test_outcomes_say_how_the_rounds_ended() -> None:
    assert fit_curves(curve(1), robust="huber").outcomes == (Outcome.CONVERGED,)


@BOTH
@pytest.mark.parametrize("interval", ["profile", "wald"])
def test_a_likelihood_interval_of_a_robust_fit_is_refused(robust: str, interval: str) -> None:
    with pytest.raises(InputError) as refused:
        fit_curves(curve(1), robust=robust, interval=interval)  # type: ignore[arg-type]
    assert str(refused.value) == (
        f'interval: found "{interval}" with robust "{robust}"; expected one of sandwich, bootstrap, case_bootstrap (a robust fit has no '
        "likelihood to profile). Use --interval sandwich, or --robust none."
    )


def test_other_clashes_are_told_in_one_pass() -> None:
    with pytest.raises(InputError) as refused:
        FitSettings(model="bell", robust="tukey", interval="bootstrap")
    assert [fault.place for fault in refused.value.faults] == ["robust", "interval"]
    assert 'found "tukey" with model "bell"; expected model 4pl or 3pl. Use --model 4pl' in str(refused.value)
    assert 'found "bootstrap" with model "bell"' in str(refused.value)
    with pytest.raises(InputError, match='found "sandwich" without a robust fit; expected robust huber or tukey'):
        FitSettings(interval="sandwich")
    with pytest.raises(InputError, match='robust: found "lad"; expected one of none, huber, tukey'):
        FitSettings(robust="lad")  # type: ignore[arg-type]
