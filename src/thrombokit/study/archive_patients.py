"""PatientsStage <-> `results/patients.json` and its tables, lossless both ways.

For a spreadsheet there are CSV tables over patients (`patients_weeks.csv`, `patients_measures.csv`, `patients_reasons.csv` ...) and the subject's
own parameters of a non-compartmental analysis. Patient by patient, decision by decision, the answer stands in the folder `patients` as
Parquet (`ledger.parquet`, `courses.parquet`, `members.parquet`), with `values.json` beside, from which the stage is read back; patients.json
holds their SHA-256.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from thrombokit.errors import Fault, FileFormatError
from thrombokit.patients.stage import PatientsStage
from thrombokit.study.saved import compact_json, digests_of, json_text, parquet, read_json, read_tables, write_tables, write_text
from thrombokit.study.saved_values import plain, tables_in, typed

PATIENTS_SCHEMA, VALUES_SCHEMA = "thrombokit.patients/1", "thrombokit.patients_values/1"
VALUES_FILE, INNER = "values.json", "patients"
CSV_TABLES = (
    "weeks",
    "measures",
    "reasons",
    "near_ties",
    "event_rows",
    "event_ledger",
    "nca_statistics",
    "nca_parameters",
    "draws",
)
"""Tables that also stand as CSV beside patients.json."""


def patients_document(stage: PatientsStage) -> dict[str, Any]:
    """What `run --json` prints of the stage: the answer, without single patients."""
    return {
        "schema": PATIENTS_SCHEMA, "summary": stage.summary(), "seed": stage.seed,
        "low_1e9_per_L": stage.counts_in.low, "high_1e9_per_L": stage.counts_in.high, "above_1e9_per_L": stage.counts_in.above,
        "confidence": stage.confidence, "arms": [plain(arm) for arm in stage.arms], "weeks": plain(stage.weeks.to_dicts()),
        "measures": plain(stage.measures.to_dicts()), "reasons": stage.reasons.to_dicts(),
        "events": [plain(run) for run in stage.events], "profiles": [plain(run) for run in stage.profiles],
        "nca_statistics": plain(stage.nca_statistics.to_dicts()), "draws": plain(stage.draws.to_dicts()), "notes": list(stage.notes),
        "notice": "Simulated. Research use only. Not for diagnosis or treatment.",
    }  # fmt: skip


def patients_tables(stage: PatientsStage) -> dict[str, pl.DataFrame]:
    """Tables over patients by a word each, those that have rows: nothing in them is of a single subject."""
    tables = {
        "arms": arms_table(stage), "weeks": stage.weeks, "measures": stage.measures, "reasons": stage.reasons,
        "nca": stage.nca_statistics, "draws": stage.draws,
    }  # fmt: skip
    return {name: table for name, table in tables.items() if table.height}


def arms_table(stage: PatientsStage) -> pl.DataFrame:
    """A row an arm: what was run, by which engine with which error, what it rests on, and its decisions counted."""
    rows = [
        {
            "arm": arm.name, "model": arm.model_file, "regimen": arm.regimen_title, "population": arm.population,
            "criterion": arm.criterion, "patients": arm.patients, "weeks": arm.weeks, "draws_per_patient": arm.draws_mean,
            "engine": arm.engine, "stated_error": arm.stated_error, "decisions": arm.decisions, "changes": arm.changes,
            "near_ties": arm.near_ties, "rescued_patients": arm.rescued_patients, "dropped_out": arm.dropped_out, "tiers": arm.tier_words,
            "frozen_sets": "; ".join(one.words for one in arm.parameter_sets), "draws": arm.draws,
        }
        for arm in stage.arms
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def write_patients(stage: PatientsStage, folder: Path) -> list[Path]:
    """Save a stage in `folder`; the files written, in a fixed order."""
    tables = {f"patients_{name}.csv": getattr(stage, name) for name in CSV_TABLES}
    written = write_tables(folder, {name: table if table.height else pl.DataFrame() for name, table in tables.items()})
    inner = folder / INNER
    inner.mkdir(exist_ok=True)
    to_read_back = write_tables(inner, {f"{name}.parquet": table for name, table in tables_in(stage).items()})
    values = write_text(inner / VALUES_FILE, compact_json({"schema": VALUES_SCHEMA, "values": plain(stage)}))
    document = {**patients_document(stage), "tables": digests_of(to_read_back)}
    return [*written, *to_read_back, values, write_text(folder / "patients.json", json_text(document))]


def read_patients(folder: Path) -> PatientsStage:
    """The stage saved in `folder`; a missing, damaged or changed file is a `FileFormatError`."""
    digests: dict[str, str] = read_json(folder / "patients.json", PATIENTS_SCHEMA).get("tables", {})
    inner = folder / INNER
    tables = read_tables(inner, dict.fromkeys(digests, parquet), digests)
    by_name = {name.removesuffix(".parquet"): table for name, table in tables.items()}
    try:
        document = read_json(inner / VALUES_FILE, VALUES_SCHEMA)["values"]
        for arm in document["arms"]:  # results written before arms could be run under frozen sets
            arm.update({name: value for name, value in WITHOUT_DRAWS.items() if name not in arm})
        empty = {name: pl.DataFrame() for name in TABLES if name not in by_name}
        return typed(PatientsStage, document, tables=by_name | empty)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise FileFormatError(
            Fault(place="results/patients.json", found=f"a damaged result ({error})", expected="the results of a run",
                  cure="Run the study again.")
        ) from None  # fmt: skip


WITHOUT_DRAWS: dict[str, Any] = {"parameter_sets": [], "draws": 0, "said_of_draws": None}
"""What an arm holds that was run with its model file alone."""
TABLES = (
    "weeks", "measures", "reasons", "ledger", "near_ties", "courses", "members", "event_rows", "event_ledger", "nca_statistics",
    "nca_parameters", "draws",
)  # fmt: skip
"""The stage's tables; one without columns has no file."""
