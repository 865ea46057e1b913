"""StudyResult <-> a folder of JSON, CSV and Parquet, lossless both ways; report and workbook are made from what is saved.

`results/study.json` title and provenance; `results/plate.json` quality, potencies, ratios; `results/plate_fits.csv`,
`plate_quality.csv`, `plate_potencies.csv`, `plate_ratios.csv` and, with day-0 plates, `plate_growth.csv` for a spreadsheet;
`results/plate_wells.parquet` and `plate_curves.parquet`. No clock anywhere below `results/`: same inputs and seed, same bytes.
`ro-crate-metadata.json` beside it describes the folder to archives.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import polars as pl

from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Assay, Potency
from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.plate.result import PlateQuality, PlateResult, PotencyRatio, QualityCheck
from thrombokit.plate.tables import quality_table, ratio_table
from thrombokit.study.result import Provenance, PublishedComparison, StudyResult

STUDY_SCHEMA, PLATE_SCHEMA, RUN_SCHEMA = "thrombokit.study/1", "thrombokit.plate/1", "thrombokit.run/1"
GROWTH_FILE = "plate_growth.csv"
_WHOLE_NUMBERS = ("n_points", "n_excluded")
_TEXT_COLUMNS = (
    "plate", "agonist", "cell_system", "run", "verdict", "bound_side", "open_plateau", "interval_method", "model", "message",
    "response_unit", "outcome", "qualifier", "day0_plate", "gr_message",
)  # fmt: skip


def to_json(value: Any) -> Any:
    """Dataclasses, tuples and enums as plain JSON values; what is not finite becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {key: to_json(item) for key, item in asdict(value).items()}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(value: dict[str, Any]) -> str:
    """Indented JSON with a final newline; never NaN or Infinity."""
    return json.dumps(to_json(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def study_document(result: StudyResult) -> dict[str, Any]:
    """What `results/study.json` holds."""
    return {
        "schema": STUDY_SCHEMA, "title": result.title, "synthetic": result.synthetic, "note": result.note,
        "published": result.published, "missing": result.missing, "corrections": result.corrections,
        "show_operator": result.show_operator, "provenance": result.provenance, "stages": ["plate"] if result.plate else [],
        "notice": "Research use only. Not for diagnosis or treatment.",
    }  # fmt: skip


def run_document(result: StudyResult) -> dict[str, Any]:
    """What `run --json` prints: the answer, without the big tables; plain JSON values."""
    study = {key: value for key, value in study_document(result).items() if key != "schema"}
    plate = plate_document(result.plate) if result.plate else None
    return to_json({"schema": RUN_SCHEMA, **study, "plate": plate})


def plate_document(plate: PlateResult) -> dict[str, Any]:
    """What `results/plate.json` holds: everything but the big tables."""
    return {
        "schema": PLATE_SCHEMA, "confidence": plate.confidence, "comparator": plate.comparator, "response_unit": plate.response_unit,
        "potencies": plate.potencies, "ratios": plate.ratios, "quality": plate.quality, "growth_potencies": plate.growth_potencies,
        "growth_ratios": plate.growth_ratios, "growth_notes": plate.growth_notes,
    }  # fmt: skip


def write_results(result: StudyResult, out: str | Path) -> tuple[Path, ...]:
    """Save a result below `out`/results.

    Returns
    -------
    tuple of Path
        The files written, in a fixed order.
    """
    folder = Path(out) / "results"
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(folder / "study.json", json_text(study_document(result)))]
    if result.plate is not None:
        plate = result.plate
        for name, table in (
            ("plate_fits.csv", plate.fits), ("plate_quality.csv", quality_table(plate)), ("plate_potencies.csv", plate.table()),
            ("plate_ratios.csv", ratio_table(plate)),
        ):  # fmt: skip
            table.write_csv(folder / name)
            written.append(folder / name)
        for name, table in (("plate_wells.parquet", plate.wells), ("plate_curves.parquet", plate.curves)):
            table.write_parquet(folder / name, compression="zstd", statistics=False)
            written.append(folder / name)
        _write_growth(plate, folder, written)
        digests = {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _TABLES_READ if (folder / name) in written
        }
        written.append(_write(folder / "plate.json", json_text({**plate_document(plate), "tables": digests})))
    return tuple(written)


def _write_growth(plate: PlateResult, folder: Path, written: list[Path]) -> None:
    """`plate_growth.csv` where there are growth rates; else none, also of an earlier run."""
    path = folder / GROWTH_FILE
    if plate.growth.height:
        plate.growth.write_csv(path)
        written.append(path)
    else:
        path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def read_results(out: str | Path) -> StudyResult:
    """The `StudyResult` saved below `out` by `write_results`.

    Raises
    ------
    FileFormatError
        If a file is missing, damaged or of a schema this version does not know.
    """
    folder = Path(out) / "results"
    study = _read_json(folder / "study.json", STUDY_SCHEMA)
    return StudyResult(
        title=study["title"],
        synthetic=study["synthetic"],
        note=study["note"],
        plate=_read_plate(folder) if "plate" in study["stages"] else None,
        published=tuple(
            PublishedComparison(**_with(p, recovered=Estimate(**p["recovered"]) if p["recovered"] else None))
            for p in study["published"]
        ),
        missing=tuple(study["missing"]),
        corrections=tuple(study["corrections"]),
        provenance=Provenance(**_with(study["provenance"], inputs=tuple((n, h) for n, h in study["provenance"]["inputs"]))),
        show_operator=study["show_operator"],
    )


def _with(document: dict[str, Any], **replaced: Any) -> dict[str, Any]:
    """A JSON object with some of its values put back into their types."""
    return {**document, **replaced}


def _read_json(path: Path, schema: str) -> dict[str, Any]:
    place = f"results/{path.name}"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileFormatError(
            Fault(
                place=place,
                found="no such file",
                expected="the results of a run",
                cure="Run the study first: thrombokit run STUDY --out DIR.",
            )
        ) from None
    except ValueError as error:
        raise FileFormatError(
            Fault(place=place, found=f"damaged JSON ({error})", expected="the results of a run", cure="Run the study again.")
        ) from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != schema:
        raise FileFormatError(
            Fault(place=place, found=f"schema {found!r}", expected=schema, cure="Run the study again with this version.")
        )
    return document


def _read_plate(folder: Path) -> PlateResult:
    document = _read_json(folder / "plate.json", PLATE_SCHEMA)
    tables = _read_tables(folder, document.get("tables", {}))
    return PlateResult(
        wells=tables["plate_wells.parquet"],
        fits=tables["plate_fits.csv"],
        curves=tables["plate_curves.parquet"],
        quality=tuple(PlateQuality(**_with(q, checks=tuple(QualityCheck(**c) for c in q["checks"]))) for q in document["quality"]),
        potencies=tuple(_potency(p) for p in document["potencies"]),
        ratios=tuple(_ratio(r) for r in document["ratios"]),
        response_unit=document["response_unit"],
        comparator=document["comparator"],
        confidence=document["confidence"],
        growth=tables.get(GROWTH_FILE, pl.DataFrame()),
        growth_potencies=tuple(_potency(p) for p in document.get("growth_potencies", [])),
        growth_ratios=tuple(_ratio(r) for r in document.get("growth_ratios", [])),
        growth_notes=tuple(document.get("growth_notes", [])),
    )


def _potency(document: dict[str, Any]) -> Potency:
    left_out = tuple((run, why) for run, why in document["runs_left_out"])
    typed = {"assay": Assay(**document["assay"]), "ec50_nM": Estimate(**document["ec50_nM"]), "runs_left_out": left_out}
    lists = {"runs_used": tuple(document["runs_used"]), "run_ec50_nM": tuple(document["run_ec50_nM"])}
    intervals = tuple((low, high) for low, high in document.get("run_intervals_nM", []))
    return Potency(**_with(document, **typed, **lists, run_intervals_nM=intervals))


def _ratio(document: dict[str, Any]) -> PotencyRatio:
    typed: dict[str, Any] = {"assay": Assay(**document["assay"]), "ratio": Estimate(**document["ratio"])}
    typed |= {name: Estimate(**document[name]) for name in ("relative_potency", "emax_ratio") if document.get(name)}
    return PotencyRatio(
        **_with(document, **typed, runs_used=tuple(document["runs_used"]), run_ratios=tuple(document["run_ratios"]))
    )


def _read_tables(folder: Path, digests: dict[str, str]) -> dict[str, pl.DataFrame]:
    """The tables a `PlateResult` is made from; one that is missing, damaged or changed since the run is a fault."""
    tables: dict[str, pl.DataFrame] = {}
    faults: list[Fault] = []
    for name, read in _TABLES_READ.items():
        if name == GROWTH_FILE and name not in digests:
            continue
        try:
            content = (folder / name).read_bytes()
            if name in digests and hashlib.sha256(content).hexdigest() != digests[name]:
                raise ValueError("contents other than the run wrote")
            tables[name] = read(content)
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            found = "no such file" if isinstance(error, FileNotFoundError) else f"a damaged or changed table ({error})"
            faults.append(
                Fault(
                    place=f"results/{name}", found=found, expected="the table as the run wrote it",
                    cure="Run the study again; make changes of your own in a copy.",
                )
            )  # fmt: skip
    raise_all(faults, FileFormatError)
    return tables


def _read_parquet(content: bytes) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(content))


def _read_fits(content: bytes) -> pl.DataFrame:
    """The fits table with its types: text, whole numbers, everything else float."""
    if not content.strip():
        return pl.DataFrame()
    header = content.split(b"\n", 1)[0].decode("utf-8").split(",")
    types = {c: pl.String if c in _TEXT_COLUMNS else pl.Int64 if c in _WHOLE_NUMBERS else pl.Float64 for c in header}
    return pl.read_csv(io.BytesIO(content), schema=types)


_TABLES_READ: dict[str, Callable[[bytes], pl.DataFrame]] = {
    "plate_fits.csv": _read_fits, GROWTH_FILE: _read_fits, "plate_wells.parquet": _read_parquet, "plate_curves.parquet": _read_parquet,
}  # fmt: skip
"""Tables that are read back; plate.json holds the SHA-256 of each."""
