"""Does the interval combined over runs hold the EC50 95 times in 100? From wells of every run to the combined interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from thrombokit.dose_response.combine import RunEstimate, combine_runs
from thrombokit.dose_response.fit import fit_curves
from thrombokit.numerics.streams import stream
from thrombokit.scale.engine import ProcessEngine

N_STUDIES, MOST_RUNS, RUN_COUNTS = 4_000, 6, (3, 4, 5, 6)
EC50_nM, HILL = 50.0, 1.2
STUDIES_A_TASK = 250
SEED = 90_531


@dataclass(frozen=True, kw_only=True, eq=False)
class RunFits:
    """ln EC50 and its standard error in every run, each of shape (n_studies, MOST_RUNS)."""

    ln_value: np.ndarray
    se: np.ndarray


def simulate_runs(between_sd_log10: float) -> RunFits:
    """One curve of 10 doses x 3 a run, noise growing with signal (CV 8 %), fitted with the defaults; doses 0.3 nM to 10 uM."""
    rng = stream(SEED, f"between {between_sd_log10}")
    n = N_STUDIES * MOST_RUNS
    dose = np.repeat(0.3 * np.sqrt(10.0) ** np.arange(10), 3)
    ec50 = EC50_nM * 10.0 ** (between_sd_log10 * rng.standard_normal((n, 1)))
    mean = 10.0 + 90.0 / (1.0 + (ec50 / dose) ** HILL)
    response = mean + np.sqrt(1.0 + (0.08 * mean) ** 2) * rng.standard_normal(mean.shape)
    fits = fit_curves(
        pl.DataFrame(
            {
                "curve": np.repeat([f"c{i:06d}" for i in range(n)], dose.size),
                "concentration_nM": np.tile(dose, n),
                "response": response.ravel(),
            }
        )
    )
    shape = (N_STUDIES, MOST_RUNS)
    return RunFits(ln_value=fits.theta[:, 2].reshape(shape), se=fits.se_ln_ec50.reshape(shape))


def combined_intervals(runs: RunFits, start: int, stop: int) -> np.ndarray:
    """Ends of the combined interval (nM) of studies start to stop - 1 from their first 3, 4, 5 and 6 runs; (stop - start, 4, 2)."""
    found = np.empty((stop - start, len(RUN_COUNTS), 2))
    for i in range(start, stop):
        estimates = [
            RunEstimate(run=str(k), ln_value=float(runs.ln_value[i, k]), se=float(runs.se[i, k])) for k in range(MOST_RUNS)
        ]
        for column, k in enumerate(RUN_COUNTS):
            value = combine_runs(estimates[:k]).value
            found[i - start, column] = (np.nan if value.low is None else value.low, np.nan if value.high is None else value.high)
    return found


@pytest.mark.long
@pytest.mark.parametrize("between_sd_log10", [0.05, 0.1, 0.2, 0.3])
def test_combined_interval_holds_its_rate(print_figure: Callable[[str], None], between_sd_log10: float) -> None:
    """One standard error of 4,000 studies is 0.35 points; a study without an interval counts as a miss."""
    runs = simulate_runs(between_sd_log10)
    parts = ProcessEngine(2).map_ranges(combined_intervals, runs, N_STUDIES, chunk=STUDIES_A_TASK)
    ends = np.concatenate(parts)
    assert ends.shape == (N_STUDIES, len(RUN_COUNTS), 2)
    rates = 100.0 * np.mean((ends[..., 0] <= EC50_nM) & (EC50_nM <= ends[..., 1]), axis=0)
    folds = np.nanmedian(ends[..., 1] / ends[..., 0], axis=0)
    for k, rate, fold in zip(RUN_COUNTS, rates, folds, strict=True):
        print_figure(
            f"combined 95 % interval, {k} runs, between-run SD {between_sd_log10} log10: holds the EC50 in {rate:.1f} % of {N_STUDIES}, "
            f"median width {fold:.2f}-fold"
        )
    assert np.all((rates >= 93.0) & (rates <= 97.0)), rates
