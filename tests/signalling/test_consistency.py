"""Consistency of the built-in model with what it was built on: not predictions, and labelled so."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.domain.agonist import BindingSite
from thrombokit.io.tpor import POSITIVE_CONTROL_nM, simulate_signalling, tpor_model
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import drive_curve, responses_pct
from thrombokit.signalling.combinations import combination_table
from thrombokit.signalling.experiments import simulate_treatments
from thrombokit.signalling.result import SignallingResult
from thrombokit.signalling.treatments import Treatment

SATURATING_nM = {"rhTPO": POSITIVE_CONTROL_nM, "hetrombopag": 40.0, "eltrombopag": 1340.0}


def _responses(**options: object) -> dict[str, float]:
    result = simulate_signalling({name: [dose] for name, dose in SATURATING_nM.items()}, **options)  # pyright: ignore
    return dict(zip(SATURATING_nM, result.response_pct[:, -1], strict=True))


def test_saturating_doses_of_full_agonists_respond_fully() -> None:
    assert all(response > 95.0 for response in _responses().values())


@pytest.mark.parametrize("receptor", ["H499L", "mouse", "rat", "macaque"])
def test_without_his499_small_molecules_are_silent_and_tpo_is_not(receptor: str) -> None:
    responses = _responses(receptor=receptor)
    assert responses["rhTPO"] == pytest.approx(100.0, abs=1e-3)
    assert abs(responses["hetrombopag"]) < 1e-9
    assert abs(responses["eltrombopag"]) < 1e-9


def test_a_mouse_receptor_with_the_histidine_answers() -> None:
    assert _responses(receptor="mouse L490H")["hetrombopag"] > 95.0


def test_ruxolitinib_silences_all() -> None:
    assert all(response < 5.0 for response in _responses(inhibitors_nM={"ruxolitinib": 3000.0}).values())


def test_32d_epor_is_silent() -> None:
    result = simulate_signalling({name: [0.0, dose] for name, dose in SATURATING_nM.items()}, cell_system="32D-EPOR")
    assert np.ptp(result.cells[:, -1]) < 1e-9 * result.cells[0, -1]
    assert max(activity["STAT5_p"].max() for activity in result.activities) == 0.0
    assert np.isnan(result.response_pct[:, -1]).all(), "there is no % of a control that does nothing"
    assert "do not answer the positive control" in result.summary()
    assert result.table()["response_pct"].null_count() == 6


def test_two_ec20_equal_their_drives_added_within_5_percent() -> None:
    """The network simulated with both agonists, against the drive of both put in as one."""
    tpo = Binding(agonist="rhTPO", site=BindingSite.EXTRACELLULAR, affinity_nM=0.163, efficacy=5.0)
    small = Binding(agonist="small", site=BindingSite.TRANSMEMBRANE, affinity_nM=8.0, efficacy=5.0)
    model = tpor_model()
    curve = drive_curve(model, hours=72.0, reference=tpo, reference_nM=POSITIVE_CONTROL_nM)
    doses = np.logspace(-5.0, 1.0, 601)
    ec20 = {
        binding.agonist: float(np.interp(20.0, responses_pct(curve, [binding], [{binding.agonist: d * binding.affinity_nM} for d in doses]),
                                         doses * binding.affinity_nM))
        for binding in (tpo, small)
    }  # fmt: skip
    wells = [*(Treatment(agonists_nM={name: dose}) for name, dose in ec20.items()), Treatment(agonists_nM=ec20)]
    result = simulate_treatments(model, wells, [tpo, small], positive_control=Treatment(agonists_nM={"rhTPO": POSITIVE_CONTROL_nM}))
    first, second, both = result.response_pct[:, -1]
    assert (first, second) == pytest.approx((20.0, 20.0), rel=0.02)
    table = combination_table(curve, tpo, small, [ec20["rhTPO"]], [ec20["small"]]).row(0, named=True)
    assert both == pytest.approx(table["drive_additive_pct"], rel=0.05)
    assert table["bliss_pct"] == pytest.approx(36.0, rel=0.05)
    assert table["sum_pct"] == pytest.approx(40.0, rel=0.05)


def _polyploid(
    cell_system: str, inhibitors_nM: dict[str, float] | None = None, dose_nM: float = POSITIVE_CONTROL_nM, **options: object
) -> float:
    result: SignallingResult = simulate_signalling(
        {"rhTPO": [dose_nM]}, cell_system=cell_system, hours=288.0, culture=True, inhibitors_nM=inhibitors_nM, **options
    )  # pyright: ignore[reportArgumentType]
    return float(result.cultures[0].ge8N[-1])


def test_mek_inhibition_raises_ploidy_from_45_to_70_percent_as_fitted() -> None:
    """Guerriero 2006 (abstract): fitted to these two numbers, so that only their return is tested."""
    control, inhibited = (_polyploid("CD34+ adult blood", dose) for dose in ({}, {"MEK inhibitor": 100.0}))
    assert control == pytest.approx(0.45, abs=0.01)
    assert inhibited == pytest.approx(0.70, abs=0.01)


def test_with_the_sign_reversed_mek_inhibition_lowers_ploidy() -> None:
    control, inhibited = (
        _polyploid("CD34+ adult blood", dose, erk_on_endomitosis="supports") for dose in ({}, {"MEK inhibitor": 100.0})
    )
    assert inhibited < control - 0.1


def test_mtor_inhibition_lowers_ploidy() -> None:
    """Guerriero 2006: rapamycin lowers it; not fitted."""
    assert _polyploid("CD34+ adult blood", {"mTOR inhibitor": 3.0}) < _polyploid("CD34+ adult blood") - 0.05


def test_tpo_lowers_ploidy_in_cord_blood_and_raises_it_in_adult_cells() -> None:
    """Sign from a figure legend (rTpo on PB vs CB MKs); the switch is declared, its consequence is tested."""
    for cells, sign in (("CD34+ cord blood", -1.0), ("CD34+ adult blood", 1.0)):
        assert sign * (_polyploid(cells) - _polyploid(cells, dose_nM=0.003)) > 0.0, cells


def test_cord_blood_megakaryocytes_are_mostly_2n() -> None:
    """8N (2.6 %) was fitted; that about 80 % are 2N was not (both Mattia 2002, abstract)."""
    result = simulate_signalling({"rhTPO": [POSITIVE_CONTROL_nM]}, cell_system="CD34+ cord blood", hours=288.0, culture=True)
    two_n, _, eight_n = result.cultures[0].ploidy[-1, :3]
    assert eight_n == pytest.approx(0.026, abs=0.001)
    assert two_n == pytest.approx(0.80, abs=0.05)


def test_mutants_grow_without_agonist_and_arrest_where_drive_is_high() -> None:
    wells = [Treatment(mutation=name) for name in ("LNK loss", "CALR mutant", "JAK2 V617F", "MPL W515")]
    responses = simulate_signalling(wells).response_pct[:, -1]
    assert (np.diff(responses) > 0.0).all()
    assert responses[0] > 1.0
    with_drug = simulate_signalling([Treatment(mutation="JAK2 V617F", inhibitors_nM={"ruxolitinib": 3000.0})]).response_pct[0, -1]
    assert with_drug < 5.0
    many = {"mpl_unstimulated": 120.0, "jak2_total": 100.0}
    arrested = simulate_signalling({"rhTPO": [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 100.0]}, rates=many).cells[:, -1]
    assert arrested[-1] < 0.5 * arrested.max(), "many receptors, much JAK2: bell-shaped (TpoR lines, Blood 2012;119:4625)"


def test_signals_come_and_settle_in_their_order() -> None:
    """Shape, from the sketchy record: STAT5 and ERK within half an hour, ERK adapts, BCL-XL takes days."""
    activity = simulate_signalling({"rhTPO": [POSITIVE_CONTROL_nM]}).activities[0]
    peak_h = {name: float(activity.time_h[int(np.argmax(activity[name]))]) for name in ("STAT5_p", "ERK_p", "BCLXL")}
    assert peak_h["STAT5_p"] <= 0.5
    assert peak_h["ERK_p"] <= 0.5
    assert peak_h["BCLXL"] >= 48.0
    assert activity["ERK_p"][-1] < 0.7 * activity["ERK_p"].max()
