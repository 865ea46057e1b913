"""The cells' part of the report: sentences first, then the pictures and tables they rest on.

`cells_parts` gives what `templates/cells.html.j2` shows under the name `cells`, and all figures under "figures", so that the page can embed
their data once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from thrombokit.cells.cultures import HIGH_PLOIDY, MAIN_MARKER
from thrombokit.cells.cultures_result import CulturesResult
from thrombokit.cells.miflowcyt import miflowcyt_table
from thrombokit.cells.ploidy_response import PloidyResponse
from thrombokit.cells.population_result import PopulationResult, potency_sentence
from thrombokit.cells.treatments import treatment_words
from thrombokit.cells.tube_ploidy import TubePloidy
from thrombokit.drawing.histograms import OverlayPanel
from thrombokit.drawing.ridges import RidgePanel
from thrombokit.report.cells_charts import StrategyPicture, overlay_figures, ridge_figure, strategy_figures
from thrombokit.report.cells_sentences import (
    culture_sentence,
    ploidy_caveats,
    ploidy_sentences,
    quality_sentences,
    share_sentences,
    threshold_sentence,
    warning_sentences,
    yield_sentences,
)  # fmt: skip
from thrombokit.report.cells_tables import (
    donor_curve_table,
    plain_table,
    ploidy_table,
    population_table,
    potency_table,
    shift_table,
    threshold_table,
    yield_table,
)  # fmt: skip
from thrombokit.report.charts import Figure
from thrombokit.report.gating_pictures import overlay_panels, ridge_panels, strategy_pictures
from thrombokit.report.page_tables import PageTable
from thrombokit.report.ploidy_charts import ploidy_figures
from thrombokit.report.response_charts import plate_figure, response_figures, stage_figures, yield_figure

QUALITY_TITLES = {
    "tube": "Tube", "donor": "Donor", "kind": "Kind", "events": "Events", "removed_time": "Out by time", "removed_debris": "Out as debris",
    "removed_doublets": "Out as doublets", "removed_dead": "Out as dead", "analysed": "Analysed", "time": "Time", "live": "Live gate",
    "platelet_like": "Platelet-like", "particles": "Particle size", "findings": "Findings",
}  # fmt: skip
WARNING_TITLES = {
    "tube": "Tube",
    "warning": "Warning",
    "subject": "In",
    "value": "Figure",
    "limit": "Limit",
    "sentence": "What it means",
}
MOST_WARNINGS = 6
TOLD = ("CD41+CD61+", "CD41+", "CD42b+", "CD34-CD41+CD42b+", "CD41+CD61+CD42b+", "CD41+CD42b+")
"""Populations that the answer speaks of, those that the panel tells; the two first found."""
MOST_TOLD = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class CellsSection:
    """What the section tells; a table without rows, or a result that is None, leaves its part out.

    `populations`, `thresholds`, `quality`, `stages` and `warnings` are the tables of the gating; `told` names the populations that the
    sentences speak of, `stage_order` the stages from the least to the most mature. `wells` maps a tube to its well.
    """

    populations: pl.DataFrame
    quality: pl.DataFrame
    thresholds: pl.DataFrame = field(default_factory=pl.DataFrame)
    stages: pl.DataFrame = field(default_factory=pl.DataFrame)
    warnings: pl.DataFrame = field(default_factory=pl.DataFrame)
    told: tuple[str, ...] = ()
    stage_order: tuple[str, ...] = ()
    pictures: tuple[StrategyPicture, ...] = ()
    overlays: tuple[OverlayPanel, ...] = ()
    ridges: tuple[RidgePanel, ...] = ()
    responses: PopulationResult | None = None
    yields: pl.DataFrame = field(default_factory=pl.DataFrame)
    ploidy: tuple[TubePloidy, ...] = ()
    ploidy_response: PloidyResponse | None = None
    further_sentences: tuple[str, ...] = ()
    wells: dict[str, str] = field(default_factory=dict[str, str])
    miflowcyt: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


def section_of(result: CulturesResult) -> CellsSection:
    """The section for what the cells stage found."""
    gating = result.gating
    pooled = {one.group: one for one in gating.histograms if one.marker == MAIN_MARKER}
    by_group = {group: (one, tuple(h for h in result.histograms if h.group == group)) for group, one in pooled.items()}
    return replace(
        _without_pictures(result), overlays=overlay_panels(gating.histograms), ridges=ridge_panels(by_group),
        pictures=strategy_pictures(gating.densities, markers=result.markers, treatments=_treatments(gating.populations)),
    )  # fmt: skip


def cells_sentences(result: CulturesResult) -> list[str]:
    """The cells' answer and what limits it, one entry a sentence or two."""
    section = _without_pictures(result)
    return [*answer_sentences(section), *caveat_sentences(section)]


def _without_pictures(result: CulturesResult) -> CellsSection:
    gating = result.gating
    known = set(gating.populations["population"].to_list()) if not gating.populations.is_empty() else set[str]()
    further = [result.yield_responses.summary()] if result.yield_responses is not None else []
    return CellsSection(
        populations=gating.populations, quality=gating.quality, thresholds=gating.thresholds, stages=gating.stages,
        warnings=gating.warnings, told=tuple(name for name in TOLD if name in known)[:MOST_TOLD], stage_order=result.stage_order,
        responses=result.responses, yields=result.yields, ploidy=result.ploidy, ploidy_response=result.ploidy_response,
        further_sentences=tuple(further), notes=result.notes,
        wells={tube.tube: tube.well for tube in result.tubes if tube.well}, miflowcyt=result.record or None,
    )  # fmt: skip


def cells_parts(section: CellsSection) -> dict[str, Any]:
    """What the page shows of the cells.

    Returns
    -------
    dict
        `cells` (for the template) and `figures` (every figure in it, for embedding).
    """
    figures = _figures(section)
    record = section.miflowcyt
    cells: dict[str, Any] = {
        "sentences": answer_sentences(section),
        "caveats": caveat_sentences(section),
        **figures,
        "populations": population_table(_told_populations(section)),
        "thresholds": threshold_table(section.thresholds),
        "potencies": potency_table(section.responses) if section.responses is not None else None,
        "donor_curves": donor_curve_table(section.responses) if section.responses is not None else None,
        "yields": yield_table(section.yields),
        "ploidy": ploidy_table(section.ploidy) if section.ploidy else None,
        "shifts": shift_table(section.ploidy_response) if section.ploidy_response is not None else None,
        "warnings": plain_table(section.warnings, WARNING_TITLES, caption="Warnings, one row a finding"),
        "quality": plain_table(section.quality, QUALITY_TITLES, caption="Quality, one row a tube"),
        "miflowcyt": _record_table(record) if record else None,
        "not_stated": list(record["not_stated"]) if record else [],
    }
    listed = [entry for value in figures.values() for entry in (value if isinstance(value, list) else [value]) if entry is not None]
    return {"cells": cells, "figures": listed}


def answer_sentences(section: CellsSection) -> list[str]:
    """The cells' answer: how much there is, shares donor by donor, EC50s over donors, yield, ploidy."""
    sentences = [culture_sentence(section.populations, section.quality)] if not section.populations.is_empty() else []
    sentences += share_sentences(section.populations, section.told)
    if section.responses is not None:
        sentences += [
            potency_sentence(potency, section.responses.confidence)
            for potency in section.responses.potencies
            if potency.population in (*section.told, HIGH_PLOIDY)
        ]
    sentences += yield_sentences(section.yields) if not section.yields.is_empty() else []
    shift = [section.ploidy_response.summary()] if section.ploidy_response is not None else []
    return [*sentences, *ploidy_sentences(section.ploidy), *shift, *section.further_sentences]


def caveat_sentences(section: CellsSection) -> list[str]:
    """What limits it: the rules behind the thresholds, tubes that drifted, warnings of the gating, ploidies that rest on an assumption."""
    told = warning_sentences(section.warnings)
    more = (
        [f"{len(told) - MOST_WARNINGS} further kinds of warning stand in the table of warnings."]
        if len(told) > MOST_WARNINGS
        else []
    )
    rules = threshold_sentence(section.thresholds)
    quality = quality_sentences(section.quality)
    return [*([rules] if rules else []), *quality, *told[:MOST_WARNINGS], *more, *ploidy_caveats(section.ploidy)]


def _treatments(populations: pl.DataFrame) -> dict[str, str]:
    """Tube -> donor and treatment in words."""
    if populations.is_empty():
        return {}
    said: dict[str, str] = {}
    for row in populations.unique("tube", maintain_order=True).iter_rows(named=True):
        given = treatment_words(str(row["role"]), row["agonist"] or "", row["concentration_nM"])
        said[row["tube"]] = ", ".join(part for part in (row["donor"], given) if part)
    return said


def _told_populations(section: CellsSection) -> pl.DataFrame:
    """Populations that the answer tells and the stages; a plate has too many others for a page."""
    if not section.told and not section.stage_order:
        return section.populations
    return section.populations.filter(pl.col("population").is_in([*section.told, *section.stage_order]))


def _record_table(record: Mapping[str, Any]) -> PageTable | None:
    titles = {"section": "Section", "item": "Item", "value": "Value"}
    return plain_table(miflowcyt_table(record), titles, caption="MIFlowCyt record")


def _figures(section: CellsSection) -> dict[str, Any]:
    stages = stage_figures(section.stages, order=section.stage_order) if not section.stages.is_empty() else []
    plates = [plate_figure(section.populations, population=one, wells=section.wells) for one in section.told[:1]]
    return {
        "strategies": strategy_figures(section.pictures),
        "overlays": overlay_figures(section.overlays),
        "stage_figures": _present([*stages, *plates, ridge_figure(section.ridges)]),
        "responses": response_figures(section.responses) if section.responses is not None else [],
        "yield_figure": yield_figure(section.yields) if not section.yields.is_empty() else None,
        "ploidy_figures": ploidy_figures(section.ploidy),
    }


def _present(figures: list[Figure | None]) -> list[Figure]:
    return [figure for figure in figures if figure is not None]
