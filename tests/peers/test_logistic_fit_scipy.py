"""Our 4PL beside scipy.optimize.least_squares from many starts, same bounds: never a worse sum of squares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import curve_fit, least_squares

from thrombokit.dose_response.fit import fit_curves
from thrombokit.io.plate_readers.detect import read_plate
from thrombokit.plate.curves import curves_of
from thrombokit.plate.normalise import normalise

WORST = 1.001
"""Ours may exceed the best of scipy's by 0.1 % of the sum of squares; noisy curves have many near-equal minima."""


def four_parameter(x: np.ndarray, a0: float, a1: float, m: float, ln_h: float) -> np.ndarray:
    """Written out again, in ln concentration; -inf is dose 0."""
    z = np.where(np.isneginf(x), -700.0, np.exp(ln_h) * (np.where(np.isneginf(x), 0.0, x) - m))
    return a0 + (a1 - a0) / (1 + np.exp(-np.clip(z, -700, 700)))


def jacobian(x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    a0, a1, m, ln_h = theta
    g = four_parameter(x, 0.0, 1.0, m, ln_h)
    slope = np.exp(ln_h) * g * (1 - g) * (a1 - a0)
    away = np.where(np.isneginf(x), 0.0, x - m)
    return np.stack([1 - g, g, -slope, slope * away], axis=1)


def best_of_many(x: np.ndarray, y: np.ndarray, hills: tuple[float, ...]) -> float:
    """Smallest RSS over starts in ln EC50 and hill, both directions; plateaus unbounded, ln EC50 and hill within our bounds."""
    finite = x[np.isfinite(x)]
    low, high = finite.min() - 7, finite.max() + 7
    best = np.inf
    scale = np.ptp(y) or 1.0
    for m in np.quantile(finite, [0.1, 0.4, 0.7, 0.95]):
        for ln_h in hills:
            ends = (y[np.argmin(x)], y[np.argmax(x)])
            found = least_squares(
                lambda t: (four_parameter(x, *t) - y) / scale,
                [*ends, m, ln_h],
                jac=lambda t: jacobian(x, t) / scale,
                bounds=([-np.inf, -np.inf, low, np.log(0.1)], [np.inf, np.inf, high, np.log(10)]),
                x_scale="jac",
                max_nfev=60,
            )
            best = min(best, 2 * found.cost * scale**2)
    return best


def compare(table: pl.DataFrame, *, curves: int, hills: tuple[float, ...] = (-0.5, 0.8)) -> None:
    fits = fit_curves(table, weights="none").table()
    assert fits.height == curves
    with np.errstate(divide="ignore"):
        worse = {}
        for (name,), points in table.group_by("curve", maintain_order=True):
            ours = fits.filter(curve=name)["rss"].item()
            if ours is None:  # no fit at all: too few doses
                continue
            x, y = np.log(points["concentration_nM"].to_numpy()), points["response"].to_numpy()
            best = best_of_many(x, y, hills)
            if ours > WORST * best + 1e-9 * np.sum((y - y.mean()) ** 2):
                worse[name] = ours / best
    assert not worse, f"{len(worse)} of {curves} curves fitted worse than scipy: {worse}"


def noisy_curves(n: int, seed: int) -> pl.DataFrame:
    """Complete, open, shallow, steep, falling and flat curves, 8 doses in singles or triplicates and 3 vehicle wells."""
    rng = np.random.default_rng(seed)
    parts = []
    for i in range(n):
        dose = np.concatenate([np.zeros(3), np.repeat(0.3 * 3.0 ** np.arange(8), 1 if i % 2 else 3)])
        ec50, hill, span = 10.0 ** rng.uniform(-0.5, 3.5), rng.uniform(0.4, 4.0), rng.uniform(-100, 100)
        y = 50 + span * dose**hill / (dose**hill + ec50**hill) + rng.normal(0, rng.uniform(2, 20), dose.size)
        parts.append(pl.DataFrame({"curve": [f"c{i}"] * dose.size, "concentration_nM": dose, "response": y}))
    return pl.concat(parts)


@pytest.mark.long
def test_two_hundred_noisy_curves() -> None:
    compare(noisy_curves(200, seed=11), curves=200, hills=(0.5,))


@pytest.mark.parametrize("seed", range(4))
def test_dose_means_are_fitted_like_all_points(simulate_curves: Callable, seed: int) -> None:
    """Replicates are collapsed before the fit; curve_fit sees every well, and finds the same curve and the same errors."""
    table = simulate_curves(1, seed=seed, replicates=4).table
    fits = fit_curves(table, weights="none")
    x, y = np.log(table["concentration_nM"].to_numpy()), table["response"].to_numpy()
    found, covariance = curve_fit(four_parameter, x, y, [10, 100, np.median(x), 0.2], xtol=1e-14, ftol=1e-14)
    np.testing.assert_allclose(fits.theta[0], found, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(fits.covariance[0])), np.sqrt(np.diag(covariance)), rtol=1e-3)
    assert fits.rss[0] == pytest.approx(np.sum((y - four_parameter(x, *found)) ** 2), rel=1e-9)


@pytest.mark.long
def test_every_real_celltiterglo_curve(reference_data: Path) -> None:
    folder = reference_data / "plates" / "gDRimport" / "data4_envision_celltiterglo_384"
    frames = []
    for path in sorted(folder.glob("*D01.csv")):
        plate = read_plate(path, map=folder / "Project40.treated.template.xlsx", map_origin="B2", map_unit="uM")
        for key, points in curves_of(normalise(plate)):
            frames.append(points.with_columns(curve=pl.lit(f"{path.stem} {key.agonist}")))
    assert len(frames) == 9 * 22
    compare(pl.concat(frames), curves=9 * 22)
