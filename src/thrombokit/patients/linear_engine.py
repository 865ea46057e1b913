"""A linear model moved exactly: x(t + h) = e^{A h} x(t) + integral of e^{A s} over h, times the inflow.

Propagators are kept while the record values stay as they are, so that a regular grid costs one exponential for each different step.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.matrix_exponential import exponential, exponential_and_integral
from thrombokit.patients.compiled_model import CompiledModel

MOST_KEPT = 4096
"""Propagators of one set of record values; past this they are forgotten and made again."""

LEAST_ERROR, ERROR_PER_LIFETIME = 1e-12, 1e-15
"""Measured: at most 5e-16 a lifetime, up to 9 million of them; the tests of the matrix exponential hold it."""


class LinearEngine:
    """Moves the state of a linear model with the record values of the last `set_record`; see `Mover`."""

    name = "exact"

    def __init__(self, compiled: CompiledModel) -> None:
        self.compiled = compiled
        self.n = len(compiled.compartments)
        self._matrices: dict[float, Array] = {}
        self._propagators: dict[tuple[float, float], Array] = {}
        self._integrals: dict[tuple[float, float], tuple[Array, Array]] = {}
        self._r = np.zeros(compiled.n_record)
        self._lifetimes = 0.0

    @property
    def stated_error(self) -> float:
        """Relative error: rounding grows with the time travelled, counted in mean lifetimes of the fastest compartment."""
        return LEAST_ERROR + ERROR_PER_LIFETIME * self._lifetimes

    def set_record(self, r: Array) -> None:
        """Take `r` (n_record,) from now on."""
        self._r = r
        self._matrices.clear()
        self._propagators.clear()
        self._integrals.clear()

    def matrix(self, phase: float) -> Array:
        """Rates between compartments, (n, n), column from, row to, in `phase` of absorption."""
        if phase not in self._matrices:
            matrix = np.zeros((self.n, self.n))
            self.compiled.flow_matrix(phase, self._r, matrix)
            self._matrices[phase] = matrix
        return self._matrices[phase]

    def propagator(self, h: float, phase: float) -> Array:
        """e^{A h}, (n, n)."""
        found = self._propagators.get((h, phase))
        if found is None:
            found = np.empty((self.n, self.n))
            exponential(self.matrix(phase), h, found)
            self._forget_if_many()
            self._propagators[h, phase] = found
        return found

    def propagator_and_integral(self, h: float, phase: float) -> tuple[Array, Array]:
        """e^{A h} and its integral over time from 0 to h, both (n, n)."""
        found = self._integrals.get((h, phase))
        if found is None:
            found = np.empty((self.n, self.n)), np.empty((self.n, self.n))
            exponential_and_integral(self.matrix(phase), h, *found)
            self._forget_if_many()
            self._integrals[h, phase] = found
        return found

    def moved(self, x: Array, u: Array, h: float, phase: float) -> Array:
        """The state after `h` with constant inflows `u`, both (n,)."""
        if h <= 0.0:
            return x.copy()
        if not u.any():
            return self.propagator(h, phase) @ x
        propagator, integral = self.propagator_and_integral(h, phase)
        return propagator @ x + integral @ u

    def advance(self, t0: float, t1: float, tad0: float, phase: float, x: Array, u: Array, times: Array, states: Array) -> None:
        """See `Mover.advance`; neither the time nor that since the last dose (`tad0`) matters to a linear model."""
        self._lifetimes += (t1 - t0) * -float(self.matrix(phase).diagonal().min(initial=0.0))
        for k, time in enumerate(times):
            states[k] = self.moved(x, u, float(time) - t0, phase)
        x[:] = self.moved(x, u, t1 - t0, phase)

    def solver(self) -> str:
        """See `Mover`."""
        return "matrix exponentials"

    def _forget_if_many(self) -> None:
        if len(self._propagators) + len(self._integrals) >= MOST_KEPT:
            self._propagators.clear()
            self._integrals.clear()
