"""Compound symmetry beside statsmodels' random intercepts: the same model, written otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from thrombokit.numerics.restricted_likelihood import by_pattern
from thrombokit.numerics.restricted_search import fit_repeated
from thrombokit.numerics.streams import stream
from thrombokit.numerics.visit_covariance import VisitCovariance


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_reml_of_random_intercepts(seed: int) -> None:
    rng = stream(seed, "peer")
    n, m = 60, 4
    subject, visit = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    design = np.column_stack([np.eye(m)[visit], (subject % 2)[:, None] * np.eye(m)[visit], rng.normal(size=n)[subject]])
    response = rng.normal(0.0, 1.2, n)[subject] + rng.normal(0.0, 0.8, n * m) + visit
    keep = rng.uniform(size=n * m) > 0.2
    subject, visit, design, response = subject[keep], visit[keep], design[keep], response[keep]
    ours = fit_repeated(by_pattern(subject, visit, design, response), VisitCovariance(structure="cs", n_visits=m))
    theirs = MixedLM(response, design, groups=subject).fit(reml=True, method="bfgs", gtol=1e-10)
    assert ours.minus2_reml == pytest.approx(-2.0 * theirs.llf, abs=1e-6)
    assert ours.beta == pytest.approx(theirs.fe_params, abs=1e-5)
    assert math.sqrt(ours.parameters[1]) == pytest.approx(math.sqrt(theirs.cov_re[0, 0]), rel=1e-4)
