"""Scans of any model: a grid of values, and sensitivities of its outputs to its parameters, near the values and over ranges.

Values are set as `simulate_model` sets them: a parameter or compartment by id, a species "S" by its amount, "[S]" by its concentration. Every
run is checked as every simulation is; a run that cannot be simulated is a row that says so, and the others stay.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.errors import Fault, SimulationError, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.elementary_effects import walk_effects
from thrombokit.numerics.outcome import Outcome
from thrombokit.numerics.streams import stream
from thrombokit.scale.engine import Engine, SerialEngine
from thrombokit.signalling.network import Network
from thrombokit.signalling.scan_result import Scan
from thrombokit.signalling.selections import selection_faults, usual_selections
from thrombokit.signalling.simulate import SimulatedModel, simulate_model
from thrombokit.signalling.start_values import setting_faults

MOST_RUNS = 20_000
STEP = 0.01
"""Of local sensitivities: change of a parameter's natural logarithm."""
FACTOR = 3.0
"""Of Morris' screening: how far either way a parameter goes whose range is not told."""
NOT_RUN = "not_simulated"
CAPTION = "The model's own numbers; whether its parameters hold for your cells is for its authors to say."
_CHUNK = 4


@dataclass(frozen=True, kw_only=True)
class Varied:
    """An id of the model and the values it takes; of a range its ends."""

    id: str
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Run:
    """How every run of a scan goes: `end` and `points` as of `simulate_model`, `columns` the selections without the time."""

    network: Network
    end: float
    points: int
    columns: tuple[str, ...]
    settings: Mapping[str, float]

    def simulate(self, changed: Mapping[str, float]) -> SimulatedModel:
        """One run with some values changed."""
        return simulate_model(self.network, end=self.end, points=self.points, selections=("time", *self.columns),
                              settings={**self.settings, **changed})  # fmt: skip


def make_run(
    network: Network, *, end: float, points: int, selections: Sequence[str] | None, settings: Mapping[str, float], varied: Sequence[Varied]
) -> Run:  # fmt: skip
    """A run that scans share, checked together with what varies.

    Raises
    ------
    InputError
        With every selection, setting and varied id that is unknown, doubled or in conflict.
    """
    ids = [one.id for one in varied]
    chosen = tuple(name for name in (selections or usual_selections(network)) if name != "time")
    chosen = tuple(name for name in chosen if name not in ids) if selections is None else chosen
    faults = [*selection_faults(network, chosen), *setting_faults(network, [*settings, *ids])]
    faults += [
        Fault(place=f'--vary "{id}"', found="the same id in --set or --select, or twice", expected="each id in one place",
              cure="Leave one out; what varies is a column of the table anyway.")
        for id in dict.fromkeys(ids) if id in settings or id in chosen or ids.count(id) > 1
    ]  # fmt: skip
    if not chosen:
        faults.append(Fault(place="--select", found="nothing but the time", expected="one or more columns", cure="Name a species."))
    raise_all(faults)
    return Run(network=network, end=end, points=points, columns=chosen, settings=dict(settings))


def scan_values(run: Run, varied: Sequence[Varied], *, engine: Engine | None = None) -> Scan:
    """Every combination of values over time.

    Parameters
    ----------
    run : Run
    varied : sequence of Varied
        One or more.
    engine : Engine, optional
        Any engine gives the same numbers.

    Returns
    -------
    Scan
        One row a combination and time: a column an id that varies, `time`, the selections, `outcome` (how that run ended).

    Raises
    ------
    InputError
        If nothing varies, or the runs are too many.
    SimulationError
        If no run could be simulated.
    """
    grid = list(itertools.product(*(one.values for one in varied)))
    if not varied or not 0 < len(grid) <= MOST_RUNS:
        raise_all([Fault(place="--vary", found=f"{len(grid) if varied else 0} runs", expected=f"1 to {MOST_RUNS}",
                         cure="Name ids and values, such as k1=0.1,1,10.")])  # fmt: skip
    parts = (engine or SerialEngine()).map_ranges(_grid_rows, (run, tuple(varied), tuple(grid)), len(grid), chunk=_CHUNK)
    rows = pl.concat([frame for part in parts for frame in part])
    failed = rows.filter(pl.col("outcome") == NOT_RUN).height
    if failed == len(grid):
        raise SimulationError(f"{run.network.source}: none of {len(grid)} runs could be simulated; try other values.")
    said = (f"{len(grid)} runs.", *((f"{failed} could not be simulated: their rows say {NOT_RUN}.",) if failed else ()))
    names = [one.id for one in varied]
    settings = {
        "end": run.end,
        "points": run.points,
        "set": dict(run.settings),
        "vary": {one.id: list(one.values) for one in varied},
    }
    return Scan(kind="values", model=run.network.source, rows=rows, label=names[0], shown=run.columns[:6], caption=CAPTION, said=said,
                settings=settings)  # fmt: skip


def _grid_rows(shared: tuple[Run, tuple[Varied, ...], tuple[tuple[float, ...], ...]], start: int, stop: int) -> list[pl.DataFrame]:
    run, varied, grid = shared
    frames: list[pl.DataFrame] = []
    for values in grid[start:stop]:
        changed = {one.id: value for one, value in zip(varied, values, strict=True)}
        try:
            found = run.simulate(changed)
            table, outcome = found.table(), found.outcome.value
        except SimulationError:
            table, outcome = (
                pl.DataFrame(
                    {name: [None] for name in ("time", *run.columns)}, schema=dict.fromkeys(("time", *run.columns), pl.Float64)
                ),
                NOT_RUN,
            )
        frames.append(
            table.select(*(pl.lit(value).alias(id) for id, value in changed.items()), pl.all(), pl.lit(outcome).alias("outcome"))
        )
    return frames


def local_scan(run: Run, ids: Sequence[str] = ()) -> Scan:
    """Elasticity of each output by each parameter, by central differences of 1 %.

    Parameters
    ----------
    run : Run
    ids : sequence of str, optional
        Parameters; by default every constant parameter whose value is not 0.

    Returns
    -------
    Scan
        One row a parameter and output: `parameter, output, at_end, at_peak`: d ln output / d ln parameter of the value at the end and of the
        largest value; null where that value is 0 at the parameters as they are.
    """
    values = _values(run, ids)
    base = _ends_and_peaks(run.simulate({}))
    rows: list[dict[str, object]] = []
    for id, value in values.items():
        up, down = (_ends_and_peaks(run.simulate({id: value * math.exp(sign * STEP)})) for sign in (1.0, -1.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(base != 0.0, (up - down) / (2.0 * STEP) / base, np.nan)
        rows.extend({"parameter": id, "output": name, "at_end": _known(slope[0, k]), "at_peak": _known(slope[1, k])}
                    for k, name in enumerate(run.columns))  # fmt: skip
    table = pl.DataFrame(rows, schema={"parameter": pl.String, "output": pl.String, "at_end": pl.Float64, "at_peak": pl.Float64})
    told = "Elasticities near the parameters as they are: per cent of output a per cent of parameter."
    return Scan(kind="local", model=run.network.source, rows=table, label="parameter", shown=("at_end", "at_peak"), caption=CAPTION, said=(told,),
                settings={"end": run.end, "set": dict(run.settings), "step": STEP})  # fmt: skip


def morris_scan(
    run: Run, ranges: Sequence[Varied], *, trajectories: int, seed: int, engine: Engine | None = None
) -> Scan:  # fmt: skip
    """Elementary effects of parameters over ranges, on the values at the end.

    Parameters
    ----------
    run : Run
    ranges : sequence of Varied
        Ids with their two ends; without any, every constant parameter that is not 0, over a factor of `FACTOR` either way.
    trajectories : int
        Walks, 2 or more; each costs one run a parameter and one more.
    seed : int
    engine : Engine, optional

    Returns
    -------
    Scan
        One row a parameter and output: `parameter, low, high, output, mu_star, mu, sigma`, in the unit of the output, for crossing the whole
        range (evenly on the log scale where both ends are above 0).

    Raises
    ------
    InputError
        If a range has not two different ends, or there are fewer than two walks.
    SimulationError
        If some point of a range cannot be simulated.
    """
    told = ranges or [Varied(id=id, values=(value / FACTOR, value * FACTOR)) for id, value in _values(run, ()).items()]
    raise_all(_range_faults(told, trajectories))
    parts = (engine or SerialEngine()).map_ranges(_walks, (run, tuple(told), seed), trajectories, chunk=1)
    effects = np.concatenate(parts)
    rows = [
        {"parameter": one.id, "low": min(one.values), "high": max(one.values), "output": name,
         "mu_star": float(np.abs(effects[:, at, k]).mean()), "mu": float(effects[:, at, k].mean()),
         "sigma": float(effects[:, at, k].std(ddof=1))}
        for at, one in enumerate(told) for k, name in enumerate(run.columns)
    ]  # fmt: skip
    said = f"Elementary effects of {len(told)} parameters on the values at time {run.end:g}, {trajectories} walks" + (
        "." if ranges else f", each parameter over a factor of {FACTOR:g} either way (assumed).")  # fmt: skip
    return Scan(kind="morris", model=run.network.source, rows=pl.DataFrame(rows), label="parameter", shown=("mu_star", "sigma"), caption=CAPTION,
                said=(said,), settings={"end": run.end, "set": dict(run.settings), "trajectories": trajectories, "seed": seed})  # fmt: skip


def _walks(shared: tuple[Run, tuple[Varied, ...], int], start: int, stop: int) -> Array:
    run, ranges, seed = shared

    def answer(place: Array) -> Array:
        changed = {one.id: _between(min(one.values), max(one.values), float(at)) for one, at in zip(ranges, place, strict=True)}
        return _ends_and_peaks(run.simulate(changed))[0]

    return np.stack(
        [walk_effects(answer, len(ranges), stream(seed, "signalling", "model morris", number)) for number in range(start, stop)]
    )


def _between(low: float, high: float, place: float) -> float:
    return math.exp(math.log(low) + place * (math.log(high) - math.log(low))) if low > 0.0 else low + place * (high - low)


def _range_faults(ranges: Sequence[Varied], trajectories: int) -> list[Fault]:
    faults = [
        Fault(place=f'--vary "{one.id}"', found=f"{len(one.values)} values", expected="two ends of a range", cure=f"Write {one.id}=0.1,10.")
        for one in ranges if len(one.values) != 2 or one.values[0] == one.values[1]
    ]  # fmt: skip
    if trajectories < 2:
        faults.append(Fault(place="--trajectories", found=f"{trajectories}", expected="2 or more", cure="10 to 50 are usual."))
    return faults


def _values(run: Run, ids: Sequence[str]) -> dict[str, float]:
    """Parameters to vary and their values: those of `ids` (starting amounts and concentrations too), else all that are constant and not 0."""
    network = run.network
    known = {
        one.id: one.value
        for one in network.parameters
        if not network.can_change(one.id) and one.id not in network.initial_assignments
    }
    if ids:
        known |= {one.id: one.initial_amount for one in network.species} | {
            f"[{one.id}]": one.initial_concentration for one in network.species
        }
    usable = {id: found for id, value in known.items() if (found := run.settings.get(id, value))}
    faults = [
        Fault(place=f'--vary "{id}"', found="no constant parameter, and no starting value, other than 0", expected="one, for a change in per cent",
              cure="Set it to a value with --set, or leave it out.")
        for id in ids if id not in usable
    ]  # fmt: skip
    if not ids and not usable:
        faults.append(Fault(place="--vary", found="no parameter of the model that is constant and not 0 (those inside reactions cannot be varied)",
                            expected="ids to vary", cure="Name starting values, such as --vary S1=1."))  # fmt: skip
    raise_all(faults)
    return {id: usable[id] for id in ids} if ids else usable


def _ends_and_peaks(found: SimulatedModel) -> Array:
    """Values at the end and largest values of the columns after the time, shape (2, n)."""
    if found.outcome is Outcome.NOT_FINITE:
        raise SimulationError(found.message)
    values = found.values[:, 1:]
    return np.stack([values[-1], values.max(axis=0)])


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
