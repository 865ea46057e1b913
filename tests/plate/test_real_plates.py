"""Real CellTiter-Glo plates by others (nine cell lines, 22 drugs, one well a dose): read in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from thrombokit.io.plate_readers.detect import read_plate
from thrombokit.plate.analyse import analyse_plates
from thrombokit.plate.normalise import OF_VEHICLE, normalise
from thrombokit.plate.plate import Plate
from thrombokit.plate.quality import assess

EXPORTS = (
    "H0109269", "H0309269", "H0409269", "H0509269", "H0609269", "H0709269", "H0809269", "H0909269", "H1109269",
)  # fmt: skip


def read(reference_data: Path, export: str, origin: str) -> Plate:
    folder = reference_data / "plates" / "gDRimport" / "data4_envision_celltiterglo_384"
    template = folder / "Project40.treated.template.xlsx"
    return read_plate(folder / f"{export}D01.csv", map=template, map_origin=origin, map_unit="uM")


@pytest.mark.parametrize("export", EXPORTS)
def test_the_literal_map_fails_and_the_suggested_one_passes(reference_data: Path, export: str) -> None:
    literal = assess(normalise(read(reference_data, export, "A1")))
    assert literal.status == "fail"
    assert "the map looks shifted: moved 1 row up and 1 column left" in literal.suggestion
    assert literal.suggestion.endswith('try map_origin = "B2"')
    shifted = assess(normalise(read(reference_data, export, "B2")))
    assert shifted.status in ("pass", "warn")
    assert shifted.suggestion == ""
    vehicle = next(c for c in shifted.checks if c.check == "vehicle_cv_pct")
    assert vehicle.value is not None
    assert vehicle.value < 20.0


def test_a_plate_without_rhtpo_is_analysed_over_vehicle(reference_data: Path) -> None:
    result = analyse_plates([read(reference_data, "H0109269", "B2")])
    assert set(result.response_unit.values()) == {OF_VEHICLE}
    assert result.fits.height == 22
    assert set(result.fits["n_points"]) == {54 + 9}
    assert "bad" not in set(result.fits["verdict"])
    fitted = result.fits.filter(verdict="fit")
    assert fitted.height > 0
    assert (fitted["ec50_low_nM"] < fitted["ec50_nM"]).all()
    unavailable = {c.check for c in result.quality[0].checks if c.status == "not_available"}
    assert {"z_prime", "robust_z_prime", "ssmd", "signal_to_background"} <= unavailable
