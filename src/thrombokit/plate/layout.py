"""Which well holds what: role, agonist, concentration, cell system, as grids of the plate's shape."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from thrombokit.numerics.arrays import Array, FrozenArrays, TextArray, frozen


class Role(StrEnum):
    """What a well is for."""

    SAMPLE = "sample"
    VEHICLE = "vehicle"
    POSITIVE_CONTROL = "positive_control"
    COMPARATOR = "comparator"
    BLANK = "blank"
    UNTREATED = "untreated"
    DAY0 = "day0"
    IL3_RESCUE = "il3_rescue"
    COUNTER_SCREEN = "counter_screen"
    QC = "qc"
    EMPTY = "empty"


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout(FrozenArrays):
    """A plate map in house units.

    All arrays have the plate's shape (n_rows, n_columns). `role` holds `Role` values as text ("empty" where nothing was put);
    `agonist` and `cell_system` are "" where none; `concentration_nM` is NaN where none. `source` is the file the map came from; `origin`
    the spreadsheet cell that held well A01 ("" for maps that name their wells); `unlisted` what a well outside the map holds.
    """

    role: TextArray
    agonist: TextArray
    concentration_nM: Array
    cell_system: TextArray
    source: str = ""
    origin: str = ""
    unlisted: str = "empty"

    def __post_init__(self) -> None:
        for name in ("role", "agonist", "cell_system"):
            object.__setattr__(self, name, frozen(getattr(self, name), object))
        object.__setattr__(self, "concentration_nM", frozen(self.concentration_nM))
        shapes = {getattr(self, name).shape for name in ("role", "agonist", "concentration_nM", "cell_system")}
        if len(shapes) != 1:
            raise ValueError(f"layout arrays differ in shape: {sorted(shapes)}")

    @property
    def shape(self) -> tuple[int, int]:
        """(n_rows, n_columns)."""
        rows, columns = self.role.shape
        return rows, columns
