"""ADTTE, times to an event: CNSR counts the other way round (0 is the event), one parameter at a time, subjects checked against ADSL."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.adam import arm_faults, unknown_subject
from thrombokit.io.adam_subjects import read_adsl
from thrombokit.io.clinical_cells import ClinicalCells, cells_of
from thrombokit.io.clinical_tables import read_clinical_table
from thrombokit.io.fault_lists import condensed
from thrombokit.trials.survival_data import ALL, DroppedRow, EventCoding, SurvivalData, survival_data

ARMS = ("TRTP", "TRTA", "TRT01P", "TRT01A", "ARM")


def read_adtte(
    path: str | Path,
    *,
    adsl: str | Path | None = None,
    param: str | None = None,
    arm: str | None = None,
    strata: tuple[str, ...] = (),
) -> SurvivalData:
    """Times of one parameter of an ADTTE data set.

    Parameters
    ----------
    path : path
        XPT, Dataset-JSON, CSV, Parquet or XLSX with USUBJID, AVAL and CNSR.
    adsl : path, optional
        The subjects; with it, records of subjects who are not there or in another arm are faults.
    param : str, optional
        PARAMCD, where the file holds several.
    arm : str, optional
        Column of the arm; by default the first of TRTP, TRTA, TRT01P, TRT01A, ARM that is there.
    strata : tuple of str
        Columns of this data set.

    Returns
    -------
    SurvivalData
        CNSR 0 is the event, any other value is censored. Records without AVAL or CNSR are listed in `dropped`.

    Raises
    ------
    FileFormatError
        Columns that are not there, several parameters and none chosen, a subject twice, and what the comparison with ADSL finds.
    """
    faults: list[Fault] = []
    cells = cells_of(read_clinical_table(path), ("USUBJID", "AVAL", "CNSR", *strata, *((arm,) if arm else ())), faults)
    raise_all(faults, FileFormatError)
    rows = _rows_of(cells, param)
    faults += _subject_faults(cells, rows)
    if adsl is not None:
        who = read_adsl(adsl)
        faults += [fault for row in rows if (fault := unknown_subject(cells, row, who)) is not None]
        faults += [fault for row in rows for fault in arm_faults(cells, who, range(row, row + 1))]
    column = arm or next((name for name in ARMS if cells.has(name)), None)
    data = _data(cells, rows, column, strata, faults)
    raise_all(condensed(faults), FileFormatError)
    if data is None:
        raise FileFormatError(
            Fault(
                place=cells.table.file, found="no record with a time and CNSR", expected="at least one", cure="Check AVAL and CNSR."
            )
        )
    return data


def _rows_of(cells: ClinicalCells, param: str | None) -> list[int]:
    """Records of the chosen parameter."""
    everything = list(range(len(cells.table.rows)))
    codes = list(dict.fromkeys(cells.text(row, "PARAMCD") for row in everything)) if cells.has("PARAMCD") else [""]
    known = ", ".join(codes)
    if param is None:
        if len(codes) > 1:
            raise FileFormatError(Fault(place=f"{cells.table.file}, PARAMCD", found=f"{len(codes)} parameters: {known}", expected="one, or a choice",
                                        cure="Say which with --param."))  # fmt: skip
        return everything
    if param not in codes:
        cure = did_you_mean(param, codes, otherwise=f"There are: {known}.")
        raise FileFormatError(
            Fault(place=f"{cells.table.file}, PARAMCD", found=f'no "{param}"', expected=f"one of {known}", cure=cure)
        )
    return [row for row in everything if cells.text(row, "PARAMCD") == param]


def _subject_faults(cells: ClinicalCells, rows: list[int]) -> list[Fault]:
    first: dict[str, int] = {}
    faults: list[Fault] = []
    for row in rows:
        name = cells.text(row, "USUBJID")
        if name in first:
            faults.append(Fault(place=cells.place(row), found=f"subject {name} again, after {cells.place(first[name])}",
                                expected="one record a subject and parameter",
                                cure="Delete one of them."))  # fmt: skip
        first.setdefault(name, row)
    return faults


def _data(
    cells: ClinicalCells, rows: list[int], arm: str | None, strata: tuple[str, ...], faults: list[Fault]
) -> SurvivalData | None:
    times, events, arms, words, dropped = list[float](), list[int](), list[str](), list[str](), list[DroppedRow]()
    for row in rows:
        time, censored = cells.number(row, "AVAL", faults), cells.number(row, "CNSR", faults)
        if censored is not None and not (censored >= 0.0 and censored.is_integer()):
            faults.append(Fault(place=cells.place(row, "CNSR"), found=f"{censored:g}", expected="0 for the event, 1 and above for censored",
                                cure="Correct the code; ADaM counts censoring, not events."))  # fmt: skip
        if time is not None and time < 0.0:
            faults.append(
                Fault(place=cells.place(row, "AVAL"), found=f"{time:g}", expected="a time of 0 or more", cure="Correct the time.")
            )
        group, level = cells.text(row, arm) if arm else ALL, [cells.text(row, name) for name in strata]
        lacking = "AVAL" if time is None else "CNSR" if censored is None else "" if group else arm
        lacking = lacking or next((name for name, text in zip(strata, level, strict=True) if not text), "")
        if lacking:
            dropped.append(DroppedRow(row=row + cells.table.first_row, reason=f"missing {lacking}"))
            continue
        times.append(time if time is not None and time >= 0.0 else math.nan)
        events.append(int(censored == 0.0))
        arms.append(group)
        words.append(", ".join(f"{name}={text}" for name, text in zip(strata, level, strict=True)))
    if not times or faults:
        return None
    groups, levels = sorted(set(arms)), sorted(set(words))
    return survival_data(
        time=np.array(times), cause=np.array(events, np.int64), arm=np.array([groups.index(a) for a in arms], np.int64), arms=groups,
        stratum=np.array([levels.index(w) for w in words], np.int64) if strata else None, strata=levels if strata else (ALL,), dropped=dropped,
        coding=EventCoding(rule="CNSR 0 is the event", event="0", censored=("1 and above",)), time_name="AVAL",
    )  # fmt: skip
