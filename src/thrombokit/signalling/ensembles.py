"""Many sets of rates in the place of one: what the model's assumptions leave open, as a band.

Every rate that may be off is drawn from its range, the same deviate for all cell systems unless a system has the rate for itself; agonists are
anchored anew in every set, so that each returns the measured EC50. Sets are numbered: set 7 is the same whoever draws it, on any number of processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import altair as alt
import numpy as np
import polars as pl

from thrombokit.drawing.time_courses import time_course_chart
from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.numerics.streams import stream
from thrombokit.scale.engine import Engine, SerialEngine
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import COARSE_DRIVES, Anchor, bind_at, drive_curve
from thrombokit.signalling.cell_systems import CellSystem
from thrombokit.signalling.experiments import simulate_treatments
from thrombokit.signalling.tpor_model import TporModel
from thrombokit.signalling.treatments import Treatment

BAND = (0.05, 0.5, 0.95)
"""Quantiles of a band."""
OUTPUT_TITLES = {
    "response_pct": "% of control", "cells": "cells a well", "STAT5_p": "STAT5-P (nM)", "ERK_p": "ERK-P (nM)", "AKT_p": "AKT-P (nM)",
    "cd41_share": "CD41+ share, assumed", "ge8N": "share 8N and above, assumed", "mean_ploidy": "mean ploidy, assumed",
}  # fmt: skip
"""What a picture calls each quantity."""
CHUNK = 5


@dataclass(frozen=True, kw_only=True)
class AnchoredOn:
    """An agonist's binding with the base rates, and the EC50 it must return in the anchoring assay (None: its KA was measured)."""

    binding: Binding
    ec50_nM: float | None = None


@dataclass(frozen=True, kw_only=True)
class EnsemblePlan:
    """What every set of rates is asked: treatments of one cell system, with agonists anchored in another.

    `assay` and `assay_hours` are those of the anchoring assay, `control` names the positive control among the agonists, at `control_nM`.
    """

    model: TporModel
    assay: CellSystem
    assay_hours: float
    agonists: tuple[AnchoredOn, ...]
    treatments: tuple[Treatment, ...]
    control: str
    control_nM: float
    hours: float
    seed: int
    culture: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class EnsembleResult(FrozenArrays):
    """Bands over sets of rates.

    `time_h` (n_times,); `outputs` maps a quantity ("response_pct", "STAT5_p", "ge8N", ...) to values of shape (n_sets, n_treatments, n_times).
    `n_refused` more sets were drawn and left out, because the anchoring assay would not work with them.
    """

    treatments: tuple[Treatment, ...]
    cell_system: str
    time_h: Array
    outputs: Mapping[str, Array]
    caption: str
    n_sets: int
    n_refused: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_h", frozen(self.time_h))
        object.__setattr__(self, "outputs", {name: frozen(values) for name, values in self.outputs.items()})

    def band(self, output: str) -> Array:
        """The 5, 50 and 95 % quantiles over the sets that have the quantity, shape (3, n_treatments, n_times); NaN where none has."""
        values = self.outputs[output]
        nowhere = np.isnan(values).all(axis=0)
        band = np.nanquantile(np.where(nowhere, 0.0, values), BAND, axis=0)
        return np.where(nowhere, np.nan, band)

    def table(self) -> pl.DataFrame:
        """One row a treatment, quantity and time: `treatment, output, time_h, low, median, high` (5, 50 and 95 % of the sets)."""
        frames: list[pl.DataFrame] = []
        for name in self.outputs:
            low, median, high = self.band(name)
            for k, treatment in enumerate(self.treatments):
                columns = {"treatment": [treatment.label] * self.time_h.size, "output": [name] * self.time_h.size, "time_h": self.time_h,
                           "low": low[k], "median": median[k], "high": high[k]}  # fmt: skip
                frames.append(pl.DataFrame(columns))
        return pl.concat(frames).with_columns(pl.col("low", "median", "high").fill_nan(None))

    def plot(self, outputs: Sequence[str] = ("response_pct",)) -> alt.FacetChart:
        """Medians as lines and 5 to 95 % of the sets as bands, over hours, a panel a quantity; the caption stands below.

        Raises
        ------
        InputError
            If no quantity is asked for.
        """
        titles = pl.col("output").replace(OUTPUT_TITLES)
        rows = self.table().filter(pl.col("output").is_in(list(outputs)) & pl.col("median").is_not_null())
        caption = f"Bands: 5 to 95 % of {self.n_sets} sets of rates. {self.caption}"
        return time_course_chart(
            rows.select("treatment", titles.alias("panel"), "time_h", "low", "high", value="median"), value_title="",
            series=[one.label for one in self.treatments], caption=caption, description=f"{self.cell_system} over time. {caption}",
        )  # fmt: skip

    def summary(self) -> str:
        """How wide the response is at the end, in plain words."""
        low, median, high = self.band("response_pct")[:, :, -1]
        ends = [
            f"{treatment.label} {m:.3g} % ({a:.3g} to {b:.3g})"
            for treatment, a, m, b in zip(self.treatments, low, median, high, strict=True)
        ]
        left_out = f" ({self.n_refused} more left out: cells of the assay silent)" if self.n_refused else ""
        return f"{self.n_sets} sets of rates{left_out}, 5 to 95 % of them: {'; '.join(ends)}. {self.caption}"


def drawn_rates(model: TporModel, *, seed: int, number: int) -> dict[str, float]:
    """One set of rates of a model, by id: every rate that varies, drawn from its range.

    Parameters
    ----------
    model : TporModel
    seed : int
    number : int
        Which set.
    """
    own = {rate.id for rate in model.cell_system.rates}
    drawn: dict[str, float] = {}
    for rate in model.rate_set:
        if rate.varies:
            owner = model.cell_system.name if rate.id in own else "all"
            drawn[rate.id] = rate.drawn(float(stream(seed, "signalling", "ensemble", number, owner, rate.id).standard_normal()))
    return drawn


def simulate_ensemble(plan: EnsemblePlan, n_sets: int, *, engine: Engine | None = None) -> EnsembleResult:
    """The plan's treatments under `n_sets` sets of rates.

    Parameters
    ----------
    plan : EnsemblePlan
    n_sets : int
    engine : Engine, optional
        Serial without it; any engine gives the same numbers.

    Returns
    -------
    EnsembleResult

    Raises
    ------
    SimulationError
        If no set lets the anchoring assay work.
    """
    parts = (engine or SerialEngine()).map_ranges(_simulate_sets, plan, n_sets, chunk=CHUNK)
    sets = [one for part in parts for one in part[1]]
    if not sets:
        raise SimulationError(
            f"In none of {n_sets} sets of rates do cells of {plan.assay.name} answer {plan.control}; check the replaced rates."
        )
    times = next(part[0] for part in parts if part[1])
    outputs = {name: np.stack([one[name] for one in sets]) for name in sets[0]}
    return EnsembleResult(treatments=plan.treatments, cell_system=plan.model.cell_system.name, time_h=times, outputs=outputs,
                          caption=plan.model.rate_set.caption(), n_sets=len(sets), n_refused=n_sets - len(sets))  # fmt: skip


def bound_in_set(plan: EnsemblePlan, number: int) -> tuple[TporModel, TporModel, tuple[Binding, ...]] | None:
    """The model and the anchoring assay with set `number` of rates, and the agonists anchored in it.

    An agonist's efficacy keeps its ratio to that of the positive control. None where, in this set, the assay's cells would not answer the positive
    control: the measured EC50 says that they do, so that the set is out of the question.
    """
    model = replace(plan.model, replaced={**plan.model.replaced, **drawn_rates(plan.model, seed=plan.seed, number=number)})
    base = replace(plan.model, cell_system=plan.assay)
    assay = replace(base, replaced={**plan.model.replaced, **drawn_rates(base, seed=plan.seed, number=number)})
    scale = assay.values()["TPO_efficacy"] / base.values()["TPO_efficacy"]
    affinity = assay.values()["TPO_affinity"] / base.values()["TPO_affinity"]
    control = next(one.binding for one in plan.agonists if one.binding.agonist == plan.control)
    reference = replace(control, efficacy=control.efficacy * scale, affinity_nM=control.affinity_nM * affinity)
    curve = drive_curve(
        assay, hours=plan.assay_hours, reference=reference, reference_nM=plan.control_nM, drives=COARSE_DRIVES, must_answer=False
    )
    if not curve.answers:
        return None
    bindings = [
        reference
        if one.ec50_nM is None
        else bind_at(curve, one.binding, ec50_nM=one.ec50_nM, efficacy=one.binding.efficacy * scale)
        for one in plan.agonists
    ]
    return model, assay, tuple(bindings)


def anchored_on(bindings: Sequence[Binding], anchors: Sequence[Anchor]) -> tuple[AnchoredOn, ...]:
    """Bindings with the EC50s of their anchors, for a plan."""
    ec50s = {anchor.binding.agonist: anchor.ec50_nM for anchor in anchors}
    return tuple(AnchoredOn(binding=binding, ec50_nM=ec50s.get(binding.agonist)) for binding in bindings)


def _simulate_sets(plan: EnsemblePlan, start: int, stop: int) -> tuple[Array, list[dict[str, Array]]]:
    sets: list[dict[str, Array]] = []
    times = np.empty(0)
    for number in range(start, stop):
        bound = bound_in_set(plan, number)
        if bound is None:
            continue
        model, _, bindings = bound
        result = simulate_treatments(
            model, plan.treatments, bindings, positive_control=Treatment(agonists_nM={plan.control: plan.control_nM}), hours=plan.hours,
            culture=plan.culture,
        )  # fmt: skip
        times = result.time_h
        outputs = {"response_pct": np.array(result.response_pct), "cells": np.array(result.cells)}
        for name in ("STAT5_p", "ERK_p", "AKT_p"):
            outputs[name] = np.array([activity[name] for activity in result.activities])
        for name in ("cd41_share", "ge8N", "mean_ploidy") if plan.culture else ():
            outputs[name] = np.array([getattr(course, name) for course in result.cultures])
        sets.append(outputs)
    return times, sets
