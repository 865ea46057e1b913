"""The main job on the guide study: init, check, run, report; the same bytes by any way, and a page that can be handed on."""

from __future__ import annotations

import dataclasses
import getpass
import html
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

import thrombokit as tk
from thrombokit import gatingml_sha256
from thrombokit.cells.cultures_result import CulturesResult
from thrombokit.dose_response import fit
from thrombokit.patients.stage import PatientsStage
from thrombokit.signalling.stage import SignallingStage
from thrombokit.study.saved_values import plain, tables_in
from thrombokit.trials.stage import TrialsStage

Command = Callable[..., Any]

GUIDE_EC50_nM = ("0.4", "13.4", "2.3", "86.2")


def below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def page(guide_run: Any) -> str:
    return (guide_run.out / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def words(page: str) -> str:
    """The page as a reader sees it: no scripts, no styles, no tags; figures and units joined by plain spaces."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ").replace("\u202f", " ").split())


def three(value: float) -> str:
    """Three significant digits, zeros kept: 0.4 -> 0.400, 1234 -> 1230."""
    rounded = float(f"{value:.2e}")
    decimals = max(2 - int(f"{value:.2e}".partition("e")[2]), 0)
    return f"{rounded:.{decimals}f}"


def test_check_finds_no_fault(command: Command, guide_run: Any) -> None:
    done = command("check", guide_run.study, "--json")
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["plates"]) == 17


@pytest.mark.long
def test_two_workers_and_a_report_made_later_give_the_same_bytes(
    command: Command, guide_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(fit, "CURVES_A_TASK", 20)  # tasks enough for two processes; how work is cut must not show either
        # the page of this run is drawn once, below, from its saved results
        patched.setattr("thrombokit.report.output.write_report", lambda result, path: path.write_text("", encoding="utf-8"))
        assert command("run", guide_run.study, "--out", tmp_path / "out", "--workers", "2", "--quiet").exit_code == 0
    (tmp_path / "out/tables.xlsx").unlink()
    assert command("report", tmp_path / "out").exit_code == 0
    one, two = below(guide_run.out), below(tmp_path / "out")
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name] and name != "ro-crate-metadata.json"] == []


def test_results_read_and_written_again_are_the_same(guide_run: Any, tmp_path: Path) -> None:
    result = tk.read_results(guide_run.out)
    tk.write_results(result, tmp_path)
    assert below(tmp_path / "results") == below(guide_run.out / "results")
    again = tk.read_results(tmp_path)
    for field in dataclasses.fields(result):
        if field.name not in ("plate", "cells", "signalling", "patients", "trials"):
            assert getattr(again, field.name) == getattr(result, field.name), field.name
    assert_same_cells(again.cells, result.cells)
    assert_same_stage(again.signalling, result.signalling)
    assert_same_stage(again.trials, result.trials)
    assert_same_stage(again.patients, result.patients)
    assert result.plate is not None
    assert again.plate is not None
    for field in dataclasses.fields(result.plate):
        before, after = getattr(result.plate, field.name), getattr(again.plate, field.name)
        assert after.equals(before) if isinstance(before, pl.DataFrame) else after == before, field.name


@pytest.mark.long
def test_what_is_saved_is_what_was_computed(guide_run: Any, tmp_path: Path) -> None:
    computed = tk.run_study(tk.load_study(guide_run.study))
    tk.write_results(computed, tmp_path)
    saved = tk.read_results(tmp_path)
    assert computed.plate is not None
    assert saved.plate is not None
    for field in dataclasses.fields(computed.plate):
        before, after = getattr(computed.plate, field.name), getattr(saved.plate, field.name)
        if isinstance(before, pl.DataFrame):
            assert after.schema == before.schema, field.name
            assert after.equals(before), field.name
        else:
            assert after == before, field.name
    for field in dataclasses.fields(computed):
        if field.name not in ("plate", "cells", "signalling", "patients", "trials"):
            assert getattr(saved, field.name) == getattr(computed, field.name), field.name
    assert_same_cells(saved.cells, computed.cells)
    assert_same_stage(saved.signalling, computed.signalling)
    assert_same_stage(saved.trials, computed.trials)
    assert_same_stage(saved.patients, computed.patients)


def assert_same_cells(one: CulturesResult | None, other: CulturesResult | None) -> None:
    """Every table, value and gate; the fitted steps' own settings are not saved, their gates are."""
    assert one is not None
    assert other is not None
    before, after = tables_in(one), tables_in(other)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name].width and not before[name].equals(after[name])] == []
    bare = [
        dataclasses.replace(cells, gating=dataclasses.replace(cells.gating, fitted={}), gates={}, record={})
        for cells in (one, other)
    ]
    assert plain(bare[0]) == plain(bare[1])
    assert {group: gatingml_sha256(tree) for group, tree in one.gates.items()} == {
        group: gatingml_sha256(tree) for group, tree in other.gates.items()
    }
    assert plain(one.record) == plain(other.record)


Stage = SignallingStage | PatientsStage | TrialsStage


def assert_same_stage(one: Stage | None, other: Stage | None) -> None:
    """Every table and value."""
    assert one is not None
    assert other is not None
    before, after = tables_in(one), tables_in(other)
    assert before.keys() == after.keys()
    for name, table in before.items():
        assert after[name].schema == table.schema, name
        assert after[name].equals(table), name
    assert plain(one) == plain(other)


def test_signalling_is_anchored_on_the_plates_and_says_what_it_rests_on(guide_run: Any, words: str) -> None:
    document = json.loads((guide_run.out / "results/signalling.json").read_text(encoding="utf-8"))
    plate = json.loads((guide_run.out / "results/plate.json").read_text(encoding="utf-8"))
    measured = {p["agonist"]: p["ec50_nM"]["estimate"] for p in plate["potencies"] if p["assay"]["cell_system"] == "32D-MPL"}
    assert {a["agonist"]: a["ec50_nM"] for a in document["anchors"]} == {n: measured[n] for n in ("hetrombopag", "eltrombopag")}
    section = words[words.index("Signalling in 32D-MPL was simulated") :]
    for said in (
        f"hetrombopag is anchored on this study’s own EC50 in 32D-MPL, {three(measured['hetrombopag'])} nM",
        "rates are assumed", "calibrated on EPO-R or other cells", "inside a band too wide to tell", "The model does not follow pERK",
        "CD41 and ploidy over days are assumed by this model, not predicted", "Predictions beside known values",
    ):  # fmt: skip
        assert said in section, said
    for one in document["predictions"]:
        assert three(one["predicted"]) in section
    assert "ge8N" not in json.dumps(document)
    assert "8N" not in document["summary"]


def test_a_trial_under_three_estimands_and_table_2_of_the_guide(guide_run: Any, words: str) -> None:
    document = json.loads((guide_run.out / "results/trials.json").read_text(encoding="utf-8"))
    week_8 = [one for one in document["trial"]["estimands"] if one["name"].startswith("response at week 8")]
    assert len({json.dumps(one["options"], sort_keys=True) for one in week_8}) == 3
    assert [arm["n"] for one in week_8 for arm in one["arms"]] == [40] * 9
    section = words[words.index("Estimands side by side") :]
    for said in ("99/168", "110/171", "5/85", "22/37", "29/37", "32.8 (12.4 to 86.9)", "shown beside, not reproduced"):
        assert said in words, said
    for one in document["published"]:
        assert f"{one['responders']}/{one['n']}" in section
        assert f"{one['percent']:.1f} % ({one['percent_low']:.1f} to {one['percent_high']:.1f})" in section


def test_two_rules_in_the_same_virtual_patients(guide_run: Any, words: str) -> None:
    document = json.loads((guide_run.out / "results/patients.json").read_text(encoding="utf-8"))
    assert [arm["name"] for arm in document["arms"]] == ["hetrombopag-150-250", "hetrombopag-250-400"]
    assert {arm["patients"] for arm in document["arms"]} == {200}
    section = words[words.index("These are simulated patients.") :]
    last = [row for row in document["weeks"] if row["week"] == 26]
    for row in last:
        assert f"at week 26, {100 * row['in_range']:.1f} %" in words
    for said in (
        "Engine quadrature",
        "near tie",
        "published, ",
        " assumed",
        "in the same virtual patients",
        "what is not known of the model",
    ):
        assert said in words, said
    assert "Research use only" in section or "research use only" in section


def test_the_report_is_one_small_file_that_fetches_nothing(guide_run: Any, page: str) -> None:
    assert (guide_run.out / "report.html").stat().st_size <= 3_500_000
    assert "default-src 'none'" in html.unescape(page[: page.index("</head>")])
    outside = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?!#|data:)", outside)


def test_nothing_written_names_the_machine_or_the_user(guide_run: Any) -> None:
    private = {str(guide_run.study.parent), str(Path.home()), str(Path(__file__).resolve().parents[2]), socket.gethostname()}
    private |= {getpass.getuser()} if len(getpass.getuser()) > 4 else set()
    for name, content in below(guide_run.out).items():
        if name == "tables.xlsx":
            continue  # compressed; made from the same saved results as the page
        text = content.decode("utf-8", errors="ignore")
        assert [word for word in private if len(word) > 3 and word in text] == [], name
        assert not re.search(
            r"(?<![\w.])/(?:home|root|Users|tmp|var)/", re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)
        ), name


def test_the_report_says_synthetic_and_research_use_only(words: str) -> None:
    assert "Synthetic data." in words
    assert words.count("Research use only. Not for diagnosis or treatment.") >= 2


def test_the_guides_four_ec50s_stand_beside_the_recovered_ones(guide_run: Any, words: str) -> None:
    published = json.loads((guide_run.out / "results/study.json").read_text(encoding="utf-8"))["published"]
    beside = words[words.index("Beside the published values") :]
    values = {item["published_ec50_nM"] for item in published}
    assert {float(value) for value in GUIDE_EC50_nM} <= values
    for item in published:
        assert three(item["published_ec50_nM"]) in beside or f"{item['published_ec50_nM']:g} nM" in beside
        for end in ("estimate", "low", "high"):
            assert three(item["recovered"][end]) in beside


def test_every_potency_and_ratio_is_in_the_report_to_three_digits(guide_run: Any, words: str) -> None:
    document = json.loads((guide_run.out / "results/plate.json").read_text(encoding="utf-8"))
    numbers = [potency["ec50_nM"][end] for potency in document["potencies"] for end in ("estimate", "low", "high")]
    numbers += [value for potency in document["potencies"] for value in potency["run_ec50_nM"]]
    numbers += [ratio["ratio"][end] for ratio in document["ratios"] for end in ("estimate", "low", "high")]
    told = [three(number) for number in numbers if number is not None]
    assert len(told) >= 30
    assert [text for text in told if not re.search(rf"(?<![\d.]){re.escape(text)}(?![\d])", words)] == []


def test_failed_plates_leave_the_combined_values_and_are_named(guide_run: Any, words: str) -> None:
    document = json.loads((guide_run.out / "results/plate.json").read_text(encoding="utf-8"))
    failed = {quality["plate"]: quality for quality in document["quality"] if quality["status"] == "fail"}
    assert set(failed) == {"32D-MPL_run-6_main", "CD34_donor-F_main"}
    assert "shifted" in failed["CD34_donor-F_main"]["suggestion"]
    for name, quality in failed.items():
        assert name in words
        assert name in guide_run.said.stdout
        assert quality["run"] not in {run for potency in document["potencies"] for run in potency["runs_used"]}
    assert set(pl.read_csv(guide_run.out / "results/plate_fits.csv")["plate"]) >= set(failed)


@pytest.mark.long
def test_strict_ends_with_1_because_of_them(
    command: Command, guide_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the page is not what this is about, and drawing it costs seconds
    monkeypatch.setattr("thrombokit.report.output.write_report", lambda result, path: path.write_text("", encoding="utf-8"))
    done = command("run", guide_run.study, "--out", tmp_path / "out", "--strict")
    assert done.exit_code == 1
    assert "CD34_donor-F_main failed its quality check" in done.stderr


def test_a_study_without_day0_plates_says_nothing_of_growth(guide_run: Any) -> None:
    assert 'aria-labelledby="growth"' not in (guide_run.out / "report.html").read_text(encoding="utf-8")
    assert not (guide_run.out / "results" / "plate_growth.csv").exists()
    assert "growth" not in openpyxl.load_workbook(guide_run.out / "tables.xlsx", read_only=True).sheetnames
