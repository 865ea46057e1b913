"""The guide study's cells folder: a plain rendering of the tubes in memory, small, the same for a seed, and readable by our own readers."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from thrombokit.cells.tubes import TubeKind
from thrombokit.cells.yields import follow_culture
from thrombokit.errors import InputError
from thrombokit.io.fcs import read_fcs
from thrombokit.io.panels import read_panels
from thrombokit.io.sample_sheets import read_sample_sheet
from thrombokit.io.yield_sheets import read_cultures
from thrombokit.study.templates.cytometer_tube import run_tube
from thrombokit.study.templates.guide_cells import (
    ADULT_DONORS,
    DONORS,
    FAULTS,
    donor_cultures,
    guide_cell_plans,
    guide_donors,
    guide_tubes,
)
from thrombokit.study.templates.guide_cells_files import SHEET_COLUMNS, write_guide_cells
from thrombokit.study.templates.guide_cells_yields import culture_name, yields_text
from thrombokit.study.templates.guide_truth import CD34_CORD_BLOOD, draw_run
from thrombokit.study.templates.megakaryocyte_culture import MARKERS, culture_truth
from thrombokit.study.templates.synthetic_tube import SyntheticTube

SEED = 20181


@pytest.fixture(scope="module")
def tubes() -> tuple[SyntheticTube, ...]:
    return guide_tubes(SEED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = tmp_path_factory.mktemp("a study")
    write_guide_cells(study, SEED)
    return study / "cells"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_folder_is_small_and_every_file_is_named(folder: Path, tmp_path: Path) -> None:
    paths = write_guide_cells(tmp_path, SEED)
    assert sorted(paths) == sorted((tmp_path / "cells").iterdir())
    assert paths[0].name == "sheet.csv"
    assert sum(path.stat().st_size for path in paths) < 21e6
    assert {p.name: p.read_bytes() for p in paths} == {p.name: p.read_bytes() for p in folder.iterdir()}


def test_another_seed_gives_other_cells_in_the_same_files(folder: Path, tmp_path: Path) -> None:
    other = write_guide_cells(tmp_path, SEED + 1)
    assert {p.name for p in other} == {p.name for p in folder.iterdir()}
    changed = [p.name for p in other if p.read_bytes() != (folder / p.name).read_bytes()]
    assert len(changed) == len(other) - 3, "only the sheet, the panels and the README say nothing about the draw"


def test_files_read_back_as_the_tubes_in_memory(folder: Path, tubes: tuple[SyntheticTube, ...]) -> None:
    for tube in tubes:
        sample = read_fcs(folder / f"{tube.name}.fcs")
        assert (sample.events("stored") == tube.sample.events("stored")).all()
        assert sample.channels == tube.sample.channels
        assert sample.notes == ()
        assert sample.keywords["SYNTHETIC"] == "yes"
        assert sample.keywords["$DATE"] == "06-MAY-2024"
        assert re.fullmatch(r"\d\d:\d\d:\d\d", sample.keywords["$BTIM"])
        assert sample.keywords["$BTIM"] < sample.keywords["$ETIM"]
        assert float(sample.keywords["$TIMESTEP"]) == 0.01
        assert sample.spillover is not None
        assert tube.sample.spillover is not None
        assert (sample.spillover.matrix == tube.sample.spillover.matrix).all()


def test_the_design_is_complete() -> None:
    plans = guide_cell_plans(SEED)
    assert [plan.number for plan in plans] == list(range(len(plans)))
    assert len({plan.name for plan in plans}) == len(plans) == 90
    for donor in ADULT_DONORS:
        mine = [plan for plan in plans if plan.culture.donor.name == donor]
        assert [plan.cytometer.panel for plan in mine] == ["ploidy"] * 8
        assert {plan.culture.donor.source.name for plan in mine} == {"adult_blood"}
    for donor in DONORS:
        mine = [plan for plan in plans if plan.culture.donor.name == donor]
        fmo = [plan for plan in mine if plan.kind is TubeKind.FMO]
        assert [plan.stain for plan in fmo] == list(MARKERS)
        wells = [plan for plan in mine if plan.kind is TubeKind.FULL and plan.cytometer.panel == "surface"]
        assert [plan.culture.agonist for plan in wells] == ["vehicle", *["hetrombopag"] * 6, "rhTPO"]
        ploidy = [plan.culture.agonist for plan in mine if plan.cytometer.panel == "ploidy"]
        assert ploidy == ["vehicle", *["hetrombopag"] * 6, "rhTPO"]
    single = [plan.stain for plan in plans if plan.kind is TubeKind.SINGLE_STAIN]
    assert single == [*MARKERS, "viability"]
    assert sum(plan.kind is TubeKind.UNSTAINED for plan in plans) == 1
    assert all(3000 <= plan.n_events <= 6000 for plan in plans)


def test_donors_are_those_of_the_plates() -> None:
    for donor in guide_donors(SEED):
        assert donor.ec50_shift_log10 == draw_run(SEED, CD34_CORD_BLOOD, donor.name).ec50_shift_log10


def test_faults_stand_where_they_are_said_to_be(tubes: tuple[SyntheticTube, ...]) -> None:
    named = {(t.culture.donor.name, t.culture.agonist, t.culture.concentration_nM): t for t in tubes if t.kind is TubeKind.FULL
             and t.cytometer.panel == "surface"}  # fmt: skip
    for key, faults in FAULTS.items():
        assert set(faults) <= set(named[key].truth.faults)
    sound = [t for t in tubes if t.culture.donor.name == "donor A" and not t.truth.faults]
    assert len(sound) == 25
    assert not any(t.truth.in_fault.any() for t in sound)
    assert all(t.truth.faults for t in tubes if t.culture.donor.name == "donor C"), "its tandem dye has begun to break down"


def test_the_sheet_is_read_without_a_fault(folder: Path, tubes: tuple[SyntheticTube, ...]) -> None:
    assert tuple(table(folder / "sheet.csv")[0]) == SHEET_COLUMNS
    panels = read_panels(folder / "panels.toml")
    sheet = read_sample_sheet(folder / "sheet.csv", panels=panels, molar_masses={"rhTPO": 70_000.0})
    assert sheet.unlisted == ()
    assert sheet.donors == (*DONORS, *ADULT_DONORS)
    for read, made in zip(sheet.tubes, tubes, strict=True):
        mine = made.to_tube()
        assert (read.name, read.kind, read.stain, read.role) == (mine.name, mine.kind, mine.stain, mine.role)
        assert read.control_group == mine.control_group
        assert read.panel == mine.panel
        assert read.cell_source == ("adult_blood" if read.donor in ADULT_DONORS else "cord_blood")
        if made.culture.agonist == "hetrombopag":
            assert read.concentration_nM == mine.concentration_nM


def test_truth_files_agree_with_each_other_and_with_the_tubes(folder: Path, tubes: tuple[SyntheticTube, ...]) -> None:
    rows = table(folder / "truth.csv")
    events = pl.read_parquet(folder / "truth_events.parquet")
    assert events.height == sum(tube.sample.n_events for tube in tubes)
    for row, tube in zip(rows, tubes, strict=True):
        mine = events.filter(pl.col("tube") == tube.name)
        chosen = mine.filter(pl.col("live") & pl.col("singlet"))
        assert row["tube"] == tube.name
        assert int(row["n_events"]) == mine.height == tube.sample.n_events
        assert int(row["n_live_single"]) == chosen.height
        assert int(row["n_doublets"]) == mine.filter(pl.col("second_type") != "").height
        for marker in MARKERS:
            assert int(row[f"n_live_single_{marker}+"]) == chosen[marker].sum()
            assert float(row[f"{marker}+_share"]) == pytest.approx(culture_truth(tube.culture).positive_share[marker], rel=1e-5)
        assert (mine["ploidy"].to_numpy() == tube.truth.ploidy).all()


def test_yields_of_the_ledgers_hold_the_truth_as_often_as_they_say(tmp_path: Path) -> None:
    inside, n = 0, 0
    for seed in range(4):
        path = write_guide_ledger(tmp_path / f"{seed}.csv", seed)
        truths = {culture_name(c): culture_truth(c).mk_per_cd34 for donor in guide_donors(seed) for c in donor_cultures(donor)}
        for culture in read_cultures(path):
            estimate = follow_culture(culture)[-1].MKs_per_CD34
            assert estimate.low is not None
            assert estimate.high is not None
            inside += estimate.low <= truths[culture.name] <= estimate.high
            n += 1
    assert n == 96
    assert inside >= 86, "95 % intervals: fewer than 86 of 96 would be a chance of 1 in 1000"


def write_guide_ledger(path: Path, seed: int) -> Path:
    path.write_text(yields_text(seed), encoding="utf-8")
    return path


def test_response_to_dose_can_be_seen_in_the_true_labels(tubes: tuple[SyntheticTube, ...]) -> None:
    for donor in guide_donors(SEED):
        wells = [t for t in tubes if t.culture.donor == donor and t.kind is TubeKind.FULL and t.cytometer.panel == "surface"]
        shares = []
        for well in wells:
            chosen = well.truth.live & well.truth.singlet
            shares.append(well.truth.is_positive("CD41")[chosen].mean())
        assert shares[0] < 0.2
        assert shares[-1] > 0.6
        assert np.corrcoef(shares, [well.culture.response for well in wells])[0, 1] > 0.99


def test_a_tube_does_not_change_when_others_are_left_out(tubes: tuple[SyntheticTube, ...]) -> None:
    plan = guide_cell_plans(SEED)[5]
    assert (run_tube(replace(plan, number=0), SEED).sample.stored == tubes[5].sample.stored).all()


def test_the_readme_says_what_is_synthetic_and_what_is_wrong(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "**Synthetic.**" in text
    assert all(type(fault).__name__ in text for faults in FAULTS.values() for fault in faults)
    assert max(map(len, text.splitlines())) < 140


def test_a_folder_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "cells").write_text("in the way")
    with pytest.raises(InputError, match=r"cells: found .*; expected a folder that can be written to\. Choose another folder"):
        write_guide_cells(tmp_path, SEED)
