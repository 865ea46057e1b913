"""Scans: grids and sensitivities of any model, pairs with bands, claims on ploidy under both signs, what a scan offers."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from thrombokit.agonists.load import load_agonist
from thrombokit.domain.agonist import BindingSite
from thrombokit.drawing.table_bars import table_bars
from thrombokit.errors import InputError, SimulationError
from thrombokit.io.sbml import parse_sbml
from thrombokit.io.tpor import POSITIVE_CONTROL_nM, simulate_signalling, tpor_model
from thrombokit.io.tpor_scans import ScanKind, ScanRequest, doses_of, scan_signalling
from thrombokit.scale.engine import make_engine
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import drive_curve
from thrombokit.signalling.antimony_source import sbml_of_antimony
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.cell_systems import find_cell_system
from thrombokit.signalling.combination_bands import BANDED, Pair, combination_bands, doses_for
from thrombokit.signalling.combinations import combination_table
from thrombokit.signalling.ensembles import EnsemblePlan, anchored_on
from thrombokit.signalling.model_scans import NOT_RUN, Run, Varied, local_scan, make_run, morris_scan, scan_values
from thrombokit.signalling.network import Network
from thrombokit.signalling.ploidy_claims import check_ploidy_claims, ploidy_claims
from thrombokit.signalling.treatments import Treatment


def small(text: str) -> Network:
    return parse_sbml(sbml_of_antimony(f"model m\n{text}\nend\n", source="m.ant"), place="m.ant")


DECAY = small("species S, P; S = 4; P = 0; k = 0.5; idle = 2; J: S -> P; k*S")


def run_of(network: Network = DECAY, *, varied: tuple[Varied, ...] = (), **others: object) -> Run:
    usual: dict[str, object] = {"end": 2.0, "points": 3, "selections": ["S"], "settings": {}}
    return make_run(network, varied=varied, **{**usual, **others})  # pyright: ignore[reportArgumentType]


def test_a_grid_is_every_combination_over_time() -> None:
    varied = (Varied(id="k", values=(0.5, 1.0)), Varied(id="S", values=(1.0, 2.0, 4.0)))
    scan = scan_values(run_of(varied=varied, selections=["P"]), varied)
    assert scan.table().height == 6 * 3
    for k, start, time, made in scan.table().select("k", "S", "time", "P").iter_rows():
        assert made == pytest.approx(start * -math.expm1(-k * time), rel=1e-6, abs=1e-9)


def test_a_run_that_cannot_be_simulated_is_a_row_and_the_others_stay() -> None:
    network = small("x = 1; x' = a*x*x; a = 1")
    varied = (Varied(id="a", values=(-1.0, 1.0)),)
    scan = scan_values(run_of(network, varied=varied, selections=["x"]), varied)
    assert scan.table().filter(pl.col("outcome") == NOT_RUN)["x"].to_list() == [None]
    assert scan.table().filter(pl.col("a") == -1.0)["x"].to_list() == pytest.approx([1.0, 0.5, 1.0 / 3.0], rel=1e-6)
    assert "1 could not be simulated" in scan.summary()
    with pytest.raises(SimulationError, match="none of 1 runs could be simulated"):
        scan_values(run_of(network, varied=varied, selections=["x"]), (Varied(id="a", values=(1.0,)),))


def test_elasticities_of_a_decay() -> None:
    rows = {row["parameter"]: row for row in local_scan(run_of()).table().to_dicts()}
    assert rows["k"]["at_end"] == pytest.approx(-1.0, abs=1e-4), "d ln exp(-k t) / d ln k = -k t"
    assert rows["k"]["at_peak"] == pytest.approx(0.0, abs=1e-6)
    assert rows["idle"]["at_end"] == 0.0
    assert local_scan(run_of(), ["[S]"]).table()["at_end"].to_list() == pytest.approx([1.0], abs=1e-4)
    none = local_scan(run_of(small("species S; S = 0; k = 1; J: S -> ; k*S")))
    assert none.table()["at_end"].to_list() == [None], "no per cent of nothing"


def test_morris_over_told_and_over_assumed_ranges() -> None:
    told = morris_scan(run_of(), (Varied(id="idle", values=(1.0, 9.0)), Varied(id="k", values=(0.1, 1.0))), trajectories=3, seed=2)
    effect = {row["parameter"]: row for row in told.table().to_dicts()}
    assert effect["idle"]["mu_star"] == pytest.approx(0.0, abs=1e-5)
    assert effect["k"]["mu"] < 0.0 < effect["k"]["mu_star"]
    usual = morris_scan(run_of(), (), trajectories=2, seed=2)
    assert {row["parameter"]: (row["low"], row["high"]) for row in usual.table().to_dicts()} == {
        "k": (0.5 / 3, 1.5),
        "idle": (2 / 3, 6.0),
    }
    assert "over a factor of 3 either way (assumed)" in usual.summary()
    with pytest.raises(InputError, match="those inside reactions cannot be varied"):
        local_scan(run_of(small("species S; S = 1; J: S -> ; S")))


def test_what_a_scan_offers() -> None:
    scan = scan_signalling(ScanRequest(kind=ScanKind.DOSES, doses_nM={"hetrombopag": (0.4, 4.0)}))
    assert json.dumps(scan.to_dict(), allow_nan=False)
    assert "rates are assumed" in scan.summary()
    assert "rates are assumed" in json.dumps(scan.plot().to_dict())
    panel = scan_signalling(ScanRequest(kind=ScanKind.INHIBITORS, inhibitor_nM=(100.0,)))
    assert "ruxolitinib 100 nM" in json.dumps(panel.plot().to_dict())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.1, 1, 10 nM", (0.1, 1.0, 10.0)), ("1 pM, 1 nM", (0.001, 1.0)), ("1e-1nM", (0.1,)), ("100 ng/mL", (100.0 / 70.0,))],
)
def test_doses_in_words(text: str, expected: tuple[float, ...]) -> None:
    assert doses_of(text, "rhTPO") == pytest.approx(expected)


@pytest.fixture(scope="module")
def plan() -> EnsemblePlan:
    model = tpor_model()
    agonists = [load_agonist(name) for name in ("rhTPO", "hetrombopag")]
    bindings, anchors = bind_agonists(agonists, model, control=agonists[0], control_nM=POSITIVE_CONTROL_nM)
    return EnsemblePlan(
        model=model, assay=find_cell_system("32D-MPL"), assay_hours=72.0, agonists=anchored_on(bindings, anchors), control="rhTPO",
        treatments=(), control_nM=POSITIVE_CONTROL_nM, hours=72.0, seed=1,
    )  # fmt: skip


def test_bands_of_a_pair(plan: EnsemblePlan) -> None:
    """Of the sets some have no 100 %: the positive control arrests growth there. They are left out and counted."""
    small_nM, tpo_nM = (doses_for(plan, name, [20.0]) for name in ("hetrombopag", "rhTPO"))
    pair = Pair(first="hetrombopag", second="rhTPO", first_nM=small_nM, second_nM=tpo_nM)
    base = combination_bands(plan, pair, 0).row(0, named=True)
    assert (base["first_pct"], base["second_pct"]) == pytest.approx((20.0, 20.0), abs=0.5)
    assert base["above_bliss_pct"] == pytest.approx(base["drive_additive_pct"] - base["bliss_pct"])
    table = combination_bands(plan, pair, 8)
    row = table.row(0, named=True)
    assert row["n_sets"] + row["n_left_out"] == 8
    assert row["n_sets"] >= 2
    assert row["n_left_out"] >= 1
    assert all(row[f"{name}_low"] < row[f"{name}_high"] for name in BANDED)
    assert row["drive_additive_pct_high"] < 101.0
    dead = replace(plan, assay=find_cell_system("32D-EPOR"))
    silent = combination_bands(dead, pair, 1).row(0, named=True)
    assert (silent["n_sets"], silent["n_left_out"], silent["bliss_pct_low"]) == (0, 1, None)


@pytest.mark.long
def test_two_processes_give_the_same_bytes(plan: EnsemblePlan) -> None:
    varied = (Varied(id="k", values=(0.5, 1.0)), Varied(id="S", values=(1.0, 2.0, 4.0)))
    run = run_of(varied=varied, selections=["P"])
    assert scan_values(run, varied).table().equals(scan_values(run, varied, engine=make_engine(2)).table())
    ranges = (Varied(id="k", values=(0.1, 1.0)),)
    alone, together = (morris_scan(run_of(), ranges, trajectories=4, seed=1, engine=make_engine(n)).table() for n in (1, 2))
    assert alone.equals(together)
    pair = Pair(first="hetrombopag", second="rhTPO", first_nM=(0.1,), second_nM=(0.003,))
    assert combination_bands(plan, pair, 8).equals(combination_bands(plan, pair, 8, engine=make_engine(2)))


def test_bliss_has_no_answer_beyond_the_window() -> None:
    """Many receptors and much JAK2: the positive control arrests growth, and a middle dose gives more than 100 %."""
    model = tpor_model(rates={"mpl_unstimulated": 120.0, "jak2_total": 100.0})
    tpo = Binding(agonist="rhTPO", site=BindingSite.EXTRACELLULAR, affinity_nM=0.163, efficacy=5.0)
    small = Binding(agonist="small", site=BindingSite.TRANSMEMBRANE, affinity_nM=0.163, efficacy=5.0)
    curve = drive_curve(model, hours=72.0, reference=tpo, reference_nM=POSITIVE_CONTROL_nM)
    table = combination_table(curve, tpo, small, [3e-5], [0.0, 3e-5])
    assert table["first_pct"][0] > 105.0
    assert table["bliss_pct"].to_list() == [None, None]
    assert table["sum_pct"].null_count() == 0


@pytest.fixture(scope="module")
def claims() -> pl.DataFrame:
    model = tpor_model()
    control = load_agonist("rhTPO")
    bindings, _ = bind_agonists([control], model, control=control, control_nM=POSITIVE_CONTROL_nM)
    return check_ploidy_claims(model, bindings, control="rhTPO", control_nM=POSITIVE_CONTROL_nM)


def test_both_signs_are_held_against_both_kinds_of_data(claims: pl.DataFrame) -> None:
    """45 to 70 % returns because it was fitted; the opposite data agree only with the opposite sign. Both are printed."""
    verdicts = {(row["claim"], row["erk_on_endomitosis"]): row["verdict"] for row in claims.to_dicts()}
    assert verdicts["MEK inhibition, low dose: 8N and above", "lowers"] == "agrees; numbers within 10 %; fitted"
    assert verdicts["MEK inhibition, low dose: 8N and above", "supports"] == "disagrees; numbers missed; fitted"
    assert verdicts["MEK inhibition, high dose: 8N and above", "lowers"] == "disagrees"
    assert verdicts["MEK inhibition, high dose: 8N and above", "supports"] == "agrees"
    assert verdicts["MEK inhibition: mean ploidy", "lowers"].startswith("agrees; numbers ")
    for sign in ("lowers", "supports"):
        assert verdicts["mTOR inhibition: 8N and above", sign] == "agrees"
    assert verdicts["mTOR inhibition in neonatal cells: mean ploidy", "lowers"] == "disagrees", "a miss, and printed"
    assert claims.height == 2 * len(ploidy_claims("rhTPO", 1.43))


def test_mean_ploidy_under_mek_inhibition_was_not_fitted(claims: pl.DataFrame) -> None:
    row = claims.filter((pl.col("quantity") == "mean_ploidy") & (pl.col("erk_on_endomitosis") == "lowers")).row(0, named=True)
    assert (row["published_before"], row["published_after"]) == (5.7, 10.9)
    assert 1.0 < row["after"] / row["before"] < 10.9 / 5.7 * 1.5


def test_romiplostim_acts_outside_the_membrane_and_competes_with_thrombopoietin() -> None:
    """It needs no His499, and takes a site that thrombopoietin has already: together no more than the stronger alone."""
    wells = [Treatment(agonists_nM={"romiplostim": 1.0}), Treatment(agonists_nM={"romiplostim": 1.0}, receptor="H499L"),
             Treatment(agonists_nM={"rhTPO": 100.0}), Treatment(agonists_nM={"romiplostim": 1.0, "rhTPO": 100.0})]  # fmt: skip
    alone, switched, tpo, both = simulate_signalling(wells).response_pct[:, -1]
    assert alone > 95.0
    assert switched == pytest.approx(alone, rel=1e-9)
    assert both == pytest.approx(max(alone, tpo), abs=0.01), "drives of two free sites would add: of one full site they do not"


def test_sites_are_taken_only_while_the_agonist_is_there() -> None:
    result = simulate_signalling([Treatment(agonists_nM={"rhTPO": 0.163}, given_h=((1.0, 2.0),))], hours=3.0)
    taken = dict(zip(result.time_h, result.activities[0].sites_taken["TPO"], strict=True))
    assert (taken[0.5], taken[1.0], taken[1.5], taken[2.0]) == (0.0, 0.5, 0.5, 0.0)
    assert result.activities[0].sites_taken["TM_agonist"].max() == 0.0
    assert np.isfinite(result.cells).all()


@pytest.mark.parametrize("kind", list(ScanKind))
def test_every_kind_is_drawn_with_its_caption(kind: ScanKind) -> None:
    """Bars have one value a label and panel, whatever the kind: what is stacked or of two units would be a wrong number."""
    two = kind is ScanKind.PREDICTIONS
    request = ScanRequest(kind=kind, agonists=("hetrombopag", "eltrombopag") if two else ("hetrombopag",), trajectories=2,
                          n_sets=1 if kind in (ScanKind.BANDS, ScanKind.PREDICTIONS) else None)  # fmt: skip
    picture = json.dumps(scan_signalling(request).plot().to_dict(), allow_nan=False)
    assert "rates are assumed" in picture.replace("\\n", " ")


def test_values_of_a_model_are_drawn_over_its_time() -> None:
    varied = (Varied(id="k", values=(0.5, 1.0)),)
    picture = json.dumps(scan_values(run_of(varied=varied), varied).plot().to_dict())
    assert "k = 0.5" in picture
    assert '"title": "S"' in picture


def test_bars_of_one_label_and_two_values_are_refused() -> None:
    rows = pl.DataFrame({"label": ["a", "a"], "panel": ["p", "p"], "value": [1.0, 2.0]})
    with pytest.raises(InputError, match="bars: found two values of one label"):
        table_bars(rows, caption="", description="")
    with pytest.raises(InputError, match="bars: found no value"):
        table_bars(rows.clear(), caption="", description="")
