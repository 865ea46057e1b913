"""Contract of `thrombokit run STUDY` with a section [signalling]: never edited to fit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

import thrombokit as tk

Command = Callable[..., Any]

SIGNALS = """assay,analyte,agonist,concentration,unit,time_min,value,run
flow,pERK,,0,nM,15,100,r1
flow,pERK,eltrombopag,10,nM,15,500,r1
flow,pERK,eltrombopag,100,nM,15,900,r1
"""
SECTION = """
[signalling]
rate_sets = 20
cultures = ["CD34+ cord blood"]
culture_days = 4
inhibitors = ["ruxolitinib"]
mutations = []
receptors = ["H499L"]
measured = "signals.csv"
"""
WITHOUT_THE_EXTRA = """
import sys
sys.modules.update(roadrunner=None, antimony=None, libsbml=None)
sys.argv = ["thrombokit", *{arguments!r}]
from thrombokit.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def study(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signalling") / "study"
    assert command("init", folder).exit_code == 0
    (folder / "signals.csv").write_text(SIGNALS, encoding="utf-8")
    toml = folder / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + SECTION, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def out(command: Command, study: Path) -> Path:
    folder = study.parent / "out"
    done = command("run", study, "--out", folder, "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    return folder


def without_the_extra(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    code = WITHOUT_THE_EXTRA.format(arguments=[str(one) for one in arguments])
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False, timeout=120)


def below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_results_page_and_workbook_hold_signalling(out: Path) -> None:
    document = json.loads((out / "results/signalling.json").read_text(encoding="utf-8"))
    assert next(iter(document.items())) == ("schema", "thrombokit.signalling/1")
    assert {
        "cell_system",
        "hours",
        "agonists",
        "caption",
        "assumed_share",
        "anchors",
        "predictions",
        "shifts",
        "notes",
    } <= document.keys()
    names = {p.name for p in (out / "results").iterdir()}
    assert {"signalling_dose_time.csv", "signalling_shifts.csv", "signalling_cultures.csv", "signalling_network.svg"} <= names
    page = (out / "report.html").read_text(encoding="utf-8")
    assert '<h2 id="signalling">Signalling</h2>' in page
    assert page.count("<svg") >= 1
    sheets = openpyxl.load_workbook(out / "tables.xlsx", read_only=True).sheetnames
    assert {"signalling dose time", "signalling anchors", "signalling cultures"} <= set(sheets)
    versions = json.loads((out / "results/study.json").read_text(encoding="utf-8"))["provenance"]["versions"]
    assert "libroadrunner" in versions


def test_the_plates_own_ec50_anchors_the_agonist(out: Path) -> None:
    plate = json.loads((out / "results/plate.json").read_text(encoding="utf-8"))
    measured = next(p["ec50_nM"]["estimate"] for p in plate["potencies"] if p["agonist"] == "eltrombopag")
    (anchor,) = pl.read_csv(out / "results/signalling_anchors.csv").to_dicts()
    assert anchor["agonist"] == "eltrombopag"
    assert anchor["ec50_nM"] == pytest.approx(measured, rel=1e-12)
    shift = pl.read_csv(out / "results/signalling_shifts.csv").filter(pl.col("hours") == 72.0).row(0, named=True)
    assert shift["ec50_nM"] == pytest.approx(measured, rel=0.05), "the model returns what it was anchored on"


def test_the_answer_names_anchor_and_assumed_share(command: Command, out: Path, study: Path, tmp_path: Path) -> None:
    result = tk.read_results(out)
    said = "\n".join(tk.answer_sentences(result))
    assert "eltrombopag is anchored on this study’s own EC50 in 32D-MPL" in said
    assert "rates are assumed" in said
    assert "calibrated on EPO-R or other cells" in said
    assert "CD41 and ploidy over days are assumed by this model, not predicted" in said
    assert tk.run_document(result)["signalling"]["schema"] == "thrombokit.signalling/1"


@pytest.mark.long
def test_two_workers_give_the_same_bytes(command: Command, study: Path, out: Path, tmp_path: Path) -> None:
    assert command("run", study, "--out", tmp_path / "out", "--workers", "2", "--quiet").exit_code == 0
    assert below(tmp_path / "out/results") == below(out / "results")
    assert (tmp_path / "out/report.html").read_bytes() == (out / "report.html").read_bytes()


def test_a_missing_extra_is_one_line_that_names_the_section(study: Path, tmp_path: Path) -> None:
    done = without_the_extra("run", study, "--out", tmp_path / "out")
    assert done.returncode == 5
    (line,) = done.stderr.strip().splitlines()
    assert "[signalling]" in line
    assert "study.toml:" in line
    assert 'pip install "thrombokit[signalling]"' in line
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_without_the_extra_check_and_a_study_without_the_section_go_on(command: Command, study: Path, tmp_path: Path) -> None:
    assert without_the_extra("check", study, "--quiet").returncode == 0
    assert command("init", tmp_path / "plain").exit_code == 0
    done = without_the_extra("run", tmp_path / "plain", "--out", tmp_path / "out", "--quiet")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "out/results/signalling.json").exists()


def test_bad_words_end_with_3_all_in_one_pass(command: Command, study: Path, tmp_path: Path) -> None:
    for path, content in below(study).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    toml = tmp_path / "study.toml"
    text = toml.read_text(encoding="utf-8").replace('"ruxolitinib"', '"ruxolitinb"').replace('"H499L"', '"H499"')
    toml.write_text(text.replace("signals.csv", "signal.csv"), encoding="utf-8")
    done = command("run", tmp_path, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 3
    (fault,) = json.loads(done.stdout)["faults"]
    assert 'Did you mean "signals.csv"?' in fault["cure"]
    toml.write_text(text, encoding="utf-8")
    faults = json.loads(command("check", tmp_path, "--json").stdout)["faults"]
    assert [fault["place"].split(", ")[1] for fault in faults] == ["signalling.inhibitors[1]", "signalling.receptors[1]"]
    assert faults[0]["cure"] == 'Did you mean "ruxolitinib"?'
