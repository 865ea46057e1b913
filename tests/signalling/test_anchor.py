"""Anchoring: the model returns the EC50 and Emax it was anchored on, and says what they do not tell."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from thrombokit.agonists.load import load_agonist
from thrombokit.domain.agonist import Agonist, BindingSite
from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Assay, Potency
from thrombokit.dose_response.fit import fit_curves
from thrombokit.errors import InputError, SimulationError
from thrombokit.io.tpor import POSITIVE_CONTROL_nM, simulate_signalling, tpor_model
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import Anchor, DriveCurve, anchor_agonist, bind_at, curve_of_dose, drive_curve
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.experiments import simulate_treatments
from thrombokit.signalling.treatments import Treatment, dose_series

TPO = Binding(agonist="rhTPO", site=BindingSite.EXTRACELLULAR, affinity_nM=0.163, efficacy=5.0)
TPO_LIKE = Binding(agonist="x", site=BindingSite.EXTRACELLULAR, affinity_nM=1.0, efficacy=5.0)
CONTROL = Treatment(agonists_nM={"rhTPO": POSITIVE_CONTROL_nM})


@cache
def _curve() -> DriveCurve:
    return drive_curve(tpor_model(), hours=72.0, reference=TPO, reference_nM=POSITIVE_CONTROL_nM)


def _anchor(ec50_nM: float, emax_pct: Estimate | None) -> Anchor:
    return anchor_agonist(
        _curve(), agonist="mine", site=BindingSite.TRANSMEMBRANE, ec50_nM=ec50_nM, emax_pct=emax_pct, reference_efficacy=5.0
    )


def _measured(value: float, half_width: float) -> Estimate:
    return Estimate(estimate=value, low=value - half_width, high=value + half_width)


@pytest.mark.parametrize(("ec50_nM", "emax_pct"), [(0.4, 100.0), (13.4, 80.0), (86.2, 55.0)])
def test_the_network_returns_ec50_and_emax_within_5_percent(ec50_nM: float, emax_pct: float) -> None:
    """Consistency, not prediction: a dose series simulated with the network and fitted as a plate is."""
    anchor = _anchor(ec50_nM, _measured(emax_pct, 4.0))
    doses = ec50_nM * np.logspace(-2.5, 2.5, 16)
    result = simulate_treatments(tpor_model(), dose_series("mine", list(doses)), [TPO, anchor.binding], positive_control=CONTROL)
    table = pl.DataFrame({"curve": "mine", "concentration_nM": doses, "response": result.response_pct[:, -1]})
    row = fit_curves(table, weights="none").table().row(0, named=True)
    assert row["verdict"] == "fit"
    assert row["ec50_nM"] == pytest.approx(ec50_nM, rel=0.05)
    assert row["top"] == pytest.approx(emax_pct, rel=0.05)
    assert anchor.returned_ec50_nM == pytest.approx(ec50_nM, rel=1e-6)


def test_emax_of_a_partial_agonist_tells_the_efficacy() -> None:
    anchor = _anchor(13.4, _measured(70.0, 5.0))
    assert anchor.verdict == "anchored"
    assert anchor.efficacy.low is not None
    assert anchor.efficacy.high is not None
    assert anchor.efficacy.estimate is not None
    assert anchor.efficacy.low <= anchor.efficacy.estimate <= anchor.efficacy.high < 2.0
    assert anchor.returned_emax_pct == pytest.approx(70.0, rel=0.05)


def test_a_full_agonist_has_a_profile_and_no_number() -> None:
    anchor = _anchor(0.4, _measured(100.0, 8.0))
    assert anchor.verdict == "efficacy_open"
    assert anchor.efficacy.estimate is None
    assert anchor.efficacy.low is not None
    assert anchor.efficacy.high is None
    assert "only the profile of KA over efficacy is known" in anchor.message
    table = anchor.table()
    allowed = table.filter("allowed")
    assert allowed["affinity_nM"].max() / allowed["affinity_nM"].min() > 10.0  # pyright: ignore[reportOperatorIssue]


def test_every_point_of_the_profile_returns_the_ec50() -> None:
    anchor = _anchor(2.3, None)
    for at in (5, 15, 25):
        binding = Binding(agonist="x", site=BindingSite.TRANSMEMBRANE, affinity_nM=float(anchor.affinities_nM[at]),
                          efficacy=float(anchor.efficacies[at]))  # fmt: skip
        ec50, emax, _ = curve_of_dose(_curve(), binding)
        assert ec50 == pytest.approx(2.3, rel=1e-3)
        assert emax == pytest.approx(float(anchor.emaxes_pct[at]), rel=1e-6)


def test_without_emax_the_efficacy_is_assumed_and_said_so() -> None:
    anchor = _anchor(0.4, None)
    assert anchor.verdict == "efficacy_assumed"
    assert anchor.binding.efficacy == 5.0
    assert "Emax not known" in anchor.summary()
    assert (anchor.efficacy.estimate, anchor.efficacy.low, anchor.efficacy.high) == (None, None, None)


def test_an_emax_no_efficacy_gives_is_a_verdict() -> None:
    anchor = _anchor(0.4, _measured(150.0, 10.0))
    assert anchor.verdict == "emax_not_reached"
    assert "150 % is above the" in anchor.message
    assert anchor.returned_ec50_nM == pytest.approx(0.4, rel=1e-6)


def test_impossible_anchors_are_refused_together() -> None:
    with pytest.raises(InputError) as caught:
        _anchor(-1.0, Estimate(estimate=None, low=None, high=None))
    assert "anchor of mine, EC50: found -1 nM" in str(caught.value)
    assert "anchor of mine, Emax: found nan %" in str(caught.value)


def test_cells_without_receptor_anchor_nothing() -> None:
    with pytest.raises(InputError, match="32D-EPOR: found cells that do not answer the positive control"):
        drive_curve(tpor_model("32D-EPOR"), hours=72.0, reference=TPO, reference_nM=POSITIVE_CONTROL_nM)


def test_a_measured_potency_goes_before_the_published_one() -> None:
    measured = Potency(
        agonist="hetrombopag", assay=Assay(cell_system="32D-MPL", readout="luminescence", hours=72.0, serum="10 % FBS"),
        ec50_nM=Estimate(estimate=1.2, low=1.0, high=1.4), n_runs=3, runs_used=("1", "2", "3"), runs_left_out=(), run_ec50_nM=(1.2, 1.2, 1.2),
        between_run_sd_log10=None, interval="hartung_knapp", verdict="combined",
    )  # fmt: skip
    agonists = [load_agonist("rhTPO"), load_agonist("hetrombopag"), load_agonist("eltrombopag")]
    bindings, anchors = bind_agonists(agonists, tpor_model(), control=agonists[0], control_nM=1.43, potencies=[measured])
    assert [anchor.ec50_nM for anchor in anchors] == [1.2, 13.4]
    assert bindings[1].basis == "EC50 measured in 32D-MPL, luminescence, 72 h, 10 % FBS"
    assert bindings[1].serum_percent == 10.0
    assert "72 h assumed" in bindings[2].basis


def test_an_agonist_without_potency_says_what_is_missing() -> None:
    unknown = Agonist(
        name="new", compound_class="small molecule", binding_site=BindingSite.TRANSMEMBRANE, molar_mass_g_per_mol=None
    )
    nowhere = Agonist(name="odd", compound_class="small molecule", binding_site=None, molar_mass_g_per_mol=None)
    with pytest.raises(InputError) as caught:
        simulate_signalling({"new": [1.0], "odd": [1.0]}, agonists=[unknown, nowhere])
    assert "signalling, new: found neither an affinity nor an EC50 in 32D-MPL" in str(caught.value)
    assert 'signalling, odd: found no binding site; expected where it binds. Say binding_site = "extracellular"' in str(
        caught.value
    )


def test_an_emax_that_would_change_nothing_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        simulate_signalling({"hetrombopag": [1.0]}, emax_pct={"rhTPO": _measured(100.0, 5.0), "SHR-8735": _measured(90.0, 5.0)})
    assert "Emax of rhTPO: found an Emax of an agonist whose file gives its affinity" in str(caught.value)
    assert "Emax of SHR-8735: found an agonist that is not simulated; expected rhTPO, hetrombopag" in str(caught.value)


def test_a_measured_emax_reaches_the_simulation() -> None:
    result = simulate_signalling({"hetrombopag": [1e4]}, emax_pct={"hetrombopag": _measured(70.0, 4.0)})
    assert result.anchors[0].verdict == "anchored"
    assert result.response_pct[0, -1] == pytest.approx(70.0, rel=0.05)


def test_cell_numbers_that_are_no_curve_anchor_nothing() -> None:
    broken = replace(_curve(), cells=np.full(_curve().drive.size, 1e4))
    with pytest.raises(
        SimulationError, match=r"anchor of x: no sigmoid curve goes through the model's cell numbers at 72 h with an efficacy of 5"
    ):
        bind_at(broken, TPO_LIKE, ec50_nM=1.0, efficacy=5.0)
