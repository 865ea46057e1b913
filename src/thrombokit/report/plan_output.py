"""A plan on disk: bench sheet, sample sheet, panels, ledger of the cultures and study file; and the plan as a document for --json.

Files that a person may have filled in are never written over.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thrombokit.cells.plan import conditions_of
from thrombokit.errors import Fault, InputError
from thrombokit.io.plan_example import EXAMPLE
from thrombokit.io.plan_tables import ledger_text, panels_text, sample_sheet_text, study_text
from thrombokit.report.bench_sheet import PreparedPlan, bench_sheet_html

PLAN_DOCUMENT = "thrombokit.cells_plan/1"


def plan_files(prepared: PreparedPlan) -> dict[str, str]:
    """File name -> text of all that a plan leaves behind."""
    return {
        "bench_sheet.html": bench_sheet_html(prepared),
        "panels.toml": panels_text(prepared.plan),
        "samples.csv": sample_sheet_text(prepared.plan),
        "study.toml": study_text(prepared.plan),
        "yields.csv": ledger_text(prepared.plan, prepared.seeding),
    }


def write_plan(prepared: PreparedPlan, out: str | Path) -> list[str]:
    """Write a plan's files below `out`.

    Returns
    -------
    list of str
        Their names, sorted.

    Raises
    ------
    InputError
        If a file of that name is there with other content, or the folder cannot be written to; nothing is written then.
    """
    out, files = Path(out), plan_files(prepared)
    try:
        faults = [
            Fault(place=str(out / name), found="a file with other content", expected="a new file: it may have been filled in",
                  cure="Choose another folder, or move the file away.")
            for name, text in files.items()
            if (out / name).exists() and (out / name).read_bytes() != text.encode()
        ]  # fmt: skip
        if faults:
            raise InputError(faults)
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(_unwritable("--out", error)) from None
    return sorted(files)


def write_plan_example(path: str | Path) -> None:
    """Write a plan to start from, if there is no such file yet.

    Raises
    ------
    InputError
        If there is one, or it cannot be written.
    """
    path = Path(path)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(EXAMPLE)
    except FileExistsError:
        cure = "Name a new file, or move that one away."
        raise InputError(Fault(place=str(path), found="a file that is there already", expected="a new file", cure=cure)) from None
    except OSError as error:
        raise InputError(_unwritable(str(path), error)) from None


def plan_document(prepared: PreparedPlan, *, files: list[str]) -> dict[str, Any]:
    """The plan as plain values: schema "thrombokit.cells_plan/1"."""
    plan, seeding = prepared.plan, prepared.seeding
    return {
        "schema": PLAN_DOCUMENT, "title": plan.title, "cell_source": plan.cell_source.value, "donors": list(plan.donors),
        "days": {"expansion": plan.expansion_d, "differentiation": plan.differentiation_d, "read": list(plan.culture_days_d)},
        "seeding": {
            "wells": seeding.wells, "control_wells": seeding.control_wells, "vessel": seeding.vessel,
            "well_volume_mL": seeding.well_volume_mL, "CD34_per_well": seeding.CD34_per_well,
            "MKs_per_tube": seeding.MKs_per_tube.to_dict(), "CD34_to_start": seeding.CD34_to_start.to_dict(),
        },
        "timetable": [
            {"day": step.day_d, "date": step.date.isoformat() if step.date else None, "what": step.what, "how": step.detail}
            for step in prepared.steps
        ],
        "conditions": [
            {"role": c.role.value, "agonist": c.agonist, "dose": c.dose.label if c.dose else None,
             "concentration_nM": c.dose.concentration_nM if c.dose else None}
            for c in conditions_of(plan)
        ],
        "tubes": [
            {"tube": t.name, "donor": t.donor, "day": t.day_d, "panel": t.panel, "kind": t.kind.value, "stain": t.stain}
            for t in prepared.tubes
        ],
        "numbers": [
            {"name": n.name, "estimate": n.value, "low": n.low, "high": n.high, "unit": n.unit, "source": n.source, "tier": n.tier.value}
            for n in plan.numbers.values()
        ],
        "notes": list(prepared.notes), "files": files,
    }  # fmt: skip


def _unwritable(place: str, error: OSError) -> Fault:
    return Fault(
        place=place, found=f"a place that cannot be written ({error.strerror})", expected="a folder with room and permission",
        cure="Choose another folder.",
    )  # fmt: skip
