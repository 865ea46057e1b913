"""The cells stage: a study's choices, or the files of a sample sheet alone -> `analyse_cultures`."""

from __future__ import annotations

from pathlib import Path

from thrombokit.agonists.load import shipped_molar_masses
from thrombokit.cells.control_spillover import Compensation
from thrombokit.cells.cultures import CulturesSettings, analyse_cultures
from thrombokit.cells.cultures_result import CulturesResult
from thrombokit.cells.ledger_tubes import ledger_faults
from thrombokit.cells.strategy import MegakaryocyteStrategy
from thrombokit.cells.thresholds import ThresholdSettings
from thrombokit.errors import InputError, raise_all
from thrombokit.io.gatingml_read import read_gatingml
from thrombokit.io.panels import read_panels
from thrombokit.io.sample_sheets import read_sample_sheet
from thrombokit.io.spillover_tables import read_spillover_table
from thrombokit.io.yield_sheets import read_cultures
from thrombokit.scale.engine import Engine
from thrombokit.study.load_cells import CellsInput
from thrombokit.study.spec_cells import CellsSection


def run_cells(cells: CellsInput, section: CellsSection, *, engine: Engine) -> CulturesResult:
    """Run the cells stage of a study; see `analyse_cultures` for what it can refuse."""
    settings = cultures_settings(
        compensation=section.compensation, comparator=section.comparator, fmo_percentile=section.fmo_percentile,
        confidence=section.confidence,
    )  # fmt: skip
    return analyse_cultures(
        cells.sheet, settings, spillover=cells.spillover, gates=cells.gates, cultures=cells.cultures, engine=engine
    )


def cultures_settings(
    *, compensation: Compensation = "auto", comparator: str | None = None, fmo_percentile: float = 99.5, confidence: float = 0.95
) -> CulturesSettings:
    """The usual strategy with the choices that a study file or a command line offers."""
    strategy = MegakaryocyteStrategy(thresholds=ThresholdSettings(percentile=fmo_percentile), confidence=confidence)
    return CulturesSettings(strategy=strategy, compensation=compensation, comparator=comparator, confidence=confidence)


def analyse_sheet(
    sheet: str | Path,
    *,
    panels: str | Path,
    settings: CulturesSettings,
    yields: str | Path | None = None,
    spillover: str | Path | None = None,
    gates: str | Path | None = None,
    engine: Engine | None = None,
) -> CulturesResult:
    """The cells stage from files, without a study.

    Parameters
    ----------
    sheet, panels : path
        Sample sheet (its FCS files are looked for beside it) and panel file.
    settings : CulturesSettings
    yields, spillover, gates : path, optional
        Ledger of the cultures; spillover table; Gating-ML to apply in place of automatic gates.
    engine : Engine, optional

    Raises
    ------
    InputError
        With the faults of the files.
    """
    read = read_sample_sheet(sheet, panels=read_panels(panels), molar_masses=shipped_molar_masses())
    cultures = read_cultures(yields) if yields is not None else ()
    raise_all(ledger_faults(cultures, read.tubes, excluded=[tube.name for tube in read.excluded]), InputError)
    return analyse_cultures(
        read, settings, cultures=cultures, engine=engine,
        spillover=read_spillover_table(spillover) if spillover is not None else None,
        gates=read_gatingml(gates) if gates is not None else None,
    )  # fmt: skip
