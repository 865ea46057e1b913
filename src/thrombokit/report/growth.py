"""The growth-rate section: rows for its two tables, and the sentence that says why its EC50s are not those of the end-point."""

from __future__ import annotations

from typing import Any

import numpy as np

from thrombokit.domain.potency import Potency
from thrombokit.drawing.numerals import three_digits
from thrombokit.plate.result import PlateResult
from thrombokit.report.tables import runs_left_out

HOURS_A_DAY = 24.0


def growth_potency_rows(plate: PlateResult) -> list[dict[str, Any]]:
    """One row an agonist and assay with a growth rate: its EC50, and the end-point EC50 of the same cells and hours beside it.

    `fold` is EC50 of the end-point / EC50 of the growth rate, None where either is missing.
    """
    rows: list[dict[str, Any]] = []
    for potency in plate.growth_potencies:
        beside = _endpoint(plate, potency)
        growth, endpoint = _centre(potency), _centre(beside)
        row = {
            "agonist": potency.agonist, "assay": potency.assay.label(), "verdict": potency.verdict, "n_runs": potency.n_runs,
            "ec50_nM": growth if growth is not None else potency.ec50_nM.estimate, "ec50_low_nM": _end(potency, 0),
            "ec50_high_nM": _end(potency, 1), "endpoint_ec50_nM": endpoint,
            "fold": endpoint / growth if growth is not None and endpoint is not None else None,
            "runs_left_out": runs_left_out(potency),
        }  # fmt: skip
        rows.append(row)
    return rows


def growth_curve_rows(plate: PlateResult) -> list[dict[str, Any]]:
    """`PlateResult.growth` with the vehicle's doubling time (hours; None where it does not grow)."""
    rows = plate.growth.to_dicts()
    for row in rows:
        rate = row["vehicle_per_d"]
        row["doubling_h"] = float(np.log(2.0)) / rate * HOURS_A_DAY if rate is not None and rate > 0 else None
    return rows


def growth_sentence(rows: list[dict[str, Any]]) -> str:
    """Why the EC50 of a cell number and that of the growth rate lie apart, and how far they do here."""
    said = (
        "A cell number after several divisions depends exponentially on the growth rate, so its EC50 can lie many-fold from that of the rate: "
        "above it where an agonist drives growth, below it where a compound slows it. The two belong to different assays and are not compared "
        "with one another across agonists."
    )
    folds = [row["fold"] for row in rows if row["fold"] is not None]
    if not folds:
        return said
    apart = [max(fold, 1.0 / fold) for fold in folds]
    pairs = "1 pair" if len(apart) == 1 else f"{len(apart)} pairs"
    median, most = three_digits(float(np.median(apart))), three_digits(max(apart))
    return f"{said} Here they lie {median}-fold apart in the median of {pairs}, {most}-fold at most."


def _endpoint(plate: PlateResult, potency: Potency) -> Potency | None:
    mine = potency.assay
    return next(
        (
            p
            for p in plate.potencies
            if p.agonist == potency.agonist
            and (p.assay.cell_system, p.assay.hours, p.assay.serum) == (mine.cell_system, mine.hours, mine.serum)
        ),
        None,
    )


def _centre(potency: Potency | None) -> float | None:
    """The EC50 as a point: combined, or the geometric mean of the few runs there are; None where it is a bound or missing."""
    return potency.ec50_nM.estimate if potency is not None and potency.run_ec50_nM else None


def _end(potency: Potency, side: int) -> float | None:
    """One end of the interval: combined, or of the only run."""
    combined = (potency.ec50_nM.low, potency.ec50_nM.high)[side]
    if combined is None and len(potency.run_intervals_nM) == 1:
        return potency.run_intervals_nM[0][side]
    return combined
