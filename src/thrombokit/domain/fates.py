"""What cells do under a signal: how fast they divide, die, differentiate and double their DNA; the noun that signalling hands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.numerics.arrays import Array, FrozenArrays, frozen

FATES = ("proliferation_per_d", "death_per_d", "differentiation_per_d", "endomitosis_per_d")
"""The four fates, each a rate of its own: a change of one is not a change of another."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FateRates(FrozenArrays):
    """Rates of the four fates of one cell over the time of one treatment.

    `time_h` (n_times,) rises from 0; every rate has shape (n_times,) and is not negative. `proliferation_per_d` counts ln 2 a division
    (growth without limits), `endomitosis_per_d` is that of a 2N megakaryocyte. `assumptions` say in words which signs and ranges were
    chosen; only the cell number of the first three days is tied to a measurement, the rest is assumed.
    """

    label: str
    cell_system: str
    time_h: Array
    proliferation_per_d: Array
    death_per_d: Array
    differentiation_per_d: Array
    endomitosis_per_d: Array
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("time_h", *FATES):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        if any(getattr(self, name).shape != self.time_h.shape for name in FATES):
            raise ValueError(f"rates of other shapes than the {self.time_h.size} times")

    def mean(self, *, from_h: float = 0.0) -> dict[str, float]:
        """Time averages (per day) of the four rates from `from_h` on, by the trapezoidal rule."""
        since = self.time_h >= from_h
        time = self.time_h[since]
        return {name: float(np.trapezoid(getattr(self, name)[since], time) / (time[-1] - time[0])) for name in FATES}

    def table(self) -> pl.DataFrame:
        """One row a time: `treatment`, `cell_system`, `time_h` and the four rates per day."""
        columns = {name: getattr(self, name) for name in ("time_h", *FATES)}
        frame = pl.DataFrame(columns)
        return frame.select(pl.lit(self.label).alias("treatment"), pl.lit(self.cell_system).alias("cell_system"), pl.all())
