"""A model simulated over time, with a statement of how far the numbers can be trusted.

Every simulation is run twice, the second time with tighter tolerances. Where the two differ by more than the aim, tolerances are tightened
further; where that does not help (chaos, events on a knife's edge) the result says so instead of passing for exact. Of events at the
same time whose order the model leaves open both orders are tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from thrombokit.drawing.model_lines import ModelLine, draw_model_lines
from thrombokit.errors import Fault, raise_all
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.numerics.outcome import Outcome
from thrombokit.signalling.network import Network
from thrombokit.signalling.roadrunner_model import Tolerances, load_session
from thrombokit.signalling.selections import selection_faults, usual_selections
from thrombokit.signalling.start_values import setting_faults

AIM = 1e-6
"""Largest difference between two runs, relative to the largest value of a column, that counts as the same."""
TIGHTENING = Tolerances(relative=1e-2, absolute=1e-3, longest_step=0.2)
"""What tolerances are multiplied by from one run to the next."""
MOST_POINTS = 1_000_000
_TIGHTEST = Tolerances(relative=1e-13, absolute=1e-24, longest_step=1e-5)
_MOST_RUNS = 6
_LEAST_TIGHTENING = 0.1
_TIES = (
    "Events happen at the same time, and the model leaves their order open; in the opposite order the answer is another one. "
    "These values are for the order of the file: give the events priorities."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedModel(FrozenArrays):
    """Values of a model over time.

    Attributes
    ----------
    model : str
        The model's file.
    selections : tuple of str
        The columns: "time"; of a species "S" its amount and "[S]" its concentration; other ids their value, reactions their rate.
    values : array of shape (n_points, n_selections)
    largest_difference : float
        Between the last two runs, over all columns, each relative to its largest value.
    outcome : Outcome
        `converged`, or `not_finite` where a value is not a number, or `max_steps` where tighter tolerances or another order of events
        kept changing the answer.
    message : str
        How it ended, as a sentence.
    settings : dict of str to float
        What was set by the caller.
    tolerances : Tolerances
        Of the last run, whose values these are.
    """

    model: str
    selections: tuple[str, ...]
    values: Array
    largest_difference: float
    outcome: Outcome
    message: str
    settings: Mapping[str, float]
    tolerances: Tolerances
    time_unit: str = ""
    substance_unit: str = ""
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))

    def table(self) -> pl.DataFrame:
        """A row per point, a column per selection, under its name; units as the model has them are in `time_unit`, `substance_unit`."""
        return pl.DataFrame({name: self.values[:, at] for at, name in enumerate(self.selections)})

    def summary(self) -> str:
        """How long, how many points, how it ended."""
        end = f"{len(self.values)} points of {self.model}"
        return " ".join([f"{end}. {self.message}", *self.notes])

    def plot(self) -> alt.LayerChart | alt.Chart:
        """Every column against time."""
        at = self.selections.index("time") if "time" in self.selections else None
        x = self.values[:, at] if at is not None else np.arange(len(self.values), dtype=np.float64)
        title = f"time ({self.time_unit})" if self.time_unit and at is not None else "time" if at is not None else "point"
        lines = [
            ModelLine(name=name, time=x, values=self.values[:, column])
            for column, name in enumerate(self.selections)
            if name != "time"
        ]
        return draw_model_lines(lines, time_title=title)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: columns by name, null where a value is not finite."""
        return {
            "schema": "thrombokit.simulation/1", "model": self.model, "points": len(self.values), "outcome": self.outcome.value,
            "message": self.message, "largest_difference": _finite(self.largest_difference), "settings": dict(self.settings),
            "tolerances": {"relative": self.tolerances.relative, "absolute": self.tolerances.absolute},
            "time_unit": self.time_unit or None, "substance_unit": self.substance_unit or None, "notes": list(self.notes),
            "columns": {
                name: [_finite(value) for value in self.values[:, at].tolist()] for at, name in enumerate(self.selections)
            },
        }  # fmt: skip


def simulate_model(
    network: Network,
    *,
    end: float,
    points: int,
    selections: Sequence[str] | None = None,
    settings: Mapping[str, float] | None = None,
    tolerances: Tolerances | None = None,
) -> SimulatedModel:
    """Simulate a model from time 0.

    Parameters
    ----------
    network : Network
    end : float
        Last time reported, > 0, in the model's unit of time.
    points : int
        Rows, evenly spaced from 0 to `end`, both ends included.
    selections : list of str, optional
        Columns: "time"; of a species "S" its amount, "[S]" its concentration; parameters, compartments, stoichiometries by id; reactions by
        id, their rate. By default the time, the amount of every species, and the parameters and compartments that change.
    settings : dict of str to float, optional
        Values in place of the file's; see `SimulationSession.start`.
    tolerances : Tolerances, optional
        Of the first run; a relative one below 1e-11 leaves no room for the second and is raised to it.

    Returns
    -------
    SimulatedModel

    Raises
    ------
    InputError
        With everything wrong with times, selections and settings.
    FileFormatError
        If the model cannot be simulated right.
    SimulationError
        If the solver cannot go on.
    """
    chosen = tuple(selections) if selections is not None else usual_selections(network)
    raise_all([*_time_faults(end, points), *selection_faults(network, chosen), *setting_faults(network, sorted(settings or {}))])
    grid = np.linspace(0.0, end, points)
    values, difference, tried = _agreeing_values(network, tolerances or Tolerances(), grid, chosen, settings)
    outcome, message = _ending(values, difference, chosen)
    if len(network.events) > 1 and outcome is Outcome.CONVERGED:
        reordered = _difference(_run(network, tried, grid, chosen, settings, last_first=True), values)
        if reordered > AIM:
            difference, outcome, message = reordered, Outcome.MAX_STEPS, _TIES
    return SimulatedModel(
        model=network.source, selections=chosen, values=values, largest_difference=difference, outcome=outcome, message=message,
        settings=dict(settings or {}), tolerances=tried, time_unit=network.time_unit, substance_unit=network.substance_unit,
        notes=network.model_notes,
    )  # fmt: skip


def _agreeing_values(
    network: Network, first: Tolerances, grid: Array, selections: tuple[str, ...], settings: Mapping[str, float] | None
) -> tuple[Array, float, Tolerances]:
    """Values of the last run, their difference from the run before, and the tolerances of the last."""
    tried = replace(first, relative=max(first.relative, _TIGHTEST.relative / TIGHTENING.relative))
    values, difference = _run(network, tried, grid, selections, settings), float(np.inf)
    for _ in range(_MOST_RUNS - 1):
        tighter = _tighter(tried)
        if tighter.relative > _LEAST_TIGHTENING * tried.relative:
            break  # two runs that are alike by construction would prove nothing
        again = _run(network, tighter, grid, selections, settings)
        difference = _difference(values, again)
        values, tried = again, tighter
        if difference <= AIM:
            break
    return values, difference, tried


def _run(
    network: Network,
    tolerances: Tolerances,
    grid: Array,
    selections: tuple[str, ...],
    settings: Mapping[str, float] | None,
    *,
    last_first: bool = False,
) -> Array:
    session = load_session(network, tolerances=tolerances, last_first=last_first)
    values = session.simulate(grid, selections, settings)
    session.check()
    if "time" in selections:
        values[:, selections.index("time")] = grid
    return values


def _tighter(tried: Tolerances) -> Tolerances:
    def less(name: str) -> float:
        was = getattr(tried, name)
        return max(was * getattr(TIGHTENING, name), min(getattr(_TIGHTEST, name), was))

    return Tolerances(relative=less("relative"), absolute=less("absolute"), longest_step=less("longest_step"))


def _difference(first: Array, second: Array) -> float:
    """Largest difference of two runs, each column relative to its largest value; values that are not finite must be the same."""
    if not np.array_equal(np.isfinite(first), np.isfinite(second)):
        return float(np.inf)
    known = np.isfinite(second)
    size = np.where(known, np.abs(second), 0.0).max(axis=0, initial=0.0)
    apart = np.where(known, np.abs(np.where(known, first - second, 0.0)), 0.0).max(axis=0, initial=0.0)
    return float(np.divide(apart, size, out=np.zeros_like(apart), where=size > 0.0).max(initial=0.0))


def _ending(values: Array, difference: float, selections: tuple[str, ...]) -> tuple[Outcome, str]:
    if not np.isfinite(values).all():
        open_columns = [name for at, name in enumerate(selections) if not np.isfinite(values[:, at]).all()]
        return Outcome.NOT_FINITE, f"Not a finite number in places: {', '.join(open_columns)}."
    if difference <= AIM:
        return Outcome.CONVERGED, f"Two runs of different tolerances agree within {difference:.1e} of each column's largest value."
    return Outcome.MAX_STEPS, (
        f"Tighter tolerances change the answer by {difference:.1e} of a column's largest value: "
        "values late in the simulation are not to be relied on."
    )


def _time_faults(end: float, points: int) -> list[Fault]:
    faults: list[Fault] = []
    if not (np.isfinite(end) and end > 0.0):
        faults.append(Fault(place="end", found=f"{end:g}", expected="a time after 0", cure="Give the last time to report."))
    if not 2 <= points <= MOST_POINTS:
        cure = "Both ends are included: 2 points are the start and the end."
        faults.append(Fault(place="points", found=str(points), expected=f"2 to {MOST_POINTS}", cure=cure))
    return faults


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
