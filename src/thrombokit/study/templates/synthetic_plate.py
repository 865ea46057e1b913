"""One synthetic plate in memory: the readings, and the map that is handed over with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays, TextArray, frozen
from thrombokit.study.templates.well_plan import WellPlan


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticPlate(FrozenArrays):
    """A plate of which the files in a study folder are a plain rendering.

    `signal` (RLU, whole counts) and `mean` (RLU, the same wells without scatter) have shape (n_rows, n_columns). `plan` is
    the *map*: on the mis-mapped plate it is not what the wells really hold. `fault` says in words what is wrong with the
    plate, "" where nothing is. `map_name` names the map file without its ending; plates laid out alike share one.
    """

    name: str
    cell_system: str
    run: str
    date: str
    operator: str
    hours: float
    signal: Array
    mean: Array
    plan: WellPlan
    map_name: str
    fault: str = ""

    def __post_init__(self) -> None:
        for name in ("signal", "mean"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        shapes = {self.signal.shape, self.mean.shape, self.plan.shape}
        if len(shapes) != 1:
            raise ValueError(f"{self.name}: arrays differ in shape: {sorted(shapes)}")

    @property
    def role(self) -> TextArray:
        """What each well is for according to the map, shape (n_rows, n_columns)."""
        return self.plan.role

    @property
    def agonist(self) -> TextArray:
        """Compound in each well according to the map, "" where none, shape (n_rows, n_columns)."""
        return self.plan.agonist

    @property
    def concentration_nM(self) -> Array:
        """Dose according to the map, nM, shape (n_rows, n_columns).

        NaN where there is none, and in rhTPO wells: their dose is a mass (ng/mL).
        """
        return np.where(self.plan.unit == "nM", self.plan.concentration, np.nan)
