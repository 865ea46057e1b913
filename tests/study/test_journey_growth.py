"""From reader exports with a day-0 plate to growth rates in results, workbook and report."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest

from thrombokit.errors import FileFormatError
from thrombokit.plate.result import PlateResult
from thrombokit.study.archive import read_results, write_results

Command = Callable[..., Any]
HOURS, DAYS, DAY0 = 72, 3.0, 5_000.0
EC50_nM = {"agonist-1": 2.0, "agonist-2": 20.0}
STUDY = """\
schema = 1

[study]
title = "Growth of 32D-MPL"

[plate]
map = "map.csv"
comparator = "agonist-2"
"""
ENTRY = '\n[[plate.files]]\nfile = "{name}.csv"\nplate = "{name}"\nrun = "{run}"\ncell_system = "32D-MPL"\nhours = {hours}\nday0 = {day0}\n'


@dataclass(frozen=True, kw_only=True)
class Finished:
    study: Path
    out: Path
    plate: PlateResult


def write_map(path: Path) -> np.ndarray:
    """Two agonists in ten doses and three rows each, vehicle in column 1, blanks in column 12; growth rate per day of every well."""
    lines = ["well,role,agonist,concentration,unit"]
    rate = np.full((8, 12), 0.15)
    for row in range(8):
        lines += [f"{'ABCDEFGH'[row]}01,vehicle,,,", f"{'ABCDEFGH'[row]}12,blank,,,"]
        agonist = None if row in (0, 7) else "agonist-1" if row < 4 else "agonist-2"
        for column in range(1, 11) if agonist else ():
            dose = 0.02 * 10.0 ** (column / 2)
            rate[row, column] = 0.15 + 1.0 / (1.0 + EC50_nM[agonist] / dose)
            lines.append(f"{'ABCDEFGH'[row]}{column + 1:02d},sample,{agonist},{dose!r},nM")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rate


def write_export(path: Path, cells: np.ndarray, seed: int) -> None:
    noise = 1.0 + 0.02 * np.random.default_rng(seed).standard_normal(cells.shape)
    signal = 300.0 + cells * noise
    signal[:, 11] = 300.0
    path.write_text("\n".join(",".join(f"{value:.1f}" for value in row) for row in signal) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def grown(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("growth")
    rate = write_map(folder / "map.csv")
    text = STUDY
    for run in (1, 2, 3):
        seeded = DAY0 * (1.0 + 0.1 * run)
        write_export(folder / f"start-{run}.csv", np.full(rate.shape, seeded), seed=run)
        write_export(folder / f"end-{run}.csv", seeded * np.exp(rate * DAYS), seed=10 + run)
        text += ENTRY.format(name=f"start-{run}", run=run, hours=0, day0="true")
        text += ENTRY.format(name=f"end-{run}", run=run, hours=HOURS, day0="false")
    (folder / "study.toml").write_text(text, encoding="utf-8")
    said = command("run", folder, "--out", folder / "out")
    assert said.exit_code == 0, said.stderr
    plate = read_results(folder / "out").plate
    assert plate is not None
    return Finished(study=folder, out=folder / "out", plate=plate)


def test_every_curve_has_both_ec50s(grown: Finished) -> None:
    growth = grown.plate.growth
    assert growth.height == 6
    assert growth["day0_plate"].to_list() == [f"start-{run}" for run in (1, 1, 2, 2, 3, 3)]
    for row in growth.iter_rows(named=True):
        assert row["ec50_low_nM"] < EC50_nM[row["agonist"]] * 1.15
        assert row["ec50_high_nM"] > EC50_nM[row["agonist"]] / 1.15
        assert row["endpoint_ec50_nM"] > 1.8 * row["ec50_nM"]
        assert row["vehicle_per_d"] == pytest.approx(0.15, abs=0.02)
    endpoint = grown.plate.fits.select("plate", "agonist", "ec50_nM")
    joined = growth.join(endpoint, on=["plate", "agonist"], suffix="_end")
    assert joined["endpoint_ec50_nM"].to_list() == joined["ec50_nM_end"].to_list()


def test_combined_over_runs_within_its_own_assay(grown: Finished) -> None:
    for potency in grown.plate.growth_potencies:
        assert potency.assay.label() == "32D-MPL, growth rate (luminescence), 72 h"
        assert potency.ec50_nM.low < EC50_nM[potency.agonist] * 1.05
        assert potency.ec50_nM.high > EC50_nM[potency.agonist] / 1.05
        assert potency.n_runs == 3
    (ratio,) = grown.plate.growth_ratios
    assert ratio.ratio.estimate == pytest.approx(10.0, rel=0.1)
    assert {p.assay.readout for p in grown.plate.potencies} == {"luminescence"}


def test_results_read_back_as_they_were(grown: Finished, tmp_path: Path) -> None:
    write_results(read_results(grown.out), tmp_path)
    for name in ("plate_growth.csv", "plate.json", "plate_wells.parquet"):
        assert (tmp_path / "results" / name).read_bytes() == (grown.out / "results" / name).read_bytes()
    again = read_results(tmp_path).plate
    assert again is not None
    assert again.growth.equals(grown.plate.growth)
    assert again.growth.schema["hours"] == pl.Float64
    assert again.growth_potencies == grown.plate.growth_potencies
    assert again.growth_ratios == grown.plate.growth_ratios
    assert "growth_rate_per_d" in again.wells.columns


def test_results_without_growth_stay_readable(grown: Finished, tmp_path: Path) -> None:
    """Results of a version that knew no growth rates: neither the file nor the keys."""
    result = read_results(grown.out)
    assert result.plate is not None
    plain = dataclasses.replace(result.plate, growth=pl.DataFrame(), growth_potencies=(), growth_ratios=())
    write_results(dataclasses.replace(result, plate=plain), tmp_path)
    assert not (tmp_path / "results" / "plate_growth.csv").exists()
    path = tmp_path / "results" / "plate.json"
    document = {key: value for key, value in json.loads(path.read_text()).items() if not key.startswith("growth")}
    path.write_text(json.dumps(document), encoding="utf-8")
    again = read_results(tmp_path).plate
    assert again is not None
    assert again.growth.height == 0
    assert again.growth_potencies == ()


def test_a_changed_or_lost_growth_table_is_a_fault(grown: Finished, tmp_path: Path) -> None:
    for change in (lambda path: path.unlink(), lambda path: path.write_text(path.read_text().replace("start-1", "start-2"))):
        shutil.copytree(grown.out, tmp_path / "copy", dirs_exist_ok=True)
        change(tmp_path / "copy" / "results" / "plate_growth.csv")
        with pytest.raises(FileFormatError, match=r"results/plate_growth\.csv: found (no such file|a damaged or changed table)"):
            read_results(tmp_path / "copy")


def test_the_workbook_has_a_sheet(grown: Finished) -> None:
    book = openpyxl.load_workbook(grown.out / "tables.xlsx", read_only=True)
    rows = list(book["growth"].iter_rows(values_only=True))
    assert list(rows[0]) == grown.plate.growth.columns
    column = rows[0].index("ec50_nM")
    assert [row[column] for row in rows[1:]] == pytest.approx(grown.plate.growth["ec50_nM"].to_list(), rel=1e-14)


def test_the_report_has_a_section(grown: Finished) -> None:
    page = (grown.out / "report.html").read_text(encoding="utf-8")
    found = re.search(r'<section aria-labelledby="growth">(.*?)</section>', page, re.DOTALL)
    assert found is not None
    section = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.group(1)).replace("\xa0", " "))
    assert "its EC50 can lie many-fold from that of the rate" in section
    assert re.search(r"Here they lie [2-4]\.\d\d-fold apart in the median of 2 pairs", section)
    assert "32D-MPL, growth rate (luminescence), 72 h" in section
    assert "no GR50: growth rises with dose" in section
    assert section.count("start-3") == 2


def test_what_is_missing_is_told_in_the_report(grown: Finished, command: Command, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(grown.study, tmp_path / "study", ignore=shutil.ignore_patterns("out")))
    text = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(text.replace(f"hours = {HOURS}\n", ""), encoding="utf-8")
    assert command("run", folder, "--out", tmp_path / "out").exit_code == 0
    assert not (tmp_path / "out" / "results" / "plate_growth.csv").exists()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "end-1 (32D-MPL) has no growth rates: its hours of incubation are not given" in page
    assert "its EC50 can lie many-fold" not in page
