"""Models that are not linear, moved by ODE solvers; and which mover a model gets.

Within an interval they stop wherever a condition on time may change its answer (see `stretches`), so that nobody else needs to know of it.
"""

from __future__ import annotations

import numpy as np

from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.driven_derivative import no_trial
from thrombokit.numerics.outcome import OUTCOME_BY_CODE
from thrombokit.patients.compiled_model import CompiledModel
from thrombokit.patients.exact_pk_engine import block_modes_size, exact_pk_memory_size, prepare_block
from thrombokit.patients.linear_engine import LinearEngine
from thrombokit.patients.movers import Mover
from thrombokit.patients.ode_engine import ode_memory_size, solver_used, tolerances
from thrombokit.patients.stretches import advance_in_stretches

RELATIVE_TOLERANCE = 1e-9
"""Of the solvers, for single data sets, where a microsecond more costs nothing."""
ABSOLUTE_SHARE = 1e-3
"""Amounts below this share of the largest that a compartment has held are followed less closely."""


def mover_for(compiled: CompiledModel) -> Mover:
    """The most exact mover that the structure of the model allows."""
    if compiled.is_linear:
        return LinearEngine(compiled)
    if compiled.engine in ("quadrature", "exact-pk") and not compiled.gamma_inputs.size:
        return ExactPkMover(compiled)
    return OdeMover(compiled)


class OdeMover:
    """Everything by an adaptive solver."""

    name = "ode"
    stated_error = 1e-6

    def __init__(self, compiled: CompiledModel) -> None:
        self.compiled = compiled
        self.tolerances = tolerances(RELATIVE_TOLERANCE, ABSOLUTE_SHARE)
        self.memory = np.zeros(ode_memory_size(len(compiled.compartments)))
        self.moving, self.block, self.modes = np.arange(len(compiled.compartments)), np.empty(0, np.int64), np.empty(0)
        self.conditions = np.array(compiled.time_conditions)
        self.r = np.zeros(compiled.n_record)

    def set_record(self, r: Array) -> None:
        """See `Mover`."""
        self.r = r

    def advance(self, t0: float, t1: float, tad0: float, phase: float, x: Array, u: Array, times: Array, states: Array) -> None:
        """See `Mover`."""
        status = advance_in_stretches(
            self.compiled.derivative, no_trial, False, t0, t1, tad0, phase, x, self.r, u, self.moving, self.block, self.modes, self.tolerances,
            self.memory, times, states, self.conditions,
        )  # fmt: skip
        _refuse_unfinished(status, t0, t1)

    def solver(self) -> str:
        """See `Mover`."""
        return solver_used(self.memory)


class ExactPkMover:
    """Linear pharmacokinetics exactly, the rest by an adaptive solver."""

    name = "exact-pk"
    stated_error = 1e-6

    def __init__(self, compiled: CompiledModel) -> None:
        n = len(compiled.compartments)
        self.compiled = compiled
        self.tolerances = tolerances(RELATIVE_TOLERANCE, ABSOLUTE_SHARE)
        self.memory = np.zeros(exact_pk_memory_size(n))
        self.conditions = np.array(compiled.time_conditions)
        self.block = np.array(compiled.linear_block)
        self.moving = np.setdiff1d(np.arange(n), self.block).astype(np.int64)
        self.modes = np.zeros(block_modes_size(self.block.size))
        self.scratch = np.zeros((n, n))
        self.r = np.zeros(compiled.n_record)
        self.phase = np.nan

    def set_record(self, r: Array) -> None:
        """See `Mover`."""
        self.r, self.phase = r, np.nan

    def advance(self, t0: float, t1: float, tad0: float, phase: float, x: Array, u: Array, times: Array, states: Array) -> None:
        """See `Mover`."""
        if phase != self.phase:
            prepare_block(self.compiled.flow_matrix, phase, self.r, self.block, self.scratch, self.modes)
            self.phase = phase
        status = advance_in_stretches(
            self.compiled.rest_derivative, no_trial, False, t0, t1, tad0, phase, x, self.r, u, self.moving, self.block, self.modes, self.tolerances,
            self.memory, times, states, self.conditions,
        )  # fmt: skip
        _refuse_unfinished(status, t0, t1)

    def solver(self) -> str:
        """See `Mover`."""
        return f"matrix exponentials and {solver_used(self.memory)}"


def _refuse_unfinished(status: int, t0: float, t1: float) -> None:
    if status != 0:
        raise SimulationError(f"the solver ended with {OUTCOME_BY_CODE[int(status)]} between times {t0:.6g} and {t1:.6g}")
