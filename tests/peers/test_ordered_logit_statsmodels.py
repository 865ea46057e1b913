"""Cumulative logit against statsmodels' OrderedModel."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from thrombokit.numerics.ordered_logit import class_shares, fit_ordered_logit


@pytest.mark.parametrize("seed", range(3))
def test_slopes_errors_and_likelihood_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((12, 2))
    shares = class_shares(np.array([-0.5, 0.8, 2.0]), design @ [0.7, -0.3])
    counts = np.array([rng.multinomial(60, p) for p in shares])
    ours = fit_ordered_logit(counts.astype(float), design)
    classes = np.concatenate([np.repeat(np.arange(4), row) for row in counts])
    cells = np.repeat(design, counts.sum(axis=1), axis=0)
    peer = OrderedModel(classes, cells, distr="logit").fit(disp=False, method="bfgs", gtol=1e-8)
    np.testing.assert_allclose(ours.slopes, peer.params[:2], atol=1e-5)
    assert ours.cuts[0] == pytest.approx(peer.params[2], abs=1e-5)
    assert ours.log_likelihood == pytest.approx(peer.llf, rel=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance))[-2:], peer.bse[:2], rtol=2e-2)
