"""Contracts of `thrombokit trials proportions` with several arms, and with a file and strata."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_two_doses_against_placebo(command: Command) -> None:
    done = command("trials", "proportions", "99/168", "110/171", "5/85", "--names", "2.5 mg,5 mg,placebo", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.arms/1"
    first, second = document["comparisons"]
    assert (first["arm"], first["reference"], second["arm"]) == ("2.5 mg", "placebo", "5 mg")
    assert first["odds_ratio"]["estimate"] == pytest.approx(22.9565, abs=5e-5)
    assert second["odds_ratio"]["estimate"] == pytest.approx(28.8525, abs=5e-5)
    assert first["stratified"] is None
    assert set(first["multiplicity"]) == {"test", "p", "holm", "fixed_sequence"}
    assert first["multiplicity"]["holm"] == first["multiplicity"]["p"]
    assert second["multiplicity"]["fixed_sequence"] == first["multiplicity"]["p"]


def test_subjects_with_strata(command: Command, tmp_path: Path) -> None:
    rows = ["id,arm,region,prior,resp"]
    rows += [
        f"{k},{'active' if k % 2 else 'placebo'},{'EU' if k % 3 else 'CN'},{'yes' if k % 5 else 'no'},{int(k % 7 < 2 + k % 2)}"
        for k in range(60)
    ]
    file = tmp_path / "subjects.csv"
    file.write_text("\n".join(rows) + "\n")
    columns = (
        "--file",
        str(file),
        "--arm",
        "arm",
        "--reference",
        "placebo",
        "--response",
        "resp",
        "--strata",
        "region,prior",
        "--json",
    )
    done = command("trials", "proportions", *columns)
    assert done.exit_code == 0, done.stderr
    stratified = json.loads(done.stdout)["comparisons"][0]["stratified"]
    assert [s["stratum"] for s in stratified["strata"]] == ["EU / yes", "CN / yes", "EU / no", "CN / no"]
    assert set(stratified["risk_difference"]) == {"estimate", "miettinen_nurminen", "newcombe", "sato", "klingenberg"}
    assert set(stratified["odds_ratio"]) == {"mantel_haenszel", "exact_conditional", "firth"}
    assert set(stratified["tests"]) == {"cmh", "cmh_corrected", "exact_conditional", "firth"}
    assert set(stratified["homogeneity"]) == {"breslow_day", "tarone"}


def test_counts_with_strata_agree_with_subjects(command: Command, tmp_path: Path) -> None:
    grouped, single = tmp_path / "groups.csv", tmp_path / "single.csv"
    counts = {("active", "A"): (3, 8), ("placebo", "A"): (1, 7), ("active", "B"): (5, 6), ("placebo", "B"): (2, 9)}
    grouped.write_text("arm,s,x,n\n" + "".join(f"{a},{s},{x},{n}\n" for (a, s), (x, n) in counts.items()))
    single.write_text(
        "arm,s,r\n" + "".join(f"{a},{s},{'yes' if k < x else 'no'}\n" for (a, s), (x, n) in counts.items() for k in range(n))
    )
    common = ("--reference", "placebo", "--strata", "s", "--json")
    first = command("trials", "proportions", "--file", str(grouped), "--responders", "x", "--size", "n", *common)
    second = command("trials", "proportions", "--file", str(single), "--response", "r", *common)
    assert first.exit_code == second.exit_code == 0
    assert first.stdout == second.stdout


def test_faults_say_where(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "subjects.csv"
    file.write_text("arm,resp,site\nactive,1,A\n,0,A\nplacebo,maybe,\n")
    done = command("trials", "proportions", "--file", str(file), "--response", "resp", "--strata", "site", "--reference", "placebo")
    assert done.exit_code == 3
    for words in ("subjects.csv, row 3", "no arm", "subjects.csv, row 4, resp", '"maybe"', "subjects.csv, row 4, site"):
        assert words in done.stderr
    missing = command("trials", "proportions", "--file", str(file), "--response", "resp")
    assert missing.exit_code == 3
    assert "expected  the arm that the others are compared with" in missing.stderr or "no arm" in missing.stderr
    assert command("trials", "proportions", "3/10").exit_code == 3
    twice = command("trials", "proportions", "3/10", "2/8", "1/9", "--names", "a,a,b")
    assert "3 names that differ" in twice.stderr
