"""What daily doses do in each virtual patient for a gain of 1, by the shipped model itself: computed once, used by every draw.

The gain (slope x transfer x the patient's own factor) multiplies the drug's part of production, and the chain of precursors is linear: what the
drug adds to the inflow of platelets and to their count is the gain times what is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from thrombokit.errors import Fault, SimulationError
from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.jit import typed_kernel
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.model import PatientModel
from thrombokit.patients.quadrature_engine import advance_quadrature, prepare_quadrature
from thrombokit.patients.quadrature_memory import QUADRATURE_MEMORY, QuadratureMemory, quadrature_memory
from thrombokit.patients.signatures import DRIVEN_PANELS_FUNCTION, FLOW_MATRIX_FUNCTION

DAY_H = 24.0
_NUMBER: Any = numba.types.float64
_VECTOR: Any = numba.types.float64[::1]
_MATRIX: Any = numba.types.float64[:, ::1]


@dataclass(frozen=True, kw_only=True, eq=False)
class DailyResponse(FrozenArrays):
    """For a gain of 1, at 0, 1, 2, ... days: `counts` added (m, n_days + 1), 1e9/L; `inflow` added (m, n_days + 1), 1e9/L/h."""

    counts: Array
    inflow: Array


@typed_kernel(
    numba.types.void(
        DRIVEN_PANELS_FUNCTION,
        FLOW_MATRIX_FUNCTION,
        _VECTOR,
        QUADRATURE_MEMORY,
        _MATRIX,
        _VECTOR,
        _VECTOR,
        numba.types.int64,
        _VECTOR,
        _MATRIX,
    )
)
def _dose_daily(
    driven_panels: Any, flow_matrix: Any, r: Array, memory: QuadratureMemory, scratch: Array, u: Array, x: Array, n_doses: int,
    dose: Array, states: Array,
) -> None:  # fmt: skip
    """Fill `states` (n_days + 1, n_compartments); `dose` holds compartment, amount, lag and switch after the record (h)."""
    place, amount, lag_h, switch_h = int(dose[0]), dose[1], dose[2], dose[3]
    prepare_quadrature(flow_matrix, r, memory, scratch)
    states[0] = x
    since_h = 0.0
    for day in range(1, states.shape[0]):
        if day > n_doses:
            advance_quadrature(driven_panels, r, memory, x, u, since_h, 24.0, 1.0)
            since_h += 24.0
        else:
            if lag_h > 0.0:
                advance_quadrature(driven_panels, r, memory, x, u, since_h, lag_h, 1.0)
            x[place] += amount
            advance_quadrature(driven_panels, r, memory, x, u, 0.0, switch_h - lag_h, 0.0)
            advance_quadrature(driven_panels, r, memory, x, u, 0.0, 24.0 - switch_h, 1.0)
            since_h = 24.0 - switch_h
        states[day] = x


def daily_response(
    model: PatientModel, inputs: Mapping[str, Array], *, dose_mg: float, n_doses: int, n_days: int, per_gain: float = 1.0
) -> DailyResponse:
    """What `n_doses` daily doses add within `n_days`, in patients given by their inputs.

    Parameters
    ----------
    model : PatientModel
        One with a lag, a switch of absorption, a chain "precursor3" -> "platelets" with rate KT, and an output PLATELET.
    inputs : mapping of name to array of shape (m,)
        Thetas, etas, classes and data columns that differ from the typical patient; the gain they imply is `per_gain`.
    dose_mg : float
    n_doses, n_days : int
    per_gain : float
        The gain in force, by which the answer is divided.

    Raises
    ------
    SimulationError
        If the engine could not keep to its stated error; names the patient.
    """
    compiled = compile_model(model, tuple(name for name in inputs if name in model.needed_columns))
    m = len(next(iter(inputs.values())))
    block, response = np.array(compiled.linear_block), np.array(compiled.linear_response)
    memory = quadrature_memory(block, response, np.array(compiled.forcing_reads), np.array(compiled.forcing_drives))
    counts, inflow = np.empty((m, n_days + 1)), np.empty((m, n_days + 1))
    row, states = compiled.default_inputs(), np.empty((n_days + 1, len(compiled.compartments)))
    places = {name: compiled.input_index(name) for name in inputs}
    for i in range(m):
        for name, place in places.items():
            row[place] = inputs[name][i]
        counts[i], inflow[i] = _one_patient(compiled, row, memory, states, dose_mg, n_doses)
        if memory.account[1] > 0.0:
            raise SimulationError(
                Fault(place=f"{model.file}, virtual patient {i}", found=f"an error of {memory.account[0]:.1e} in the drug's effect",
                      expected="at most 1e-7", cure="Report this model: the engine is made for such ones.")
            )  # fmt: skip
    return DailyResponse(counts=counts / per_gain, inflow=inflow / per_gain)


def _one_patient(
    compiled: CompiledModel, row: Array, memory: QuadratureMemory, states: Array, dose_mg: float, n_doses: int
) -> tuple[Array, Array]:
    n = len(compiled.compartments)
    r, x = np.zeros(compiled.n_record), np.zeros(n)
    compiled.fill_record(row, 0.0, r)
    compiled.fill_initial(r, x)
    depot = compiled.compartment_index("depot")
    lag, share = (int(compiled.dose_index[depot, k]) for k in (0, 1))
    amount = dose_mg * (r[share] if share >= 0 else 1.0)
    dose = np.array([depot, amount, r[lag] if lag >= 0 else 0.0, r[compiled.switch_index]])
    _dose_daily(compiled.driven_panels, compiled.flow_matrix, r, memory, np.zeros((n, n)), np.zeros(n), x, n_doses, dose, states)
    platelets, last = states[:, compiled.compartment_index("platelets")], states[:, compiled.compartment_index("precursor3")]
    return platelets - platelets[0], r[compiled.record_index("KT")] * (last - last[0])
