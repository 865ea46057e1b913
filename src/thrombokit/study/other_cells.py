"""EC50s in other cells, foretold from the anchoring assay and set beside what was published and what this study's own plates measured there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from thrombokit.domain.agonist import Agonist
from thrombokit.domain.potency import Potency
from thrombokit.plate.result import PlateResult, PotencyRatio
from thrombokit.scale.engine import Engine
from thrombokit.signalling.cell_systems import CellSystem
from thrombokit.signalling.ensembles import EnsemblePlan
from thrombokit.signalling.predictions import Prediction, predict_other_cells

UNKNOWN_nM = 1.0
"""Stands in for a published EC50 that there is not; what rests on it is taken out again."""


def predict_cells(
    plan: EnsemblePlan, agonists: Sequence[Agonist], plate: PlateResult | None, *, n_sets: int, engine: Engine
) -> tuple[Prediction, ...]:
    """Predictions for the plan's cell system, each beside a published value, a measured one, or none.

    Parameters
    ----------
    plan : EnsemblePlan
        Its hours are the usual ones of those cells.
    agonists : sequence of Agonist
        Anchored in the plan's assay, the comparator last.
    plate : PlateResult or None
        Of the study; potencies it has in those cells stand beside the prediction for the same hours.
    n_sets : int
    engine : Engine
    """
    system = plan.model.cell_system
    published = {one.name: next((p for p in one.potencies if system.is_called(p.cell_system)), None) for one in agonists}
    sources = dict.fromkeys(one.source for one in published.values() if one is not None)
    values = {name: UNKNOWN_nM if one is None else one.ec50_nM for name, one in published.items()}
    found = predict_other_cells(plan, values, source="; ".join(sources), n_sets=n_sets, engine=engine)
    told = [replace(one, published=None, source="") if _rests_on_nothing(one, published) else one for one in found]
    measured = _measured(agonists, system, plate)
    hours = {p.assay.hours for p in measured.values() if p.assay.hours is not None}
    for one in sorted(hours):
        if not any(prediction.fact.endswith(f", {one:g} h") for prediction in told):
            told += predict_other_cells(replace(plan, hours=one), values, source="", n_sets=n_sets, engine=engine)[: len(values)]
    own = [_beside_measured(one, told, system) for one in measured.values()]
    facts = {one.fact for one in own if one is not None}
    kept = [one for one in told if one.fact not in facts or one.published is not None]
    ratio = _beside_ratio(found, agonists, system, plate)
    return (*kept, *(one for one in (*own, ratio) if one is not None))


def _rests_on_nothing(one: Prediction, published: Mapping[str, object]) -> bool:
    missing = [name for name, value in published.items() if value is None]
    return any(name in one.fact for name in missing)


def _measured(agonists: Sequence[Agonist], system: CellSystem, plate: PlateResult | None) -> dict[str, Potency]:
    """Agonist -> its potency in those cells, where the study's plates have one with known hours."""
    found: dict[str, Potency] = {}
    for agonist in agonists:
        for potency in plate.potencies if plate is not None else ():
            if (
                agonist.is_called(potency.agonist)
                and system.is_called(potency.assay.cell_system)
                and potency.ec50_nM.estimate is not None
                and potency.assay.hours is not None
            ):
                found.setdefault(agonist.name, replace(potency, agonist=agonist.name))
    return found


def _beside_measured(potency: Potency, told: Sequence[Prediction], system: CellSystem) -> Prediction | None:
    """The prediction for the hours of the study's own assay, with what was measured there."""
    fact = f"EC50 of {potency.agonist} in {system.name}, {potency.assay.hours:g} h"
    same = next((one for one in told if one.fact == fact), None)
    if same is None:
        return None
    return replace(
        same, published=potency.ec50_nM.estimate, source=_source(potency.assay.label(), potency.n_runs),
        note="measured in this study, not used for the model",
    )  # fmt: skip


def _beside_ratio(
    found: Sequence[Prediction], agonists: Sequence[Agonist], system: CellSystem, plate: PlateResult | None
) -> Prediction | None:
    """The ratio that the model carries over, beside the one that the study's plates measured in those cells."""
    if len(agonists) != 2 or plate is None:
        return None
    first, last = agonists
    measured = next((one for one in plate.ratios if _is_ratio(one, first, last, system)), None)
    if measured is None or measured.ratio.estimate is None:
        return None
    return replace(
        found[-1], published=measured.ratio.estimate, source=_source(measured.assay.label(), measured.n_runs),
        note="measured in this study, not used for the model; equal efficacies carry the ratio over from the anchoring assay unchanged",
    )  # fmt: skip


def _is_ratio(one: PotencyRatio, first: Agonist, last: Agonist, system: CellSystem) -> bool:
    return first.is_called(one.agonist) and last.is_called(one.comparator) and system.is_called(one.assay.cell_system)


def _source(assay: str, n_runs: int) -> str:
    return f"this study’s plates: {assay}; {n_runs} run{'' if n_runs == 1 else 's'}"
