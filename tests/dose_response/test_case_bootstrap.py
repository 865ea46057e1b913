"""Case bootstrap: what is drawn, and that it depends on the seed and the curve alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.dose_response.case_bootstrap import case_draws
from thrombokit.dose_response.fit import fit_curves
from thrombokit.errors import InputError


def test_points_are_drawn_from_their_own_dose_and_vary_as_wells_would() -> None:
    rng = np.random.default_rng(1)
    x = np.repeat([-np.inf, 0.0, 1.0], [3, 2, 4])
    y = np.array([10.0, 12.0, 11.0, 50.0, 60.0, 90.0, 92.0, 88.0, 91.0])
    draws = case_draws(x, y, np.ones(9), y, 4, 40_000, rng)
    assert draws.shape == (40_000, 9)
    for dose in np.unique(x):
        own = x == dose
        np.testing.assert_allclose(draws[:, own].mean(axis=0), y[own].mean(), atol=0.12)
        np.testing.assert_allclose(draws[:, own].var(axis=0), y[own].var(ddof=1), rtol=0.03)


def test_single_points_get_a_residual_in_their_own_units() -> None:
    rng = np.random.default_rng(2)
    x, fitted = np.arange(12.0), np.linspace(10.0, 100.0, 12)
    weight = 1.0 / (0.1 * fitted) ** 2
    y = fitted * (1 + 0.1 * rng.standard_normal(12))
    draws = case_draws(x, y, weight, fitted, 4, 40_000, rng)
    u = (y - fitted) / (0.1 * fitted)
    np.testing.assert_allclose(draws.mean(axis=0), fitted, rtol=0.01)
    np.testing.assert_allclose(draws.std(axis=0) / (0.1 * fitted), np.std(u) * np.sqrt(12 / 8), rtol=0.02)


def test_the_interval_depends_on_the_seed_and_on_nothing_else(simulate_curves: Callable) -> None:
    table = simulate_curves(3, seed=1).table
    first, again = (fit_curves(table, weights="none", interval="case_bootstrap", seed=3) for _ in range(2))
    other = fit_curves(table, weights="none", interval="case_bootstrap", seed=4)
    assert np.array_equal(first.ln_low, again.ln_low)
    assert not np.any(first.ln_low == other.ln_low)
    parametric = fit_curves(table, weights="none", interval="bootstrap", seed=3)
    assert np.array_equal(first.theta, parametric.theta)
    assert np.all((first.ln_low < first.theta[:, 2]) & (first.theta[:, 2] < first.ln_high))
    assert first.table()["interval_method"].unique().to_list() == ["case_bootstrap"]


@pytest.mark.parametrize("robust", ["huber", "tukey"])
def test_robust_fits_are_bootstrapped_robustly(simulate_curves: Callable, robust: str) -> None:
    simulated = simulate_curves(3, seed=1)
    sandwich = fit_curves(simulated.table, weights="none", robust=robust)
    for interval in ("bootstrap", "case_bootstrap"):
        fits = fit_curves(simulated.table, weights="none", robust=robust, interval=interval)  # type: ignore[arg-type]
        assert np.array_equal(fits.theta, sandwich.theta)
        ratio = (fits.ln_high - fits.ln_low) / (sandwich.ln_high - sandwich.ln_low)
        assert np.all((ratio > 0.5) & (ratio < 2.0))


@pytest.mark.parametrize("model", ["5pl", "bell"])
def test_other_models_are_refused_by_name(simulate_curves: Callable, model: str) -> None:
    with pytest.raises(InputError, match=f'found "case_bootstrap" with model "{model}"; expected model 4pl or 3pl'):
        fit_curves(simulate_curves(1, seed=1).table, interval="case_bootstrap", model=model)  # type: ignore[arg-type]
