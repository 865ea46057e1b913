"""Cells to signals: a number, no value, or a saturated well; anything else is a fault."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, UnitError
from thrombokit.io.tables import Cell, Sheet
from thrombokit.numerics.arrays import Array
from thrombokit.plate.wells import well_name
from thrombokit.quantities import parse_number

_OVERFLOW = re.compile(r"over|overflow|ovrflw|ovr|sat|saturated|#+|\*{2,}|>.*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Signals:
    """Signals of one plate.

    `signal` has the plate's shape, instrument units, NaN where there is no value; `notes` names the saturated wells; `faults` tells
    of cells that are no signal.
    """

    signal: Array
    notes: tuple[str, ...]
    faults: tuple[Fault, ...]


def is_overflow(cell: Cell) -> bool:
    """Whether a reader wrote that the detector was saturated ("OVER", "OVRFLW", "####", ">9999999", "sat")."""
    return isinstance(cell, str) and _OVERFLOW.fullmatch(cell) is not None


def is_signal(cell: Cell) -> bool:
    """Whether a cell reads as a finite number or a saturated well."""
    if cell is None:
        return False
    try:
        return is_overflow(cell) or bool(np.isfinite(parse_number(cell, place="")))
    except UnitError:
        return False


def read_signals(sheet: Sheet, cells: Iterable[tuple[int, int, tuple[int, int]]], shape: tuple[int, int]) -> Signals:
    """Signals of one plate.

    Parameters
    ----------
    sheet : Sheet
        Where they stand.
    cells : iterable of (sheet row, sheet column, well)
        Zero-based; the well is (row, column) on the plate and must lie within `shape`.
    shape : tuple of int
        (n_rows, n_columns) of the plate.

    Returns
    -------
    Signals
        Saturated wells are NaN, never a number.
    """
    signal = np.full(shape, np.nan)
    saturated: list[str] = []
    faults: list[Fault] = []
    for row, column, well in cells:
        cell = sheet.cell(row, column)
        if cell is None:
            continue
        if is_overflow(cell):
            saturated.append(f'{well_name(*well)} ("{cell}")')
            continue
        try:
            signal[well] = parse_number(cell, place=f"{sheet.place(row, column)} (well {well_name(*well)})")
        except UnitError as error:
            faults.extend(error.faults)
    notes = (f"saturated wells, taken as without a value: {', '.join(saturated)}",) if saturated else ()
    return Signals(signal=signal, notes=notes, faults=tuple(faults))
