"""Experiments in silico: treatments of one cell system simulated, dose x time, panels of inhibitors and mutants, and 24/48/72 h EC50s.

Every answer is given in % of the positive control at the same time, as a plate would, and carries the caption that says how much of the
model is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import Anchor, curve_of_dose, drive_curve
from thrombokit.signalling.cell_systems import known_inhibitors, known_mutations, perturbations
from thrombokit.signalling.cultures import culture_course
from thrombokit.signalling.result import SignallingResult
from thrombokit.signalling.tpor_model import TporModel, time_grid_h
from thrombokit.signalling.treatments import Treatment

CULTURE_NOTE = "CD41 and ploidy over days are assumed, not predicted: show them as a band, never as a headline."
SILENT_NOTE = "These cells do not answer the positive control: responses in % of it do not exist."


def simulate_treatments(
    model: TporModel, treatments: Sequence[Treatment], bindings: Sequence[Binding], *, positive_control: Treatment,
    hours: float | None = None, serum_percent: float | None = None, culture: bool = False, anchors: tuple[Anchor, ...] = (),
) -> SignallingResult:  # fmt: skip
    """Every treatment over time: activity, fates, cells, and response in % of the positive control.

    Parameters
    ----------
    model : TporModel
    treatments : sequence of Treatment
    bindings : sequence of Binding
        Of every agonist in treatments and positive control.
    positive_control : Treatment
        What 100 % is; untreated cells of the system, without mutation, are 0 %.
    hours : float, optional
        The cell system's own read-out without it.
    serum_percent : float, optional
        Serum of the medium, where it differs from that of the anchoring assay.
    culture : bool
        Follow megakaryocytes and ploidy too (CD34+ systems).
    anchors : tuple of Anchor, optional
        Kept with the result.

    Returns
    -------
    SignallingResult

    Raises
    ------
    InputError
        If there is no treatment, or a dose or time is impossible.
    """
    if not treatments:
        fault = Fault(place="signalling", found="no treatment", expected="at least one", cure="Name an agonist and its doses.")
        raise InputError(fault)
    time_h = time_grid_h(hours if hours is not None else model.cell_system.hours)
    session = model.session()
    wells = [*treatments, Treatment(), positive_control]
    activities = [model.activity(one, bindings, time_h, serum_percent=serum_percent, session=session) for one in wells]
    fates = [model.fates(activity, label=one.label) for one, activity in zip(wells, activities, strict=True)]
    cells = np.array([model.cells(rates) for rates in fates])
    number, values = len(treatments), model.values()
    response = _percent(cells)
    notes = [CULTURE_NOTE] if culture else []
    if not np.isfinite(response[:, -1]).all():
        notes.append(SILENT_NOTE)
    rates = model.rate_set
    return SignallingResult(
        cell_system=model.cell_system.name, hours=float(time_h[-1]), positive_control=positive_control, treatments=tuple(treatments),
        time_h=time_h, activities=tuple(activities[:number]), fates=tuple(fates[:number]), cells=cells[:number],
        response_pct=response[:number], bindings=tuple(bindings), caption=rates.caption(), assumed_share=rates.assumed_share(),
        anchors=anchors, cultures=tuple(culture_course(one, values) for one in fates[:number]) if culture else (),
        species_names=tuple((one.id, one.label) for one in model.network.species), notes=tuple(notes),
    )  # fmt: skip


def inhibitor_panel(agonists_nM: dict[str, float], doses_nM: Sequence[float], *, mutation: str = "") -> tuple[Treatment, ...]:
    """The agonists alone, then with each inhibitor of the model at each dose (nM)."""
    alone = Treatment(agonists_nM=agonists_nM, mutation=mutation)
    inhibited = [
        Treatment(agonists_nM=agonists_nM, inhibitors_nM={name: float(dose)}, mutation=mutation)
        for name in known_inhibitors() for dose in doses_nM
    ]  # fmt: skip
    return alone, *inhibited


def mutant_panel(agonists_nM: dict[str, float]) -> tuple[Treatment, ...]:
    """Wild type, every mutation, and every receptor variant: with the agonists; mutations without them too."""
    variants = [name for name in perturbations().receptors if name != "human"]
    return (
        Treatment(),
        Treatment(agonists_nM=agonists_nM),
        *(Treatment(mutation=name) for name in known_mutations()),
        *(Treatment(agonists_nM=agonists_nM, mutation=name) for name in known_mutations()),
        *(Treatment(agonists_nM=agonists_nM, receptor=name) for name in variants),
    )


def ec50_by_time(
    model: TporModel, bindings: Sequence[Binding], hours: Sequence[float], *, reference: Binding, reference_nM: float
) -> pl.DataFrame:
    """EC50, Emax and Hill slope of every agonist by the hours of the read-out.

    Returns
    -------
    DataFrame
        One row an agonist and time: `agonist`, `cell_system`, `hours`, `ec50_nM`, `emax_pct`, `hill_slope`, `shift` (EC50 over that of the last of
        `hours`).
    """
    rows: list[dict[str, object]] = []
    curves = {one: drive_curve(model, hours=one, reference=reference, reference_nM=reference_nM) for one in hours}
    for binding in bindings:
        found = {one: curve_of_dose(curve, binding) for one, curve in curves.items()}
        last = found[hours[-1]][0]
        for one, (ec50, emax, hill) in found.items():
            rows.append({"agonist": binding.agonist, "cell_system": model.cell_system.name, "hours": float(one), "ec50_nM": ec50,
                         "emax_pct": emax, "hill_slope": hill, "shift": ec50 / last})  # fmt: skip
    return pl.DataFrame(rows)


def dose_time_table(result: SignallingResult, hours: Sequence[float]) -> pl.DataFrame:
    """Response by treatment and time, for a heat map: `treatment`, `hours`, `response_pct`, and `cells`; the nearest simulated times."""
    rows = [
        {"treatment": treatment.label, "hours": float(result.time_h[at]), "response_pct": _finite(result.response_pct[k, at]),
         "cells": float(result.cells[k, at])}
        for k, treatment in enumerate(result.treatments) for at in (result.at(one) for one in hours)
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def _percent(cells: Array) -> Array:
    """% of the window from the last but one row (vehicle) to the last (positive control); NaN where there is no window (time 0, silent cells)."""
    low, high = cells[-2], cells[-1]
    window = high - low
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(window > 1e-3 * np.maximum(low, 1e-300), 100.0 * (cells - low) / window, np.nan)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
