"""CD41 and ploidy of a culture as bands over sets of rates: assumed numbers, drawn wide and under both declared signs of ERK.

Sources disagree on what ERK does to endomitosis, so that every culture is followed twice: with the study's sign and with its opposite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array
from thrombokit.scale.engine import Engine, SerialEngine
from thrombokit.signalling.cell_systems import Sign
from thrombokit.signalling.cultures import culture_course
from thrombokit.signalling.ensembles import BAND, CHUNK, EnsemblePlan, bound_in_set
from thrombokit.signalling.experiments import simulate_treatments
from thrombokit.signalling.tpor_model import time_grid_h
from thrombokit.signalling.treatments import Treatment

MEK_nM, MTOR_nM = 100.0, 3.0
"""A low-dose MEK inhibitor as in the fit to Guerriero 2006, and rapamycin at three times its half-maximal dose; both scales are assumed."""
OPPOSITE = {Sign.LOWERS: Sign.SUPPORTS, Sign.SUPPORTS: Sign.LOWERS, Sign.NONE: Sign.LOWERS}
SCHEMA: dict[str, type[pl.DataType]] = {
    "cell_system": pl.String, "treatment": pl.String, "quantity": pl.String, "time_h": pl.Float64, "low": pl.Float64, "median": pl.Float64,
    "high": pl.Float64,
}  # fmt: skip
HOURS_PER_DAY, SHOWN_EVERY_h = 24.0, 12.0


def culture_treatments(control: str, control_nM: float, agonist_nM: dict[str, float]) -> tuple[Treatment, ...]:
    """The positive control, the agonist, and the positive control with a MEK and with an mTOR inhibitor."""
    given = {control: control_nM}
    return (
        Treatment(agonists_nM=given),
        *([Treatment(agonists_nM=agonist_nM)] if agonist_nM != given else []),
        Treatment(agonists_nM=given, inhibitors_nM={"MEK inhibitor": MEK_nM}),
        Treatment(agonists_nM=given, inhibitors_nM={"mTOR inhibitor": MTOR_nM}),
    )


def culture_bands(
    plan: EnsemblePlan, treatments: Sequence[Treatment], *, days: float, n_sets: int, engine: Engine | None = None
) -> tuple[pl.DataFrame, str]:
    """Shares of CD41+ cells and of 8N and above over time, 5 to 95 % of the sets of rates, under both signs of ERK.

    Parameters
    ----------
    plan : EnsemblePlan
        Its model is the culture's (CD34+ cells), with the declared sign of ERK; its treatments and hours are replaced.
    treatments : sequence of Treatment
    days : float
        Length of the culture.
    n_sets : int
    engine : Engine, optional

    Returns
    -------
    table, caption
        Columns of `SCHEMA`, shares in %, every 12 h; the caption belongs under every picture of it.

    Raises
    ------
    SimulationError
        If no set lets the anchoring assay work.
    """
    asked = replace(plan, treatments=tuple(treatments), hours=HOURS_PER_DAY * days, culture=True)
    parts = (engine or SerialEngine()).map_ranges(_simulate_sets, asked, n_sets, chunk=CHUNK)
    sets = [one for part in parts for one in part]
    if not sets:
        raise SimulationError(
            f"In none of {n_sets} sets of rates do cells of {plan.assay.name} answer {plan.control}; check the replaced rates."
        )
    sign = plan.model.erk_on_endomitosis
    ploidy = "8N and above (%), ERK {}"
    quantities = ("CD41+ cells (%)", ploidy.format(_words(sign)), ploidy.format(_words(OPPOSITE[sign])))
    bands = 100.0 * np.nanquantile(np.stack(sets), BAND, axis=0)  # (3, 3 quantities, n_treatments, n_times)
    grid = time_grid_h(asked.hours)
    kept = (grid > 0.0) & ((grid % SHOWN_EVERY_h == 0.0) | (grid == grid[-1]))
    time_h = grid[kept]
    table = pl.concat(
        pl.DataFrame({
            "cell_system": [plan.model.cell_system.name] * time_h.size, "treatment": [treatment.label] * time_h.size,
            "quantity": [quantity] * time_h.size, "time_h": time_h, "low": bands[0, q, k, kept], "median": bands[1, q, k, kept],
            "high": bands[2, q, k, kept],
        }, schema=SCHEMA)
        for q, quantity in enumerate(quantities) for k, treatment in enumerate(treatments)
    )  # fmt: skip
    left_out = f" ({n_sets - len(sets)} more left out, in which the assay would not work)" if len(sets) < n_sets else ""
    told = f"bands are 5 to 95 % of {len(sets)} sets of rates{left_out}, lines their median"
    cells = plan.model.cell_system.name
    what = f"{cells}, assumed, not predicted; 8N and above in % of megakaryocytes, ERK lowers or supports endomitosis"
    return table, f"{what}; {told}. {plan.model.rate_set.caption()}"


def _simulate_sets(plan: EnsemblePlan, start: int, stop: int) -> list[Array]:
    """Of each set that the assay works with: CD41 share, share of 8N and above, and that under the opposite sign, (3, n_treatments, n_times)."""
    found: list[Array] = []
    for number in range(start, stop):
        bound = bound_in_set(plan, number)
        if bound is None:
            continue
        model, _, bindings = bound
        control = Treatment(agonists_nM={plan.control: plan.control_nM})
        result = simulate_treatments(model, plan.treatments, bindings, positive_control=control, hours=plan.hours, culture=True)
        turned = replace(model, erk_on_endomitosis=OPPOSITE[model.erk_on_endomitosis])
        others = [culture_course(turned.fates(one, label=""), model.values()) for one in result.activities]
        found.append(
            np.stack([
                [course.cd41_share for course in result.cultures], [course.ge8N for course in result.cultures],
                [course.ge8N for course in others],
            ])
        )  # fmt: skip
    return found


def _words(sign: Sign) -> str:
    return "has no part" if sign is Sign.NONE else sign.value
