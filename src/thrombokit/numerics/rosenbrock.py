"""Rodas5P, an L-stable Rosenbrock method of order 5(4) for stiff systems: one trial step, its error, the state at any time inside it.

A stiff system has processes far faster than what one wants to see of it (a drug that binds its receptor in seconds and is eliminated over
days); an explicit method must follow the fast ones with tiny steps long after they have settled. Here each step solves eight linear systems
with one matrix, 1/(h gamma) - J, where J holds the differences of the derivative by each state; no iteration is needed.

Reference: Steinebach 2023, doi:10.1007/s10543-023-00967-x (coefficients, in the transformed form of Hairer & Wanner, Solving Ordinary
Differential Equations II, section IV.7, equation 7.25). Dense output of order 4 as in the same paper.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.driven_derivative import SYSTEM, System, evaluate, evaluate_in_place
from thrombokit.numerics.jit import borrowing_kernel

_F, _A, _I = types.float64, types.float64[::1], types.int64[::1]
STAGES = 8
GAMMA = 0.21193756319429014
_NODES = np.array([0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0])
_IN_TIME = np.array(
    [0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069, 0.0, 0.0, 0.0]
)
_STATES = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [2.849394379747939, 0.45842242204463923, 0.0, 0.0, 0.0, 0.0, 0.0],
    [-6.954028509809101, 2.489845061869568, -10.358996098473584, 0.0, 0.0, 0.0, 0.0],
    [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641, 0.0, 0.0, 0.0],
    [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 0.0, 0.0],
    [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1.0, 0.0],
    [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1.0, 1.0],
])  # fmt: skip
_SLOPES = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [-14.155112264123755, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [-17.97296035885952, -2.859693295451294, 0.0, 0.0, 0.0, 0.0, 0.0],
    [147.12150275711716, -1.41221402718213, 71.68940251302358, 0.0, 0.0, 0.0, 0.0],
    [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306, 0.0, 0.0, 0.0],
    [24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471, 0.0, 0.0],
    [30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623, -28.087943162872662, 0.0],
    [37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002, -54.66780262877968,
     -9.48861652309627],
])  # fmt: skip
_INSIDE = np.array([
    [25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204, 0.524948541321073, 1.1241088310450404,
     0.4272876194431874, -0.17202221070155493],
    [-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796, 20.176138334709044, 15.98066361424651,
     -6.789040303419874, -6.710236069923372],
    [11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643, -52.072871366152654, -59.78993625266729,
     -0.15582684282751913, 4.883087185713722],
])  # fmt: skip


class ImplicitWork(NamedTuple):
    """Scratch of the implicit steps: for n states, m of them moving, arrays (n,), (n,), (n,), (m,), (m m,), (m m,), (m,)."""

    first_slope: Array
    slope: Array
    in_time: Array
    right: Array
    jacobian: Array
    factors: Array
    pivots: IntArray


IMPLICIT_WORK: Any = types.NamedTuple((_A, _A, _A, _A, _A, _A, _I), ImplicitWork)
"""The numba type of an `ImplicitWork`."""


@borrowing_kernel(types.boolean(_A, types.int64, _I))
def factorise(matrix: Array, size: int, pivots: IntArray) -> bool:
    """LU factors of a (size, size) matrix laid out by rows in `matrix`, in place, with row exchanges in `pivots`. False where singular."""
    for column in range(size):
        pivot = column
        for i in range(column + 1, size):
            if abs(matrix[i * size + column]) > abs(matrix[pivot * size + column]):
                pivot = i
        pivots[column] = pivot
        if not abs(matrix[pivot * size + column]) > 0.0:
            return False
        if pivot != column:
            for j in range(size):
                matrix[column * size + j], matrix[pivot * size + j] = matrix[pivot * size + j], matrix[column * size + j]
        for i in range(column + 1, size):
            factor = matrix[i * size + column] / matrix[column * size + column]
            matrix[i * size + column] = factor
            if factor != 0.0:
                for j in range(column + 1, size):
                    matrix[i * size + j] -= factor * matrix[column * size + j]
    return True


@borrowing_kernel(types.void(_A, types.int64, _I, _A))
def solve_factorised(factors: Array, size: int, pivots: IntArray, right: Array) -> None:
    """Solve in place for the right-hand side `right` (size,), with what `factorise` left."""
    for i in range(size):
        right[i], right[pivots[i]] = right[pivots[i]], right[i]
    for i in range(1, size):
        total = right[i]
        for j in range(i):
            total -= factors[i * size + j] * right[j]
        right[i] = total
    for i in range(size - 1, -1, -1):
        total = right[i]
        for j in range(i + 1, size):
            total -= factors[i * size + j] * right[j]
        right[i] = total / factors[i * size + i]


@borrowing_kernel(types.void(SYSTEM, _F, _F, _A, _A, _A, IMPLICIT_WORK))
def differences(system: System, t: float, h: float, x: Array, allowed: Array, trial: Array, work: ImplicitWork) -> None:
    """Forward differences of the slope at (t, x), by each moving state and by time, into `work.jacobian` (m x m by rows) and `work.in_time`.

    `work.first_slope` holds the slope itself. A state is shifted by the root of the rounding unit of its size, or of what is `allowed` as
    error where it is near 0; time by a small part of the step h. `trial` (n,) is used up.
    """
    moving, size, slope, shifted = system.moving, system.moving.size, work.first_slope, work.slope
    for i in range(x.size):
        trial[i] = x[i]
    for m in range(size):
        i = moving[m]
        trial[i] = x[i] + 1.5e-8 * max(abs(x[i]), allowed[i], 1e-290)
        shift = trial[i] - x[i]
        evaluate_in_place(system, t, trial, shifted)
        for q in range(size):
            work.jacobian[q * size + m] = (shifted[moving[q]] - slope[moving[q]]) / shift
        trial[i] = x[i]
    later = 1e-7 * h
    evaluate(system, t + later, trial, shifted)
    for m in range(size):
        work.in_time[moving[m]] = (shifted[moving[m]] - slope[moving[m]]) / later


@borrowing_kernel(types.boolean(SYSTEM, _F, _F, _A, _A, _A, IMPLICIT_WORK))
def rodas5p_step(system: System, t: float, h: float, x: Array, stages: Array, end: Array, work: ImplicitWork) -> bool:
    """One trial step from x (n,) at t to `end` (n,) at t + h; `stages` (8 n) receives the eight increments, the last is the error.

    `differences` has been called at (t, x). False where the matrix of the step is singular.
    """
    n, moving, size, factors, right = x.size, system.moving, system.moving.size, work.factors, work.right
    for e in range(size * size):
        factors[e] = -work.jacobian[e]
    for m in range(size):
        factors[m * size + m] += 1.0 / (h * GAMMA)
    if not factorise(factors, size, work.pivots):
        return False
    for s in range(STAGES):
        slope = work.first_slope
        if s > 0:
            slope = work.slope
            for m in range(size):
                i = moving[m]
                end[i] = x[i]
                for q in range(s):
                    end[i] += _STATES[s, q] * stages[q * n + i]
            evaluate(system, t + _NODES[s] * h, end, slope)
        for m in range(size):
            i = moving[m]
            total = 0.0
            for q in range(s):
                total += _SLOPES[s, q] * stages[q * n + i]
            right[m] = slope[i] + h * _IN_TIME[s] * work.in_time[i] + total / h
        solve_factorised(factors, size, work.pivots, right)
        for m in range(size):
            stages[s * n + moving[m]] = right[m]
    for m in range(size):
        end[moving[m]] += stages[(STAGES - 1) * n + moving[m]]
    return True


@borrowing_kernel(types.float64(_I, _A, _A))
def rodas5p_error(moving: IntArray, stages: Array, allowed: Array) -> float:
    """Estimated errors of the moving states over what is `allowed` (n,) for each, as a Euclidean norm."""
    total = 0.0
    for m in range(moving.size):
        i = moving[m]
        total += (stages[(STAGES - 1) * allowed.size + i] / allowed[i]) ** 2
    return math.sqrt(total)


@borrowing_kernel(types.void(_I, _F, _A, _A, _A, _A))
def rodas5p_read(moving: IntArray, share: float, x: Array, end: Array, stages: Array, state: Array) -> None:
    """The moving states at `share` (0 to 1) of an accepted step from x (n,) to `end` (n,), into `state` (n,)."""
    n = x.size
    for m in range(moving.size):
        i = moving[m]
        a, b, c = 0.0, 0.0, 0.0
        for s in range(STAGES):
            a += _INSIDE[0, s] * stages[s * n + i]
            b += _INSIDE[1, s] * stages[s * n + i]
            c += _INSIDE[2, s] * stages[s * n + i]
        state[i] = (1.0 - share) * x[i] + share * (end[i] + (1.0 - share) * (a + share * (b + share * c)))
