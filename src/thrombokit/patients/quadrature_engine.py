"""The fastest engine: exact pharmacokinetics, and a response that is linear but for its drive.

The drug's compartments move by x' = A x + u, with rates constant over an interval. The response compartments (precursors in transit, platelets)
move by y' = B y + g(x): linear among themselves, driven by any function of the drug. Then, over an interval of length h,

    y(h) = e^{B h} y(0) + integral from 0 to h of e^{B (h - s)} g(x(s)) ds,

and only that integral is not exact. It is taken on a graded mesh (`numerics.graded_quadrature`), which says its own error at every step; a
step that misses the tolerance is done again on a finer mesh, and the finer mesh is kept for the intervals to come. Errors do not
pile up: what is driven in is positive and washes out, so a count errs relatively no more than the worst step.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel, typed_kernel
from thrombokit.patients.quadrature_intervals import (
    copy_slot,
    fill_inputs,
    fill_mesh,
    find_slot,
    new_slot,
    open_slot,
    read_slot,
    refine_slot,
    restart_mesh,
)
from thrombokit.patients.quadrature_memory import (
    BLOCK,
    BLOCK_RATES,
    BUILT,
    DIFFERENCE,
    LARGEST_TRUST,
    MAIN_NEXT,
    MAIN_USED,
    MESHES,
    N_BLOCK,
    N_RESPONSE,
    OTHER_TOTALS,
    QUADRATURE_MEMORY,
    READ_NEXT,
    READ_SPARE,
    READ_USED,
    RESPONSE,
    RESPONSE_AMOUNTS,
    RESPONSE_RATES,
    SLOT_SIZE,
    SLOTS,
    TEST_SLOT,
    TESTED_SHARE,
    TOTALS,
    TRUST,
    Numbers,
    Places,
    QuadratureMemory,
)
from thrombokit.patients.quadrature_step import NOT_READY, any_infused, step_as_before, step_on_slot, take_over
from thrombokit.patients.signatures import DRIVEN_PANELS_FUNCTION, FLOW_MATRIX_FUNCTION

_NUMBER: Any = numba.types.float64
_VECTOR: Any = numba.types.float64[::1]
_MATRIX: Any = numba.types.float64[:, ::1]


@typed_kernel(numba.types.void(FLOW_MATRIX_FUNCTION, _VECTOR, QUADRATURE_MEMORY, _MATRIX))
def prepare_quadrature(flow_matrix: Any, r: Array, memory: QuadratureMemory, matrix: Array) -> None:
    """Take over a patient's rates, and forget every interval and all accounts.

    Parameters
    ----------
    flow_matrix : function (phase, r, A)
        Fills the rates of all compartments, 1/time.
    r : array
        Record values; call again whenever they change.
    memory : QuadratureMemory
    matrix : array of shape (n_compartments, n_compartments)
        Scratch.
    """
    layout, store = memory.layout, memory.store
    at, n = layout[BLOCK_RATES], layout[N_BLOCK]
    to, m = layout[RESPONSE_RATES], layout[N_RESPONSE]
    for phase in range(2):
        matrix[:, :] = 0.0
        flow_matrix(float(phase), r, matrix)
        for i in range(n):
            for j in range(n):
                store[at] = matrix[layout[layout[BLOCK] + i], layout[layout[BLOCK] + j]]
                at += 1
        for i in range(m):
            for j in range(m):
                store[to] = matrix[layout[layout[RESPONSE] + i], layout[layout[RESPONSE] + j]]
                to += 1
    layout[MAIN_USED], layout[READ_USED], layout[MAIN_NEXT], layout[READ_NEXT] = 0, 0, 0, 0
    layout[BUILT] = 0
    for k in range(4):
        memory.account[k] = 0.0


@kernel
def _step_ready(driven_panels: Any, r: Array, memory: QuadratureMemory, x: Array, u: Array, slot: int, x_then: Array) -> float:
    """`step_on_slot`, with what infusions need worked out before."""
    layout, store = memory.layout, memory.store
    if layout[layout[MESHES] + 2 * slot + 1] == 0 and any_infused(layout, u):
        fill_inputs(layout, store, slot)
    return step_on_slot(driven_panels, r, memory, x, u, slot, x_then)


@kernel
def _keep_totals(layout: Places, store: Numbers) -> None:
    for i in range(layout[N_RESPONSE]):
        store[layout[OTHER_TOTALS] + i] = store[layout[TOTALS] + i]


@kernel
def _difference(layout: Places, store: Numbers) -> float:
    """Largest difference of what two meshes drove into a compartment, relative to that, or to a thousandth of what the compartment holds."""
    n, worst = layout[N_RESPONSE], 0.0
    for i in range(n):
        total, other = store[layout[TOTALS] + i], store[layout[OTHER_TOTALS] + i]
        size = max(abs(total), 1e-3 * abs(store[layout[RESPONSE_AMOUNTS] + n + i]))
        relative = abs(total - other) / size if size > 0.0 else 0.0
        if not (relative <= worst):
            worst = relative
    return worst


@kernel
def _refined_step(driven_panels: Any, r: Array, memory: QuadratureMemory, x: Array, u: Array, slot: int, x_then: Array) -> float:
    """Step on a slot, its mesh refined until it is trusted, or there is no room; a mesh grown full starts again once.

    A mesh is trusted where its highest coefficients are within the tolerance, or where a finer one, taken in the same step, drives in the same
    amounts; then it is trusted for coefficients of that size, or up to four times that where the two agree much better than asked: the
    error goes with the square of coefficients or faster. So a mesh has been tested on a patient's worst step so far, or near it.
    """
    layout, store, tolerance = memory.layout, memory.store, memory.account[4]
    trust = layout[SLOTS] + slot * layout[SLOT_SIZE] + layout[TRUST]
    error, fresh = _step_ready(driven_panels, r, memory, x, u, slot, x_then), False
    while error > store[trust]:
        _keep_totals(layout, store)
        store[trust] = tolerance  # also of the copy: a step is taken over once, by the mesh that is good enough
        copy_slot(layout, store, slot, TEST_SLOT)
        if refine_slot(layout, store, TEST_SLOT, tolerance):
            finer = _step_ready(driven_panels, r, memory, x, u, TEST_SLOT, x_then)
            difference = _difference(layout, store)
            if error <= LARGEST_TRUST and difference <= TESTED_SHARE * tolerance:
                store[trust] = min(error * min(4.0, np.sqrt(TESTED_SHARE * tolerance / max(difference, 1e-300))), LARGEST_TRUST)
                store[trust - layout[TRUST] + layout[DIFFERENCE]] = difference
                take_over(layout, store, x_then)
                return difference
            copy_slot(layout, store, TEST_SLOT, slot)
            error = finer
        elif fresh:
            take_over(layout, store, x_then)
            break
        else:
            fresh = True
            restart_mesh(layout, store, slot)
            error = _step_ready(driven_panels, r, memory, x, u, slot, x_then)
    return error


@kernel
def _step_anew(
    driven_panels: Any, r: Array, memory: QuadratureMemory, x: Array, u: Array, since_h: float, length_h: float, phase: float
) -> float:
    """Step over an interval that is new, or on a mesh that is not trusted for it; keeps account of it."""
    layout, store, account = memory.layout, memory.store, memory.account
    slot = find_slot(layout, store, since_h, length_h, phase)
    if slot < 0:
        slot = new_slot(layout, store, since_h, length_h, phase, account[4])
    error = _refined_step(driven_panels, r, memory, x, u, slot, x)
    begin = layout[SLOTS] + slot * layout[SLOT_SIZE]
    if account[4] < error <= store[begin + layout[TRUST]]:
        error = store[begin + layout[DIFFERENCE]]
    if not (error <= account[0]):
        account[0] = error
    if not (error <= account[4]):
        account[1] += 1.0
    account[2] += 1.0
    account[3] = layout[BUILT]
    return error


@typed_kernel(_NUMBER(DRIVEN_PANELS_FUNCTION, _VECTOR, QUADRATURE_MEMORY, _VECTOR, _VECTOR, _NUMBER, _NUMBER, _NUMBER))
def advance_quadrature(
    driven_panels: Any, r: Array, memory: QuadratureMemory, x: Array, u: Array, since_h: float, length_h: float, phase: float
) -> float:
    """Move the state over an interval in which no dose arrives and nothing is switched.

    Parameters
    ----------
    driven_panels : function
        The model's, see `panel_code`.
    r : array
        Record values, those of `prepare_quadrature`.
    memory : QuadratureMemory
        `memory.account` holds the largest error so far, the steps that missed the tolerance, all steps, and panels worked out.
    x : array of shape (n_compartments,)
        State; moved in place, also where the tolerance was missed.
    u : array of shape (n_compartments,)
        Constant infusion rates, amount per time.
    since_h : float, >= 0
        Time since something last happened to the drug (arrival, end of an infusion, switch, change of rates); 0 right after it.
    length_h : float, >= 0
        Length of the interval, in the model's unit of time, as all times here.
    phase : float
        0 before, 1 after the switch of dual absorption.

    Returns
    -------
    float
        Estimated error of this step's drive, relative to it; above the tolerance where no mesh reached it, NaN where the drive is
        not a number.
    """
    if length_h <= 0.0:
        return 0.0
    error = step_as_before(driven_panels, r, memory, x, u, since_h, length_h, phase)
    if error > NOT_READY:
        return error
    return _step_anew(driven_panels, r, memory, x, u, since_h, length_h, phase)


@typed_kernel(_NUMBER(DRIVEN_PANELS_FUNCTION, _VECTOR, QUADRATURE_MEMORY, _VECTOR, _VECTOR, _NUMBER, _NUMBER, _NUMBER, _VECTOR))
def read_quadrature(
    driven_panels: Any,
    r: Array,
    memory: QuadratureMemory,
    x: Array,
    u: Array,
    since_h: float,
    length_h: float,
    phase: float,
    x_then: Array,
) -> float:
    """The state `length_h` later, without moving `x` or anything the main path remembers; see `advance_quadrature`.

    The answer depends on `x` and the interval alone, not on what was read before: it starts from the first mesh each time, and a finer mesh
    is forgotten.
    """
    for i in range(x.size):
        x_then[i] = x[i]
    if length_h <= 0.0:
        return 0.0
    layout, store, tolerance = memory.layout, memory.store, memory.account[4]
    slot = read_slot(layout, store, since_h, length_h, phase, tolerance)
    error = _step_ready(driven_panels, r, memory, x, u, slot, x_then)
    if error > tolerance:
        open_slot(layout, store, READ_SPARE, since_h, length_h, phase, tolerance)
        fill_mesh(layout, store, READ_SPARE)
        error = _refined_step(driven_panels, r, memory, x, u, READ_SPARE, x_then)
    return error
