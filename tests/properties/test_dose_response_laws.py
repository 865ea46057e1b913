"""Laws that any dose-response fit must keep, whatever the data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from thrombokit.dose_response.fit import CURVES_A_TASK, fit_curves
from thrombokit.scale.engine import ProcessEngine

SEEDS = st.integers(0, 100_000)
DOSES = ("ec50_nM", "ec50_low_nM", "ec50_high_nM")
MODES = st.sampled_from(["none", "model"])
RANKS = {"bad": 0, "flat": 1, "not_sigmoid": 2, "beyond_range": 3, "plateau_open": 4, "fit": 5}


def curves(seed: int, n: int = 4, *, replicates: int = 2) -> pl.DataFrame:
    """`n` curves of 8 doses and vehicle, most of them complete, some open, flat or falling; noise grows a little."""
    rng = np.random.default_rng(seed)
    dose = np.repeat(np.concatenate([[0.0], 0.5 * 3.0 ** np.arange(8)]), replicates)
    parts = []
    for i in range(n):
        ec50, hill = 10.0 ** rng.uniform(0.3, 3.0), rng.uniform(0.7, 2.5)
        span = rng.choice([90.0, 60.0, -70.0, 0.0], p=[0.5, 0.3, 0.15, 0.05])
        mean = 100 + span * dose**hill / (dose**hill + ec50**hill)
        y = mean * (1 + 0.03 * rng.standard_normal(dose.size)) + rng.standard_normal(dose.size)
        parts.append(pl.DataFrame({"curve": [f"c{i}"] * dose.size, "concentration_nM": dose, "response": y}))
    return pl.concat(parts)


def assert_same(one: pl.DataFrame, other: pl.DataFrame, rtol: float, *, but: tuple[str, ...] = ("message",)) -> None:
    """Equal up to `rtol`; of a curve beyond the doses the data fix neither plateaus nor the hill's interval: not compared."""
    plateaus = pl.when(pl.col("verdict") != "beyond_range").then(pl.col("bottom", "top", "hill_low", "hill_high"))
    assert_frame_equal(one.with_columns(plateaus).drop(but), other.with_columns(plateaus).drop(but), rel_tol=rtol, abs_tol=1e-12)


def close(one: pl.Series, other: pl.Series, rtol: float) -> None:
    """Equal up to `rtol`, nulls in the same places."""
    assert one.is_null().to_list() == other.is_null().to_list()
    np.testing.assert_allclose(one.drop_nulls().to_numpy(), other.drop_nulls().to_numpy(), rtol=rtol)


@given(seed=SEEDS, power=st.integers(-6, 6), weights=MODES)
@settings(max_examples=25, deadline=None)
def test_doses_times_ten_are_ec50s_times_ten(seed: int, power: int, weights: str) -> None:
    """The shift of ln dose is not a round number, so equal means to 1e-6; with weights none 1e-7 is kept."""
    factor = 10.0**power
    table = curves(seed)
    one = fit_curves(table, weights=weights).table()  # type: ignore[arg-type]
    other = fit_curves(table.with_columns(pl.col("concentration_nM") * factor), weights=weights).table()  # type: ignore[arg-type]
    for column in DOSES:
        close(other[column], one[column] * factor, 1e-6)
    assert_same(one, other, 1e-5, but=("message", *DOSES))


@given(seed=SEEDS, scale=st.floats(1e-3, 1e6), shift=st.floats(-1e3, 1e3))
@settings(max_examples=25, deadline=None)
def test_scaled_and_shifted_responses_keep_their_ec50(seed: int, scale: float, shift: float) -> None:
    table = curves(seed)
    one = fit_curves(table, weights="none").table()
    other = fit_curves(table.with_columns((pl.col("response") + shift) * scale), weights="none").table()
    assert other["verdict"].to_list() == one["verdict"].to_list()
    for column in (*DOSES, "hill_slope"):
        close(other[column], one[column], 1e-5)
    top, bottom = one["top"], one["bottom"]
    reach = max(float((top - bottom).max()), 1.0)
    np.testing.assert_allclose(other["top"] / scale - shift, top, atol=1e-5 * reach)
    np.testing.assert_allclose(other["bottom"] / scale - shift, bottom, atol=1e-5 * reach)
    np.testing.assert_allclose(other["rss"] / scale**2, one["rss"], rtol=1e-6)


@given(seed=SEEDS, weights=MODES)
@settings(max_examples=20, deadline=None)
def test_scaled_responses_keep_their_ec50_with_modelled_noise(seed: int, weights: str) -> None:
    """Shifts are not allowed here: noise in proportion to the signal knows where zero is."""
    table = curves(seed)
    one = fit_curves(table, weights=weights).table()  # type: ignore[arg-type]
    other = fit_curves(table.with_columns(pl.col("response") * 1024.0), weights=weights).table()  # type: ignore[arg-type]
    for column in (*DOSES, "hill_slope"):
        close(other[column], one[column], 1e-6)


@given(seed=SEEDS, weights=MODES)
@settings(max_examples=20, deadline=None)
def test_order_of_points_within_a_curve_changes_nothing(seed: int, weights: str) -> None:
    """Replicates are summed in another order, so the last digits may move: 1e-8 by far."""
    table = curves(seed)
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=seed)
    one = fit_curves(table, weights=weights).table()  # type: ignore[arg-type]
    other = fit_curves(shuffled, weights=weights, sort=True).table()  # type: ignore[arg-type]
    assert_same(one.sort("curve"), other.sort("curve"), 1e-6 if weights == "model" else 1e-8)


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_order_of_single_points_changes_not_one_byte(seed: int) -> None:
    table = curves(seed, replicates=1)
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=seed)
    one, other = (fit_curves(t, weights="none", sort=True).table().sort("curve") for t in (table, shuffled))
    assert one.write_csv() == other.write_csv()


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_order_of_curves_and_company_change_not_one_byte_without_a_noise_model(seed: int) -> None:
    table = curves(seed, n=5)
    whole = fit_curves(table, weights="none").table()
    turned = fit_curves(pl.concat(reversed(table.partition_by("curve"))), weights="none").table()
    assert turned.reverse().write_csv() == whole.write_csv()
    alone = pl.concat([fit_curves(part, weights="none").table() for part in table.partition_by("curve", maintain_order=True)])
    assert alone.write_csv() == whole.write_csv()


@given(seed=SEEDS)
@settings(max_examples=12, deadline=None)
def test_order_of_curves_changes_nothing_that_matters_with_one(seed: int) -> None:
    table = curves(seed, n=6)
    whole = fit_curves(table).table()
    turned = fit_curves(pl.concat(reversed(table.partition_by("curve")))).table()
    assert_same(turned.reverse(), whole, 1e-6)


@given(seed=SEEDS, weights=MODES)
@settings(max_examples=25, deadline=None)
def test_negated_responses_mirror_the_curve(seed: int, weights: str) -> None:
    table = curves(seed)
    one = fit_curves(table, weights=weights).table()  # type: ignore[arg-type]
    other = fit_curves(table.with_columns(-pl.col("response")), weights=weights).table()  # type: ignore[arg-type]
    assert other["verdict"].to_list() == one["verdict"].to_list()
    close(other["hill_slope"], -one["hill_slope"], 1e-9)
    close(other["hill_low"], -one["hill_high"], 1e-7)
    close(other["top"], -one["bottom"], 1e-9)
    for column in (*DOSES, "rss"):
        close(other[column], one[column], 1e-9)
    swapped = one["open_plateau"].replace({"top": "bottom", "bottom": "top"})
    assert other["open_plateau"].to_list() == swapped.to_list()


@given(seed=SEEDS, interval=st.sampled_from(["profile", "wald"]), model=st.sampled_from(["4pl", "3pl", "5pl"]))
@settings(max_examples=40, deadline=None)
def test_intervals_hold_their_estimate_and_grow_with_confidence(seed: int, interval: str, model: str) -> None:
    table = curves(seed, n=2)
    fits = [
        fit_curves(table, weights="none", interval=interval, confidence=c, model=model)  # type: ignore[arg-type]
        for c in (0.6, 0.9, 0.95, 0.999)
    ]
    for narrow, wide in pairwise(fits):
        np.testing.assert_array_equal(narrow.theta, wide.theta)
        m = narrow.theta[:, 2]
        assert np.all((wide.ln_low <= narrow.ln_low + 1e-6) & (narrow.ln_low <= m))
        assert np.all((m <= narrow.ln_high) & (narrow.ln_high <= wide.ln_high + 1e-6))


@given(seed=SEEDS, replicates=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_tables_are_consistent_in_themselves(seed: int, replicates: int) -> None:
    table = curves(seed, n=3, replicates=replicates)
    fits = fit_curves(table, weights="none")
    for i, row in enumerate(fits.table().rows(named=True)):
        points = table.filter(curve=row["curve"])
        assert row["verdict"] in RANKS
        if row["verdict"] == "bad":
            assert row["bottom"] is row["top"] is None
        else:
            assert row["bottom"] <= row["top"]
        if row["verdict"] == "flat":
            assert row["bottom"] == row["top"] == pytest.approx(points["response"].mean())
        assert row["n_points"] == points.height
        residual = points["response"].to_numpy() - fits.predict(i, points["concentration_nM"].to_numpy())
        assert row["rss"] == pytest.approx(float(np.sum(residual**2)), rel=1e-9)
        assert row["rss"] <= float(np.sum((points["response"] - points["response"].mean()).to_numpy() ** 2)) * (1 + 1e-9)
        given_ends = [row["ec50_low_nM"] is not None, row["ec50_high_nM"] is not None]
        if row["verdict"] == "flat":
            assert given_ends == [False, False]
        if row["verdict"] == "beyond_range":
            assert row["ec50_nM"] is None
            assert given_ends == {"above": [True, False], "below": [False, True], None: [False, False]}[row["bound_side"]]
        assert (row["open_plateau"] is not None) or row["verdict"] != "plateau_open"


def test_one_and_two_workers_write_the_same_bytes() -> None:
    """More curves than one task holds, in two runs, so that a pool really starts."""
    table = curves(1, n=CURVES_A_TASK // 2 + 100, replicates=1)
    table = pl.concat([table.with_columns(run=pl.lit("1")), table.with_columns(run=pl.lit("2"), response=pl.col("response") * 1.1)])
    told: list[int] = []
    serial = fit_curves(table).table()
    pool = fit_curves(table, engine=ProcessEngine(2), progress=told.append).table()
    assert serial.height > CURVES_A_TASK
    assert serial.write_csv() == pool.write_csv()
    assert sum(told) == serial.height
