"""What is computed beforehand, and the closed forms of the effect site, against the shipped models."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from thrombokit.io.patient_models import load_model
from thrombokit.patients.calibration.daily_doses import daily_response
from thrombokit.patients.calibration.effect_site import (
    STRETCH_H,
    chain_counts,
    chain_inflow,
    halflife_at,
    mean_drive,
    reading_matrix,
)
from thrombokit.patients.calibration.latent_counts import KIN_HEALTHY, Structure, linear_counts, saturable_counts
from thrombokit.patients.model import PatientModel
from thrombokit.patients.simulate_events import simulate_events

DAYS = np.array([7.0, 14.0, 21.0, 28.0])
TYPICAL = {"WT": 70.0, "FEMALE": 0.0, "EASTASIAN": 0.0, "STEROID": 0.0, "FED": 0.0, "MEAL": 0.0}


def simulated(model: PatientModel, dose_mg: float, n_doses: int, days: np.ndarray) -> np.ndarray:
    """Counts of a typical patient by the event engines."""
    columns = {name: TYPICAL[name] for name in model.needed_columns}
    blank = {"ID": 1, "AMT": 0.0, "EVID": 0, "II": 0.0, "ADDL": 0, "CMT": 1, **columns}
    rows = [{**blank, "TIME": 0.0, "AMT": dose_mg, "EVID": 1, "II": 24.0, "ADDL": n_doses - 1}]
    rows += [{**blank, "TIME": 24.0 * day} for day in days]
    return simulate_events(model, pl.DataFrame(rows)).table()["PLATELET"].to_numpy()[1:]


@pytest.mark.parametrize("structure", list(Structure))
def test_eltrombopag_counts_agree_with_the_shipped_models(structure: Structure) -> None:
    """Days after the last dose included; the plasma and chain are those of the structure's own model."""
    name = "eltrombopag-itp" + {"absolute": ""}.get(structure.value, f"-{structure.value}")
    own, used = load_model(name), load_model("eltrombopag-itp-emax" if structure is Structure.EMAX else "eltrombopag-itp")
    inputs = {key: np.array([value]) for key, value in TYPICAL.items() if key != "MEAL"}
    added = daily_response(used, {**inputs, "SLOPE": np.ones(1), "TRANSFER": np.ones(1)}, dose_mg=50.0, n_doses=14, n_days=28)
    theta = own.theta_values()
    level, life, gain = np.array([15.3]), np.array([1.2]), np.array([theta["SLOPE"] * theta.get("TRANSFER", 1.0)])
    if structure is Structure.SATURABLE:
        found = np.empty((1, 4))
        saturable_counts(level, life, gain, added.inflow, 24.0, DAYS, found)
    else:
        found = linear_counts(structure, level, life, gain, added.counts[:, DAYS.astype(int)])
    expected = simulated(own, 50.0, 14, DAYS)
    np.testing.assert_allclose(found[0], expected, rtol=0.02 if structure is Structure.SATURABLE else 1e-5)


@pytest.mark.parametrize("n_doses", [14, 28])
@pytest.mark.parametrize("structure", ["", "-relative", "-saturable"])
def test_hetrombopag_counts_agree_with_the_shipped_models(structure: str, n_doses: int) -> None:
    model = load_model(f"hetrombopag-itp{structure}")
    theta = model.theta_values()
    gain = np.array([theta["THETA"] * theta["TRANSFER"]])
    level, life, n = np.array([15.3]), np.array([1.2]), 112
    drive = np.empty(n)
    mean_drive(5.0, n_doses, theta["HALFLIFE"], theta["GAMMA"], STRETCH_H, drive)
    if structure == "-saturable":
        inflow = np.convolve(KIN_HEALTHY * drive, chain_inflow(n))[: n + 1]
        found = np.empty((1, 4))
        saturable_counts(level, life, gain, np.ascontiguousarray(inflow[None, ::2]), 12.0, 2.0 * DAYS, found)
    else:
        response = (reading_matrix(chain_counts(life, n), 24.0 * DAYS, n)[0] @ (KIN_HEALTHY * drive))[None, :]
        kind = Structure.RELATIVE if structure else Structure.ABSOLUTE
        found = linear_counts(kind, level, life, gain, response)
    np.testing.assert_allclose(found[0], simulated(model, 5.0, n_doses, DAYS), rtol=0.01 if structure == "-saturable" else 0.002)


def test_mean_drive_keeps_the_dose() -> None:
    """With gamma 1 all that was given is passed on, whatever the half-life: 14 doses of 5 mg are 14 days of drive 1."""
    drive = np.empty(4 * 60)
    for halflife_h in (12.0, 40.0):
        mean_drive(5.0, 14, halflife_h, 1.0, STRETCH_H, drive)
        assert drive.sum() * STRETCH_H / 24.0 == pytest.approx(14.0, rel=1e-6)


def test_half_lives_rise_with_the_dose_within_the_published_range() -> None:
    assert halflife_at(40.0, 12.0) == pytest.approx(40.0, rel=0.02)
    assert halflife_at(5.0, 20.0) == 20.0
    assert halflife_at(2.5, 12.0) == 12.0
    assert halflife_at(40.0, 30.0) == 40.0
    assert halflife_at(7.5, 20.0) > 20.0
