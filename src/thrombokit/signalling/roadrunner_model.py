"""The one door to libroadrunner: a model loaded, set, started and simulated.

libroadrunner integrates (CVODE, compiled rates). What it starts from is computed here (`start_values`): its own handling of initial
assignments is taken out of the text it is given, every value is set outright, and its clock is then put to zero, upon which events that
happen at time 0 happen. When a model is loaded, its rates and derivatives are compared with our own reading of the same text; where the
two disagree the model is refused, as one of them must be wrong.

References
----------
Welsh C et al. (2023) libRoadRunner 2.0. Bioinformatics 39:btac770, doi:10.1093/bioinformatics/btac770.
Hindmarsh AC et al. (2005) SUNDIALS. ACM Trans Math Softw 31:363-396, doi:10.1145/1089014.1089020.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thrombokit.errors import Fault, FileFormatError, MissingExtraError, SimulationError, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.outcome import Outcome
from thrombokit.signalling.network import Network
from thrombokit.signalling.rate_equations import RateEquations
from thrombokit.signalling.readings import compare_readings
from thrombokit.signalling.selections import selection_faults
from thrombokit.signalling.solver_places import SolverPlaces
from thrombokit.signalling.solver_settings import Rest, Tolerances
from thrombokit.signalling.solver_text import solver_faults, solver_text
from thrombokit.signalling.start_values import StartPlan, StartValues, merge_state
from thrombokit.signalling.switches import snapped, switches_of

try:
    import roadrunner  # pyright: ignore[reportMissingImports]
except ImportError:  # the extra is not installed
    roadrunner: Any = None

MOST_STEPS = 200_000
"""Solver steps between two outputs before a simulation is given up."""
AGREEMENT = 1e-9
"""Relative difference between libroadrunner's reading of a model and ours above which a model is refused."""
_PLANS_KEPT = 64


class SimulationSession:
    """A loaded model that can be started and run again and again; not to be shared between threads.

    Parameters
    ----------
    network : Network
    tolerances : Tolerances, optional
    last_first : bool, optional
        Events at the same time whose order the model leaves open happen in the order of the file, or in the opposite one.

    Raises
    ------
    FileFormatError
        If libroadrunner cannot simulate the model, or reads it otherwise than we do.
    InputError
        If the model's start values cannot be computed.
    MissingExtraError
        If libroadrunner is not installed.

    Examples
    --------
    >>> session.start({"k1": 0.3, "[S]": 2.0})                    # doctest: +SKIP
    >>> session.run([0.0, 5.0, 10.0], ["[S]", "P"])               # doctest: +SKIP
    """

    def __init__(self, network: Network, *, tolerances: Tolerances | None = None, last_first: bool = False) -> None:
        self.network = network
        self.tolerances = tolerances or Tolerances()
        raise_all(solver_faults(network), FileFormatError)
        self._text = solver_text(network, last_first=last_first)
        self._solver = _new_solver()
        self._load()
        self._plans: dict[frozenset[str], StartPlan] = {}
        self._equations = RateEquations(network)
        self._places = SolverPlaces(self._model, network)
        self._start_values: StartValues | None = None
        self._switches = switches_of(network)
        self._may_leave_pending = any(event.delay is not None for event in network.events)
        self.start()
        self.check()

    def start(self, settings: Mapping[str, float] | None = None, *, state: Mapping[str, float] | None = None) -> None:
        """Put the model at time 0, with some values set.

        Parameters
        ----------
        settings : dict of str to float, optional
            Parameters and compartments by id; of a species "S" its amount, "[S]" its concentration. They take the place of what the
            file says, and initial assignments that depend on them follow.
        state : dict of str to float, optional
            Amounts of species and values of other variables to start from (`state()` of an earlier run), where `settings` do not name
            them.

        Raises
        ------
        InputError
            With every setting that is unknown, cannot be set or is not a finite number.
        """
        settings = settings or {}
        plan = self._plan(frozenset(settings))
        values = plan.evaluate(settings)
        if state:
            values = merge_state(self.network, values, state, settings)
        self._start_values = values
        if self._may_leave_pending:  # libroadrunner keeps events that are still due, whatever is reset
            self._load()
        self._places.fill(self._model, values)
        self._set_absolute_tolerance(values)
        self._solver.reset(roadrunner.SelectionRecord.TIME)

    def change(self, settings: Mapping[str, float]) -> None:
        """Set values now, at the time the run has come to; names as for `start`. Nothing else changes.

        Raises
        ------
        InputError
            With every setting that is unknown, cannot be set or is not a finite number.
        """
        self._plan(frozenset(settings)).evaluate(settings)
        for name, value in settings.items():
            self._model[name] = float(value)

    def run(self, times: Sequence[float] | Array, selections: Sequence[str]) -> Array:
        """Simulate on from the present time.

        Parameters
        ----------
        times : array of shape (n_times,), increasing
            Model times to report, none before the present time.
        selections : list of str
            "time"; of a species "S" its amount and "[S]" its concentration; parameters, compartments, stoichiometries by id;
            reactions by id, their rate.

        Returns
        -------
        array of shape (n_times, n_selections)

        Raises
        ------
        InputError
            If times run backwards or a selection is unknown.
        SimulationError
            If the solver cannot go on; the message says where it came to.
        """
        grid = np.asarray(times, dtype=np.float64)
        now = self.time
        self._check_times(grid, now)
        self._select(selections)
        if grid.size == 0:
            return np.empty((0, len(selections)))
        points = grid if grid[0] == now else np.concatenate(([now], grid))
        if points.size == 1:
            return np.array([[self._solver.getValue(name) for name in selections]], dtype=np.float64)
        values = self._go_on(points)
        return values[points.size - grid.size :]

    def simulate(self, times: Sequence[float] | Array, selections: Sequence[str],
                 settings: Mapping[str, float] | None = None) -> Array:  # fmt: skip
        """`start` and `run` in one: array of shape (n_times, n_selections). Raises as they do."""
        self.start(settings)
        return self.run(times, selections)

    @property
    def time(self) -> float:
        """The time the run has come to."""
        return float(self._model.getTime())

    def state(self) -> dict[str, float]:
        """Amounts of all species, and values of the parameters and compartments that change, now."""
        network = self.network
        ids = [*network.species_by_id]
        ids.extend(id for id in (*network.parameter_by_id, *network.compartment_by_id) if network.can_change(id))
        return {id: float(self._solver.getValue(id)) for id in ids if id not in network.assignment_rules}

    def run_to_rest(self, *, tolerance: float = 1e-8, most_time: float = 1e9) -> Rest:
        """Run on until nothing moves any more.

        The state counts as at rest when every amount, at its present rate, would change by less than `tolerance` of itself (or of the
        smallest scale of the model) in as long a time as has been run so far.

        Parameters
        ----------
        tolerance : float
        most_time : float
            Model time after which to stop.

        Returns
        -------
        Rest
            `max_steps` as well where the solver's own steps ran out, as they do in a model that oscillates.
        """
        self._select(())
        began = self.time
        elapsed, movement = self._first_step(most_time), math.inf
        while True:
            try:
                self._go_on(np.array([self.time, began + elapsed]))
            except SimulationError:
                return Rest(outcome=Outcome.MAX_STEPS, time=self.time - began, movement=movement)
            movement = self._movement(elapsed)
            if movement < tolerance:
                return Rest(outcome=Outcome.CONVERGED, time=elapsed, movement=movement)
            if elapsed >= most_time:
                return Rest(outcome=Outcome.MAX_STEPS, time=elapsed, movement=movement)
            elapsed = min(4.0 * elapsed, most_time)

    def check(self) -> None:
        """Compare libroadrunner's reading of the model with ours, at the present state.

        Raises
        ------
        FileFormatError
            If the two disagree; the message names the values.
        """
        if self._start_values is not None:
            compare_readings(self._solver, self._equations, self._start_values, time=self.time, agreement=AGREEMENT)

    def _load(self) -> None:
        """Give the solver the text; a second time it costs little, as what was compiled is kept."""
        try:
            self._solver.load(self._text)
        except RuntimeError as error:
            cure = "Simplify what is named, or simulate the model with another tool."
            fault = Fault(place=self.network.source, found=_told(error), expected="a model libroadrunner can simulate", cure=cure)
            raise FileFormatError(fault) from None
        self._model = self._solver.model
        self._selections: tuple[str, ...] | None = None
        self._absolute = self._longest = math.nan
        self._solver.setIntegrator("cvode")
        self._solver.integrator.setValue("relative_tolerance", self.tolerances.relative)
        self._solver.integrator.setValue("maximum_num_steps", MOST_STEPS)

    def _plan(self, names: frozenset[str]) -> StartPlan:
        if names not in self._plans:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            self._plans[names] = StartPlan(self.network, names)
        return self._plans[names]

    def _check_times(self, grid: Array, now: float) -> None:
        faults: list[Fault] = []
        if grid.ndim != 1 or not np.isfinite(grid).all():
            faults.append(
                Fault(place="times", found="values that are not finite numbers in one row", expected="times", cure="Correct them.")
            )
        elif grid.size and (grid[0] < now or (np.diff(grid) <= 0.0).any()):
            first = grid[0] if grid[0] < now else grid[1:][np.diff(grid) <= 0.0][0]
            cure = "Sort the times and leave out what is double; call start() to begin again at 0."
            faults.append(Fault(place="times", found=f"{first:g}", expected=f"times that increase, from {now:g} on", cure=cure))
        raise_all(faults)

    def _go_on(self, points: Array) -> Array:
        return self._integrate_in_stretches(points) if self._switches.has_any else self._integrate(points)

    def _integrate_in_stretches(self, points: Array) -> Array:
        """Integrate from one switch of a condition to the next: the solver looks ahead of the times it reports, not of where it began."""
        longest = self.tolerances.longest_step * (points[-1] - points[0])
        if longest != self._longest:
            self._solver.integrator.setValue("maximum_time_step", float(longest))
            self._longest = longest
        times = snapped(self._switches.times(self._solver.getValue), points)
        rows: list[Array] = []
        begin = 0
        for switch in (*times, points[-1]):
            after = int(np.searchsorted(points, switch))
            is_reported = points[after] == switch
            inner = points[begin:after]
            leading = [] if begin == 0 else [self.time]
            stretch = self._integrate(np.concatenate((leading, inner, [switch])))
            rows.append(stretch[len(leading) : None if is_reported else -1])
            begin = after + int(is_reported)
        return np.concatenate(rows)

    def _select(self, selections: Sequence[str]) -> None:
        wanted = tuple(selections)
        if wanted != self._selections:
            raise_all(selection_faults(self.network, wanted))
            self._solver.timeCourseSelections = list(wanted) or ["time"]
            self._selections = wanted

    def _integrate(self, points: Array) -> Array:
        try:
            return np.array(self._solver.simulate(times=points.tolist()), dtype=np.float64)
        except RuntimeError as error:
            raise SimulationError(
                f"{self.network.source}: the solver stopped at time {self.time:g} on its way to {points[-1]:g} ({_told(error)}). "
                "Look for rates that grow without bound or for events that follow each other without end."
            ) from None

    def _set_absolute_tolerance(self, values: StartValues) -> None:
        absolute = self.tolerances.absolute * self._places.smallest_scale(values)
        if absolute != self._absolute:
            self._solver.integrator.setValue("absolute_tolerance", absolute)
            self._absolute = absolute

    def _first_step(self, most_time: float) -> float:
        rates = np.abs(self._rates())
        amounts = np.abs(self._amounts())
        moving = (rates > 0.0) & (amounts > 0.0)
        return float(min(most_time, 1e-2 * (amounts[moving] / rates[moving]).min())) if moving.any() else min(most_time, 1.0)

    def _movement(self, elapsed: float) -> float:
        amounts = np.abs(self._amounts())
        floor = self._absolute / self.tolerances.relative
        change = np.abs(self._rates()) * elapsed / np.maximum(amounts, floor)
        return float(change.max()) if change.size else 0.0

    def _rates(self) -> Array:
        return np.asarray(self._solver.getRatesOfChange(), dtype=np.float64)

    def _amounts(self) -> Array:
        ids = [self._model.getStateVectorId(at) for at in range(len(self._solver.getRatesOfChange()))]
        return np.array([self._solver.getValue(id) for id in ids], dtype=np.float64)


def load_session(network: Network, *, tolerances: Tolerances | None = None, last_first: bool = False) -> SimulationSession:
    """A session for a network, taken from the last few of this process where one is at hand: loading compiles the model.

    Parameters
    ----------
    network : Network
    tolerances : Tolerances, optional
    last_first : bool, optional
        See `SimulationSession`.

    Returns
    -------
    SimulationSession
        Started with the model's own values. A session of the same text and tolerances is the same object: whoever asks again takes it over.
    """
    key = (network.sbml, tolerances or Tolerances(), last_first)
    session = _SESSIONS.pop(key, None) or SimulationSession(network, tolerances=tolerances, last_first=last_first)
    _SESSIONS[key] = session
    while len(_SESSIONS) > _SESSIONS_KEPT:
        _SESSIONS.pop(next(iter(_SESSIONS)))
    session.start()
    return session


_SESSIONS: dict[tuple[str, Tolerances, bool], SimulationSession] = {}
_SESSIONS_KEPT = 8


def _new_solver() -> Any:
    if roadrunner is None:
        raise MissingExtraError(
            'Simulating a model needs libroadrunner, which is not installed: pip install "thrombokit[signalling]"'
        )
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    for kind in ("ERROR", "WARNING"):  # CVODE would write to stderr; what matters follows as an error of ours
        os.environ.setdefault(f"SUNLOGGER_{kind}_FILENAME", os.devnull)
    return roadrunner.RoadRunner()


def _told(error: RuntimeError) -> str:
    """What the solver said, in one line, without the names of its own functions."""
    said = " ".join(str(error).split()).split(", at ")[0].split("; In ")[0]
    return said[:300] or "no reason given"
