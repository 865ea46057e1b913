"""Combined runs against statsmodels.

statsmodels has no REML: its "iterated" between-run variance is Paule-Mandel's. The two are the same number where all runs have
the same variance within, so there everything must agree, Hartung-Knapp interval included. With unequal variances only the interval
formula is common to both: given our between-run variance in place of theirs, it must return our interval.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from thrombokit.numerics.meta_analysis import hartung_knapp


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("k", [3, 5, 9])
def test_equal_variances_agree_in_everything(seed: int, k: int) -> None:
    values = np.random.default_rng(seed).normal(2.0, 0.5, k)
    ours = hartung_knapp(values, np.full(k, 0.04))
    theirs = combine_effects(values, np.full(k, 0.04), method_re="iterated", use_t=True)
    assert ours.between_variance == pytest.approx(max(theirs.tau2, 0.0), rel=1e-3, abs=1e-9)
    assert ours.mean == pytest.approx(theirs.mean_effect_re, rel=1e-9)
    assert ours.se == pytest.approx(theirs.sd_eff_w_re_hksj, rel=1e-6)
    low, high = their_interval(theirs)
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_unequal_variances_agree_given_the_same_between_run_variance(seed: int) -> None:
    """Runs whose total variances are ours, and no variance between them: statsmodels' fixed-effect interval with HK scale."""
    rng = np.random.default_rng(seed)
    variances = np.exp(rng.uniform(-5, -1, 6))
    values = rng.normal(2.0, np.sqrt(variances + 0.09))
    ours = hartung_knapp(values, variances)
    theirs = combine_effects(values, variances + ours.between_variance, method_re="iterated", use_t=True)
    assert ours.mean == pytest.approx(theirs.mean_effect_fe, rel=1e-9)
    assert ours.se == pytest.approx(theirs.sd_eff_w_fe_hksj, rel=1e-9)


def their_interval(theirs: object) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the intervals of single runs, which are not compared
        _, _, _, (low, high) = theirs.conf_int(use_t=True)  # type: ignore[attr-defined]
    return float(low), float(high)
