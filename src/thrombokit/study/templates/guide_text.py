"""The guide study's own files: study.toml, truth.toml and the README that goes with them."""

from __future__ import annotations

from thrombokit.study.templates.assay import (
    BETWEEN_RUN_SD_LOG10,
    BLANK_RLU,
    DILUTION_SD_LN,
    EDGE_LOSS_RANGE,
    INSTRUMENT_SD_RLU,
    AgonistTruth,
    RunTruth,
)
from thrombokit.study.templates.guide_trial_text import TRIALS_SECTION
from thrombokit.study.templates.guide_truth import RUN_PLANS, CellSystemTruth, RunPlan, draw_run
from thrombokit.study.templates.map_text import number_text
from thrombokit.study.templates.synthetic_plate import SyntheticPlate

TITLE = "Guide study: TPO-receptor agonists in 32D-MPL and CD34+ cells (synthetic data)"


CELLS_SECTION = """
[cells]
sheet = "cells/sheet.csv"
panels = "cells/panels.toml"
yields = "cells/yields.csv"
"""

SIGNALLING_SECTION = """
[signalling]
agonists = ["hetrombopag", "eltrombopag"]   # anchored on the EC50s of the plates above
predict = ["CD34+ cord blood"]
cultures = ["CD34+ cord blood", "CD34+ adult blood"]
measured = "signalling/signals.csv"
fit_rates = ["erk_dephosphorylation", "akt_dephosphorylation"]
rate_sets = 20
"""

PATIENTS_SECTION = """
[patients]                          # simulated; two sets of thresholds, as the label's own were not found
patients = 200
weeks = 26

[[patients.cohorts]]
agonist = "hetrombopag"
regimens = ["hetrombopag-150-250", "hetrombopag-250-400"]
"""


def study_text(seed: int, plates: tuple[SyntheticPlate, ...]) -> str:
    """study.toml of the guide study: one [[plate.files]] for each plate, in the order given."""
    head = f'''# Synthetic data: written by thrombokit, measured by nobody. README.md says how, truth.toml what is hidden in them.
schema = 1

[study]
title = "{TITLE}"
seed = {seed}
synthetic = true
note = "Synthetic: simulated readings after protocols A and B. One plate has failed, one carries a wrong map and four tubes are at fault, on purpose."

[[agonists]]
name = "hetrombopag"

[[agonists]]
name = "eltrombopag"

[[agonists]]
name = "rhTPO"

[plate]
vehicle = "vehicle"
positive_control = "rhTPO"
comparator = "eltrombopag"
serum = "10 % FBS"
'''
    stages = (CELLS_SECTION, SIGNALLING_SECTION, PATIENTS_SECTION, TRIALS_SECTION)
    return head + "".join(_file_text(plate) for plate in plates) + "".join(stages)


def _file_text(plate: SyntheticPlate) -> str:
    return f'''
[[plate.files]]
file = "exports/{plate.name}.csv"
map = "maps/{plate.map_name}.csv"
run = "{plate.run}"
date = "{plate.date}"
cell_system = "{plate.cell_system}"
hours = {plate.hours:g}
operator = "{plate.operator}"
'''


def truth_text(seed: int) -> str:
    """truth.toml: everything a reader of the study is not supposed to know, to six significant digits."""
    lowest, highest = EDGE_LOSS_RANGE
    parts = [
        f"""# Synthetic: the truth behind the simulated readings. No analysis reads this file.
schema = 1
synthetic = true
seed = {seed}

[errors]
between_run_sd_log10 = {BETWEEN_RUN_SD_LOG10}   # of log10 EC50, one draw a run, shared by all compounds of the run
dilution_sd_ln = {DILUTION_SD_LN}          # of ln(true dose / nominal dose), one draw for each run and compound, on top of it
instrument_sd_RLU = {INSTRUMENT_SD_RLU}
blank_RLU = {BLANK_RLU}
edge_loss_range = [{lowest}, {highest}]  # share lost by the outer ring, one draw a plate
"""
    ]
    for cells, plans in RUN_PLANS:
        parts.append(_cells_text(cells))
        parts += [_agonist_text(cells, truth) for truth in cells.agonists]
        parts += [_run_text(cells, plan, draw_run(seed, cells, plan.run)) for plan in plans]
    return "\n".join(parts)


def _cells_text(cells: CellSystemTruth) -> str:
    lowest, highest = cells.window_fold_range
    return f'''[[cell_systems]]
name = "{cells.name}"
rhTPO_RLU = {cells.rhTPO_RLU}   # mean over runs
window_fold_range = [{lowest}, {highest}]  # rhTPO over vehicle, one draw a run
noise_cv = {cells.noise_cv}  # scatter of a well: sqrt(instrument_sd_RLU^2 + (noise_cv x mean)^2)
'''


def _agonist_text(cells: CellSystemTruth, truth: AgonistTruth) -> str:
    extra = "" if truth.fall_nM == float("inf") else f"fall_nM = {number_text(truth.fall_nM)}\n"
    extra += "" if truth.kill_nM == float("inf") else f"kill_nM = {number_text(truth.kill_nM)}\n"
    return f'''[[agonists]]
cell_system = "{cells.name}"
name = "{truth.name}"
ec50_nM = {number_text(truth.ec50_nM)}
hill_slope = {truth.hill_slope}
efficacy = {truth.efficacy}
{extra}'''


def _run_text(cells: CellSystemTruth, plan: RunPlan, run: RunTruth) -> str:
    factors = "\n".join(f"{name} = {factor:.6g}" for name, factor in run.dilution_factor.items())
    ec50s = "\n".join(f"{truth.name} = {run.apparent_ec50_nM(truth):.6g}" for truth in cells.agonists)
    return f'''[[runs]]
cell_system = "{cells.name}"
run = "{plan.run}"
fault = "{plan.fault}"
ec50_shift_log10 = {run.ec50_shift_log10:.6g}
rhTPO_RLU = {run.rhTPO_RLU:.6g}
vehicle_RLU = {run.vehicle_RLU:.6g}

[runs.dilution_factor]
{factors}

[runs.ec50_nM]
{ec50s}
'''
