"""Facts the model was not fitted to, predicted from the plate, and set beside what was published: hits and misses alike.

Anchored on EC50s in 32D-MPL the model says what the EC50s in cord-blood CD34+ cells should be, and how EC50s move with the hours of the
read-out. Ratios of two full agonists cannot change from cell to cell in this model; absolute EC50s hang on receptor numbers (measured), on the
hours (assumed: not stated in the source) and on assumed rates, which the band shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from thrombokit.scale.engine import Engine, SerialEngine
from thrombokit.signalling.anchor import COARSE_DRIVES, curve_of_dose, drive_curve
from thrombokit.signalling.ensembles import CHUNK, EnsemblePlan, bound_in_set

NO_VALUE = "no published value found"
TOO_WIDE = "inside a band too wide to tell"
TELLING = 10.0
"""A band of more than this ratio of its ends holds nearly any number: being inside is no hit."""
NO_BAND = "no band, as the model cannot change it"
OTHER_HOURS = (72.0, 168.0, 240.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """One predicted number with its 5 to 95 % band over sets of rates, and the published one (None where none was found).

    `verdict`: "inside the band", "outside the band", `TOO_WIDE`, `NO_BAND` or `NO_VALUE`; `fold` is predicted / published.
    """

    fact: str
    unit: str
    predicted: float
    low: float | None
    high: float | None
    published: float | None
    source: str
    note: str

    @property
    def fold(self) -> float | None:
        """Predicted over published."""
        return None if self.published is None else self.predicted / self.published

    @property
    def verdict(self) -> str:
        """Where the published number lies."""
        if self.published is None:
            return NO_VALUE
        if self.low is None or self.high is None:
            return NO_BAND
        if not self.low <= self.published <= self.high:
            return "outside the band"
        return "inside the band" if self.high <= TELLING * self.low else TOO_WIDE


def predict_other_cells(
    plan: EnsemblePlan, published_nM: dict[str, float], *, source: str, n_sets: int, engine: Engine | None = None
) -> tuple[Prediction, ...]:
    """EC50s in the plan's cell system, and their ratio, from agonists anchored in another.

    Parameters
    ----------
    plan : EnsemblePlan
        Its model has the cell system to predict, its agonists are anchored in the assay; treatments are not used.
    published_nM : dict of str to float
        EC50s published for those cells, by agonist: two agonists, the comparator last, give the ratio too.
    source : str
        Of the published numbers.
    n_sets : int
        Sets of rates for the bands.
    engine : Engine, optional

    Returns
    -------
    tuple of Prediction
        EC50s at the plan's hours, then EC50s at `OTHER_HOURS` (how much hangs on hours that are not known), then the ratio.
    """
    hours = (plan.hours, *(one for one in OTHER_HOURS if one != plan.hours))
    names = list(published_nM)
    found = _bands(_Asked(plan=plan, hours=hours, same_cells=False, names=tuple(names)), n_sets, engine)
    cells = plan.model.cell_system.name
    predictions = [
        Prediction(fact=f"EC50 of {name} in {cells}, {hours[0]:g} h", unit="nM", predicted=found[0, 0, k], low=found[1, 0, k],
                   high=found[2, 0, k], published=published_nM[name], source=source,
                   note=f"anchored in {plan.assay.name}; the hours of the published assay are not known")
        for k, name in enumerate(names)
    ]  # fmt: skip
    predictions += [
        Prediction(fact=f"EC50 of {name} in {cells}, {one:g} h", unit="nM", predicted=found[0, at, k], low=found[1, at, k],
                   high=found[2, at, k], published=None, source="", note="the same at other hours")
        for at, one in enumerate(hours) if at > 0 for k, name in enumerate(names)
    ]  # fmt: skip
    if len(names) == 2:
        predictions.append(_ratio(plan, names, published_nM, source))
    return tuple(predictions)


def predict_time_shift(
    plan: EnsemblePlan, hours: Sequence[float], *, n_sets: int, engine: Engine | None = None
) -> tuple[Prediction, ...]:
    """EC50 at earlier read-outs over the EC50 of the anchoring assay, for the agonists anchored in it."""
    names = tuple(one.binding.agonist for one in plan.agonists if one.ec50_nM is not None)[:1]
    found = _bands(_Asked(plan=plan, hours=(*hours, plan.assay_hours), same_cells=True, names=names), n_sets, engine, relative=True)
    return tuple(
        Prediction(fact=f"EC50 at {one:g} h / EC50 at {plan.assay_hours:g} h in {plan.assay.name}", unit="ratio", predicted=found[0, at, 0],
                   low=found[1, at, 0], high=found[2, at, 0], published=None, source="", note="the same for every agonist of equal efficacy")
        for at, one in enumerate(hours)
    )  # fmt: skip


def predictions_table(predictions: Sequence[Prediction]) -> pl.DataFrame:
    """One row a prediction; misses stand among the hits."""
    rows = [
        {"fact": one.fact, "predicted": one.predicted, "low": one.low, "high": one.high, "unit": one.unit, "published": one.published,
         "fold": one.fold, "verdict": one.verdict, "source": one.source, "note": one.note}
        for one in predictions
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    plan: EnsemblePlan
    hours: tuple[float, ...]
    same_cells: bool
    names: tuple[str, ...]


def _ratio(plan: EnsemblePlan, names: Sequence[str], published_nM: dict[str, float], source: str) -> Prediction:
    """EC50 of the comparator (last) over that of the first, as anchored: a ratio that the model carries over unchanged for equal efficacies."""
    measured = {one.binding.agonist: one.ec50_nM for one in plan.agonists}
    first, last = measured[names[0]], measured[names[1]]
    if first is None or last is None:
        raise ValueError("agonists without an EC50 have no ratio")
    ratio = last / first
    expected = published_nM[names[1]] / ratio
    return Prediction(
        fact=f"EC50 of {names[1]} / {names[0]} in {plan.model.cell_system.name}", unit="ratio", predicted=ratio, low=None, high=None,
        published=published_nM[names[1]] / published_nM[names[0]], source=source,
        note=f"carried over from {plan.assay.name}; by it {names[0]} is expected at {expected:.2g} nM against {published_nM[names[0]]:.2g} given",
    )  # fmt: skip


def _bands(asked: _Asked, n_sets: int, engine: Engine | None, *, relative: bool = False) -> np.ndarray:
    """Base value and 5 and 95 % over the sets, shape (3, n_hours, n_agonists); `relative`: over that at the last of the hours."""
    drawn = np.concatenate((engine or SerialEngine()).map_ranges(_ec50s_of_sets, asked, n_sets, chunk=CHUNK))
    base = _ec50s(asked, None)
    if relative:
        drawn, base = drawn / drawn[:, -1:], base / base[-1:]
    low, high = np.nanquantile(drawn, [0.05, 0.95], axis=0)
    return np.stack([base, low, high])


def _ec50s_of_sets(asked: _Asked, start: int, stop: int) -> np.ndarray:
    return np.stack([_ec50s(asked, number) for number in range(start, stop)])


def _ec50s(asked: _Asked, number: int | None) -> np.ndarray:
    """EC50s (nM) of the agonists at the hours, shape (n_hours, n_agonists), in one set of rates; None: the rates as they stand.

    NaN where the cells do not answer the positive control with these rates; bands are over the sets in which they do.
    """
    plan = asked.plan
    if number is None:
        model, assay = plan.model, replace(plan.model, cell_system=plan.assay)
        bindings = tuple(one.binding for one in plan.agonists)
    else:
        bound = bound_in_set(plan, number)
        if bound is None:
            return np.full((len(asked.hours), len(asked.names)), np.nan)
        model, assay, bindings = bound
    by_name = {binding.agonist: binding for binding in bindings}
    cells = assay if asked.same_cells else model
    found = np.empty((len(asked.hours), len(asked.names)))
    for at, hours in enumerate(asked.hours):
        curve = drive_curve(cells, hours=hours, reference=by_name[plan.control], reference_nM=plan.control_nM, drives=COARSE_DRIVES,
                            must_answer=number is None)  # fmt: skip
        found[at] = [curve_of_dose(curve, by_name[name])[0] if curve.answers else np.nan for name in asked.names]
    return found
