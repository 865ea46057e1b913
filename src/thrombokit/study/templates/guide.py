"""The guide study in memory: every plate of every run, from one seed.

Each random number comes from a stream named by cell system, run, plate and purpose, so that a plate does not change when
another is added. The faults are made where they would happen: the dispenser changes what is in the wells and leaves the map
alone; the mis-mapped plate has right wells and a wrong map.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.streams import stream
from thrombokit.study.templates.assay import EDGE_LOSS_RANGE, RunTruth, mean_signal, scattered
from thrombokit.study.templates.guide_design import DESIGNS
from thrombokit.study.templates.guide_truth import DISPENSER_FAULT, MAP_FAULT, RUN_PLANS, CellSystemTruth, RunPlan, draw_run
from thrombokit.study.templates.synthetic_plate import SyntheticPlate
from thrombokit.study.templates.well_plan import WellPlan, moved_down

HOURS = 72.0


def guide_plates(seed: int) -> tuple[SyntheticPlate, ...]:
    """All plates of the guide study, in the order of the study file; synthetic.

    Parameters
    ----------
    seed : int
        >= 0; the same seed gives the same plates.

    Returns
    -------
    tuple of SyntheticPlate
        96-well plates: two for each good 32D-MPL run, one for each donor, and one for each of the two runs that fail.
    """
    return tuple(plate for cells, plans in RUN_PLANS for plan in plans for plate in _run_plates(seed, cells, plan))


def _run_plates(seed: int, cells: CellSystemTruth, plan: RunPlan) -> tuple[SyntheticPlate, ...]:
    truth = draw_run(seed, cells, plan.run)
    return tuple(_draw_plate(seed, cells, plan, truth, plate) for plate in plan.plates)


def _draw_plate(seed: int, cells: CellSystemTruth, plan: RunPlan, truth: RunTruth, plate: str) -> SyntheticPlate:
    design = DESIGNS[cells.name, plate]
    key = ("guide", cells.name, plan.run, plate)
    wells = _misdispensed(design) if plan.fault == DISPENSER_FAULT else design
    edge_loss = stream(seed, *key, "edge").uniform(*EDGE_LOSS_RANGE)
    mean = mean_signal(wells, cells.agonists, truth, edge_loss=edge_loss)
    run_stem = plan.run.replace(" ", "-")
    misplaced = plan.fault == MAP_FAULT
    return SyntheticPlate(
        name=f"{cells.file_stem}_{run_stem}_{plate}",
        cell_system=cells.name,
        run=plan.run,
        date=plan.date,
        operator=plan.operator,
        hours=HOURS,
        signal=scattered(mean, stream(seed, *key, "scatter"), noise_cv=cells.noise_cv),
        mean=mean,
        plan=moved_down(design, 1) if misplaced else design,
        map_name=f"{cells.file_stem}_{run_stem}_{plate}" if misplaced else f"{cells.file_stem}_{plate}",
        fault=plan.fault,
    )


def _misdispensed(plan: WellPlan) -> WellPlan:
    """What the wells hold after the dispenser gave rhTPO to every second vehicle well and none to the rhTPO wells."""
    role = plan.role.copy()
    role[plan.role == "positive_control"] = "vehicle"
    rows, columns = np.nonzero(plan.role == "vehicle")
    role[rows[1::2], columns[1::2]] = "positive_control"
    return WellPlan(role=role, agonist=plan.agonist, concentration=plan.concentration, unit=plan.unit)
