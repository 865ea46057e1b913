"""The guide study's synthetic phospho-flow data: the truth stands beside them and is in them."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from thrombokit.io.signalling_tables import read_signals
from thrombokit.signalling.measured import MeasuredSignals
from thrombokit.study.templates.guide_signalling import ANALYTES, RUNS, DOSE_TIME_min, signalling_text, signalling_truth_text


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> MeasuredSignals:
    path = tmp_path_factory.mktemp("signals") / "signals.csv"
    path.write_text(signalling_text(20181), encoding="utf-8")
    return read_signals(path)


def test_same_seed_same_text() -> None:
    assert signalling_text(7) == signalling_text(7)
    assert signalling_text(7) != signalling_text(8)


def test_it_is_read_without_a_fault_and_every_run_has_a_scale(measured: MeasuredSignals) -> None:
    assert measured.runs == RUNS
    assert set(measured.scales["verdict"]) == {"scaled"}
    assert measured.scales.height == len(RUNS) * len(ANALYTES)


def test_the_truth_beside_is_the_truth_within(measured: MeasuredSignals) -> None:
    truth = {one["analyte"]: one for one in tomllib.loads(signalling_truth_text())["signalling"]}
    for analyte in ANALYTES:
        said = truth[analyte.name]
        assert analyte.course(said["peak_min"]) == pytest.approx(1.0, abs=1e-6)
        assert max(analyte.course(t) for t in np.linspace(0.0, 240.0, 500)) <= 1.0 + 1e-9
        assert analyte.effect("hetrombopag", said["ec50_hetrombopag_nM"]) == pytest.approx(0.5)
        points = measured.means().filter((pl.col("analyte") == analyte.name) & (pl.col("agonist") == "eltrombopag"))
        half = 0.5 * float(points["response_pct"].to_numpy().max())
        ordered = points.sort("concentration_nM")
        crossing = np.interp(half, ordered["response_pct"].to_numpy(), np.log(ordered["concentration_nM"].to_numpy()))
        assert math.exp(crossing) == pytest.approx(said["ec50_eltrombopag_nM"], rel=0.35)
        assert said["minutes"] == DOSE_TIME_min


def test_text_is_utf8_without_blank_lines(tmp_path: Path) -> None:
    lines = signalling_text(1).splitlines()
    assert all(line.count(",") == 10 for line in lines)
    assert all(line.endswith(",synthetic") for line in lines[1:])
    assert len(lines) == 1 + len(RUNS) * len(ANALYTES) * 35
