"""TrialsStage <-> `results/trials.json` and its tables, lossless both ways.

For a spreadsheet there is a CSV a table (`trials_estimands.csv`, `trials_by_visit.csv` ...) and the analysis-results data set, every number with
method, options, inputs and version, as `trials_analysis_results.csv` and `.parquet`. In the folder `trials` stand the pictures as Vega-Lite, the
tables as Parquet and `values.json`, from which the stage is read back; trials.json holds their SHA-256.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from thrombokit.errors import Fault, FileFormatError
from thrombokit.study.saved import compact_json, digests_of, json_text, parquet, read_json, read_tables, write_tables, write_text
from thrombokit.study.saved_values import plain, tables_in, typed
from thrombokit.trials.stage import TrialsStage

TRIALS_SCHEMA, VALUES_SCHEMA = "thrombokit.trials/1", "thrombokit.trials_values/1"
VALUES_FILE, INNER, RESULTS_FILE = "values.json", "trials", "trials_analysis_results.parquet"


def trials_document(stage: TrialsStage) -> dict[str, Any]:
    """What `run --json` prints of the stage: figures of arms, without the big tables and the pictures."""
    return {
        "schema": TRIALS_SCHEMA, "title": stage.title, "arms": list(stage.arms), "reference": stage.reference, "confidence": stage.confidence,
        "include_subjects": stage.include_subjects, "summary": stage.summary(), "trial": stage.document or None,
        "medians": plain(stage.medians.to_dicts()), "published": plain(stage.published.to_dicts()), "sources": [plain(one) for one in stage.sources],
        "n_numbers": stage.results.height,
    }  # fmt: skip


def trials_tables(stage: TrialsStage) -> dict[str, pl.DataFrame]:
    """The stage's tables by a word each, those that have rows; units in the column names."""
    tables = {
        "estimands": stage.estimands, "by_visit": stage.by_visit, "flow": stage.flow, "subgroups": stage.subgroups, "curves": stage.curves,
        "medians": stage.medians, "published": stage.published, "analysis_results": stage.results,
    }  # fmt: skip
    return {name: table for name, table in tables.items() if table.height}


def write_trials(stage: TrialsStage, folder: Path) -> list[Path]:
    """Save a stage in `folder`; the files written, in a fixed order."""
    written = write_tables(folder, {f"trials_{name}.csv": table for name, table in trials_tables(stage).items()})
    written += write_tables(folder, {RESULTS_FILE: stage.results})
    inner = folder / INNER
    inner.mkdir(exist_ok=True)
    to_read_back = write_tables(inner, {f"{path}.parquet": table for path, table in tables_in(stage).items()})
    for old in set(inner.glob("*.vl.json")) - {inner / f"{one.key}.vl.json" for one in stage.pictures}:
        old.unlink()  # of an earlier run: a picture of subjects must not outlive its consent
    pictures = [write_text(inner / f"{one.key}.vl.json", compact_json(one.spec)) for one in stage.pictures]
    values = write_text(inner / VALUES_FILE, compact_json({"schema": VALUES_SCHEMA, "values": plain(stage)}))
    document = {**trials_document(stage), "tables": digests_of(to_read_back)}
    return [*written, *to_read_back, *pictures, values, write_text(folder / "trials.json", json_text(document))]


def read_trials(folder: Path) -> TrialsStage:
    """The stage saved in `folder`; a missing, damaged or changed file is a `FileFormatError`."""
    digests: dict[str, str] = read_json(folder / "trials.json", TRIALS_SCHEMA).get("tables", {})
    inner = folder / INNER
    tables = read_tables(inner, dict.fromkeys(digests, parquet), digests)
    by_path = _Tables({name.removesuffix(".parquet"): table for name, table in tables.items()})
    try:
        return typed(TrialsStage, read_json(inner / VALUES_FILE, VALUES_SCHEMA)["values"], tables=by_path)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise FileFormatError(
            Fault(
                place="results/trials.json",
                found=f"a damaged result ({error})",
                expected="the results of a run",
                cure="Run the study again.",
            )
        ) from None


class _Tables(dict[str, pl.DataFrame]):
    """Tables by path; one that was not written because it had no columns is an empty frame."""

    def __missing__(self, path: str) -> pl.DataFrame:
        return pl.DataFrame()
