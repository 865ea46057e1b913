"""Overdispersed shares: the variance is the beta-binomial's, and the correlation behind drawn counts is found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.beta_binomial import effective_count, extra_variance, inflation, intraclass_correlation, share_variance


def pearson(counts: np.ndarray, n: np.ndarray, share: np.ndarray) -> np.ndarray:
    return (counts - n * share) ** 2 / (n * share * (1 - share))


@pytest.mark.parametrize("rho", [0.003, 0.02, 0.1])
def test_the_correlation_behind_drawn_counts_is_found(rho: float) -> None:
    rng = np.random.default_rng(5)
    n = np.exp(rng.uniform(np.log(50), np.log(50_000), 4_000)).astype(int)
    share, spread = rng.uniform(0.05, 0.9, n.size), (1 - rho) / rho
    counts = rng.binomial(n, rng.beta(share * spread, (1 - share) * spread))
    found = intraclass_correlation(pearson(counts, n, share), n.astype(float), float(n.size))
    assert found == pytest.approx(rho, rel=0.08)


def test_independent_cells_have_no_correlation_and_no_freedom_is_unknown() -> None:
    n = np.array([100.0, 1_000.0])
    assert intraclass_correlation(np.array([0.5, 1.0]), n, 2.0) == 0.0
    assert np.isnan(intraclass_correlation(np.array([0.5, 1.0]), n, 0.0))
    assert intraclass_correlation(np.array([1e9, 1e9]), n, 2.0) == 1.0


@given(st.floats(1e-4, 0.5), st.floats(10, 1e6), st.floats(1.01, 1e3))
def test_more_cells_help_only_down_to_the_correlation(rho: float, n: float, times: float) -> None:
    few, many = (float(effective_count(np.array(size), rho)) for size in (n, n * times))
    assert few < many < 1 / rho
    assert float(inflation(np.array(1.0), rho)) == 1.0


def test_a_well_of_50_000_cells_is_not_worth_a_thousand_of_50() -> None:
    small, large = share_variance(np.array([0.3, 0.3]), np.array([50.0, 50_000.0]), 0.01)
    assert 2.0 < small / large < 3.0
    small, large = share_variance(np.array([0.3, 0.3]), np.array([50.0, 50_000.0]), 0.0)
    assert small / large == pytest.approx(1_000.0)


def test_a_share_of_nothing_keeps_a_variance() -> None:
    assert np.all(share_variance(np.array([0.0, 1.0]), np.array([100.0, 100.0]), 0.0) > 0)


@pytest.mark.parametrize("tau", [0.05, 0.3])
def test_extra_variance_is_found(tau: float) -> None:
    rng = np.random.default_rng(7)
    own = rng.uniform(0.001, 0.02, 100_000)
    squares = (np.sqrt(own + tau**2) * rng.standard_normal(own.size)) ** 2
    assert extra_variance(squares, own, float(own.size)) == pytest.approx(tau**2, rel=0.1)
    assert extra_variance(own * 0.5, own, float(own.size)) == 0.0
    assert np.isnan(extra_variance(squares, own, 0.0))
