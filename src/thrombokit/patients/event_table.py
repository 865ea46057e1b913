"""An event table as NONMEM knows it: doses, observations and resets of many individuals, in the order of the file.

The table holds what the records say, nothing interpreted: lag times, bioavailability and the meaning of a missing compartment belong
to a model. Individuals are runs of the same ID; an ID that comes back later in the file is a new individual, as in NONMEM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen

OBSERVATION, DOSE, OTHER, RESET, RESET_AND_DOSE = 0, 1, 2, 3, 4
"""EVID of a record."""
RATE_FROM_MODEL, DURATION_FROM_MODEL = -1.0, -2.0
"""RATE of a dose whose rate, or duration, is a value of the model."""

_INTEGERS = ("row", "individual", "evid", "compartment", "additional", "steady_state")
_NUMBERS = ("id", "time", "amount", "interval", "rate", "values")


@dataclass(frozen=True, kw_only=True, eq=False)
class EventTable(FrozenArrays):
    """Records of a data set; every array of shape (n,) unless said otherwise, in the units of the model that will run them.

    `source` is the file's name, `row` the line of each record in it (the header is 1). `individual` counts from 0; `first_records` of
    shape (n_individuals + 1,) says where each begins. `evid` is 0 to 4, `compartment` counts from 1 with 0 for the model's default,
    `interval` is II, `additional` ADDL. `columns` are all headers in capitals, `headers` as the file spells them, and `values` of shape
    (n, n_columns) their numbers, NaN where missing; `texts` says, for a column that holds text, the first row that does and the text.
    """

    source: str
    row: IntArray
    id: Array
    individual: IntArray
    time: Array
    evid: IntArray
    amount: Array
    compartment: IntArray
    interval: Array
    additional: IntArray
    steady_state: IntArray
    rate: Array
    columns: tuple[str, ...]
    headers: tuple[str, ...]
    values: Array
    texts: Mapping[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in _INTEGERS:
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))
        for name in _NUMBERS:
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __len__(self) -> int:
        return int(self.time.size)

    @property
    def n_individuals(self) -> int:
        """Individuals; an ID that comes back counts again."""
        return int(self.individual[-1]) + 1 if len(self) else 0

    @property
    def first_records(self) -> IntArray:
        """Place of the first record of each individual, then the number of records; shape (n_individuals + 1,)."""
        return np.searchsorted(self.individual, np.arange(self.n_individuals + 1)).astype(np.int64)

    @property
    def is_dose(self) -> np.ndarray:
        """Whether each record gives a dose (EVID 1 or 4)."""
        return (self.evid == DOSE) | (self.evid == RESET_AND_DOSE)

    @property
    def keys(self) -> tuple[str, ...]:
        """A name for each individual that no other has: "7", and "7#2" for the second individual with ID 7."""
        seen: dict[str, int] = {}
        names: list[str] = []
        for number in self.id[self.first_records[:-1]]:
            name = id_text(float(number))
            seen[name] = seen.get(name, 0) + 1
            names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
        return tuple(names)

    def place(self, record: int, column: str | None = None) -> str:
        """Where a record, or one of its cells, stands: "events.csv, row 7, column AMT"."""
        where = f"{self.source}, row {self.row[record]}"
        return where if column is None else f"{where}, column {self.header(column)}"

    def header(self, column: str) -> str:
        """A column as the file spells it."""
        return self.headers[self.columns.index(column)] if column in self.columns else column


def id_text(number: float) -> str:
    """7.0 as "7", 7.5 as "7.5"."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
