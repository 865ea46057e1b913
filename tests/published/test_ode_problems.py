"""The solvers beside printed solutions of two stiff problems.

Reference: Mazzia & Magherini, Test Set for Initial Value Problem Solvers, release 2.4, University of Bari 2008: problems VDPOL (mu = 1000 in
its first form, t = 2000) and ROBER (t = 1e11).
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.adaptive_ode import CONVERGED, IMPLICIT_STEPS, advance, memory_size, ode_tolerances
from thrombokit.numerics.driven_derivative import DERIVATIVE, no_trial
from thrombokit.numerics.jit import typed_kernel


@typed_kernel(DERIVATIVE)
def van_der_pol(t, clock, phase, x, r, dx):  # type: ignore[no-untyped-def]
    dx[0] = x[1]
    dx[1] = 1000.0 * (1.0 - x[0] * x[0]) * x[1] - x[0]


@typed_kernel(DERIVATIVE)
def robertson(t, clock, phase, x, r, dx):  # type: ignore[no-untyped-def]
    dx[0] = -0.04 * x[0] + 1e4 * x[1] * x[2]
    dx[2] = 3e7 * x[1] * x[1]
    dx[1] = -dx[0] - dx[2]


def solved(function, x0: list[float], t1: float, relative: float, floor: float = 1e-13) -> np.ndarray:  # type: ignore[no-untyped-def]
    x = np.array(x0)
    memory = np.zeros(memory_size(x.size))
    status = advance(
        function, no_trial, False, 0.0, t1, 0.0, 0.0, x, np.empty(0), np.zeros(x.size), np.arange(x.size), np.empty(0, np.int64), np.empty(0),
        ode_tolerances(relative=relative, floor=floor), memory, np.empty(0), np.empty((0, x.size)),
    )  # fmt: skip
    assert status == CONVERGED
    assert memory[IMPLICIT_STEPS] > 0
    return x


def test_van_der_pol() -> None:
    printed = [0.1706167732170469e1, -0.8928097010248125e-3]
    np.testing.assert_allclose(solved(van_der_pol, [2.0, 0.0], 2000.0, 1e-6), printed, rtol=2e-6)
    np.testing.assert_allclose(solved(van_der_pol, [2.0, 0.0], 2000.0, 1e-9), printed, rtol=2e-9)


def test_robertson() -> None:
    """Eleven decades of time and thirteen of size: five digits of states of 2e-8 and 8e-14 (differences stand in for the Jacobian)."""
    printed = [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050]
    x = solved(robertson, [1.0, 0.0, 0.0], 1e11, 1e-8, floor=1e-30)
    np.testing.assert_allclose(x, printed, rtol=5e-5)
    assert abs(x.sum() - 1.0) < 1e-12
