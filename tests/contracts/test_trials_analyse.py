"""Contract of `thrombokit trials analyse COUNTS --adsl ADSL --estimands E.toml --out FOLDER --json`, and of `trials survival FILE --adam`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from thrombokit.study.templates.guide_trial import write_synthetic_trial

Command = Callable[..., Any]
PLAN = """schema = "thrombokit-estimand/1"
reference = "placebo"
arms = ["5 mg", "2.5 mg"]
subgroups = ["sex"]
[visits]
weeks = [1, 2, 3, 4, 5, 6, 7, 8]
[[estimand]]
name = "week 8"
role = "primary"
endpoint = {kind = "response_at_week", week = 8}
rescue = {rule = "failure_from_rescue"}
strata = ["splenectomy"]
[[estimand]]
name = "week 8, observed"
endpoint = {kind = "response_at_week", week = 8}
missing = "observed_only"
[[estimand]]
name = "first response"
endpoint = {kind = "time_to_first_response"}
rescue = {rule = "failure_from_rescue"}
[[estimand]]
name = "days"
endpoint = {kind = "days_in_range"}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("trial")
    counts, subjects = write_synthetic_trial(folder, 5, per_arm=25)
    plan = folder / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    return counts, subjects, plan


def as_adam(counts: Path, subjects: Path, folder: Path) -> tuple[Path, Path, Path]:
    """The same trial as ADLB, ADSL and a table of rescues."""
    start = pl.date(2024, 3, 1)
    people, rows = pl.read_csv(subjects), pl.read_csv(counts)
    adsl = people.select(
        USUBJID="subject", TRT01P="arm", sex="sex", splenectomy="splenectomy", SAFFL=pl.lit("Y"), TRTSDT=start,
        TRTEDT=start + pl.duration(days=pl.col("stop_day")),
        EOSSTT=pl.when(pl.col("completed") == 1).then(pl.lit("COMPLETED")).otherwise(pl.lit("DISCONTINUED")),
        DCSREAS="dropout_reason", EOSDT=start + pl.duration(days=pl.col("dropout_day")),
    )  # fmt: skip
    adlb = rows.select(
        USUBJID="subject", PARAMCD=pl.lit("PLAT"), PARAM=pl.lit("Platelets (10^3/uL)"), AVAL="count", ADT=start + pl.duration(days=pl.col("day")),
        ADY=pl.when(pl.col("day") >= 0).then(pl.col("day") + 1).otherwise("day"),
        AVISIT=pl.when(pl.col("scheduled") == 1).then(pl.lit("Week")).otherwise(pl.lit("Unscheduled")),
    )  # fmt: skip
    rescue = people.select(USUBJID="subject", day=pl.col("rescue_days").cast(pl.String).str.split("; ")).explode("day").drop_nulls()
    paths = folder / "adlb.csv", folder / "adsl.csv", folder / "rescue.csv"
    for table, path in zip((adlb, adsl, rescue), paths, strict=True):
        table.write_csv(path)
    return paths


def test_every_key_and_file(command: Command, files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    counts, subjects, plan = files
    done = command("trials", "analyse", counts, "--subjects", subjects, "--estimands", plan, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.trial/1"
    assert document["inputs"]["counts.csv"] == hashlib.sha256(counts.read_bytes()).hexdigest()
    assert [arm["name"] for arm in document["flow"]] == document["arms"] == ["placebo", "2.5 mg", "5 mg"]
    assert [one["name"] for one in document["estimands"]] == ["week 8", "week 8, observed", "first response", "days"]
    primary = document["estimands"][0]
    assert [(c["arm"], c["test"], c["adjusted_by"]) for c in primary["contrasts"]] == [
        ("5 mg", "cmh", "holm"),
        ("2.5 mg", "cmh", "holm"),
    ]
    assert all(c["risk_difference"]["method"] == "stratified miettinen_nurminen" for c in primary["contrasts"])
    assert all(c["p"] <= c["p_adjusted"] for c in primary["contrasts"])
    assert len(document["response_by_visit"]) == 24
    assert {row["factor"] for row in document["subgroups"]} == {"all", "sex"}
    out = tmp_path / "out"
    assert json.loads((out / "results" / "trials.json").read_text()) == document
    table, parquet = pl.read_csv(out / "analysis_results.csv"), pl.read_parquet(out / "analysis_results.parquet")
    assert table.height == parquet.height == len(json.loads((out / "analysis_results.json").read_text())["results"])
    assert {p.name for p in out.glob("*.svg")} == {
        "subject_flow.svg",
        "response_by_visit.svg",
        "forest.svg",
        "counts.svg",
        "time_1.svg",
    }
    names = pl.read_csv(subjects)["subject"].to_list()
    written = "".join(p.read_text(encoding="utf-8") for p in out.rglob("*") if p.suffix in (".svg", ".json", ".csv", ".txt"))
    assert not any(name in written for name in names)


def test_adam_and_plain_tables_give_the_same_numbers(command: Command, files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    counts, subjects, plan = files
    adlb, adsl, rescue = as_adam(counts, subjects, tmp_path)
    plain = command("trials", "analyse", counts, "--subjects", subjects, "--estimands", plan, "--json")
    adam = command("trials", "analyse", adlb, "--adsl", adsl, "--rescue", rescue, "--estimands", plan, "--json")
    assert adam.exit_code == 0, adam.stderr
    first, second = json.loads(plain.stdout), json.loads(adam.stdout)
    assert first["estimands"] == second["estimands"]
    assert first["response_by_visit"] == second["response_by_visit"]


def test_single_subjects_are_drawn_only_when_asked(command: Command, files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    counts, subjects, plan = files
    done = command(
        "trials", "analyse", counts, "--subjects", subjects, "--estimands", plan, "--out", tmp_path, "--include-subjects", "--quiet"
    )
    assert done.exit_code == 0, done.stderr
    assert {"waterfall.svg", "swimmer.svg"} <= {p.name for p in tmp_path.glob("*.svg")}
    assert done.stdout == ""


def test_faults_end_with_3_and_are_listed(command: Command, files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    counts, subjects, plan = files
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        PLAN.replace('reference = "placebo"', 'reference = "plcebo"').replace('"splenectomy"', '"spleen"'), encoding="utf-8"
    )
    done = command("trials", "analyse", counts, "--subjects", subjects, "--estimands", wrong, "--json")
    assert done.exit_code == 3
    assert [fault["found"] for fault in json.loads(done.stdout)["faults"]] == ['"plcebo"', "no subject that has it"]
    both = command("trials", "analyse", counts, "--subjects", subjects, "--adsl", subjects, "--estimands", plan)
    assert both.exit_code == 3
    assert "it beside --adsl" in both.stderr


def test_survival_reads_adtte(command: Command, reference_data: Path) -> None:
    folder = reference_data / "clinical"
    pilot, other = folder / "cdisc-pilot-adam", folder / "dataset-json"
    said = [
        command("trials", "survival", times, "--adam", "--adsl", people, "--param", "TTDE", "--json")
        for times, people in ((pilot / "adtte.xpt", pilot / "adsl.xpt"), (other / "adtte.json", other / "adsl.json"),
                              (other / "adtte.ndjson", pilot / "adsl.xpt"))
    ]  # fmt: skip
    assert [one.exit_code for one in said] == [0, 0, 0]
    assert said[0].stdout == said[1].stdout == said[2].stdout
    plain = command(
        "trials",
        "survival",
        pilot / "adtte.xpt",
        "--time",
        "AVAL",
        "--event",
        "CNSR",
        "--event-value",
        "0",
        "--arm",
        "TRTP",
        "--json",
    )
    first, second = json.loads(said[0].stdout), json.loads(plain.stdout)
    assert (first["arms"], first["logrank"]) == (second["arms"], second["logrank"])


@pytest.mark.parametrize(
    ("options", "words"),
    [((), "Missing option --time and --event"), (("--adam", "--time", "AVAL"), "--time beside --adam"),
     (("--time", "t", "--event", "e", "--param", "X"), "--param without --adam")],
)  # fmt: skip
def test_options_that_do_not_belong_together(command: Command, tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    done = command("trials", "survival", tmp_path / "x.csv", *options)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.replace("│", " ").split())
