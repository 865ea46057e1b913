"""Experiments in silico: panels, pulses, times, and what a result offers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from thrombokit.domain.agonist import BindingSite
from thrombokit.errors import InputError
from thrombokit.io.tpor import POSITIVE_CONTROL_nM, simulate_signalling, tpor_model
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.cell_systems import known_inhibitors, known_mutations
from thrombokit.signalling.experiments import dose_time_table, ec50_by_time, inhibitor_panel, mutant_panel
from thrombokit.signalling.result import SignallingResult
from thrombokit.signalling.tpor_model import time_grid_h
from thrombokit.signalling.treatments import Treatment, dose_series

TPO = Binding(agonist="rhTPO", site=BindingSite.EXTRACELLULAR, affinity_nM=0.163, efficacy=5.0)


@pytest.fixture(scope="module")
def series() -> SignallingResult:
    return simulate_signalling({"SHR-8735": [0.0, 0.04, 0.4, 4.0, 40.0]})


def test_a_dose_series_by_alias_rises_to_the_control(series: SignallingResult) -> None:
    responses = series.response_pct[:, -1]
    assert (np.diff(responses) > 0.0).all()
    assert responses[0] == pytest.approx(0.0, abs=1e-9)
    assert responses[2] == pytest.approx(50.0, abs=5.0)
    assert [one.label for one in series.treatments][:2] == ["vehicle", "hetrombopag 0.04 nM"]


def test_table_and_summary(series: SignallingResult) -> None:
    table = series.table()
    assert table.height == 5
    assert {"treatment", "cells", "response_pct", "proliferation_per_d", "STAT5_p_peak_nM", "STAT5_p_peak_min"} <= set(
        table.columns
    )
    assert table["STAT5_p_peak_min"][0] is None, "nothing peaks in vehicle"
    said = series.summary()
    assert "5 treatments of 32D-MPL over 72 h" in said
    assert "hetrombopag: EC50 0.4 nM, Emax not known" in said
    assert "rates are assumed" in said
    assert "EPO-R (CFU-E)" in said
    assert series.time_courses(("ERK_p",)).height == 5 * series.time_h.size
    assert series.fate_table().height == 5 * series.time_h.size


def test_the_plot_carries_its_caption(series: SignallingResult) -> None:
    text = json.dumps(series.plot(("ERK_p", "AKT_p")).to_dict())
    assert "rates are assumed" in text
    assert "EPO-R (CFU-E)" in text
    assert "ERK-P" in text
    with pytest.raises(InputError, match="time courses: found no rows"):
        simulate_signalling({"rhTPO": [0.0]}, hours=1.0).plot(())


def test_same_numbers_again(series: SignallingResult) -> None:
    again = simulate_signalling({"hetrombopag": [0.0, 0.04, 0.4, 4.0, 40.0]})
    assert (again.cells == series.cells).all()
    assert all((a["ERK_p"] == b["ERK_p"]).all() for a, b in zip(again.activities, series.activities, strict=True))


def test_receptor_and_phosphoproteins_are_conserved_where_nothing_makes_them(series: SignallingResult) -> None:
    for activity in series.activities:
        for name, total in (("JAK2", 20.0), ("ERK", 300.0), ("AKT", 100.0)):
            phosphorylated = activity[f"{name}_p"]
            assert activity[name] + phosphorylated == pytest.approx(np.full(series.time_h.size, total), rel=1e-8)
        assert min(float(levels.min()) for levels in activity.levels_nM.values()) > -1e-6


def test_washout_and_pulses() -> None:
    dose = {"hetrombopag": 4.0}
    wells = [Treatment(agonists_nM=dose), Treatment(agonists_nM=dose, given_h=((0.0, 6.0),)), Treatment(agonists_nM=dose, given_h=((6.0, 12.0),)),
             Treatment(agonists_nM=dose, given_h=((0.0, 100.0),))]  # fmt: skip
    result = simulate_signalling(wells)
    stat5 = [activity["STAT5_p"] for activity in result.activities]
    at = {hours: result.at(hours) for hours in (3.0, 6.0, 10.0, 12.0, 36.0)}
    assert stat5[1][at[3.0]] == pytest.approx(stat5[0][at[3.0]], rel=1e-6)
    assert stat5[1][at[36.0]] < 0.01 * stat5[0][at[36.0]]
    assert stat5[2][: at[6.0] + 1].max() == 0.0
    assert stat5[2][at[10.0]] > 10.0
    assert result.cells[3] == pytest.approx(result.cells[0], rel=1e-5), "a stretch beyond the end is no washout"
    assert result.cells[1, -1] < result.cells[0, -1]


def test_panels_name_everything_the_model_has() -> None:
    assert {name for one in inhibitor_panel({"rhTPO": 1.43}, [10.0]) for name in one.inhibitors_nM} == set(known_inhibitors())
    assert {one.mutation for one in mutant_panel({"rhTPO": 1.43})} == {"", *known_mutations()}
    labels = [one.label for one in mutant_panel({"rhTPO": 1.43})]
    assert len(set(labels)) == len(labels)
    responses = simulate_signalling(inhibitor_panel({"rhTPO": 1.43}, [1000.0])).response_pct[:, -1]
    assert responses[0] == pytest.approx(100.0)
    assert (responses[1:] < 99.0).all()


def test_ec50_moves_to_higher_doses_with_time() -> None:
    table = ec50_by_time(tpor_model(), [TPO], [24.0, 48.0, 72.0], reference=TPO, reference_nM=POSITIVE_CONTROL_nM)
    assert table["hours"].to_list() == [24.0, 48.0, 72.0]
    assert (np.diff(table["ec50_nM"]) > 0.0).all()
    assert table["shift"][2] == 1.0


def test_dose_by_time(series: SignallingResult) -> None:
    table = dose_time_table(series, [0.0, 24.0, 48.0, 72.0])
    assert table.height == 20
    assert table.filter(table["hours"] == 0.0)["response_pct"].null_count() == 5, "no window at time 0"


def test_serum_moves_a_bound_agonist_where_the_assays_serum_is_known() -> None:
    with pytest.raises(InputError, match="hetrombopag: found 0 % serum; serum of the anchoring assay not known"):
        simulate_signalling({"hetrombopag": [1.0]}, serum_percent=0.0)
    assert simulate_signalling({"rhTPO": [1.43]}, serum_percent=50.0).response_pct[0, -1] == pytest.approx(100.0)


def test_what_is_unknown_is_named_with_what_there_is() -> None:
    with pytest.raises(InputError) as caught:
        Treatment(
            agonists_nM={"rhTPO": 1.0}, inhibitors_nM={"ruxolitinb": 1.0, "MEK inhibitor": -1.0}, mutation="V617", receptor="pig"
        )
    said = str(caught.value)
    assert 'signalling, mutation: found "V617"; expected JAK2 V617F, MPL W515, CALR mutant, LNK loss' in said
    assert 'signalling, receptor: found "pig"; expected human, H499L, mouse' in said
    assert 'signalling, inhibitor: found "ruxolitinb"; expected ruxolitinib, MEK inhibitor, PI3K inhibitor, mTOR inhibitor' in said
    assert "dose of MEK inhibitor: found -1 nM" in said
    with pytest.raises(
        InputError, match='cell system: found "HeLa"; expected 32D-MPL, 32D-EPOR, CD34\\+ cord blood, CD34\\+ adult blood'
    ):
        tpor_model("HeLa")
    with pytest.raises(InputError, match="rate mpl_turnovr: found a rate the model does not have"):
        tpor_model(rates={"mpl_turnovr": 1.0})
    with pytest.raises(InputError, match="rate mpl_turnover: found -1; expected a number of 0 or more"):
        tpor_model(rates={"mpl_turnover": -1.0})
    with pytest.raises(InputError, match="found inhibitors, a mutation or a receptor for treatments that say so themselves"):
        simulate_signalling([Treatment()], mutation="LNK loss")
    with pytest.raises(InputError, match="signalling: found no treatment"):
        simulate_signalling({})
    with pytest.raises(InputError, match="signalling, hours: found 0; expected above 0, and at most 1440"):
        time_grid_h(0.0)


@pytest.mark.parametrize("given_h", [((2.0, 1.0),), ((0.0, 2.0), (1.0, 3.0)), ((-1.0, 2.0),), ((0.0, float("inf")),)])
def test_stretches_out_of_order_are_refused(given_h: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(InputError, match=r"given_h: found .* expected stretches"):
        Treatment(given_h=given_h)


@pytest.mark.parametrize("hours", [0.01, 1.0, 24.0, 72.0, 100.0, 168.0, 336.0])
def test_times_rise_from_0_to_the_end(hours: float) -> None:
    grid = time_grid_h(hours)
    assert (grid[0], grid[-1]) == (0.0, hours)
    assert (np.diff(grid) > 0.0).all()
    assert np.diff(grid).max() <= 12.0


def test_dose_series_shares_the_rest() -> None:
    wells = dose_series("rhTPO", [0.0, 1.0], mutation="LNK loss")
    assert [one.label for one in wells] == ["LNK loss", "LNK loss, rhTPO 1 nM"]


def test_names_of_one_agonist_mean_one_agonist_and_labels_are_kept() -> None:
    wells = [Treatment(agonists_nM={"TPO": 0.002, "rhTPO": 0.003}), Treatment(agonists_nM={"rhTPO": 0.005}, label="mine")]
    result = simulate_signalling(wells)
    assert [one.label for one in result.treatments] == ["rhTPO 0.005 nM", "mine"]
    assert result.cells[0, -1] == pytest.approx(result.cells[1, -1], rel=1e-9)
    assert [one.agonist for one in result.bindings] == ["rhTPO"]
