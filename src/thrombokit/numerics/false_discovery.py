"""False discovery rates: of the tests called positive at q, a share of q or less is expected to be false.

Reference: Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array


def benjamini_hochberg(p: Array) -> Array:
    """q value of every p value, shape (n,): the smallest rate at which that test would be called positive. NaN stays NaN and is no test."""
    q = np.full(p.shape, np.nan)
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    ratio = p[order] * tests.size / np.arange(1, tests.size + 1)
    q[order] = np.minimum(np.minimum.accumulate(ratio[::-1])[::-1], 1.0)
    return q
