"""The likelihood of a PEtab problem: parameters to simulated values, widths of the noise, and densities of the measurements.

Rows of one observable are evaluated at once. What a name stands for in each row is found out once (`petab_names`), so an evaluation is
the simulations (`petab_runs`) and a few gathers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen
from thrombokit.signalling.array_formulas import TIME_NAME, ArrayFormula, compile_arrays, evaluate_arrays
from thrombokit.signalling.expression import names_in
from thrombokit.signalling.noise_models import Densities, log_densities
from thrombokit.signalling.petab_names import Sources, is_in_model
from thrombokit.signalling.petab_problem import Measurement, Observable, PetabProblem
from thrombokit.signalling.petab_runs import column_name, plan_runs, simulate_runs
from thrombokit.signalling.roadrunner_model import SimulationSession
from thrombokit.signalling.solver_settings import Tolerances

USUAL = Tolerances(relative=1e-8, absolute=1e-11)
TIGHT = Tolerances(relative=1e-10, absolute=1e-13)
TIGHTEST = Tolerances(relative=1e-12, absolute=1e-15)
SETTLED = 1e-4
"""Change of the log-likelihood between two tolerances of the solver up to which it counts as settled; ten times that at the last."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RowValues(FrozenArrays):
    """Of each measurement, in the order of the tables, all of shape (n,): simulated value, width of its noise, log density."""

    simulated: Array
    width: Array
    log_density: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """All rows of one observable: where in the vector of values, or in which column of the results, each name of a row stands.

    Attributes
    ----------
    rows : array of shape (n,), integer
        The measurements.
    result_rows : array of shape (n,), integer
        The row of the results of each.
    places : dict of name to array of shape (n,), integer
        In the vector of values.
    columns : dict of name to int
        In the results.
    """

    observable: Observable
    formula: ArrayFormula
    noise: ArrayFormula
    rows: IntArray
    result_rows: IntArray
    measured: Array
    times: Array
    places: dict[str, IntArray]
    columns: dict[str, int]

    def names(self, vector: Array, results: Array) -> dict[str, Array]:
        """The value of each name in each row, arrays of shape (n,)."""
        found = {name: vector[places] for name, places in self.places.items()}
        found |= {name: results[self.result_rows, column] for name, column in self.columns.items()}
        found[TIME_NAME] = self.times
        return found


class PetabLikelihood:
    """A problem made ready to be evaluated again and again.

    Parameters
    ----------
    problem : PetabProblem
    tolerances : Tolerances, optional
        Of the solver.

    Raises
    ------
    InputError
        If the model cannot be simulated.
    MissingExtraError
        If libroadrunner is not installed.
    """

    def __init__(self, problem: PetabProblem, *, tolerances: Tolerances = USUAL) -> None:
        self.problem = problem
        self.session = SimulationSession(problem.network, tolerances=tolerances)
        self.sources = Sources(problem)
        self.plan = plan_runs(problem.measurements, self.sources)
        by_observable: dict[str, list[int]] = {}
        for row, one in enumerate(problem.measurements):
            by_observable.setdefault(one.observable, []).append(row)
        self.column_ids = self._column_ids(by_observable)
        self.columns = [column_name(problem.network, id) for id in self.column_ids]
        self.simulated_places = np.array(sorted(self.plan.places), dtype=np.int64)
        self._latest: tuple[bytes, Array] | None = None
        self.groups = tuple(self._group(problem.observable_by_id[id], rows) for id, rows in by_observable.items())

    def evaluate(self, parameters: Array) -> RowValues:
        """Simulated values, widths and log densities.

        Parameters
        ----------
        parameters : array of shape (n_parameters,)
            All parameters of the problem, on linear scale.

        Raises
        ------
        SimulationError
            If a simulation cannot be finished.
        """
        vector = self.sources.vector(np.asarray(parameters, dtype=np.float64))
        results = self.results(vector)
        simulated, width, log_density = (np.empty(len(self.problem.measurements)) for _ in range(3))
        for group in self.groups:
            names = group.names(vector, results)
            simulated[group.rows] = evaluate_arrays(group.formula, names, group.rows.size)
            width[group.rows] = evaluate_arrays(group.noise, names, group.rows.size)
            log_density[group.rows] = densities_of(group, simulated[group.rows], width[group.rows]).log_density
        return RowValues(simulated=frozen(simulated), width=frozen(width), log_density=frozen(log_density))

    def results(self, vector: Array) -> Array:
        """Results of the simulations, shape (plan.n_rows, n_columns); the latest are kept for when only scalings or widths change."""
        key = vector[self.simulated_places].tobytes()
        if self._latest is None or self._latest[0] != key:
            self._latest = (key, simulate_runs(self.session, self.plan, vector, self.columns))
        return self._latest[1]

    def value(self, point: Array) -> float:
        """Log-likelihood at the estimated parameters on their scales, shape (n,); -inf where there is none."""
        try:
            total = float(self.evaluate(self.problem.space.linear(point)).log_density.sum())
        except SimulationError:
            return -math.inf
        return total if math.isfinite(total) else -math.inf

    def _column_ids(self, by_observable: dict[str, list[int]]) -> list[str]:
        """Ids that formulas read and that no table gives for every row."""
        measurements = self.problem.measurements
        found: dict[str, None] = {}
        for id, rows in by_observable.items():
            conditions = {measurements[row].condition for row in rows}
            observable = self.problem.observable_by_id[id]
            for name in sorted(names_in(observable.formula) | names_in(observable.noise)):
                if is_in_model(self.problem.network, name) and any(self.sources.entry_of(name, c) is None for c in conditions):
                    found[name] = None
        return list(found)

    def _group(self, observable: Observable, rows: Sequence[int]) -> Group:
        measurements = [self.problem.measurements[row] for row in rows]
        names = names_in(observable.formula) | names_in(observable.noise)
        columns = {id: at for at, id in enumerate(self.column_ids) if id in names}
        places = {
            name: frozen([self._place(name, one) for one in measurements], np.int64)
            for name in sorted(names)
            if name not in columns
        }
        return Group(
            observable=observable, formula=compile_arrays(observable.formula, place=f"{observable.place}, column observableFormula"),
            noise=compile_arrays(observable.noise, place=f"{observable.place}, column noiseFormula"), rows=frozen(rows, np.int64),
            result_rows=self.plan.row_of[list(rows)], measured=frozen([one.value for one in measurements]),
            times=frozen([one.time for one in measurements]), places=places, columns=columns,
        )  # fmt: skip

    def _place(self, name: str, measurement: Measurement) -> int:
        """Where the value of a name stands in one row: a placeholder's entry, or what the tables say."""
        for kind, entries in (("observableParameter", measurement.observable_parameters),
                              ("noiseParameter", measurement.noise_parameters)):  # fmt: skip
            number, _, observable = name.removeprefix(kind).partition("_")
            if name.startswith(kind) and observable == measurement.observable and number.isdecimal():
                entry = entries[int(number) - 1]
                if not isinstance(entry, str):
                    return self.sources.at(entry)
                name = entry
                break
        entry = self.sources.entry_of(name, measurement.condition)
        assert entry is not None, name  # `petab_references` has seen to that
        return self.sources.at(entry)


def densities_of(group: Group, simulated: Array, width: Array) -> Densities:
    """Densities of the rows of one observable."""
    one = group.observable
    return log_densities(group.measured, simulated, width, transformation=one.transformation, distribution=one.distribution)


def log_likelihood(problem: PetabProblem) -> float:
    """Log-likelihood of all measurements at the nominal parameters, priors excluded, with the solver's error under control.

    The solver's tolerances are tightened until the number moves by no more than 1e-4 (1e-7 of itself, where that is more).

    Raises
    ------
    SimulationError
        If a simulation cannot be finished, a row has no likelihood, or the number never settles; the message says which.
    """
    totals: list[float] = []
    for tolerances in (USUAL, TIGHT, TIGHTEST):
        rows = PetabLikelihood(problem, tolerances=tolerances).evaluate(problem.space.all_nominal)
        check_rows(problem, rows)
        totals.append(math.fsum(rows.log_density.tolist()))
        enough = SETTLED if len(totals) < 3 else 10.0 * SETTLED
        if len(totals) > 1 and abs(totals[-1] - totals[-2]) <= enough * max(1.0, 1e-3 * abs(totals[-1])):
            return totals[-1]
    raise SimulationError(
        f"{problem.source}: the log-likelihood is {', then '.join(f'{total:.6f}' for total in totals)} as the solver's tolerance is tightened "
        f"from {USUAL.relative:g} to {TIGHTEST.relative:g}. The model cannot be simulated well enough at these parameters."
    )


def check_rows(problem: PetabProblem, rows: RowValues) -> None:
    """Refuse rows without a likelihood.

    Raises
    ------
    SimulationError
        Naming the first rows, and how many there are.
    """
    bad = np.flatnonzero(~np.isfinite(rows.log_density))
    if bad.size == 0:
        return
    told = [
        f"{problem.measurements[row].place}: {problem.measurements[row].observable} is simulated as {rows.simulated[row]:.6g} with noise of "
        f"width {rows.width[row]:.6g} (transformation {problem.observable_by_id[problem.measurements[row].observable].transformation})"
        for row in bad[:5].tolist()
    ]
    more = f"; and {bad.size - 5} more rows" if bad.size > 5 else ""
    raise SimulationError(
        f"{problem.source}: {'; '.join(told)}{more}. These have no likelihood: a width must be positive, and so must a value whose "
        "residual is taken on a logarithmic scale."
    )
