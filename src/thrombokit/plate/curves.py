"""The curves of one plate: agonist x cell system, with the plate's vehicle wells as dose 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.plate.layout import Role
from thrombokit.plate.normalise import Normalised

FITTED_ROLES = (Role.SAMPLE, Role.COMPARATOR, Role.COUNTER_SCREEN, Role.POSITIVE_CONTROL)
FEWEST_CONTROL_DOSES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class CurveKey:
    """Whose curve it is: plate x agonist x cell system x run; `counter_screen` marks cells without TPO-R."""

    plate: str
    agonist: str
    cell_system: str
    run: str
    hours: float | None
    counter_screen: bool = False


def curves_of(normalised: Normalised) -> list[tuple[CurveKey, pl.DataFrame]]:
    """Every curve on the plate with its points: columns concentration_nM (0 = vehicle), response (blank-corrected signal), and the well's
    row and column (zero-based).

    A positive control given at four or more doses is a curve too. Day-0 plates give none.
    """
    plate, layout = normalised.plate, normalised.plate.layout
    if plate.day0:
        return []
    found: list[tuple[CurveKey, pl.DataFrame]] = []
    candidates = (
        normalised.used & np.isin(normalised.role, FITTED_ROLES) & (layout.agonist != "") & np.isfinite(layout.concentration_nM)
    )
    pairs = dict.fromkeys((str(layout.agonist[r, c]), str(normalised.cell_system[r, c])) for r, c in np.argwhere(candidates))
    for agonist, system in pairs:
        wells = candidates & (layout.agonist == agonist) & (normalised.cell_system == system)
        doses = layout.concentration_nM[wells]
        if np.all(normalised.role[wells] == Role.POSITIVE_CONTROL) and np.unique(doses).size < FEWEST_CONTROL_DOSES:
            continue
        vehicle = normalised.used & (normalised.role == Role.VEHICLE) & (normalised.cell_system == system)
        points = pl.DataFrame(
            {
                "concentration_nM": np.concatenate([np.zeros(int(vehicle.sum())), doses]),
                "response": np.concatenate([normalised.corrected[vehicle], normalised.corrected[wells]]),
                "row": np.concatenate([np.nonzero(vehicle)[0], np.nonzero(wells)[0]]),
                "column": np.concatenate([np.nonzero(vehicle)[1], np.nonzero(wells)[1]]),
            }
        )
        key = CurveKey(
            plate=plate.name, agonist=agonist, cell_system=system, run=plate.run, hours=plate.hours,
            counter_screen=bool(np.any(normalised.role[wells] == Role.COUNTER_SCREEN)),
        )  # fmt: skip
        found.append((key, points))
    return found
