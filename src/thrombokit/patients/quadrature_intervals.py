"""The intervals the quadrature engine has met: found again, opened, refined.

Every number here depends on the rate matrices and on what the steps since `prepare_quadrature` needed, never on what was read between.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.exponential_action import act_exponential
from thrombokit.numerics.graded_quadrature import MAX_PANELS, N_COEFFICIENTS, PANEL_NODES, cut_panels, place_nodes
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.matrix_exponential import exponential, exponential_and_integral
from thrombokit.patients.quadrature_memory import (
    BLOCK_RATES,
    BLOCK_STEP,
    BUILT,
    DIFFERENCE,
    DRIVES,
    EDGES,
    INPUT_ROWS,
    INPUT_STEP,
    KEYS,
    MAIN_NEXT,
    MAIN_SLOTS,
    MAIN_USED,
    MESHES,
    N_BLOCK,
    N_DRIVES,
    N_READS,
    N_RESPONSE,
    PANEL_ERRORS,
    PANEL_SIZE,
    PANELS,
    READ_NEXT,
    READ_SLOTS,
    READ_USED,
    READS,
    RESPONSE_INPUT,
    RESPONSE_RATES,
    RESPONSE_STEP,
    ROWS,
    SLOT_SIZE,
    SLOTS,
    TRUST,
    WEIGHTS,
    Numbers,
    Places,
)

SAME_INTERVAL = 1e-9
"""Two times that differ by less, relative to the interval, are the same interval on the main path (24 h is never quite 24 h in floats)."""


@kernel
def find_slot(layout: Places, store: Numbers, since_h: float, length_h: float, phase: float) -> int:
    """Slot of an interval on the main path; -1 where it is new."""
    key, allowed = layout[KEYS], SAME_INTERVAL * length_h
    for slot in range(layout[MAIN_USED]):
        near = abs(store[key + 1] - length_h) <= allowed and abs(store[key] - since_h) <= allowed
        if near and store[key + 2] == phase:
            return slot
        key += 3
    return -1


@kernel
def new_slot(layout: Places, store: Numbers, since_h: float, length_h: float, phase: float, tolerance: float) -> int:
    """A slot of the main path for a new interval; the oldest gives way where all are taken.

    It starts with the mesh that another interval has come to, and its trust, where both start at what happened and are of like length.
    """
    if layout[MAIN_USED] < MAIN_SLOTS:
        slot = layout[MAIN_USED]
        layout[MAIN_USED] += 1
    else:
        slot = layout[MAIN_NEXT]
        layout[MAIN_NEXT] = (slot + 1) % MAIN_SLOTS
    model = -1
    for other in range(layout[MAIN_USED]):
        key = layout[KEYS] + 3 * other
        alike = 0.5 * length_h <= store[key + 1] <= 2.0 * length_h and store[key + 2] == phase
        if other != slot and alike and since_h == 0.0 and store[key] == 0.0:
            model = other
    alike = _slot_as_long(layout, store, slot, length_h, phase)
    if alike < 0:
        open_slot(layout, store, slot, since_h, length_h, phase, tolerance)
    else:
        _open_as(layout, store, slot, since_h, alike, tolerance)
    if model >= 0:
        _copy_mesh(layout, store, model, slot)
    fill_mesh(layout, store, slot)
    return slot


@kernel
def read_slot(layout: Places, store: Numbers, since_h: float, length_h: float, phase: float, tolerance: float) -> int:
    """Slot of exactly this interval among those for reading, with its first mesh."""
    for slot in range(MAIN_SLOTS, MAIN_SLOTS + layout[READ_USED]):
        key = layout[KEYS] + 3 * slot
        if store[key + 1] == length_h and store[key] == since_h and store[key + 2] == phase:
            return slot
    if layout[READ_USED] < READ_SLOTS:
        slot = MAIN_SLOTS + layout[READ_USED]
        layout[READ_USED] += 1
    else:
        slot = MAIN_SLOTS + layout[READ_NEXT]
        layout[READ_NEXT] = (layout[READ_NEXT] + 1) % READ_SLOTS
    open_slot(layout, store, slot, since_h, length_h, phase, tolerance)
    fill_mesh(layout, store, slot)
    return slot


@kernel
def matrix_at(store: Numbers, begin: int, rows: int, columns: int) -> Array:
    """The matrix that begins there, as a view."""
    return store[begin : begin + rows * columns].reshape(rows, columns)


@kernel
def _rates(layout: Places, store: Numbers, part: int, n: int, phase: float) -> Array:
    """A or B of a phase, as a view."""
    return matrix_at(store, layout[part] + (0 if phase == 0.0 else n * n), n, n)


@kernel
def open_slot(layout: Places, store: Numbers, slot: int, since_h: float, length_h: float, phase: float, tolerance: float) -> None:
    """Give a slot to an interval, with one panel; what its nodes need is left to `fill_mesh` or `refine_slot`."""
    n_block, n_response = layout[N_BLOCK], layout[N_RESPONSE]
    key, begin = layout[KEYS] + 3 * slot, layout[SLOTS] + slot * layout[SLOT_SIZE]
    store[key], store[key + 1], store[key + 2] = since_h, length_h, phase
    step = matrix_at(store, begin + layout[BLOCK_STEP], n_block, n_block)
    exponential(_rates(layout, store, BLOCK_RATES, n_block, phase), length_h, step)
    step = matrix_at(store, begin + layout[RESPONSE_STEP], n_response, n_response)
    exponential(_rates(layout, store, RESPONSE_RATES, n_response, phase), length_h, step)
    store[begin + layout[TRUST]] = tolerance
    _one_panel(layout, store, slot)


@kernel
def _slot_as_long(layout: Places, store: Numbers, slot: int, length_h: float, phase: float) -> int:
    """Another slot of the main path whose interval is as long; -1 where there is none."""
    for other in range(layout[MAIN_USED]):
        key = layout[KEYS] + 3 * other
        if other != slot and abs(store[key + 1] - length_h) <= SAME_INTERVAL * length_h and store[key + 2] == phase:
            return other
    return -1


@kernel
def _open_as(layout: Places, store: Numbers, slot: int, since_h: float, other: int, tolerance: float) -> None:
    """`open_slot` for an interval as long as another slot's, whose e^{A h} and e^{B h} serve here too."""
    key, like = layout[KEYS] + 3 * slot, layout[KEYS] + 3 * other
    store[key], store[key + 1], store[key + 2] = since_h, store[like + 1], store[like + 2]
    begin, model = layout[SLOTS] + slot * layout[SLOT_SIZE], layout[SLOTS] + other * layout[SLOT_SIZE]
    for k in range(layout[BLOCK_STEP], layout[RESPONSE_STEP] + layout[N_RESPONSE] ** 2):
        store[begin + k] = store[model + k]
    store[begin + layout[TRUST]] = tolerance
    _one_panel(layout, store, slot)


@kernel
def _one_panel(layout: Places, store: Numbers, slot: int) -> None:
    key, edges = layout[KEYS] + 3 * slot, layout[SLOTS] + slot * layout[SLOT_SIZE] + layout[EDGES]
    layout[layout[MESHES] + 2 * slot] = 1
    store[edges] = np.sqrt(store[key])
    store[edges + 1] = np.sqrt(store[key] + store[key + 1])


@kernel
def _copy_mesh(layout: Places, store: Numbers, model: int, slot: int) -> None:
    """Panels of `slot` as those of `model`, to scale, and trusted as those are."""
    begin, other = layout[SLOTS] + slot * layout[SLOT_SIZE], layout[SLOTS] + model * layout[SLOT_SIZE]
    edges, others, n_panels = begin + layout[EDGES], other + layout[EDGES], layout[layout[MESHES] + 2 * model]
    scale = store[edges + 1] / store[others + n_panels]
    for panel in range(n_panels + 1):
        store[edges + panel] = store[others + panel] * scale
    layout[layout[MESHES] + 2 * slot] = n_panels
    store[begin + layout[TRUST]] = store[other + layout[TRUST]]
    store[begin + layout[DIFFERENCE]] = store[other + layout[DIFFERENCE]]


@kernel
def copy_slot(layout: Places, store: Numbers, slot: int, target: int) -> None:
    """Copy all of a slot but what infusions need."""
    n_panels = layout[layout[MESHES] + 2 * slot]
    layout[layout[MESHES] + 2 * target], layout[layout[MESHES] + 2 * target + 1] = n_panels, 0
    for k in range(3):
        store[layout[KEYS] + 3 * target + k] = store[layout[KEYS] + 3 * slot + k]
    begin, other = layout[SLOTS] + slot * layout[SLOT_SIZE], layout[SLOTS] + target * layout[SLOT_SIZE]
    for k in range(layout[PANELS] + n_panels * layout[PANEL_SIZE]):
        store[other + k] = store[begin + k]


@kernel
def restart_mesh(layout: Places, store: Numbers, slot: int) -> None:
    """Go back to one panel."""
    _one_panel(layout, store, slot)
    fill_mesh(layout, store, slot)


@kernel
def fill_mesh(layout: Places, store: Numbers, slot: int) -> None:
    """Work out every panel of a slot."""
    for panel in range(layout[layout[MESHES] + 2 * slot]):
        _fill_panel(layout, store, slot, panel)


@kernel
def refine_slot(layout: Places, store: Numbers, slot: int, tolerance: float) -> bool:
    """Cut panels of a slot by their errors in the last step, and work out the new ones; False where there is no room."""
    mesh, begin = layout[MESHES] + 2 * slot, layout[SLOTS] + slot * layout[SLOT_SIZE]
    edges = store[begin + layout[EDGES] : begin + layout[EDGES] + MAX_PANELS + 1]
    errors = store[layout[PANEL_ERRORS] : layout[PANEL_ERRORS] + MAX_PANELS]
    origins = np.empty(MAX_PANELS, np.int64)
    n_panels = cut_panels(edges, layout[mesh], errors, tolerance, origins)
    if n_panels == 0:
        return False
    layout[mesh] = n_panels
    size, panels = layout[PANEL_SIZE], begin + layout[PANELS]
    for panel in range(n_panels - 1, -1, -1):
        if origins[panel] >= 0 and origins[panel] != panel:
            source, target = panels + origins[panel] * size, panels + panel * size
            for k in range(size):
                store[target + k] = store[source + k]
    for panel in range(n_panels):
        if origins[panel] < 0:
            _fill_panel(layout, store, slot, panel)
    layout[mesh + 1] = 0
    return True


@kernel
def _place_panel(layout: Places, store: Numbers, slot: int, panel: int, times: Array, weights: Array, coefficients: Array) -> None:
    edge = layout[SLOTS] + slot * layout[SLOT_SIZE] + layout[EDGES] + panel
    place_nodes(store[layout[KEYS] + 3 * slot], store[edge], store[edge + 1], times, weights, coefficients)


@kernel
def _fill_panel(layout: Places, store: Numbers, slot: int, panel: int) -> None:
    """Work out what a panel needs: rows of e^{A s} and weighted columns of e^{B (h - s)} at its nodes."""
    times, weights, coefficients = np.empty(PANEL_NODES), np.empty(PANEL_NODES), np.empty((PANEL_NODES, N_COEFFICIENTS))
    _place_panel(layout, store, slot, panel, times, weights, coefficients)
    begin = layout[SLOTS] + slot * layout[SLOT_SIZE] + layout[PANELS] + panel * layout[PANEL_SIZE]
    length_h, phase = store[layout[KEYS] + 3 * slot + 1], store[layout[KEYS] + 3 * slot + 2]
    rates = _rates(layout, store, BLOCK_RATES, layout[N_BLOCK], phase)
    _fill_rows(layout, store, begin + layout[ROWS], rates.T.copy(), times)
    response_rates = _rates(layout, store, RESPONSE_RATES, layout[N_RESPONSE], phase)
    _fill_weights(layout, store, begin, response_rates, length_h, times, weights, coefficients)
    layout[layout[MESHES] + 2 * slot + 1] = 0
    layout[BUILT] += 1


@kernel
def _fill_rows(layout: Places, store: Numbers, place: int, turned: Array, times: Array) -> None:
    """Rows of e^{A s} that the drive depends on: each is e^{A' s} applied to a unit vector, A' (`turned`) being A transposed.

    With twice the compartments, `turned` is [[A', 0], [I, 0]], and the lower half of what it gives are the integrals of those rows.
    """
    n_block, size = layout[N_BLOCK], turned.shape[0]
    unit, moved = np.zeros(size), np.empty((size, PANEL_NODES))
    for k in range(layout[N_READS]):
        unit[:] = 0.0
        unit[layout[layout[READS] + k]] = 1.0
        act_exponential(turned, unit, times, moved)
        for i in range(size - n_block, size):
            for j in range(PANEL_NODES):
                store[place + j] = moved[i, j]
            place += PANEL_NODES


@kernel
def _fill_weights(
    layout: Places, store: Numbers, panel: int, rates: Array, length_h: float, times: Array, weights: Array, coefficients: Array
) -> None:
    """Columns of e^{B (h - s)} times node weights, and what gives the error.

    The error is that of (1 + e^{-b (h - s)}) g / 2, b being the fastest loss of the response: the slow compartments sum up g itself, the
    fastest one mostly what it did last.
    """
    n_response, last = layout[N_RESPONSE], PANEL_NODES - 1
    left, unit, moved, sizes = (
        np.empty(PANEL_NODES),
        np.zeros(n_response),
        np.empty((n_response, PANEL_NODES)),
        np.empty(PANEL_NODES),
    )
    fastest = 0.0
    for i in range(n_response):
        fastest = max(fastest, -rates[i, i])
    for j in range(PANEL_NODES):
        left[j] = max(length_h - times[last - j], 0.0)
        recent = 0.5 * (1.0 + np.exp(-fastest * left[j]))
        sizes[last - j] = recent * weights[last - j]
        for q in range(N_COEFFICIENTS):
            coefficients[last - j, q] *= recent
    place = panel + layout[WEIGHTS]
    for k in range(layout[N_DRIVES]):
        unit[:] = 0.0
        unit[layout[layout[DRIVES] + k]] = 1.0
        act_exponential(rates, unit, left, moved)
        for i in range(n_response):
            for j in range(PANEL_NODES):
                store[place + j] = weights[j] * moved[i, last - j]
            place += PANEL_NODES
        for q in range(N_COEFFICIENTS):
            for j in range(PANEL_NODES):
                store[place + j] = coefficients[j, q]
            place += PANEL_NODES
        for j in range(PANEL_NODES):
            store[place + j] = sizes[j]
        place += PANEL_NODES


@kernel
def fill_inputs(layout: Places, store: Numbers, slot: int) -> None:
    """Work out what constant infusions need: integrals of the rows of e^{A s} up to the nodes, of e^{A s} and e^{B s} over the interval."""
    n_block, n_response, phase = layout[N_BLOCK], layout[N_RESPONSE], store[layout[KEYS] + 3 * slot + 2]
    begin, length_h = layout[SLOTS] + slot * layout[SLOT_SIZE], store[layout[KEYS] + 3 * slot + 1]
    times, weights, coefficients = np.empty(PANEL_NODES), np.empty(PANEL_NODES), np.empty((PANEL_NODES, N_COEFFICIENTS))
    rates = _rates(layout, store, BLOCK_RATES, n_block, phase)
    joined = np.zeros((2 * n_block, 2 * n_block))
    for i in range(n_block):
        joined[n_block + i, i] = 1.0
        for j in range(n_block):
            joined[i, j] = rates[j, i]
    for panel in range(layout[layout[MESHES] + 2 * slot]):
        _place_panel(layout, store, slot, panel, times, weights, coefficients)
        _fill_rows(layout, store, begin + layout[PANELS] + panel * layout[PANEL_SIZE] + layout[INPUT_ROWS], joined, times)
    _integrate(rates, length_h, matrix_at(store, begin + layout[INPUT_STEP], n_block, n_block))
    response_rates = _rates(layout, store, RESPONSE_RATES, n_response, phase)
    _integrate(response_rates, length_h, matrix_at(store, begin + layout[RESPONSE_INPUT], n_response, n_response))
    layout[layout[MESHES] + 2 * slot + 1] = 1


@kernel
def _integrate(rates: Array, length_h: float, out: Array) -> None:
    exponential_and_integral(rates, length_h, np.empty(out.shape), out)
