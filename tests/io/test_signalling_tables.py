"""Measured phosphorylation from tables: read, on one scale a run, every fault told in one pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from thrombokit.errors import InputError
from thrombokit.io.signalling_tables import read_signals
from thrombokit.signalling.measured import NO_RISE, NO_ZERO

HEAD = "assay,analyte,agonist,concentration,unit,time_min,value,normaliser,replicate,run\n"


def written(folder: Path, rows: str, head: str = HEAD) -> Path:
    path = folder / "signals.csv"
    path.write_text(head + rows, encoding="utf-8")
    return path


def test_values_over_their_normaliser_on_the_scale_of_the_run(tmp_path: Path) -> None:
    rows = (
        "Western,pERK,,0,nM,5,20,10,1,A\nWestern,pERK,hetrombopag,1,nM,5,120,20,1,A\nWestern,pERK,hetrombopag,10,nM,5,100,10,1,A\n"
    )
    points = read_signals(written(tmp_path, rows)).table()
    assert points["signal"].to_list() == [2.0, 6.0, 10.0]
    assert points["response_pct"].to_list() == [0.0, 50.0, 100.0]
    assert points["agonist"].to_list() == ["", "hetrombopag", "hetrombopag"]


def test_each_run_has_a_scale_of_its_own_and_means_count_runs(tmp_path: Path) -> None:
    rows = "".join(
        f"flow,pSTAT5,{name},{dose},nM,15,{base + span * share},,{at},{run}\n"
        for run, base, span in (("A", 100.0, 1000.0), ("B", 3.0, 7.0))
        for at, (name, dose, share) in enumerate((("", 0, 0.0), ("rhTPO", 0.1, 0.5), ("rhTPO", 1, 1.0)))
    )
    measured = read_signals(written(tmp_path, rows))
    assert measured.runs == ("A", "B")
    middle = measured.means().filter(concentration_nM=0.1)
    assert middle["response_pct"].item() == pytest.approx(50.0)
    assert middle["n_runs"].item() == 2
    assert measured.summary() == "6 measurements of pSTAT5 in 2 runs."


def test_names_are_read_as_people_write_them(tmp_path: Path) -> None:
    head = "Target,Compound,dose_nM,time,MFI,donor\n"
    rows = "phospho-ERK1/2,,0,5,1,d1\nP-STAT5 (Y694),SHR-8735,3,5,2,d1\npAKT-S473,TPO,1,0,3,d1\n"
    points = read_signals(written(tmp_path, rows, head)).table()
    assert points["analyte"].to_list() == ["pERK", "pSTAT5", "pAKT"]
    assert points["agonist"].to_list() == ["", "hetrombopag", "rhTPO"]
    assert points["run"].to_list() == ["d1"] * 3


def test_mass_units_become_molar(tmp_path: Path) -> None:
    rows = "flow,pAKT,rhTPO,100,ng/mL,5,1,,1,A\nflow,pAKT,mine,33,ng/mL,5,1,,1,A\n"
    points = read_signals(written(tmp_path, rows), molar_masses={"mine": 33000.0}).table()
    assert points["concentration_nM"].to_list() == pytest.approx([100 / 70, 1.0])


def test_a_run_without_a_zero_or_a_rise_has_no_scale_and_says_so(tmp_path: Path) -> None:
    rows = "flow,pERK,rhTPO,1,nM,5,9,,1,A\nflow,pERK,,0,nM,5,9,,1,B\nflow,pERK,rhTPO,1,nM,5,8,,1,B\n"
    measured = read_signals(written(tmp_path, rows))
    assert measured.scales["verdict"].to_list() == [NO_ZERO, NO_RISE]
    assert measured.table()["response_pct"].null_count() == 3
    assert f"pERK by flow in run A has no scale: {NO_ZERO}." in measured.summary()


def test_all_faults_in_one_pass(tmp_path: Path) -> None:
    rows = (
        "flow,pSTAT6,rhTPO,1,nM,5,9,,1,A\nflow,pERK,,1,nM,5,9,,1,A\nflow,pERK,rhTPO,,nM,5,9,,1,A\nflow,pERK,rhTPO,1,,5,9,,1,A\n"
        'flow,pERK,rhTPO,1,nM,-5,9,,1,A\nflow,pERK,rhTPO,1,nM,5,"9,5",,1,A\nflow,pERK,rhTPO,1,nM,5,9,0,1,A\nflow,pERK,rhTPO,1,nM,5,9,,1,\n'
        "flow,pERK,rhTPO,2,nM,5,9,,1,A\nflow,pERK,rhTPO,2,nM,5,7,,1,A\n"
    )
    with pytest.raises(InputError) as told:
        read_signals(written(tmp_path, rows))
    said = str(told.value)
    assert len(told.value.faults) == 9
    assert 'signals.csv, row 2, column 2 (analyte): found "pSTAT6"; expected "pSTAT5", "pERK", "pAKT", "pJAK2" or "pMEK"' in said
    assert "row 3, column 3 (agonist): found no agonist at 1 nM; expected its name" in said
    assert "row 4, column 4 (concentration): found nothing; expected a concentration; 0 for the vehicle" in said
    assert '"1" without a unit' in said
    assert "row 6, column 6 (time_min): found -5" in said
    assert "Write the decimal sign as a point" in said
    assert "row 8, column 8 (normaliser): found 0; expected what the value is divided by, above 0" in said
    assert "row 9, column 10 (run): found nothing; expected the run or donor" in said
    assert "row 11: found the same measurement as signals.csv, row 10; expected each once" in said


def test_a_column_nobody_reads_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'found the column "colour"'):
        read_signals(written(tmp_path, "pERK,rhTPO,1,5,9,A,red\n", "analyte,agonist,dose_nM,time_min,value,run,colour\n"))
