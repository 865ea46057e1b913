"""Contract of `thrombokit plate fit --robust` and `--statistics`: never edited to fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

Command = Callable[..., Any]


@pytest.fixture
def tidy(tmp_path: Path) -> Path:
    """Three curves with an EC50 of 20 nM; one well of the second lies far off."""
    dose = np.repeat([0.0, *(0.3 * 3.0 ** np.arange(9))], 3)
    mean = 10.0 + 90.0 * dose**1.2 / (dose**1.2 + 20.0**1.2)
    rng = np.random.default_rng(1)
    parts = []
    for name in ("a", "spoilt", "c"):
        y = mean + rng.standard_normal(dose.size)
        y[16] += 80.0 if name == "spoilt" else 0.0
        parts.append(pl.DataFrame({"curve": [name] * dose.size, "concentration_nM": dose, "response": y}))
    path = tmp_path / "tidy.csv"
    pl.concat(parts).write_csv(path)
    return path


@pytest.mark.parametrize("robust", ["huber", "tukey"])
def test_without_an_interval_it_is_the_sandwich(command: Command, tidy: Path, robust: str) -> None:
    out = tidy.with_name("fits.csv")
    done = command("plate", "fit", tidy, "--weights", "none", "--robust", robust, "--out", out)
    assert (done.exit_code, done.stdout) == (0, "")
    rows = pl.read_csv(out).to_dicts()
    assert [row["interval_method"] for row in rows] == ["sandwich"] * 3
    assert all(row["ec50_nM"] == pytest.approx(20.0, rel=0.05) for row in rows)
    assert all(row["ec50_low_nM"] < 20.0 < row["ec50_high_nM"] for row in rows)


@pytest.mark.parametrize("interval", ["bootstrap", "case_bootstrap"])
def test_bootstraps_go_with_it(command: Command, tidy: Path, interval: str) -> None:
    out = tidy.with_name("fits.csv")
    options = ("--weights", "none", "--robust", "huber", "--interval", interval)
    assert command("plate", "fit", tidy, *options, "--out", out).exit_code == 0
    assert pl.read_csv(out)["interval_method"].to_list() == [interval] * 3


def test_clashing_options_are_bad_input(command: Command, tidy: Path) -> None:
    profile = command("plate", "fit", tidy, "--robust", "huber", "--interval", "profile")
    assert profile.exit_code == 3
    assert "expected one of sandwich, bootstrap, case_bootstrap" in " ".join(profile.stderr.split())
    model = command("plate", "fit", tidy, "--robust", "huber", "--model", "5pl")
    assert (model.exit_code, "expected model 4pl or 3pl" in " ".join(model.stderr.split())) == (3, True)
    assert command("plate", "fit", tidy, "--robust", "lad").exit_code == 2


def test_statistics_are_a_table_of_their_own(command: Command, tidy: Path) -> None:
    out, statistics = tidy.with_name("fits.parquet"), tidy.with_name("statistics.csv")
    done = command("plate", "fit", tidy, "--weights", "none", "--out", out, "--statistics", statistics)
    assert done.exit_code == 0
    table = pl.read_csv(statistics)
    assert table.columns == ["curve", "aicc", "p_flat", "q_flat", "p_lack_of_fit", "r_squared", "n_outliers"]
    assert table["curve"].to_list() == ["a", "spoilt", "c"]
    assert table["n_outliers"][1] >= 1
    assert (table["p_flat"] < 1e-6).all()
    assert (table["r_squared"] > 0.7).all()
    assert table["aicc"][1] > table["aicc"][0]
    assert len(pl.read_parquet(out).columns) == 19
