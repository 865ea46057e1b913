"""Are an agonist and the comparator parallel, run by run? Only then is a ratio of EC50s a relative potency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.domain.estimate import Estimate
from thrombokit.dose_response.combine import RunEstimate, combine_runs
from thrombokit.dose_response.compare import Comparison, Margins, compare_pair
from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints
from thrombokit.plate.curves import CurveKey


@dataclass(frozen=True, kw_only=True, slots=True)
class ParallelRuns:
    """Pairs of curves on one plate, over runs.

    parallel, not_parallel, undecided : how many plates got which verdict. relative_potency : over the runs whose curves are parallel, None
    where any is not. emax_ratio : Emax of the agonist / Emax of the comparator, over runs.
    """

    parallel: int
    not_parallel: int
    undecided: int
    relative_potency: Estimate | None
    emax_ratio: Estimate

    @property
    def verdict(self) -> str:
        """ "parallel", "not_parallel", "design_cannot_decide" or "not_compared"."""
        compared = self.parallel + self.not_parallel + self.undecided
        if self.not_parallel and 2 * self.not_parallel >= compared:
            return "not_parallel"
        if self.parallel and not self.not_parallel:
            return "parallel"
        return "design_cannot_decide" if compared else "not_compared"


def parallel_in_runs(
    keys: Sequence[CurveKey],
    points: CurvePoints,
    fits: CurveFits,
    rows: Sequence[int],
    reference_rows: Sequence[int],
    failed: set[str],
    margins: Margins,
) -> ParallelRuns:
    """Compare curves `rows` with curves `reference_rows` of the same plate, plates that failed left out."""
    reference_on = {keys[row].plate: row for row in reference_rows if keys[row].plate not in failed}
    compared = [
        compare_pair(points, fits, reference_on[keys[row].plate], row, margins, run=keys[row].run)
        for row in rows
        if keys[row].plate in reference_on
    ]
    counts = {
        name: sum(c.parallel.verdict == name for c in compared) for name in ("parallel", "not_parallel", "design_cannot_decide")
    }
    confidence = fits.settings.confidence
    potency = [_run_estimate(c, c.relative_potency, c.se_ln_ratio) for c in compared if c.relative_potency is not None]
    emax = [_run_estimate(c, c.efficacy.emax_ratio, c.efficacy.se_ln_emax_ratio) for c in compared]
    return ParallelRuns(
        parallel=counts["parallel"],
        not_parallel=counts["not_parallel"],
        undecided=counts["design_cannot_decide"],
        relative_potency=combine_runs(potency, confidence=confidence).value if potency and not counts["not_parallel"] else None,
        emax_ratio=combine_runs([e for e in emax if np.isfinite(e.ln_value)], confidence=confidence).value,
    )


def _run_estimate(comparison: Comparison, value: Estimate | None, se: float) -> RunEstimate:
    natural = value.estimate if value is not None else None
    return RunEstimate(run=comparison.run or "", ln_value=float(np.log(natural)) if natural else float("nan"), se=se)
