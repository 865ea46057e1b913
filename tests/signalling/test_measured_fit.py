"""The model beside measured signals: a rate comes back from data made with it, and what data cannot tell is not told."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest

from thrombokit.agonists.load import load_agonist
from thrombokit.drawing.export import chart_spec
from thrombokit.errors import InputError
from thrombokit.io.tpor import POSITIVE_CONTROL_nM, tpor_model
from thrombokit.numerics.streams import stream
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.measured import OBSERVED, MeasuredSignals, normalise_signals
from thrombokit.signalling.measured_fit import fit_signals, rate_sentence
from thrombokit.signalling.treatments import Treatment

TIMES_min = (0.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0)
RATE = "erk_dephosphorylation"


@pytest.fixture(scope="module")
def bindings() -> tuple[Binding, ...]:
    control = load_agonist("rhTPO")
    agonists = [control, load_agonist("hetrombopag")]
    return bind_agonists(agonists, tpor_model(), control=control, control_nM=POSITIVE_CONTROL_nM)[0]


def made(bindings: tuple[Binding, ...], *, rates: dict[str, float], runs: int, scatter: float, seed: int = 1) -> MeasuredSignals:
    """Signals of the model itself under other rates, with a scale, a background and scatter of each run's own."""
    model = tpor_model(rates=rates)
    rng = stream(seed, "made signals")
    rows: list[Mapping[str, object]] = []
    for run in range(runs):
        scale, background = math.exp(rng.normal()), 50.0 * math.exp(rng.normal())
        for dose in (0.0, 0.4, 2.0, 10.0):
            given = {"hetrombopag": dose} if dose else {}
            activity = model.activity(Treatment(agonists_nM=given), bindings, np.array(TIMES_min) / 60.0)
            for analyte in ("pSTAT5", "pERK"):
                levels = sum(activity[id] * (0.275 if id == "STAT5_nuclear" else 0.4) for id in OBSERVED[analyte])
                noise = np.exp(scatter * rng.standard_normal(len(TIMES_min)))
                rows += [
                    {"assay": "flow", "analyte": analyte, "agonist": "hetrombopag" if dose else "", "concentration_nM": dose,
                     "time_min": time, "value": (background + 100.0 * scale * level) * factor, "normaliser": None, "replicate": "1",
                     "run": f"r{run}"}
                    for time, level, factor in zip(TIMES_min, np.asarray(levels).tolist(), noise.tolist(), strict=True)
                ]  # fmt: skip
    return normalise_signals(pl.DataFrame(rows))


def test_without_scatter_the_model_lies_on_its_own_data(bindings: tuple[Binding, ...]) -> None:
    fit = fit_signals(made(bindings, rates={}, runs=2, scatter=0.0), tpor_model(), bindings)
    assert fit.quality["rms_pct"].max() < 0.05  # pyright: ignore[reportOperatorIssue]
    assert fit.rates == ()
    assert fit.caveats() == []
    assert "rates are assumed" in fit.caption
    assert "The scale of each assay, analyte and run is fitted, no rate." in fit.caption


def test_a_rate_comes_back_with_an_interval_over_runs(bindings: tuple[Binding, ...]) -> None:
    truth = 0.6
    fit = fit_signals(made(bindings, rates={RATE: truth}, runs=4, scatter=0.03), tpor_model(), bindings, rates=[RATE])
    (rate,) = fit.rates
    assert rate.verdict == "fit"
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < truth < rate.high
    assert rate.estimate == pytest.approx(truth, rel=0.1)
    assert len(rate.by_run) == 4
    assert "95 % interval" in rate_sentence(rate, 0.95)


def test_too_few_runs_give_no_interval(bindings: tuple[Binding, ...]) -> None:
    (rate,) = fit_signals(made(bindings, rates={RATE: 0.5}, runs=2, scatter=0.02), tpor_model(), bindings, rates=[RATE]).rates
    assert (rate.verdict, rate.low, rate.high) == ("few_runs", None, None)
    assert rate_sentence(rate, 0.95).endswith("from 2 runs: too few for an interval.")


def test_what_the_data_cannot_tell_is_kept_and_said(bindings: tuple[Binding, ...]) -> None:
    fit = fit_signals(made(bindings, rates={}, runs=3, scatter=0.02), tpor_model(), bindings, rates=["bclxl_turnover"])
    (rate,) = fit.rates
    assert rate.verdict == "not_told"
    assert rate.estimate == rate.before
    assert "these data do not tell it" in rate_sentence(rate, 0.95)
    assert "no rate" in fit.caption


def test_a_rate_beyond_its_range_is_a_bound(bindings: tuple[Binding, ...]) -> None:
    highest = next(one.high for one in tpor_model().rate_set if one.id == RATE)
    fit = fit_signals(made(bindings, rates={RATE: 3.0 * highest}, runs=3, scatter=0.01), tpor_model(), bindings, rates=[RATE])
    (rate,) = fit.rates
    assert (rate.verdict, rate.low, rate.high) == ("at_bound", None, None)
    assert rate.estimate == pytest.approx(highest, rel=1e-2)
    assert "a bound, not an estimate" in rate_sentence(rate, 0.95)


def test_data_the_model_does_not_follow_are_named(bindings: tuple[Binding, ...]) -> None:
    measured = made(bindings, rates={}, runs=3, scatter=0.0)
    upside_down = measured.points.with_columns(value=pl.when(pl.col("agonist") == "").then(pl.col("value")).otherwise(
        pl.when(pl.col("time_min") == 5.0).then(1e6).otherwise(pl.col("value"))))  # fmt: skip
    fit = fit_signals(normalise_signals(upside_down), tpor_model(), bindings)
    assert fit.caveats() == ["The model does not follow pSTAT5, pERK over dose and time (R2 below 0.5 in at least one run)."]
    assert fit.caveats()[0] in fit.summary()


def test_picture_and_tables(bindings: tuple[Binding, ...]) -> None:
    fit = fit_signals(made(bindings, rates={}, runs=3, scatter=0.02), tpor_model(), bindings, rates=[RATE])
    rows = next(iter(chart_spec(fit.plot())["datasets"].values()))
    assert {row["panel"] for row in rows} == {"pSTAT5 over time (min)", "pERK over time (min)", "pSTAT5 over dose (nM)",
                                                                "pERK over dose (nM)"}  # fmt: skip
    assert fit.table().columns == ["id", "unit", "before", "estimate", "low", "high", "verdict", "n_runs"]
    assert fit.points.columns[-1] == "model_pct"


def test_every_fault_is_told_at_once(bindings: tuple[Binding, ...]) -> None:
    row = {"assay": "flow", "analyte": "pX", "agonist": "romiplostim", "concentration_nM": 1.0, "time_min": 5.0, "value": 1.0,
           "normaliser": None, "replicate": "1", "run": "a"}  # fmt: skip
    with pytest.raises(InputError) as told:
        fit_signals(normalise_signals(pl.DataFrame([row])), tpor_model(), bindings, rates=["no_such_rate", "no_such_rate"])
    said = str(told.value)
    assert 'found the analyte "pX"; expected pSTAT5' in said
    assert 'found the agonist "romiplostim" without affinity and efficacy' in said
    assert 'signalling, rates to fit: found "no_such_rate"; expected a rate of tpor_rates.toml with a range' in said
    assert "found 2 rates; expected at most 6, each once" in said
    assert "found no run with a scale" in said
