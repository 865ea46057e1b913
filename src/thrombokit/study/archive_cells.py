"""CulturesResult <-> `results/cells.json`, its tables and gates, lossless both ways but for the fitted steps' own settings.

What a spreadsheet may want is CSV (`cells_populations.csv`, `cells_potencies.csv` ...), `cells_miflowcyt.json` is the MIFlowCyt record. In
the folder `cells` stand the gates of each control group as Gating-ML 2.0, so that any other program applies the same gates, every table
as Parquet, and in `values.json` what the pictures are drawn from (densities, histograms). cells.json holds the SHA-256 of the tables.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from thrombokit.cells.cultures_result import CulturesResult
from thrombokit.cells.strategy import Group
from thrombokit.cells.tubes import group_words
from thrombokit.domain.ploidy import CLASSES
from thrombokit.errors import Fault, FileFormatError, InputError
from thrombokit.io.gatingml_read import read_gatingml
from thrombokit.io.gatingml_write import write_gatingml
from thrombokit.study.saved import compact_json, digests_of, json_text, parquet, read_json, read_tables, write_tables, write_text
from thrombokit.study.saved_values import plain, tables_in, typed

CELLS_SCHEMA, RECORD_SCHEMA, VALUES_SCHEMA = "thrombokit.cells/1", "thrombokit.miflowcyt/1", "thrombokit.cells_values/1"
RECORD_FILE, VALUES_FILE, INNER = "cells_miflowcyt.json", "values.json", "cells"
_FOR_SPREADSHEETS = {
    "gating.populations": "cells_populations.csv", "gating.stages": "cells_stages.csv", "gating.thresholds": "cells_thresholds.csv",
    "gating.quality": "cells_quality.csv", "gating.by_ploidy": "cells_by_ploidy.csv",
    "gating.warnings": "cells_warnings.csv", "yields": "cells_yields.csv",
    "responses.combined": "cells_potencies.csv", "responses.curves": "cells_fits.csv",
    "yield_responses.combined": "cells_yield_potencies.csv", "ploidy_response.combined": "cells_ploidy_shifts.csv",
}  # fmt: skip
PLOIDY_FILE = "cells_ploidy.csv"


def cells_document(result: CulturesResult) -> dict[str, Any]:
    """What `run --json` prints of the cells stage: the answer, without tables, densities and histograms."""
    return {
        "schema": CELLS_SCHEMA, "confidence": result.confidence, "comparator": result.comparator, "locked": result.locked,
        "summary": result.summary(), "notes": list(result.notes), "excluded": [list(one) for one in result.excluded],
        "spillover": [{"panel": one.panel, "origin": one.origin} for one in result.spillover],
        "potencies": result.responses.combined.to_dicts() if result.responses else [],
        "yield_potencies": result.yield_responses.combined.to_dicts() if result.yield_responses else [],
        "ploidy": [{"tube": one.tube, "donor": one.donor, **one.ploidy.to_dict()} for one in result.ploidy],
        "ploidy_shifts": result.ploidy_response.combined.to_dicts() if result.ploidy_response else [],
        "warnings": result.gating.warnings.to_dicts(),
    }  # fmt: skip


def write_cells(result: CulturesResult, folder: Path) -> list[Path]:
    """Save a cells result in `folder`; the files written, in a fixed order."""
    tables = tables_in(result)
    for_spreadsheets = {name: tables[path] for path, name in _FOR_SPREADSHEETS.items() if path in tables}
    written = write_tables(folder, {**for_spreadsheets, PLOIDY_FILE: ploidy_rows(result)})
    inner = folder / INNER
    inner.mkdir(exist_ok=True)
    to_read_back = write_tables(inner, {_file_of(path): table for path, table in tables.items()})
    gates = _write_gates(result, inner)
    record = write_text(folder / RECORD_FILE, json_text(result.record))
    bare = replace(result, gating=replace(result.gating, fitted={}), gates={}, record={})
    document = {
        **cells_document(result), "gates": [[name, list(group)] for name, group in gates.items()], "tables": digests_of(to_read_back),
    }  # fmt: skip
    values = write_text(inner / VALUES_FILE, compact_json({"schema": VALUES_SCHEMA, "values": plain(bare)}))
    whole = write_text(folder / "cells.json", json_text(document))
    return [*written, *to_read_back, *(inner / name for name in gates), record, values, whole]


def write_cells_folder(result: CulturesResult, out: str | Path) -> list[str]:
    """Save a cells result in a folder of its own; the files written, relative to it.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [path.relative_to(folder).as_posix() for path in write_cells(result, folder)]
    except OSError as error:
        fault = Fault(
            place="--out", found=f"a place that cannot be written ({error.strerror})", expected="a folder with room and permission",
            cure="Choose another folder.",
        )  # fmt: skip
        raise InputError(fault) from None


def read_cells(folder: Path) -> CulturesResult:
    """The cells result saved in `folder`; a missing, damaged or changed file is a `FileFormatError`."""
    document = read_json(folder / "cells.json", CELLS_SCHEMA)
    digests: dict[str, str] = document.get("tables", {})
    names = {path: _file_of(path) for path in _table_paths(digests)}
    inner = folder / INNER
    tables = read_tables(inner, dict.fromkeys(names.values(), parquet), digests)
    by_path = _Tables({path: tables[name] for path, name in names.items()})
    try:
        result = typed(CulturesResult, read_json(inner / VALUES_FILE, VALUES_SCHEMA)["values"], tables=by_path)
        groups = {name: _group(parts) for name, parts in document["gates"]}
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise FileFormatError(
            Fault(place="results/cells.json", found=f"a damaged result ({error})", expected="the results of a run",
                  cure="Run the study again.")
        ) from None  # fmt: skip
    gates = {group: read_gatingml(inner / name) for name, group in groups.items()}
    return replace(result, gates=gates, record=read_json(folder / RECORD_FILE, RECORD_SCHEMA))


def ploidy_rows(result: CulturesResult) -> pl.DataFrame:
    """One row a tube with a DNA dye: what the sheet says, verdict, shares of the classes with intervals, mean ploidy, 8N and more."""
    rows = [
        {
            "tube": one.tube, "donor": one.donor, "day_d": one.day_d, "panel": one.panel, "role": one.role, "agonist": one.agonist,
            "concentration_nM": one.concentration_nM, "cell_source": one.cell_source, "verdict": one.ploidy.verdict,
            **{
                f"{name}{end}": value
                for name in CLASSES
                for end, value in zip(("", "_low", "_high"), one.ploidy.class_estimate(name).to_dict().values(), strict=True)
            },
            **{key: one.ploidy.to_dict()[key] for key in ("mean_ploidy", "mean_ploidy_low", "mean_ploidy_high", "ge8N", "ge8N_low", "ge8N_high")},
            "octave": one.ploidy.octave, "n_cells": one.ploidy.n_cells, "message": one.ploidy.message,
        }
        for one in result.ploidy
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()


class _Tables(dict[str, pl.DataFrame]):
    """Tables by path; one that was not written because it had no columns is an empty frame."""

    def __missing__(self, path: str) -> pl.DataFrame:
        return pl.DataFrame()


def _file_of(path: str) -> str:
    return f"{path.replace('.', '__')}.parquet"


def _table_paths(digests: dict[str, str]) -> list[str]:
    return [name.removesuffix(".parquet").replace("__", ".") for name in digests]


def _write_gates(result: CulturesResult, folder: Path) -> dict[str, Group]:
    """The gates of each control group, a file each; its name says which."""
    for old in folder.glob("gates_*.xml"):
        old.unlink()
    written: dict[str, Group] = {}
    for number, (group, tree) in enumerate(result.gates.items(), 1):
        words = re.sub(r"[^A-Za-z0-9]+", "-", group_words(group)).strip("-")[:60]
        name = f"gates_{number:02d}_{words}.xml"
        write_gatingml(tree, folder / name)
        written[name] = group
    return written


def _group(parts: list[Any]) -> Group:
    donor, plate, day_d, panel = parts
    return (donor, plate, day_d, panel)
