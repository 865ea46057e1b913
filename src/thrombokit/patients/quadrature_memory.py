"""What the quadrature engine keeps between steps: a patient's rate matrices and the intervals it has met.

An interval is known by the time since something last happened to the drug, its length and the phase of absorption. For each one met, the
engine keeps a mesh, what carries the drug to every node of it (rows of e^{A s}), what weighs the drive at the node for the end
of the interval (columns of e^{B (h - s)}), and e^{A h}, e^{B h}: a repeating day is then a few hundred multiplications.

One memory serves all patients of a process, one after the other. Nearly everything lies in two long arrays, because a kernel that is
handed thirty arrays spends more time on handing than on the day itself; the constants below say what lies where.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numba
import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import IntArray
from thrombokit.numerics.graded_quadrature import MAX_PANELS, PANEL_NODES
from thrombokit.patients.compiled_model import CompiledModel
from thrombokit.patients.panel_code import N_EXTRA

STATED_ERROR = 1e-6
"""Relative error of every response compartment that the engine answers for."""
DEFAULT_TOLERANCE = 1e-6
"""Largest estimated error of one step's drive, relative to that drive."""
TESTED_SHARE = 0.3
"""A mesh tested against a finer one may differ from it by this share of the tolerance."""
LARGEST_TRUST = 1e-3
"""Coefficients of a mesh above this, relative to the drive, are never trusted: the mesh is refined untested."""
MAIN_SLOTS = 8
"""Different intervals kept for the main path."""
READ_SLOTS = 4
"""Different intervals kept for reading between; apart, so that reading never changes what the main path remembers."""
READ_SPARE = MAIN_SLOTS + READ_SLOTS
"""Where a reading refines, to be forgotten afterwards."""
TEST_SLOT = READ_SPARE + 1
"""Where the finer mesh stands that another is tested against."""
N_SLOTS = TEST_SLOT + 1

# Places in `layout`: sizes, counters, then where the lists below and the parts of `store` begin.
N_BLOCK, N_RESPONSE, N_READS, N_DRIVES = 0, 1, 2, 3
MAIN_USED, READ_USED, MAIN_NEXT, READ_NEXT, BUILT = 4, 5, 6, 7, 8
"""Slots in use, the next to give way, panels worked out."""
BLOCK, RESPONSE, READS, DRIVES, MESHES = 9, 10, 11, 12, 13
"""Lists in `layout` itself: compartments of the drug and of the response, rows read and driven, and for each slot its panels and whether it is
ready for infusions (0, 1)."""
BLOCK_RATES, RESPONSE_RATES, KEYS, BLOCK_AMOUNTS, RESPONSE_AMOUNTS, INFLOWS, TOTALS, OTHER_TOTALS, ERRORS, SIZES, PANEL_ERRORS = (
    range(14, 25)
)
"""Parts of `store`: A of both phases, B of both; since, length and phase of every slot; scratch: amounts before and after a step (drug, response),
constant inflows of the drug, what is driven in over the step, the same on another mesh; errors (panels, drives), sizes of the drives they
are relative to, and the largest relative error of each panel."""
SLOTS, SLOT_SIZE, EDGES, BLOCK_STEP, RESPONSE_STEP, INPUT_STEP, RESPONSE_INPUT, TRUST, DIFFERENCE = range(25, 34)
"""Where the slots begin in `store`, the size of one, and what lies where in it: panel ends; e^{A h}, e^{B h} and their integrals over time; the
size of coefficients up to which the mesh is trusted, and how much it differed from a finer one when it was tested."""
PANELS, ROWS, INPUT_ROWS, WEIGHTS, PANEL_SIZE = range(34, 39)
"""Where a slot's panels begin, and what lies where in one: rows of e^{A s} at the nodes (reads x n_block, nodes) and their integrals; node weights
times columns of e^{B (h - s)}, then what gives Legendre coefficients and the size they are relative to (drives, n_response + 3, nodes); and
the size of one."""
_N_PLACES = 39


Places: TypeAlias = Any
"""int64 array, 1-D. As `Numbers`, read element by element, where the stubs of numpy do not say that an element is a number."""
Numbers: TypeAlias = Any
"""float64 array, 1-D."""


class QuadratureMemory(NamedTuple):
    """The engine's memory; see `quadrature_memory`."""

    layout: Places
    """Sizes, counters, places."""
    store: Numbers
    """Numbers."""
    account: Numbers
    """Since the patient was prepared: largest error estimate of a step, steps that missed the tolerance, steps, panels worked out; then
    the tolerance itself."""


def quadrature_memory(
    block: IntArray, response: IntArray, reads: IntArray, drives: IntArray, tolerance: float = DEFAULT_TOLERANCE
) -> QuadratureMemory:
    """Memory for models of one shape.

    Parameters
    ----------
    block, response : int64 arrays of shape (n_block,) and (n_response,)
        Compartments of the drug, whose rates are constant, and compartments that answer linearly to a drive by the drug.
    reads : int64 array
        Positions within `block` that the drive depends on.
    drives : int64 array
        Positions within `response` whose drive is not always zero.
    tolerance : float, 1e-14 to 1e-2
        Largest estimated error of a step's drive, relative to that drive.

    Raises
    ------
    InputError
        Where there is no response compartment or no drug compartment, a position is outside its range, or the tolerance is not
        a small positive number; the message says which.
    """
    _check_shape(block, response, reads, drives, tolerance)
    lists = [np.asarray(places, np.int64) for places in (block, response, reads, drives)] + [np.zeros(2 * N_SLOTS, np.int64)]
    layout = np.concatenate([np.zeros(_N_PLACES, np.int64), *lists])
    layout[[N_BLOCK, N_RESPONSE, N_READS, N_DRIVES]] = [block.size, response.size, reads.size, drives.size]
    layout[[BLOCK, RESPONSE, READS, DRIVES, MESHES]] = _starts(_N_PLACES, [places.size for places in lists])[:-1]
    total = _place_parts(layout, block.size, response.size, reads.size, drives.size)
    account = np.array([0.0, 0.0, 0.0, 0.0, tolerance])
    return QuadratureMemory(layout=layout, store=np.zeros(total), account=account)


def quadrature_memory_of(compiled: CompiledModel, tolerance: float = DEFAULT_TOLERANCE) -> QuadratureMemory:
    """Memory for a compiled model whose `engine` is "quadrature"; InputError for any other."""
    return quadrature_memory(
        compiled.linear_block, compiled.linear_response, compiled.forcing_reads, compiled.forcing_drives, tolerance
    )  # fmt: skip


def _starts(first: int, sizes: list[int]) -> list[int]:
    """Where parts of these sizes begin, one after the other, and where the last one ends."""
    return [first, *(first + np.cumsum(sizes)).tolist()]


def _place_parts(layout: IntArray, n_block: int, n_response: int, n_reads: int, n_drives: int) -> int:
    """Write into `layout` where the parts of a slot and of the store begin; gives the size of the store."""
    rows, width = n_reads * n_block * PANEL_NODES, n_response + N_EXTRA
    *within_panel, panel_size = _starts(0, [rows, rows, n_drives * PANEL_NODES * width])
    layout[[ROWS, INPUT_ROWS, WEIGHTS]] = within_panel
    matrices = [n_block**2, n_response**2, n_block**2, n_response**2]
    *within, slot_size = _starts(0, [MAX_PANELS + 1, *matrices, 1, 1, MAX_PANELS * panel_size])
    layout[[EDGES, BLOCK_STEP, RESPONSE_STEP, INPUT_STEP, RESPONSE_INPUT, TRUST, DIFFERENCE, PANELS]] = within
    layout[[PANEL_SIZE, SLOT_SIZE]] = [panel_size, slot_size]
    scratch = [2 * n_block, 2 * n_response, n_block, n_response, n_response, MAX_PANELS * n_drives, n_drives, MAX_PANELS]
    *begin, total = _starts(0, [2 * n_block**2, 2 * n_response**2, 3 * N_SLOTS, *scratch, N_SLOTS * slot_size])
    layout[[BLOCK_RATES, RESPONSE_RATES, KEYS, BLOCK_AMOUNTS, RESPONSE_AMOUNTS, INFLOWS]] = begin[:6]
    layout[[TOTALS, OTHER_TOTALS, ERRORS, SIZES, PANEL_ERRORS, SLOTS]] = begin[6:]
    return total


def _check_shape(block: IntArray, response: IntArray, reads: IntArray, drives: IntArray, tolerance: float) -> None:
    """Raise all that is wrong with a model's shape, in one pass."""
    faults: list[Fault] = []
    for name, places, where in (("block", block, "the drug"), ("response", response, "the response")):
        if places.size == 0:
            faults.append(_shape_fault(name, "no compartment", f"one compartment of {where} or more"))
    for name, places, size in (("reads", reads, block.size), ("drives", drives, response.size)):
        outside = [int(place) for place in places if not 0 <= place < size]
        if outside:
            faults.append(_shape_fault(name, f"{outside}", f"positions from 0 to {size - 1}"))
    if not 1e-14 <= tolerance <= 1e-2:
        faults.append(_shape_fault("tolerance", f"{tolerance!r}", "a number from 1e-14 to 1e-2"))
    if faults:
        raise InputError(faults)


def _shape_fault(name: str, found: str, expected: str) -> Fault:
    cure = "Leave it out for the default, 1e-6." if name == "tolerance" else "Take another engine for a model without such a part."
    return Fault(place=f"quadrature engine, {name}", found=found, expected=expected, cure=cure)


_ONE = np.zeros(1, np.int64)
QUADRATURE_MEMORY = numba.typeof(quadrature_memory(_ONE, _ONE, _ONE, _ONE))
"""numba type of a `QuadratureMemory`, for explicit signatures of kernels."""
