"""The signalling part of the report: hits and misses told alike, assumed shares on every figure, nothing left open in the template."""

from __future__ import annotations

import json
from dataclasses import replace

import jinja2
import polars as pl
import pytest

from thrombokit.agonists.load import load_agonist
from thrombokit.drawing.export import chart_spec
from thrombokit.errors import InputError
from thrombokit.io.tpor import POSITIVE_CONTROL_nM, tpor_model
from thrombokit.report.signalling import signalling_parts
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.measured import normalise_signals
from thrombokit.signalling.measured_fit import fit_signals
from thrombokit.signalling.predictions import Prediction
from thrombokit.signalling.stage import SignallingStage, simulate_stage
from thrombokit.signalling.treatments import Treatment
from thrombokit.study.saved_values import plain, tables_in, typed

HIT = Prediction(fact="EC50 of b", unit="nM", predicted=2.0, low=1.0, high=3.0, published=2.5, source="Paper A", note="")
MISS = replace(HIT, fact="EC50 of a", published=9.0, source="Paper B")
OPEN = replace(HIT, fact="EC50 at 24 h", published=None, source="")


@pytest.fixture(scope="module")
def stage() -> SignallingStage:
    model = tpor_model()
    known = [load_agonist(name) for name in ("rhTPO", "hetrombopag", "eltrombopag")]
    bindings, anchors = bind_agonists(known, model, control=known[0], control_nM=POSITIVE_CONTROL_nM)
    rows = [
        {"assay": "flow", "analyte": "pERK", "agonist": "hetrombopag" if dose else "", "concentration_nM": dose, "time_min": time,
         "value": 10.0 + 90.0 * dose / (1.0 + dose) * time / 30.0, "normaliser": None, "replicate": "", "run": "r1"}
        for dose in (0.0, 1.0, 10.0) for time in (5.0, 10.0, 30.0)
    ]  # fmt: skip
    fit = fit_signals(normalise_signals(pl.DataFrame(rows)), model, bindings, rates=["erk_dephosphorylation"])
    return simulate_stage(
        model, bindings, positive_control=Treatment(agonists_nM={"rhTPO": POSITIVE_CONTROL_nM}), agonists=["hetrombopag", "eltrombopag"],
        anchors=anchors, predictions=(HIT, MISS, OPEN), fit=fit,
    )  # fmt: skip


def test_misses_are_told_like_hits(stage: SignallingStage) -> None:
    parts = signalling_parts(stage)["signalling"]
    tally = "2 values, published or measured here, that the model was not fitted to: 1 inside the model’s band, 1 outside it, "
    assert tally + "0 inside a band too wide to tell, 0 beside a number without a band." in parts["sentences"]
    assert "Miss: EC50 of a is predicted at 2.00 nM (1.00 to 3.00), known 9.00 (Paper B)." in parts["sentences"]
    verdicts = [row[5] for row in parts["predictions"].rows]
    assert verdicts == ["hit", "miss", "no published value found"]


def test_every_figure_says_what_is_assumed(stage: SignallingStage) -> None:
    figures = signalling_parts(stage)["figures"]
    assert [figure.key for figure in figures] == [
        "signalling-dose-time", "signalling-inhibitors", "signalling-mutants", "signalling-measured",
    ]  # fmt: skip
    for figure in figures:
        assert "rates are assumed" in " ".join(chart_spec(figure.chart)["title"]["text"])
    picture = str(signalling_parts(stage)["signalling"]["picture"])
    assert "rates are assumed" in picture
    assert "calibrated on EPO-R or other cells" in picture
    assert picture.startswith("<svg")


def test_combinations_show_the_model_bliss_and_sum(stage: SignallingStage) -> None:
    table = signalling_parts(stage)["signalling"]["combinations"]
    assert [column.title for column in table.columns[-3:]] == ["Model, drives add (%)", "Bliss (%)", "Sum (%)"]
    row = stage.combinations.filter((pl.col("first_nM") > 0) & (pl.col("second_nM") > 0)).row(0, named=True)
    assert row["first_pct"] == pytest.approx(20.0, abs=0.5)
    assert row["second_pct"] == pytest.approx(20.0, abs=0.5)
    assert row["drive_additive_pct"] == pytest.approx(row["sum_pct"], rel=0.05)


def test_dose_and_time_hold_every_agonist_dose_and_time(stage: SignallingStage) -> None:
    cells = stage.dose_time.filter(pl.col("quantity") == "cell number")
    assert sorted(cells["time_h"].unique()) == [24.0, 48.0, 72.0]
    assert stage.dose_time.group_by("agonist").agg(pl.col("concentration_nM").n_unique())["concentration_nM"].to_list() == [9, 9]
    assert stage.dose_time["value"].max() <= 101.0  # pyright: ignore[reportOperatorIssue]
    assert set(stage.shifts["hours"]) == {24.0, 48.0, 72.0}


def test_silent_receptors_and_inhibitors_stand_in_the_panels(stage: SignallingStage) -> None:
    mutants = dict(zip(stage.mutants["treatment"], stage.mutants["response_pct"], strict=True))
    assert next(value for name, value in mutants.items() if name.startswith("H499L")) == pytest.approx(0.0, abs=1e-6)
    inhibited = dict(zip(stage.inhibitors["treatment"], stage.inhibitors["response_pct"], strict=True))
    assert next(value for name, value in inhibited.items() if name.endswith("ruxolitinib 1000 nM")) < 10.0


def test_the_template_shows_all_of_it(stage: SignallingStage) -> None:
    page = rendered(signalling_parts(stage)["signalling"])
    for heading in (
        "The network",
        "Predictions beside known values",
        "Dose and time",
        "Two agonists together",
        "Measured signals",
    ):
        assert f"<h3>{heading}</h3>" in page
    assert page.count("<svg") == 1
    assert "a bound, not an estimate" in page or "too few for an interval" in page or "do not tell it" in page


def test_a_bare_result_leaves_its_parts_out(stage: SignallingStage) -> None:
    empty = pl.DataFrame()
    bare = SignallingStage(cell_system="32D-MPL", hours=72.0, agonists=("x<y",), dose_time=empty, inhibitors=empty, mutants=empty,
                           combinations=empty, shifts=empty, caption=stage.caption, assumed_share=0.5)  # fmt: skip
    parts = signalling_parts(bare)
    assert parts["figures"] == []
    page = rendered(parts["signalling"])
    assert "<h3>" not in page
    assert "x&lt;y" in page


def test_an_agonist_without_a_place_in_the_model_is_told() -> None:
    with pytest.raises(InputError, match=r'signalling: found "avatrombopag" without affinity and efficacy'):
        simulate_stage(tpor_model(), (), positive_control=Treatment(agonists_nM={"rhTPO": 1.0}), agonists=["avatrombopag"])
    with pytest.raises(InputError, match="signalling: found no agonist; expected at least one"):
        simulate_stage(tpor_model(), (), positive_control=Treatment(agonists_nM={"rhTPO": 1.0}), agonists=[])


def test_cells_without_the_receptor_are_told() -> None:
    model = tpor_model()
    control = load_agonist("rhTPO")
    bindings, _ = bind_agonists([control], model, control=control, control_nM=POSITIVE_CONTROL_nM)
    with pytest.raises(InputError, match="found cells that do not answer the positive control"):
        simulate_stage(tpor_model("32D-EPOR"), bindings, positive_control=Treatment(agonists_nM={"rhTPO": 1.0}), agonists=["rhTPO"])


def test_a_saved_stage_reads_back_and_reports_alike(stage: SignallingStage) -> None:
    saved = json.loads(json.dumps(plain(stage)))
    back = typed(SignallingStage, saved, tables=tables_in(stage))
    assert back.picture == stage.picture
    assert back.predictions == stage.predictions
    assert back.summary() == stage.summary()
    first, second = (signalling_parts(one)["signalling"] for one in (stage, back))
    assert first["sentences"] == second["sentences"]
    assert first["picture"] == second["picture"]


def rendered(parts: dict[str, object]) -> str:
    environment = jinja2.Environment(loader=jinja2.PackageLoader("thrombokit.report", "templates"), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True)  # fmt: skip
    environment.filters["tight"] = str
    return environment.get_template("signalling.html.j2").render(signalling=parts)
