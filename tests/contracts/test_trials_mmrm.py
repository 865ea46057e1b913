"""Contract of `thrombokit trials mmrm FILE --response Y --subject ID --visit V --arm A --reference REF ... --json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from thrombokit.numerics.streams import stream

Command = Callable[..., Any]
COLUMNS = ("--response", "CNT", "--subject", "USUBJID", "--visit", "AVISITN", "--arm", "TRT", "--reference", "placebo")


def write_trial(path: Path) -> Path:
    rng = stream(1, "contract")
    n, m = 40, 4
    who, when = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    table = pl.DataFrame({
        "USUBJID": [f"P{i:02d}" for i in who], "AVISITN": 2 * when + 2, "TRT": np.array(["placebo", "active"])[who % 2],
        "CNT": rng.normal(0, 10, n)[who] + rng.normal(0, 8, n * m) + 30 + 5 * when * (who % 2), "BASE": rng.normal(20, 5, n)[who],
        "SEX": np.array(["F", "M"])[who // 2 % 2],
    })  # fmt: skip
    table.filter(pl.Series(rng.uniform(size=n * m) > 0.1)).write_csv(path)
    return path


@pytest.mark.parametrize("covariance", ["us", "ar1", "cs", "toeplitz"])
def test_every_key_of_the_document(command: Command, tmp_path: Path, covariance: str) -> None:
    file = write_trial(tmp_path / "trial.csv")
    done = command("trials", "mmrm", str(file), *COLUMNS, "--covariates", "BASE,SEX", "--covariance", covariance, "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert isinstance(document["minus2_reml"], float)
    assert [(m["visit"], m["arm"]) for m in document["lsmeans"]] == [
        (str(v), a) for v in (2, 4, 6, 8) for a in ("placebo", "active")
    ]
    assert all({"visit", "arm", "estimate", "se", "df", "low", "high"} == set(m) for m in document["lsmeans"])
    assert [(c["visit"], c["arm"], c["reference"]) for c in document["contrasts"]] == [
        (str(v), "active", "placebo") for v in (2, 4, 6, 8)
    ]
    assert all({"visit", "arm", "reference", "estimate", "se", "df", "low", "high", "p"} == set(c) for c in document["contrasts"])
    assert all(c["low"] < c["estimate"] < c["high"] for c in document["contrasts"])


def test_parquet_gives_the_same_as_csv(command: Command, tmp_path: Path) -> None:
    file = write_trial(tmp_path / "trial.csv")
    pl.read_csv(file).write_parquet(tmp_path / "trial.parquet")
    first, second = (command("trials", "mmrm", str(tmp_path / f"trial.{end}"), *COLUMNS, "--json") for end in ("csv", "parquet"))
    assert first.exit_code == second.exit_code == 0
    assert first.stdout == second.stdout


def test_faults_say_where_and_how_to_cure(command: Command, tmp_path: Path) -> None:
    file = write_trial(tmp_path / "trial.csv")
    wrong = command("trials", "mmrm", str(file), *COLUMNS[:-1], "placeb", "--covariates", "BAES", "--json")
    assert wrong.exit_code == 3
    assert 'Did you mean "BASE"?' in wrong.stderr
    assert json.loads(wrong.stdout)["faults"][0]["found"] == 'no column "BAES"'
    file.write_text(file.read_text().replace("P03,", "P03,").replace(",placebo,", ",placebo,x", 1))
    bad = command("trials", "mmrm", str(file), *COLUMNS)
    assert bad.exit_code == 3
    assert "trial.csv, row 2, CNT" in bad.stderr
    assert "Traceback" not in bad.stderr
