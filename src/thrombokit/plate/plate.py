"""A plate: what the reader measured, and what was in the wells."""

from __future__ import annotations

from dataclasses import dataclass, field

from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.plate.layout import Layout


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading(FrozenArrays):
    """One plate as a reader exported it.

    `signal` has the plate's shape (n_rows, n_columns), instrument units; NaN where the export holds no value. `source` is the file's
    name, `reader` the format's, `why` the reason it was chosen, `rejected` the reason each other reader was not; `metadata` what the
    export says of itself.
    """

    name: str
    signal: Array
    source: str
    reader: str
    why: str = ""
    rejected: tuple[tuple[str, str], ...] = ()
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "signal", frozen(self.signal))

    @property
    def shape(self) -> tuple[int, int]:
        """(n_rows, n_columns)."""
        rows, columns = self.signal.shape
        return rows, columns


@dataclass(frozen=True, kw_only=True, eq=False)
class Plate(FrozenArrays):
    """A reading with its layout and its place in the study.

    `run` names the independent repetition (or donor): it is n. `excluded` maps well names to the reason given by the user.
    `hours` is the time of incubation; `day0` marks a plate read before treatment.
    """

    reading: Reading
    layout: Layout
    name: str
    run: str
    cell_system: str = ""
    hours: float | None = None
    date: str | None = None
    operator: str | None = None
    day0: bool = False
    excluded: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if self.reading.shape != self.layout.shape:
            raise ValueError(f"{self.name}: signal {self.reading.shape} and layout {self.layout.shape} differ in shape")
