"""Plates drawn as letters, with signals that are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.plate.layout import Layout, Role
from thrombokit.plate.plate import Plate, Reading

LETTERS = {
    "V": (Role.VEHICLE, ""),
    "P": (Role.POSITIVE_CONTROL, "rhTPO"),
    "B": (Role.BLANK, ""),
    "I": (Role.IL3_RESCUE, "IL-3"),
    "Q": (Role.QC, ""),
    "U": (Role.UNTREATED, ""),
    "0": (Role.DAY0, ""),
    "s": (Role.SAMPLE, "agonist-1"),
    "t": (Role.SAMPLE, "agonist-2"),
    "c": (Role.COMPARATOR, "reference-1"),
    "x": (Role.COUNTER_SCREEN, "agonist-1"),
    ".": (Role.EMPTY, ""),
}
FULL = """
    . VPBVPVBPVV .
    V ssssssssss V
    P ssssssssss B
    V tttttttttt P
    B cccccccccc V
    P cccccccccc B
    V VPBVPVBPVV P
    . VVPPBBVVPP .
"""
"""Vehicle, rhTPO and blanks all over, two agonists and a comparator in ten doses."""

LEVELS = {"V": 10_000.0, "P": 110_000.0, "B": 500.0, "I": 130_000.0, "Q": 60_000.0, "U": 9_000.0, "0": 4_000.0, ".": np.nan}
EC50_nM = {"s": 5.0, "t": 40.0, "c": 20.0, "x": 5.0}
TOP_nM = 1_000.0


def draw_plate(
    drawing: str = FULL, *, cv: float = 0.03, seed: int = 1, ec50_nM: dict[str, float] | None = None,
    levels: dict[str, float] | None = None, **fields: object,
) -> Plate:  # fmt: skip
    """A plate from letters; doses fall 3-fold from 1,000 nM along a row; dose series rise from vehicle to rhTPO (hill 1.2)."""
    letters = np.array([list(line.replace(" ", "")) for line in drawing.split("\n") if line.strip()])
    ec50s, level = EC50_nM | (ec50_nM or {}), LEVELS | (levels or {})
    role = np.vectorize(lambda k: LETTERS[k][0].value, otypes=[object])(letters)
    agonist = np.vectorize(lambda k: LETTERS[k][1], otypes=[object])(letters)
    dose, signal = np.full(letters.shape, np.nan), np.full(letters.shape, np.nan)
    for (r, c), letter in np.ndenumerate(letters):
        if letter in ec50s:
            dose[r, c] = TOP_nM / 3.0 ** int(np.sum(letters[r, :c] == letter))
            share = dose[r, c] ** 1.2 / (dose[r, c] ** 1.2 + ec50s[letter] ** 1.2)
            signal[r, c] = level["V"] + share * (level["P"] - level["V"])
        else:
            signal[r, c] = level[letter]
    noise = np.random.default_rng(seed).standard_normal(letters.shape)
    system = str(fields.pop("cell_system", "32D-MPL"))
    name = str(fields.pop("name", "plate-1"))
    return Plate(
        reading=Reading(name=name, signal=signal * (1 + cv * noise), source=name, reader="memory"),
        layout=fields.pop("layout", None)  # type: ignore[arg-type]
        or Layout(role=role, agonist=agonist, concentration_nM=dose, cell_system=np.full(letters.shape, system, object)),
        name=name,
        run=str(fields.pop("run", "run 1")),
        cell_system=system,
        hours=72.0,
        **fields,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="session")
def plate_of() -> Callable[..., Plate]:
    """See `draw_plate`."""
    return draw_plate


@pytest.fixture(scope="session")
def full_drawing() -> str:
    """The drawing that `plate_of` takes by default."""
    return FULL
