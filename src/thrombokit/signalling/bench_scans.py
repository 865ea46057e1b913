"""Scans of the built-in model in the words of the bench: doses and times, panels, pulses, pairs, read-outs, sensitivities, bands.

Each experiment comes from its own module; here it becomes one table with the sentences that belong to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from thrombokit.drawing.numerals import three_digits
from thrombokit.errors import Fault, raise_all
from thrombokit.scale.engine import Engine
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import Anchor, curve_of_dose, drive_curve
from thrombokit.signalling.cell_systems import CellSystem
from thrombokit.signalling.combination_bands import Pair, combination_bands, doses_for
from thrombokit.signalling.ensembles import EnsemblePlan, anchored_on, simulate_ensemble
from thrombokit.signalling.experiments import ec50_by_time, inhibitor_panel, mutant_panel, simulate_treatments
from thrombokit.signalling.ploidy_claims import check_ploidy_claims
from thrombokit.signalling.predictions import Prediction, predict_other_cells, predict_time_shift, predictions_table
from thrombokit.signalling.result import SHOWN, SignallingResult
from thrombokit.signalling.scan_result import Scan
from thrombokit.signalling.sensitivity import Question, local_sensitivity, morris_screening
from thrombokit.signalling.tpor_model import TporModel
from thrombokit.signalling.treatments import Treatment

DOSES, DECADES = 9, 4.0
SHOWN_h = (0.0, 1 / 30, 1 / 12, 1 / 6, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0, 72.0)
READ_OUTS_h = (24.0, 48.0, 72.0)
SHARES_pct = (20.0, 50.0)
CULTURE = "CD34+"
"""Cell systems whose cultures have megakaryocytes begin with this."""
CULTURE_SAID = "CD41 and ploidy are assumed: read their bands, not their medians."


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The model with the agonists placed in it: `shown` those to scan, `control` the positive control, `assay` the one EC50s were anchored in."""

    model: TporModel
    bindings: tuple[Binding, ...]
    anchors: tuple[Anchor, ...]
    control: str
    control_nM: float
    shown: tuple[str, ...]
    assay: CellSystem
    assay_hours: float

    @property
    def positive_control(self) -> Treatment:
        """The well that is 100 %."""
        return Treatment(agonists_nM={self.control: self.control_nM})

    def binding(self, agonist: str) -> Binding:
        """Of one agonist."""
        return next(one for one in self.bindings if one.agonist == agonist)

    def series_nM(self, agonist: str, hours: float) -> tuple[float, ...]:
        """Doses over four decades around the EC50 in these cells, two figures each."""
        curve = drive_curve(self.model, hours=hours, reference=self.binding(self.control), reference_nM=self.control_nM)
        middle = curve_of_dose(curve, self.binding(agonist))[0]
        return tuple(float(f"{one:.2g}") for one in middle * np.logspace(-DECADES / 2, DECADES / 2, DOSES))

    def high_nM(self, agonist: str, hours: float) -> float:
        """Ten times the EC50 in these cells, two figures."""
        return self.series_nM(agonist, hours)[DOSES // 2 + 2]

    def plan(self, *, hours: float, seed: int, treatments: tuple[Treatment, ...] = (), culture: bool = False) -> EnsemblePlan:
        """What sets of rates are asked."""
        return EnsemblePlan(
            model=self.model, assay=self.assay, assay_hours=self.assay_hours, agonists=anchored_on(self.bindings, self.anchors),
            treatments=treatments, control=self.control, control_nM=self.control_nM, hours=hours, seed=seed, culture=culture,
        )  # fmt: skip

    def simulate(self, wells: Sequence[Treatment], hours: float) -> SignallingResult:
        """Treatments of these cells."""
        return simulate_treatments(
            self.model, wells, self.bindings, positive_control=self.positive_control, hours=hours, anchors=self.anchors
        )

    def scan(self, kind: str, rows: pl.DataFrame, label: str, shown: tuple[str, ...], *said: str, **settings: object) -> Scan:
        """A scan of this bench, with the caption of its rates."""
        cells = self.model.cell_system.name
        kept = {"cell_system": cells, "agonists": list(self.shown), "positive_control": self.positive_control.label, **settings}
        return Scan(kind=kind, model=f"tpor, {cells}", rows=rows, label=label, shown=shown, caption=self.model.rate_set.caption(), said=said,
                    settings=kept)  # fmt: skip


def scan_doses(bench: Bench, wells: Sequence[Treatment], hours: Sequence[float]) -> Scan:
    """Dose x time: `treatment, agonist, concentration_nM, time_h, response_pct, cells`, concentrations of the main species (nM), fates per day.

    Straight lines between simulated times; `response_pct` is null where there is no window to be in % of.
    """
    result = bench.simulate(wells, max(hours))
    times = sorted({*(one for one in SHOWN_h if one <= max(hours)), *hours})
    rows = [_at(result, k, time) for k in range(len(wells)) for time in times]
    return bench.scan("doses", pl.DataFrame(rows, infer_schema_length=None), "treatment", ("response_pct", *(f"{id}_nM" for id in SHOWN[:4])),
                      *result.notes, *(one.summary() for one in bench.anchors), hours=list(hours))  # fmt: skip


def scan_panel(bench: Bench, kind: str, wells: Sequence[Treatment], hours: float) -> Scan:
    """A panel of wells at the end: the table of `SignallingResult`."""
    result = bench.simulate(wells, hours)
    return bench.scan(kind, result.table(), "treatment", ("response_pct",), *result.notes, hours=hours)


def scan_inhibitors(bench: Bench, dose_nM: float, inhibitor_nM: Sequence[float], hours: float) -> Scan:
    """The first agonist alone and with each inhibitor at each dose."""
    return scan_panel(bench, "inhibitors", inhibitor_panel({bench.shown[0]: dose_nM}, inhibitor_nM), hours)


def scan_mutants(bench: Bench, dose_nM: float, hours: float) -> Scan:
    """Vehicle, the first agonist, every mutation without and with it, and every receptor variant with it."""
    return scan_panel(bench, "mutants", mutant_panel({bench.shown[0]: dose_nM}), hours)


def scan_pulses(bench: Bench, dose_nM: float, given_h: Sequence[tuple[float, float]], hours: float) -> Scan:
    """The first agonist all the time, and only during the stretches (washed out after each), over time."""
    dose = {bench.shown[0]: dose_nM}
    scan = scan_doses(bench, [Treatment(agonists_nM=dose), Treatment(agonists_nM=dose, given_h=tuple(given_h))], [hours])
    return replace(scan, kind="pulses", settings={**scan.settings, "given_h": [list(one) for one in given_h]})


def scan_hours(bench: Bench, hours: Sequence[float], *, n_sets: int, seed: int, engine: Engine | None) -> Scan:
    """EC50 by hours of the read-out; with `n_sets` the band of the shift, for the cells the agonists were anchored in."""
    reference = bench.binding(bench.control)
    table = ec50_by_time(
        bench.model, [bench.binding(name) for name in bench.shown], hours, reference=reference, reference_nM=bench.control_nM
    )
    said = [f"EC50 over that at {hours[-1]:g} h: " + ", ".join(f"{row['hours']:g} h {three_digits(row['shift'])}" for row in
            table.filter(pl.col("agonist") == bench.shown[0]).to_dicts()) + f" ({bench.shown[0]})."]  # fmt: skip
    own = bench.model.cell_system.name == bench.assay.name and hours[-1] == bench.assay_hours and bool(bench.anchors)
    if n_sets and own:
        found = predict_time_shift(bench.plan(hours=bench.assay_hours, seed=seed), hours[:-1], n_sets=n_sets, engine=engine)
        ends = {"shift_low": [one.low for one in found], "shift_high": [one.high for one in found]}
        bands = pl.DataFrame(
            {"hours": [float(one) for one in hours[:-1]], **ends}, schema_overrides=dict.fromkeys(ends, pl.Float64)
        )
        table = table.join(bands, on="hours", how="left", maintain_order="left")
        said += [prediction_sentence(one) for one in found]
        said.append(f"Bands: 5 to 95 % of {n_sets} sets of rates.")
    elif n_sets:
        said.append(f"No band: it is told for {bench.assay.name} up to {bench.assay_hours:g} h, where the agonists are anchored.")
    table = table.with_columns(pl.format("{}, {} h", "agonist", "hours").alias("treatment"))
    return bench.scan("hours", table, "treatment", ("ec50_nM",), *said, hours=list(hours), sets=n_sets, seed=seed)


def scan_combination(
    bench: Bench, doses_nM: tuple[Sequence[float], Sequence[float]] | None, hours: float, *, n_sets: int, seed: int, engine: Engine | None
) -> Scan:  # fmt: skip
    """The first agonist with the second (or with the positive control): the model, Bliss and the sum, with bands where `n_sets` is not 0.

    Without doses: none, EC20 and EC50 of each.
    """
    names = [*bench.shown, bench.control]
    first, second = names[0], names[1]
    if first == second:
        raise_all([Fault(place="--agonist", found=f"{first} alone", expected="two agonists", cure="Name a second one.")])
    plan = bench.plan(hours=hours, seed=seed)
    given = doses_nM or tuple((0.0, *doses_for(plan, name, SHARES_pct)) for name in (first, second))
    table = combination_bands(
        plan, Pair(first=first, second=second, first_nM=tuple(given[0]), second_nM=tuple(given[1])), n_sets, engine=engine
    )
    labels = pl.format("{} {} nM + {} {} nM", "first", "first_nM", "second", "second_nM").alias("treatment")
    said = _pair_sentences(table, n_sets)
    sites = {bench.binding(name).site for name in (first, second)}
    if len(sites) == 1:
        said.append("The two share a site: they compete, and the model is not additive in drive.")
    return bench.scan("combination", table.with_columns(labels), "treatment", ("drive_additive_pct", "bliss_pct", "sum_pct"), *said, hours=hours,
                      sets=n_sets, seed=seed)  # fmt: skip


def scan_sensitivity(
    bench: Bench, kind: str, dose_nM: float, hours: float, *, trajectories: int, seed: int, engine: Engine | None
) -> Scan:
    """Which rates the cell number, peaks and endomitosis hang on: "local" elasticities, or "morris" over the ranges."""
    question = Question(
        model=bench.model, treatment=Treatment(agonists_nM={bench.shown[0]: dose_nM}), bindings=bench.bindings, hours=hours
    )
    if kind == "local":
        table = local_sensitivity(question)
        shown, by = ("elasticity",), pl.col("elasticity").abs()
    else:
        table = morris_screening(question, trajectories=trajectories, seed=seed, engine=engine)
        shown, by = ("mu_star", "sigma"), pl.col("mu_star")
    cells = table.filter(pl.col("output") == "cells").sort(by, descending=True, maintain_order=True).head(3)
    names = ", ".join(f"{row['rate']} ({row['tier']})" for row in cells.to_dicts())
    said = f"The cell number at {hours:g} h hangs most on {names}."
    return bench.scan(kind, table, "rate", shown, said, dose_nM=dose_nM, hours=hours, trajectories=trajectories if kind == "morris" else None,
                      seed=seed)  # fmt: skip


def scan_bands(bench: Bench, wells: Sequence[Treatment], hours: float, *, n_sets: int, seed: int, engine: Engine | None) -> Scan:
    """Wells under sets of rates: `treatment, output, time_h, low, median, high`; of CD34+ cells CD41 and ploidy too."""
    culture = bench.model.cell_system.name.startswith(CULTURE)
    plan = bench.plan(hours=hours, seed=seed, treatments=tuple(wells), culture=culture)
    result = simulate_ensemble(plan, n_sets, engine=engine)
    said = f"5 to 95 % of {result.n_sets} sets of rates ({result.n_refused} more left out: cells of the assay silent)."
    more = [CULTURE_SAID] if culture else []
    scan = bench.scan(
        "bands", result.table(), "treatment", ("low", "median", "high"), said, *more, hours=hours, sets=n_sets, seed=seed
    )
    return replace(scan, caption=f"Bands: 5 to 95 % of {result.n_sets} sets of rates. {scan.caption}")


def scan_ploidy(bench: Bench) -> Scan:
    """Published claims on ploidy under both signs of ERK on endomitosis, agreements and misses."""
    table = check_ploidy_claims(bench.model, bench.bindings, control=bench.control, control_nM=bench.control_nM)
    counted = [table.filter((pl.col("erk_on_endomitosis") == sign) & pl.col("verdict").str.starts_with("agrees")).height
               for sign in ("lowers", "supports")]  # fmt: skip
    n = table.height // 2
    said = f"ERK lowering endomitosis: {counted[0]} of {n} claims agree in direction; ERK supporting it: {counted[1]} of {n}. Sources disagree."
    labels = pl.format("{}, ERK {}", "claim", "erk_on_endomitosis").alias("treatment")
    return bench.scan("ploidy", table.with_columns(labels), "treatment", ("before", "after"), said, CULTURE_SAID)


def scan_predictions(
    bench: Bench, published_nM: dict[str, float], source: str, *, n_sets: int, seed: int, engine: Engine | None
) -> Scan:  # fmt: skip
    """Facts that were not fitted, hits and misses: EC50s in these cells and their ratio, and the shift with the hours of the read-out."""
    plan = bench.plan(hours=bench.model.cell_system.hours, seed=seed)
    found = predict_other_cells(plan, published_nM, source=source, n_sets=n_sets, engine=engine)
    found += predict_time_shift(plan, [one for one in READ_OUTS_h if one < bench.assay_hours], n_sets=n_sets, engine=engine)
    return bench.scan("predictions", predictions_table(found), "fact", ("predicted", "published"), *(prediction_sentence(one) for one in found),
                      f"Bands: 5 to 95 % of {n_sets} sets of rates.", sets=n_sets, seed=seed)  # fmt: skip


def prediction_sentence(one: Prediction) -> str:
    """One prediction with band, published value and verdict."""
    band = f" ({three_digits(one.low)} to {three_digits(one.high)})" if one.low is not None and one.high is not None else ""
    told = f", published {three_digits(one.published)}" if one.published is not None else ""
    unit = "" if one.unit == "ratio" else f" {one.unit}"
    return f"{one.fact}: {three_digits(one.predicted)}{unit}{band}{told}: {one.verdict}."


def _pair_sentences(table: pl.DataFrame, n_sets: int) -> list[str]:
    """The lowest pair of doses that are both given."""
    together = table.filter((pl.col("first_nM") > 0.0) & (pl.col("second_nM") > 0.0))
    if together.is_empty():
        return []
    row = together.row(0, named=True)

    def told(name: str) -> str:
        band = (
            f" ({three_digits(row[f'{name}_low'])} to {three_digits(row[f'{name}_high'])})"
            if n_sets and row[f"{name}_low"] is not None
            else ""
        )
        return f"{three_digits(row[name])} %{band}"

    said = [f"{row['first']} {three_digits(row['first_nM'])} nM with {row['second']} {three_digits(row['second_nM'])} nM: "
            f"{told('drive_additive_pct')} where drives add, {told('bliss_pct')} by Bliss, {told('sum_pct')} as the sum."]  # fmt: skip
    if n_sets:
        left_out = f" ({row['n_left_out']} more left out: no 100 % by the positive control)" if row["n_left_out"] else ""
        said.append(f"Bands: 5 to 95 % of {row['n_sets']} sets of rates{left_out}; doses stay as they are.")
    return said


def _at(result: SignallingResult, k: int, time_h: float) -> dict[str, object]:
    treatment, activity, fates = result.treatments[k], result.activities[k], result.fates[k]

    def level(values: np.ndarray) -> float | None:
        found = float(np.interp(time_h, result.time_h, values))
        return found if np.isfinite(found) else None

    return {
        "treatment": treatment.label, "agonist": " + ".join(treatment.agonists_nM), "concentration_nM": sum(treatment.agonists_nM.values()),
        "time_h": time_h, "response_pct": level(result.response_pct[k]), "cells": level(result.cells[k]),
        **{f"{id}_nM": level(activity[id]) for id in SHOWN}, "proliferation_per_d": level(fates.proliferation_per_d),
        "death_per_d": level(fates.death_per_d), "differentiation_per_d": level(fates.differentiation_per_d),
        "endomitosis_per_d": level(fates.endomitosis_per_d),
    }  # fmt: skip
