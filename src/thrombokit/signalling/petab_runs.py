"""The simulations a PEtab problem asks for, each made once: conditions that set the same numbers share one run and one time grid.

A run is a start (with a pre-equilibration before it, where the rows name one), the times of all its rows, and the steady state where a
row asks for time = inf. The state that a pre-equilibration ends in is carried over to the run, except what the run's own condition sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen
from thrombokit.numerics.outcome import Outcome
from thrombokit.signalling.network import Network
from thrombokit.signalling.petab_names import Sources
from thrombokit.signalling.petab_problem import Measurement
from thrombokit.signalling.roadrunner_model import SimulationSession


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings(FrozenArrays):
    """What a condition sets: names as the simulation takes them, and the place of each value in the vector of all values."""

    names: tuple[str, ...]
    places: IntArray

    @classmethod
    def of(cls, settings: Mapping[str, int]) -> Settings:
        """From a dict of setting name to place."""
        return cls(names=tuple(settings), places=frozen(list(settings.values()), np.int64))

    def values(self, vector: Array) -> dict[str, float]:
        """The settings as the simulation takes them."""
        return dict(zip(self.names, vector[self.places].tolist(), strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class Run(FrozenArrays):
    """One simulation: `times` ascending and finite, `to_rest` for the steady state after them; its results begin at row `first`.

    `before` is the number of the pre-equilibration, None where there is none; `place` is the first row of the table that asks for it.
    """

    settings: Settings
    before: int | None
    times: Array
    to_rest: bool
    first: int
    place: str

    @property
    def n_rows(self) -> int:
        """Rows of results."""
        return self.times.size + int(self.to_rest)


@dataclass(kw_only=True)
class _Draft:
    settings: dict[str, int]
    before: int | None
    place: str
    times: set[float] = field(default_factory=set[float])


@dataclass(frozen=True, kw_only=True, eq=False)
class RunPlan(FrozenArrays):
    """All simulations of a problem.

    Attributes
    ----------
    equilibrations : tuple of (Settings, place)
        Runs to rest, before anything else.
    runs : tuple of Run
    row_of : array of shape (n_measurements,), integer
        The row of the results that belongs to each measurement.
    """

    equilibrations: tuple[tuple[Settings, str], ...]
    runs: tuple[Run, ...]
    row_of: IntArray

    @property
    def n_rows(self) -> int:
        """Rows of results in all."""
        return sum(run.n_rows for run in self.runs)

    @property
    def places(self) -> frozenset[int]:
        """Places of the vector of values that any simulation depends on."""
        every = [settings for settings, _ in self.equilibrations] + [run.settings for run in self.runs]
        return frozenset(int(place) for settings in every for place in settings.places)


def plan_runs(measurements: Sequence[Measurement], sources: Sources) -> RunPlan:
    """Which simulations the measurements need, each once."""
    named = dict.fromkeys(c for one in measurements for c in (one.condition, one.preequilibration) if c)
    settings = {condition: sources.settings_of(condition) for condition in named}
    keys = {condition: tuple(found.items()) for condition, found in settings.items()}
    equilibrations: dict[tuple[tuple[str, int], ...], int] = {}
    drafts: dict[tuple[tuple[tuple[str, int], ...], int | None], _Draft] = {}
    equilibration_places: list[str] = []
    key_of: list[tuple[tuple[tuple[str, int], ...], int | None]] = []
    for one in measurements:
        before: int | None = None
        if one.preequilibration:
            key = keys[one.preequilibration]
            if key not in equilibrations:
                equilibrations[key] = len(equilibrations)
                equilibration_places.append(one.place)
            before = equilibrations[key]
        run_key = (keys[one.condition], before)
        draft = drafts.setdefault(run_key, _Draft(settings=settings[one.condition], before=before, place=one.place))
        draft.times.add(one.time)
        key_of.append(run_key)
    runs: dict[tuple[tuple[tuple[str, int], ...], int | None], Run] = {}
    first = 0
    for run_key, draft in drafts.items():
        finite = sorted(time for time in draft.times if np.isfinite(time))
        runs[run_key] = Run(
            settings=Settings.of(draft.settings), before=draft.before, times=frozen(finite), to_rest=len(finite) < len(draft.times),
            first=first, place=draft.place,
        )  # fmt: skip
        first += runs[run_key].n_rows
    rows = [_row_of(runs[key], one.time) for key, one in zip(key_of, measurements, strict=True)]
    return RunPlan(
        equilibrations=tuple((Settings.of(dict(key)), place) for key, place in zip(equilibrations, equilibration_places, strict=True)),
        runs=tuple(runs.values()), row_of=frozen(rows, np.int64),
    )  # fmt: skip


def _row_of(run: Run, time: float) -> int:
    return run.first + (int(np.searchsorted(run.times, time)) if np.isfinite(time) else run.times.size)


def simulate_runs(session: SimulationSession, plan: RunPlan, vector: Array, columns: Sequence[str]) -> Array:
    """Results of all runs.

    Parameters
    ----------
    session : SimulationSession
    plan : RunPlan
    vector : array of shape (n_values,)
        Parameters and numbers, see `Sources`.
    columns : list of str
        What is read, in the words of `SimulationSession.run`.

    Returns
    -------
    array of shape (plan.n_rows, n_columns)

    Raises
    ------
    SimulationError
        If the solver cannot go on, or there is no steady state where one is asked for; the message names the row of the table.
    """
    states = [_rest_state(session, settings.values(vector), place) for settings, place in plan.equilibrations]
    results = np.empty((plan.n_rows, len(columns)))
    if not columns:
        return results
    for run in plan.runs:
        session.start(run.settings.values(vector), state=None if run.before is None else states[run.before])
        finite = run.first + run.times.size
        try:
            results[run.first : finite] = session.run(run.times, columns)
        except SimulationError as error:
            raise SimulationError(f"{run.place}: {error}") from None
        if run.to_rest:
            _run_to_rest(session, run.place)
            results[finite] = session.run([session.time], columns)[0]
    return results


def _rest_state(session: SimulationSession, settings: Mapping[str, float], place: str) -> dict[str, float]:
    session.start(settings)
    _run_to_rest(session, f"{place}, pre-equilibration")
    return session.state()


def _run_to_rest(session: SimulationSession, place: str) -> None:
    try:
        rest = session.run_to_rest()
    except SimulationError as error:
        raise SimulationError(f"{place}: {error}") from None
    if rest.outcome is not Outcome.CONVERGED:
        raise SimulationError(
            f"{place}: no steady state; after {rest.time:.3g} units of time the model still moves by {rest.movement:.3g} of itself in as "
            "long again. Look for what is made without end or oscillates."
        )


def column_name(network: Network, id: str) -> str:
    """How results call an id that a formula reads."""
    species = network.species_by_id.get(id)
    return id if species is None or species.substance_only else f"[{id}]"
