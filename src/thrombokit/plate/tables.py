"""The plate stage's quality and ratios as tables of plain values, units in the column names: saved, put in the workbook and printed alike."""

from __future__ import annotations

import polars as pl

from thrombokit.domain.estimate import Estimate
from thrombokit.plate.result import PlateResult, PotencyRatio

_TEXT, _NUMBER, _COUNT = pl.String, pl.Float64, pl.Int64
RATIO_SCHEMA = {
    "agonist": _TEXT,
    "comparator": _TEXT,
    "assay": _TEXT,
    "ec50_ratio": _NUMBER,
    "ec50_ratio_low": _NUMBER,
    "ec50_ratio_high": _NUMBER,
    "n_runs": _COUNT,
    "run_ratios": _TEXT,
    "interval": _TEXT,
    "parallel": _TEXT,
    "relative_potency": _NUMBER,
    "relative_potency_low": _NUMBER,
    "relative_potency_high": _NUMBER,
    "emax_ratio": _NUMBER,
    "reason": _TEXT,
}
QUALITY_SCHEMA = {
    "plate": _TEXT, "run": _TEXT, "cell_system": _TEXT, "plate_status": _TEXT, "check": _TEXT, "value": _NUMBER, "status": _TEXT,
    "reason": _TEXT, "suggestion": _TEXT, "operator": _TEXT,
}  # fmt: skip


def ratio_table(plate: PlateResult) -> pl.DataFrame:
    """One row a ratio to the comparator (EC50 comparator / EC50 agonist); columns as `RATIO_SCHEMA`."""
    return pl.DataFrame([_ratio_row(ratio) for ratio in plate.ratios], schema=RATIO_SCHEMA, orient="row")


def quality_table(plate: PlateResult) -> pl.DataFrame:
    """One row a check of a plate; a plate without checks keeps one row. Columns as `QUALITY_SCHEMA`."""
    rows: list[tuple[object, ...]] = []
    for quality in plate.quality:
        head = (quality.plate, quality.run, quality.cell_system, quality.status)
        rows += [
            (*head, check.check, check.value, check.status, check.reason, quality.suggestion, quality.operator)
            for check in quality.checks
        ]
        if not quality.checks:
            rows.append((*head, None, None, None, None, quality.suggestion, quality.operator))
    return pl.DataFrame(rows, schema=QUALITY_SCHEMA, orient="row")


def listed_values(values: tuple[float, ...]) -> str:
    """Full precision, so that the workbook loses nothing: "0.41; 0.39"."""
    return "; ".join(repr(float(value)) for value in values)


def _ratio_row(ratio: PotencyRatio) -> tuple[object, ...]:
    value = ratio.ratio
    return (
        ratio.agonist,
        ratio.comparator,
        ratio.assay.label(),
        value.estimate,
        value.low,
        value.high,
        ratio.n_runs,
        listed_values(ratio.run_ratios),
        ratio.interval,
        ratio.parallel,
        *_three(ratio.relative_potency),
        ratio.emax_ratio.estimate if ratio.emax_ratio else None,
        ratio.reason or None,
    )


def _three(estimate: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if estimate is None else (estimate.estimate, estimate.low, estimate.high)
