"""Cohorts under many joint draws of frozen parameters: what is not known of the model, beside what other virtual patients would change.

A replicate is a set, a row of it, and patients of its own. Sets weigh equally: each block of as many replicates as there are sets has every set
once, in an order of its own. Replicate k is the same however many follow and whoever computes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.numerics.median_errors import median_variance
from thrombokit.numerics.streams import stream
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_diagnostics import CountRange
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.drawn_cohort import DrawnModel, given_instead, simulate_drawn_cohort
from thrombokit.patients.draws_result import MEASURES, DrawsResult, SetUsed
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.random_effects import STAGE
from thrombokit.patients.titration import Titration
from thrombokit.scale.engine import Engine, SerialEngine, make_engine

DRAWS = 40
"""Replicates, unless said otherwise."""
LARGEST_SEED = 2**53


@dataclass(frozen=True, kw_only=True, slots=True)
class Replicate:
    """One replicate: the place of its set, the row in it, and the seed of its patients."""

    at: int
    draw: int
    seed: int


def choose_replicates(models: Sequence[DrawnModel], draws: int, *, seed: int) -> tuple[Replicate, ...]:
    """Sets and rows of `draws` replicates.

    Raises
    ------
    SpecError
        If there is no set, a set twice, fewer than two draws, or draws that do not share out evenly among the sets.
    """
    n, names = len(models), [one.parameters.name for one in models]
    faults = [
        Fault(place="parameters", found=f'"{name}" twice', expected="each set once: all weigh the same", cure="Leave one out.")
        for name in dict.fromkeys(names) if names.count(name) > 1
    ]  # fmt: skip
    if not n:
        faults.append(Fault(place="parameters", found="no set", expected="at least one", cure="Name a frozen set."))
    elif draws < 2 or draws % n:
        below = max(draws - draws % n, n if n > 1 else 2)
        expected = f"a multiple of {n}, the number of sets, so that they weigh equally" if n > 1 else "2 or more"
        cure = f"Take {below}." if n == 1 else f"Take {below} or {below + n}."
        faults.append(Fault(place="draws", found=str(draws), expected=expected, cure=cure))
    raise_all(faults, SpecError)
    chosen: list[Replicate] = []
    for k in range(draws):
        order = stream(seed, STAGE, "draws", "sets", k // n).permutation(n)
        at = int(order[k % n])
        row = int(stream(seed, STAGE, "draws", "row", k).integers(models[at].parameters.n))
        patients = int(stream(seed, STAGE, "draws", "patients", k).integers(LARGEST_SEED))
        chosen.append(Replicate(at=at, draw=row, seed=patients))
    return tuple(chosen)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    models: tuple[DrawnModel, ...]
    regimen: Titration | FixedDose
    cohort: Cohort
    weeks: int
    counts_in: CountRange
    replicates: tuple[Replicate, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Told(FrozenArrays):
    """One replicate: `estimates` and `sampling` (n_measures, weeks + 1); what is needed of the run itself."""

    estimates: Array
    sampling: Array
    engine: str
    stated_error: float
    near_ties: int
    decisions: int
    regimen: str
    criterion: str | None


def simulate_draws(
    models: Sequence[DrawnModel], regimen: Titration | FixedDose, cohort: Cohort, *, draws: int = DRAWS, seed: int, weeks: int = 52,
    workers: int = 1, engine: Engine | None = None, counts_in: CountRange | None = None,
    progress: Callable[[int], None] | None = None,
) -> DrawsResult:  # fmt: skip
    """Run the cohort under many draws of one or more frozen sets.

    Parameters
    ----------
    models : sequence of DrawnModel
        Sets, each with its model; they weigh equally.
    regimen : Titration or FixedDose
    cohort : Cohort
        In each replicate so many new patients; see `cohort_under_draw` for what the draw brings along.
    draws : int
        Replicates, a multiple of the number of sets.
    seed, weeks, workers, engine
        As in `simulate_cohort`; replicates are shared out among processes, and the answer does not depend on that.
    counts_in : CountRange, optional
        Target 50 to 200 x 1e9/L by default.
    progress : callable, optional
        Called with the number of replicates finished since the last call.

    Returns
    -------
    DrawsResult
        By week the median and the 5 to 95 % interval over replicates, with its variance split into sampling and parameters.

    Raises
    ------
    SpecError
        What does not go together in sets, models, regimen and cohort.
    SimulationError
        If a patient could not be drawn or run to the end; the message names patient and seed.
    """
    replicates, r = choose_replicates(models, draws, seed=seed), counts_in or CountRange()
    job = _Job(models=tuple(models), regimen=regimen, cohort=cohort, weeks=weeks, counts_in=r, replicates=replicates)
    parts = (engine or make_engine(workers)).map_ranges(_run_range, job, draws, chunk=1, progress=progress)
    told = [one for part in parts for one in part]
    first = models[0].model
    return DrawsResult(
        model_titles=tuple(dict.fromkeys(one.model.title or one.model.file for one in models)), regimen=told[0].regimen,
        titrated=isinstance(regimen, Titration), population=cohort.population, criterion=told[0].criterion, seed=seed, n=cohort.n,
        n_weeks=weeks, counts_in=r, amount_unit=first.units.amount, engines=tuple(dict.fromkeys(one.engine for one in told)),
        stated_error=max(one.stated_error for one in told), sets=sets_used(models, replicates),
        set_places=frozen([one.at for one in replicates], np.int64),
        set_rows=frozen([one.draw for one in replicates], np.int64), seeds=tuple(one.seed for one in replicates),
        estimates=frozen(np.stack([one.estimates for one in told])), sampling=frozen(np.stack([one.sampling for one in told])),
        decisions=sum(one.decisions for one in told), near_ties=sum(one.near_ties for one in told), notes=_notes(cohort),
    )  # fmt: skip


def _run_range(job: _Job, start: int, stop: int) -> list[_Told]:
    return [_run_one(job, job.replicates[k]) for k in range(start, stop)]


def _run_one(job: _Job, one: Replicate) -> _Told:
    result = simulate_drawn_cohort(
        job.models[one.at], one.draw, job.regimen, job.cohort, seed=one.seed, weeks=job.weeks, engine=SerialEngine()
    )
    estimates, sampling = weekly_measures(result, job.counts_in)
    return _Told(
        estimates=frozen(estimates), sampling=frozen(sampling), engine=result.engine, stated_error=result.stated_error,
        near_ties=len(result.near_ties()), decisions=len(result.ledger), regimen=result.regimen, criterion=result.criterion,
    )  # fmt: skip


def weekly_measures(result: CohortResult, r: CountRange) -> tuple[Array, Array]:
    """MEASURES of a cohort by week, and the variance each owes to its patients: two arrays of shape (n_measures, weeks + 1).

    Measured counts of those still there; within the exclusion window of a rescue nobody is in range, nor at the target's low end. Shares vary as
    binomial ones, medians by Maritz and Jarrett; nan where nobody (or for a variance only one) is left.
    """
    estimates = np.full((len(MEASURES), result.n_weeks + 1), np.nan)
    sampling = np.full_like(estimates, np.nan)
    for week in range(result.n_weeks + 1):
        there = ~np.isnan(result.measured[:, week])
        counts, doses, free = result.measured[there, week], result.doses_mg[there, week], ~result.rescued[there, week]
        if not counts.size:
            continue
        shares = [float((held & free).mean()) for held in ((counts >= r.low) & (counts <= r.high), counts >= r.low)]
        estimates[:, week] = (float(np.median(counts)), *shares, float(np.median(doses)))
        if counts.size > 1:
            spread = [share * (1.0 - share) / (counts.size - 1) for share in shares]
            sampling[:, week] = (median_variance(counts), *spread, median_variance(doses))
    return estimates, sampling


def sets_used(models: Sequence[DrawnModel], replicates: Sequence[Replicate]) -> tuple[SetUsed, ...]:
    """The sets as a result tells them, with the number of replicates drawn from each."""
    sets = [one.parameters for one in models]
    return tuple(
        SetUsed(name=p.name, sha256=p.sha256, model=p.model, structure=p.structure, reading=p.reading, kind=p.kind,
                draws=sum(one.at == at for one in replicates))
        for at, p in enumerate(sets)
    )  # fmt: skip


def _notes(cohort: Cohort) -> tuple[str, ...]:
    own = given_instead(cohort)
    return (f"Of the cohort, not of the draws: {', '.join(own)}.",) if own else ()
