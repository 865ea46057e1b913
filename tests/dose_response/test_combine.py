"""Runs to one value: who counts, who does not and why, and the row that says so."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from thrombokit.dose_response.combine import RunEstimate, combine_runs, fits_table
from thrombokit.dose_response.fit import fit_curves

DOSES = np.concatenate([[0.0, 0.0], 0.1 * 3.0 ** np.arange(9)])


def estimate(run: str, value: float, se: float = 0.1, left_out: str = "") -> RunEstimate:
    return RunEstimate(run=run, ln_value=value, se=se, left_out=left_out)


def test_equal_errors_give_the_t_interval_of_the_runs() -> None:
    values = np.log([1.0, 1.6, 1.3, 2.2])
    combined = combine_runs([estimate(f"r{i}", v) for i, v in enumerate(values)])
    half = stats.t(3).ppf(0.975) * np.std(values, ddof=1) / 2
    found = (combined.value.estimate, combined.value.low, combined.value.high)
    assert found == pytest.approx(tuple(np.exp([values.mean(), values.mean() - half, values.mean() + half])))
    assert combined.interval == "hartung_knapp"
    assert combined.between_sd_log10 == pytest.approx(np.sqrt(np.var(values, ddof=1) - 0.01) / np.log(10), rel=1e-4)
    assert combined.values == pytest.approx((1.0, 1.6, 1.3, 2.2))
    assert (combined.n_runs, combined.used) == (4, ("r0", "r1", "r2", "r3"))


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_than_three_runs_show_their_mean_and_no_interval(n: int) -> None:
    combined = combine_runs([estimate(f"r{i}", float(i)) for i in range(n)])
    assert combined.value.estimate == pytest.approx(np.exp((n - 1) / 2))
    assert (combined.value.low, combined.value.high, combined.between_sd_log10) == (None, None, None)
    assert combined.interval == "none: fewer than 3 runs"


def test_no_run_at_all() -> None:
    combined = combine_runs([estimate("r1", 1.0, left_out="plate p1 failed its quality check")])
    assert combined.value.estimate is None
    assert combined.left_out == (("r1", "plate p1 failed its quality check"),)
    assert combine_runs([]).n_runs == 0


def test_runs_without_a_finite_value_or_error_are_named() -> None:
    odd = [estimate("nan", float("nan")), estimate("open", 1.0, float("inf")), estimate("exact", 1.0, 0.0)]
    combined = combine_runs([*odd, *(estimate(f"r{i}", 1.0 + i) for i in range(3))])
    assert combined.left_out == tuple((name, "no finite estimate") for name in ("nan", "open", "exact"))
    assert combined.used == ("r0", "r1", "r2")


def test_a_vague_run_counts_less() -> None:
    """Its own variance is drawn half-way to the mean, so it counts less than the others and not for nothing."""
    values = [estimate("a", 0.0), estimate("b", 0.05), estimate("c", -0.05), estimate("vague", 2.0, 3.0)]
    centre = np.log(combine_runs(values).value.estimate or np.nan)
    assert 0.0 < centre < np.mean([v.ln_value for v in values])


def table_with_runs(scale: dict[str, float], *, flat: tuple[str, ...] = ()) -> pl.DataFrame:
    rng = np.random.default_rng(4)
    parts = []
    for run, factor in scale.items():
        dose_response = 10 + 90 * DOSES / (DOSES + 5.0 * factor)
        y = (np.full(DOSES.size, 40.0) if run in flat else dose_response) + rng.normal(0, 2.0, DOSES.size)
        parts.append(pl.DataFrame({"curve": ["c"] * DOSES.size, "run": run, "concentration_nM": DOSES, "response": y}))
    return pl.concat(parts)


def test_the_combined_row_follows_the_runs() -> None:
    table = fits_table(fit_curves(table_with_runs({"1": 0.8, "2": 1.0, "3": 1.3, "4": 1.1}, flat=("4",))))
    assert table["run"].to_list() == ["1", "2", "3", "4", "combined"]
    row = table.row(4, named=True)
    assert (row["verdict"], row["interval_method"]) == ("fit", "hartung_knapp")
    assert row["ec50_low_nM"] < row["ec50_nM"] < row["ec50_high_nM"]
    assert row["n_points"] == 4 * DOSES.size
    assert row["message"].startswith("3 of 4 runs; 4 left out: no effect of dose found")
    assert [row[c] for c in ("hill_slope", "bottom", "top", "rss")] == [None] * 4


def test_two_runs_have_a_value_and_no_interval() -> None:
    row = fits_table(fit_curves(table_with_runs({"1": 0.8, "2": 1.0}))).row(2, named=True)
    assert row["ec50_nM"] is not None
    assert (row["ec50_low_nM"], row["ec50_high_nM"]) == (None, None)
    assert row["message"] == "2 of 2 runs; no pooled interval, fewer than 3 runs"


def test_runs_that_are_all_flat_are_flat_together() -> None:
    row = fits_table(fit_curves(table_with_runs({"1": 1.0, "2": 1.0, "3": 1.0}, flat=("1", "2", "3")))).row(3, named=True)
    assert (row["verdict"], row["ec50_nM"]) == ("flat", None)
    assert row["message"].startswith("0 of 3 runs")


def test_without_runs_the_table_is_the_fits_table() -> None:
    fits = fit_curves(table_with_runs({"1": 1.0}).drop("run"))
    assert fits_table(fits).equals(fits.table())
