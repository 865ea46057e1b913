"""SignallingStage <-> `results/signalling.json` and its tables, lossless both ways.

For a spreadsheet there is a CSV a table (`signalling_predictions.csv`, `signalling_dose_time.csv` ...), and the picture is
`signalling_network.svg`. In the folder `signalling` stand the tables as Parquet and `values.json`, from which the stage is read
back; signalling.json holds their SHA-256.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from thrombokit.drawing.network_svg import network_svg
from thrombokit.errors import Fault, FileFormatError
from thrombokit.signalling.anchor import Anchor
from thrombokit.signalling.predictions import predictions_table
from thrombokit.signalling.stage import SignallingStage
from thrombokit.study.saved import compact_json, digests_of, json_text, parquet, read_json, read_tables, write_tables, write_text
from thrombokit.study.saved_values import plain, tables_in, typed

SIGNALLING_SCHEMA, VALUES_SCHEMA = "thrombokit.signalling/1", "thrombokit.signalling_values/1"
VALUES_FILE, INNER, PICTURE_FILE = "values.json", "signalling", "signalling_network.svg"


def signalling_document(stage: SignallingStage) -> dict[str, Any]:
    """What `run --json` prints of the stage: the answer, without the big tables and the picture."""
    rates = stage.fit.rates if stage.fit is not None else ()
    return {
        "schema": SIGNALLING_SCHEMA, "cell_system": stage.cell_system, "hours": stage.hours, "agonists": list(stage.agonists),
        "summary": stage.summary(), "caption": stage.caption, "assumed_share": stage.assumed_share, "anchoring": list(stage.anchoring),
        "anchors": [_anchor(one) for one in stage.anchors], "predictions": predictions_table(stage.predictions).to_dicts(),
        "shifts": plain(stage.shifts.to_dicts()), "combinations": plain(stage.combinations.to_dicts()),
        "fitted_rates": [plain(one) for one in rates], "notes": list(stage.notes),
    }  # fmt: skip


def signalling_tables(stage: SignallingStage) -> dict[str, pl.DataFrame]:
    """The stage's tables by a word each, those that have rows; units in the column names."""
    fit = stage.fit
    tables = {
        "predictions": predictions_table(stage.predictions), "anchors": anchor_table(stage), "dose_time": stage.dose_time,
        "shifts": stage.shifts, "inhibitors": stage.inhibitors, "mutants": stage.mutants, "combinations": stage.combinations,
        "cultures": stage.cultures, "rates": fit.table() if fit is not None else pl.DataFrame(),
        "measured": fit.points if fit is not None else pl.DataFrame(), "measured_fit": fit.quality if fit is not None else pl.DataFrame(),
    }  # fmt: skip
    return {name: table for name, table in tables.items() if table.height}


def anchor_table(stage: SignallingStage) -> pl.DataFrame:
    """One row an anchored agonist: EC50, KA and efficacy in use, their ranges, verdict and message."""
    return pl.DataFrame([_anchor(one) for one in stage.anchors], infer_schema_length=None)


def write_signalling(stage: SignallingStage, folder: Path) -> list[Path]:
    """Save a stage in `folder`; the files written, in a fixed order."""
    written = write_tables(folder, {f"signalling_{name}.csv": table for name, table in signalling_tables(stage).items()})
    if stage.picture is not None:
        written.append(write_text(folder / PICTURE_FILE, network_svg(stage.picture)))
    inner = folder / INNER
    inner.mkdir(exist_ok=True)
    to_read_back = write_tables(inner, {_file_of(path): table for path, table in tables_in(stage).items()})
    values = write_text(inner / VALUES_FILE, compact_json({"schema": VALUES_SCHEMA, "values": plain(stage)}))
    document = {**signalling_document(stage), "tables": digests_of(to_read_back)}
    return [*written, *to_read_back, values, write_text(folder / "signalling.json", json_text(document))]


def read_signalling(folder: Path) -> SignallingStage:
    """The stage saved in `folder`; a missing, damaged or changed file is a `FileFormatError`."""
    digests: dict[str, str] = read_json(folder / "signalling.json", SIGNALLING_SCHEMA).get("tables", {})
    inner = folder / INNER
    tables = read_tables(inner, dict.fromkeys(digests, parquet), digests)
    by_path = _Tables({name.removesuffix(".parquet").replace("__", "."): table for name, table in tables.items()})
    try:
        return typed(SignallingStage, read_json(inner / VALUES_FILE, VALUES_SCHEMA)["values"], tables=by_path)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise FileFormatError(
            Fault(place="results/signalling.json", found=f"a damaged result ({error})", expected="the results of a run",
                  cure="Run the study again.")
        ) from None  # fmt: skip


class _Tables(dict[str, pl.DataFrame]):
    """Tables by path; one that was not written because it had no columns is an empty frame."""

    def __missing__(self, path: str) -> pl.DataFrame:
        return pl.DataFrame()


def _anchor(anchor: Anchor) -> dict[str, Any]:
    used = anchor.binding
    return {
        "agonist": used.agonist, "site": used.site.value, "ec50_nM": anchor.ec50_nM, "affinity_nM": used.affinity_nM,
        "affinity_low_nM": anchor.affinity_nM.low, "affinity_high_nM": anchor.affinity_nM.high, "efficacy": used.efficacy,
        "efficacy_low": anchor.efficacy.low, "efficacy_high": anchor.efficacy.high, "verdict": anchor.verdict, "basis": used.basis,
        "message": anchor.message,
    }  # fmt: skip


def _file_of(path: str) -> str:
    return f"{path.replace('.', '__')}.parquet"
