"""The arrays that pass between Python and the kernels of a cohort, and what stands where in them.

A patient's clock is one array, because a kernel that is handed many arrays spends its time on handing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from thrombokit.numerics.arrays import Array, IntArray

EXACT_PK, QUADRATURE, ODE = 0, 1, 2
"""Engines, as a kernel is told."""

DONE, MAX_STEPS, NOT_FINITE, TOO_MANY_UNDER_WAY, MISSED_TOLERANCE = 0.0, 2.0, 3.0, 4.0, 5.0
"""How a patient's run ended."""

# Places in `CohortPlan.numbers`.
HORIZON_H, UNTIL_H, DOSE_RATE, READS_RESIDUAL, STOPS_AT_NOMINAL, FLUCTUATES, RESCUES, MISSES, REMISSION_COUNT = range(9)
PLAN_SIZE = 9

# Places in `CohortPlan.places`.
ENGINE, COMPARTMENT, SIGNAL, LAG, SHARE, RATE, DURATION, SWITCH, SWITCH_FROM_RECORD, N_WEEKS, HAS_TRIAL = range(11)
PLACES_SIZE = 11

# Places in the clock of a patient, hours.
NOW, LAST_DOSE, LAST_EVENT, PHASE, SWITCH_AT, LAG_H, TAKEN_UP, INFUSION_RATE, INFUSION_H, SWITCH_AFTER = range(10)
FIRST_ARRIVAL, N_ARRIVALS, N_INFUSIONS, LEAVES_H, N_DOSES, N_VISITS, N_LEDGER = range(10, 17)
LAST_READ_H, LAST_READING, BETWEEN_H, BETWEEN_PHI, RESCUED_H, N_OUTPUTS, WEEK, STATUS = range(17, 25)
CLOCK_HEAD = 25
MOST_UNDER_WAY = 64
"""Doses on their way in (lag), and infusions that run, at one time."""
AT_ARRIVALS, AT_INFUSIONS = CLOCK_HEAD, CLOCK_HEAD + 2 * MOST_UNDER_WAY
CLOCK_SIZE = CLOCK_HEAD + 4 * MOST_UNDER_WAY

WEEK_H, DAY_H = 168.0, 24.0


class CohortPlan(NamedTuple):
    """What is the same for all patients."""

    numbers: Array
    """Shape (PLAN_SIZE,)."""
    places: IntArray
    """Shape (PLACES_SIZE,); -1: there is none."""
    program: Array
    """The titration (`titration_program`)."""
    observation: Array
    """Fluctuation and assay (`observation_program`)."""
    rescue: Array
    """See `rescue_program`."""
    outputs_h: Array
    """Times at which outputs are read off, rising."""
    block: IntArray
    """The linear block of the model."""
    moving: IntArray
    """The other compartments."""
    gamma_inputs: IntArray
    """See `gamma_inputs.note_arrival`."""
    tolerances: Array
    """See `ode_engine.tolerances`."""
    conditions: IntArray
    """See `CompiledModel.time_conditions`."""


class CohortDraws(NamedTuple):
    """What chance gives each patient; first axis: patients. Where a purpose is not needed its second axis is 0."""

    record: Array
    """Record values, (n, n_record)."""
    initial: Array
    """State at the start, (n, n_compartments)."""
    visits: Array
    """Normals of the assay at titration visits, (n, n_visits, 2)."""
    weeks: Array
    """Normals of the assay at weeks 0, 1, ..., (n, n_weeks + 1, 2)."""
    days: Array
    """Log factor of the fluctuation at day 0, 1, ..., (n, n_days + 2)."""
    between: Array
    """Normals of the fluctuation at visits that are on no whole day, (n, n_visits)."""
    rescue: Array
    """Uniforms that decide about rescue, (n, n_weeks + 1)."""
    leaves_h: Array
    """When a patient leaves, (n,); inf: never."""
    missed: Array
    """1 where a dose is not taken, (n, n_doses)."""
    remits_h: Array
    """When a lasting remission comes, (n,); inf: never."""


class CohortAnswers(NamedTuple):
    """What the kernels fill; first axis: patients."""

    counts: Array
    """In the blood at weeks 0, 1, ..., (n, n_weeks + 1), 1e9/L."""
    measured: Array
    """As read, nan once a patient has left."""
    doses: Array
    """Dose in force after the week's decision."""
    taken: Array
    """Amount taken in each week, (n, n_weeks)."""
    since_rescue_d: Array
    """Days since the last rescue; inf: never."""
    outputs: Array
    """(n, n_outputs_h, n_outputs)."""
    ledger: Array
    """(n, n_visits, ROW_WIDTH)."""
    ends: Array
    """(n, 4): status, rows of the ledger, where it ended (h), estimated error of the quadrature."""


class CohortScratch(NamedTuple):
    """Working space of one process, for one patient after the other."""

    clock: Array
    x: Array
    r: Array
    u: Array
    modes: Array
    """(2, modes_size): of both phases of absorption."""
    rates: Array
    """(n, n)."""
    memory: Array
    """Of the ODE solver."""
    state: Array
    """Of the titration."""
    decision: Array
    out: Array
    states: Array
    """(n_outputs_h, n)."""


def _example(kind: Any, ranks: tuple[str, ...]) -> Any:
    shapes = {
        "1": np.zeros(1),
        "2": np.zeros((1, 1)),
        "3": np.zeros((1, 1, 1)),
        "i": np.zeros(1, np.int64),
        "m": np.zeros((1, 4), np.int64),
    }
    return numba.typeof(kind(*(shapes[rank] for rank in ranks)))


PLAN: Any = _example(CohortPlan, ("1", "i", "1", "1", "1", "1", "i", "i", "m", "1", "m"))
DRAWS: Any = _example(CohortDraws, ("2", "2", "3", "3", "2", "2", "2", "1", "2", "1"))
ANSWERS: Any = _example(CohortAnswers, ("2", "2", "2", "2", "2", "3", "3", "2"))
SCRATCH: Any = _example(CohortScratch, ("1", "1", "1", "1", "2", "2", "1", "1", "1", "1", "2"))
"""numba types of the four, for explicit signatures."""
