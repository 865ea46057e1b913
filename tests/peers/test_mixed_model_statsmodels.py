"""Random intercept and slope against statsmodels' MixedLM, by REML with a diagonal covariance of the random effects."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.regression.mixed_linear_model import MixedLMParams

from thrombokit.numerics.mixed_model import fit_mixed


def theirs(y: np.ndarray, design: np.ndarray, group: np.ndarray) -> Any:
    free = MixedLMParams.from_components(fe_params=np.ones(design.shape[1]), cov_re=np.eye(design.shape[1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about estimates on the boundary
        return sm.MixedLM(y, design, groups=group, exog_re=design).fit(reml=True, free=free)


@pytest.mark.parametrize("seed", [0, 2, 3, 4])
def test_random_intercept_and_slope_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    group, x = np.repeat(np.arange(6), 8), np.tile(np.linspace(0, 1, 8), 6)
    design = np.column_stack([np.ones(48), x])
    y = (
        design @ [1.0, 2.0]
        + 0.8 * rng.standard_normal(6)[group]
        + 0.6 * rng.standard_normal(6)[group] * x
        + 0.3 * rng.standard_normal(48)
    )
    ours, peer = fit_mixed(y, design, design, group, inference=False), theirs(y, design, group)
    np.testing.assert_allclose(ours.beta, peer.fe_params, rtol=1e-5)
    np.testing.assert_allclose(ours.random_variance, np.diag(peer.cov_re), rtol=5e-3, atol=2e-3)
    assert ours.residual_variance == pytest.approx(peer.scale, rel=1e-2)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), peer.bse_fe, rtol=5e-3)
