"""One 4PL over donors: balanced donors give the t interval of their own EC50s; a truncated donor borrows the plateau of the others."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.numerics.logistic_mixed import LogisticMixed, fit_logistic_mixed
from thrombokit.numerics.outcome import Outcome

DOSES_nM = np.concatenate([[0.0], 0.3 * np.sqrt(10.0) ** np.arange(9)])
with np.errstate(divide="ignore"):
    X = np.log(DOSES_nM)


def curve(theta: np.ndarray) -> np.ndarray:
    a0, a1, m, ln_h = theta
    with np.errstate(over="ignore"):
        return a0 + (a1 - a0) / (1.0 + np.exp(-np.exp(ln_h) * (X - m)))


def donors(n: int, seed: int, *, sd_ln: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack(
        [
            5 + rng.standard_normal(n),
            60 + 5 * rng.standard_normal(n),
            np.log(30.0) + sd_ln * rng.standard_normal(n),
            np.full(n, 0.2),
        ]
    )


def fit(theta: np.ndarray, *, noise: float, seed: int = 1, kept: np.ndarray | None = None) -> LogisticMixed:
    rng = np.random.default_rng(seed)
    n = theta.shape[0]
    y = np.concatenate([curve(t) for t in theta]) + noise * rng.standard_normal(n * X.size)
    kept = np.ones(y.size, bool) if kept is None else kept
    group = np.repeat(np.arange(n), X.size)
    return fit_logistic_mixed(
        np.tile(X, n)[kept], y[kept], np.ones(int(kept.sum())), group[kept], np.tile([5.0, 60.0, 3.0, 0.1], (n, 1))
    )


@pytest.mark.parametrize("seed", range(3))
def test_exact_donors_give_the_mean_and_its_standard_error(seed: int) -> None:
    theta = donors(6, seed)
    found = fit(theta, noise=1e-3)
    assert found.outcome in (Outcome.CONVERGED, Outcome.AT_BOUND)
    np.testing.assert_allclose(found.theta, theta.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(found.donors, theta, atol=5e-3)
    expected = theta[:, 2].std(ddof=1) / np.sqrt(6)
    assert np.sqrt(found.linear.covariance[2, 2]) == pytest.approx(expected, rel=1e-2)
    assert np.sqrt(found.linear.cluster_covariance()[2, 2]) == pytest.approx(expected, rel=1e-2)
    assert np.sqrt(found.between_variance[2]) == pytest.approx(theta[:, 2].std(ddof=1), rel=2e-2)


def test_a_donor_without_a_plateau_is_placed_by_the_plateau_of_the_others() -> None:
    """Its doses end at its EC50: alone it cannot tell, together it lands near the truth."""
    theta = donors(7, 4, sd_ln=0.3)
    theta[0, 2] = np.log(300.0)
    kept = np.ones(7 * X.size, bool)
    kept[: X.size] = DOSES_nM <= 300.0
    found = fit(theta, noise=1.0, kept=kept)
    assert found.outcome in (Outcome.CONVERGED, Outcome.AT_BOUND)
    assert np.exp(found.donors[0, 2]) == pytest.approx(300.0, rel=0.3)


def test_scaling_all_doses_moves_the_ec50_alone() -> None:
    theta = donors(5, 9)
    rng = np.random.default_rng(3)
    y = np.concatenate([curve(t) for t in theta]) + rng.standard_normal(5 * X.size)
    group, start = np.repeat(np.arange(5), X.size), np.tile([5.0, 60.0, 3.0, 0.1], (5, 1))
    first = fit_logistic_mixed(np.tile(X, 5), y, np.ones(y.size), group, start)
    moved = fit_logistic_mixed(np.tile(X + np.log(10.0), 5), y, np.ones(y.size), group, start + np.array([0, 0, np.log(10.0), 0]))
    np.testing.assert_allclose(moved.theta - first.theta, [0, 0, np.log(10.0), 0], atol=1e-4)


def test_noise_alone_ends_without_an_exception() -> None:
    rng = np.random.default_rng(8)
    with np.errstate(all="ignore"):
        found = fit_logistic_mixed(
            np.tile(X, 5), rng.standard_normal(5 * X.size), np.ones(5 * X.size), np.repeat(np.arange(5), X.size),
            np.tile([0.0, 1.0, 3.0, 0.1], (5, 1)),
        )  # fmt: skip
    assert found.outcome in tuple(Outcome)
