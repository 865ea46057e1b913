"""Tsitouras' explicit Runge-Kutta pair of order 5(4): one trial step, its error, and the state at any time inside it (order 4).

The step is generic in the system (see `driven_derivative`); how long steps are and when they are taken back is for `adaptive_ode` to say.

Reference: Tsitouras 2011, doi:10.1016/j.camwa.2011.06.002 (coefficients; the sign of the last error weight as in later corrections of the
paper). The stability interval on the negative real axis is 3.5.
"""

from __future__ import annotations

import math

from numba import types

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.driven_derivative import Derivative, slope_at
from thrombokit.numerics.jit import borrowing_kernel, inlined

ORDER = 5
STABLE_TO = 3.5
"""Largest step times rate at which an explicit step of a decay is stable."""

_F, _A = types.float64, types.float64[::1]
_C2, _C3, _C4, _C5 = 0.161, 0.327, 0.9, 0.9800255409045097
_A31, _A32 = -0.008480655492356989, 0.335480655492357
_A41, _A42, _A43 = 2.8971530571054935, -6.359448489975075, 4.3622954328695815
_A51, _A52, _A53, _A54 = 5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525
_A61, _A62, _A63, _A64, _A65 = 5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383
_B1, _B2, _B3, _B4, _B5, _B6 = (
    0.09646076681806523,
    0.01,
    0.4798896504144996,
    1.379008574103742,
    -3.290069515436081,
    2.324710524099774,
)
_E1, _E2, _E3, _E4 = -0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629
_E5, _E6, _E7 = 0.5823571654525552, -0.45808210592918697, 0.015151515151515152

NODES = (_C2, _C3, _C4, _C5, 1.0, 1.0)
STAGES = (
    (_C2,), (_A31, _A32), (_A41, _A42, _A43), (_A51, _A52, _A53, _A54), (_A61, _A62, _A63, _A64, _A65), (_B1, _B2, _B3, _B4, _B5, _B6),
)  # fmt: skip
ERROR_WEIGHTS = (_E1, _E2, _E3, _E4, _E5, _E6, _E7)
"""The method as tables, for code that is generated: stages 2 to 7 (the last is the end of the step), and the weights of the error."""


@inlined
def tsit5_step(
    derivative: Derivative, t: float, clock: float, phase: float, parameters: Array, inflow: Array, any_inflow: bool, block: IntArray,
    modes: Array, h: float, x: Array, k1: Array, k2: Array, k3: Array, k4: Array, k5: Array, k6: Array, k7: Array, sixth: Array,
    end: Array,
) -> None:  # fmt: skip
    """One trial step from x (n,) at t to `end` (n,) at t + h.

    k1 (n,) holds the slope at x; the slopes of the other stages go into k2 to k7, the state of the sixth stage into `sixth`. The first nine
    arguments are the parts of a `System`; the step runs over all states, those of the block are put right at every stage.
    """
    n = x.size
    for i in range(n):
        end[i] = x[i] + h * (_C2 * k1[i])
    slope_at(derivative, t + _C2 * h, clock + _C2 * h, phase, parameters, inflow, any_inflow, block, modes, end, k2)
    for i in range(n):
        end[i] = x[i] + h * (_A31 * k1[i] + _A32 * k2[i])
    slope_at(derivative, t + _C3 * h, clock + _C3 * h, phase, parameters, inflow, any_inflow, block, modes, end, k3)
    for i in range(n):
        end[i] = x[i] + h * (_A41 * k1[i] + _A42 * k2[i] + _A43 * k3[i])
    slope_at(derivative, t + _C4 * h, clock + _C4 * h, phase, parameters, inflow, any_inflow, block, modes, end, k4)
    for i in range(n):
        end[i] = x[i] + h * (_A51 * k1[i] + _A52 * k2[i] + _A53 * k3[i] + _A54 * k4[i])
    slope_at(derivative, t + _C5 * h, clock + _C5 * h, phase, parameters, inflow, any_inflow, block, modes, end, k5)
    for i in range(n):
        sixth[i] = x[i] + h * (_A61 * k1[i] + _A62 * k2[i] + _A63 * k3[i] + _A64 * k4[i] + _A65 * k5[i])
    slope_at(derivative, t + h, clock + h, phase, parameters, inflow, any_inflow, block, modes, sixth, k6)
    for i in range(n):
        end[i] = x[i] + h * (_B1 * k1[i] + _B2 * k2[i] + _B3 * k3[i] + _B4 * k4[i] + _B5 * k5[i] + _B6 * k6[i])
    for m in range(block.size):  # the sixth stage stands at t + h already
        end[block[m]] = sixth[block[m]]
    derivative(t + h, clock + h, phase, end, parameters, k7)
    if any_inflow:
        for i in range(n):
            k7[i] += inflow[i]


@inlined
def tsit5_error(h: float, k1: Array, k2: Array, k3: Array, k4: Array, k5: Array, k6: Array, k7: Array, allowed: Array) -> float:
    """Estimated errors of the states over what is `allowed` (n,) for each, as a Euclidean norm; above 1 the step is taken back."""
    total = 0.0
    for i in range(allowed.size):
        error = _E1 * k1[i] + _E2 * k2[i] + _E3 * k3[i] + _E4 * k4[i] + _E5 * k5[i] + _E6 * k6[i] + _E7 * k7[i]
        total += (error / allowed[i]) ** 2
    return h * math.sqrt(total)


@borrowing_kernel(types.float64(types.int64[::1], _F, _A, _A, _A, _A))
def tsit5_stiffness(moving: IntArray, h: float, stages: Array, sixth: Array, end: Array, allowed: Array) -> float:
    """Step times the fastest rate, seen in how the slope differs between the two states at the step's end (Shampine's measure)."""
    n = end.size
    slopes, states = 0.0, 0.0
    for m in range(moving.size):
        i = moving[m]
        slopes += ((stages[6 * n + i] - stages[5 * n + i]) / allowed[i]) ** 2
        states += ((end[i] - sixth[i]) / allowed[i]) ** 2
    return h * math.sqrt(slopes / states) if states > 0.0 else 0.0


@borrowing_kernel(types.void(types.int64[::1], _F, _F, _A, _A, _A))
def tsit5_read(moving: IntArray, share: float, h: float, x: Array, stages: Array, state: Array) -> None:
    """The moving states at `share` (0 to 1) of an accepted step that began at x (n,), into `state` (n,)."""
    n = x.size
    s, s2 = share, share * share
    b1 = s + s2 * (-2.763706197274826 + s * (2.9132554618219126 - s * 1.0530884977290216))
    b2 = s2 * (0.1317 + s * (-0.2234 + s * 0.1017))
    b3 = s2 * (3.9302962368947516 + s * (-5.941033872131505 + s * 2.490627285651253))
    b4 = s2 * (-12.411077166933676 + s * (30.33818863028232 - s * 16.548102889244902))
    b5 = s2 * (37.50931341651104 + s * (-88.1789048947664 + s * 47.37952196281928))
    b6 = s2 * (-27.896526289197286 + s * (65.09189467479366 - s * 34.87065786149661))
    b7 = s2 * (1.5 + s * (-4.0 + s * 2.5))
    for m in range(moving.size):
        i = moving[m]
        state[i] = x[i] + h * (
            b1 * stages[i] + b2 * stages[n + i] + b3 * stages[2 * n + i] + b4 * stages[3 * n + i] + b5 * stages[4 * n + i]
            + b6 * stages[5 * n + i] + b7 * stages[6 * n + i]
        )  # fmt: skip
