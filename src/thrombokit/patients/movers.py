"""What carries the state of one individual from one break point to the next: exactly for linear models, by ODE solvers for the others.

A mover is told the record values, then moves the state over intervals in which nothing happens; on the way it reads the state off at
any times asked for, which never changes where it ends.
"""

from __future__ import annotations

from typing import Protocol

from thrombokit.numerics.arrays import Array


class Mover(Protocol):
    """Carries the state of one individual."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    @property
    def stated_error(self) -> float:
        """Largest relative error of an amount beside the largest its compartment has held, for what was moved so far."""
        ...

    def set_record(self, r: Array) -> None:
        """From now on the record values are `r` (n_record,)."""
        ...

    def advance(self, t0: float, t1: float, tad0: float, phase: float, x: Array, u: Array, times: Array, states: Array) -> None:
        """Move `x` (n,) in place from t0 to t1 with constant inflows `u` (n,); fill `states` (k, n) at the sorted `times` (k,) between.

        Raises
        ------
        SimulationError
            If the solver could not finish.
        """
        ...

    def solver(self) -> str:
        """The methods used so far, in words."""
        ...
