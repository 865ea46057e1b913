"""Does the default 95 % interval of one curve's EC50 hold the truth 95 times in 100? 20,000 curves a case, none left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from thrombokit.dose_response.fit import fit_curves
from thrombokit.dose_response.fits import CurveFits

N = 20_000
EVEN, GROWING = (5.0, 0.0), (1.0, 0.08)
NOISES = [pytest.param(EVEN, id="even"), pytest.param(GROWING, id="growing")]
TOP_nM = 10_000.0
FROM_TOP = (-1.0, float(np.log10(4.0)))
"""log10 of the EC50 over the top dose: 0.1 to 4 times."""


def misses_pct(fits: CurveFits, ec50_nM: np.ndarray) -> tuple[float, float]:
    """Share of curves whose truth lies below the interval, and above it; an open end holds everything on its side."""
    truth = np.log(ec50_nM)
    return float(100 * np.mean(truth < fits.ln_low)), float(100 * np.mean(truth > fits.ln_high))


def printed_ends(fits: CurveFits) -> tuple[np.ndarray, np.ndarray]:
    """The ends as a user reads them in the table of fits, NaN where none is printed; each of shape (n,)."""
    table = fits.table()
    return table["ec50_low_nM"].cast(pl.Float64).to_numpy(), table["ec50_high_nM"].cast(pl.Float64).to_numpy()


@pytest.mark.long
@pytest.mark.parametrize("noise", NOISES)
def test_complete_curves(
    truth: Callable, with_noise: Callable, print_figure: Callable[[str], None], noise: tuple[float, float]
) -> None:
    """One standard error is 0.15 points."""
    name = f"complete {noise}"
    curves = truth(N, name)
    table = curves.table(with_noise(curves.mean, name, noise))
    profile, wald = fit_curves(table), fit_curves(table, interval="wald")
    below, above = misses_pct(profile, curves.ec50_nM)
    wald_below, wald_above = misses_pct(wald, curves.ec50_nM)
    width, wald_width = profile.ln_high - profile.ln_low, wald.ln_high - wald.ln_low
    open_share = 100 * float(np.mean(~np.isfinite(width)))
    ratio = float(np.median(width) / np.median(wald_width))
    print_figure(
        f"complete curves, noise (sd, CV) {noise}: profile holds {100 - below - above:.2f} % (misses {below:.2f} below, {above:.2f} above), "
        f"Wald {100 - wald_below - wald_above:.2f} % ({wald_below:.2f}, {wald_above:.2f}); {open_share:.2f} % open; median ln-width "
        f"{ratio:.3f} x Wald; n = {N}"
    )
    assert 93.5 <= 100 - below - above <= 96.5
    assert open_share <= 1.0
    assert ratio <= 1.10


@pytest.mark.long
@pytest.mark.parametrize("noise", NOISES)
def test_truncated_curves(
    truth: Callable, with_noise: Callable, print_figure: Callable[[str], None], noise: tuple[float, float]
) -> None:
    """EC50 from 0.1 to 4 times the top dose: the interval holds its rate, and its printed ends hold theirs."""
    name = f"truncated {noise}"
    curves = truth(N, name, centre_nM=TOP_nM, decades=FROM_TOP)
    table = curves.table(with_noise(curves.mean, name, noise))
    fits = fit_curves(table)
    below, above = misses_pct(fits, curves.ec50_nM)
    low, high = printed_ends(fits)
    said_below, said_above = (float(100 * np.mean(v)) for v in (curves.ec50_nM < low, curves.ec50_nM > high))
    unbounded = 100 * float(np.mean(np.isnan(low) & np.isnan(high)))
    finite = 100 * float(np.mean(np.isfinite(low) & np.isfinite(high)))
    verdicts = ", ".join(f"{100 * np.mean(fits.verdict == v):.1f} % {v}" for v in ("fit", "plateau_open", "beyond_range", "flat"))
    wald_below, wald_above = misses_pct(fit_curves(table, interval="wald"), curves.ec50_nM)
    print_figure(
        f"EC50 0.1 to 4 x the top dose, noise (sd, CV) {noise}: profile holds {100 - below - above:.2f} % ({below:.2f} below, {above:.2f} above), "
        f"Wald {100 - wald_below - wald_above:.2f} % ({wald_below:.2f}, {wald_above:.2f}); as printed: {finite:.1f} % two finite ends, "
        f"{unbounded:.2f} % no bound, lower end wrong {said_below:.2f} %, upper {said_above:.2f} %; {verdicts}; n = {N}"
    )
    assert 93.5 <= 100 - below - above <= 98.5
    assert max(below, above, said_below, said_above) <= 3.5
    assert unbounded <= 10.0


@pytest.mark.long
@pytest.mark.parametrize("curves_a_plate, plates", [(4, 1_000), (12, 1_000)])
def test_noise_estimated_on_one_plate(
    truth: Callable, with_noise: Callable, print_figure: Callable[[str], None], curves_a_plate: int, plates: int
) -> None:
    """A bench file holds few curves, so its noise is known less well than that of a screen: the rate must hold all the same."""
    n, name = curves_a_plate * plates, f"plates of {curves_a_plate}"
    curves = truth(n, name)
    points = curves.dose.size
    runs = np.repeat([f"p{i // curves_a_plate}" for i in range(n)], points)
    table = curves.table(with_noise(curves.mean, name, GROWING)).with_columns(run=pl.Series(runs))
    below, above = misses_pct(fit_curves(table), curves.ec50_nM)
    print_figure(
        f"noise estimated on {curves_a_plate} curves at a time: profile holds {100 - below - above:.2f} % of {n} complete curves"
    )
    assert 93.5 <= 100 - below - above <= 96.5
