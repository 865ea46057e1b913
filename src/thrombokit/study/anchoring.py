"""Which EC50 anchors each agonist in the signalling model: the study's own where its plates have one, else the published one, and it is said which.

Emax over runs comes from the plates too: the plateaus of complete curves, in % of the positive control's window, a run's mean each, with
Student's interval over three runs or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from thrombokit.domain.agonist import Agonist, AgonistSignalling
from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Potency
from thrombokit.drawing.numerals import three_digits
from thrombokit.numerics.student import t_interval
from thrombokit.plate.normalise import WINDOW
from thrombokit.plate.result import PlateResult
from thrombokit.signalling.bindings import USUAL_HOURS
from thrombokit.signalling.cell_systems import CellSystem

FEWEST_RUNS = 3
"""Runs from which on an Emax has an interval; below, it is not used."""


@dataclass(frozen=True, kw_only=True)
class Anchoring:
    """One agonist's place in the model: `potency` of the study (None where the published EC50 or its own affinity is used), hours, words.

    `agonist` has the study's anchor in place of its file's; `hours` is None where its file gives an affinity.
    """

    agonist: Agonist
    sentence: str
    hours: float | None
    potency: Potency | None = None
    emax_pct: Estimate | None = None


def anchor_in(agonist: Agonist, system: CellSystem) -> Agonist:
    """The agonist with `system` as the cells that anchor it, under the name its file gives them."""
    name = next((p.cell_system for p in agonist.potencies if system.is_called(p.cell_system)), system.name)
    return replace(agonist, signalling=replace(agonist.signalling or AgonistSignalling(), anchor=name))


def can_be_placed(agonist: Agonist, system: CellSystem) -> bool:
    """Whether its file alone places it: an affinity, or a published EC50 in those cells."""
    return has_affinity(agonist) or any(system.is_called(p.cell_system) for p in agonist.potencies)


def has_affinity(agonist: Agonist) -> bool:
    """Whether its file gives the affinity."""
    return agonist.signalling is not None and agonist.signalling.affinity_nM is not None


def anchoring_of(agonist: Agonist, system: CellSystem, plate: PlateResult | None) -> Anchoring | str:
    """What anchors an agonist, or the sentence that says why nothing does.

    Parameters
    ----------
    agonist : Agonist
    system : CellSystem
        The anchoring cells.
    plate : PlateResult or None
        Of the study.
    """
    placed = anchor_in(agonist, system)
    if placed.signalling is not None and placed.signalling.affinity_nM is not None:
        known = placed.signalling.affinity_nM
        return Anchoring(
            agonist=placed, hours=None,
            sentence=f"{agonist.name} has the affinity of its file, {three_digits(known.value)} nM ({known.source}).",
        )  # fmt: skip
    own = [p for p in plate.potencies if agonist.is_called(p.agonist) and system.is_called(p.assay.cell_system)] if plate else []
    known = sorted(
        (p for p in own if p.ec50_nM.estimate is not None), key=lambda p: abs((p.assay.hours or USUAL_HOURS) - system.hours)
    )
    if plate is not None and known:
        return _own(placed, known[0], plate)
    why = (
        f"this study’s plates give none ({_verdicts(own)})"
        if own
        else f"this study has no curve of it in {system.name} that passed"
    )
    published = next((p for p in agonist.potencies if system.is_called(p.cell_system)), None)
    if published is None:
        return f"{agonist.name} is not simulated: no EC50 in {system.name} was published for it, and {why}."
    hours = published.hours or USUAL_HOURS
    said = f"{agonist.name} is anchored on the published EC50 in {published.cell_system}, {three_digits(published.ec50_nM)} nM ({published.source})"
    return Anchoring(agonist=placed, hours=hours, sentence=f"{said}: {why}.")


def emax_over_runs(plate: PlateResult, potency: Potency) -> Estimate | None:
    """Emax of an agonist in % of the positive control over the runs of its potency; None for fewer than three, or without such a window."""
    failed = set(plate.failed_plates)
    windowed = [name for name, unit in plate.response_unit.items() if unit == WINDOW and name not in failed]
    rows = plate.fits.filter(
        (pl.col("agonist") == potency.agonist) & (pl.col("cell_system") == potency.assay.cell_system) & (pl.col("verdict") == "fit")
        & pl.col("plate").is_in(windowed) & pl.col("run").is_in(list(potency.runs_used)) & pl.col("emax_pct").is_not_null()
    )  # fmt: skip
    by_run = rows.group_by("run", maintain_order=True).agg(pl.col("emax_pct").mean())["emax_pct"].to_numpy()
    if by_run.size < FEWEST_RUNS:
        return None
    found = t_interval(np.asarray(by_run, dtype=np.float64), confidence=plate.confidence)
    return Estimate(estimate=found.mean, low=found.low, high=found.high)


def _own(agonist: Agonist, potency: Potency, plate: PlateResult) -> Anchoring:
    ec50 = potency.ec50_nM
    runs = f"{potency.n_runs} run{'' if potency.n_runs == 1 else 's'}"
    known = ec50.low is not None and ec50.high is not None
    spread = (
        f"{100 * plate.confidence:g} % interval {three_digits(ec50.low)} to {three_digits(ec50.high)}, {runs}"
        if known
        else f"{runs}, no interval"
    )
    emax = emax_over_runs(plate, potency)
    told = (
        f"its Emax is {three_digits(emax.estimate)} % ({three_digits(emax.low)} to {three_digits(emax.high)})"
        if emax is not None
        else "its Emax over three runs is not known"
    )
    hours = potency.assay.hours or USUAL_HOURS
    where = potency.assay.cell_system + ("" if potency.assay.hours else f" ({USUAL_HOURS:g} h assumed)")
    sentence = (
        f"{agonist.name} is anchored on this study’s own EC50 in {where}, {three_digits(ec50.estimate)} nM ({spread}); {told}."
    )
    return Anchoring(agonist=agonist, sentence=sentence, hours=hours, potency=potency, emax_pct=emax)


def _verdicts(potencies: Sequence[Potency]) -> str:
    return ", ".join(dict.fromkeys(p.verdict.replace("_", " ") for p in potencies))
