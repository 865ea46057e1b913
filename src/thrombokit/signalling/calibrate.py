"""Fit a PEtab problem: many searches from random starts, the best of them the estimate, and how far one can trust that it is the best.

Search number i draws points within the bounds, evenly on the scale of each parameter, from its own random stream, so that it is the same
for any number of searches and of processes; the nominal values are never used. What costs no simulation (scalings, offsets, widths of
noise) is fitted to each point before points are compared, as a model is not wrong because its scale is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from thrombokit.errors import Fault, SimulationError, raise_all
from thrombokit.numerics.arrays import Array, frozen
from thrombokit.numerics.fisher_scoring import Box, LocalModel, Maximum, maximise
from thrombokit.numerics.outcome import Outcome
from thrombokit.numerics.streams import stream
from thrombokit.scale.engine import Engine, SerialEngine
from thrombokit.signalling.fit_result import FitResult, ParameterFit, SearchEnd
from thrombokit.signalling.gradients import dynamic_parameters, local_model
from thrombokit.signalling.likelihood import TIGHT, USUAL, PetabLikelihood
from thrombokit.signalling.petab_problem import ParameterSpace, PetabProblem
from thrombokit.signalling.solver_settings import Tolerances

MOST_STEPS = 300
MOST_DRAWS = 60
"""Points drawn for one start at most: not every point within wide bounds can be simulated."""
DRAWS_COMPARED = 25
"""Points that are compared for one start."""
EASING_STEPS = 15
CLIMBS = 7
"""Points of one start that are climbed from, the best of those compared."""
LONGEST_DECADES = 1.5
"""The longest step of one parameter: decades on logarithmic scales, else this share of a quarter of its range."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchTask:
    """What the processes share: the problem and the seed."""

    problem: PetabProblem
    seed: int


def fit_petab(
    problem: PetabProblem,
    *,
    starts: int = 20,
    seed: int = 1,
    engine: Engine | None = None,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Maximum-likelihood estimates from random starts, priors excluded.

    Parameters
    ----------
    problem : PetabProblem
    starts : int
        Searches, >= 1.
    seed : int
        Of the starts.
    engine : Engine, optional
        Where the searches run; the numbers do not depend on it.
    progress : function, optional
        Called with the number of searches finished.

    Returns
    -------
    FitResult
        Without intervals; `profile_petab` adds them.

    Raises
    ------
    InputError
        If nothing is to be estimated, or bounds are missing or contradict their scales; every fault in one pass.
    SimulationError
        If no start has a likelihood.
    """
    raise_all([*_start_faults(starts), *fit_faults(problem)])
    task = SearchTask(problem=problem, seed=seed)
    found = (engine or SerialEngine()).map_ranges(run_searches, task, starts, chunk=1, progress=progress)
    ends = tuple(one for part in found for one in part)
    best = max(ends, key=lambda end: end.log_likelihood)
    if not math.isfinite(best.log_likelihood):
        raise SimulationError(
            f"{problem.source}: none of {starts} starts could be simulated ({MOST_DRAWS} points were drawn for each). Narrow the bounds, "
            "or check the model at the nominal parameters."
        )
    return FitResult(
        source=problem.source, seed=seed, n_measurements=len(problem.measurements), log_likelihood=best.log_likelihood,
        outcome=best.outcome, parameters=tuple(_parameter_fits(problem, best.point)), searches=ends, point=best.point,
    )  # fmt: skip


def run_searches(task: SearchTask, start: int, stop: int) -> list[SearchEnd]:
    """Searches number start to stop."""
    likelihood = ready_likelihood(task.problem, TIGHT)
    return [_search(likelihood, task.seed, number) for number in range(start, stop)]


@lru_cache(maxsize=4)
def ready_likelihood(problem: PetabProblem, tolerances: Tolerances) -> PetabLikelihood:
    """The problem's likelihood, made once in each process."""
    return PetabLikelihood(problem, tolerances=tolerances)


def _search(likelihood: PetabLikelihood, seed: int, number: int) -> SearchEnd:
    """One search: some points drawn and eased, the best of them climbed from, and the highest hilltop climbed exactly."""
    quick = ready_likelihood(likelihood.problem, USUAL)
    box = box_of(likelihood.problem.space)
    drawn = _draw_points(quick, stream(seed, "signalling", "fit", "start", number))
    tops = [climb(quick, point.point, box, gain=1e-2) for point in drawn[:CLIMBS]]
    best = max(range(len(tops)), key=lambda at: tops[at].value, default=None)
    if best is None:
        nowhere = likelihood.problem.space.nominal
        return SearchEnd(number=number, start=nowhere, start_log_likelihood=-math.inf, point=nowhere, log_likelihood=-math.inf,
                         outcome=Outcome.NOT_FINITE, steps=0, promised_gain=math.inf)  # fmt: skip
    end = climb(likelihood, tops[best].point, box)
    return SearchEnd(number=number, start=drawn[best].point, start_log_likelihood=drawn[best].value, point=end.point,
                     log_likelihood=end.value, outcome=end.outcome, steps=sum(top.steps for top in tops) + end.steps,
                     promised_gain=end.promised_gain)  # fmt: skip


def _draw_points(likelihood: PetabLikelihood, rng: np.random.Generator) -> list[Maximum]:
    """Points that can be simulated, each eased, the best first."""
    space = likelihood.problem.space
    found: list[Maximum] = []
    for _ in range(MOST_DRAWS):
        eased = _ease(likelihood, space.lower + rng.random(len(space.ids)) * (space.upper - space.lower))
        if math.isfinite(eased.value):
            found.append(eased)
        if len(found) >= DRAWS_COMPARED:
            break
    return sorted(found, key=lambda one: -one.value)


def _ease(likelihood: PetabLikelihood, point: Array) -> Maximum:
    """Fit what costs no simulation: scalings, offsets, widths of noise."""
    box = replace(box_of(likelihood.problem.space), free=frozen(~dynamic_parameters(likelihood), np.bool_))
    return climb(likelihood, point, box, most_steps=EASING_STEPS, gain=1e-2)


def climb(likelihood: PetabLikelihood, start: Array, box: Box, *, most_steps: int = MOST_STEPS, gain: float = 1e-5) -> Maximum:
    """The maximum next to a start; see `maximise`."""

    def linearise(point: Array) -> LocalModel | None:
        return local_model(likelihood, point, simulate=box.free)

    return maximise(likelihood.value, linearise, start, box, most_steps=most_steps, gain=gain)


def box_of(space: ParameterSpace) -> Box:
    """The bounds, on the scales a fit moves on."""
    decade = {"log10": 1.0, "log": math.log(10.0)}
    width = space.upper - space.lower
    longest = [decade.get(scale, 0.25 * float(width[at])) * LONGEST_DECADES for at, scale in enumerate(space.scales)]
    return Box(lower=space.lower, upper=space.upper, longest_step=frozen(longest), free=frozen(np.ones(len(space.ids)), np.bool_))


def fit_faults(problem: PetabProblem) -> list[Fault]:
    """Why a problem cannot be fitted, though it may be evaluated."""
    estimated = [one for one in problem.parameters if one.estimated]
    if not estimated:
        cure = "Write 1 in the column estimate of at least one parameter."
        return [Fault(place=problem.source, found="no parameter to estimate", expected="at least one", cure=cure)]
    faults: list[Fault] = []
    for one in estimated:
        for column, bound in (("lowerBound", one.lower), ("upperBound", one.upper)):
            if not math.isfinite(bound):
                faults.append(
                    Fault(place=f"{one.place}, column {column}", found="no finite number" if math.isnan(bound) else f"{bound}",
                          expected="a finite bound", cure="A fit draws its starts within the bounds: give one.")
                )  # fmt: skip
            elif one.scale != "lin" and bound <= 0.0:
                faults.append(
                    Fault(place=f"{one.place}, column {column}", found=f"{bound:g} on the scale {one.scale}",
                          expected="a positive number, not yet transformed", cure="Correct the bound, or use the scale lin.")
                )  # fmt: skip
        if one.lower >= one.upper:
            faults.append(
                Fault(place=f"{one.place}, column lowerBound", found=f"{one.lower:g}, not below the upper bound {one.upper:g}",
                      expected="a lower bound below the upper", cure="Correct the bounds.")
            )  # fmt: skip
    return faults


def _start_faults(starts: int) -> list[Fault]:
    if 1 <= starts <= 100_000:
        return []
    return [Fault(place="starts", found=f"{starts}", expected="1 to 100000", cure="Choose the number of searches.")]


def _parameter_fits(problem: PetabProblem, point: Array) -> list[ParameterFit]:
    space = problem.space
    linear = space.linear(point)[space.position]
    names = {one.id: one.name for one in problem.parameters}
    found: list[ParameterFit] = []
    for at, id in enumerate(space.ids):
        bound = "lower" if point[at] <= space.lower[at] else "upper" if point[at] >= space.upper[at] else ""
        nominal = float(space.all_nominal[space.position[at]])
        found.append(
            ParameterFit(id=id, name=names[id], scale=space.scales[at], estimate=float(linear[at]), nominal=nominal, at_bound=bound)
        )
    return found
