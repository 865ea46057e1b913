"""2,000 titrated patients beside a reference at 1e-11: no changed decision; the same bytes for any workers, order and output grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from thrombokit.io.patient_models import load_model
from thrombokit.io.titrations import load_titration
from thrombokit.patients.cohort import Adherence, Cohort, DropOut
from thrombokit.patients.cohort_setup import CohortJob, cohort_job
from thrombokit.patients.cohort_task import CohortPart, simulate_range
from thrombokit.patients.exact_pk_engine import exact_pk_tolerances
from thrombokit.patients.fluctuation import Fluctuation
from thrombokit.patients.ledger import ledger_from_rows
from thrombokit.patients.ode_engine import tolerances
from thrombokit.patients.pilot import piloted_job
from thrombokit.patients.rescue import Rescue
from thrombokit.patients.simulate_cohort import simulate_cohort

N, AT_A_TIME = 2000, 100
REFERENCE = 1e-11
CASES = [
    ("hetrombopag-itp", "hetrombopag-150-250", None, N, 52),
    ("eltrombopag-itp", "eltrombopag-us", None, N, 26),
    ("romiplostim-itp", "romiplostim-label", None, N, 52),
    ("eltrombopag-itp-saturable", "eltrombopag-us", "exact-pk", 400, 26),
    ("hetrombopag-itp-tmdd", "hetrombopag-150-250", "ode", 100, 26),
]
"""Model, rule, engine (None: the fastest), patients, weeks. The reference is exact-pk at 1e-11, for the last the whole ODE at 1e-11."""


def decided(job: CohortJob, part: CohortPart) -> tuple[np.ndarray, np.ndarray]:
    """Patient, time, doses, rule and reason of each decision; and the distance of its count from the threshold, relative to the larger of them."""
    ledger = ledger_from_rows(part.ledger_rows, job.rule)
    rows = np.stack([ledger.patient, ledger.time_h, ledger.dose_before, ledger.dose_after, ledger.rule, ledger.reason], axis=1)
    return rows, ledger.distance / np.maximum(np.abs(ledger.count), np.abs(ledger.threshold))


@pytest.mark.long
@pytest.mark.parametrize(("name", "rule", "prefer", "n", "weeks"), CASES)
def test_no_decision_changes(
    name: str, rule: str, prefer: str | None, n: int, weeks: int, print_figure: Callable[[str], None]
) -> None:
    """Every decision is that of the reference, except where its count is within the stated error of a threshold; those are counted."""
    model, titration = load_model(name), load_titration(rule)
    job = piloted_job(model, titration, Cohort(n=n), seed=2026, weeks=weeks, prefer=prefer)
    exact = cohort_job(model, titration, Cohort(n=n), seed=2026, weeks=weeks, prefer="ode" if prefer == "ode" else "exact-pk")
    tight = tolerances(REFERENCE) if prefer == "ode" else exact_pk_tolerances(REFERENCE)
    exact = replace(exact, plan=exact.plan._replace(tolerances=tight))
    stated = simulate_cohort(model, titration, Cohort(n=1), seed=1, weeks=1, prefer=prefer).stated_error
    worst, ties, changed, decisions = 0.0, 0, 0, 0
    for start in range(0, n, AT_A_TIME):
        stop = min(start + AT_A_TIME, n)
        ours, truth = simulate_range(job, start, stop), simulate_range(exact, start, stop)
        (rows, distance), (true_rows, _) = decided(job, ours), decided(exact, truth)
        near = distance <= stated
        ties, decisions = ties + int(near.sum()), decisions + len(rows)
        for patient in range(start + 1, stop + 1):
            mine, theirs = rows[rows[:, 0] == patient], true_rows[true_rows[:, 0] == patient]
            if mine.shape == theirs.shape and (mine == theirs).all():
                worst = max(worst, float(np.abs(ours.counts / truth.counts - 1.0)[patient - start - 1].max()))
            else:
                changed += not near[rows[:, 0] == patient].any()
    print_figure(
        f"{name}, {job.engine}: {n} patients, {decisions} decisions, {changed} changed, {ties} within {stated:.0e} of a threshold, "
        f"largest error of a count {worst:.1e}"
    )
    assert changed == 0
    assert worst <= stated


@pytest.mark.long
def test_workers_and_output_grids_change_no_byte(print_figure: Callable[[str], None]) -> None:
    """1, 2 and 3 processes; no, weekly, daily and hourly output; fluctuation, rescue, drop-out and missed doses all at work."""
    model, rule = load_model("eltrombopag-itp"), load_titration("eltrombopag-us")
    cohort = Cohort(
        n=160, fluctuation=Fluctuation(log_sd=0.3, correlation_time_d=6.0), drop_out=DropOut(hazard_per_d=0.002),
        adherence=Adherence(missed_share=0.1), rescue=Rescue(threshold_1e9_per_L=15.0, hazard_per_d=0.03, factor=5.0, duration_d=21.0),
    )  # fmt: skip
    alone = simulate_cohort(model, rule, cohort, seed=9, weeks=26)
    for workers in (2, 3):
        shared = simulate_cohort(model, rule, cohort, seed=9, weeks=26, workers=workers)
        assert shared.counts.tobytes() == alone.counts.tobytes()
        assert shared.measured.tobytes() == alone.measured.tobytes()
        assert shared.ledger.table().equals(alone.ledger.table())
    for step in (168.0, 24.0, 1.0):
        few = replace(cohort, n=20)
        read = simulate_cohort(model, rule, few, seed=9, weeks=26, outputs_h=tuple(np.arange(0.0, 26 * 168.0 + 0.5, step)))
        kept = alone.ledger.patient <= 20
        assert read.ledger.count.tobytes() == alone.ledger.count[kept].tobytes()
        assert read.ledger.dose_after.tobytes() == alone.ledger.dose_after[kept].tobytes()
    print_figure(f"160 patients, {len(alone.ledger)} decisions: the same bytes for 1, 2, 3 processes and four output grids")
