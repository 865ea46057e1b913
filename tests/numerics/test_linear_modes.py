"""Small linear systems followed exactly: against matrix exponentials, with distinct, repeated and complex rates, and with inflow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import types
from scipy.linalg import expm

from thrombokit.numerics.jit import typed_kernel
from thrombokit.numerics.linear_modes import MODE_KIND, MODE_REACH, anchor_modes, modes_size, prepare_modes, read_modes

EIGEN, SERIES = 0.0, 1.0


@typed_kernel(types.void(types.float64[::1], types.float64, types.int64[::1], types.float64[::1]))
def read(modes: np.ndarray, t: float, block: np.ndarray, x: np.ndarray) -> None:
    """`read_modes` is put into the kernels that call it; this is one."""
    read_modes(modes, t, block, x)


def exact(a: np.ndarray, x: np.ndarray, u: np.ndarray, t: float) -> np.ndarray:
    n = a.shape[0]
    augmented = np.zeros((n + 1, n + 1))
    augmented[:n, :n], augmented[:n, n] = a, u
    return (expm(augmented * t) @ np.append(x, 1.0))[:n]


def walked(a: np.ndarray, x: np.ndarray, u: np.ndarray, t: float, kind: float | None = None) -> np.ndarray:
    n = a.shape[0]
    modes, block = np.zeros(modes_size(n)), np.arange(n)
    prepare_modes(np.ascontiguousarray(a, dtype=float), modes)
    if kind is not None:
        assert modes[MODE_KIND] == kind
    now, left = np.array(x, dtype=float), t
    while left > 0.0:
        stride = min(left, modes[MODE_REACH])
        anchor_modes(modes, 0.0, now, np.array(u, dtype=float), block, stride)
        read(modes, stride, block, now)
        left -= stride
    return now


TWO_COMPARTMENTS = np.array([[-0.5, 0.0, 0.0], [0.5, -0.36, 0.05], [0.0, 0.1, -0.05]])


@pytest.mark.parametrize(
    ("a", "kind"),
    [
        (TWO_COMPARTMENTS, EIGEN),
        (np.array([[-1.0, 0.0, 0.0], [1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]), SERIES),  # three equal rates in a row
        (np.array([[-1.0, 0.0, 1.0], [1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]), SERIES),  # a cycle: complex rates
        (np.array([[0.0, 1.0], [-1.0, 0.0]]), SERIES),  # an oscillation: no compartments, still exact
        (np.array([[-1.0, 0.0], [1.0 + 1e-9, -1.0 - 1e-9]]), SERIES),  # rates that differ by less than eigenvectors can bear
        (np.zeros((2, 2)), EIGEN),
    ],
)
@pytest.mark.parametrize("t", [0.01, 1.0, 24.0, 168.0])
def test_the_walk_is_the_matrix_exponential(a: np.ndarray, kind: float, t: float) -> None:
    n = a.shape[0]
    x, u = np.linspace(1.0, 2.0, n), np.linspace(0.3, 0.0, n)
    np.testing.assert_allclose(walked(a, x, u, t, kind), exact(a, x, u, t), rtol=1e-9, atol=1e-12)


@given(
    st.lists(st.floats(0.01, 5.0), min_size=6, max_size=6),
    st.floats(0.01, 30.0),
    st.lists(st.floats(0.0, 3.0), min_size=3, max_size=3),
)
def test_any_mammillary_system_is_exact_and_keeps_its_mass(rates: list[float], t: float, u: list[float]) -> None:
    ka, out, k12, k21, k13, k31 = rates
    a = np.array([[-ka, 0, 0, 0], [ka, -out - k12 - k13, k21, k31], [0, k12, -k21, 0], [0, k13, 0, -k31]])
    x, inflow = np.array([1.0, 2.0, 0.0, 0.5]), np.array([*u, 0.0])
    np.testing.assert_allclose(walked(a, x, inflow, t), exact(a, x, inflow, t), rtol=2e-9, atol=1e-12)
    closed = a.copy()
    closed[1, 1] += out
    assert walked(closed, x, inflow, t).sum() == pytest.approx(x.sum() + inflow.sum() * t, rel=1e-9)
