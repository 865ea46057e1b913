"""EC50s of every run and over runs as rows for the forest plot of `drawing.forest`."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from thrombokit.domain.potency import Potency
from thrombokit.drawing.curves import WITHOUT_EC50

FOREST_SCHEMA = {
    "assay": pl.String,
    "agonist": pl.String,
    "kind": pl.String,
    "label": pl.String,
    "ec50_nM": pl.Float64,
    "ec50_low_nM": pl.Float64,
    "ec50_high_nM": pl.Float64,
}


def run_words(run: str) -> str:
    """A run named by a bare number reads "run 1"; any other name stands for itself."""
    return f"run {run}" if run.isdigit() else run


def forest_row(assay: str, agonist: str, kind: str, label: str, *ec50: float | None) -> dict[str, object]:
    """One row of `FOREST_SCHEMA`; `ec50` is estimate, low, high in nM."""
    return dict(zip(FOREST_SCHEMA, (assay, agonist, kind, label, *ec50), strict=True))


def forest_rows(potencies: Sequence[Potency], fits: pl.DataFrame, failed: set[str]) -> list[dict[str, object]]:
    """A row a fitted curve with an EC50, and one a combined potency; plates in `failed` are marked as not combined."""
    return [row for potency in potencies for row in _rows_of(potency, fits, failed)]


def _rows_of(potency: Potency, fits: pl.DataFrame, failed: set[str]) -> list[dict[str, object]]:
    assay, rows = potency.assay.label(), list[dict[str, object]]()
    own = (pl.col("agonist") == potency.agonist) & (pl.col("cell_system") == potency.assay.cell_system)
    for fit in fits.filter(own & ~pl.col("verdict").is_in(list(WITHOUT_EC50))).iter_rows(named=True):
        used = fit["run"] in potency.runs_used and fit["plate"] not in failed
        label = ", ".join(text for text in (run_words(fit["run"] or ""), fit["plate"]) if text)
        kind = "run" if used else "run, not combined"
        rows.append(forest_row(assay, potency.agonist, kind, label, fit["ec50_nM"], fit["ec50_low_nM"], fit["ec50_high_nM"]))
    combined = potency.ec50_nM
    if combined.estimate is not None:
        label = f"{potency.n_runs} runs"
        rows.append(forest_row(assay, potency.agonist, "combined", label, combined.estimate, combined.low, combined.high))
    return rows
