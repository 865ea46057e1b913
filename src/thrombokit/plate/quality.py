"""Can the plate be trusted? Controls, window and map, each with a figure, a status and the reason.

Z' = 1 - 3 (sd_pos + sd_veh) / |mean_pos - mean_veh|             Zhang et al. 1999, doi:10.1177/108705719900400206
robust Z': medians and scaled MADs in place of means and sds
SSMD = (mean_pos - mean_veh) / sqrt(sd_pos^2 + sd_veh^2)         Zhang 2007, doi:10.1016/j.ygeno.2007.01.005
S/B = mean positive control / mean vehicle (raw signal)

Primary cells often give a window of 1.5 to 3 fold; Z' below 0 then says that single wells overlap, not that a curve of 30 wells is worthless. So Z'
alone never fails a plate: it fails with an SSMD below 1. What was not on the plate is "not_available", never a failure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.plate.layout import Role
from thrombokit.plate.normalise import Normalised, top_positive
from thrombokit.plate.result import PlateQuality, QualityCheck
from thrombokit.plate.shift import suggest_shift, unread_wells

PASS, WARN, FAIL, NOT_AVAILABLE = "pass", "warn", "fail", "not_available"
_ORDER = (NOT_AVAILABLE, PASS, WARN, FAIL)


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityLimits:
    """Where a figure turns from pass to warn and from warn to fail; CVs in %."""

    cv_warn_pct: float = 20.0
    cv_fail_pct: float = 30.0
    z_prime_pass: float = 0.5
    ssmd_pass: float = 3.0
    ssmd_fail: float = 1.0
    edge_warn_pct: float = 15.0
    rescue_fold: float = 2.0


def assess(normalised: Normalised, limits: QualityLimits | None = None) -> PlateQuality:
    """All checks of one plate, its controls those of the main cell system; its status is the worst of them."""
    limits = limits or QualityLimits()
    signal, used = normalised.plate.reading.signal, normalised.used
    cells = normalised.cell_system == normalised.main_system
    vehicle = signal[used & cells & (normalised.role == Role.VEHICLE)]
    positive = signal[used & top_positive(normalised.plate, normalised.role, cells)]
    checks = [
        _map_check(normalised),
        _cv_check("vehicle_cv_pct", "vehicle", vehicle, limits),
        _cv_check("positive_control_cv_pct", "rhTPO (positive control)", positive, limits),
        *_window_checks(vehicle, positive, limits),
        _rescue_check(signal[used & cells & (normalised.role == Role.IL3_RESCUE)], vehicle, limits),
        _cv_check("qc_sample_cv_pct", "QC sample", signal[used & cells & (normalised.role == Role.QC)], limits),
        _edge_check(normalised, limits),
    ]
    status = max((c.status for c in checks), key=_ORDER.index)
    suggestion = ""
    if status == FAIL:
        shift = suggest_shift(normalised.plate)
        suggestion = shift.sentence() if shift else ""
    systems = sorted({str(s) for s in normalised.cell_system[used].ravel() if s}) or [normalised.plate.cell_system]
    return PlateQuality(
        plate=normalised.plate.name, run=normalised.plate.run, cell_system=", ".join(systems), status=status, checks=tuple(checks),
        suggestion=suggestion,
    )  # fmt: skip


def _map_check(normalised: Normalised) -> QualityCheck:
    unread = unread_wells(normalised.plate, normalised.plate.layout)
    n_agonist = int(np.sum(normalised.plate.layout.agonist != ""))
    if n_agonist == 0:
        return QualityCheck(check="map_wells_without_reading", value=None, status=NOT_AVAILABLE, reason="the map names no agonist")
    if unread == 0:
        return QualityCheck(check="map_wells_without_reading", value=0.0, status=PASS, reason="every well of the map was read")
    status = FAIL if unread > max(2, 0.02 * n_agonist) else WARN
    reason = f"{unread} of {n_agonist} wells that the map gives an agonist have no reading"
    return QualityCheck(check="map_wells_without_reading", value=float(unread), status=status, reason=reason)


def cv_pct(values: Array) -> float:
    """Coefficient of variation of wells, shape (n,), in %."""
    return float(100.0 * np.std(values, ddof=1) / abs(np.mean(values)))


def _cv_check(name: str, label: str, values: Array, limits: QualityLimits) -> QualityCheck:
    if values.size < 3 or np.mean(values) == 0:
        reason = f"{values.size} {label} wells: at least 3 are needed" if values.size else f"no {label} wells on the plate"
        return QualityCheck(check=name, value=None, status=NOT_AVAILABLE, reason=reason)
    value = cv_pct(values)
    status = PASS if value <= limits.cv_warn_pct else WARN if value <= limits.cv_fail_pct else FAIL
    limit = {
        PASS: f"at most {limits.cv_warn_pct:g} %",
        WARN: f"above {limits.cv_warn_pct:g} %",
        FAIL: f"above {limits.cv_fail_pct:g} %",
    }[status]
    return QualityCheck(
        check=name, value=value, status=status, reason=f"{label} CV {value:.1f} % over {values.size} wells, {limit}"
    )


def _window_checks(vehicle: Array, positive: Array, limits: QualityLimits) -> list[QualityCheck]:
    names = ("z_prime", "robust_z_prime", "ssmd", "signal_to_background")
    if vehicle.size < 2 or positive.size < 2:
        lacking = "rhTPO (positive control)" if positive.size < 2 else "vehicle"
        reason = (
            f"needs 2 or more {lacking} wells; response is given over vehicle"
            if vehicle.size
            else f"needs 2 or more {lacking} wells"
        )
        return [QualityCheck(check=n, value=None, status=NOT_AVAILABLE, reason=reason) for n in names]
    z, robust, ssmd = z_prime(vehicle, positive), robust_z_prime(vehicle, positive), separation(vehicle, positive)
    fold = float(np.mean(positive) / np.mean(vehicle)) if np.mean(vehicle) else float("nan")
    separated = ssmd >= limits.ssmd_fail
    checks = [_z_check("z_prime", "Z'", z, separated, limits), _z_check("robust_z_prime", "robust Z'", robust, separated, limits)]
    status = PASS if ssmd >= limits.ssmd_pass else WARN if separated else FAIL
    said = f"SSMD {ssmd:.1f}: rhTPO and vehicle {'lie well apart' if status == PASS else 'lie close' if status == WARN else 'are not told apart'}"
    checks.append(QualityCheck(check="ssmd", value=ssmd, status=status, reason=said))
    checks.append(
        QualityCheck(
            check="signal_to_background",
            value=fold if np.isfinite(fold) else None,
            status=PASS if fold > 1 else FAIL,
            reason=f"rhTPO is {fold:.2g} fold over vehicle",
        )
    )
    return checks


def _rescue_check(rescue: Array, vehicle: Array, limits: QualityLimits) -> QualityCheck:
    """IL-3 rescue wells say whether the cells could still grow; without them a plate that reads low everywhere stays unexplained."""
    if rescue.size == 0 or vehicle.size == 0 or np.mean(vehicle) <= 0:
        lacking = "IL-3 rescue" if rescue.size == 0 else "vehicle"
        return QualityCheck(check="il3_rescue_fold", value=None, status=NOT_AVAILABLE, reason=f"no {lacking} wells on the plate")
    fold = float(np.mean(rescue) / np.mean(vehicle))
    alive = fold >= limits.rescue_fold
    said = "the cells grow on IL-3" if alive else "the cells hardly grow on IL-3: their health is in doubt"
    return QualityCheck(
        check="il3_rescue_fold",
        value=fold,
        status=PASS if alive else WARN,
        reason=f"IL-3 rescue {fold:.2g} fold over vehicle: {said}",
    )


def _z_check(name: str, label: str, value: float, separated: bool, limits: QualityLimits) -> QualityCheck:
    if value >= limits.z_prime_pass:
        return QualityCheck(check=name, value=value, status=PASS, reason=f"{label} {value:.2f}, at least {limits.z_prime_pass:g}")
    if value >= 0 or separated:
        why = "single wells of rhTPO and vehicle come near each other" if value >= 0 else "single wells overlap, their means do not"
        return QualityCheck(check=name, value=value, status=WARN, reason=f"{label} {value:.2f}: {why}")
    reason = f"{label} {value:.2f}: no window between rhTPO and vehicle"
    return QualityCheck(check=name, value=value, status=FAIL, reason=reason)


def z_prime(vehicle: Array, positive: Array) -> float:
    """Z' of two groups of wells, shapes (n,) and (m,), any unit; -inf when their means are equal."""
    window = abs(float(np.mean(positive) - np.mean(vehicle)))
    return 1.0 - 3.0 * float(np.std(positive, ddof=1) + np.std(vehicle, ddof=1)) / window if window else float("-inf")


def robust_z_prime(vehicle: Array, positive: Array) -> float:
    """Z' from medians and 1.4826 MAD, shapes (n,) and (m,)."""

    def mad(values: Array) -> float:
        return 1.4826 * float(np.median(np.abs(values - np.median(values))))

    window = abs(float(np.median(positive) - np.median(vehicle)))
    return 1.0 - 3.0 * (mad(positive) + mad(vehicle)) / window if window else float("-inf")


def separation(vehicle: Array, positive: Array) -> float:
    """SSMD of two groups of wells, shapes (n,) and (m,); infinite when neither varies."""
    spread = float(np.sqrt(np.var(positive, ddof=1) + np.var(vehicle, ddof=1)))
    difference = float(np.mean(positive) - np.mean(vehicle))
    return difference / spread if spread else float(np.copysign(np.inf, difference))


def _edge_check(normalised: Normalised, limits: QualityLimits) -> QualityCheck:
    """Outer ring against inside, from replicates (same agonist and dose, or same control) that lie on both."""
    effect = edge_effect(normalised)
    if effect is None:
        return QualityCheck(
            check="edge_effect_pct", value=None, status=NOT_AVAILABLE, reason="no replicates lie both on the edge and inside"
        )
    value, se = 100.0 * effect[0], 100.0 * effect[1]
    bad = abs(value) > limits.edge_warn_pct and abs(value) > 2.0 * se
    direction = "below" if value < 0 else "above"
    return QualityCheck(
        check="edge_effect_pct", value=value, status=WARN if bad else PASS,
        reason=f"edge wells read {abs(value):.0f} % {direction} their replicates inside (standard error {se:.0f} %)",
    )  # fmt: skip


def edge_effect(normalised: Normalised) -> tuple[float, float] | None:
    """Mean ln(edge / inside) over replicate groups and its standard error (fractions); None with fewer than 4 groups."""
    signal = normalised.plate.reading.signal
    edge = np.ones(signal.shape, dtype=bool)
    edge[1:-1, 1:-1] = False
    layout = normalised.plate.layout
    usable = normalised.used & (signal > 0)
    groups: dict[tuple[str, str, float, str], list[tuple[bool, float]]] = {}
    for r, c in np.argwhere(usable):
        dose = float(layout.concentration_nM[r, c])
        key = (
            str(normalised.role[r, c]),
            str(layout.agonist[r, c]),
            -1.0 if np.isnan(dose) else dose,
            str(normalised.cell_system[r, c]),
        )
        groups.setdefault(key, []).append((bool(edge[r, c]), float(np.log(signal[r, c]))))
    differences: list[float] = []
    for wells in groups.values():
        outer = [v for on_edge, v in wells if on_edge]
        inner = [v for on_edge, v in wells if not on_edge]
        if outer and inner:
            differences.append(float(np.mean(outer) - np.mean(inner)))
    if len(differences) < 4:
        return None
    return float(np.median(differences)), float(1.2533 * np.std(differences, ddof=1) / np.sqrt(len(differences)))
