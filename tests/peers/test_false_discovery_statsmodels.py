"""Benjamini-Hochberg q values against statsmodels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from thrombokit.numerics.false_discovery import benjamini_hochberg


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60), st.lists(st.integers(0, 59), max_size=5))
def test_q_values_are_those_of_statsmodels_and_nan_is_no_test(p: list[float], holes: list[int]) -> None:
    expected = multipletests(p, method="fdr_bh")[1]
    np.testing.assert_allclose(benjamini_hochberg(np.array(p)), expected, rtol=1e-12, atol=1e-300)
    with_holes = np.array(p)
    with_holes[[h for h in holes if h < len(p)]] = np.nan
    found, tests = benjamini_hochberg(with_holes), ~np.isnan(with_holes)
    assert np.array_equal(np.isnan(found), ~tests)
    if np.any(tests):
        np.testing.assert_allclose(found[tests], multipletests(with_holes[tests], method="fdr_bh")[1], rtol=1e-12, atol=1e-300)


def test_no_tests_at_all() -> None:
    assert benjamini_hochberg(np.array([])).shape == (0,)
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()
