"""The variance of an overdispersed share against scipy's beta-binomial."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom

from thrombokit.numerics.beta_binomial import share_variance


@pytest.mark.parametrize("n", [20, 1_000, 50_000])
@pytest.mark.parametrize("share", [0.03, 0.4, 0.9])
@pytest.mark.parametrize("rho", [0.001, 0.02, 0.3])
def test_the_variance_is_the_beta_binomials(n: int, share: float, rho: float) -> None:
    spread = (1 - rho) / rho
    expected = betabinom(n, share * spread, (1 - share) * spread).var() / n**2
    assert share_variance(np.array(share), np.array(float(n)), rho) == pytest.approx(expected, rel=1e-9)
