"""Every check in every status, with its reason; and what was not on the plate never fails it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.plate.normalise import normalise
from thrombokit.plate.plate import Plate, Reading
from thrombokit.plate.quality import QualityLimits, assess, edge_effect
from thrombokit.plate.result import PlateQuality, QualityCheck

PlateOf = Callable[..., Plate]


def check(quality: PlateQuality, name: str) -> QualityCheck:
    return next(c for c in quality.checks if c.check == name)


def status_of(quality: PlateQuality, name: str) -> str:
    return check(quality, name).status


def assessed(plate: Plate, limits: QualityLimits | None = None) -> PlateQuality:
    return assess(normalise(plate), limits)


def with_signal(plate: Plate, role: str, values: list[float]) -> Plate:
    """The wells of one role read `values` in turn."""
    signal = plate.reading.signal.copy()
    rows, columns = np.nonzero(plate.layout.role == role)
    signal[rows, columns] = np.resize(values, rows.size)
    reading = Reading(name=plate.name, signal=signal, source=plate.name, reader="memory")
    return Plate(reading=reading, layout=plate.layout, name=plate.name, run=plate.run, cell_system=plate.cell_system)


def test_a_good_plate_passes_all_that_was_on_it(plate_of: PlateOf) -> None:
    quality = assessed(plate_of())
    assert quality.status == "pass"
    assert {c.check: c.status for c in quality.checks} == {
        "map_wells_without_reading": "pass",
        "vehicle_cv_pct": "pass",
        "positive_control_cv_pct": "pass",
        "z_prime": "pass",
        "robust_z_prime": "pass",
        "ssmd": "pass",
        "signal_to_background": "pass",
        "il3_rescue_fold": "not_available",
        "qc_sample_cv_pct": "not_available",
        "edge_effect_pct": "not_available",
    }
    assert all(c.reason for c in quality.checks)
    assert check(quality, "map_wells_without_reading").reason == "every well of the map was read"
    assert (quality.plate, quality.run, quality.cell_system, quality.suggestion) == ("plate-1", "run 1", "32D-MPL", "")


@pytest.mark.parametrize(
    "role, name, label",
    [("vehicle", "vehicle_cv_pct", "vehicle"), ("positive_control", "positive_control_cv_pct", "rhTPO (positive control)")],
)
@pytest.mark.parametrize(
    "spread, status, limit", [(0.1, "pass", "at most 20 %"), (0.25, "warn", "above 20 %"), (0.4, "fail", "above 30 %")]
)
def test_cv_of_controls(plate_of: PlateOf, role: str, name: str, label: str, spread: float, status: str, limit: str) -> None:
    mean = 10_000.0 if role == "vehicle" else 110_000.0
    plate = with_signal(plate_of(), role, [mean * (1 - spread), mean * (1 + spread)])
    found = check(assessed(plate), name)
    assert found.status == status
    assert found.reason.startswith(f"{label} CV {found.value:.1f} % over ")
    assert found.reason.endswith(limit)


def test_the_window_from_clear_to_gone(plate_of: PlateOf) -> None:
    """The same vehicle (9,000 to 11,000), rhTPO nearer and nearer; Z' alone never fails a plate."""
    vehicle = with_signal(plate_of(), "vehicle", [9_000.0, 10_000.0, 11_000.0])
    statuses = {}
    for level in (40_000.0, 17_000.0, 12_500.0, 10_500.0, 9_000.0):
        quality = assessed(with_signal(vehicle, "positive_control", [level * 0.95, level, level * 1.05]))
        names = ("z_prime", "robust_z_prime", "ssmd", "signal_to_background")
        statuses[level] = tuple(status_of(quality, n) for n in names)
    assert statuses == {
        40_000.0: ("pass", "pass", "pass", "pass"),
        17_000.0: ("warn", "warn", "pass", "pass"),
        12_500.0: ("warn", "warn", "warn", "pass"),
        10_500.0: ("fail", "fail", "fail", "pass"),
        9_000.0: ("fail", "fail", "fail", "fail"),
    }


def test_reasons_of_the_window(plate_of: PlateOf) -> None:
    vehicle = with_signal(plate_of(), "vehicle", [9_000.0, 10_000.0, 11_000.0])
    near = assessed(with_signal(vehicle, "positive_control", [11_900.0, 12_100.0]))
    assert check(near, "z_prime").reason.endswith("single wells overlap, their means do not")
    assert check(near, "ssmd").reason.endswith("rhTPO and vehicle lie close")
    assert check(near, "signal_to_background").reason == "rhTPO is 1.2 fold over vehicle"
    between = assessed(with_signal(vehicle, "positive_control", [16_000.0, 18_000.0]))
    assert check(between, "z_prime").reason.endswith("single wells of rhTPO and vehicle come near each other")
    gone = assessed(with_signal(vehicle, "positive_control", [10_000.0, 10_800.0]))
    assert check(gone, "z_prime").reason.endswith("no window between rhTPO and vehicle")
    assert check(gone, "ssmd").reason.endswith("are not told apart")
    assert gone.status == "fail"
    assert gone.suggestion == "", "nothing is shifted: the controls are at rest where they are"


def test_what_was_not_on_the_plate_is_not_available_and_never_fails(plate_of: PlateOf, full_drawing: str) -> None:
    bare = full_drawing
    for letter in "PBV":
        bare = bare.replace(letter, ".")
    cases = {
        full_drawing.replace("P", "."): "needs 2 or more rhTPO (positive control) wells; response is given over vehicle",
        full_drawing.replace("V", "."): "needs 2 or more vehicle wells",
        bare: "needs 2 or more rhTPO (positive control) wells",
        full_drawing.replace("B", "."): None,
    }
    for drawing, reason in cases.items():
        quality = assessed(plate_of(drawing))
        assert quality.status in ("pass", "not_available")
        for name in ("z_prime", "robust_z_prime", "ssmd", "signal_to_background"):
            found = check(quality, name)
            assert (found.status == "not_available") == (reason is not None)
            if reason:
                assert (found.value, found.reason) == (None, reason)
    assert check(assessed(plate_of(bare)), "vehicle_cv_pct").reason == "no vehicle wells on the plate"


def test_two_wells_of_a_control_are_too_few_for_a_cv(plate_of: PlateOf, full_drawing: str) -> None:
    drawing = full_drawing.replace("P", ".").replace(". V.BV.VB.VV .", "P V.BV.VB.VV P")
    found = check(assessed(plate_of(drawing)), "positive_control_cv_pct")
    assert (found.status, found.reason) == ("not_available", "2 rhTPO (positive control) wells: at least 3 are needed")


def test_rescue_and_qc_wells(plate_of: PlateOf, full_drawing: str) -> None:
    drawing = full_drawing.replace(". VVPPBBVVPP .", "Q VVPPIIQQPP Q")
    good = assessed(plate_of(drawing))
    assert status_of(good, "il3_rescue_fold") == "pass"
    assert check(good, "il3_rescue_fold").reason.endswith("the cells grow on IL-3")
    assert status_of(good, "qc_sample_cv_pct") == "pass"
    ill = assessed(plate_of(drawing, levels={"I": 15_000.0}))
    assert status_of(ill, "il3_rescue_fold") == "warn"
    assert "their health is in doubt" in check(ill, "il3_rescue_fold").reason


def test_map_wells_without_reading(plate_of: PlateOf) -> None:
    plate = plate_of()
    for n, status in ((0, "pass"), (1, "warn"), (2, "warn"), (3, "fail")):
        signal = plate.reading.signal.copy()
        signal[tuple(np.argwhere(plate.layout.role == "sample")[:n].T)] = np.nan
        holed = Plate(reading=Reading(name="p", signal=signal, source="p", reader="memory"), layout=plate.layout, name="p", run="1")
        found = check(assessed(holed), "map_wells_without_reading")
        assert (found.status, found.value) == (status, float(n))
    assert found.reason.startswith("3 of ")
    assert found.reason.endswith("wells that the map gives an agonist have no reading")


def test_a_map_without_agonists(plate_of: PlateOf, full_drawing: str) -> None:
    drawing = full_drawing
    for letter in "sct":
        drawing = drawing.replace(letter, "V")
    found = check(assessed(plate_of(drawing.replace("P", "B"))), "map_wells_without_reading")
    assert (found.status, found.value, found.reason) == ("not_available", None, "the map names no agonist")


EDGY = """
    VVVVPPPPBBBB
    VssssssssssV
    VssssssssssV
    sVPBVPVBPVBV
    VssssssssssP
    PccccccccccB
    BccccccccccV
    VVPPBBccVVPP
"""


def test_an_edge_that_reads_low_warns_and_never_fails(plate_of: PlateOf) -> None:
    plain = plate_of(EDGY, cv=0.01)
    ring = np.ones(plain.reading.shape, dtype=bool)
    ring[1:-1, 1:-1] = False
    for loss, status in ((0.05, "pass"), (0.30, "warn")):
        signal = np.where(ring, plain.reading.signal * (1 - loss), plain.reading.signal)
        reading = Reading(name="p", signal=signal, source="p", reader="memory")
        plate = Plate(reading=reading, layout=plain.layout, name="p", run="1", cell_system="32D-MPL")
        found = check(assessed(plate, QualityLimits(cv_warn_pct=90, cv_fail_pct=99)), "edge_effect_pct")
        assert found.status == status
        assert found.value == pytest.approx(100 * np.log(1 - loss), abs=2.0)
        assert f"edge wells read {abs(found.value):.0f} % below their replicates inside" in found.reason
        effect = edge_effect(normalise(plate))
        assert effect is not None
        assert effect[0] == pytest.approx(np.log(1 - loss), abs=0.02)


def test_limits_are_the_callers(plate_of: PlateOf) -> None:
    strict = QualityLimits(cv_warn_pct=0.5, cv_fail_pct=1.0)
    assert assessed(plate_of(), strict).status == "fail"
    assert assessed(plate_of(), QualityLimits(cv_warn_pct=0.5)).status == "warn"


def test_several_cell_systems_are_all_named(plate_of: PlateOf) -> None:
    plate = plate_of()
    system = plate.layout.cell_system.copy()
    system[1] = "Ba/F3"
    layout = type(plate.layout)(
        role=plate.layout.role, agonist=plate.layout.agonist, concentration_nM=plate.layout.concentration_nM, cell_system=system
    )
    assert assessed(Plate(reading=plate.reading, layout=layout, name="p", run="1")).cell_system == "32D-MPL, Ba/F3"
