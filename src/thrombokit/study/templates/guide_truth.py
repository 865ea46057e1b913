"""The truth behind the guide study: what each compound does, in which runs, and what goes wrong.

The EC50s of hetrombopag and eltrombopag are those of the guide; everything else is invented for the exercise. The guide's
figure is the expected value of log10 EC50 over runs: the runs drawn by one seed scatter around it, as runs at the bench do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from thrombokit.numerics.streams import stream
from thrombokit.study.templates.assay import (
    BETWEEN_RUN_SD_LOG10,
    DILUTION_SD_LN,
    NOISE_CV,
    RHTPO_LEVEL_SD_LN,
    AgonistTruth,
    RunTruth,
)

DEFAULT_SEED = 20181

DISPENSER_FAULT = "dispenser failure: rhTPO went into every second vehicle well and not into the rhTPO wells"
MAP_FAULT = "mis-mapped: the map is written one row too low for the export"


@dataclass(frozen=True, kw_only=True)
class CellSystemTruth:
    """A kind of cells and its compounds.

    `rhTPO_RLU` is the mean over runs; `window_fold_range` says between which folds over vehicle rhTPO lies (drawn per run);
    `noise_cv` is the scatter of a bright well as a share of its mean.
    """

    name: str
    file_stem: str
    agonists: tuple[AgonistTruth, ...]
    rhTPO_RLU: float
    window_fold_range: tuple[float, float]
    noise_cv: float = NOISE_CV


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """One independent repetition: its day, who did it, its plates ("main", "panel"), and what goes wrong with them."""

    run: str
    date: str
    operator: str
    plates: tuple[str, ...] = ("main",)
    fault: str = ""


MPL_32D = CellSystemTruth(
    name="32D-MPL",
    file_stem="32D-MPL",
    agonists=(
        AgonistTruth(name="hetrombopag", ec50_nM=0.4, hill_slope=1.20, efficacy=0.98),
        AgonistTruth(name="eltrombopag", ec50_nM=13.4, hill_slope=1.15, efficacy=0.95),
        AgonistTruth(name="partial-01", ec50_nM=60.0, hill_slope=1.1, efficacy=0.45),
        AgonistTruth(name="bell-01", ec50_nM=12.0, hill_slope=1.25, efficacy=0.95, fall_nM=1500.0),
        AgonistTruth(name="toxic-01", ec50_nM=40.0, hill_slope=1.2, efficacy=0.95, kill_nM=6000.0),
    ),
    rhTPO_RLU=6.0e5,
    window_fold_range=(30.0, 60.0),
)
CD34_CORD_BLOOD = CellSystemTruth(
    name="CD34+ cord blood",
    file_stem="CD34",
    agonists=(
        AgonistTruth(name="hetrombopag", ec50_nM=2.3, hill_slope=1.20, efficacy=0.98),
        AgonistTruth(name="eltrombopag", ec50_nM=86.2, hill_slope=1.15, efficacy=0.95),
    ),
    rhTPO_RLU=3.2e5,
    window_fold_range=(1.5, 3.0),
)

_BOTH = ("main", "panel")
RUN_PLANS: tuple[tuple[CellSystemTruth, tuple[RunPlan, ...]], ...] = (
    (
        MPL_32D,
        (
            RunPlan(run="run 1", date="2024-03-04", operator="op1", plates=_BOTH),
            RunPlan(run="run 2", date="2024-03-11", operator="op2", plates=_BOTH),
            RunPlan(run="run 3", date="2024-03-18", operator="op1", plates=_BOTH),
            RunPlan(run="run 4", date="2024-03-25", operator="op2", plates=_BOTH),
            RunPlan(run="run 5", date="2024-04-08", operator="op1", plates=_BOTH),
            RunPlan(run="run 6", date="2024-04-15", operator="op2", fault=DISPENSER_FAULT),
        ),
    ),
    (
        CD34_CORD_BLOOD,
        (
            RunPlan(run="donor A", date="2024-04-22", operator="op1"),
            RunPlan(run="donor B", date="2024-04-29", operator="op2"),
            RunPlan(run="donor C", date="2024-05-06", operator="op1"),
            RunPlan(run="donor D", date="2024-05-13", operator="op2"),
            RunPlan(run="donor E", date="2024-05-20", operator="op1"),
            RunPlan(run="donor F", date="2024-05-27", operator="op2", fault=MAP_FAULT),
        ),
    ),
)
"""Cell system -> its runs: five good ones each, and one that quality control must catch."""


def draw_run(seed: int, cells: CellSystemTruth, run: str) -> RunTruth:
    """How one run departs from the average, from named streams alone.

    Parameters
    ----------
    seed : int
        The study's seed, >= 0.
    cells : CellSystemTruth
    run : str
        Name of the run or donor.
    """
    key = ("guide", cells.name, run, "all plates")
    rhTPO_RLU = cells.rhTPO_RLU * math.exp(stream(seed, *key, "rhTPO level").normal(0.0, RHTPO_LEVEL_SD_LN))
    lowest, highest = cells.window_fold_range
    fold = math.exp(stream(seed, *key, "window").uniform(math.log(lowest), math.log(highest)))
    return RunTruth(
        cell_system=cells.name,
        run=run,
        ec50_shift_log10=float(stream(seed, *key, "sensitivity").normal(0.0, BETWEEN_RUN_SD_LOG10)),
        dilution_factor={
            truth.name: math.exp(stream(seed, *key, f"dilution of {truth.name}").normal(0.0, DILUTION_SD_LN))
            for truth in cells.agonists
        },
        vehicle_RLU=rhTPO_RLU / fold,
        rhTPO_RLU=rhTPO_RLU,
    )


def guide_truth(seed: int) -> tuple[RunTruth, ...]:
    """The truth of every run of the guide study, in the order of `RUN_PLANS`."""
    return tuple(draw_run(seed, cells, plan.run) for cells, plans in RUN_PLANS for plan in plans)
