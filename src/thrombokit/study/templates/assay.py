"""The synthetic assay: what a luminometer would read, from a truth that is known.

Written apart from the fit on purpose. The curve is the four-parameter logistic in plain concentration, times a falling
factor where the compound is bell-shaped and a survival factor where it kills; the errors are put on one by one, in the
order in which they happen at the bench:

- the stock of one compound is off by one factor for the whole run, so that all of its doses move together;
- the cells of the day answer to less or more agonist: one shift of log10 EC50 for all compounds of the run;
- wells at the rim read low, all of a plate's rim by the same share;
- each well scatters with standard deviation sqrt(instrument^2 + (cv x mean)^2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.study.templates.well_plan import WellPlan, outer_ring

BETWEEN_RUN_SD_LOG10 = 0.12
"""Standard deviation over runs of log10 EC50: the sensitivity of the cells, one draw a run, shared by its compounds."""
DILUTION_SD_LN = 0.10
"""Standard deviation of ln(true dose / nominal dose): one draw for each run and compound, on top of the between-run figure."""
EDGE_LOSS_RANGE = (0.06, 0.08)
"""Share of the signal that the outer ring of a plate loses: one uniform draw a plate."""
RHTPO_LEVEL_SD_LN = 0.10
"""Standard deviation of ln(rhTPO signal) over runs: cell number and reader of the day."""
NOISE_CV = 0.12
"""Scatter of a well in proportion to its mean, without instrument noise: 12 % at the top of the curve."""
INSTRUMENT_SD_RLU = 300.0
BLANK_RLU = 5000.0
EMPTY_RLU = 2000.0
IL3_RESPONSE = 1.1
"""Growth on IL-3 on the scale where vehicle is 0 and rhTPO is 1."""
_FALL_SLOPE, _KILL_SLOPE = 1.5, 4.0


@dataclass(frozen=True, kw_only=True)
class AgonistTruth:
    """What a compound really does in one cell system, averaged over runs.

    `efficacy` is the plateau as a share of rhTPO. `fall_nM` and `kill_nM` are the concentrations at which the response has
    fallen to half (bell shape) and half of the cells are dead; infinite where that does not happen. `ec50_nM` belongs to
    the rising part.
    """

    name: str
    ec50_nM: float
    hill_slope: float
    efficacy: float
    fall_nM: float = math.inf
    kill_nM: float = math.inf


@dataclass(frozen=True, kw_only=True)
class RunTruth:
    """How one run or donor departs from the average.

    `ec50_shift_log10` is added to log10 EC50 of every compound; `dilution_factor` maps a compound to true / nominal dose.
    `vehicle_RLU` and `rhTPO_RLU` are mean signals in an inner well, instrument units.
    """

    cell_system: str
    run: str
    ec50_shift_log10: float
    dilution_factor: dict[str, float]
    vehicle_RLU: float
    rhTPO_RLU: float

    def apparent_ec50_nM(self, truth: AgonistTruth) -> float:
        """The EC50 that a perfect reading of this run would give against the nominal doses."""
        return truth.ec50_nM * 10.0**self.ec50_shift_log10 / self.dilution_factor[truth.name]


def rising_response(dose_nM: Array, *, ec50_nM: float, hill_slope: float, efficacy: float) -> Array:
    """Share of the rhTPO window at each dose, any shape: efficacy x dose^hill / (EC50^hill + dose^hill)."""
    powered = dose_nM**hill_slope
    return efficacy * powered / (ec50_nM**hill_slope + powered)


def mean_signal(plan: WellPlan, agonists: tuple[AgonistTruth, ...], run: RunTruth, *, edge_loss: float) -> Array:
    """Mean signal of each well, before scatter.

    Parameters
    ----------
    plan : WellPlan
        What really is in the wells, doses as nominal.
    agonists : tuple of AgonistTruth
        Those not on the plate are passed over.
    run : RunTruth
    edge_loss : float
        Share that the outer ring loses, 0 to 1.

    Returns
    -------
    array of shape (n_rows, n_columns), RLU
    """
    response, living = np.zeros(plan.shape), np.ones(plan.shape)
    response[plan.role == "positive_control"] = 1.0
    response[plan.role == "il3_rescue"] = IL3_RESPONSE
    living[plan.role == "blank"] = 0.0
    for truth in agonists:
        wells = plan.agonist == truth.name
        dose_nM = plan.concentration[wells] * run.dilution_factor[truth.name]
        ec50_nM = truth.ec50_nM * 10.0**run.ec50_shift_log10
        rising = rising_response(dose_nM, ec50_nM=ec50_nM, hill_slope=truth.hill_slope, efficacy=truth.efficacy)
        response[wells] = rising / (1.0 + (dose_nM / truth.fall_nM) ** _FALL_SLOPE)
        living[wells] = 1.0 / (1.0 + (dose_nM / truth.kill_nM) ** _KILL_SLOPE)
    cells_RLU = run.vehicle_RLU - BLANK_RLU + response * (run.rhTPO_RLU - run.vehicle_RLU)
    mean = BLANK_RLU + living * cells_RLU
    mean[plan.role == "empty"] = EMPTY_RLU
    return np.where(outer_ring(plan.shape), mean * (1.0 - edge_loss), mean)


def scattered(mean: Array, rng: np.random.Generator, *, noise_cv: float = NOISE_CV) -> Array:
    """Readings around `mean`: normal scatter, rounded to whole counts as a reader prints them, never below 0.

    Parameters
    ----------
    mean : array of any shape, RLU
    rng : numpy.random.Generator
    noise_cv : float
        Standard deviation of a bright well as a share of its mean.

    Returns
    -------
    array of the same shape, RLU
    """
    sd = np.sqrt(INSTRUMENT_SD_RLU**2 + (noise_cv * mean) ** 2)
    return np.maximum(np.rint(mean + sd * rng.standard_normal(mean.shape)), 0.0)
