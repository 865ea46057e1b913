"""Two cell systems on one plate: each is measured against its own controls, and quality is that of the main one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thrombokit.errors import InputError
from thrombokit.plate.analyse import analyse_plates
from thrombokit.plate.layout import Layout
from thrombokit.plate.normalise import normalise
from thrombokit.plate.plate import Plate, Reading
from thrombokit.study.load import load_study


@pytest.fixture
def two_systems() -> Plate:
    """Rows A to D: 32D-MPL, 8 doses of hetrombopag; rows E to H: 32D parental, the same doses, no response, a lower signal."""
    rng = np.random.default_rng(1)
    shape = (8, 12)
    role, agonist = np.full(shape, "sample", dtype=object), np.full(shape, "hetrombopag", dtype=object)
    role[4:] = "counter_screen"
    role[:, 0] = "vehicle"
    role[:, 1] = "positive_control"
    role[4:, 1] = "empty"
    role[:, 10:] = "empty"
    agonist[:, 0], agonist[:, 1], agonist[:, 10:] = "", "rhTPO", ""
    agonist[4:, 1] = ""
    dose = np.full(shape, np.nan)
    dose[:, 2:10] = np.geomspace(0.01, 30, 8)
    system = np.full(shape, "32D-MPL", dtype=object)
    system[4:] = "32D parental"
    mean = np.where(np.arange(8)[:, None] < 4, 1e4 + 4e5 / (1 + (0.4 / np.nan_to_num(dose, nan=1e-9)) ** 1.2), 2e5)
    mean[:4, 1] = 4.1e5
    signal = mean * (1 + 0.04 * rng.standard_normal(shape))
    layout = Layout(role=role, agonist=agonist, concentration_nM=dose, cell_system=system)
    reading = Reading(name="P1", signal=signal, source="p1.csv", reader="memory")
    return Plate(reading=reading, layout=layout, name="P1", run="1", cell_system="32D-MPL", hours=72.0)


def test_each_system_has_its_own_vehicle(two_systems: Plate) -> None:
    normalised = normalise(two_systems)
    assert normalised.main_system == "32D-MPL"
    mpl, parental = normalised.for_cells("32D-MPL"), normalised.for_cells("32D parental")
    assert mpl.vehicle.mean == pytest.approx(1e4, rel=0.1)
    assert parental.vehicle.mean == pytest.approx(2e5, rel=0.1)
    assert parental.positive == mpl.positive  # parental cells have no rhTPO wells: the window stays the main system's


def test_the_plate_passes_and_the_parental_curve_is_flat(two_systems: Plate) -> None:
    result = analyse_plates([two_systems])
    assert result.quality[0].status in ("pass", "warn")
    verdicts = dict(zip(result.fits["cell_system"], result.fits["verdict"], strict=True))
    assert verdicts == {"32D-MPL": "fit", "32D parental": "flat"}
    assert [p.assay.cell_system for p in result.potencies] == ["32D-MPL"]
    vehicle = result.wells.filter((result.wells["role"] == "vehicle") & (result.wells["cell_system"] == "32D parental"))
    assert abs(vehicle["response_pct"].mean()) < 1.0


def test_counter_screen_wells_on_the_samples_cells_are_refused(tmp_path: Path) -> None:
    rows = ["well,role,agonist,concentration,unit,cell_system", "A01,vehicle,,,,", "B01,vehicle,,,,"]
    rows += [f"A{c:02d},sample,hetrombopag,{10.0 ** (c - 6)},nM," for c in range(2, 10)]
    rows += [f"B{c:02d},counter_screen,hetrombopag,{10.0 ** (c - 6)},nM," for c in range(2, 10)]
    (tmp_path / "map.csv").write_text("\n".join(rows) + "\n")
    grid = "\n".join(",".join(str(1000 + r * 12 + c) for c in range(12)) for r in range(8))
    (tmp_path / "plate.csv").write_text(grid + "\n")
    (tmp_path / "study.toml").write_text(
        'schema = 1\n[study]\ntitle = "t"\n[plate]\nmap = "map.csv"\n[[plate.files]]\nfile = "plate.csv"\ncell_system = "32D-MPL"\n'
    )
    with pytest.raises(InputError) as caught:
        load_study(tmp_path)
    assert "map.csv: found counter_screen and sample wells" in str(caught.value)
    assert "column cell_system" in str(caught.value)


def test_one_system_alone_is_unchanged(two_systems: Plate) -> None:
    layout = two_systems.layout
    alone = replace(layout, role=np.where(layout.cell_system == "32D-MPL", layout.role, "empty"))
    kept = analyse_plates([two_systems]).fits.filter(analyse_plates([two_systems]).fits["cell_system"] == "32D-MPL")
    assert analyse_plates([replace(two_systems, layout=alone)]).fits["verdict"].to_list() == kept["verdict"].to_list()
