"""Wells to numbers that can be compared: blanks subtracted, vehicle and rhTPO as 0 and 100 %.

Curves are fitted on the blank-corrected signal; percentages are a way of printing the result, and carry the controls' own error.
Without rhTPO on the plate the response is given as % of vehicle; without vehicle as the signal itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, TextArray
from thrombokit.plate.layout import Role
from thrombokit.plate.plate import Plate
from thrombokit.plate.wells import well_name

WINDOW, OF_VEHICLE, SIGNAL = "% of rhTPO window", "% of vehicle", "signal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """Mean of a control, its standard error and the wells behind it (blank-corrected signal units)."""

    mean: float
    se: float
    n: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Normalised(FrozenArrays):
    """One plate with its controls formed; arrays have the plate's shape (n_rows, n_columns).

    role : as laid out, "empty" where nothing was read and nothing was meant to be. corrected : signal minus mean blank. used : wells
    that were read and not excluded. cell_system : per well. Percentages are 100 (corrected - zero) / (full - zero).
    vehicle, positive : controls of `main_system`, the cell system with most wells; `for_cells` gives those of another on the same plate.
    """

    plate: Plate
    role: TextArray
    cell_system: TextArray
    corrected: Array
    used: BoolArray
    blank: float | None
    vehicle: Level | None
    positive: Level | None
    unit: str
    main_system: str

    def control_wells(self, control: BoolArray, system: str) -> BoolArray:
        """Used wells of a control that were put on cells of `system`, shape of the plate."""
        return self.used & control & (self.cell_system == system)

    def for_cells(self, system: str) -> Normalised:
        """The same plate with the controls of another cell system; a control that system lacks stays the main system's."""
        if system == self.main_system:
            return self
        vehicle = level_of(self.corrected[self.control_wells(self.role == Role.VEHICLE, system)])
        top = top_positive(self.plate, self.role, self.cell_system == system)
        positive = level_of(self.corrected[self.control_wells(top, system)])
        return replace(self, vehicle=vehicle or self.vehicle, positive=positive or self.positive)

    @property
    def zero(self) -> float:
        """Signal that counts as 0 %."""
        return self.vehicle.mean if self.unit == WINDOW and self.vehicle else 0.0

    @property
    def full(self) -> float:
        """Signal that counts as 100 %."""
        if self.unit == WINDOW and self.positive:
            return self.positive.mean
        return self.vehicle.mean if self.unit == OF_VEHICLE and self.vehicle else 100.0

    def percent(self, corrected: Array | float) -> Array:
        """Blank-corrected signal (any shape) as a percentage of `unit`."""
        return 100.0 * (np.asarray(corrected) - self.zero) / (self.full - self.zero)

    def percent_se(self, value: Array, se: Array) -> Array:
        """Standard error (any shape) of a percentage whose signal is `value` with error `se`, controls' error included."""
        span = self.full - self.zero
        share = (np.asarray(value) - self.zero) / span
        full_se = self.positive.se if self.unit == WINDOW and self.positive else self.vehicle.se if self.vehicle else 0.0
        zero_se = self.vehicle.se if self.unit == WINDOW and self.vehicle else 0.0
        if self.unit == SIGNAL:
            full_se = zero_se = 0.0
        return 100.0 / abs(span) * np.sqrt(np.asarray(se) ** 2 + ((1.0 - share) * zero_se) ** 2 + (share * full_se) ** 2)


def level_of(values: Array) -> Level | None:
    """Mean and standard error of control wells, shape (n,); None without wells."""
    if values.size == 0:
        return None
    se = float(np.std(values, ddof=1) / np.sqrt(values.size)) if values.size > 1 else float("nan")
    return Level(mean=float(np.mean(values)), se=se, n=int(values.size))


def normalise(plate: Plate) -> Normalised:
    """Subtract blanks and form the controls of one plate; excluded wells and wells without a reading take no part."""
    signal = plate.reading.signal
    layout = plate.layout
    read = np.isfinite(signal)
    role = layout.role.copy()
    unlisted_and_unread = ~read & (layout.agonist == "") & (role == Role.VEHICLE)
    role[unlisted_and_unread] = Role.EMPTY.value
    excluded = np.array([[well_name(r, c) in plate.excluded for c in range(signal.shape[1])] for r in range(signal.shape[0])])
    used = read & ~excluded & (role != Role.EMPTY)
    blank_wells = signal[used & (role == Role.BLANK)]
    blank = float(blank_wells.mean()) if blank_wells.size else None
    corrected = signal - (blank or 0.0)
    system = np.where(layout.cell_system != "", layout.cell_system, plate.cell_system).astype(object)
    main = _main_system(system[used & (role != Role.BLANK)])
    here = used & (system == main)
    vehicle = level_of(corrected[here & (role == Role.VEHICLE)])
    positive = level_of(corrected[here & top_positive(plate, role, system == main)])
    window = vehicle is not None and positive is not None and positive.mean != vehicle.mean
    unit = WINDOW if window else OF_VEHICLE if vehicle is not None and vehicle.mean != 0 else SIGNAL
    return Normalised(
        plate=plate, role=role, cell_system=system, corrected=corrected, used=used, blank=blank, vehicle=vehicle, positive=positive,
        unit=unit, main_system=main,
    )  # fmt: skip


def _main_system(systems: TextArray) -> str:
    """The cell system with most wells; the first by name of equals; "" on a plate without wells."""
    names, counts = np.unique(systems.astype(str), return_counts=True)
    return str(names[np.argmax(counts)]) if names.size else ""


def top_positive(plate: Plate, role: TextArray, cells: BoolArray) -> BoolArray:
    """Positive-control wells on `cells` at their highest dose (all of them where the map gives no dose), shape of the plate."""
    wells = (role == Role.POSITIVE_CONTROL) & cells
    dose = np.where(wells, plate.layout.concentration_nM, np.nan)
    if not np.any(np.isfinite(dose)):
        return wells
    return wells & (dose >= np.nanmax(dose) * (1 - 1e-9))


def _response_pct(normalised: Normalised) -> Array:
    """Every well as a percentage by the controls of its own cells, shape of the plate."""
    out = normalised.percent(normalised.corrected)
    for system in {str(s) for s in normalised.cell_system[normalised.used]} - {normalised.main_system, ""}:
        cells = normalised.cell_system == system
        out[cells] = normalised.for_cells(system).percent(normalised.corrected[cells])
    return out


def wells_table(normalised: Normalised) -> pl.DataFrame:
    """One row a well that was read or laid out: see `PlateResult.wells`."""
    plate, layout = normalised.plate, normalised.plate.layout
    keep = np.argwhere(np.isfinite(plate.reading.signal) | (normalised.role != Role.EMPTY))
    rows, columns = keep[:, 0], keep[:, 1]
    names = [well_name(int(r), int(c)) for r, c in keep]
    n = len(names)
    take = lambda grid: grid[rows, columns]  # noqa: E731
    reasons = [plate.excluded.get(name) for name in names]
    return pl.DataFrame(
        {
            "plate": [plate.name] * n, "run": [plate.run] * n, "cell_system": take(normalised.cell_system).astype(str), "well": names,
            "row": rows, "column": columns, "role": take(normalised.role).astype(str), "agonist": take(layout.agonist).astype(str),
            "concentration_nM": take(layout.concentration_nM), "signal": take(plate.reading.signal),
            "corrected": take(normalised.corrected), "response_pct": take(_response_pct(normalised)),
            "excluded": [r is not None for r in reasons], "reason": reasons,
        },
        schema_overrides={"reason": pl.String, "row": pl.Int64, "column": pl.Int64},
    ).with_columns(pl.col(pl.Float64).fill_nan(None))  # fmt: skip


def wells_of(plate: Plate) -> pl.DataFrame:
    """The wells of one plate as a table: `wells_table` of the normalised plate."""
    return wells_table(normalise(plate))
