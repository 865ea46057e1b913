"""The main job on real CellTiter-Glo plates by others (EnVision, 384 wells, gDR manifest): read in place into a folder of its own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Command = Callable[..., Any]

PLATES = "plates/gDRimport/data4_envision_celltiterglo_384"
ABSENT_LINES = ("H1209269", "H1409269", "K0209269", "K0809269", "K1009269")
STUDY = """\
schema = 1

[study]
title = "Real plates, 22 compounds"

[plate]
manifest = "Manifest.xlsx"
map_origin = "{origin}"
map_unit = "uM"
"""


@dataclass(frozen=True, kw_only=True)
class Finished:
    out: Path
    said: Any
    plate: dict[str, Any]


def finished(command: Command, source: Path, folder: Path, origin: str) -> Finished:
    study = Path(shutil.copytree(source, folder / "study"))
    (study / "study.toml").write_text(STUDY.format(origin=origin))
    said = command("run", study, "--out", folder / "out", "--strict")
    return Finished(
        out=folder / "out", said=said, plate=json.loads((folder / "out/results/plate.json").read_text(encoding="utf-8"))
    )


@pytest.fixture(scope="module")
def mapped(command: Command, reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finished(command, reference_data / PLATES, tmp_path_factory.mktemp("mapped"), "B2")


def test_runs_to_a_report_and_no_plate_fails(mapped: Finished) -> None:
    assert mapped.said.exit_code == 0
    assert (mapped.out / "report.html").stat().st_size <= 3_000_000
    assert len(mapped.plate["quality"]) == 18
    assert [quality["plate"] for quality in mapped.plate["quality"] if quality["status"] == "fail"] == []


def test_every_treated_plate_gives_22_curves_and_day_0_plates_none(mapped: Finished) -> None:
    fits = pl.read_csv(mapped.out / "results/plate_fits.csv", infer_schema_length=None)
    counts = dict(fits.group_by("plate").len().iter_rows())
    assert len(counts) == 9
    assert set(counts.values()) == {22}
    assert all(plate.endswith("D01") for plate in counts)
    day0 = pl.read_parquet(mapped.out / "results/plate_wells.parquet").filter(pl.col("plate").str.ends_with("D00"))
    assert day0["plate"].n_unique() == 9


def test_exports_of_five_lines_are_missing_and_listed(mapped: Finished) -> None:
    missing = json.loads((mapped.out / "results/study.json").read_text(encoding="utf-8"))["missing"]
    barcodes = {name.split()[0] for name in missing}
    assert barcodes == {f"{line}{day}" for line in ABSENT_LINES for day in ("D00", "D01")}
    page = (mapped.out / "report.html").read_text(encoding="utf-8")
    assert all(barcode in page for barcode in barcodes)
    assert all(barcode in mapped.said.stdout for barcode in barcodes)


def test_windows_are_not_available_without_a_positive_control_and_no_fault(mapped: Finished) -> None:
    treated = [quality for quality in mapped.plate["quality"] if quality["plate"].endswith("D01")]
    for quality in treated:
        status = {check["check"]: check["status"] for check in quality["checks"]}
        assert {status[name] for name in ("z_prime", "robust_z_prime", "ssmd")} == {"not_available"}
        assert status["vehicle_cv_pct"] in ("pass", "warn")
    assert set(mapped.plate["response_unit"].values()) <= {"% of vehicle", "signal"}


def test_nothing_written_names_the_folder(mapped: Finished) -> None:
    for path in (p for p in mapped.out.rglob("*") if p.suffix in (".html", ".json", ".csv")):
        assert str(mapped.out.parent) not in path.read_text(encoding="utf-8"), path.name


def test_the_literal_map_fails_and_the_shift_is_suggested(
    command: Command, reference_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the page is not what this is about, and drawing it costs seconds
    monkeypatch.setattr("thrombokit.report.output.write_report", lambda result, path: path.write_text("", encoding="utf-8"))
    literal = finished(command, reference_data / PLATES, tmp_path, "A1")
    assert literal.said.exit_code == 1
    treated = [quality for quality in literal.plate["quality"] if quality["plate"].endswith("D01")]
    assert len(treated) == 9
    for quality in treated:
        assert quality["status"] == "fail"
        assert 'map_origin = "B2"' in quality["suggestion"]
    assert len(re.findall(r'map_origin = "B2"', literal.said.stderr)) == 9
    assert [potency for potency in literal.plate["potencies"] if potency["ec50_nM"]["estimate"] is not None] == []
