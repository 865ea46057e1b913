"""Z', robust Z' and SSMD worked by hand from their published formulas."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.plate.quality import cv_pct, robust_z_prime, separation, z_prime

VEHICLE = np.array([8.0, 10.0, 12.0])
POSITIVE = np.array([96.0, 100.0, 104.0])
"""Means 10 and 100, sds 2 and 4 (n - 1), medians 10 and 100, MADs 2 and 4."""


def test_z_prime() -> None:
    """Zhang et al. 1999, doi:10.1177/108705719900400206: 1 - 3 (4 + 2) / 90 = 0.8."""
    assert z_prime(VEHICLE, POSITIVE) == pytest.approx(0.8)
    assert z_prime(POSITIVE, VEHICLE) == pytest.approx(0.8), "the window has no direction"


def test_robust_z_prime() -> None:
    """Medians and 1.4826 MAD: 1 - 3 x 1.4826 (4 + 2) / 90 = 0.703480; an outlier in either control moves nothing."""
    assert robust_z_prime(VEHICLE, POSITIVE) == pytest.approx(1 - 18 * 1.4826 / 90)
    with_outlier = np.array([8.0, 10.0, 1e6])
    assert robust_z_prime(with_outlier, POSITIVE) == pytest.approx(1 - 18 * 1.4826 / 90)
    assert z_prime(with_outlier, POSITIVE) < 0


def test_ssmd() -> None:
    """Zhang 2007, doi:10.1016/j.ygeno.2007.01.005: 90 / sqrt(4^2 + 2^2) = 20.12461; the sign is that of the effect."""
    assert separation(VEHICLE, POSITIVE) == pytest.approx(20.124611797498108)
    assert separation(POSITIVE, VEHICLE) == pytest.approx(-20.124611797498108)


def test_controls_without_a_window_or_without_scatter() -> None:
    same = np.array([5.0, 5.0])
    assert z_prime(same, same) == -np.inf
    assert robust_z_prime(same, same) == -np.inf
    assert separation(same, same + 1) == np.inf
    assert separation(same, same - 1) == -np.inf


def test_cv() -> None:
    assert cv_pct(VEHICLE) == pytest.approx(20.0)
    assert cv_pct(-VEHICLE) == pytest.approx(20.0)
