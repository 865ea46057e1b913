"""What a plan leaves behind to be filled in: the sample sheet, the panels, the ledger of the cultures and the study file, as text.

The sample sheet is accepted by `read_sample_sheet` as soon as the files are there under the names it gives. The ledger lacks what only the
day can tell (volumes taken, beads); until it is filled in, its reader says which cells are empty.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

from thrombokit.agonists.load import find_shipped_agonist
from thrombokit.cells.plan import CulturePlan, PlannedPanel, Seeding, feed_days
from thrombokit.cells.plan_tubes import PlannedTube, culture_names, plan_tubes
from thrombokit.cells.tubes import Panel, TubeKind, Viability
from thrombokit.io.sample_sheet_rows import SHEET_COLUMNS

LEDGER_COLUMNS = (
    "culture", "donor", "day", "event", "cells", "volume_mL", "removed_mL", "added_mL", "cells_lost", "tube", "stained_mL", "beads_uL",
    "bead_lot", "beads_per_uL", "bead_lot_cv_pct", "notes",
)  # fmt: skip


def sample_sheet_text(plan: CulturePlan) -> str:
    """samples.csv: one row per tube to come."""
    return _csv(SHEET_COLUMNS, (_tube_row(plan, tube) for tube in plan_tubes(plan)))


def _tube_row(plan: CulturePlan, tube: PlannedTube) -> dict[str, object]:
    condition = tube.condition
    dose = condition.dose if condition else None
    source = "" if tube.kind is TubeKind.DIPLOID_REFERENCE else plan.cell_source.value
    return {
        "file": tube.file, "tube": tube.name, "donor": tube.donor, "day": tube.day_d, "panel": tube.panel, "kind": tube.kind.value,
        "stain": tube.stain, "role": condition.role.value if condition else "", "agonist": condition.agonist if condition else "",
        "concentration": "" if dose is None else repr(dose.concentration_nM), "unit": "" if dose is None else "nM", "source": source,
        "notes": f"replicate {tube.replicate}" if tube.replicate else "",
    }  # fmt: skip


def ledger_text(plan: CulturePlan, seeding: Seeding) -> str:
    """yields.csv: what is done to each well, in order; what is known only on the day is left empty."""
    rows: list[dict[str, object]] = []
    half = round(seeding.well_volume_mL / 2, 6)
    surface = plan.panels[0].panel.name
    tubes = {(t.donor, t.condition, t.replicate, t.day_d): t.name for t in plan_tubes(plan) if t.panel == surface and t.condition}
    for name, donor, condition, replicate in culture_names(plan):
        own: dict[str, object] = {"culture": name, "donor": donor}
        rows.append(
            {
                **own,
                "day": plan.expansion_d,
                "event": "seed",
                "cells": f"{seeding.CD34_per_well:.0f}",
                "volume_mL": seeding.well_volume_mL,
            }
        )
        events = [(day, 0, {"event": "sample", "tube": tubes[donor, condition, replicate, day]}) for day in plan.culture_days_d]
        feed = {"event": "feed", "removed_mL": half, "added_mL": half, "cells_lost": "no"}
        events += [(day, 1, dict(feed)) for day in feed_days(plan)]
        rows += [{**own, "day": day, **event} for day, _, event in sorted(events, key=lambda entry: entry[:2])]
    return _csv(LEDGER_COLUMNS, rows)


def study_text(plan: CulturePlan) -> str:
    """study.toml: the study that reads the sample sheet, the panels and the ledger."""
    named = (*plan.agonists, *([plan.positive_control] if plan.positive_control else []))
    found = (find_shipped_agonist(agonist.name) for agonist in named)
    known = dict.fromkeys(agonist.name for agonist in found if agonist is not None)
    shipped = "".join(f"[[agonists]]\nname = {_quoted(name)}\n\n" for name in known)
    head = f"schema = 1\n\n[study]\ntitle = {_quoted(plan.title)}\nseed = 1\n\n{shipped}"
    return f'{head}[cells]\nsheet = "samples.csv"\npanels = "panels.toml"\nyields = "yields.csv"\n'


def panels_text(plan: CulturePlan) -> str:
    """panels.toml: the plan's panels, for `read_panels`."""
    return "\n".join(_panel_text(panel) for panel in plan.panels)


def _panel_text(planned: PlannedPanel) -> str:
    panel, usual = planned.panel, Panel(name="")
    lines = ["[[panels]]", f"name = {_quoted(panel.name)}"]
    if panel.viability is not Viability.NONE:
        lines.append(f"viability = {_quoted(panel.viability.value)}")
    if panel.fixed:
        lines.append("fixed = true")
    scatter = ("fsc_area", "fsc_height", "ssc_area", "time")
    lines += [f"{key} = {_quoted(getattr(panel, key))}" for key in scatter if getattr(panel, key) != getattr(usual, key)]
    lines.append("[panels.channels]")
    lines += [f"{_key(marker)} = {_quoted(channel)}" for marker, channel in panel.channels.items()]
    return "\n".join(lines) + "\n"


def _key(text: str) -> str:
    return text if text.isascii() and text.replace("_", "").replace("-", "").isalnum() else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
