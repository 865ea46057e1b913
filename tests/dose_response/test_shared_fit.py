"""Fits over several curves: free equals single fits, shared unknowns are equal, held ones stay, and the noise-free truth is found."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import least_squares

from thrombokit.dose_response.fit import fit_points
from thrombokit.dose_response.points import points_from_table
from thrombokit.dose_response.settings import FitSettings
from thrombokit.dose_response.shared_fit import fit_shared
from thrombokit.dose_response.weighted_means import weighted_means
from thrombokit.errors import InputError

DOSES = np.repeat(np.logspace(-2, 2.5, 10), 3)


def curves(noise: float, *truths: tuple[float, float, float, float]) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    parts = [
        pl.DataFrame(
            {
                "curve": f"c{i}",
                "concentration_nM": DOSES,
                "response": bottom + (top - bottom) / (1 + (ec50 / DOSES) ** hill) + rng.normal(0, 1, DOSES.size) * noise,
            }
        )
        for i, (bottom, top, ec50, hill) in enumerate(truths)
    ]
    return pl.concat(parts)


def fitted(table: pl.DataFrame):
    points = points_from_table(table)
    fits = fit_points(points, FitSettings(weights="none"))
    return fits, [weighted_means(points, fits, i) for i in range(points.n_curves)]


def test_nothing_shared_is_the_single_fits() -> None:
    fits, means = fitted(curves(3.0, (2, 100, 1.0, 1.2), (5, 80, 4.0, 0.9)))
    both = fit_shared(means, fits.theta)
    assert both.theta == pytest.approx(fits.theta, rel=1e-6)
    assert both.rss == pytest.approx(float(fits.rss.sum()), rel=1e-10)


def test_shared_plateaus_and_slope_against_scipy() -> None:
    table = curves(3.0, (2, 100, 1.0, 1.2), (2, 100, 4.0, 1.2))
    fits, means = fitted(table)
    both = fit_shared(means, fits.theta, shared=("a0", "a1", "ln_hill"))
    assert np.ptp(both.theta[:, [0, 1, 3]], axis=0) == pytest.approx([0, 0, 0])
    x, y = np.log(table["concentration_nM"].to_numpy()), table["response"].to_numpy()
    second = np.arange(y.size) >= DOSES.size

    def residual(p: np.ndarray) -> np.ndarray:
        return p[0] + (p[1] - p[0]) / (1 + np.exp(-np.exp(p[2]) * (x - np.where(second, p[4], p[3])))) - y

    peer = least_squares(residual, [0, 100, 0, 0, 1], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert both.rss == pytest.approx(2 * peer.cost, rel=1e-9)
    ratio, se = both.ln_ratio(0, 1)
    assert ratio == pytest.approx(peer.x[3] - peer.x[4], abs=1e-6)
    covariance = np.linalg.inv(peer.jac.T @ peer.jac) * 2 * peer.cost / (y.size - 5)
    assert se == pytest.approx(np.sqrt(covariance[3, 3] + covariance[4, 4] - 2 * covariance[3, 4]), rel=1e-5)


def test_held_unknowns_stay_and_cost_no_degree_of_freedom() -> None:
    fits, means = fitted(curves(2.0, (0, 100, 1.0, 1.0)))
    one = fit_shared(means, fits.theta, held={"a0": 0.0, "ln_hill": 0.0})
    assert one.theta[0, 0] == 0.0
    assert one.theta[0, 3] == 0.0
    assert one.degrees == 30 - 2
    assert one.covariance[0, 0] == 0.0


def test_the_simpler_true_model_has_the_lower_aicc() -> None:
    fits, means = fitted(curves(3.0, (2, 100, 1.0, 1.2), (2, 100, 4.0, 1.2)))
    assert fit_shared(means, fits.theta, shared=("a0", "a1", "ln_hill")).aicc < fit_shared(means, fits.theta).aicc


def test_unknown_names_are_refused_together() -> None:
    fits, means = fitted(curves(1.0, (2, 100, 1.0, 1.2)))
    with pytest.raises(InputError) as caught:
        fit_shared(means, fits.theta, shared=("top", "a0"), held={"a0": 0.0})
    assert '"top"' in str(caught.value)
    assert "both shared and held" in str(caught.value)
