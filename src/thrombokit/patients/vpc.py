"""Visual predictive check: the model simulates the trial again and again, titration included, and the percentiles are laid over the observed.

A trial with titration cannot be checked by simulating the doses that were given: a patient whose count rose was given less because it rose.
So with a titration the doses of the table are set aside and every simulated patient is dosed on his own counts, by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray
from thrombokit.numerics.streams import stream
from thrombokit.patients.event_table import OBSERVATION, OTHER, EventTable, id_text
from thrombokit.patients.model import PatientModel
from thrombokit.patients.random_effects import STAGE
from thrombokit.patients.simulate_events import simulate_events
from thrombokit.patients.titration import Titration
from thrombokit.patients.vpc_bins import bin_edges, bin_rows
from thrombokit.patients.vpc_result import VpcResult
from thrombokit.scale.engine import Engine, make_engine

REPLICATES_A_RANGE = 10
"""Replicates that a process is given at a time; never depends on the number of processes."""
MOST_PLANNED_TIMES = 400
"""With drop-out every patient is simulated at every planned time; more distinct times than this are no plan."""
_DAYS = {"h": 24.0, "d": 1.0, "day": 1.0, "days": 1.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job(FrozenArrays):
    """What every replicate needs: `records` are the rows of `events` that are compared, `seeds` one a replicate."""

    model: PatientModel
    events: EventTable
    titration: Titration | None
    output: int
    records: IntArray
    seeds: tuple[int, ...]
    hazard_per_d: float


def simulate_vpc(
    model: PatientModel, observed: EventTable, output: str, titration: Titration | None = None, *, seed: int, replicates: int = 200,
    bins: Sequence[float] | int | None = None, by: str | None = None, only: tuple[str, float] | None = None, corrected: bool = False,
    drop_out_per_d: float | None = None, percentiles: tuple[float, float, float] = (5.0, 50.0, 95.0), confidence: float = 0.95,
    workers: int = 1, engine: Engine | None = None, progress: Callable[[int], None] | None = None,
) -> VpcResult:  # fmt: skip
    """Compare observed percentiles with those of simulated trials.

    Parameters
    ----------
    model : PatientModel
        With random effects, and a residual of the output.
    observed : EventTable
        The trial: doses, observations with DV, covariates.
    output : str
        The output that DV measured.
    titration : Titration, optional
        The rule the trial dosed by: doses of the table are set aside, and every simulated patient is dosed on his own measured counts.
    seed : int, >= 0
    replicates : int
        Simulated trials; 39 or more for intervals of 95 %.
    bins : sequence of float, int, or None
        Edges of time bins, their number (of about equally many observations), or None: each time its own where there are few, else eight.
    by : str, optional
        Column of a stratum.
    only : (column, value), optional
        Observations to compare: those with that value, ("DVID", 2) say.
    corrected : bool
        Prediction-corrected, which takes out what differs between the designs of patients. Not with a titration, whose doses answer to counts.
    drop_out_per_d : float, optional
        Hazard of leaving (per day): simulated patients are seen at every planned time until they leave. Without it they are seen exactly when
        the observed ones were.
    percentiles : three floats
        Low, middle, high.
    confidence : float
        Of the intervals over replicates.
    workers, engine
        Processes; the answer does not depend on them.
    progress : callable, optional
        Called with the number of replicates finished since the last call.

    Returns
    -------
    VpcResult
        By stratum and bin: observed percentiles, the interval of the simulated ones, and how many were still there.

    Raises
    ------
    InputError
        What does not go together, all in one pass.

    References
    ----------
    Bergstrand et al. 2011, doi:10.1208/s12248-011-9255-z (prediction correction; why doses that answer to the observation must be simulated
    again).
    """
    column = _checked(
        model, observed, output, titration, replicates=replicates, by=by, only=only, corrected=corrected, hazard=drop_out_per_d,
        confidence=confidence,
    )  # fmt: skip
    values = observed.values[:, observed.columns.index("DV")]
    compared = np.flatnonzero(_compared(observed, values, only))
    if not compared.size:
        raise InputError(Fault(place=observed.source, found="no observation with a DV", expected="observations to compare with",
                               cure="Check DV, EVID and MDV."))  # fmt: skip
    time, strata = observed.time[compared], _strata(observed, by)
    edges = bin_edges(time, bins)
    events = observed if titration is None else _without_doses(observed)
    events, rows = (events, compared) if drop_out_per_d is None else _planned(events, compared)
    draws = stream(seed, STAGE, "visual predictive check").integers(0, 2**62, replicates)
    job = _Job(model=model, events=events, titration=titration, output=column, records=rows.astype(np.int64),
               seeds=tuple(int(draw) for draw in draws), hazard_per_d=drop_out_per_d or 0.0)  # fmt: skip
    parts = (engine or make_engine(workers)).map_ranges(_simulate, job, replicates, chunk=REPLICATES_A_RANGE, progress=progress)
    simulated, seen = np.concatenate(parts), values[compared]
    notes = [] if titration is None else [f"{int(observed.is_dose.sum())} dose records set aside: {titration.title} dosed."]
    if corrected:
        factor, uncorrected = _correction(model, observed, column, compared, edges, strata[compared])
        if uncorrected:
            notes.append(f"{uncorrected} observations whose typical prediction is 0 stand uncorrected.")
        seen, simulated = seen * factor, simulated * factor
    observed_rows = bin_rows(time, edges, strata[compared])
    simulated_rows = bin_rows(events.time[rows], edges, _strata(events, by)[rows])
    return VpcResult(
        source=observed.source, model_file=model.file, output=model_output(model, output), seed=seed, replicates=replicates,
        time_unit=model.units.time, corrected=corrected, titrated=titration is not None, drop_out=drop_out_per_d, percentiles=percentiles,
        confidence=confidence, edges=edges, strata=tuple(sorted(set(strata))), stratum_column=by, time=time, observed=seen,
        observed_rows=observed_rows, simulated=simulated, simulated_rows=simulated_rows, notes=tuple(notes),
    )  # fmt: skip


def model_output(model: PatientModel, output: str) -> str:
    """The output as the model spells it."""
    return next(name for name in model.output if name.casefold() == output.casefold())


def _checked(
    model: PatientModel, events: EventTable, output: str, titration: Titration | None, *, replicates: int, by: str | None,
    only: tuple[str, float] | None, corrected: bool, hazard: float | None, confidence: float,
) -> int:  # fmt: skip
    """Place of the output; every fault at once."""
    faults: list[Fault] = []
    names = [name.casefold() for name in model.output]
    if output.casefold() not in names:
        cure = did_you_mean(output, list(model.output), otherwise=f"The outputs are: {', '.join(model.output)}.")
        faults.append(Fault(place=model.file, found=f'no output "{output}"', expected="the output that DV measured", cure=cure))
    for wanted in ("DV", *(title for title in (by, only[0] if only else None) if title)):
        if wanted.upper() not in events.columns:
            cure = did_you_mean(wanted.upper(), list(events.columns), otherwise=f"The columns are: {', '.join(events.columns)}.")
            faults.append(Fault(place=events.source, found=f"no column {wanted}", expected="a column of the data", cure=cure))
    faults += _interval_faults(replicates, confidence)
    if corrected and titration is not None:
        faults.append(Fault(place="prediction correction", found="a titration", expected="one of the two",
                            cure="Leave the correction out: simulating the titration again does what it is for."))  # fmt: skip
    if hazard is not None and corrected:
        faults.append(
            Fault(place="prediction correction", found="simulated drop-out", expected="one of the two", cure="Leave one out.")
        )
    if hazard is not None and not 0.0 <= hazard < np.inf:
        faults.append(Fault(place="drop-out", found=f"{hazard:g}", expected="a hazard per day, 0 or more", cure="Correct it."))
    if hazard is not None and model.units.time not in _DAYS:
        faults.append(Fault(place=model.file, found=f"time in {model.units.time}", expected=f"one of {', '.join(_DAYS)}, to count a hazard per day",
                            cure="Leave the drop-out away, or write the model in h."))  # fmt: skip
    if not any(block.matrix.any() for block in model.omega) and not model.residual:
        faults.append(Fault(place=model.file, found="no random effects and no residual", expected="something that varies",
                            cure="Add [random] or [residual]: without them every simulated trial is the same."))  # fmt: skip
    raise_all(faults)
    return names.index(output.casefold())


def _interval_faults(replicates: int, confidence: float) -> list[Fault]:
    """An interval of c % needs 2/(1 - c) - 1 trials: its ends are the smallest and the largest of so many."""
    if not 0.0 < confidence < 1.0:
        return [
            Fault(place="confidence", found=f"{confidence:g}", expected="a number between 0 and 1", cure="Write 0.95 for 95 %.")
        ]
    least = int(np.ceil(2.0 / (1.0 - confidence) - 1e-9)) - 1
    expected = f"{least} or more for intervals of {100 * confidence:g} %"
    few = Fault(place="replicates", found=str(replicates), expected=expected, cure="Simulate more trials.")
    return [few] if replicates < least else []


def _compared(events: EventTable, values: Array, only: tuple[str, float] | None) -> BoolArray:
    kept = (events.evid == OBSERVATION) & np.isfinite(values)
    if "MDV" in events.columns:
        kept &= np.nan_to_num(events.values[:, events.columns.index("MDV")]) == 0
    if only is not None:
        kept &= events.values[:, events.columns.index(only[0].upper())] == only[1]
    return kept


def _strata(events: EventTable, by: str | None) -> np.ndarray:
    """A name for each record; "" without strata."""
    if by is None:
        return np.full(len(events), "", dtype=object)
    values = events.values[:, events.columns.index(by.upper())]
    return np.array([f"{by} {id_text(float(value))}" for value in values], dtype=object)


def _without_doses(events: EventTable) -> EventTable:
    """The same records, doses made into records that do nothing."""
    zeros = np.zeros(len(events))
    return replace(events, evid=np.where(events.is_dose, OTHER, events.evid), amount=zeros, rate=zeros, interval=zeros,
                   additional=zeros.astype(np.int64), steady_state=zeros.astype(np.int64))  # fmt: skip


def _planned(events: EventTable, compared: IntArray) -> tuple[EventTable, IntArray]:
    """Records added so that everybody is seen at every planned time after his last observation; and which records are compared."""
    times = np.unique(events.time[compared])
    if times.size > MOST_PLANNED_TIMES:
        raise InputError(Fault(place=events.source, found=f"{times.size} distinct times of observation", expected=f"at most {MOST_PLANNED_TIMES}",
                               cure="Write nominal times into TIME, or leave the simulated drop-out away."))  # fmt: skip
    places, at, added = list(range(len(events))), list(events.time), [False] * len(events)
    for patient in range(events.n_individuals):
        own = compared[events.individual[compared] == patient]
        last = float(events.time[own[-1]]) if own.size else -np.inf
        end = int(events.first_records[patient + 1]) - 1
        for time in times[times > max(last, float(events.time[end]))]:
            places.append(end)
            at.append(float(time))
            added.append(True)
    place, time, new = np.array(places), np.array(at), np.array(added)
    order = np.lexsort((time * new, new, events.individual[place]))  # stable: the records of the file keep their order
    place, time, new = place[order], time[order], new[order]
    names = ("row", "id", "individual", "compartment", "values")
    moved = {name: getattr(events, name)[place] for name in names}
    clean = {
        name: np.where(new, 0, getattr(events, name)[place])
        for name in ("amount", "interval", "additional", "steady_state", "rate", "evid")
    }
    table = replace(events, time=time, **moved, **clean)
    is_compared = np.zeros(len(events), dtype=np.bool_)
    is_compared[compared] = True
    return table, np.flatnonzero(np.where(new, True, is_compared[place]))


def _simulate(job: _Job, start: int, stop: int) -> Array:
    """Outputs (stop - start, n_records) of replicates, nan after a simulated drop-out."""
    found = np.full((stop - start, job.records.size), np.nan)
    day = _DAYS.get(job.model.units.time, 1.0)
    individual, time = job.events.individual[job.records], job.events.time[job.records]
    for k in range(start, stop):
        seed = job.seeds[k]
        values = simulate_events(job.model, job.events, job.titration, seed=seed).outputs[job.records, job.output]
        if job.hazard_per_d > 0.0:
            leaves = stream(seed, STAGE, "drop-out").standard_exponential(job.events.n_individuals) / job.hazard_per_d * day
            begins = job.events.time[job.events.first_records[:-1]]
            values = np.where(time <= (begins + leaves)[individual], values, np.nan)
        found[k - start] = values
    return found


def _correction(
    model: PatientModel, events: EventTable, column: int, compared: IntArray, edges: Array, strata: np.ndarray
) -> tuple[Array, int]:
    """Median typical prediction of the bin over that of the observation, (n,); and how many predictions of 0 or less left it at 1."""
    typical = simulate_events(model, events).outputs[compared, column]
    factor = np.ones(typical.size)
    for rows in bin_rows(events.time[compared], edges, strata).values():
        usable = rows[typical[rows] > 0.0]
        if usable.size:
            factor[usable] = np.median(typical[usable]) / typical[usable]
    return factor, int((typical <= 0.0).sum())
