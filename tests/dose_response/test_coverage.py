"""Does the 95 % interval of an EC50 hold the truth 95 times in 100? On complete curves, with even noise and with noise that grows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.dose_response.fit import fit_curves
from thrombokit.dose_response.fits import CurveFits

EVEN, GROWING = {"sd": 5.0, "cv": 0.0}, {"sd": 1.0, "cv": 0.08}


def coverage_pct(fits: CurveFits, ec50_nM: np.ndarray) -> float:
    """Share of all curves, none left out, whose interval holds the truth; an open end holds everything on its side."""
    truth = np.log(ec50_nM)
    return float(100.0 * np.mean((fits.ln_low <= truth) & (truth <= fits.ln_high)))


@pytest.mark.parametrize("interval", ["profile", "wald"])
@pytest.mark.parametrize("weights, noise", [("none", EVEN), ("model", EVEN), ("model", GROWING)])
def test_two_thousand_curves(simulate_curves: Callable, weights: str, noise: dict[str, float], interval: str) -> None:
    """One standard error is 0.5 points, so 93 to 97 % is four of them."""
    simulated = simulate_curves(2_000, seed=5, **noise)
    fits = fit_curves(simulated.table, weights=weights, interval=interval)  # type: ignore[arg-type]
    assert 93.0 <= coverage_pct(fits, simulated.ec50_nM) <= 97.0
    assert np.mean(fits.verdict == "fit") > 0.98


def test_bootstrap_intervals_of_a_hundred_curves(simulate_curves: Callable) -> None:
    """Percentile intervals run a little short on few points: 88 % is three standard errors below 95."""
    simulated = simulate_curves(100, seed=6)
    assert coverage_pct(fit_curves(simulated.table, interval="bootstrap"), simulated.ec50_nM) >= 88.0


@pytest.mark.parametrize("confidence", [0.5001, 0.8, 0.99])
def test_other_confidences_hold_their_own_rate(simulate_curves: Callable, confidence: float) -> None:
    """Within four standard errors of 2,000 curves: so the interval is not 95 % by being wide."""
    simulated = simulate_curves(2_000, seed=5, **GROWING)
    rate = coverage_pct(fit_curves(simulated.table, confidence=confidence), simulated.ec50_nM)
    assert abs(rate - 100 * confidence) < 4 * 100 * np.sqrt(confidence * (1 - confidence) / 2_000)


@pytest.mark.long
@pytest.mark.parametrize(
    "name, weights, noise", [("even", "none", EVEN), ("even", "model", EVEN), ("growing, signal CV 8 %", "model", GROWING)]
)
@pytest.mark.parametrize("n_doses, replicates", [(9, 3), (10, 2), (9, 1)])
def test_twenty_thousand_curves(
    simulate_curves: Callable,
    print_figure: Callable[[str], None],
    name: str,
    weights: str,
    noise: dict[str, float],
    n_doses: int,
    replicates: int,
) -> None:
    """One standard error is 0.15 points."""
    n = 20_000
    simulated = simulate_curves(n, seed=17, n_doses=n_doses, replicates=replicates, **noise)
    rate = coverage_pct(fit_curves(simulated.table, weights=weights), simulated.ec50_nM)  # type: ignore[arg-type]
    print_figure(
        f"95 % profile interval of the EC50 holds the truth, {name} noise, weights {weights}, {n_doses} doses x {replicates}: "
        f"{rate:.2f} % of {n} complete curves"
    )
    assert 93.5 <= rate <= 96.5
