"""The errors put into the guide study are the errors it states, measured over many seeds."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.study.templates.assay import EDGE_LOSS_RANGE, INSTRUMENT_SD_RLU, NOISE_CV, rising_response
from thrombokit.study.templates.guide import guide_plates
from thrombokit.study.templates.guide_truth import CD34_CORD_BLOOD, MPL_32D, RUN_PLANS, guide_truth
from thrombokit.study.templates.synthetic_plate import SyntheticPlate
from thrombokit.study.templates.well_plan import outer_ring

N_SEEDS = 150


@cache
def many_studies() -> tuple[tuple[SyntheticPlate, ...], ...]:
    return tuple(guide_plates(seed) for seed in range(N_SEEDS))


def sd_within(values: np.ndarray, stated: float) -> bool:
    """A sample standard deviation of n values scatters by stated / sqrt(2 n); four of those are allowed."""
    return abs(values.std(ddof=1) - stated) < 4 * stated / np.sqrt(2 * values.size)


def test_guide_ec50s_are_the_expected_values() -> None:
    stated = {(cells.name, truth.name): truth.ec50_nM for cells, _ in RUN_PLANS for truth in cells.agonists}
    assert stated["32D-MPL", "hetrombopag"] == 0.4
    assert stated["32D-MPL", "eltrombopag"] == 13.4
    assert stated["CD34+ cord blood", "hetrombopag"] == 2.3
    assert stated["CD34+ cord blood", "eltrombopag"] == 86.2


@pytest.mark.parametrize("cells", [MPL_32D, CD34_CORD_BLOOD], ids=lambda cells: cells.name)
def test_run_to_run_scatter_and_dilution_error_are_as_stated(cells) -> None:
    runs = [run for seed in range(N_SEEDS) for run in guide_truth(seed) if run.cell_system == cells.name]
    shift = np.array([run.ec50_shift_log10 for run in runs])
    assert sd_within(shift, 0.12)
    assert abs(shift.mean()) < 4 * 0.12 / np.sqrt(shift.size)
    dilution = np.array([[np.log(run.dilution_factor[name]) for name in ("hetrombopag", "eltrombopag")] for run in runs])
    assert sd_within(dilution.ravel(), 0.10)
    # one draw for each compound: two compounds of a run, and the run's shift, are not related
    assert np.abs(np.corrcoef([*dilution.T, shift])[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(len(runs))
    for truth in cells.agonists:
        log10_ec50 = np.log10([run.apparent_ec50_nM(truth) for run in runs])
        assert sd_within(log10_ec50, np.hypot(0.12, 0.10 / np.log(10)))
        assert abs(log10_ec50.mean() - np.log10(truth.ec50_nM)) < 4 * 0.13 / np.sqrt(len(runs))


@pytest.mark.parametrize("cells", [MPL_32D, CD34_CORD_BLOOD], ids=lambda cells: cells.name)
def test_window_is_as_stated_per_run(cells) -> None:
    folds = [run.rhTPO_RLU / run.vehicle_RLU for s in range(N_SEEDS) for run in guide_truth(s) if run.cell_system == cells.name]
    lowest, highest = cells.window_fold_range
    assert lowest <= min(folds) < lowest * 1.05
    assert highest / 1.05 < max(folds) <= highest


@pytest.mark.parametrize("cell_system", ["32D-MPL", "CD34+ cord blood"])
def test_scatter_of_bright_wells_is_twelve_percent(cell_system: str) -> None:
    plates = [p for study in many_studies() for p in study if p.cell_system == cell_system]
    signal, mean = (np.concatenate([getattr(p, name).ravel() for p in plates]) for name in ("signal", "mean"))
    bright = mean > 100_000
    relative = signal[bright] / mean[bright] - 1.0
    assert abs(relative.std() - NOISE_CV) < 5 * NOISE_CV / np.sqrt(2 * relative.size)
    assert abs(relative.mean()) < 5 * NOISE_CV / np.sqrt(relative.size)
    standardised = (signal - mean) / np.sqrt(INSTRUMENT_SD_RLU**2 + (NOISE_CV * mean) ** 2)
    assert abs(standardised.std() - 1.0) < 5 / np.sqrt(2 * standardised.size)
    dim = mean < 6000
    assert signal[dim].min() > 0
    assert abs(standardised[dim].std() - 1.0) < 5 / np.sqrt(2 * dim.sum())


def test_ring_reads_low_by_the_stated_share() -> None:
    losses = []
    for study in many_studies():
        for plate in study:
            ring = outer_ring(plate.mean.shape)
            blank = plate.role == "blank"
            if plate.fault == "":
                losses.append(1 - plate.mean[blank & ring].mean() / plate.mean[blank & ~ring].mean())
    assert EDGE_LOSS_RANGE[0] <= min(losses)
    assert max(losses) <= EDGE_LOSS_RANGE[1]
    assert abs(np.mean(losses) - 0.07) < 0.001


def test_dilution_error_moves_all_doses_of_a_compound_together() -> None:
    """A perfect reading of the main plate, inverted well by well, gives one EC50: the apparent one of that run."""
    truths = {run.run: run for run in guide_truth(3)}
    hetrombopag = MPL_32D.agonists[0]
    for plate in guide_plates(3):
        if plate.cell_system != "32D-MPL" or not plate.name.endswith("main") or plate.fault:
            continue
        inner = (plate.agonist == "hetrombopag") & ~outer_ring(plate.mean.shape)
        run = truths[plate.run]
        share = (plate.mean[inner] - run.vehicle_RLU) / (run.rhTPO_RLU - run.vehicle_RLU) / hetrombopag.efficacy
        ec50 = plate.concentration_nM[inner] * ((1 - share) / share) ** (1 / hetrombopag.hill_slope)
        np.testing.assert_allclose(ec50, run.apparent_ec50_nM(hetrombopag), rtol=1e-6)


@given(
    ec50=st.floats(1e-3, 1e4),
    hill=st.floats(0.5, 3.0),
    efficacy=st.floats(0.1, 1.2),
    scale=st.floats(1e-3, 1e3),
)
def test_half_of_the_plateau_at_the_ec50_at_any_scale(ec50: float, hill: float, efficacy: float, scale: float) -> None:
    dose = np.array([0.0, ec50 * scale])
    response = rising_response(dose, ec50_nM=ec50 * scale, hill_slope=hill, efficacy=efficacy)
    assert response[0] == 0.0
    assert response[1] == pytest.approx(efficacy / 2, rel=1e-9)
