"""Restricted likelihood of repeated measurements: against a dense evaluation, finite differences, and its own laws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from thrombokit.numerics.outcome import Outcome
from thrombokit.numerics.restricted_likelihood import Pattern, by_pattern, restricted_fit, restricted_minus2
from thrombokit.numerics.restricted_search import fit_repeated
from thrombokit.numerics.streams import stream
from thrombokit.numerics.visit_covariance import STRUCTURES, VisitCovariance

M = 4


def trial(seed: int, n: int = 40, missing: float = 0.2) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Subject, visit, design (two arms x visits and a covariate), response; some visits missing."""
    rng = stream(seed, "trial")
    arm, base = np.arange(n) % 2, rng.normal(0.0, 1.0, n)
    spread = np.array([[1.0, 0.6, 0.5, 0.4], [0.6, 1.2, 0.7, 0.5], [0.5, 0.7, 1.5, 0.8], [0.4, 0.5, 0.8, 2.0]])
    values = rng.multivariate_normal(np.zeros(M), spread, n) + np.arange(M) * (1.0 + 0.5 * arm[:, None]) + 0.7 * base[:, None]
    subject, visit = np.repeat(np.arange(n), M), np.tile(np.arange(M), n)
    design = np.zeros((n * M, 2 * M + 1))
    design[np.arange(n * M), arm[subject] * M + visit] = 1.0
    design[:, -1] = base[subject]
    keep = rng.uniform(size=n * M) > missing
    return subject[keep], visit[keep], design[keep], values.ravel()[keep]


def dense_minus2(subject: np.ndarray, visit: np.ndarray, design: np.ndarray, response: np.ndarray, matrix: np.ndarray) -> float:
    """-2 REML from one large covariance."""
    whole = np.where(subject[:, None] == subject[None, :], matrix[np.ix_(visit, visit)], 0.0)
    inverse = np.linalg.inv(whole)
    normal = design.T @ inverse @ design
    left = response - design @ np.linalg.solve(normal, design.T @ inverse @ response)
    n, p = design.shape
    logs = np.linalg.slogdet(whole)[1] + np.linalg.slogdet(normal)[1]
    return float(logs + left @ inverse @ left + (n - p) * math.log(2.0 * math.pi))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_agrees_with_a_dense_evaluation(structure: str) -> None:
    data, covariance = trial(1), VisitCovariance(structure=structure, n_visits=M)
    point = covariance.start(np.diag([1.0, 1.2, 1.5, 2.0]) + 0.5)
    ours = restricted_minus2(by_pattern(*data), covariance, point)
    assert ours == pytest.approx(dense_minus2(*data, covariance.at(point).matrix), rel=1e-12)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_derivatives_agree_with_finite_differences(structure: str) -> None:
    patterns, covariance = by_pattern(*trial(2)), VisitCovariance(structure=structure, n_visits=M)
    point = covariance.start(np.diag([1.0, 1.2, 1.5, 2.0]) + 0.4)
    fit = restricted_fit(patterns, covariance, point)
    assert fit is not None
    steps = 1e-5 * np.eye(point.size)

    def at(where: np.ndarray):
        found = restricted_fit(patterns, covariance, where)
        assert found is not None
        return found

    gradient = np.array([(at(point + s).minus2_reml - at(point - s).minus2_reml) / 2e-5 for s in steps])
    hessian = np.array([(at(point + s).gradient - at(point - s).gradient) / 2e-5 for s in steps])
    slopes = np.array([(at(point + s).beta_covariance - at(point - s).beta_covariance) / 2e-5 for s in steps])
    assert fit.gradient == pytest.approx(gradient, abs=1e-6 * np.abs(gradient).max())
    assert fit.hessian == pytest.approx(hessian, abs=1e-6 * np.abs(hessian).max())
    assert fit.covariance_slopes == pytest.approx(slopes, abs=1e-6 * np.abs(slopes).max())


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_the_optimum_is_one(structure: str, seed: int) -> None:
    """No gradient is left, and no nearby covariance is better."""
    patterns, covariance = by_pattern(*trial(seed)), VisitCovariance(structure=structure, n_visits=M)
    fit = fit_repeated(patterns, covariance)
    assert fit.outcome is Outcome.CONVERGED
    assert np.abs(fit.at_optimum.gradient).max() < 1e-7 * np.abs(fit.at_optimum.hessian).max()
    rng = stream(seed, "steps")
    for _ in range(30):
        nearby = fit.parameters * (1.0 + rng.normal(0.0, 0.05, fit.parameters.size))
        assert restricted_minus2(patterns, covariance, nearby) >= fit.minus2_reml


def test_nested_structures_are_ordered() -> None:
    patterns = by_pattern(*trial(6))
    best = {s: fit_repeated(patterns, VisitCovariance(structure=s, n_visits=M)).minus2_reml for s in STRUCTURES}
    assert best["us"] <= best["toeplitzh"] <= min(best["csh"], best["ar1h"]) + 1e-9
    assert best["toeplitz"] <= min(best["cs"], best["ar1"]) + 1e-9


def test_unit_and_order_of_the_data_change_nothing_else() -> None:
    subject, visit, design, response = trial(7)
    covariance = VisitCovariance(structure="us", n_visits=M)
    plain = fit_repeated(by_pattern(subject, visit, design, response), covariance)
    order = stream(7, "order").permutation(response.size)
    other = fit_repeated(by_pattern(subject[order], visit[order], design[order], 1e9 * response[order]), covariance)
    weights = np.zeros(9)
    weights[M - 1], weights[2 * M - 1] = -1.0, 1.0
    first, second = plain.contrast(weights), other.contrast(weights)
    assert second == pytest.approx((1e9 * first[0], 1e9 * first[1], first[2]), rel=1e-7)


def test_complete_unstructured_data_have_exact_degrees() -> None:
    """With nothing missing and no covariate, each visit is a two-sample t test: n - 2 degrees, by both methods."""
    subject, visit, design, response = trial(8, missing=-1.0)
    fit = fit_repeated(
        by_pattern(subject, visit, design[:, :8], response), VisitCovariance(structure="us", n_visits=M), kenward_roger=True
    )
    weights = np.zeros(8)
    weights[0], weights[M] = -1.0, 1.0
    first = response.reshape(-1, M)[:, 0]
    even, odd = first[::2], first[1::2]
    pooled = math.sqrt((19 * np.var(even, ddof=1) + 19 * np.var(odd, ddof=1)) / 38 * (2 / 20))
    for kenward_roger in (False, True):
        assert fit.contrast(weights, kenward_roger=kenward_roger) == pytest.approx(
            (odd.mean() - even.mean(), pooled, 38.0), rel=1e-6
        )


def test_a_covariance_that_data_do_not_carry_is_no_convergence() -> None:
    """Two visits that repeat each other: the correlation runs to 1."""
    rng = stream(9, "same")
    one = rng.normal(size=(20, 1))
    design = np.zeros((20, 2, 2))
    design[:, 0, 0] = design[:, 1, 1] = 1.0
    same = Pattern(visits=np.arange(2), design=design, response=np.hstack([one, one]))
    fit = fit_repeated([same], VisitCovariance(structure="us", n_visits=2))
    assert fit.outcome is not Outcome.CONVERGED
