"""Joint draws of parameters: named columns of equal length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, SimulationError
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen


@dataclass(frozen=True, kw_only=True, eq=False)
class Particles(FrozenArrays):
    """`values`, shape (n, n_names): one row a draw, one column a parameter."""

    names: tuple[str, ...]
    values: Array

    @classmethod
    def of(cls, columns: Mapping[str, Array]) -> Particles:
        """From columns of equal length."""
        return cls(names=tuple(columns), values=frozen(np.column_stack(list(columns.values()))))

    @property
    def n(self) -> int:
        """How many draws."""
        return self.values.shape[0]

    def column(self, name: str) -> Array:
        """The draws of one parameter, shape (n,).

        Raises
        ------
        SimulationError
            If there is no such parameter.
        """
        if name not in self.names:
            raise SimulationError(
                Fault(place="parameter draws", found=f'"{name}"', expected=", ".join(self.names), cure="Ask for one of these.")
            )
        return np.ascontiguousarray(self.values[:, self.names.index(name)])

    def take(self, places: IntArray) -> Particles:
        """The draws at some places."""
        return Particles(names=self.names, values=frozen(self.values[places]))

    def joined(self, columns: Mapping[str, Array]) -> Particles:
        """The same draws with further columns; a column of a known name takes its place."""
        kept = {name: self.column(name) for name in self.names}
        return Particles.of({**kept, **columns})
