"""Profile likelihood of a fitted PEtab problem: how far each parameter can go while all others follow.

From the estimate a parameter is moved outwards in steps; at each all others are fitted anew. The interval ends where the log-likelihood
has fallen by half the chi-squared quantile (one degree of freedom). A side that reaches its bound before is open, and says so: the data do
not limit the parameter there. A profile that climbs above the estimate has found a better fit, which is told, not hidden.

References
----------
Raue A et al. (2009) Structural and practical identifiability analysis of partially observed dynamical models by exploiting the profile
likelihood. Bioinformatics 25:1923-1929, doi:10.1093/bioinformatics/btp358.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.special import chdtri

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.scale.engine import Engine, SerialEngine
from thrombokit.signalling.calibrate import box_of, climb, fit_faults, ready_likelihood
from thrombokit.signalling.fit_result import FitResult, ParameterFit
from thrombokit.signalling.likelihood import USUAL, PetabLikelihood
from thrombokit.signalling.petab_problem import PetabProblem

MOST_POINTS = 40
FALL_NEAR = 0.02
"""How near the fall of the log-likelihood must come to the one sought, on the scale of sqrt(2 x fall)."""
BETTER = 0.05
"""Rise above the estimate from which a profile is said to have found a better fit."""
_FIRST_STEP, _GROWTH = 0.05, 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfileTask(FrozenArrays):
    """What the processes share: the problem, the estimate of shape (n,) on the parameters' scales, which parameters, how far to go."""

    problem: PetabProblem
    point: Array
    log_likelihood: float
    parameters: tuple[int, ...]
    fall: float


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfileSide(FrozenArrays):
    """One side of a profile.

    Attributes
    ----------
    parameter, side : int
        Which parameter; -1 downwards, +1 upwards.
    values, log_likelihoods : array of shape (n_points,)
        Outwards from the estimate, the parameter on its scale.
    end : float or None
        Where the interval ends, on the parameter's scale; None where it is open.
    how : str
        "closed", or "open: ..." with the reason.
    best : array of shape (n,)
        The best point met, and its log-likelihood `best_log_likelihood`.
    """

    parameter: int
    side: int
    values: Array
    log_likelihoods: Array
    end: float | None
    how: str
    best: Array
    best_log_likelihood: float


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfileResult:
    """A fit with intervals, and the profiles behind them.

    `better` is a sentence where a profile met a better fit than the estimate, else "": the intervals then belong to no maximum, and the fit
    is to be repeated with more starts.
    """

    fit: FitResult
    sides: tuple[ProfileSide, ...]
    confidence: float
    better: str = ""

    def table(self) -> pl.DataFrame:
        """One row per parameter, as `FitResult.table`."""
        return self.fit.table()

    def profiles_table(self) -> pl.DataFrame:
        """One row per point of a profile: parameter, its value on linear scale, log-likelihood."""
        rows: list[dict[str, object]] = []
        for one in self.sides:
            parameter = self.fit.parameters[one.parameter]
            for value, log_likelihood in zip(one.values.tolist(), one.log_likelihoods.tolist(), strict=True):
                linear = _linear(parameter, value)
                rows.append({"parameter": parameter.id, "side": one.side, "value": linear, "log_likelihood": log_likelihood})
        schema = {"parameter": pl.String, "side": pl.Int64, "value": pl.Float64, "log_likelihood": pl.Float64}
        return pl.DataFrame(rows, schema=schema)

    def summary(self) -> str:
        """A few plain sentences."""
        return " ".join(part for part in (self.fit.summary(), self.better) if part)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        fit = {key: value for key, value in self.fit.to_dict().items() if key != "schema"}
        profiles = self.profiles_table().to_dicts()
        return {"schema": "thrombokit.signalling_profiles/1", **fit, "better": self.better or None, "profiles": profiles}


def profile_petab(
    problem: PetabProblem,
    fit: FitResult,
    *,
    parameters: Sequence[str] | None = None,
    confidence: float = 0.95,
    engine: Engine | None = None,
    progress: Callable[[int], None] | None = None,
) -> ProfileResult:
    """Profile intervals of a fit.

    Parameters
    ----------
    problem : PetabProblem
    fit : FitResult
        Of the same problem.
    parameters : list of str, optional
        Which, by id; all by default.
    confidence : float
        0.5 to 0.999.
    engine : Engine, optional
        Where the profiles run; the numbers do not depend on it.
    progress : function, optional
        Called with the number of sides finished.

    Returns
    -------
    ProfileResult

    Raises
    ------
    InputError
        If a parameter is not estimated, or the confidence is out of range; every fault in one pass.
    """
    raise_all([*_request_faults(problem, parameters, confidence), *fit_faults(problem)], InputError)
    ids = problem.space.ids
    chosen = tuple(range(len(ids))) if parameters is None else tuple(ids.index(id) for id in dict.fromkeys(parameters))
    fall = 0.5 * float(chdtri(1.0, 1.0 - confidence))
    task = ProfileTask(problem=problem, point=fit.point, log_likelihood=fit.log_likelihood, parameters=chosen, fall=fall)
    found = (engine or SerialEngine()).map_ranges(run_sides, task, 2 * len(chosen), chunk=1, progress=progress)
    sides = tuple(one for part in found for one in part)
    return ProfileResult(
        fit=replace(fit, parameters=_with_intervals(fit.parameters, sides), confidence=confidence), sides=sides,
        confidence=confidence, better=_better(fit, sides),
    )  # fmt: skip


def run_sides(task: ProfileTask, start: int, stop: int) -> list[ProfileSide]:
    """Sides number start to stop: the lower and the upper of each parameter in turn."""
    likelihood = ready_likelihood(task.problem, USUAL)
    return [_walk(likelihood, task, task.parameters[number // 2], -1 if number % 2 == 0 else 1) for number in range(start, stop)]


def _walk(likelihood: PetabLikelihood, task: ProfileTask, parameter: int, side: int) -> ProfileSide:
    """Outwards until the likelihood has fallen far enough or the bound is met, then closing in on the end."""
    box = box_of(task.problem.space)
    held = box.without(parameter)
    wall = float(box.upper[parameter] if side > 0 else box.lower[parameter])
    origin = float(task.point[parameter])
    target = math.sqrt(2.0 * task.fall)
    values, heights, points = [origin], [task.log_likelihood], [np.array(task.point)]
    step = _FIRST_STEP * float(box.longest_step[parameter])
    inside, outside = 0, -1

    def visit(value: float, near: int) -> int:
        start = np.array(points[near])
        start[parameter] = value
        top = climb(likelihood, start, held, most_steps=60, gain=1e-4)
        values.append(value)
        heights.append(top.value)
        points.append(np.array(top.point))
        return len(values) - 1

    while outside < 0 and values[inside] != wall and len(values) < MOST_POINTS:
        wanted = values[inside] + side * step
        at = visit(wall if (wall - wanted) * side <= 0.0 else wanted, inside)
        fallen = _fallen(task, heights[at])
        if fallen >= target:
            outside = at
        else:
            step *= _GROWTH if fallen - _fallen(task, heights[inside]) < 0.25 * target else 1.0
            inside = at
    end, how = None, f"open: the bound {_words(task.problem, parameter, wall)} is reached first"
    if outside >= 0:
        end, how = _close_in(task, values, heights, visit, inside, outside), "closed"
    elif values[inside] != wall:
        how = f"open: not closed after {MOST_POINTS} points"
    order = np.argsort(np.abs(np.array(values) - origin), kind="stable")
    best = int(np.argmax(heights))
    return ProfileSide(
        parameter=parameter, side=side, values=frozen(np.array(values)[order]), log_likelihoods=frozen(np.array(heights)[order]), end=end,
        how=how, best=frozen(points[best]), best_log_likelihood=heights[best],
    )  # fmt: skip


def _fallen(task: ProfileTask, height: float) -> float:
    """sqrt(2 x fall), which grows about evenly along a profile; 0 above the estimate, inf where there is no likelihood."""
    return math.sqrt(max(2.0 * (task.log_likelihood - height), 0.0))


def _close_in(
    task: ProfileTask, values: list[float], heights: list[float], visit: Callable[[float, int], int], inside: int, outside: int
) -> float:
    """The value at which the fall is the one sought, between two values that straddle it."""
    target = math.sqrt(2.0 * task.fall)
    for _ in range(12):
        low, high = _fallen(task, heights[inside]), _fallen(task, heights[outside])
        share = 0.5 if math.isinf(high) else (target - low) / (high - low)
        middle = values[inside] + min(max(share, 0.1), 0.9) * (values[outside] - values[inside])
        at = visit(middle, inside)
        fallen = _fallen(task, heights[at])
        if abs(fallen - target) <= FALL_NEAR:
            return (
                values[at] if math.isinf(high) else middle + (target - fallen) * (values[outside] - values[inside]) / (high - low)
            )
        inside, outside = (at, outside) if fallen < target else (inside, at)
    return values[outside]


def _words(problem: PetabProblem, parameter: int, value: float) -> str:
    scale = problem.space.scales[parameter]
    return f"{10.0**value if scale == 'log10' else math.exp(value) if scale == 'log' else value:.4g}"


def _linear(parameter: ParameterFit, value: float) -> float:
    return 10.0**value if parameter.scale == "log10" else math.exp(value) if parameter.scale == "log" else value


def _with_intervals(parameters: tuple[ParameterFit, ...], sides: tuple[ProfileSide, ...]) -> tuple[ParameterFit, ...]:
    found = {(one.parameter, one.side): one for one in sides}
    filled: list[ParameterFit] = []
    for at, one in enumerate(parameters):
        if (at, -1) in found:
            low, high = found[at, -1], found[at, 1]
            one = replace(
                one, low=None if low.end is None else _linear(one, low.end), high=None if high.end is None else _linear(one, high.end),
                low_end=low.how, high_end=high.how,
            )  # fmt: skip
        filled.append(one)
    return tuple(filled)


def _better(fit: FitResult, sides: tuple[ProfileSide, ...]) -> str:
    best = max(sides, key=lambda one: one.best_log_likelihood, default=None)
    if best is None or best.best_log_likelihood <= fit.log_likelihood + BETTER:
        return ""
    return (
        f"The profile of {fit.parameters[best.parameter].id} met a better fit (log-likelihood {best.best_log_likelihood:.5f}): repeat the fit "
        "with more starts before you use the intervals."
    )


def _request_faults(problem: PetabProblem, parameters: Sequence[str] | None, confidence: float) -> list[Fault]:
    faults: list[Fault] = []
    if not 0.5 <= confidence <= 0.999:
        faults.append(
            Fault(place="confidence", found=f"{confidence:g}", expected="0.5 to 0.999", cure="Choose 0.95, for instance.")
        )
    ids = problem.space.ids
    for id in parameters or ():
        if id not in ids:
            cure = did_you_mean(id, ids, otherwise="Choose an estimated parameter.")
            faults.append(Fault(place="parameters", found=f'"{id}"', expected="an estimated parameter of the problem", cure=cure))
    return faults
