"""Outliers: flagged, kept, and seldom found where there are none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.dose_response.fit import fit_points
from thrombokit.dose_response.outliers import flag_outliers
from thrombokit.dose_response.points import points_from_table
from thrombokit.dose_response.settings import FitSettings
from thrombokit.errors import InputError

DOSES = np.repeat(np.concatenate([[0.0], 0.3 * 3.0 ** np.arange(9)]), 3)


def table_of(seed: int, *, sd: float = 1.0) -> pl.DataFrame:
    mean = 10.0 + 90.0 * DOSES**1.2 / (DOSES**1.2 + 20.0**1.2)
    y = mean + sd * np.random.default_rng(seed).standard_normal(DOSES.size)
    return pl.DataFrame({"curve": ["a"] * DOSES.size, "concentration_nM": DOSES, "response": y})


def flags(table: pl.DataFrame, **options: object) -> np.ndarray:
    points = points_from_table(table)
    return flag_outliers(points, fit_points(points, FitSettings(**options)))  # type: ignore[arg-type]


@given(
    seed=st.integers(0, 10_000),
    row=st.integers(0, 29),
    by=st.sampled_from([-40.0, 40.0]),
    weights=st.sampled_from(["none", "model"]),
)
@settings(max_examples=30, deadline=None)
def test_a_gross_outlier_is_flagged_wherever_it_stands_after_a_robust_fit(seed: int, row: int, by: float, weights: str) -> None:
    table = table_of(seed)
    spoilt = table.with_columns(response=pl.col("response") + pl.when(pl.int_range(pl.len()) == row).then(by).otherwise(0.0))
    found = flags(spoilt, weights=weights, robust="tukey", interval="sandwich")
    assert found[row]
    assert found.sum() <= 4


def test_it_follows_its_point_when_points_are_in_another_order() -> None:
    spoilt = table_of(1).with_columns(response=pl.col("response") + pl.when(pl.int_range(pl.len()) == 4).then(40.0).otherwise(0.0))
    order = np.random.default_rng(2).permutation(30)
    for options in ({}, {"robust": "huber", "interval": "sandwich"}):
        assert np.array_equal(flags(spoilt[order], weights="none", **options), flags(spoilt, weights="none", **options)[order])


def test_an_exact_curve_has_none_and_one_point_off_it_is_one() -> None:
    exact = table_of(1, sd=0.0)
    assert not flags(exact, weights="none").any()
    off = exact.with_columns(response=pl.col("response") + pl.when(pl.int_range(pl.len()) == 7).then(5.0).otherwise(0.0))
    assert np.flatnonzero(flags(off, weights="none", robust="tukey", interval="sandwich")).tolist() == [7]


@pytest.mark.parametrize("n_doses, replicates, most_pct", [(9, 3, 0.3), (10, 2, 0.3), (9, 1, 0.5)])
def test_few_well_behaved_points_are_flagged(
    simulate_curves: Callable, print_figure: Callable[[str], None], n_doses: int, replicates: int, most_pct: float
) -> None:
    table = simulate_curves(1_000, seed=4, n_doses=n_doses, replicates=replicates).table
    share = 100 * float(np.mean(flags(table, weights="none")))
    print_figure(f"well-behaved points flagged as outliers, {n_doses} doses x {replicates}: {share:.2f} %")
    assert share < most_pct


def test_a_curve_without_a_fit_has_none() -> None:
    few = table_of(1).head(6)
    assert flags(few, weights="none").tolist() == [False] * 6


def test_weights_count_a_noisy_plateau_is_no_outlier() -> None:
    """Noise in proportion to the mean: against even noise the high plateau's points look far."""
    rng = np.random.default_rng(5)
    mean = 1.0 + 999.0 * DOSES**1.2 / (DOSES**1.2 + 200.0**1.2)
    parts = [
        pl.DataFrame({"curve": [f"c{i}"] * 30, "concentration_nM": DOSES, "response": mean * (1 + 0.1 * rng.standard_normal(30))})
        for i in range(40)
    ]
    table = pl.concat(parts)
    assert flags(table, weights="model").sum() < 0.25 * flags(table, weights="none").sum()


def test_points_of_other_curves_are_refused() -> None:
    fits = fit_points(points_from_table(table_of(1)), FitSettings())
    with pytest.raises(InputError, match="expected the points that were fitted, in their order"):
        flag_outliers(points_from_table(table_of(1).with_columns(curve=pl.lit("b"))), fits)
