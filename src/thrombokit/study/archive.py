"""StudyResult <-> a folder of JSON, CSV and Parquet, lossless both ways; report and workbook are made from what is saved.

`results/study.json` holds title and provenance, and which stages ran; each stage has an archive module of its own for
`results/<stage>.json` and its tables. No clock anywhere below `results/`: same inputs and seed, same bytes.
`ro-crate-metadata.json` beside it describes the folder to archives.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thrombokit.domain.estimate import Estimate
from thrombokit.study.archive_cells import cells_document, read_cells, write_cells
from thrombokit.study.archive_patients import patients_document, read_patients, write_patients
from thrombokit.study.archive_plate import plate_document, read_plate, write_plate
from thrombokit.study.archive_signalling import read_signalling, signalling_document, write_signalling
from thrombokit.study.archive_trials import read_trials, trials_document, write_trials
from thrombokit.study.result import Provenance, PublishedComparison, StudyResult
from thrombokit.study.saved import json_text, read_json, to_json, with_values, write_text

STAGES = ("plate", "cells", "signalling", "patients", "trials")
STUDY_SCHEMA, RUN_SCHEMA = "thrombokit.study/1", "thrombokit.run/1"


def stages_of(result: StudyResult) -> list[str]:
    """The stages that ran, in order."""
    return [name for name in STAGES if getattr(result, name) is not None]


def study_document(result: StudyResult) -> dict[str, Any]:
    """What `results/study.json` holds."""
    return {
        "schema": STUDY_SCHEMA, "title": result.title, "synthetic": result.synthetic, "note": result.note,
        "published": result.published, "missing": result.missing, "corrections": result.corrections,
        "show_operator": result.show_operator, "provenance": result.provenance, "stages": stages_of(result),
        "notice": "Research use only. Not for diagnosis or treatment.",
    }  # fmt: skip


def run_document(result: StudyResult) -> dict[str, Any]:
    """What `run --json` prints: the answer, without the big tables; plain JSON values."""
    study = {key: value for key, value in study_document(result).items() if key != "schema"}
    plate = plate_document(result.plate) if result.plate else None
    cells = cells_document(result.cells) if result.cells else None
    signalling = signalling_document(result.signalling) if result.signalling else None
    patients = patients_document(result.patients) if result.patients else None
    trials = trials_document(result.trials) if result.trials else None
    stages = {"plate": plate, "cells": cells, "signalling": signalling, "patients": patients, "trials": trials}
    return to_json({"schema": RUN_SCHEMA, **study, **stages})


def write_results(result: StudyResult, out: str | Path) -> tuple[Path, ...]:
    """Save a result below `out`/results.

    Returns
    -------
    tuple of Path
        The files written, in a fixed order.
    """
    folder = Path(out) / "results"
    folder.mkdir(parents=True, exist_ok=True)
    written = [write_text(folder / "study.json", json_text(study_document(result)))]
    if result.plate is not None:
        written += write_plate(result.plate, folder)
    if result.cells is not None:
        written += write_cells(result.cells, folder)
    if result.signalling is not None:
        written += write_signalling(result.signalling, folder)
    if result.patients is not None:
        written += write_patients(result.patients, folder)
    if result.trials is not None:
        written += write_trials(result.trials, folder)
    return tuple(written)


def read_results(out: str | Path) -> StudyResult:
    """The `StudyResult` saved below `out` by `write_results`.

    Raises
    ------
    FileFormatError
        If a file is missing, damaged or of a schema this version does not know.
    """
    folder = Path(out) / "results"
    study = read_json(folder / "study.json", STUDY_SCHEMA)
    return StudyResult(
        title=study["title"],
        synthetic=study["synthetic"],
        note=study["note"],
        plate=read_plate(folder) if "plate" in study["stages"] else None,
        cells=read_cells(folder) if "cells" in study["stages"] else None,
        signalling=read_signalling(folder) if "signalling" in study["stages"] else None,
        patients=read_patients(folder) if "patients" in study["stages"] else None,
        trials=read_trials(folder) if "trials" in study["stages"] else None,
        published=tuple(
            PublishedComparison(**with_values(p, recovered=Estimate(**p["recovered"]) if p["recovered"] else None))
            for p in study["published"]
        ),
        missing=tuple(study["missing"]),
        corrections=tuple(study["corrections"]),
        provenance=Provenance(**with_values(study["provenance"], inputs=tuple((n, h) for n, h in study["provenance"]["inputs"]))),
        show_operator=study["show_operator"],
    )
