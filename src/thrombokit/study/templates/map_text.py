"""A plate map as a long table: one line a well."""

from __future__ import annotations

import math

import numpy as np

from thrombokit.plate.wells import well_name
from thrombokit.study.templates.well_plan import WellPlan

MAP_COLUMNS = ("well", "role", "agonist", "concentration", "unit", "cell_system")


def number_text(value: float) -> str:
    """The shortest text that reads back as the same float: 0.0823, 12000; "" for NaN."""
    return "" if math.isnan(value) else repr(float(value)).removesuffix(".0")


def map_text(plan: WellPlan, cell_system: str) -> str:
    """The map as CSV; a well without cells (blank, empty) names no cell system."""
    lines = [",".join(MAP_COLUMNS)]
    for row, column in np.ndindex(plan.shape):
        role = str(plan.role[row, column])
        cells = "" if role in ("blank", "empty") else cell_system
        amount = number_text(float(plan.concentration[row, column]))
        cell = (well_name(row, column), role, plan.agonist[row, column], amount, plan.unit[row, column], cells)
        lines.append(",".join(str(entry) for entry in cell))
    return "\n".join(lines) + "\n"
