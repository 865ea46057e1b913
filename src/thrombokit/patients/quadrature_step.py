"""One step of the quadrature engine on a mesh that is worked out: the sums of a dose day, in their shortest form.

Places in `store` are unsigned here (`np.uint64`): numba must ask of a signed index whether it counts from the end, and with that question in
the innermost loop there are no vector instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.graded_quadrature import N_COEFFICIENTS, PANEL_NODES
from thrombokit.numerics.jit import borrowing_kernel, inlined, kernel
from thrombokit.patients.quadrature_intervals import find_slot
from thrombokit.patients.quadrature_memory import (
    BLOCK,
    BLOCK_AMOUNTS,
    BLOCK_STEP,
    DIFFERENCE,
    DRIVES,
    ERRORS,
    INPUT_ROWS,
    INPUT_STEP,
    MESHES,
    N_BLOCK,
    N_DRIVES,
    N_EXTRA,
    N_READS,
    N_RESPONSE,
    PANEL_ERRORS,
    PANEL_SIZE,
    PANELS,
    QUADRATURE_MEMORY,
    READS,
    RESPONSE,
    RESPONSE_AMOUNTS,
    RESPONSE_INPUT,
    RESPONSE_STEP,
    ROWS,
    SIZES,
    SLOT_SIZE,
    SLOTS,
    SUMS,
    TOTALS,
    TRUST,
    WEIGHTS,
    Numbers,
    Places,
    QuadratureMemory,
)
from thrombokit.patients.signatures import FORCING_FUNCTION

_NUMBER: Any = types.float64
_VECTOR: Any = types.float64[::1]
_MATRIX: Any = types.float64[:, ::1]
NOT_READY = -1.0
"""In the place of an error: something has to be worked out before the step."""
_TWO: Any = np.uint64(2)
_THREE: Any = np.uint64(3)
_FOUR: Any = np.uint64(4)
_NODES: Any = np.uint64(PANEL_NODES)
_unsigned: Any = np.uint64


@inlined
def _add_row(store: Numbers, source: int, factor: float, nodes: Array, target: int) -> None:
    """nodes[target] += factor times the row of a panel that begins at `source`."""
    for j in range(_NODES):
        nodes[target, j] += factor * store[source + j]


@inlined
def _sum_panel(store: Numbers, weight: int, drive: Array, driven: int, sums: int, width: int) -> None:
    """Weights of a panel's nodes times the drive there, summed; four nodes at a time."""
    for j in range(0, PANEL_NODES, 4):
        g0, g1, g2, g3 = drive[driven, j], drive[driven, j + 1], drive[driven, j + 2], drive[driven, j + 3]
        second, third, fourth = weight + width, weight + _TWO * width, weight + _THREE * width
        if j == 0:
            for i in range(width):
                store[sums + i] = (store[weight + i] * g0 + store[second + i] * g1) + (
                    store[third + i] * g2 + store[fourth + i] * g3
                )
        else:
            for i in range(width):
                store[sums + i] += (store[weight + i] * g0 + store[second + i] * g1) + (
                    store[third + i] * g2 + store[fourth + i] * g3
                )
        weight += _FOUR * width


@inlined
def _fill_nodes(layout: Places, store: Numbers, panel: int, u: Numbers, infused: bool, nodes: Array) -> None:
    """Amounts of the drug at the nodes of a panel, where the drive reads them; other rows stay 0."""
    n_block, n_reads, reads, block, amounts = layout[N_BLOCK], layout[N_READS], layout[READS], layout[BLOCK], layout[BLOCK_AMOUNTS]
    row, input_row = panel + layout[ROWS], panel + layout[INPUT_ROWS]
    for k in range(n_reads):
        target = layout[reads + k]
        amount, first = store[amounts], _unsigned(row)
        for j in range(_NODES):
            nodes[target, j] = amount * store[first + j]
        for i in range(1, n_block):
            _add_row(store, _unsigned(row + i * PANEL_NODES), store[amounts + i], nodes, target)
        row += n_block * PANEL_NODES
        if infused:
            for i in range(n_block):
                _add_row(store, _unsigned(input_row + i * PANEL_NODES), u[layout[block + i]], nodes, target)
            input_row += n_block * PANEL_NODES


@inlined
def _sum_drives(layout: Places, store: Numbers, panel: int, errors: int, drive: Array) -> None:
    """Add a panel's share of the integral to the totals; note its error and size in every driven row."""
    n_response, sums, totals, sizes = layout[N_RESPONSE], layout[SUMS], layout[TOTALS], layout[SIZES]
    n_drives, drives, weight = layout[N_DRIVES], layout[DRIVES], panel + layout[WEIGHTS]
    width, tail = n_response + N_EXTRA, sums + n_response
    for k in range(n_drives):
        _sum_panel(store, _unsigned(weight), drive, layout[drives + k], _unsigned(sums), _unsigned(width))
        for i in range(n_response):
            store[totals + i] += store[sums + i]
        store[errors + k] = max(abs(store[tail]), abs(store[tail + 1]))
        store[sizes + k] += abs(store[tail + N_COEFFICIENTS])
        weight += PANEL_NODES * width


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
def _gather(layout: Places, store: Numbers, x: Array) -> None:
    """Take the amounts before a step from the state."""
    n_block, n_response, block, response = layout[N_BLOCK], layout[N_RESPONSE], layout[BLOCK], layout[RESPONSE]
    amounts, others = layout[BLOCK_AMOUNTS], layout[RESPONSE_AMOUNTS]
    for i in range(n_block):
        store[amounts + i] = x[layout[block + i]]
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


@borrowing_kernel(_NUMBER(FORCING_FUNCTION, _VECTOR, QUADRATURE_MEMORY, _VECTOR, _VECTOR, types.int64, _VECTOR))
def step_on_slot(forcing: Any, r: Array, memory: QuadratureMemory, x: Array, u: Array, slot: int, x_then: Array) -> float:
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
    _gather(layout, store, x)
    _carry(store, begin + layout[RESPONSE_STEP], layout[RESPONSE_AMOUNTS], n_response)
    _carry(store, begin + layout[BLOCK_STEP], layout[BLOCK_AMOUNTS], n_block)
    if infused:
        _infuse(layout, store, begin + layout[INPUT_STEP], layout[BLOCK_AMOUNTS], layout[BLOCK], n_block, u)
        _infuse(layout, store, begin + layout[RESPONSE_INPUT], layout[RESPONSE_AMOUNTS], layout[RESPONSE], n_response, u)
    for k in range(layout[N_DRIVES]):
        store[layout[SIZES] + k] = 0.0
    for i in range(layout[TOTALS], layout[TOTALS] + n_response):
        store[i] = 0.0
    place, errors = begin + layout[PANELS], layout[ERRORS]
    for _ in range(n_panels):
        _fill_nodes(layout, store, place, u, infused, memory.nodes)
        forcing(memory.nodes, r, memory.drive)
        _sum_drives(layout, store, place, errors, memory.drive)
        place += layout[PANEL_SIZE]
        errors += layout[N_DRIVES]
    for i in range(n_response):
        store[layout[RESPONSE_AMOUNTS] + n_response + i] += store[layout[TOTALS] + i]
    error = _worst_error(layout, store, n_panels)
    if not (error > store[begin + layout[TRUST]]):
        take_over(layout, store, x_then)
    return error


@borrowing_kernel(_NUMBER(FORCING_FUNCTION, _VECTOR, QUADRATURE_MEMORY, _VECTOR, _VECTOR, _NUMBER, _NUMBER, _NUMBER))
def step_as_before(
    forcing: Any, r: Array, memory: QuadratureMemory, x: Array, u: Array, since_h: float, length_h: float, phase: float
) -> float:
    """Step over an interval that was met before, and keep account of it; see `step_on_slot`.

    `NOT_READY`, and `x` as it was, where the interval is new, or its mesh is not trusted for this step.
    """
    layout, store, account = memory.layout, memory.store, memory.account
    slot = find_slot(layout, store, since_h, length_h, phase)
    if slot < 0:
        return NOT_READY
    error, begin = step_on_slot(forcing, r, memory, x, u, slot, x), layout[SLOTS] + slot * layout[SLOT_SIZE]
    if not (error <= store[begin + layout[TRUST]]):
        return NOT_READY
    if error > account[4]:
        error = store[begin + layout[DIFFERENCE]]
    account[0] = max(account[0], error)
    account[2] += 1.0
    return error
