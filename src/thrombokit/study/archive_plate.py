"""PlateResult <-> `results/plate.json` and its tables, lossless both ways.

`plate_fits.csv`, `plate_quality.csv`, `plate_potencies.csv`, `plate_ratios.csv` and, with day-0 plates, `plate_growth.csv` for a
spreadsheet; `plate_wells.parquet` and `plate_curves.parquet`. plate.json holds the SHA-256 of the tables that are read back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Assay, Potency
from thrombokit.plate.result import PlateQuality, PlateResult, PotencyRatio, QualityCheck
from thrombokit.plate.tables import quality_table, ratio_table
from thrombokit.study.saved import (
    digests_of,
    json_text,
    parquet,
    read_json,
    read_tables,
    typed_csv,
    with_values,
    write_tables,
    write_text,
)  # fmt: skip

PLATE_SCHEMA = "thrombokit.plate/1"
GROWTH_FILE = "plate_growth.csv"
_FITS = typed_csv(
    text=(
        "plate", "agonist", "cell_system", "run", "verdict", "bound_side", "open_plateau", "interval_method", "model", "message",
        "response_unit", "outcome", "qualifier", "day0_plate", "gr_message",
    ),
    whole=("n_points", "n_excluded"),
)  # fmt: skip
_TABLES_READ = {"plate_fits.csv": _FITS, GROWTH_FILE: _FITS, "plate_wells.parquet": parquet, "plate_curves.parquet": parquet}


def plate_document(plate: PlateResult) -> dict[str, Any]:
    """What `results/plate.json` holds: everything but the big tables."""
    return {
        "schema": PLATE_SCHEMA, "confidence": plate.confidence, "comparator": plate.comparator, "response_unit": plate.response_unit,
        "potencies": plate.potencies, "ratios": plate.ratios, "quality": plate.quality, "growth_potencies": plate.growth_potencies,
        "growth_ratios": plate.growth_ratios, "growth_notes": plate.growth_notes,
    }  # fmt: skip


def write_plate(plate: PlateResult, folder: Path) -> list[Path]:
    """Save a plate result in `folder`; the files written, in a fixed order."""
    tables = {
        "plate_fits.csv": plate.fits, "plate_quality.csv": quality_table(plate), "plate_potencies.csv": plate.table(),
        "plate_ratios.csv": ratio_table(plate), "plate_wells.parquet": plate.wells, "plate_curves.parquet": plate.curves,
        GROWTH_FILE: plate.growth,
    }  # fmt: skip
    written = write_tables(folder, tables)
    digests = digests_of([path for path in written if path.name in _TABLES_READ])
    return [*written, write_text(folder / "plate.json", json_text({**plate_document(plate), "tables": digests}))]


def read_plate(folder: Path) -> PlateResult:
    """The plate result saved in `folder`; a missing, damaged or changed file is a `FileFormatError`."""
    document = read_json(folder / "plate.json", PLATE_SCHEMA)
    tables = read_tables(folder, _TABLES_READ, document.get("tables", {}))
    return PlateResult(
        wells=tables["plate_wells.parquet"],
        fits=tables["plate_fits.csv"],
        curves=tables["plate_curves.parquet"],
        quality=tuple(
            PlateQuality(**with_values(q, checks=tuple(QualityCheck(**c) for c in q["checks"]))) for q in document["quality"]
        ),
        potencies=tuple(_potency(p) for p in document["potencies"]),
        ratios=tuple(_ratio(r) for r in document["ratios"]),
        response_unit=document["response_unit"],
        comparator=document["comparator"],
        confidence=document["confidence"],
        growth=tables[GROWTH_FILE],
        growth_potencies=tuple(_potency(p) for p in document.get("growth_potencies", [])),
        growth_ratios=tuple(_ratio(r) for r in document.get("growth_ratios", [])),
        growth_notes=tuple(document.get("growth_notes", [])),
    )


def _potency(document: dict[str, Any]) -> Potency:
    left_out = tuple((run, why) for run, why in document["runs_left_out"])
    typed = {"assay": Assay(**document["assay"]), "ec50_nM": Estimate(**document["ec50_nM"]), "runs_left_out": left_out}
    lists = {"runs_used": tuple(document["runs_used"]), "run_ec50_nM": tuple(document["run_ec50_nM"])}
    intervals = tuple((low, high) for low, high in document.get("run_intervals_nM", []))
    return Potency(**with_values(document, **typed, **lists, run_intervals_nM=intervals))


def _ratio(document: dict[str, Any]) -> PotencyRatio:
    typed: dict[str, Any] = {"assay": Assay(**document["assay"]), "ratio": Estimate(**document["ratio"])}
    typed |= {name: Estimate(**document[name]) for name in ("relative_potency", "emax_ratio") if document.get(name)}
    return PotencyRatio(
        **with_values(document, **typed, runs_used=tuple(document["runs_used"]), run_ratios=tuple(document["run_ratios"]))
    )
