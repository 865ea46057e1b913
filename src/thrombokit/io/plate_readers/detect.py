"""Which reader a file is for, by content, with the reason for it and against the others; and a file with its map as a `Plate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from thrombokit.agonists.load import shipped_molar_masses
from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.plate_maps.read import read_map
from thrombokit.io.plate_readers import envision, grid, tidy
from thrombokit.io.plate_readers.other_instruments import known_software
from thrombokit.io.plate_readers.reader import PlateReader, Recognition
from thrombokit.io.tables import Sheet, read_sheets
from thrombokit.plate.layout import Layout, Role
from thrombokit.plate.plate import Plate, Reading

READERS: tuple[PlateReader, ...] = (envision.READER, tidy.READER, grid.READER)
"""In order of precedence: the most particular first."""
SINGLE_RUN = "1"


def read_readings(path: str | Path) -> tuple[Reading, ...]:
    """Every plate in a reader export.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, text or XLSX; the content decides how it is read.

    Returns
    -------
    tuple of Reading
        One per plate, with the reader's name, why it was chosen and why each other was not.

    Raises
    ------
    FileFormatError
        If no reader knows the file (the message says why each does not), or the chosen one finds faults in it.
    """
    sheets = read_sheets(path)
    recognitions = [(reader, reader.recognise(sheets)) for reader in READERS]
    chosen = next(((reader, found) for reader, found in recognitions if found.claims), None)
    software = known_software(sheets)
    if chosen is None or software is not None:
        raise _unknown(sheets[0].file, recognitions, software)
    reader, recognition = chosen
    rejected = tuple(
        (other.name, f"it would fit too ({found.reason}), but {reader.name} comes first" if found.claims else found.reason)
        for other, found in recognitions
        if other is not reader
    )
    readings = reader.read(sheets)
    _refuse_blank(readings, sheets)
    return tuple(replace(reading, why=recognition.reason, rejected=rejected) for reading in readings)


def read_plate(
    path: str | Path,
    *,
    map: str | Path | None = None,
    map_origin: str = "A1",
    map_unit: str | None = None,
    plate: str | None = None,
    vehicle: str | None = None,
    positive_control: str | None = None,
    comparator: str | None = None,
    molar_masses: Mapping[str, float] | None = None,
) -> Plate:
    """One plate: what the reader measured, joined with the map of what was in the wells.

    Parameters
    ----------
    path : str or Path
        Reader export.
    map : str or Path, optional
        Plate map; without it every well has the role "empty".
    map_origin : str
        Spreadsheet cell that holds well A01 in a map without labels.
    map_unit : str, optional
        Concentration unit where the map carries none.
    plate : str, optional
        Name (barcode) of the plate, needed where the file holds several.
    vehicle, positive_control, comparator : str, optional
        Names that the map uses for the controls.
    molar_masses : mapping of str to float, optional
        g/mol by agonist, for doses in ng/mL; those of the shipped agonists without.

    Returns
    -------
    Plate
        Its `run` is "1": without word to the contrary, plates are one repetition. A study may give another.

    Raises
    ------
    FileFormatError, LayoutError, UnitError
        With every fault of the export or of the map.
    """
    reading = _one_reading(Path(path), read_readings(path), plate)
    if map is None:
        layout = _empty_layout(reading.shape)
    else:
        layout = read_map(
            map,
            shape=reading.shape,
            origin=map_origin,
            unit=map_unit,
            vehicle=vehicle,
            positive_control=positive_control,
            comparator=comparator,
            molar_masses=shipped_molar_masses() if molar_masses is None else molar_masses,
        )
    date = reading.metadata.get("Measurement date")
    return Plate(reading=reading, layout=layout, name=reading.name, run=SINGLE_RUN, date=date)


def _one_reading(path: Path, readings: tuple[Reading, ...], plate: str | None) -> Reading:
    chosen = readings if plate is None else [reading for reading in readings if reading.name == plate]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(f'"{reading.name}"' for reading in readings)
    found = f"{len(readings)} plates: {names}" if plate is None else f'no plate "{plate}" among {names}'
    raise FileFormatError(
        Fault(place=path.name, found=found, expected="one plate, chosen by name", cure="Name one of them as plate.")
    )


def _empty_layout(shape: tuple[int, int]) -> Layout:
    nothing = np.full(shape, "", dtype=object)
    return Layout(
        role=np.full(shape, str(Role.EMPTY), dtype=object),
        agonist=nothing,
        concentration_nM=np.full(shape, np.nan),
        cell_system=nothing,
    )


def _refuse_blank(readings: tuple[Reading, ...], sheets: tuple[Sheet, ...]) -> None:
    blank = [reading.name for reading in readings if not np.isfinite(reading.signal).any()]
    if blank or not readings:
        found = f"no signal at all on {', '.join(blank)}" if blank else "no plate"
        raise FileFormatError(
            Fault(place=sheets[0].file, found=found, expected="signals", cure="Check the measurement, and export it again.")
        )


def _unknown(file: str, recognitions: list[tuple[PlateReader, Recognition]], software: tuple[str, str] | None) -> FileFormatError:
    expected = "; or ".join(reader.expected for reader, _ in recognitions)
    if software:
        found = f"an export of {software[0]}, for which there is no reader ({software[1]})"
        cure = "Export or copy the signals as a table with the columns well and signal, or as a bare grid of the plate's size."
    else:
        reasons = "; ".join(f"{reader.name}: {found.reason}" for reader, found in recognitions if not found.claims)
        found = f"a file that no reader knows ({reasons})"
        cure = "Export it in one of these forms."
    return FileFormatError(Fault(place=file, found=found, expected=expected, cure=cure))
