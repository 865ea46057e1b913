"""One step of the quadrature engine on a mesh that is worked out; what is summed over the nodes is the model's own code (`panel_code`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import folded_kernel, inlined, kernel
from thrombokit.patients.quadrature_intervals import find_slot
from thrombokit.patients.quadrature_memory import (
    BLOCK,
    BLOCK_AMOUNTS,
    BLOCK_STEP,
    DIFFERENCE,
    ERRORS,
    INFLOWS,
    INPUT_ROWS,
    INPUT_STEP,
    MESHES,
    N_BLOCK,
    N_DRIVES,
    N_RESPONSE,
    PANEL_ERRORS,
    PANEL_SIZE,
    PANELS,
    QUADRATURE_MEMORY,
    RESPONSE,
    RESPONSE_AMOUNTS,
    RESPONSE_INPUT,
    RESPONSE_STEP,
    ROWS,
    SIZES,
    SLOT_SIZE,
    SLOTS,
    TOTALS,
    TRUST,
    WEIGHTS,
    Numbers,
    Places,
    QuadratureMemory,
)
from thrombokit.patients.signatures import DRIVEN_PANELS_FUNCTION

_NUMBER: Any = types.float64
_VECTOR: Any = types.float64[::1]
_MATRIX: Any = types.float64[:, ::1]
NOT_READY = -1.0
"""In the place of an error: something has to be worked out before the step."""
_place: Any = np.uint64


@inlined
def _carry(store: Numbers, matrix: int, amounts: int, n: int) -> None:
    """Amounts after the step = matrix times amounts before it."""
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += store[matrix + j] * store[amounts + j]
        store[amounts + n + i] = total
        matrix += n


@kernel
def _infuse(layout: Places, store: Numbers, matrix: int, amounts: int, places: int, n: int, u: Array) -> None:
    """Add what is infused over the step to the amounts after it."""
    for i in range(n):
        for j in range(n):
            store[amounts + n + i] += store[matrix + j] * u[layout[places + j]]
        matrix += n


@inlined
def any_infused(layout: Places, u: Array) -> bool:
    """Whether a constant infusion runs into any compartment of the drug or of the response."""
    found = False
    for k in range(layout[BLOCK], layout[RESPONSE] + layout[N_RESPONSE]):
        found = found or u[layout[k]] != 0.0
    return found


@inlined
def _worst_error(layout: Places, store: Numbers, n_panels: int) -> float:
    """Largest error of a panel relative to the whole drive of its row; noted for each panel."""
    n_drives, sizes, worst, place = layout[N_DRIVES], layout[SIZES], 0.0, layout[ERRORS]
    for panel in range(n_panels):
        largest = 0.0
        for k in range(n_drives):
            size = store[sizes + k]
            relative = store[place] / size if size > 0.0 else store[place]
            place += 1
            if not (relative <= largest):
                largest = relative
        store[layout[PANEL_ERRORS] + panel] = largest
        if not (largest <= worst):
            worst = largest
    return worst


@inlined
def _gather(layout: Places, store: Numbers, x: Array, u: Array) -> None:
    """Take the amounts before a step from the state, and the inflows of the drug."""
    n_block, n_response, block, response = layout[N_BLOCK], layout[N_RESPONSE], layout[BLOCK], layout[RESPONSE]
    amounts, others, inflows = layout[BLOCK_AMOUNTS], layout[RESPONSE_AMOUNTS], layout[INFLOWS]
    for i in range(n_block):
        store[amounts + i] = x[layout[block + i]]
        store[inflows + i] = u[layout[block + i]]
    for i in range(n_response):
        store[others + i] = x[layout[response + i]]


@inlined
def take_over(layout: Places, store: Numbers, x: Array) -> None:
    """Put the amounts after a step into the state."""
    n_block, n_response, block, response = layout[N_BLOCK], layout[N_RESPONSE], layout[BLOCK], layout[RESPONSE]
    amounts, others = layout[BLOCK_AMOUNTS] + n_block, layout[RESPONSE_AMOUNTS] + n_response
    for i in range(n_block):
        x[layout[block + i]] = store[amounts + i]
    for i in range(n_response):
        x[layout[response + i]] = store[others + i]


@folded_kernel(_NUMBER(DRIVEN_PANELS_FUNCTION, _VECTOR, QUADRATURE_MEMORY, _VECTOR, _VECTOR, types.int64, _VECTOR))
def step_on_slot(driven_panels: Any, r: Array, memory: QuadratureMemory, x: Array, u: Array, slot: int, x_then: Array) -> float:
    """Step from `x` to `x_then` (may be the same array) on the mesh of a slot, all of it worked out before.

    Returns
    -------
    float
        Highest coefficients of the worst panel, relative to the whole drive of its row; where they are above what the mesh is trusted for,
        `x_then` is left as it was. `NOT_READY`, with nothing done, where an infusion runs and its integrals have yet to be worked out.
    """
    layout, store = memory.layout, memory.store
    n_block, n_response, n_panels = layout[N_BLOCK], layout[N_RESPONSE], layout[layout[MESHES] + 2 * slot]
    begin, infused = layout[SLOTS] + slot * layout[SLOT_SIZE], any_infused(layout, u)
    if infused and layout[layout[MESHES] + 2 * slot + 1] == 0:
        return NOT_READY
    _gather(layout, store, x, u)
    panels, totals = begin + layout[PANELS], layout[TOTALS]
    driven_panels(
        store, r, _place(layout[BLOCK_AMOUNTS]), _place(layout[INFLOWS]), _place(panels + layout[ROWS]), _place(panels + layout[INPUT_ROWS]),
        _place(panels + layout[WEIGHTS]), _place(layout[PANEL_SIZE]), n_panels, _place(totals), _place(layout[ERRORS]), _place(layout[SIZES]),
    )  # fmt: skip
    error = _worst_error(layout, store, n_panels)
    _carry(store, begin + layout[RESPONSE_STEP], layout[RESPONSE_AMOUNTS], n_response)
    _carry(store, begin + layout[BLOCK_STEP], layout[BLOCK_AMOUNTS], n_block)
    if infused:
        _infuse(layout, store, begin + layout[INPUT_STEP], layout[BLOCK_AMOUNTS], layout[BLOCK], n_block, u)
        _infuse(layout, store, begin + layout[RESPONSE_INPUT], layout[RESPONSE_AMOUNTS], layout[RESPONSE], n_response, u)
    for i in range(n_response):
        store[layout[RESPONSE_AMOUNTS] + n_response + i] += store[totals + i]
    if not (error > store[begin + layout[TRUST]]):
        take_over(layout, store, x_then)
    return error


@folded_kernel(_NUMBER(DRIVEN_PANELS_FUNCTION, _VECTOR, QUADRATURE_MEMORY, _VECTOR, _VECTOR, _NUMBER, _NUMBER, _NUMBER))
def step_as_before(
    driven_panels: Any, r: Array, memory: QuadratureMemory, x: Array, u: Array, since_h: float, length_h: float, phase: float
) -> float:
    """Step over an interval that was met before, and keep account of it; see `step_on_slot`.

    `NOT_READY`, and `x` as it was, where the interval is new, or its mesh is not trusted for this step.
    """
    layout, store, account = memory.layout, memory.store, memory.account
    slot = find_slot(layout, store, since_h, length_h, phase)
    if slot < 0:
        return NOT_READY
    error, begin = step_on_slot(driven_panels, r, memory, x, u, slot, x), layout[SLOTS] + slot * layout[SLOT_SIZE]
    if not (error <= store[begin + layout[TRUST]]):
        return NOT_READY
    if error > account[4]:
        error = store[begin + layout[DIFFERENCE]]
    account[0] = max(account[0], error)
    account[2] += 1.0
    return error
