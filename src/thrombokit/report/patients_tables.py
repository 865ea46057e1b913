"""The tables of the patients' part: arms, regimens compared, the ledger counted, event tables, non-compartmental statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from thrombokit.patients.stage import PatientsStage
from thrombokit.report.page_tables import (
    NOTHING,
    PageColumn,
    PageTable,
    count,
    interval,
    interval_words,
    name,
    number,
    page_table,
    words,
)

SHOWN_NCA = ("CMAX", "TMAX", "AUCLST", "AUCIFO", "AUCTAU", "LAMZHL", "CLFO", "CLO", "VZFO", "VZO")


def arms_page(stage: PatientsStage) -> PageTable | None:
    """Every arm at its last week."""
    if not stage.arms:
        return None
    last = {row["arm"]: row for row in stage.weeks.group_by("arm", maintain_order=True).last().to_dicts()}
    rows = [
        {
            **last[arm.name], "in_range_pct": _percent(last[arm.name]["in_range"]), "low_pct": _percent(last[arm.name]["in_range_low"]),
            "high_pct": _percent(last[arm.name]["in_range_high"]), "not_dosed_pct": _percent(last[arm.name]["not_dosed"]),
            "unit": arm.amount_unit, "decisions": arm.decisions if arm.titrated else None,
            "changes": arm.changes if arm.titrated else None, "near_ties": arm.near_ties if arm.titrated else None,
            "engine": f"{arm.engine} ({arm.stated_error:.0e})",
        }
        for arm in stage.arms
    ]  # fmt: skip
    r = stage.counts_in
    columns = (
        name("Arm", "arm"), count("Week", "week"), count("Patients", "patients"), number(f"In {r.low:g} to {r.high:g} (%)", "in_range_pct"),
        interval("Interval (%)", "low_pct", "high_pct"), number("Median count", "p50"), interval("5 to 95 % of patients", "p5", "p95"),
        PageColumn(title="Mean dose", text=_dose, look="number"), number("Not dosed (%)", "not_dosed_pct"), count("Decisions", "decisions"),
        count("Changes", "changes"), count("Near ties", "near_ties"), name("Engine (error)", "engine"),
    )  # fmt: skip
    return page_table(
        pl.DataFrame(rows, infer_schema_length=None), columns, caption="Every arm at its last week",
        note="Counts in 1e9/L, as measured, of patients still there. A near tie is a decision whose count is nearer to a threshold than the "
        "engine’s stated error: there rounding decides.",
    )  # fmt: skip


def measures_page(stage: PatientsStage) -> PageTable | None:
    """Regimens in the same patients, measure by measure."""
    columns = (
        name("Arm", "arm"), words("Measure", "measure", look="nowrap"), words("Unit", "unit", look="nowrap"), number("Value", "value"),
        interval("Interval", "low", "high"), number("Difference", "difference"),
        PageColumn(title="Its interval", text=lambda row: interval_words(row["difference_low"], row["difference_high"]), look="number"),
    )  # fmt: skip
    return page_table(
        stage.measures, columns, caption="Regimens in the same virtual patients",
        note="Differences are within patients, from the first regimen of the cohort. Weeks after leaving or within a rescue window are not in range. "
        f"Monte-Carlo intervals ({100 * stage.confidence:g} %).",
    )  # fmt: skip


def reasons_page(stage: PatientsStage) -> PageTable | None:
    """The ledger, counted."""
    columns = (name("Arm", "arm"), words("Reason", "reason"), count("Decisions", "decisions"), count("Patients", "patients"))
    return page_table(
        stage.reasons, columns, caption="What the rules decided, and why",
        note="One decision a visit, keeps and holds included; every decision stands in results/patients/ledger.parquet.",
    )  # fmt: skip


def draws_page(stage: PatientsStage) -> PageTable | None:
    """Every arm under frozen draws at its last week: all sets, then every reading or set."""
    if stage.draws.is_empty():
        return None
    last = stage.draws.filter(pl.col("week") == pl.col("week").max().over("arm"))
    columns = (
        name("Arm", "arm"), words("Sets", "part", look="nowrap"), words("Measure", "measure", look="nowrap"), words("Unit", "unit", look="nowrap"),
        count("Draws", "replicates"), number("Median", "median"), interval("5 to 95 % of draws", "low", "high"),
        PageColumn(title="Of the variance, parameters (%)", text=_of_parameters, look="number"),
    )  # fmt: skip
    sets = {one.words: None for arm in stage.arms for one in arm.parameter_sets}
    return page_table(
        last, columns, caption="Under draws of frozen parameters, at the last week",
        note=f"Sets with the first characters of their SHA-256: {', '.join(sets)}. The rest of the variance is what other virtual patients change.",
    )  # fmt: skip


def event_page(stage: PatientsStage) -> PageTable | None:
    """Event tables that were run: the range of every output."""
    rows = [
        {
            "run": run.name, "model": run.model_file, "individuals": run.individuals, "records": run.records, "output": output,
            "low": low, "high": high, "engine": f"{run.engine} ({run.stated_error:.0e})", "decisions": run.decisions,
        }
        for run in stage.events for output, low, high in run.outputs
    ]  # fmt: skip
    columns = (
        name("Event table", "run"), name("Model", "model"), count("Individuals", "individuals"), count("Records", "records"),
        name("Output", "output"), interval("Lowest to highest", "low", "high"), count("Decisions", "decisions"), name("Engine (error)", "engine"),
    )  # fmt: skip
    return page_table(
        pl.DataFrame(rows, infer_schema_length=None), columns, caption="Event tables through models",
        note="Row by row the outputs stand in results/patients_event_rows.csv.",
    )  # fmt: skip


def nca_page(stage: PatientsStage) -> PageTable | None:
    """Exposure and half-life over subjects."""
    table = stage.nca_statistics
    shown = table.filter(pl.col("PPTESTCD").is_in(SHOWN_NCA)) if table.height else table
    columns = (
        name("Table", "run"), words("Group", "GROUP", look="nowrap"), name("Parameter", "PPTESTCD"), name("Unit", "PPSTRESU"),
        count("n", "n"), count("Withheld", "n_withheld"), number("Geometric mean", "geometric_mean"),
        interval("95 % interval", "geometric_low", "geometric_high"), number("CV (%)", "geometric_cv_percent"), number("Median", "median"),
        interval("Lowest to highest", "min", "max"),
    )  # fmt: skip
    return page_table(
        shown, columns, caption="Non-compartmental analysis of measured concentrations",
        note="CDISC names. Withheld: no value, or one that rests on much extrapolation. All parameters stand in results/patients_nca_statistics.csv.",
    )  # fmt: skip


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _of_parameters(row: Mapping[str, Any]) -> str:
    return f"{100.0 * row['parameter_variance'] / row['variance']:.0f}" if row["variance"] else NOTHING


def _dose(row: Mapping[str, Any]) -> str:
    return NOTHING if row["dose_mean"] is None else f"{row['dose_mean']:.3g} {row['unit']}"
