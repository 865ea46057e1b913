"""What eltrombopag adds in the virtual subjects of rows V3 and V5 for a gain of 1: by the shipped model, once for all draws.

V3 (healthy): Farrell's plasma with the clearance of each arm set so that its typical AUC is the published one. V5 (ITP): Gibiansky's plasma with
Farrell's absorption. Stops: dosing may have ended at the first weekly count above 200e9/L; then the response without further doses is needed as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thrombokit.evidence.scenarios import CalibrationRow, OutcomeKind
from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.patients.calibration.daily_doses import daily_response
from thrombokit.patients.calibration.latent_counts import Structure
from thrombokit.patients.calibration.virtual_patients import VirtualPatients, draw_patients
from thrombokit.patients.model import PatientModel

FARRELL = {"TVCL": 0.953, "TVVC": 9.75, "TVVP": 9.41, "TVQ": 0.633}
"""Plasma of healthy people, Farrell 2014, doi:10.1111/bcp.12244, Table 3, as in eltrombopag-healthy; TVCL gives way to the published AUC."""
HEALTHY_COUNT_1E9_PER_L, HEALTHY_LIFE_D = 237.0, 205.0 / 24.0
FEMALE_SHARE = 0.6
WEIGHT_LOG_SD = 0.2
"""Of patients about 70 kg (assumed), as is the share of women."""
CL_VC = np.array([[0.161, 0.106], [0.106, 0.233]])
KA1_VARIANCE, KT_VARIANCE = 1.61, 0.313
"""Variances of the model files (Farrell 2014, Tables 3 and 6)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HealthyArm(FrozenArrays):
    """Row V3: counts added for a gain of 1, relative to 237e9/L, (m, n_days + 1), of virtual men."""

    row: CalibrationRow
    patients: VirtualPatients
    rise: Array
    visits: tuple[Array, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class PatientArm(FrozenArrays):
    """Row V5: for a gain of 1, after dosing that ended at visit s (the last: never), counts and inflow added, (n_stops, m, n_days + 1)."""

    row: CalibrationRow
    patients: VirtualPatients
    visits_d: Array
    counts: Array
    inflow: Array


def model_of(structure: Structure) -> str:
    """The shipped model whose drug part is used: the ceiling needs its own, the others share one."""
    return "eltrombopag-itp-emax" if structure is Structure.EMAX else "eltrombopag-itp"


def healthy_arm(row: CalibrationRow, model: PatientModel, seed: int, n_patients: int) -> HealthyArm:
    """One arm of V3; a gain of 1 is SLOPE = 1 in a Japanese man."""
    visits = tuple(np.array(choice, dtype=np.float64) for choice in row.scenario.design["visits_d"].choices)
    longest = max(visits, key=len)
    patients = draw_patients(seed, f"V3/{row.arm.name}", n_patients, longest.size + 1)
    dose_mg, n_days = float(row.arm.dose_mg.value), int(longest[-1])
    auc = float(row.arm.outcome(OutcomeKind.AUC).result.value)
    typical = {**FARRELL, "TVCL": dose_mg / auc, "LIFE_SHORT": HEALTHY_LIFE_D, "FEMALE": 0.0, "WT": 70.0}
    inputs = _inputs(patients, typical, slope=_east_asian(model))
    added = daily_response(model, inputs, dose_mg=dose_mg, n_doses=int(row.arm.days.value), n_days=n_days)
    return HealthyArm(row=row, patients=patients, rise=added.counts / HEALTHY_COUNT_1E9_PER_L, visits=visits)


def patient_arm(row: CalibrationRow, model: PatientModel, seed: int, n_patients: int) -> PatientArm:
    """One active arm of V5; a gain of 1 is SLOPE x TRANSFER = 1 in a White patient."""
    visits_d = np.array(row.scenario.design["visits_d"].value, dtype=np.float64)
    patients = draw_patients(seed, f"V5/{row.arm.name}", n_patients, visits_d.size)
    is_female = np.floor(np.arange(n_patients) * FEMALE_SHARE % 1.0 + FEMALE_SHARE)
    varied = {"LIFE_SHORT": patients.life_d, "WT": 70.0 * np.exp(WEIGHT_LOG_SD * patients.etas[:, 4]), "FEMALE": is_female}
    inputs = _inputs(patients, varied, slope=1.0)
    last = int(row.arm.days.value)
    told = [
        daily_response(model, inputs, dose_mg=float(row.arm.dose_mg.value), n_doses=min(int(day), last), n_days=int(visits_d[-1]))
        for day in visits_d[1:]
    ]
    return PatientArm(
        row=row,
        patients=patients,
        visits_d=visits_d,
        counts=np.stack([t.counts for t in told]),
        inflow=np.stack([t.inflow for t in told]),
    )


def _east_asian(model: PatientModel) -> float:
    return model.theta["EASTASIAN_SLOPE"].value


def _inputs(patients: VirtualPatients, given: Mapping[str, float | Array], slope: float) -> dict[str, Array]:
    """Inputs of every patient: plasma from his random numbers, platelet life as given, the drug's gain fixed by `slope`."""
    factor = np.linalg.cholesky(CL_VC)
    plasma = patients.etas[:, :2] @ factor.T
    fixed: dict[str, float | Array] = {
        "EASTASIAN": 0.0, "STEROID": 0.0, "FED": 0.0, "MECHANISM": 1.0, "RESPONSE": 1.0, "SLOPE": slope, "TRANSFER": 1.0,
        "ETA_CL": plasma[:, 0], "ETA_VC": plasma[:, 1], "ETA_KA1": math.sqrt(KA1_VARIANCE) * patients.etas[:, 2],
        "ETA_KT": math.sqrt(KT_VARIANCE) * patients.etas[:, 3],
    }  # fmt: skip
    return {name: np.broadcast_to(np.asarray(value, dtype=np.float64), (patients.n,)) for name, value in {**fixed, **given}.items()}
