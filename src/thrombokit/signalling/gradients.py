"""Gradient and Fisher information of a PEtab likelihood.

Formulas are differentiated exactly (`array_formulas`), so scalings, offsets and widths of noise cost no simulation. What the model does
is differentiated by central differences over a change of 0.1 % of a parameter; `checked_gradient` repeats them over twice the change and
tells the error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray, frozen
from thrombokit.numerics.fisher_scoring import LocalModel
from thrombokit.signalling.array_formulas import TIME_NAME, derivatives, evaluate_arrays
from thrombokit.signalling.likelihood import Group, PetabLikelihood, densities_of
from thrombokit.signalling.petab_runs import simulate_runs

RELATIVE_STEP = 1e-3
"""Change of a parameter's natural logarithm; on linear scale, change relative to its size or to a thousandth of its range."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckedGradient(FrozenArrays):
    """Log-likelihood, gradient in the estimated parameters on their scales, and its error, arrays of shape (n,)."""

    ids: tuple[str, ...]
    value: float
    gradient: Array
    error: Array

    def table(self) -> pl.DataFrame:
        """One row an estimated parameter: `parameter`, `gradient` (of the log-likelihood, on the parameter's scale) and `error`."""
        return pl.DataFrame({"parameter": list(self.ids), "gradient": self.gradient, "error": self.error})


def checked_gradient(likelihood: PetabLikelihood, point: Array) -> CheckedGradient:
    """Gradient with an estimate of its error, by differences over two changes.

    Parameters
    ----------
    likelihood : PetabLikelihood
        With tight tolerances: the solver's error is divided by the change.
    point : array of shape (n,)
        Estimated parameters on their scales.

    Raises
    ------
    SimulationError
        If there is no likelihood at the point, or next to it.
    """
    single, double = (local_model(likelihood, point, step=step) for step in (RELATIVE_STEP, 2.0 * RELATIVE_STEP))
    if single is None or double is None:
        raise SimulationError(f"{likelihood.problem.source}: no likelihood at the point, so no gradient.")
    difference = (single.gradient - double.gradient) / 3.0
    return CheckedGradient(
        ids=likelihood.problem.space.ids, value=single.value, gradient=frozen(single.gradient + difference),
        error=frozen(np.abs(difference)),
    )  # fmt: skip


def local_model(
    likelihood: PetabLikelihood, point: Array, *, step: float = RELATIVE_STEP, simulate: BoolArray | None = None
) -> LocalModel | None:
    """Value, gradient and Fisher information at a point; None where the likelihood does not exist.

    `simulate`, shape (n,), says whose influence on the simulations counts; by default everyone's.
    """
    space = likelihood.problem.space
    vector = likelihood.sources.vector(space.linear(point))
    try:
        results = likelihood.results(vector)
    except SimulationError:
        return None
    slopes = _result_slopes(likelihood, point, results, step, simulate)
    n, scale_slope = len(space.ids), space.slope(point)
    estimated = np.full(vector.size, -1)
    estimated[space.position] = np.arange(n)
    value, gradient, information = 0.0, np.zeros(n), np.zeros((n, n))
    for group in likelihood.groups:
        names = group.names(vector, results)
        simulated = evaluate_arrays(group.formula, names, group.rows.size)
        width = evaluate_arrays(group.noise, names, group.rows.size)
        found = densities_of(group, simulated, width)
        value += float(found.log_density.sum())
        for of, slope, weight in ((group.formula, found.slope_value, found.information_value),
                                  (group.noise, found.slope_width, found.information_width)):  # fmt: skip
            jacobian = _jacobian(group, derivatives(of, names, _real_names(names), group.rows.size), slopes, estimated, scale_slope)
            gradient += slope @ jacobian
            information += jacobian.T @ (jacobian * weight[:, None])
    if not (math.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(information).all()):
        return None
    return LocalModel(value=value, gradient=frozen(gradient), information=frozen(information))


def _real_names(names: dict[str, Array]) -> list[str]:
    return [name for name in names if name != TIME_NAME]


def _jacobian(group: Group, partial: dict[str, Array], slopes: Array, estimated: IntArray, scale_slope: Array) -> Array:
    """d formula / d parameter on its scale, shape (n_rows, n): by entries of the tables, and by way of the simulation."""
    jacobian = np.zeros((group.rows.size, scale_slope.size))
    rows = np.arange(group.rows.size)
    for name, places in group.places.items():
        to = estimated[places]
        here = to >= 0
        np.add.at(jacobian, (rows[here], to[here]), partial[name][here] * scale_slope[to[here]])
    for name, column in group.columns.items():
        by = partial[name]
        used = by != 0.0  # a formula may have no slope (0 x inf) in what it does not depend on
        jacobian[used] += by[used, None] * slopes[group.result_rows[used], column]
    return jacobian


def _result_slopes(likelihood: PetabLikelihood, point: Array, results: Array, step: float, simulate: BoolArray | None) -> Array:
    """d results / d parameter on its scale, shape (n_rows, n_columns, n); 0 for parameters no simulation depends on."""
    space = likelihood.problem.space
    slopes = np.zeros((*results.shape, len(space.ids)))
    if not likelihood.columns:
        return slopes
    dynamic = dynamic_parameters(likelihood)
    for at in range(len(space.ids)):
        if not dynamic[at] or (simulate is not None and not simulate[at]):
            continue
        change = _change(likelihood, point, at, step)
        ends: list[tuple[float, Array]] = []
        for sign in (-1.0, 1.0):
            moved = np.array(point)
            moved[at] += sign * change
            vector = likelihood.sources.vector(space.linear(moved))
            try:
                ends.append((sign * change, simulate_runs(likelihood.session, likelihood.plan, vector, likelihood.columns)))
            except SimulationError:
                ends.append((0.0, results))  # then the difference is taken to one side
        span = ends[1][0] - ends[0][0]
        if span:
            slopes[:, :, at] = (ends[1][1] - ends[0][1]) / span
    return slopes


def dynamic_parameters(likelihood: PetabLikelihood) -> BoolArray:
    """Which estimated parameters the simulations depend on, shape (n,); the others only scale, shift or widen."""
    return np.isin(likelihood.problem.space.position, likelihood.simulated_places)


def _change(likelihood: PetabLikelihood, point: Array, at: int, step: float) -> float:
    space = likelihood.problem.space
    if space.scales[at] == "log":
        return step
    if space.scales[at] == "log10":
        return step / math.log(10.0)
    width = float(space.upper[at] - space.lower[at])
    size = max(abs(float(point[at])), 1e-3 * width if math.isfinite(width) else 0.0)
    return step * size if size else step
