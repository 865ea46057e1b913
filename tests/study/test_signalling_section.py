"""[signalling] of a study: what its words mean, what anchors an agonist, and what stands beside a prediction."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from thrombokit.agonists.load import load_agonist
from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Assay, Potency
from thrombokit.errors import FileFormatError, InputError
from thrombokit.io.tpor import POSITIVE_CONTROL_nM, tpor_model
from thrombokit.plate.normalise import WINDOW
from thrombokit.plate.result import PlateQuality, PlateResult, PotencyRatio
from thrombokit.scale.engine import ProcessEngine, SerialEngine
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.cell_systems import Sign, find_cell_system
from thrombokit.signalling.culture_bands import culture_bands, culture_treatments
from thrombokit.signalling.ensembles import EnsemblePlan, anchored_on
from thrombokit.signalling.stage import SignallingStage
from thrombokit.study.anchoring import Anchoring, anchoring_of, emax_over_runs
from thrombokit.study.archive_signalling import read_signalling, write_signalling
from thrombokit.study.load import Study, load_study
from thrombokit.study.other_cells import predict_cells
from thrombokit.study.run_signalling import run_signalling
from thrombokit.study.saved_values import plain

Command = Callable[..., Any]

SYSTEM_32D = find_cell_system("32D-MPL")
OWN = """schema = "thrombokit-agonist/1"
name = "mine"
class = "small molecule"
"""
SIGNALS = "assay,analyte,agonist,concentration,unit,time_min,value,run\nflow,pERK,,0,nM,15,100,r1\nflow,pERK,eltrombopag,10,nM,15,500,r1\n"


@pytest.fixture(scope="module")
def template(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("section") / "study"
    assert command("init", folder).exit_code == 0
    return folder


def written(template: Path, folder: Path, section: str, **files: str) -> Path:
    """The starting study with more words at its end, and more files."""
    for path in (p for p in template.rglob("*") if p.is_file()):
        target = folder / path.relative_to(template)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    toml = folder / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + section, encoding="utf-8")
    return folder


def faults(template: Path, folder: Path, section: str, **files: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_study(written(template, folder, section, **files))
    return [str(fault) for fault in caught.value.faults]


WRONG = [
    ('anchor = "32D-MLP"', 'signalling.anchor: found "32D-MLP"', 'Did you mean "32D-MPL"?'),
    ('anchor = "32D-EPOR"', 'found "32D-EPOR", cells without TPO-R', "Choose cells that answer an agonist."),
    ('cell_system = "HEK"', 'signalling.cell_system: found "HEK"', "Choose one of these."),
    ('predict = ["CD34+", "32D-MPL"]', 'signalling.predict[2]: found "32D-MPL", the cells of the anchor', "Remove it."),
    ('cultures = ["32D-MPL"]', 'signalling.cultures[1]: found "32D-MPL"; expected "CD34+ cord blood"', "Name CD34+ cells"),
    ('inhibitors = ["ruxolitinb"]', 'signalling.inhibitors[1]: found "ruxolitinb"', 'Did you mean "ruxolitinib"?'),
    ('mutations = ["V617F"]', 'signalling.mutations[1]: found "V617F"; expected "JAK2 V617F"', ""),
    ('receptors = ["human"]', 'signalling.receptors[1]: found "human"; expected "H499L"', ""),
    ('agonists = ["hetrombopag"]', 'signalling.agonists[1]: found "hetrombopag"; expected an agonist of the study: eltrombopag, rhTPO', ""),
    ('agonists = ["eltrombopag", "SB-497115"]', 'signalling.agonists[2]: found "SB-497115" a second time', "Keep one."),
    ('positive_control = "eltrombopag"', 'found "eltrombopag", whose file gives no affinity and site', "Choose rhTPO"),
    ('positive_control = "rhTOP"', 'signalling.positive_control: found the name "rhTOP"', ""),
    ('fit_rates = ["erk_dephosphorylation"]', "signalling.fit_rates: found rates to fit without measured signals", "Add measured ="),
    ('[[signalling.rates]]\nid = "erk"\nvalue = 1\nreason = "x"', 'signalling.rates[1].id: found "erk"', "Check its spelling."),
]  # fmt: skip


@pytest.mark.parametrize(("words", "found", "cure"), WRONG, ids=[row[0][:30] for row in WRONG])
def test_one_fault_with_its_line_and_cure(template: Path, tmp_path: Path, words: str, found: str, cure: str) -> None:
    (message,) = faults(template, tmp_path, f"\n[signalling]\n{words}\n")
    assert message.startswith("study.toml:")
    assert found in message
    assert cure in message


def test_faults_of_study_file_and_signals_come_in_one_pass(template: Path, tmp_path: Path) -> None:
    wrong = SIGNALS.replace("pERK,,0", "pSTAT9,,0").replace(",500,", ",x,")
    told = faults(template, tmp_path, '\n[signalling]\nmeasured = "signals.csv"\npredict = ["x"]\n', signals_csv=wrong)
    assert len(told) == 3
    assert any("pSTAT9" in one for one in told)
    assert any("signals.csv, row 3" in one for one in told)
    assert any("signalling.predict[1]" in one for one in told)


def test_measured_signals_must_have_a_scale_and_known_agonists(template: Path, tmp_path: Path) -> None:
    told = faults(
        template, tmp_path, '\n[signalling]\nmeasured = "signals.csv"\n',
        signals_csv=SIGNALS.replace("flow,pERK,,0,nM,15,100,r1\n", "").replace("eltrombopag", "compound-9"),
    )  # fmt: skip
    assert any("found no run with a scale; expected a vehicle or a time 0" in one for one in told)
    assert any('found the agonist "compound-9"' in one for one in told)


def test_an_agonist_without_a_site_is_left_out_and_told_or_a_fault_where_named(template: Path, tmp_path: Path) -> None:
    listed = '\n[[agonists]]\nfile = "mine.toml"\n[signalling]\n'
    study = load_study(written(template, tmp_path / "a", listed, mine_toml=OWN))
    assert study.signalling is not None
    assert [one.name for one in study.signalling.agonists] == ["eltrombopag"]
    assert study.signalling.notes == ("Not simulated, as their files give no binding site: mine.",)
    (message,) = faults(template, tmp_path / "b", f'{listed}agonists = ["mine"]\n', mine_toml=OWN)
    assert 'signalling.agonists[1]: found "mine" without a binding site' in message
    sited = OWN + 'binding_site = "transmembrane"\n'
    (message,) = faults(template, tmp_path / "c", f'{listed}agonists = ["mine"]\n', mine_toml=sited)
    assert 'found "mine" with neither an affinity nor an EC50 in 32D-MPL' in message


def test_the_positive_control_has_the_dose_of_the_plates(template: Path, tmp_path: Path) -> None:
    study = load_study(written(template, tmp_path / "a", "\n[signalling]\n"))
    assert study.signalling is not None
    assert study.signalling.control.name == "rhTPO"
    assert study.signalling.control_nM == pytest.approx(100.0 / 70.0, rel=1e-5)
    assert study.signalling.control_basis == "of the plates"
    said = load_study(written(template, tmp_path / "b", "\n[signalling]\npositive_control_nM = 3\n"))
    assert said.signalling is not None
    assert (said.signalling.control_nM, said.signalling.control_basis) == (3.0, "of the study file")


def assay(hours: float | None = 72.0, cells: str = "32D-MPL") -> Assay:
    return Assay(cell_system=cells, readout="luminescence", hours=hours, serum="10 % FBS")


def potency(agonist: str, ec50: float | None, *, where: Assay | None = None, verdict: str = "combined") -> Potency:
    found = Estimate(estimate=ec50, low=None if ec50 is None else 0.8 * ec50, high=None if ec50 is None else 1.25 * ec50)
    runs = ("r1", "r2", "r3", "r4") if ec50 is not None else ()
    return Potency(
        agonist=agonist, assay=where or assay(), ec50_nM=found, n_runs=len(runs), runs_used=runs, runs_left_out=(), run_ec50_nM=(),
        between_run_sd_log10=None, interval="hartung_knapp", verdict=verdict,
    )  # fmt: skip


def plates(*potencies: Potency, emax: dict[str, float] | None = None, ratios: tuple[PotencyRatio, ...] = ()) -> PlateResult:
    """A plate result with one plate a run; run r4's plate failed."""
    rows = [
        {"plate": run, "run": run, "agonist": "eltrombopag", "cell_system": "32D-MPL", "verdict": "fit", "emax_pct": value}
        for run, value in (emax or {}).items()
    ]
    schema = dict.fromkeys(("plate", "run", "agonist", "cell_system", "verdict"), pl.String) | {"emax_pct": pl.Float64}
    quality = [
        PlateQuality(plate=run, run=run, cell_system="32D-MPL", status="fail" if run == "r4" else "pass", checks=())
        for run in ("r1", "r2", "r3", "r4")
    ]
    return PlateResult(
        wells=pl.DataFrame(), fits=pl.DataFrame(rows, schema=schema), curves=pl.DataFrame(), quality=tuple(quality), potencies=potencies,
        ratios=ratios, response_unit=dict.fromkeys(("r1", "r2", "r3", "r4"), WINDOW), comparator="eltrombopag", confidence=0.95,
    )  # fmt: skip


ELTROMBOPAG = load_agonist("eltrombopag")


def test_the_own_ec50_goes_before_the_published_one() -> None:
    found = anchoring_of(ELTROMBOPAG, SYSTEM_32D, plates(potency("eltrombopag", 20.0)))
    assert isinstance(found, Anchoring)
    assert found.potency is not None
    assert found.potency.ec50_nM.estimate == 20.0
    assert (
        "own EC50 in 32D-MPL, 20.0 nM (95 % interval 16.0 to 25.0, 4 runs); its Emax over three runs is not known."
        in found.sentence
    )


def test_the_published_ec50_stands_in_and_says_why() -> None:
    for plate, why in (
        (None, "this study has no curve of it in 32D-MPL that passed"),
        (plates(potency("eltrombopag", None, verdict="flat")), "this study’s plates give none (flat)"),
        (plates(potency("eltrombopag", 5.0, where=assay(cells="CD34+ cord blood"))), "this study has no curve of it in 32D-MPL"),
    ):
        found = anchoring_of(ELTROMBOPAG, SYSTEM_32D, plate)
        assert isinstance(found, Anchoring)
        assert found.potency is None
        assert "anchored on the published EC50 in 32D-MPL, 13.4 nM" in found.sentence
        assert why in found.sentence


def test_nothing_to_anchor_on_is_a_sentence_and_an_affinity_needs_no_anchor() -> None:
    bare = dataclasses.replace(ELTROMBOPAG, potencies=())
    assert anchoring_of(bare, SYSTEM_32D, None) == (
        "eltrombopag is not simulated: no EC50 in 32D-MPL was published for it, and this study has no curve of it in 32D-MPL that passed."
    )
    control = anchoring_of(load_agonist("rhTPO"), SYSTEM_32D, plates(potency("rhTPO", 1.0)))
    assert isinstance(control, Anchoring)
    assert (control.hours, control.potency) == (None, None)
    assert "affinity of its file, 0.163 nM" in control.sentence


def test_of_several_assays_the_one_nearest_to_the_usual_hours_is_taken() -> None:
    found = anchoring_of(
        ELTROMBOPAG,
        SYSTEM_32D,
        plates(potency("eltrombopag", 5.0, where=assay(24.0)), potency("eltrombopag", 9.0, where=assay(72.0))),
    )
    assert isinstance(found, Anchoring)
    assert found.hours == 72.0
    unknown = anchoring_of(ELTROMBOPAG, SYSTEM_32D, plates(potency("eltrombopag", 5.0, where=assay(None))))
    assert isinstance(unknown, Anchoring)
    assert "(72 h assumed)" in unknown.sentence


def test_emax_is_a_mean_over_runs_without_failed_plates() -> None:
    own = potency("eltrombopag", 20.0)
    found = emax_over_runs(plates(own, emax={"r1": 80.0, "r2": 90.0, "r3": 100.0, "r4": 500.0}), own)
    assert found is not None
    half = 4.302652729911275 * 10.0 / np.sqrt(3.0)  # Student's t, 2 degrees of freedom, 0.975
    assert (found.estimate, found.low, found.high) == (pytest.approx(90.0), pytest.approx(90.0 - half), pytest.approx(90.0 + half))
    assert emax_over_runs(plates(own, emax={"r1": 80.0, "r2": 90.0, "r4": 100.0}), own) is None


@pytest.fixture(scope="module")
def plan() -> EnsemblePlan:
    model = tpor_model("CD34+ cord blood")
    agonists = [load_agonist(name) for name in ("rhTPO", "hetrombopag", "eltrombopag")]
    bindings, anchors = bind_agonists(agonists, model, control=agonists[0], control_nM=POSITIVE_CONTROL_nM)
    return EnsemblePlan(
        model=model, assay=SYSTEM_32D, assay_hours=72.0, agonists=anchored_on(bindings, anchors), control="rhTPO", treatments=(),
        control_nM=POSITIVE_CONTROL_nM, hours=168.0, seed=1,
    )  # fmt: skip


def test_measured_values_stand_beside_the_prediction_for_their_hours(plan: EnsemblePlan) -> None:
    agonists = [load_agonist("hetrombopag"), ELTROMBOPAG]
    there = assay(96.0, "CD34+ cord blood")
    ratio = PotencyRatio(
        agonist="hetrombopag", comparator="eltrombopag", assay=there, n_runs=4, runs_used=(), run_ratios=(), interval="", reason="",
        ratio=Estimate(estimate=40.0, low=30.0, high=50.0),
    )  # fmt: skip
    measured = plates(potency("hetrombopag", 2.0, where=there), ratios=(ratio,))
    found = predict_cells(plan, agonists, measured, n_sets=5, engine=SerialEngine())
    by_fact = [(one.fact, one.published, one.source[:19]) for one in found if one.published is not None]
    assert ("EC50 of hetrombopag in CD34+ cord blood, 168 h", 2.3, "Technical guide on ") in by_fact
    assert ("EC50 of hetrombopag in CD34+ cord blood, 96 h", 2.0, "this study’s plates") in by_fact
    assert ("EC50 of eltrombopag / hetrombopag in CD34+ cord blood", 40.0, "this study’s plates") in by_fact
    assert len({one.fact for one in found if one.published is None}) == len([one for one in found if one.published is None])


def test_an_agonist_nobody_measured_there_is_predicted_without_a_made_up_value(plan: EnsemblePlan) -> None:
    unknown = dataclasses.replace(ELTROMBOPAG, potencies=tuple(p for p in ELTROMBOPAG.potencies if p.cell_system == "32D-MPL"))
    found = predict_cells(plan, [load_agonist("hetrombopag"), unknown], None, n_sets=5, engine=SerialEngine())
    known = [one for one in found if one.published is not None]
    assert [one.fact for one in known] == ["EC50 of hetrombopag in CD34+ cord blood, 168 h"]
    assert any(one.fact == "EC50 of eltrombopag in CD34+ cord blood, 168 h" for one in found)


@pytest.mark.long
def test_culture_bands_are_the_same_on_two_processes_and_show_both_signs(plan: EnsemblePlan) -> None:
    treatments = culture_treatments("rhTPO", POSITIVE_CONTROL_nM, {"hetrombopag": 4.0})
    table, caption = culture_bands(plan, treatments, days=12.0, n_sets=6)
    again, _ = culture_bands(plan, treatments, days=12.0, n_sets=6, engine=ProcessEngine(2))
    assert table.equals(again)
    assert "assumed, not predicted" in caption
    assert "rates are assumed" in caption
    assert table.filter((pl.col("low") > pl.col("median")) | (pl.col("median") > pl.col("high"))).is_empty()
    assert table["high"].max() <= 100.0  # pyright: ignore[reportOperatorIssue]
    end = table.filter(pl.col("time_h") == 288.0)
    medians = {(row["treatment"], row["quantity"]): row["median"] for row in end.iter_rows(named=True)}
    alone, inhibited = treatments[0].label, treatments[2].label
    assert medians[inhibited, "8N and above (%), ERK lowers"] > medians[alone, "8N and above (%), ERK lowers"]
    assert medians[inhibited, "8N and above (%), ERK supports"] < medians[alone, "8N and above (%), ERK supports"]
    declared, _ = culture_bands(
        dataclasses.replace(plan, model=dataclasses.replace(plan.model, erk_on_endomitosis=Sign.SUPPORTS)),
        treatments,
        days=12.0,
        n_sets=6,
    )
    quantity = "8N and above (%), ERK supports"
    assert declared.filter(pl.col("quantity") == quantity).equals(table.filter(pl.col("quantity") == quantity))


SMALL = """
[signalling]
rate_sets = 20
agonists = ["eltrombopag"]
doses_nM = [1, 10, 100]
times_h = [0.2, 24]
inhibitors = []
mutations = ["JAK2 V617F"]
receptors = []
shown_dose_nM = 50
[[signalling.rates]]
id = "erk_dephosphorylation"
value = 0.5
reason = "own time course"
"""


@pytest.fixture(scope="module")
def small(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return load_study(written(template, tmp_path_factory.mktemp("small"), SMALL))


@pytest.fixture(scope="module")
def stage(small: Study) -> SignallingStage:
    assert small.signalling is not None
    assert small.spec.signalling is not None
    return run_signalling(small.signalling, small.spec.signalling, None, seed=1, engine=SerialEngine())


def test_choices_of_the_section_reach_the_stage(stage: SignallingStage) -> None:
    assert sorted(stage.dose_time["concentration_nM"].unique()) == [1.0, 10.0, 100.0]
    assert sorted(stage.dose_time["time_h"].unique()) == [0.2, 24.0, 72.0]
    assert stage.inhibitors.is_empty()
    assert set(stage.mutants["treatment"]) == {
        "vehicle", "eltrombopag 50 nM", "JAK2 V617F", "JAK2 V617F, eltrombopag 50 nM",
    }  # fmt: skip
    assert stage.shown_nM == {"eltrombopag": 50.0}
    assert "Rate erk_dephosphorylation is 0.5 in place of the model’s own: own time course." in stage.notes
    assert "anchored on the published EC50" in stage.anchoring[0]


def test_times_between_simulated_ones_lie_on_the_straight_line(stage: SignallingStage) -> None:
    levels = stage.dose_time.filter((pl.col("quantity") == "pERK") & (pl.col("concentration_nM") == 100.0))
    assert 0.0 < levels.filter(pl.col("time_h") == 0.2)["value"].item() <= 100.0


def test_an_agonist_that_cannot_be_placed_leaves_the_others(small: Study) -> None:
    assert small.signalling is not None
    assert small.spec.signalling is not None
    nowhere = dataclasses.replace(ELTROMBOPAG, name="nowhere", potencies=(), aliases=())
    given = dataclasses.replace(small.signalling, agonists=(nowhere, ELTROMBOPAG))
    found = run_signalling(given, small.spec.signalling, None, seed=1, engine=SerialEngine())
    assert found.agonists == ("eltrombopag",)
    assert found.anchoring[0].startswith("nowhere is not simulated")
    alone = run_signalling(
        dataclasses.replace(given, agonists=(nowhere,)), small.spec.signalling, None, seed=1, engine=SerialEngine()
    )
    assert alone.agonists == ("rhTPO",)
    assert alone.predictions == ()


def test_saved_and_read_back_it_is_the_same_and_damage_is_told(stage: SignallingStage, tmp_path: Path) -> None:
    paths = write_signalling(stage, tmp_path)
    assert all(path.is_file() for path in paths)
    back = read_signalling(tmp_path)
    assert json.dumps(plain(back)) == json.dumps(plain(stage))
    assert back.dose_time.equals(stage.dose_time)
    assert back.shown_nM == stage.shown_nM
    values = tmp_path / "signalling/values.json"
    document = json.loads(values.read_text(encoding="utf-8"))
    del document["values"]["caption"]
    values.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"results/signalling\.json: found a damaged result"):
        read_signalling(tmp_path)
    (tmp_path / "signalling/dose_time.parquet").write_bytes(b"")
    with pytest.raises(FileFormatError, match=r"dose_time\.parquet: found a damaged or changed table"):
        read_signalling(tmp_path)
