"""Two agonists together with bands: how far assumed rates move what the model, Bliss and the sum say of a pair of doses.

Doses stay as they are; every set of rates anchors the agonists anew on their measured EC50s. What is asked besides is by how much the model
exceeds Bliss: where the band of that difference holds 0, the assumptions leave open which of the two is more.

Left out, and counted, are sets in which the assay would have no 100 %: its cells do not answer the positive control, or the positive control
arrests their growth, so that lower doses give far more than 100 % and shares of the window mean nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.numerics.arrays import Array
from thrombokit.scale.engine import Engine, SerialEngine
from thrombokit.signalling.anchor import COARSE_DRIVES, drive_curve
from thrombokit.signalling.combinations import combination_table
from thrombokit.signalling.ensembles import BAND, CHUNK, EnsemblePlan, bound_in_set

BANDED = ("drive_additive_pct", "bliss_pct", "sum_pct", "above_bliss_pct")
"""Quantities with a band; the last is the model minus Bliss."""
ON_TOP = 0.95
"""Cells with the positive control over the most cells any drive gives, from which on it is 100 % of something."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two agonists of a plan, and the doses (nM) to combine."""

    first: str
    second: str
    first_nM: tuple[float, ...]
    second_nM: tuple[float, ...]


def combination_bands(plan: EnsemblePlan, pair: Pair, n_sets: int, *, engine: Engine | None = None) -> pl.DataFrame:
    """The combination table with the 5 and 95 % quantiles over sets of rates.

    Parameters
    ----------
    plan : EnsemblePlan
        Its model, assay, agonists, control and hours; treatments are not used.
    pair : Pair
    n_sets : int
        Sets of rates; with 0 there are no bands.
    engine : Engine, optional

    Returns
    -------
    DataFrame
        As `combination_table`, with `above_bliss_pct`, for each of `BANDED` `_low` and `_high` (null where no set answers), `n_sets`
        counted and `n_left_out`.
    """
    base = _table(plan, pair, None)
    if n_sets == 0:
        return base
    parts = (engine or SerialEngine()).map_ranges(_values_of_sets, (plan, pair), n_sets, chunk=CHUNK)
    drawn = np.concatenate(parts)
    known = drawn[np.isfinite(drawn[:, 0]).all(axis=1)]
    columns: list[pl.Series] = []
    for at, name in enumerate(BANDED):
        ends = np.quantile(known[:, at], [BAND[0], BAND[2]], axis=0) if len(known) else np.full((2, base.height), np.nan)
        columns += [pl.Series(f"{name}_{end}", values).fill_nan(None) for end, values in zip(("low", "high"), ends, strict=True)]
    return base.with_columns(*columns, pl.lit(len(known)).alias("n_sets"), pl.lit(n_sets - len(known)).alias("n_left_out"))


def _values_of_sets(shared: tuple[EnsemblePlan, Pair], start: int, stop: int) -> Array:
    """Values of `BANDED` in some sets, shape (n, 4, n_pairs); NaN for sets that are left out."""
    plan, pair = shared
    tables = [_table(plan, pair, number) for number in range(start, stop)]
    n_pairs = len(pair.first_nM) * len(pair.second_nM)
    return np.stack([
        np.full((len(BANDED), n_pairs), np.nan) if table.is_empty() else table.select(BANDED).to_numpy().T for table in tables
    ])  # fmt: skip


def _table(plan: EnsemblePlan, pair: Pair, number: int | None) -> pl.DataFrame:
    """The table in one set of rates (None: as they stand); empty where the set is left out."""
    if number is None:
        model, bindings = plan.model, tuple(one.binding for one in plan.agonists)
    else:
        bound = bound_in_set(plan, number)
        if bound is None:
            return pl.DataFrame()
        model, _, bindings = bound
    by_name = {binding.agonist: binding for binding in bindings}
    curve = drive_curve(model, hours=plan.hours, reference=by_name[plan.control], reference_nM=plan.control_nM, drives=COARSE_DRIVES,
                        must_answer=number is None)  # fmt: skip
    if number is not None and not (curve.answers and curve.reference_cells >= ON_TOP * curve.cells.max()):
        return pl.DataFrame()
    table = combination_table(curve, by_name[pair.first], by_name[pair.second], pair.first_nM, pair.second_nM)
    return table.with_columns((pl.col("drive_additive_pct") - pl.col("bliss_pct")).alias("above_bliss_pct"))


def doses_for(plan: EnsemblePlan, agonist: str, shares_pct: Sequence[float]) -> tuple[float, ...]:
    """Doses (nM, three figures) of an agonist that give shares of the window, with the rates as they stand; the nearest on a fine grid."""
    by_name = {one.binding.agonist: one.binding for one in plan.agonists}
    binding = by_name[agonist]
    curve = drive_curve(
        plan.model, hours=plan.hours, reference=by_name[plan.control], reference_nM=plan.control_nM, drives=COARSE_DRIVES
    )
    doses = binding.affinity_nM * np.logspace(-6.0, 3.0, 2001)
    response = curve.response_pct(binding.efficacy * doses / (binding.affinity_nM + doses))
    return tuple(float(f"{doses[int(np.argmin(np.abs(response - share)))]:.3g}") for share in shares_pct)
