"""The signalling stage of a study: agonists anchored on what the plates measured, and what the model then says.

The plates' potencies come first, published ones stand in where there is none, and each is told. Bands are over sets of rates, each of which
returns the same anchoring EC50s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from thrombokit.domain.agonist import Agonist
from thrombokit.errors import MissingExtraError
from thrombokit.io.tpor import tpor_model
from thrombokit.plate.result import PlateResult
from thrombokit.scale.engine import Engine
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import Anchor
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.cell_systems import CellSystem
from thrombokit.signalling.culture_bands import culture_bands, culture_treatments
from thrombokit.signalling.ensembles import EnsemblePlan, anchored_on
from thrombokit.signalling.measured_fit import SignalFit, fit_signals
from thrombokit.signalling.predictions import Prediction, predict_time_shift
from thrombokit.signalling.stage import SignallingStage, simulate_stage
from thrombokit.signalling.stage_choices import SHOWN_TIMES_h, StageChoices
from thrombokit.signalling.tpor_model import TporModel
from thrombokit.signalling.treatments import Treatment
from thrombokit.study.anchoring import Anchoring, anchoring_of
from thrombokit.study.load_signalling import SignallingInput
from thrombokit.study.other_cells import predict_cells
from thrombokit.study.spec import StudySpec
from thrombokit.study.spec_signalling import SignallingSection

EARLIER_h = (24.0, 48.0)
NO_INTERVAL = "Bands are over sets of rates; the interval of the anchoring EC50 itself is not in them."


def require_solvers(spec: StudySpec) -> None:
    """Refuse a study with [signalling] where the extra is not installed, before anything is computed.

    Raises
    ------
    MissingExtraError
        One line: the section, what is missing, and the cure.
    """
    if spec.signalling is None:
        return
    try:
        tpor_model().session()
    except MissingExtraError as missing:
        raise MissingExtraError(
            f"{spec.place_of('signalling')}: the section [signalling] needs the extra of that name, which is not installed: "
            'pip install "thrombokit[signalling]", or remove the section.'
        ) from missing


def run_signalling(
    given: SignallingInput, section: SignallingSection, plate: PlateResult | None, *, seed: int, engine: Engine
) -> SignallingStage:
    """Run the signalling stage of a study.

    Parameters
    ----------
    given : SignallingInput
    section : SignallingSection
    plate : PlateResult or None
        The plates' answer, whose potencies anchor the agonists.
    seed : int
    engine : Engine

    Raises
    ------
    MissingExtraError
        If the extra [signalling] is not installed.
    SimulationError
        If a simulation cannot finish.
    """
    placed = _place(given, section, plate)
    fit = _fit(given, section, placed)
    plan = placed.plan(given, seed)
    predictions = _predictions(given, section, placed, plan, plate, engine)
    stage = simulate_stage(
        placed.model, placed.bindings, positive_control=placed.control, agonists=placed.shown, anchors=placed.anchors, fit=fit,
        predictions=predictions, choices=_choices(section), hours=section.hours,
    )  # fmt: skip
    treatments = culture_treatments(given.control.name, given.control_nM, stage.shown_nM)
    bands = [
        culture_bands(
            replace(plan, model=_model(system, section)), treatments, days=section.culture_days, n_sets=section.rate_sets, engine=engine
        )
        for system in given.cultures
    ]  # fmt: skip
    return replace(
        stage, anchoring=placed.sentences, notes=(*stage.notes, *_notes(given, section, stage)),
        cultures=pl.concat([table for table, _ in bands]) if bands else pl.DataFrame(),
        culture_captions=tuple(caption for _, caption in bands),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """The model with every agonist's place in it; `anchored` are those with an EC50, `sentences` say what each rests on."""

    model: TporModel
    control: Treatment
    shown: tuple[str, ...]
    bindings: tuple[Binding, ...]
    anchors: tuple[Anchor, ...]
    anchorings: tuple[Anchoring, ...]
    sentences: tuple[str, ...]

    def plan(self, given: SignallingInput, seed: int) -> EnsemblePlan:
        """What sets of rates are asked: all agonists anchored in one assay; those of other hours keep the place of the base rates."""
        hours = self.assay_hours(given.anchor)
        same = {one.agonist.name for one in self.anchorings if one.hours == hours}
        return EnsemblePlan(
            model=self.model, assay=given.anchor, assay_hours=hours, treatments=(), control=given.control.name, hours=hours, seed=seed,
            agonists=anchored_on(self.bindings, [one for one in self.anchors if one.binding.agonist in same]), control_nM=given.control_nM,
        )  # fmt: skip

    def assay_hours(self, anchor: CellSystem) -> float:
        """Hours of the first anchored agonist's assay."""
        return next((one.hours for one in self.anchorings if one.hours is not None), anchor.hours)


def _model(system: CellSystem, section: SignallingSection) -> TporModel:
    replaced = {change.id: change.value for change in section.rates}
    return tpor_model(system.name, rates=replaced, erk_on_endomitosis=section.erk_on_endomitosis)


def _place(given: SignallingInput, section: SignallingSection, plate: PlateResult | None) -> _Placed:
    found = {one.name: anchoring_of(one, given.anchor, plate) for one in (*given.agonists, *given.others)}
    known = {name: one for name, one in found.items() if isinstance(one, Anchoring)}
    model = _model(given.cell_system, section)
    agonists = [*(one.agonist for one in known.values()), *([] if given.control.name in known else [given.control])]
    bindings, anchors = bind_agonists(
        agonists, model, control=given.control, control_nM=given.control_nM,
        potencies=[one.potency for one in known.values() if one.potency is not None],
        emax_pct={name: one.emax_pct for name, one in known.items() if one.emax_pct is not None},
    )  # fmt: skip
    return _Placed(
        model=model, bindings=bindings, anchors=anchors, anchorings=tuple(known.values()),
        shown=tuple(one.name for one in given.agonists if one.name in known) or (given.control.name,),
        control=Treatment(agonists_nM={given.control.name: given.control_nM}),
        sentences=tuple(one.sentence if isinstance(one, Anchoring) else one for one in found.values()),
    )  # fmt: skip


def _fit(given: SignallingInput, section: SignallingSection, placed: _Placed) -> SignalFit | None:
    """Measured signals beside the model, without agonists that have no place in it."""
    if given.measured is None:
        return None
    known = {"", *(one.agonist for one in placed.bindings)}
    points = given.measured.points
    kept = replace(given.measured, points=points.filter(points["agonist"].is_in(list(known))))
    return fit_signals(kept, placed.model, placed.bindings, rates=section.fit_rates, confidence=section.confidence)


def _predictions(
    given: SignallingInput,
    section: SignallingSection,
    placed: _Placed,
    plan: EnsemblePlan,
    plate: PlateResult | None,
    engine: Engine,
) -> tuple[Prediction, ...]:
    anchored = [one.binding.agonist for one in plan.agonists if one.ec50_nM is not None]
    names = [name for name in placed.shown if name in anchored]
    if not names:
        return ()
    agonists: dict[str, Agonist] = {one.name: one for one in given.agonists}
    ordered = sorted(
        names, key=lambda name: plate is not None and name == plate.comparator
    )  # the comparator last: ratios are to it
    predictions: list[Prediction] = []
    for system in given.predict:
        asked = replace(plan, model=_model(system, section), hours=system.hours)
        predictions += predict_cells(asked, [agonists[name] for name in ordered], plate, n_sets=section.rate_sets, engine=engine)
    earlier = [one for one in EARLIER_h if one < plan.assay_hours]
    return (*predictions, *predict_time_shift(plan, earlier, n_sets=section.rate_sets, engine=engine))


def _choices(section: SignallingSection) -> StageChoices:
    return StageChoices(
        doses_nM=section.doses_nM or (), times_h=section.times_h or SHOWN_TIMES_h, inhibitors=section.inhibitors,
        inhibitor_doses_nM=section.inhibitor_doses_nM, mutations=section.mutations, receptors=section.receptors,
        shown_dose_nM=section.shown_dose_nM, shown_time_h=section.shown_time_min / 60.0,
    )  # fmt: skip


def _notes(given: SignallingInput, section: SignallingSection, stage: SignallingStage) -> Sequence[str]:
    """What a reader must know: the positive control, replaced rates, scales that measured runs lack, what bands leave out."""
    notes = [f"The positive control is {given.control.name} at {given.control_nM:.3g} nM ({given.control_basis})."]
    notes += [f"Rate {change.id} is {change.value:g} in place of the model’s own: {change.reason}." for change in section.rates]
    notes += given.notes
    if given.measured is not None:
        scales = given.measured.scales
        notes += [
            f"{row['analyte']} by {row['assay']} in {row['run']} is left out: {row['verdict']}."
            for row in scales.filter(scales["verdict"] != "scaled").to_dicts()
        ]
    return [*notes, NO_INTERVAL] if stage.predictions or given.cultures else notes
