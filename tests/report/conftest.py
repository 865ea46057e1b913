"""A synthetic study of twelve plates, built without the plate stage: every verdict, one failed plate, one run left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Assay, Potency
from thrombokit.plate.result import PlateQuality, PlateResult, PotencyRatio, QualityCheck
from thrombokit.plate.wells import well_name
from thrombokit.study.result import Provenance, PublishedComparison, StudyResult

DOSES_nM = [10.0**power for power in np.linspace(-2, 3, 10)]
SYSTEMS = {"32D-MPL": 1.0, "CD34+": 5.75}
# agonist -> (EC50 in 32D-MPL nM, top % of rhTPO, verdict)
AGONISTS = {
    "hetrombopag": (0.4, 98.0, "fit"),
    "eltrombopag": (13.4, 96.0, "fit"),
    "partial-1": (4.0, 45.0, "fit"),
    "toxic-1": (60.0, 95.0, "plateau_open"),
    "weak-1": (4000.0, 90.0, "beyond_range"),
    "bell-1": (2.0, 80.0, "not_sigmoid"),
    "inert-1": (1.0, 1.0, "flat"),
}
MESSAGES = {
    "fit": "",
    "plateau_open": "No upper plateau within the doses; top is an extrapolation.",
    "beyond_range": "The curve turns above the highest dose.",
    "not_sigmoid": "The response falls again at high doses.",
    "flat": "No response to dose.",
}
WINDOW = 120000.0


def _response(ec50: float, top: float, dose: np.ndarray, verdict: str) -> np.ndarray:
    value = top / (1 + (ec50 / np.maximum(dose, 1e-12)) ** 1.1)
    return value / (1 + (dose / 150.0) ** 2) if verdict == "not_sigmoid" else value


def _plate_wells(plate: str, run: str, system: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []

    def add(row: int, column: int, role: str, agonist: str, dose: float | None, percent: float) -> None:
        corrected = WINDOW * percent / 100 * (1 + 0.05 * rng.standard_normal()) + 600 * rng.standard_normal()
        excluded = plate == "plate-03" and (row, column) == (1, 4)
        rows.append(
            {
                "plate": plate,
                "run": run,
                "cell_system": system,
                "well": well_name(row, column),
                "row": row,
                "column": column,
                "role": role,
                "agonist": agonist,
                "concentration_nM": dose,
                "signal": corrected + 900,
                "corrected": corrected,
                "response_pct": 100 * corrected / WINDOW,
                "excluded": excluded,
                "reason": "bubble" if excluded else "",
            }
        )

    for row, (agonist, (ec50, top, verdict)) in enumerate(AGONISTS.items()):
        role = "comparator" if agonist == "eltrombopag" else "sample"
        for column, dose in enumerate(DOSES_nM, start=1):
            percent = _response(ec50 * SYSTEMS[system], top, np.array(dose), verdict)
            add(row, column, role, agonist, dose, float(percent))
    for row in range(7):
        add(row, 0, "vehicle", "", 0.0, 1.0)
        add(row, 11, "positive_control", "rhTPO", 10.0, 100.0)
    for column in range(12):
        add(7, column, "blank", "", None, 0.0)
    return rows


def _fit_row(plate: str, agonist: str, system: str, run: str, wobble: float) -> dict[str, Any]:
    ec50, top, verdict = AGONISTS[agonist]
    ec50 = ec50 * SYSTEMS[system] * wobble
    has_value = verdict in ("fit", "plateau_open")
    above = verdict == "beyond_range"
    return {
        "plate": plate,
        "agonist": agonist,
        "cell_system": system,
        "run": run,
        "curve": f"{plate}|{agonist}",
        "verdict": verdict,
        "ec50_nM": ec50 if has_value else None,
        "ec50_low_nM": ec50 * 0.8 if has_value else (870.0 if above else None),
        "ec50_high_nM": ec50 * 1.26 if verdict == "fit" else None,
        "bound_side": "above" if above else "",
        "hill_slope": 1.1,
        "hill_low": 0.9,
        "hill_high": 1.35,
        "bottom": 1000.0,
        "top": WINDOW * top / 100,
        "open_plateau": "top" if verdict == "plateau_open" else "",
        "rss": 12.0,
        "n_points": 17,
        "n_excluded": 0,
        "confidence": 0.95,
        "interval_method": "profile",
        "model": "4pl",
        "message": MESSAGES[verdict],
        "bottom_pct": 0.5,
        "bottom_pct_low": -1.0,
        "bottom_pct_high": 2.0,
        "top_pct": top,
        "top_pct_low": top - 3,
        "top_pct_high": top + 3,
        "emax_pct": top,
        "emax_pct_low": top - 3,
        "emax_pct_high": top + 3,
    }


def _curve_rows(fit: dict[str, Any], system: str) -> list[dict[str, Any]]:
    ec50, top, verdict = AGONISTS[fit["agonist"]]
    doses = np.geomspace(DOSES_nM[0], DOSES_nM[-1], 48)
    fitted = _response(ec50 * SYSTEMS[system], top, doses, verdict)
    keys = {name: fit[name] for name in ("plate", "agonist", "cell_system", "run")}
    return [
        {
            **keys,
            "concentration_nM": float(d),
            "fitted_pct": float(f),
            "low_pct": float(0.94 * f - 1),
            "high_pct": float(1.06 * f + 1),
        }
        for d, f in zip(doses, fitted, strict=True)
    ]


def _quality(plate: str, run: str, system: str) -> PlateQuality:
    failed = plate == "plate-06"
    z = QualityCheck(
        check="Z'", value=0.12 if failed else 0.71, status="fail" if failed else "pass",
        reason="Z' is 0.12; 0.5 or more is expected." if failed else "Z' is 0.71.",
    )  # fmt: skip
    cv = QualityCheck(check="vehicle CV", value=6.2, status="pass", reason="6.2 % is below 20 %.")
    edge_status = "warn" if plate == "plate-09" else "pass"
    edge = QualityCheck(check="edge effect", value=0.08, status=edge_status, reason="Edge wells read 8 % lower than inner wells.")
    rescue = QualityCheck(check="IL-3 rescue", value=None, status="not_available", reason="No IL-3 rescue wells on this plate.")
    suggestion = 'The map fits better shifted one row up and one column left: try map_origin = "B2".' if failed else ""
    status = "fail" if failed else edge_status
    return PlateQuality(
        plate=plate, run=run, cell_system=system, status=status, checks=(z, cv, edge, rescue), suggestion=suggestion
    )


def _assay(system: str) -> Assay:
    return Assay(cell_system=system, readout="luminescence", hours=72.0, serum="10 % FBS")


def _potency(agonist: str, system: str, fits: pl.DataFrame) -> Potency:
    mine = fits.filter((pl.col("agonist") == agonist) & (pl.col("cell_system") == system) & (pl.col("plate") != "plate-06"))
    verdict = AGONISTS[agonist][2]
    values = tuple(mine["ec50_nM"].drop_nulls().to_list())
    left_out = (("run 6", "plate-06 failed its quality check"),) if system == "32D-MPL" else ()
    if verdict == "fit":
        centre = float(np.exp(np.mean(np.log(values))))
        value, interval, between = Estimate(estimate=centre, low=centre * 0.781, high=centre * 1.283), "hartung_knapp", 0.117
    elif verdict == "beyond_range":
        value, interval, between = Estimate(estimate=None, low=870.0, high=None), "bound", None
    else:
        value, interval, between, values = Estimate(estimate=None, low=None, high=None), f"no pooled value: {verdict}", None, ()
    return Potency(
        agonist=agonist,
        assay=_assay(system),
        ec50_nM=value,
        n_runs=len(values),
        runs_used=tuple(mine["run"].to_list())[: len(values)],
        runs_left_out=left_out,
        run_ec50_nM=values,
        between_run_sd_log10=between,
        interval=interval,
        verdict=verdict,
    )


def _ratio(agonist: str, system: str, value: float) -> PotencyRatio:
    return PotencyRatio(
        agonist=agonist,
        comparator="eltrombopag",
        assay=_assay(system),
        n_runs=5,
        runs_used=tuple(f"run {i}" for i in range(1, 6)),
        ratio=Estimate(estimate=value, low=value * 0.72, high=value * 1.37),
        run_ratios=tuple(value * f for f in (0.9, 1.1, 1.0, 0.95, 1.06)),
        interval="hartung_knapp",
        reason="",
    )


def make_plate_result() -> PlateResult:
    """Twelve 96-well plates, six runs in each of two cell systems."""
    rng = np.random.default_rng(7)
    wells: list[dict[str, Any]] = []
    fits: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    quality: list[PlateQuality] = []
    for index in range(12):
        system = list(SYSTEMS)[index // 6]
        plate, run = f"plate-{index + 1:02d}", f"run {index % 6 + 1}" if index < 6 else f"donor {index % 6 + 1}"
        wells += _plate_wells(plate, run, system, rng)
        here = [_fit_row(plate, agonist, system, run, float(np.exp(0.2 * rng.standard_normal()))) for agonist in AGONISTS]
        fits += here
        curves += [row for fit in here for row in _curve_rows(fit, system)]
        quality.append(_quality(plate, run, system))
    table = pl.DataFrame(fits, infer_schema_length=None)
    return PlateResult(
        wells=pl.DataFrame(wells, infer_schema_length=None), fits=table, curves=pl.DataFrame(curves, infer_schema_length=None),
        quality=tuple(quality), potencies=tuple(_potency(agonist, system, table) for system in SYSTEMS for agonist in AGONISTS),
        ratios=tuple(_ratio(a, s, v) for s in SYSTEMS for a, v in (("hetrombopag", 33.5), ("partial-1", 1.12))),
        response_unit={q.plate: "% of rhTPO" for q in quality}, comparator="eltrombopag", confidence=0.95,
    )  # fmt: skip


def make_study_result(**changes: Any) -> StudyResult:
    """A whole study around the twelve plates; `changes` replace its fields."""
    inside = Estimate(estimate=0.41, low=0.32, high=0.52)
    study_toml = (
        'schema = 1\n\n[study]\ntitle = "Twelve plates"\nseed = 11\n\n[[plate.files]]\nfile = "p1.csv"\noperator = "OP-7"\n'
    )
    result = StudyResult(
        title="Hetrombopag and six others, 32D-MPL and CD34+",
        synthetic=True,
        note="Made by a seeded generator.",
        plate=make_plate_result(),
        published=(
            PublishedComparison(
                agonist="hetrombopag",
                cell_system="32D-MPL",
                published_ec50_nM=0.4,
                source="guide, Q1",
                tier="transcribed",
                recovered=inside,
                inside=True,
            ),
            PublishedComparison(
                agonist="eltrombopag",
                cell_system="CD34+",
                published_ec50_nM=86.2,
                source="guide, Q2",
                tier="transcribed",
                recovered=Estimate(estimate=61.0, low=50.0, high=74.0),
                inside=False,
            ),
            PublishedComparison(
                agonist="avatrombopag",
                cell_system="CD34+",
                published_ec50_nM=25.0,
                source="made up",
                tier="assumed",
                recovered=None,
                inside=None,
            ),
        ),
        missing=("plate-13.csv",),
        corrections=("32D is a murine IL-3-dependent immature myeloid line, not a pro-B line.",),
        provenance=Provenance(
            thrombokit_version="0.1.0",
            versions={"python": "3.11", "numpy": "2.4.6", "polars": "2.1.0"},
            seed=11,
            inputs=tuple((f"plates/p{i}.csv", f"{i:064x}") for i in range(12)),
            study_toml=study_toml,
        ),
    )
    return dataclasses.replace(result, **changes)


@pytest.fixture(scope="session")
def study() -> StudyResult:
    return make_study_result()


@pytest.fixture(scope="session")
def plate(study: StudyResult) -> PlateResult:
    assert study.plate is not None
    return study.plate


@pytest.fixture(scope="session")
def changed() -> Callable[..., StudyResult]:
    return make_study_result
