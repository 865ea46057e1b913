"""PerkinElmer EnVision exports, CSV or the same form in a workbook.

Each result stands in a section that opens with "Plate information" (barcode, date, temperatures) and closes with a grid: either
labelled (",01,02,.." above, "A", "B" beside), or bare, one line per plate row from A down. In a bare grid the position gives the
well, so lines of commas only are rows of the plate. The measured results of a plate are its reading; results that the instrument
calculated from them (crosstalk, background) are left out, and a note says so. Background signals are noted and not subtracted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.plate_readers.envision_grid import GridCells, bare_grid, labelled_grid
from thrombokit.io.plate_readers.reader import PlateReader, Recognition
from thrombokit.io.plate_readers.signals import read_signals
from thrombokit.io.tables import Sheet
from thrombokit.io.well_grids import find_labelled_grids, unclaimed_rows
from thrombokit.plate.plate import Reading

_FOOTERS = ("basic assay information", "protocol information", "exported with")
_CURE = "Export the plate again from EnVision, and do not edit the file."


@dataclass(frozen=True, kw_only=True)
class _Result:
    """One grid of one section."""

    sheet: Sheet
    info: dict[str, str]
    title: str
    grid: GridCells

    @property
    def calculated(self) -> bool:
        return self.title.lower().startswith("calculated") or ("Formula" in self.info and "Label" not in self.info)

    def name(self, *, full: bool) -> str:
        plate = f"plate {self.info.get('Plate', '?')}"
        barcode = self.info.get("Barcode") or f"{self.sheet.file.rsplit('.', 1)[0]} {plate}"
        details = (plate, f"repeat {self.info.get('Repeat', '?')}", self.info.get("Label", ""), self.title)
        return f"{barcode} ({', '.join(d for d in details if d)})" if full else barcode


def recognise(sheets: tuple[Sheet, ...]) -> Recognition:
    """Yes if a line "Plate information" stands above a line with "Plate" and "Barcode"."""
    for sheet in sheets:
        for row in _section_starts(sheet):
            titles = {sheet.text(row + 1, column) for column in sheet.filled(row + 1)}
            if {"Plate", "Barcode"} <= titles:
                return Recognition(
                    claims=True, reason=f'{sheet.place(row)} opens with "Plate information" and names a barcode below'
                )
    return Recognition(claims=False, reason='no line "Plate information" above a line with "Plate" and "Barcode"')


def read(sheets: tuple[Sheet, ...]) -> tuple[Reading, ...]:
    """One reading per measured plate, named by its barcode.

    Parameters
    ----------
    sheets : tuple of Sheet
        The export.

    Returns
    -------
    tuple of Reading
        Signals as counted, before any calculation by the instrument. Where a barcode was measured more than once, the name also
        tells plate, repeat and label, so that none is chosen silently.

    Raises
    ------
    FileFormatError
        If a grid is not of a plate's size, a cell is no number, or a section holds no results.
    """
    results: list[_Result] = []
    faults: list[Fault] = []
    for sheet in sheets:
        assay = _assay_information(sheet)
        for start, end in _sections(sheet):
            try:
                results.extend(_results(sheet, start, end, assay))
            except FileFormatError as error:
                faults.extend(error.faults)
    measured = [result for result in results if not result.calculated]
    kept = measured or results
    readings: list[Reading] = []
    counts = Counter(result.name(full=False) for result in kept)
    for result in kept:
        signals = read_signals(result.sheet, result.grid.cells, result.grid.shape)
        faults.extend(signals.faults)
        notes = (*_notes(result, results, kept), *signals.notes)
        readings.append(
            Reading(
                name=result.name(full=counts[result.name(full=False)] > 1),
                signal=signals.signal,
                source=result.sheet.file,
                reader="envision",
                metadata=result.info,
                notes=notes,
            )
        )
    raise_all(condensed(faults), FileFormatError)
    return _distinct(readings)


READER = PlateReader(
    name="envision",
    expected='a PerkinElmer EnVision export ("Plate information" with a barcode, then the grid)',
    recognise=recognise,
    read=read,
)


def _distinct(readings: list[Reading]) -> tuple[Reading, ...]:
    repeated = [name for name, count in Counter(reading.name for reading in readings).items() if count > 1]
    faults = [
        Fault(
            place=readings[0].source,
            found=f"{name!r} measured more than once, with nothing to tell the results apart",
            expected="one result per plate, or results that differ in plate, repeat or label",
            cure="Export the results you want in a file of their own.",
        )
        for name in repeated
    ]
    raise_all(faults, FileFormatError)
    return tuple(readings)


def _section_starts(sheet: Sheet) -> list[int]:
    return [row for row in range(sheet.n_rows) if sheet.text(row, 0).lower() == "plate information"]


def _sections(sheet: Sheet) -> list[tuple[int, int]]:
    starts = _section_starts(sheet)
    footers = [row for row in range(sheet.n_rows) if sheet.text(row, 0).lower().startswith(_FOOTERS)]
    ends = sorted([*starts, *footers, sheet.n_rows])
    return [(start, next(end for end in ends if end > start)) for start in starts]


def _results(sheet: Sheet, start: int, end: int, assay: dict[str, str]) -> list[_Result]:
    info, top = _information(sheet, start, end)
    grids = find_labelled_grids(sheet, top, end)
    if not grids:
        title = ""
        if len(sheet.filled(top)) == 1 and sheet.text(top, 0).lower().startswith(("results", "calculated")):
            title, top = sheet.text(top, 0), top + 1
        return [_Result(sheet=sheet, info=info | assay, title=title, grid=bare_grid(sheet, top, end))]
    lost = [
        Fault(
            place=sheet.place(row),
            found="numbers in a line without a row letter",
            expected="a row letter in front of every line",
            cure=_CURE,
        )
        for row in unclaimed_rows(sheet, grids, top, end)
    ]
    raise_all([*lost, *(fault for grid in grids for fault in grid.faults())], FileFormatError)
    return [_Result(sheet=sheet, info=info | assay, title=grid.title, grid=labelled_grid(grid)) for grid in grids]


def _information(sheet: Sheet, start: int, end: int) -> tuple[dict[str, str], int]:
    """What the section says of its plate, and the row where its results may begin."""
    info = _pairs(sheet, start + 1)
    row = start + 3
    if sheet.filled(row) and row < end:
        fault = Fault(
            place=sheet.place(row), found="a line of contents", expected="an empty line below the plate information", cure=_CURE
        )
        raise FileFormatError(fault)
    row += 1
    if sheet.text(row, 0).lower() == "background information":
        background = _pairs(sheet, row + 1)
        info["Background signal"] = background.get("Signal", "")
        while row < end and sheet.filled(row):
            row += 1
        row += 1
    return {key: value for key, value in info.items() if value and value != "N/A"}, row


def _pairs(sheet: Sheet, titles: int) -> dict[str, str]:
    return {sheet.text(titles, column): sheet.text(titles + 1, column) for column in sheet.filled(titles)}


def _assay_information(sheet: Sheet) -> dict[str, str]:
    """ "Protocol Name: , , , , CTG" and its like below "Basic assay information"."""
    found: dict[str, str] = {}
    start = next((row for row in range(sheet.n_rows) if sheet.text(row, 0).lower() == "basic assay information"), sheet.n_rows)
    for row in range(start + 1, sheet.n_rows):
        filled = sheet.filled(row)
        if not filled:
            break
        if len(filled) == 2 and sheet.text(row, filled[1]) != "N/A":
            found[sheet.text(row, filled[0]).rstrip(": ")] = sheet.text(row, filled[1])
    return found


def _notes(result: _Result, results: list[_Result], kept: list[_Result]) -> tuple[str, ...]:
    same = [r for r in results if r.name(full=False) == result.name(full=False) and r not in kept]
    notes = (
        [f"results calculated by the instrument were left out: {'; '.join(r.title or r.info.get('Formula', '?') for r in same)}"]
        if same
        else []
    )
    if result.calculated:
        notes.append(f"these are results calculated by the instrument: {result.title or result.info.get('Formula', '?')}")
    if "Background signal" in result.info:
        notes.append(f"background signal {result.info['Background signal']} as exported, not subtracted")
    if result.grid.note:
        notes.append(result.grid.note)
    return tuple(notes)
