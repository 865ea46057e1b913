"""Plans from TOML, and the tables they leave behind: what is written is what the readers read."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from thrombokit.cells.culture_numbers import CellSource
from thrombokit.cells.plan import plan_seeding
from thrombokit.cells.plan_tubes import control_tubes_per_day, plan_tubes
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.tubes import TubeKind
from thrombokit.cells.yields import follow_culture
from thrombokit.domain.agonist import Tier
from thrombokit.errors import InputError, SpecError
from thrombokit.io.fcs_write import write_fcs
from thrombokit.io.panels import read_panels
from thrombokit.io.plan_example import EXAMPLE
from thrombokit.io.plan_files import read_plan
from thrombokit.io.plan_tables import ledger_text, panels_text, sample_sheet_text, study_text
from thrombokit.io.sample_sheets import read_sample_sheet
from thrombokit.io.yield_sheets import read_cultures
from thrombokit.study.spec import read_spec

SMALL = """schema = "thrombokit-plan/1"
[plan]
title = "Two donors \\"small\\""
cell_source = "adult_blood"
donors = ["D1", "D 2"]
read_days = [8, 10]
replicate_wells = 1
differentiation_d = 10
[[agonists]]
name = "my compound"
doses = ["1 uM", "30 nM"]
[positive_control]
name = "TPO"
dose = "50 ng/mL"
[[panels]]
name = "all in one"
fsc_height = ""
[panels.channels]
CD41 = "APC-A"
DNA = "PI-A"
"""


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "PLAN.toml").write_text(text, encoding="utf-8")
    return tmp_path / "PLAN.toml"


def test_the_example_reads_as_it_says(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, EXAMPLE))
    assert (plan.donors, plan.culture_days_d, plan.cell_source) == (("D1", "D2", "D3"), (15,), CellSource.CORD_BLOOD)
    hetrombopag, eltrombopag = plan.agonists
    assert [dose.concentration_nM for dose in hetrombopag.doses] == pytest.approx([1000 / 4**step for step in range(6)], rel=1e-5)
    assert [dose.concentration_nM for dose in eltrombopag.doses] == [10000, 3000, 1000, 300, 100, 30]
    assert plan.positive_control is not None
    assert plan.positive_control.doses[0].concentration_nM == pytest.approx(100 / 70, rel=1e-12)
    assert plan.panels[0].dyes["CD42b"] == "PE"


def test_own_numbers_are_read_with_their_source(tmp_path: Path) -> None:
    table = '[numbers.MKs_per_CD34]\nvalue = 4\nlow = 2.5\nhigh = 6.4\nsource = "ours"\ntier = "assumed"\n'
    number = read_plan(write(tmp_path, SMALL + table)).numbers["MKs_per_CD34"]
    assert (number.value, number.low, number.high, number.source, number.tier) == (4.0, 2.5, 6.4, "ours", Tier.ASSUMED)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("thrombokit-plan/1", "thrombokit-plan/9", "expected \"thrombokit-plan/1\""),
        ('donors = ["D1", "D 2"]', 'donors = ["D1", "d1"]', "each donor once"),
        ('donors = ["D1", "D 2"]', "donors = 3", "the donors' codes"),
        ('donors = ["D1", "D 2"]', 'donors = ["D-2", "D 2"]', 'two wells with the file name "d-2_my-compound'),
        ("read_days = [8, 10]", "read_days = [8, 11]", "days of differentiation, 1 to 10"),
        ("read_days = [8, 10]", "read_days = [8, 8]", "each once"),
        ("replicate_wells = 1", "replicate_wells = 0", "a whole number, 1 to 48"),
        ("replicate_wells = 1", "start = 2026-05-04T10:00:00", "the date of day 0"),
        ("replicate_wells = 1", 'untreated = "no"', "expected true or false"),
        ("replicate_wells = 1", "replicats = 1", "replicate_wells"),
        ('"adult_blood"', '"adult blood"', 'Did you mean "adult_blood"?'),
        ('["1 uM", "30 nM"]', '["1 uM", "1000 nM"]', "each dose once"),
        ('["1 uM", "30 nM"]', '["1 uM", "30"]', '"30" without a unit'),
        ('["1 uM", "30 nM"]', '["1 uM", "0 nM"]', "expected a dose above 0"),
        ('["1 uM", "30 nM"]', '["1 ug/mL"]', "a compound without a molar mass"),
        ('doses = ["1 uM", "30 nM"]', "n_doses = 3", "neither doses nor top"),
        ('doses = ["1 uM", "30 nM"]', 'doses = ["1 uM"]\ntop = "1 uM"', "both doses and top"),
        ('doses = ["1 uM", "30 nM"]', 'top = "1 uM"\ndilution = 1', "above 1"),
        ('DNA = "PI-A"', 'DNA = "PI-A"\n[panels.dyes]\nCD61 = "PE"', "a marker of [panels.channels]"),
        ("[[agonists]]", "[[agonist]]", "no [[agonists]]"),
        ('DNA = "PI-A"', 'DNA = "PI-A"\n[numbers.yield]\nvalue = 1', "expansion_fold"),
        ('DNA = "PI-A"', 'DNA = "PI-A"\n[numbers.expansion_fold]\nvalue = 1\nlow = 2\nhigh = 3\nsource = "x"', "low <= value <= high"),
        ("[plan]", "[plann]", "what is planned"),
    ],
)  # fmt: skip
def test_a_wrong_plan_says_what_and_where(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(SpecError) as raised:
        read_plan(write(tmp_path, SMALL.replace(old, new, 1)))
    assert told in str(raised.value)
    assert all("PLAN.toml:" in fault.place for fault in raised.value.faults)


def test_a_plan_too_large_for_anyone_is_refused(tmp_path: Path) -> None:
    donors = ", ".join(f'"D{number}"' for number in range(50))
    text = (
        SMALL.replace('"D1", "D 2"', donors)
        .replace("replicate_wells = 1", "replicate_wells = 48")
        .replace("[8, 10]", "[2,4,6,8,9,10]")
    )
    with pytest.raises(SpecError, match="57,600 stained tubes; expected at most 20,000"):
        read_plan(write(tmp_path, text))


def save_files(folder: Path, names: list[str]) -> None:
    channels = tuple(Channel(name=name, range_max=1024.0) for name in ("FSC-A", "SSC-A", "APC-A", "PI-A", "Time"))
    for number, name in enumerate(names):
        events = np.random.default_rng(number).normal(100, 10, (4, 5)).astype(np.float32)
        write_fcs(Sample(name=name, channels=channels, stored=events), folder / name)


def test_the_sample_sheet_is_accepted_once_the_files_exist(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, SMALL))
    (tmp_path / "samples.csv").write_text(sample_sheet_text(plan), encoding="utf-8")
    (tmp_path / "panels.toml").write_text(panels_text(plan), encoding="utf-8")
    panels = read_panels(tmp_path / "panels.toml")
    assert panels["all in one"] == plan.panels[0].panel
    with pytest.raises(InputError, match="which is not there"):
        read_sample_sheet(tmp_path / "samples.csv", panels=panels)
    tubes = plan_tubes(plan)
    save_files(tmp_path, [tube.file for tube in tubes])
    sheet = read_sample_sheet(tmp_path / "samples.csv", panels=panels)
    assert (len(sheet.tubes), sheet.unlisted, sheet.notes, sheet.donors) == (len(tubes), (), (), ("D1", "D 2"))
    for tube, planned in zip(sheet.tubes, tubes, strict=True):
        dose = planned.condition.dose if planned.condition else None
        assert (tube.name, tube.kind, tube.stain, tube.day_d) == (planned.name, planned.kind, planned.stain, planned.day_d)
        assert tube.concentration_nM == (dose.concentration_nM if dose else None)
        assert tube.role == (planned.condition.role if planned.condition else "")
    assert {t.cell_source for t in sheet.of_kind(TubeKind.FULL)} == {"adult_blood"}


def test_the_ledger_lacks_only_what_the_day_can_tell(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, SMALL))
    seeding = plan_seeding(plan, control_tubes_per_day=control_tubes_per_day(plan))
    path = tmp_path / "yields.csv"
    path.write_text(ledger_text(plan, seeding), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_cultures(path)
    assert {fault.expected for fault in raised.value.faults} == {"volume_mL of every sample"}
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    for row in rows:
        if row["event"] == "sample":
            row.update(volume_mL="0.1", beads_uL="50", bead_lot="7", beads_per_uL="1000", bead_lot_cv_pct="5")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    cultures = read_cultures(path)
    assert len(cultures) == 2 * 4
    points = follow_culture(cultures[0])
    assert [(point.day_d, point.verdict) for point in points] == [(11, "not_counted"), (13, "not_counted")]
    assert {point.tube for culture in cultures for point in follow_culture(culture)} == {
        tube.name for tube in plan_tubes(plan) if tube.kind is TubeKind.FULL
    }


def test_the_study_file_reads_as_a_study_of_cells_with_the_shipped_agonists(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, SMALL + '[[agonists]]\nname = "RHTPO"\ntop = "1 nM"\n'))
    for name, text in (
        ("study.toml", study_text(plan)),
        ("panels.toml", panels_text(plan)),
        ("samples.csv", "file\n"),
        ("yields.csv", "-\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    spec = read_spec(tmp_path / "study.toml")
    assert spec.study.title == 'Two donors "small"'
    assert [agonist.name for agonist in spec.agonists] == ["rhTPO"]  # "my compound" is a plain name in the sheet
    assert spec.cells is not None
    assert (spec.cells.sheet, spec.cells.panels, spec.cells.yields) == ("samples.csv", "panels.toml", "yields.csv")
