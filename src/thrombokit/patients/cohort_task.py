"""A range of virtual patients: drawn, checked, run; the task that a process is given.

A patient's answer depends on the job and on its own number, on nothing else: not on the range it stands in, nor on who ran before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray
from thrombokit.numerics.driven_derivative import no_trial
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.outcome import OUTCOME_BY_CODE
from thrombokit.numerics.streams import StreamReel
from thrombokit.patients import cohort_arrays as at
from thrombokit.patients.cohort import Counted
from thrombokit.patients.cohort_arrays import CohortAnswers, CohortDraws, CohortPlan, CohortScratch
from thrombokit.patients.cohort_draws import DrawnPatients, draw_patients
from thrombokit.patients.cohort_kernel import run_patients
from thrombokit.patients.cohort_setup import EXACT_PK_RELATIVE, CohortJob, dose_value
from thrombokit.patients.compiled_model import Kind
from thrombokit.patients.exact_pk_engine import block_modes_size, exact_pk_memory_size, exact_pk_tolerances
from thrombokit.patients.fluctuation import fluctuate
from thrombokit.patients.ledger import ROW_WIDTH
from thrombokit.patients.ode_engine import ode_memory_size
from thrombokit.patients.quadrature_memory import QuadratureMemory, quadrature_memory, quadrature_memory_of
from thrombokit.patients.random_effects import STAGE
from thrombokit.patients.titration_state import DECISION_SIZE, state_size


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortPart(FrozenArrays):
    """The answer for a range of patients; see `CohortResult` for the arrays. `error` (n,) is the quadrature's own estimate; `slower` (n,) marks
    those that the exact-pk engine had to run instead.
    """

    drawn: DrawnPatients
    counts: Array
    measured: Array
    doses: Array
    taken: Array
    since_rescue_d: Array
    outputs: Array
    ledger_rows: Array
    leaves_h: Array
    remits_h: Array
    error: Array
    slower: IntArray


def simulate_range(job: CohortJob, start: int, stop: int) -> CohortPart:
    """Patients number start + 1 to stop.

    Raises
    ------
    SimulationError
        If a patient could not be drawn, has a value that cannot be, or could not be run to the end; the message names the patient.
    """
    drawn = draw_patients(job.population, seed=job.seed, start=start, stop=stop)
    _check_patients(job, drawn, start)
    draws = _cohort_draws(job, drawn, start)
    n, answers = stop - start, _answers(job, stop - start)
    scratch, memory = _scratch(job), _quadrature_memory(job)
    _run(job, job.plan, draws, answers, scratch, memory, np.arange(n))
    missed = np.flatnonzero(answers.ends[:, 0] == at.MISSED_TOLERANCE)
    if missed.size:
        places = job.plan.places.copy()
        places[at.ENGINE], places[at.HAS_TRIAL] = at.EXACT_PK, 0
        _run(
            job,
            job.plan._replace(places=places, tolerances=exact_pk_tolerances(EXACT_PK_RELATIVE)),
            draws,
            answers,
            scratch,
            memory,
            missed,
        )
    _refuse_unfinished(job, answers, start)
    rows = [answers.ledger[i, : int(answers.ends[i, 1])] for i in range(n)]
    ledger_rows = np.concatenate(rows) if rows else np.empty((0, ROW_WIDTH))
    ledger_rows[:, 0] += start + 1
    return CohortPart(
        drawn=drawn, counts=answers.counts, measured=answers.measured, doses=answers.doses, taken=answers.taken,
        since_rescue_d=answers.since_rescue_d, outputs=answers.outputs, ledger_rows=ledger_rows, leaves_h=draws.leaves_h,
        remits_h=draws.remits_h,
        error=np.where(np.isin(np.arange(n), missed), 0.0, answers.ends[:, 3]), slower=missed,
    )  # fmt: skip


def _run(
    job: CohortJob, plan: CohortPlan, draws: CohortDraws, answers: CohortAnswers, scratch: CohortScratch, memory: QuadratureMemory,
    who: IntArray,
) -> None:  # fmt: skip
    compiled = job.compiled
    derivative = compiled.derivative if plan.places[at.ENGINE] == at.ODE else compiled.rest_derivative
    trial = compiled.trial(job.engine) if plan.places[at.HAS_TRIAL] else no_trial
    run_patients(
        compiled.driven_panels, derivative, trial, compiled.flow_matrix, compiled.output, plan, draws, answers, scratch, memory, who
    )


def _cohort_draws(job: CohortJob, drawn: DrawnPatients, start: int) -> CohortDraws:
    """What chance gives these patients on their way, each purpose from a stream of its own; only what is needed is drawn."""
    n, weeks, numbers, observation = drawn.draws.size, job.weeks, job.plan.numbers, job.plan.observation
    assay, fluctuates, misses = bool(observation[2:].any()), numbers[at.FLUCTUATES] != 0.0, numbers[at.MISSES] != 0.0
    reads = assay and numbers[at.READS_RESIDUAL] != 0.0
    days = 7 * weeks + 2
    draws = CohortDraws(
        record=np.array(drawn.record), initial=np.array(drawn.initial), visits=np.zeros((n, job.most_visits, 2)),
        weeks=np.zeros((n, weeks + 1, 2)), days=np.zeros((n, days if fluctuates else 0)),
        between=np.zeros((n, job.most_visits if fluctuates else 0)), rescue=np.zeros((n, weeks + 1 if job.cohort.rescue else 0)),
        leaves_h=np.full(n, np.inf), missed=np.zeros((n, job.most_doses if misses else 0)), remits_h=np.full(n, np.inf),
    )  # fmt: skip
    reel, adherence, drop_out, remission = StreamReel(), job.cohort.adherence, job.cohort.drop_out, job.cohort.remission
    for i in range(n):
        key = str(start + i + 1)
        if reads and job.most_visits:
            reel.stream(job.seed, STAGE, key, "visits").standard_normal(out=draws.visits[i])
        if assay:
            reel.stream(job.seed, STAGE, key, "weeks").standard_normal(out=draws.weeks[i])
        if fluctuates:
            reel.stream(job.seed, STAGE, key, "fluctuation").standard_normal(out=draws.days[i])
            reel.stream(job.seed, STAGE, key, "between").standard_normal(out=draws.between[i])
        if job.cohort.rescue is not None:
            reel.stream(job.seed, STAGE, key, "rescue").random(out=draws.rescue[i])
        if drop_out is not None and drop_out.hazard_per_d > 0.0:
            uniform = reel.stream(job.seed, STAGE, key, "drop-out").random()
            draws.leaves_h[i] = -np.log1p(-uniform) / drop_out.hazard_per_d * at.DAY_H
        if adherence is not None:
            reel.stream(job.seed, STAGE, key, "doses").random(out=draws.missed[i])
        if remission is not None:
            draws.remits_h[i] = remission.day_of(reel.stream(job.seed, STAGE, key, "remission").random(2)) * at.DAY_H
    _finish_draws(job, drawn, draws)
    return draws


def _finish_draws(job: CohortJob, drawn: DrawnPatients, draws: CohortDraws) -> None:
    """Screening is day 0; normals become log factors, uniforms missed doses."""
    criterion, observation, adherence = job.cohort.criterion, job.plan.observation, job.cohort.adherence
    if criterion is not None and criterion.counted is Counted.MEASURED:
        draws.weeks[:, 0] = drawn.screening[:, 1:]
        draws.days[:, :1] = drawn.screening[:, :1]
    if draws.days.shape[1]:
        _walk(draws.days, float(observation[0]), float(observation[1]))
    if adherence is not None:
        _miss(draws.missed, adherence.missed_share, adherence.begins, adherence.goes_on)


@kernel
def _walk(days: Array, log_sd: float, correlation_time_d: float) -> None:
    """Standard normals of each day (n, n_days) become the log factors of the fluctuation, in place."""
    times_d = np.arange(days.shape[1]) * 1.0
    phi = np.empty(days.shape[1])
    for i in range(days.shape[0]):
        fluctuate(times_d, days[i], log_sd, correlation_time_d, phi)
        days[i, :] = phi


@kernel
def _miss(missed: Array, share: float, begins: float, goes_on: float) -> None:
    """Uniforms of each dose (n, n_doses) become 1 where it is missed, in place."""
    for i in range(missed.shape[0]):
        chance = share
        for k in range(missed.shape[1]):
            missed[i, k] = 1.0 if missed[i, k] < chance else 0.0
            chance = goes_on if missed[i, k] == 1.0 else begins


def _answers(job: CohortJob, n: int) -> CohortAnswers:
    weeks, outputs = job.weeks, (n, job.plan.outputs_h.size, len(job.compiled.outputs))
    a_week = [np.full((n, weeks + 1), np.nan) for _ in range(3)]
    return CohortAnswers(
        counts=a_week[0], measured=a_week[1], doses=a_week[2], taken=np.zeros((n, weeks)), since_rescue_d=np.full((n, weeks + 1), np.inf),
        outputs=np.full(outputs, np.nan), ledger=np.zeros((n, job.most_visits, ROW_WIDTH)), ends=np.zeros((n, 4)),
    )  # fmt: skip


def _scratch(job: CohortJob) -> CohortScratch:
    compiled = job.compiled
    n, block = len(compiled.compartments), compiled.linear_block.size
    solver = max(int(exact_pk_memory_size(n)), int(ode_memory_size(n)))
    return CohortScratch(
        clock=np.zeros(at.CLOCK_SIZE), x=np.zeros(n), r=np.zeros(compiled.n_record), u=np.zeros(n),
        modes=np.zeros((2, int(block_modes_size(block)))), rates=np.zeros((n, n)), memory=np.zeros(solver),
        state=np.zeros(int(state_size(job.plan.program))), decision=np.zeros(DECISION_SIZE), out=np.zeros(len(compiled.outputs)),
        states=np.zeros((job.plan.outputs_h.size, n)),
    )  # fmt: skip


def _quadrature_memory(job: CohortJob) -> QuadratureMemory:
    if job.plan.places[at.ENGINE] == at.QUADRATURE:
        return quadrature_memory_of(job.compiled)
    one = np.zeros(1, dtype=np.int64)
    return quadrature_memory(one, one, one, one)  # not used by the other engines


def _check_patients(job: CohortJob, drawn: DrawnPatients, start: int) -> None:
    """Refuse values that cannot be, of the first patient who has one."""
    compiled, places = job.compiled, job.plan.places
    checked: tuple[tuple[Kind, Array], ...] = (("input", drawn.inputs), ("record", drawn.record), ("initial", drawn.initial))
    for kind, values in checked:
        for i in np.flatnonzero(~np.isfinite(values).all(axis=1)):
            names = compiled.non_finite(kind, values[i])
            if names:
                raise _refusal(job, start + int(i), f"{', '.join(names)} is no finite number before treatment")
    wrong = ~np.isfinite(drawn.baseline)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise _refusal(job, start + i, f"{job.rule.signal} is no finite number before treatment")
    limits = [("lag", at.LAG, 0.0, False), ("F", at.SHARE, 1.0, False), ("switch", at.SWITCH, 0.0, False)]
    limits += [("rate", at.RATE, 1.0, True)] if job.rule.rate == -1.0 else []
    limits += [("duration", at.DURATION, 1.0, True)] if job.rule.rate == -2.0 else []
    for word, place, otherwise, above in limits:
        missing = np.nan if above else otherwise
        values = dose_value(compiled, drawn.record, int(places[place]), missing)
        bad = ~(values > 0.0) if above else ~(values >= 0.0)
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            least = "more than 0" if above else "0 or more"
            raise _refusal(job, start + i, f"{word} of {job.rule.dose_compartment} is {values[i]:g}, expected {least}")


def _refuse_unfinished(job: CohortJob, answers: CohortAnswers, start: int) -> None:
    unfinished = np.flatnonzero(answers.ends[:, 0] != at.DONE)
    if not unfinished.size:
        return
    i = int(unfinished[0])
    status, day = answers.ends[i, 0], answers.ends[i, 2] / at.DAY_H
    if status == at.TOO_MANY_UNDER_WAY:
        what = f"more than {at.MOST_UNDER_WAY} doses are under way at once"
    else:
        what = f"the engine {job.engine} ended with {OUTCOME_BY_CODE[int(status)]}"
    raise _refusal(job, start + i, f"{what} on day {day:.4g}")


def _refusal(job: CohortJob, patient: int, what: str) -> SimulationError:
    return SimulationError(f"patient {patient + 1} of {job.compiled.model.file}, seed {job.seed}: {what}")
