"""Which well gets what, drawn as text: one letter a well, eight lines of twelve.

    V vehicle   P rhTPO   B medium without cells   I IL-3 rescue   . nothing

Any other letter stands for a dose series; along its row the doses rise from left to right. Role names are those of a plate
map; they are written out here, because the templates share nothing with the code that will read them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, TextArray, frozen

VEHICLE = "vehicle"
RHTPO = "rhTPO"
RHTPO_ng_per_mL = 100.0

_CONTROLS: dict[str, tuple[str, str, float, str]] = {
    "V": ("vehicle", VEHICLE, 0.0, "nM"),
    "P": ("positive_control", RHTPO, RHTPO_ng_per_mL, "ng/mL"),
    "B": ("blank", "", np.nan, ""),
    "I": ("il3_rescue", "IL-3", np.nan, ""),
    ".": ("empty", "", np.nan, ""),
}
"""Letter -> role, agonist, concentration, unit."""


@dataclass(frozen=True, kw_only=True)
class DoseSeries:
    """One compound diluted step by step: `n_doses` doses down from `top_nM`, each `fold` times smaller than the one before."""

    agonist: str
    top_nM: float
    fold: float
    n_doses: int
    role: str = "sample"

    @property
    def doses_nM(self) -> tuple[float, ...]:
        """Nominal doses, rising, to four significant digits, as a person would write them."""
        return tuple(float(f"{self.top_nM / self.fold**step:.4g}") for step in reversed(range(self.n_doses)))


@dataclass(frozen=True, kw_only=True, eq=False)
class WellPlan(FrozenArrays):
    """What each well is meant to hold; all arrays of shape (n_rows, n_columns).

    `role` and `agonist` are texts ("empty" and "" where nothing is), `concentration` is in `unit` (NaN and "" where none).
    """

    role: TextArray
    agonist: TextArray
    concentration: Array
    unit: TextArray

    def __post_init__(self) -> None:
        for name in ("role", "agonist", "unit"):
            object.__setattr__(self, name, frozen(getattr(self, name), object))
        object.__setattr__(self, "concentration", frozen(self.concentration))

    @property
    def shape(self) -> tuple[int, int]:
        """(n_rows, n_columns)."""
        rows, columns = self.role.shape
        return rows, columns


def plan_from_drawing(drawing: str, series: dict[str, DoseSeries]) -> WellPlan:
    """A plan from a drawing of letters.

    Parameters
    ----------
    drawing : str
        One line a plate row, one letter a well; spaces are ignored.
    series : dict
        Letter -> its dose series; in every row that holds the letter, it stands there once for each dose.

    Raises
    ------
    ValueError
        If a row does not hold the whole series: the drawing itself is wrong.
    """
    letters = np.array([list(line.replace(" ", "")) for line in drawing.split("\n") if line.strip()])
    role, agonist, unit = (np.full(letters.shape, "", dtype=object) for _ in range(3))
    concentration = np.full(letters.shape, np.nan)
    for letter, (its_role, its_agonist, amount, its_unit) in _CONTROLS.items():
        wells = letters == letter
        role[wells], agonist[wells], concentration[wells], unit[wells] = its_role, its_agonist, amount, its_unit
    for letter, doses in series.items():
        wells = letters == letter
        role[wells], agonist[wells], unit[wells] = doses.role, doses.agonist, "nM"
        for row in np.flatnonzero(wells.any(axis=1)):
            if wells[row].sum() != doses.n_doses:
                raise ValueError(f"row {row} holds {wells[row].sum()} wells of {letter}, its series has {doses.n_doses} doses")
            concentration[row, wells[row]] = doses.doses_nM
    return WellPlan(role=role, agonist=agonist, concentration=concentration, unit=unit)


def moved_down(plan: WellPlan, rows: int) -> WellPlan:
    """The same plan written `rows` rows too low: the first rows come out empty, the last fall off the plate.

    Parameters
    ----------
    plan : WellPlan
    rows : int
        How many rows, from 1 to the number of rows.
    """
    moved = {name: np.roll(getattr(plan, name), rows, axis=0) for name in ("role", "agonist", "concentration", "unit")}
    moved["role"][:rows] = "empty"
    moved["agonist"][:rows] = moved["unit"][:rows] = ""
    moved["concentration"][:rows] = np.nan
    return WellPlan(**moved)


def outer_ring(shape: tuple[int, int]) -> BoolArray:
    """True for the wells at the rim of a plate of `shape` (n_rows, n_columns)."""
    ring = np.ones(shape, dtype=np.bool_)
    ring[1:-1, 1:-1] = False
    return ring
