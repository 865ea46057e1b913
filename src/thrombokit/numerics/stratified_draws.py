"""Random numbers spread evenly in every dimension (Latin hypercube): n of them fall one into each n-th of [0, 1).

A few hundred virtual patients drawn so stand for their population much better than as many independent ones: shares of classes and medians are
met almost exactly, and what remains at random is how the dimensions go together.

Reference: McKay, Beckman & Conover 1979, Technometrics 21, 239, doi:10.1080/00401706.1979.10489755.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from thrombokit.numerics.arrays import Array


def stratified_uniforms(rng: np.random.Generator, n: int, dimensions: int) -> Array:
    """Numbers in (0, 1), shape (n, dimensions), each column with one in every n-th, in random order."""
    strata = rng.permuted(np.tile(np.arange(n, dtype=np.float64), (dimensions, 1)), axis=1)
    inside = np.clip(rng.random((dimensions, n)), 1e-12, 1.0 - 1e-12)
    return np.ascontiguousarray(((strata + inside) / n).T)


def stratified_normals(rng: np.random.Generator, n: int, dimensions: int) -> Array:
    """Standard normal numbers, shape (n, dimensions), each column with one in every n-th of probability."""
    return np.asarray(ndtri(stratified_uniforms(rng, n, dimensions)), dtype=np.float64)
