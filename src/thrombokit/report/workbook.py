"""StudyResult -> tables.xlsx: the same numbers as the page, unrounded, for those who go on in a spreadsheet.

Text stays text: a compound named "=1+1" is no formula and a web address no link. A missing value is an empty cell. The file's
creation date is fixed, so that the same result gives the same bytes.
"""

from __future__ import annotations

import datetime
import io
import math
from pathlib import Path

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from thrombokit.cells.cultures_result import CulturesResult
from thrombokit.plate.tables import QUALITY_SCHEMA, RATIO_SCHEMA, quality_table, ratio_table
from thrombokit.report.sentences import answer_sentences, published_sentence
from thrombokit.report.study_text import shareable_study_text
from thrombokit.report.tables import POTENCY_SCHEMA, potency_table, published_table
from thrombokit.study.archive_cells import ploidy_rows
from thrombokit.study.archive_patients import patients_tables
from thrombokit.study.archive_signalling import signalling_tables
from thrombokit.study.archive_trials import trials_tables
from thrombokit.study.result import StudyResult

CREATED = datetime.datetime(2000, 1, 1)
CELL_TEXT_MAX = 32767
"""Longest text an Excel cell holds."""
NUMBER_FORMAT = "0.0000"
SCIENTIFIC_FORMAT = "0.000E+00"


def write_workbook(result: StudyResult, path: Path) -> Path:
    """Write all tables of a study as one workbook.

    Parameters
    ----------
    result : StudyResult
        The saved result of a study.
    path : Path
        Where to write, for example `OUT/tables.xlsx`; folders are made, an older workbook is replaced.

    Returns
    -------
    Path
        `path`, as given. Sheets: answer, potencies, ratios, fits, growth (with day-0 plates), quality, wells, published, those of the
        other stages under the stage's name, provenance.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False}
    content = io.BytesIO()  # in memory, so that nothing but the output folder has to be writable
    with xlsxwriter.Workbook(content, {**options, "in_memory": True}) as book:
        book.set_properties({"created": CREATED, "title": result.title, "comments": "Synthetic data." if result.synthetic else ""})
        _write_answer(book, result)
        for name, frame in _frames(result).items():
            _write_frame(book, name, frame)
        _write_provenance(book, result)
    path.write_bytes(content.getvalue())
    return path


def _frames(result: StudyResult) -> dict[str, pl.DataFrame]:
    cells = _cells_frames(result.cells) if result.cells is not None else {}
    signalling = signalling_tables(result.signalling) if result.signalling is not None else {}
    named = {f"signalling {name.replace('_', ' ')}": table for name, table in signalling.items()}
    trials = trials_tables(result.trials) if result.trials is not None else {}
    named |= {f"trials {name.replace('_', ' ')}": table for name, table in trials.items()}
    patients = patients_tables(result.patients) if result.patients is not None else {}
    named |= {f"patients {name.replace('_', ' ')}": table for name, table in patients.items()}
    return {**_plate_frames(result), **cells, **named}


def _cells_frames(cells: CulturesResult) -> dict[str, pl.DataFrame]:
    """The cells' tables, those that hold something."""
    gating, responses = cells.gating, cells.responses
    frames = {
        "cells potencies": responses.combined if responses is not None else pl.DataFrame(),
        "cells fits": responses.curves if responses is not None else pl.DataFrame(),
        "cells stages": gating.stages,
        "cells populations": gating.populations,
        "cells thresholds": gating.thresholds,
        "cells ploidy": ploidy_rows(cells),
        "cells ploidy shifts": cells.ploidy_response.combined if cells.ploidy_response is not None else pl.DataFrame(),
        "cells yields": cells.yields,
        "cells quality": gating.quality,
        "cells warnings": gating.warnings,
    }
    return {name: frame for name, frame in frames.items() if frame.height}


def _plate_frames(result: StudyResult) -> dict[str, pl.DataFrame]:
    plate = result.plate
    if plate is None:
        if any(one is not None for one in (result.cells, result.signalling, result.patients, result.trials)):
            return {}
        empty = {"potencies": POTENCY_SCHEMA, "ratios": RATIO_SCHEMA, "quality": QUALITY_SCHEMA}
        frames = {name: pl.DataFrame(schema=schema) for name, schema in empty.items()}
        return {**frames, "fits": pl.DataFrame(), "wells": pl.DataFrame(), "published": published_table(result.published)}
    return {
        "potencies": potency_table(plate),
        "ratios": ratio_table(plate),
        "fits": plate.fits,
        **({"growth": plate.growth} if plate.growth.height else {}),
        "quality": quality_table(plate) if result.show_operator else quality_table(plate).drop("operator"),
        "wells": plate.wells,
        "published": published_table(result.published),
    }


def _write_answer(book: Workbook, result: StudyResult) -> None:
    """Title, synthetic or not, the answer in sentences, published values, and what the work is not for."""
    sheet = book.add_worksheet("answer")
    wrapped, heading = book.add_format({"text_wrap": True, "valign": "top"}), book.add_format({"bold": True, "font_size": 14})
    confidence = result.plate.confidence if result.plate is not None else 0.95
    lines = ["Research use only. Not for diagnosis or treatment."]
    lines += (
        ["Synthetic data: every signal in this study was made by a generator; nothing here was measured."]
        if result.synthetic
        else []
    )
    lines += [result.note] if result.note else []
    lines += answer_sentences(result)
    lines += [published_sentence(one, confidence=confidence) for one in result.published]
    lines += [f"Correction to the guide: {correction}" for correction in result.corrections]
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, result.title[:CELL_TEXT_MAX], heading)
    for row, line in enumerate(lines, start=1):
        sheet.write_string(row, 0, line[:CELL_TEXT_MAX], wrapped)


def _write_frame(book: Workbook, name: str, frame: pl.DataFrame) -> None:
    """One sheet a table: frozen header, a filter, columns as wide as their heading."""
    sheet = book.add_worksheet(name)
    header = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF5FA"})
    plain, tiny = book.add_format({"num_format": NUMBER_FORMAT}), book.add_format({"num_format": SCIENTIFIC_FORMAT})
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(frame.columns):
        sheet.write_string(0, column, title, header)
        sheet.set_column(column, column, min(max(len(title) + 3, 11), 40))
        for row, value in enumerate(frame[title].to_list(), start=1):
            _write_cell(sheet, row, column, value, plain, tiny)
    if frame.width:
        sheet.autofilter(0, 0, frame.height, frame.width - 1)


def _write_cell(sheet: Worksheet, row: int, column: int, value: object, plain: Format, tiny: Format) -> None:
    """Numbers as numbers, text as text whatever it begins with, nothing where there is no value."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int):
        sheet.write_number(row, column, value)
    elif isinstance(value, float):
        sheet.write_number(row, column, value, plain if abs(value) == 0.0 or 1e-2 <= abs(value) < 1e7 else tiny)
    elif str(value):
        sheet.write_string(row, column, str(value)[:CELL_TEXT_MAX])


def _write_provenance(book: Workbook, result: StudyResult) -> None:
    made = result.provenance
    rows: list[tuple[str, str, str]] = [("thrombokit", "version", made.thrombokit_version), ("study", "seed", str(made.seed))]
    rows += [("study", "synthetic", "yes" if result.synthetic else "no")]
    rows += [("package", name, version) for name, version in sorted(made.versions.items())]
    rows += [("input", name, digest) for name, digest in made.inputs]
    rows += [("missing export", name, "") for name in result.missing]
    study_text = shareable_study_text(made.study_toml, show_operator=result.show_operator)
    rows += [("study.toml", f"line {number}", line) for number, line in enumerate(study_text.splitlines(), start=1)]
    _write_frame(book, "provenance", pl.DataFrame(rows, schema=["kind", "name", "value"], orient="row"))
