"""The result as tables of plain values, units in the column names: what the workbook holds and the page prints."""

from __future__ import annotations

import math

import polars as pl

from thrombokit.domain.potency import Potency
from thrombokit.plate.forest_rows import run_words
from thrombokit.plate.result import PlateResult, QualityCheck
from thrombokit.plate.tables import listed_values
from thrombokit.study.result import PublishedComparison

STATUS_ORDER = ("pass", "not_available", "warn", "fail")
"""From best to worst; a figure that is not available never makes a plate worse than one that passes."""

_TEXT, _NUMBER, _COUNT = pl.String, pl.Float64, pl.Int64
POTENCY_SCHEMA = {
    "agonist": _TEXT, "assay": _TEXT, "cell_system": _TEXT, "ec50_nM": _NUMBER, "ec50_low_nM": _NUMBER, "ec50_high_nM": _NUMBER,
    "n_runs": _COUNT, "run_ec50_nM": _TEXT, "run_intervals_nM": _TEXT, "between_run_sd_log10": _NUMBER, "verdict": _TEXT,
    "interval": _TEXT, "quality": _TEXT, "quality_reason": _TEXT, "runs_left_out": _TEXT,
}  # fmt: skip
PUBLISHED_SCHEMA = {
    "agonist": _TEXT, "cell_system": _TEXT, "published_ec50_nM": _NUMBER, "recovered_ec50_nM": _NUMBER, "recovered_low_nM": _NUMBER,
    "recovered_high_nM": _NUMBER, "inside": pl.Boolean, "tier": _TEXT, "source": _TEXT,
}  # fmt: skip


def potency_table(plate: PlateResult) -> pl.DataFrame:
    """One row a potency, with the quality light of the plates behind it; columns as `POTENCY_SCHEMA`."""
    return pl.DataFrame([_potency_row(plate, potency) for potency in plate.potencies], schema=POTENCY_SCHEMA, orient="row")


def published_table(published: tuple[PublishedComparison, ...]) -> pl.DataFrame:
    """One row a published EC50 beside the recovered one; columns as `PUBLISHED_SCHEMA`."""
    rows: list[tuple[object, ...]] = []
    for one in published:
        here = one.recovered
        recovered = (None, None, None) if here is None else (here.estimate, here.low, here.high)
        rows.append((one.agonist, one.cell_system, one.published_ec50_nM, *recovered, one.inside, one.tier, one.source))
    return pl.DataFrame(rows, schema=PUBLISHED_SCHEMA, orient="row")


def potency_quality(plate: PlateResult, potency: Potency) -> tuple[str, str]:
    """The quality light of one potency ("pass", "warn", "fail") and why.

    A potency warns when a plate behind it warns or was left out, and fails when no plate behind it passed.
    """
    curves = plate.fits.filter((pl.col("agonist") == potency.agonist) & (pl.col("cell_system") == potency.assay.cell_system))
    status = {quality.plate: quality.status for quality in plate.quality}
    behind = {name: status.get(name, "not_available") for name in curves["plate"].unique(maintain_order=True)}
    failed, warned, number = *(list(behind.values()).count(light) for light in ("fail", "warn")), len(behind)
    if not behind:
        return "not_available", "no plate quality recorded"
    if failed == number:
        return "fail", f"all {number} plates failed" if number > 1 else "its plate failed"
    reasons = [f"{failed} of {number} plates failed and left out"] if failed else []
    reasons += [f"{warned} of {number} plates with a warning"] if warned else []
    return ("warn", "; ".join(reasons)) if reasons else ("pass", f"{number} of {number} plates passed")


def check_words(check: QualityCheck) -> str:
    """One quality figure for a reader: "vehicle CV 17 %", three significant digits at most; the name alone without a value."""
    name, unit = _CHECK_WORDS.get(check.check, (check.check.replace("_", " "), ""))
    if check.value is None or not math.isfinite(check.value):
        return name
    return f"{name} {check.value:.3g}{unit}"


_CHECK_WORDS = {
    "map_wells_without_reading": ("map wells without a reading", ""),
    "vehicle_cv_pct": ("vehicle CV", " %"),
    "positive_control_cv_pct": ("positive control CV", " %"),
    "qc_sample_cv_pct": ("QC sample CV", " %"),
    "z_prime": ("Z'", ""),
    "robust_z_prime": ("robust Z'", ""),
    "ssmd": ("SSMD", ""),
    "signal_to_background": ("signal to background", ""),
    "il3_rescue_fold": ("IL-3 rescue", " fold"),
    "edge_effect_pct": ("edge effect", " %"),
}
"""Name of a check -> (words, unit with its space)."""


def runs_left_out(potency: Potency) -> str:
    """Runs that are not in the combined value, those with the same reason together: "run 1, run 4: the plate failed"."""
    runs: dict[str, list[str]] = {}
    for run, reason in potency.runs_left_out:
        runs.setdefault(reason, []).append(run)
    return "; ".join(f"{', '.join(map(run_words, names))}: {reason}" for reason, names in runs.items())


def _potency_row(plate: PlateResult, potency: Potency) -> tuple[object, ...]:
    ec50 = potency.ec50_nM
    return (
        potency.agonist,
        potency.assay.label(),
        potency.assay.cell_system,
        ec50.estimate,
        ec50.low,
        ec50.high,
        potency.n_runs,
        listed_values(potency.run_ec50_nM),
        _intervals(potency),
        potency.between_run_sd_log10,
        potency.verdict,
        potency.interval,
        *potency_quality(plate, potency),
        runs_left_out(potency),
    )


def _intervals(potency: Potency) -> str:
    """Each run's own interval in the order of the runs: "0.31 to 0.54; 0.3 to open"."""
    ends = [["open" if end is None else repr(float(end)) for end in pair] for pair in potency.run_intervals_nM]
    return "; ".join(f"{low} to {high}" for low, high in ends)
