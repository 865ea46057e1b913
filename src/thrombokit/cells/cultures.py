"""The whole cells stage: a sample sheet's tubes gated panel by panel, their populations, yields and ploidy read against dose, donor by donor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from thrombokit.cells.analyse import analyse_samples
from thrombokit.cells.control_spillover import Compensation, PanelSpillover, spillover_of_panel
from thrombokit.cells.culture_events import Culture, TubeCounts, with_counts
from thrombokit.cells.cultures_result import CulturesResult, TubeDescription, joined
from thrombokit.cells.dose_histograms import DoseHistogram, dose_histograms
from thrombokit.cells.gates import GateTree, dimensions_of
from thrombokit.cells.miflowcyt import miflowcyt_record
from thrombokit.cells.ploidy_response import PloidyResponse, analyse_ploidy_response, ploidy_populations
from thrombokit.cells.population_result import PopulationResult
from thrombokit.cells.populations import PopulationSettings, analyse_population_response
from thrombokit.cells.result import CellsResult
from thrombokit.cells.scales import Ratio
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.strategy import MegakaryocyteStrategy
from thrombokit.cells.tube_ploidy import TubePloidy, class_table, classes_of_events, ploidy_of_tubes
from thrombokit.cells.tubes import SampleSheet, Tube, TubeKind, group_words
from thrombokit.cells.yields import follow_culture, yields_table
from thrombokit.numerics.normal_distribution import two_sided_z
from thrombokit.scale.engine import Engine, SerialEngine

MAIN_MARKER, MEGAKARYOCYTES = "CD41", "CD41+"
YIELD = "CD41+ cells per CD34+ cell"
AT_LEAST_N, HIGH_PLOIDY = 8, ">= 8N"
FEWEST_DOSES = 3
"""Doses of an agonist below which no dose-response is tried."""


@dataclass(frozen=True, kw_only=True)
class CulturesSettings:
    """Choices of the cells stage; `comparator` is an agonist of the sheet."""

    strategy: MegakaryocyteStrategy
    compensation: Compensation = "auto"
    comparator: str | None = None
    confidence: float = 0.95


def analyse_cultures(
    sheet: SampleSheet,
    settings: CulturesSettings,
    *,
    spillover: Spillover | None = None,
    gates: GateTree | None = None,
    cultures: Sequence[Culture] = (),
    engine: Engine | None = None,
) -> CulturesResult:
    """Everything the cells stage has to say of a study.

    Parameters
    ----------
    sheet : SampleSheet
        The tubes with their controls.
    settings : CulturesSettings
    spillover : Spillover, optional
        A table in place of single stains.
    gates : GateTree, optional
        Gates to apply as they are; nothing is fitted.
    cultures : sequence of Culture, optional
        Ledgers; tubes they name are counted by the gates.
    engine : Engine, optional
        Where tubes are worked on; the numbers do not depend on it.

    Returns
    -------
    CulturesResult

    Raises
    ------
    InputError
        If tubes, controls or gates cannot be used as asked.
    """
    run_on = engine or SerialEngine()
    panels = list(dict.fromkeys(tube.panel.name for tube in sheet.tubes))
    members = {name: [tube for tube in sheet.tubes if tube.panel.name == name] for name in panels}
    found = [_read_panel(name, members[name], settings, spillover, gates_for(members[name], gates), run_on) for name in panels]
    gating = joined([one.gating for one in found])
    ploidy = tuple(tube for one in found for tube in one.ploidy)
    assays = assays_of(sheet.tubes)
    classes = class_table(ploidy)
    if not classes.is_empty():
        classes = by_assay(classes, assays)
    yields = _yields(cultures, gating, settings.confidence)
    return CulturesResult(
        gating=gating,
        gates=gating.gates,
        markers=_markers(sheet.tubes),
        stage_order=tuple(dict.fromkeys(stage.name for one in gating.fitted.values() for stage in one.stages)),
        spillover=tuple(one.spillover for one in found),
        tubes=tuple(describe(tube) for tube in sheet.tubes),
        confidence=settings.confidence,
        comparator=settings.comparator,
        locked=gates is not None,
        responses=_responses(_counts(gating, classes, assays), settings),
        yields=yields,
        yield_responses=_responses(by_assay(_yields_by_dose(yields, sheet.tubes), assays), settings),
        ploidy=ploidy,
        ploidy_response=_ploidy_response(classes, settings.confidence),
        histograms=tuple(histogram for one in found for histogram in one.histograms),
        record=miflowcyt_record(
            sheet.tubes, gates={group_words(group): tree for group, tree in gating.gates.items()}, thresholds=gating.thresholds
        ),
        notes=(*sheet.notes, *_own_gates(members, gates)),
        excluded=tuple((tube.name, tube.reason) for tube in sheet.excluded),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _PanelFound:
    """What the tubes of one panel gave."""

    spillover: PanelSpillover
    gating: CellsResult
    ploidy: tuple[TubePloidy, ...]
    histograms: tuple[DoseHistogram, ...]


def _read_panel(
    panel: str, tubes: Sequence[Tube], settings: CulturesSettings, table: Spillover | None, gates: GateTree | None, engine: Engine
) -> _PanelFound:
    """Gate a panel's tubes and fit their ploidy; where that is known, the same gates once more tell every population by ploidy class."""
    matrix = spillover_of_panel(panel, tubes, compensation=settings.compensation, table=table)
    gating = analyse_samples(tubes, settings.strategy, engine=engine, locked=gates, spillover=matrix.spillover)
    ploidy = ploidy_of_tubes(tubes, gating.fitted, engine=engine)
    classes = classes_of_events(tubes, ploidy)
    if classes:
        named = [tube for tube in tubes if tube.name in classes]
        again = analyse_samples(
            named, settings.strategy, engine=engine, locked=gating.gates, spillover=matrix.spillover, ploidy_classes=classes
        )
        gating = replace(gating, by_ploidy=again.by_ploidy)
    by_group = dose_histograms(tubes, gating, MAIN_MARKER, spillover=matrix.spillover)
    return _PanelFound(
        spillover=matrix, gating=gating, ploidy=ploidy, histograms=tuple(one for _, found in by_group.values() for one in found)
    )


def gates_for(tubes: Sequence[Tube], gates: GateTree | None) -> GateTree | None:
    """The given gates where all of a panel's tubes have their channels; None (gates are fitted) for a panel they were not made for.

    Where no channel of the gates is missing in one tube but in another, the gates are given, and the gating tells what is missing.
    """
    if gates is None:
        return None
    wanted = {name for gate in gates.gates for dimension in dimensions_of(gate) for name in _channels(dimension.channel)}
    return gates if any(wanted <= set(tube.sample.channel_names) for tube in tubes) else None


def _own_gates(members: Mapping[str, Sequence[Tube]], gates: GateTree | None) -> list[str]:
    """A sentence for each panel that the given gates were not made for."""
    if gates is None:
        return []
    return [
        f"Panel {name}: the given gates ({gates.source}) are on channels it does not have; its own gates were fitted."
        for name, tubes in members.items()
        if gates_for(tubes, gates) is None
    ]


def _channels(channel: str | Ratio) -> tuple[str, ...]:
    return (channel.numerator, channel.denominator) if isinstance(channel, Ratio) else (channel,)


def describe(tube: Tube) -> TubeDescription:
    """What the sheet says of a tube, without its events."""
    return TubeDescription(
        tube=tube.name, file=tube.file, kind=str(tube.kind), stain=tube.stain, donor=tube.donor, plate=tube.plate, day_d=tube.day_d,
        panel=tube.panel.name, role=str(tube.role), agonist=tube.agonist, concentration_nM=tube.concentration_nM,
        cell_source=tube.cell_source, well=tube.well,
    )  # fmt: skip


def assays_of(tubes: Sequence[Tube]) -> dict[str, str]:
    """Tube -> what its donors may be joined with: its panel, and the source of its cells where the sheet has several.

    Donors of cord blood and of adult blood are never joined: thrombopoietin moves the ploidy of the two in opposite directions.
    """
    sources = {tube.cell_source for tube in tubes if tube.kind is TubeKind.FULL}
    return {
        tube.name: ", ".join(
            part for part in (tube.panel.name, tube.cell_source.replace("_", " ") if len(sources) > 1 else "") if part
        )
        for tube in tubes
    }


def by_assay(table: pl.DataFrame, assays: Mapping[str, str]) -> pl.DataFrame:
    """The table with the assay of each tube in place of its panel."""
    return table.with_columns(pl.col("tube").replace_strict(dict(assays), default=None).alias("panel")) if table.height else table


def _markers(tubes: Sequence[Tube]) -> dict[tuple[str, str], str]:
    return {(tube.panel.name, channel): marker for tube in tubes for marker, channel in tube.panel.channels.items()}


def _counts(gating: CellsResult, classes: pl.DataFrame, assays: Mapping[str, str]) -> pl.DataFrame:
    """Rows for the dose-response: marker-positive cells and stages among the analysed ones, and cells of 8N or more."""
    columns = [
        "donor",
        "agonist",
        "concentration_nM",
        "role",
        "day_d",
        "plate",
        "panel",
        "tube",
        "population",
        "count",
        "parent_count",
    ]
    stages = gating.stages.rename({"stage": "population"}) if not gating.stages.is_empty() else gating.stages
    parts = [gating.populations.filter(pl.col("population").str.ends_with("+") & ~_is_stage(stages)), stages]
    found = [by_assay(part, assays).select(columns) for part in parts if not part.is_empty()]
    if not classes.is_empty():
        found.append(ploidy_populations(classes, at_least=AT_LEAST_N).select(columns))
    return pl.concat(found, how="vertical_relaxed") if found else pl.DataFrame()


def _is_stage(stages: pl.DataFrame) -> pl.Expr:
    names = stages["population"].unique().to_list() if not stages.is_empty() else []
    return pl.col("population").is_in(names)


def _responses(counts: pl.DataFrame, settings: CulturesSettings) -> PopulationResult | None:
    """Dose-response; None without a dose series."""
    if counts.is_empty():
        return None
    doses = counts.filter((pl.col("role") == "sample") & (pl.col("concentration_nM") > 0))
    if doses["concentration_nM"].n_unique() < FEWEST_DOSES:
        return None
    agonists = set(doses["agonist"].to_list())
    comparator = settings.comparator if settings.comparator in agonists else None
    return analyse_population_response(counts, settings=PopulationSettings(comparator=comparator, confidence=settings.confidence))


def _ploidy_response(classes: pl.DataFrame, confidence: float) -> PloidyResponse | None:
    if classes.is_empty():
        return None
    doses = classes.filter((pl.col("role") == "sample") & (pl.col("concentration_nM") > 0))
    return analyse_ploidy_response(classes, confidence=confidence) if doses["concentration_nM"].n_unique() >= FEWEST_DOSES else None


def _yields(cultures: Sequence[Culture], gating: CellsResult, confidence: float) -> pl.DataFrame:
    """Cumulative megakaryocytes per CD34+ cell at each count of each ledger; counts left open are the gates'."""
    if not cultures:
        return pl.DataFrame()
    mine = (
        gating.populations.filter(pl.col("population") == MEGAKARYOCYTES) if not gating.populations.is_empty() else pl.DataFrame()
    )
    counts = {tube: TubeCounts(MKs=int(n)) for tube, n in mine.select("tube", "count").iter_rows()} if not mine.is_empty() else {}
    points = [point for culture in cultures for point in follow_culture(with_counts(culture, counts), confidence=confidence)]
    return yields_table(points)


def _yields_by_dose(yields: pl.DataFrame, tubes: Sequence[Tube]) -> pl.DataFrame:
    """Yields of counts that name a tube, with what the tube was given; relative standard deviations from the intervals."""
    if yields.is_empty():
        return pl.DataFrame()
    told = {tube.name: tube for tube in tubes if tube.kind is TubeKind.FULL}
    rows: list[dict[str, object]] = []
    for row in yields.iter_rows(named=True):
        tube, value, low, high = told.get(row["tube"]), row["MKs_per_CD34"], row["MKs_per_CD34_low"], row["MKs_per_CD34_high"]
        if tube is None or not value or not low or not high:
            continue
        sd = math.log(high / low) / (2.0 * two_sided_z(row["confidence"]))
        rows.append(
            {
                "donor": tube.donor, "agonist": tube.agonist or None, "concentration_nM": tube.concentration_nM, "role": str(tube.role),
                "day_d": tube.day_d, "plate": tube.plate, "panel": tube.panel.name, "tube": tube.name, "population": YIELD,
                "value": value, "relative_sd": sd,
            }
        )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()
