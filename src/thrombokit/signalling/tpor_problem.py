"""The built-in model as a calibration problem: what phosphorylation would be measured, with which noise, and which rates are unknown.

The measurements are SYNTHETIC: the model's own numbers at its nominal rates with seeded log-normal noise, to show the form of a problem and to
test tools on it. They hold no news about cells. Estimated is every rate that varies and that an observable depends on, within its declared range;
a range is a uniform prior on the logarithm, an interval of a measurement a log-normal one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.domain.agonist import BindingSite
from thrombokit.numerics.streams import stream
from thrombokit.signalling.agonist_drive import SITE_PARAMETERS, Binding, site_settings
from thrombokit.signalling.cell_systems import perturbations
from thrombokit.signalling.expression import names_in
from thrombokit.signalling.fates import Activity
from thrombokit.signalling.measured import OBSERVED
from thrombokit.signalling.network import Network
from thrombokit.signalling.rates import DRAWN_WITHIN_SD, RangeKind, Rate
from thrombokit.signalling.tpor_model import TporModel
from thrombokit.signalling.treatments import Treatment

ANALYTES = ("pSTAT5", "pERK", "pAKT", "pJAK2")
TIMES_min = (0.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0)
SCALE, BACKGROUND_nM, NOISE = 1.0, 0.1, 0.1
"""What an instrument reads a nM, what it reads of nothing, and the standard deviation of its natural logarithm."""
TPO_nM, SMALL_MOLECULE_nM = (0.05, 0.2, 1.43), (0.04, 0.4, 4.0)
INHIBITORS_nM = {"ruxolitinib": 30.0, "MEK inhibitor": 10.0, "PI3K inhibitor": 10.0}
DATASET = "synthetic"
"""Stands in every row of the measurements."""
WIDE = 4.0
"""Bounds of a rate with a measured interval, in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class TporProblem:
    """The four tables of a PEtab 1 problem, under its column names."""

    conditions: pl.DataFrame
    observables: pl.DataFrame
    measurements: pl.DataFrame
    parameters: pl.DataFrame


def tpor_problem(model: TporModel, bindings: Sequence[Binding], *, seed: int) -> TporProblem:
    """The problem, with measurements simulated at the nominal rates.

    Parameters
    ----------
    model : TporModel
    bindings : sequence of Binding
        Of one agonist at each site.
    seed : int
        Of the noise.
    """
    wells = _treatments(bindings)
    return TporProblem(
        conditions=_conditions(model, wells, bindings), observables=_observables(), measurements=_measurements(model, wells, bindings, seed),
        parameters=_parameters(model, bindings),
    )  # fmt: skip


def _treatments(bindings: Sequence[Binding]) -> dict[str, Treatment]:
    """Treatments by condition id: vehicle, doses of each agonist, and the highest dose of thrombopoietin with each inhibitor."""
    by_site = {binding.site: binding.agonist for binding in bindings}
    outside, inside = by_site[BindingSite.EXTRACELLULAR], by_site[BindingSite.TRANSMEMBRANE]
    wells = {"vehicle": Treatment()}
    for site, name, doses in (("extracellular", outside, TPO_nM), ("His499", inside, SMALL_MOLECULE_nM)):
        wells |= {f"{site}_{number}": Treatment(agonists_nM={name: dose}) for number, dose in enumerate(doses, 1)}
    for inhibitor, dose in INHIBITORS_nM.items():
        id = f"with_{inhibitor.replace(' ', '_')}"
        wells[id] = Treatment(agonists_nM={outside: TPO_nM[-1]}, inhibitors_nM={inhibitor: dose})
    return wells


def _conditions(model: TporModel, wells: Mapping[str, Treatment], bindings: Sequence[Binding]) -> pl.DataFrame:
    """What differs between conditions, and what the cell system has instead of the model's own values and no rate of the fit is."""
    inhibitors = perturbations().inhibitors
    estimated = {rate.id for rate in estimated_rates(model)}
    known = model.network.parameter_by_id
    own = {rate.id: rate.value for rate in model.cell_system.rates if rate.id in known and rate.id not in estimated}
    rows: list[dict[str, object]] = []
    for id, well in wells.items():
        doses = site_settings(bindings, well.agonists_nM)
        agonists = {name.strip("[]"): doses.get(name, 0.0) for name, _, _ in SITE_PARAMETERS.values()}
        inhibited = {inhibitors[name]: well.inhibitors_nM.get(name, 0.0) for name in INHIBITORS_nM}
        rows.append({"conditionId": id, "conditionName": well.label, **agonists, **inhibited, **own})
    return pl.DataFrame(rows)


def _observables() -> pl.DataFrame:
    rows = [
        {
            "observableId": analyte, "observableName": f"{analyte} ({DATASET})",
            "observableFormula": f"scale_{analyte} * ({_amount(analyte)}) / cytoplasm + background_{analyte}",
            "observableTransformation": "log10", "noiseFormula": f"noiseParameter1_{analyte}", "noiseDistribution": "normal",
        }
        for analyte in ANALYTES
    ]  # fmt: skip
    return pl.DataFrame(rows)


def _amount(analyte: str) -> str:
    """What an analyte adds up to, as amounts."""
    places = {"STAT5_nuclear": "nucleus"}
    return " + ".join(f"{places.get(species, 'cytoplasm')} * {species}" for species in OBSERVED[analyte])


def _measurements(model: TporModel, wells: Mapping[str, Treatment], bindings: Sequence[Binding], seed: int) -> pl.DataFrame:
    time_h = np.array(TIMES_min) / 60.0
    rows: list[dict[str, object]] = []
    for id, well in wells.items():
        activity = model.activity(well, bindings, time_h)
        for analyte in ANALYTES:
            normal = stream(seed, "signalling", "petab", id, analyte).standard_normal(len(TIMES_min))
            values = (SCALE * _level_nM(model, activity, analyte) + BACKGROUND_nM) * np.exp(NOISE * normal)
            rows.extend(
                {"observableId": analyte, "simulationConditionId": id, "measurement": float(f"{value:.4g}"), "time": time,
                 "noiseParameters": f"sd_{analyte}", "datasetId": DATASET}
                for time, value in zip(TIMES_min, values.tolist(), strict=True)
            )  # fmt: skip
    return pl.DataFrame(rows)


def _level_nM(model: TporModel, activity: Activity, analyte: str) -> np.ndarray:
    network = model.network
    sizes = {id: one.size or 1.0 for id, one in network.compartment_by_id.items()}
    total = sum(sizes[network.species_by_id[id].compartment] * np.maximum(activity[id], 0.0) for id in OBSERVED[analyte])
    return np.asarray(total) / sizes["cytoplasm"]


def estimated_rates(model: TporModel) -> tuple[Rate, ...]:
    """The rates that vary and that an observable of the problem depends on; binding at His499 is anchored on a potency and kept."""
    _, affinity, efficacy = SITE_PARAMETERS[BindingSite.TRANSMEMBRANE]
    unseen = {id for name, id in perturbations().inhibitors.items() if name not in INHIBITORS_nM}
    kept = {affinity, efficacy, *(f"{id}_half" for id in unseen)}
    reached = _behind(model.network, [species for analyte in ANALYTES for species in OBSERVED[analyte]])
    return tuple(rate for rate in model.rate_set if rate.varies and rate.id in reached and rate.id not in kept)


def _behind(network: Network, species: Iterable[str]) -> frozenset[str]:
    """Every id that some species' course depends on: through the rates of its reactions, and through its initial value."""
    found: set[str] = set()
    waiting = list(species)
    while waiting:
        id = waiting.pop()
        if id in found:
            continue
        found.add(id)
        if id in network.initial_assignments:
            waiting.extend(names_in(network.initial_assignments[id]))
        for reaction in network.reactions:
            if reaction.rate is not None and id in {one.species for one, _ in reaction.participants}:
                waiting.extend(names_in(reaction.rate))
    return frozenset(found)


def _parameters(model: TporModel, bindings: Sequence[Binding]) -> pl.DataFrame:
    values = model.values()
    for binding in bindings:
        _, affinity, efficacy = SITE_PARAMETERS[binding.site]
        values |= {affinity: binding.affinity_nM, efficacy: binding.efficacy}
    rows = [_rate_row(rate, values[rate.id]) for rate in estimated_rates(model)]
    small = next(binding for binding in bindings if binding.site is BindingSite.TRANSMEMBRANE)
    for id in SITE_PARAMETERS[small.site][1:]:
        rows.append(_row(id, f"{small.agonist}: {small.basis}", 0.1 * values[id], 10.0 * values[id], values[id], estimate=0))
    for analyte in ANALYTES:
        rows.append(_row(f"scale_{analyte}", f"reading a nM, {analyte}", 1e-2, 1e2, SCALE))
        rows.append(_row(f"background_{analyte}", f"reading of nothing, {analyte}", 1e-3, 1e1, BACKGROUND_nM))
        rows.append(_row(f"sd_{analyte}", f"standard deviation of log10, {analyte}", 1e-3, 1.0, NOISE / math.log(10.0)))
    return pl.DataFrame(rows, infer_schema_length=None)


def _rate_row(rate: Rate, value: float) -> dict[str, object]:
    name = f"{rate.tier.value}, {rate.range.value}; {rate.unit}"
    if rate.range is not RangeKind.INTERVAL:
        return _row(rate.id, name, min(rate.low, value), max(rate.high, value), value)
    low, high = math.log(rate.low), math.log(rate.high)
    mean, sd = 0.5 * (low + high), 0.5 * (high - low) / DRAWN_WITHIN_SD
    bounds = (min(math.exp(mean - WIDE * sd), value), max(math.exp(mean + WIDE * sd), value))
    return {
        **_row(rate.id, name, *bounds, value),
        "objectivePriorType": "logNormal",
        "objectivePriorParameters": f"{mean!r};{sd!r}",
    }


def _row(id: str, name: str, low: float, high: float, value: float, *, estimate: int = 1) -> dict[str, object]:
    ends = f"{math.log10(low)!r};{math.log10(high)!r}"
    return {
        "parameterId": id, "parameterName": name, "parameterScale": "log10", "lowerBound": low, "upperBound": high, "nominalValue": value,
        "estimate": estimate, "objectivePriorType": "parameterScaleUniform" if estimate else "", "objectivePriorParameters": ends if estimate else "",
    }  # fmt: skip
