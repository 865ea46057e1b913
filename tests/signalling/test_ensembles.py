"""Ensembles and sensitivities: numbered sets, anchored anew, the same however they are run."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from thrombokit.agonists.load import load_agonist
from thrombokit.errors import SimulationError
from thrombokit.io.tpor import tpor_model
from thrombokit.signalling.anchor import COARSE_DRIVES, curve_of_dose, drive_curve
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.cell_systems import find_cell_system
from thrombokit.signalling.ensembles import EnsemblePlan, anchored_on, bound_in_set, drawn_rates, simulate_ensemble
from thrombokit.signalling.predictions import (
    NO_BAND,
    NO_VALUE,
    TOO_WIDE,
    predict_other_cells,
    predict_time_shift,
    predictions_table,
)
from thrombokit.signalling.sensitivity import OUTPUTS, Question, local_sensitivity, morris_screening
from thrombokit.signalling.treatments import Treatment


@pytest.fixture(scope="module")
def plan() -> EnsemblePlan:
    model = tpor_model("CD34+ cord blood")
    agonists = [load_agonist(name) for name in ("rhTPO", "hetrombopag", "eltrombopag")]
    bindings, anchors = bind_agonists(agonists, model, control=agonists[0], control_nM=1.43)
    return EnsemblePlan(
        model=model, assay=find_cell_system("32D-MPL"), assay_hours=72.0, agonists=anchored_on(bindings, anchors), control="rhTPO",
        treatments=(Treatment(agonists_nM={"hetrombopag": 2.3}), Treatment(agonists_nM={"rhTPO": 1.43})), control_nM=1.43, hours=168.0,
        seed=1, culture=True,
    )  # fmt: skip


def test_a_set_is_the_same_alone_and_among_others(plan: EnsemblePlan) -> None:
    many = simulate_ensemble(plan, 3)
    alone = simulate_ensemble(pickle.loads(pickle.dumps(plan)), 1)
    for name, values in alone.outputs.items():
        assert np.array_equal(values[0], many.outputs[name][0], equal_nan=True), name
    assert (many.outputs["cells"][0] != many.outputs["cells"][1]).any()


def test_bands_and_their_words(plan: EnsemblePlan) -> None:
    result = simulate_ensemble(plan, 3)
    low, median, high = result.band("ge8N")
    assert ((low <= median) & (median <= high)).all()
    assert set(result.table()["output"]) == {
        "response_pct",
        "cells",
        "STAT5_p",
        "ERK_p",
        "AKT_p",
        "cd41_share",
        "ge8N",
        "mean_ploidy",
    }
    assert "3 sets of rates, 5 to 95 % of them: hetrombopag 2.3 nM" in result.summary()
    assert "assumed" in result.summary()
    picture = json.dumps(result.plot(("ge8N", "cd41_share")).to_dict())
    assert "share 8N and above, assumed" in picture
    assert '"area"' in picture
    assert "5 to 95 % of 3 sets of rates" in picture


def test_every_set_returns_the_measured_ec50(plan: EnsemblePlan) -> None:
    for number in (0, 1):
        bound = bound_in_set(plan, number)
        assert bound is not None
        _, assay, bindings = bound
        curve = drive_curve(assay, hours=72.0, reference=bindings[0], reference_nM=1.43, drives=COARSE_DRIVES)
        assert curve_of_dose(curve, bindings[1])[0] == pytest.approx(0.4, rel=1e-6)
        assert curve_of_dose(curve, bindings[2])[0] == pytest.approx(13.4, rel=1e-6)


def test_sets_in_which_the_assay_does_not_work_are_left_out_and_counted(plan: EnsemblePlan) -> None:
    dead = replace(plan, assay=find_cell_system("32D-EPOR"))
    assert bound_in_set(dead, 0) is None
    with pytest.raises(SimulationError, match="In none of 2 sets of rates do cells of 32D-EPOR answer rhTPO"):
        simulate_ensemble(dead, 2)
    assert simulate_ensemble(plan, 1).n_refused == 0


def test_cell_systems_share_what_is_not_their_own(plan: EnsemblePlan) -> None:
    cord, line = (drawn_rates(tpor_model(name), seed=1, number=4) for name in ("CD34+ cord blood", "32D-MPL"))
    assert cord["stat5_import"] == line["stat5_import"]
    assert cord["mpl_unstimulated"] != line["mpl_unstimulated"]
    assert drawn_rates(tpor_model(), seed=2, number=4) != line
    assert "human_His499" not in line


def test_the_ratio_of_two_full_agonists_is_carried_over(plan: EnsemblePlan) -> None:
    found = predict_other_cells(plan, {"hetrombopag": 2.3, "eltrombopag": 86.2}, source="guide, Table 1", n_sets=1)
    ratio = found[-1]
    assert ratio.predicted == pytest.approx(33.5)
    assert ratio.published == pytest.approx(86.2 / 2.3)
    assert ratio.verdict == NO_BAND
    assert "expected at 2.6 nM against 2.3 given" in ratio.note
    first, second = found[0], found[1]
    assert second.predicted / first.predicted == pytest.approx(33.5, rel=1e-6)
    assert first.low == first.high, "one set has no band"
    assert replace(first, low=0.2, high=11.0).verdict == TOO_WIDE
    assert replace(first, low=2.0, high=3.0).verdict == "inside the band"
    assert replace(first, low=3.0, high=30.0).verdict == "outside the band"
    table = predictions_table(found)
    assert table.columns == ["fact", "predicted", "low", "high", "unit", "published", "fold", "verdict", "source", "note"]
    assert {one.verdict for one in found[2:-1]} == {NO_VALUE}


def test_earlier_read_outs_need_less_agonist(plan: EnsemblePlan) -> None:
    found = predict_time_shift(plan, [24.0, 48.0], n_sets=1)
    assert [one.predicted < 1.0 for one in found] == [True, True]
    assert {one.verdict for one in found} == {NO_VALUE}


@pytest.fixture(scope="module")
def question(plan: EnsemblePlan) -> Question:
    bindings = tuple(one.binding for one in plan.agonists)
    return Question(model=tpor_model(), treatment=Treatment(agonists_nM={"hetrombopag": 0.4}), bindings=bindings, hours=24.0)


def test_local_sensitivity(question: Question) -> None:
    table = local_sensitivity(question)
    assert table.height == len(question.rates()) * len(OUTPUTS)
    cells = dict(table.filter(table["output"] == "cells").select("rate", "elasticity").iter_rows())
    assert cells["proliferation_max"] > 0.0 > cells["death_max"]
    stat5 = dict(table.filter(table["output"] == "STAT5_p_peak").select("rate", "elasticity").iter_rows())
    assert stat5["proliferation_max"] == 0.0
    assert stat5["stat5_phosphorylation"] > 0.0 > stat5["jak2_deactivation"]


def test_morris_screening(question: Question) -> None:
    table = morris_screening(question, trajectories=2, seed=3)
    assert (table["mu_star"] >= table["mu"].abs() - 1e-12).all()
    assert table["sigma"].null_count() == 0
    stat5 = table.filter(table["output"] == "STAT5_p_peak")
    assert stat5.filter(stat5["rate"] == "death_max")["mu_star"][0] == 0.0
    again = morris_screening(question, trajectories=2, seed=3)
    assert np.array_equal(again["mu"].to_numpy(), table["mu"].to_numpy())
    assert morris_screening(question, trajectories=1, seed=3)["sigma"].null_count() == table.height
