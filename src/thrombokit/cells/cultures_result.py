"""What the cells stage hands on for a whole study: gating of all panels, dose-response, yields and ploidy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from thrombokit.cells.control_spillover import PanelSpillover
from thrombokit.cells.dose_histograms import DoseHistogram
from thrombokit.cells.gates import GateTree
from thrombokit.cells.ploidy_response import PloidyResponse
from thrombokit.cells.population_result import PopulationResult
from thrombokit.cells.result import CellsResult
from thrombokit.cells.strategy import Group
from thrombokit.cells.tube_ploidy import TubePloidy

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, kw_only=True, slots=True)
class TubeDescription:
    """What the sample sheet says of one tube."""

    tube: str
    file: str
    kind: str
    stain: str
    donor: str
    plate: str
    day_d: float | None
    panel: str
    role: str
    agonist: str
    concentration_nM: float | None
    cell_source: str
    well: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CulturesResult:
    """The cells stage's answer; n is donors.

    `gating` holds the tables of all panels together, `gates` each control group's tree, `markers` maps (panel, channel) to the marker it
    shows. `responses` are populations (and yields) against dose, `ploidy` one entry a tube with a DNA dye. `yields` as `yields_table`.
    `record` is the MIFlowCyt record. `notes` are what to know before the numbers are used; `excluded` are tubes left out, with the reason.
    """

    gating: CellsResult
    gates: dict[Group, GateTree]
    markers: dict[tuple[str, str], str]
    stage_order: tuple[str, ...]
    spillover: tuple[PanelSpillover, ...]
    tubes: tuple[TubeDescription, ...]
    confidence: float
    comparator: str | None = None
    locked: bool = False
    responses: PopulationResult | None = None
    yields: pl.DataFrame = field(default_factory=pl.DataFrame)
    yield_responses: PopulationResult | None = None
    ploidy: tuple[TubePloidy, ...] = ()
    ploidy_response: PloidyResponse | None = None
    histograms: tuple[DoseHistogram, ...] = ()
    record: dict[str, object] = field(default_factory=dict[str, object])
    notes: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()

    def table(self) -> pl.DataFrame:
        """EC50 of each agonist and population over donors; the populations themselves where there is no dose series."""
        return self.responses.table() if self.responses is not None else self.gating.table()

    def summary(self) -> str:
        """The gating in a few sentences, then what donors say together."""
        said = [self.gating.summary()]
        said += [one.summary() for one in (self.responses, self.yield_responses, self.ploidy_response) if one is not None]
        return " ".join(part for part in said if part)

    def plot(self) -> alt.FacetChart:
        """EC50 of every donor and over donors (nM) as a forest plot; stages over dose as stacked bars where no donor has an EC50.

        Raises
        ------
        InputError
            If there is neither an EC50 nor a tube with cells in its stages.
        """
        if self.responses is not None and self.responses.curves["ec50_nM"].drop_nulls().len():
            return self.responses.plot()
        return self.gating.plot()


def joined(parts: Sequence[CellsResult]) -> CellsResult:
    """The results of several panels as one; a marker's columns are null where a panel does not have it."""
    if len(parts) == 1:
        return parts[0]

    def stacked(name: str) -> pl.DataFrame:
        frames = [getattr(part, name) for part in parts]
        return (
            pl.concat([frame for frame in frames if frame.width], how="diagonal_relaxed")
            if any(f.width for f in frames)
            else pl.DataFrame()
        )

    return CellsResult(
        populations=stacked("populations"), stages=stacked("stages"), thresholds=stacked("thresholds"), quality=stacked("quality"),
        warnings=stacked("warnings"), by_ploidy=stacked("by_ploidy"),
        fitted={group: one for part in parts for group, one in part.fitted.items()},
        densities=tuple(one for part in parts for one in part.densities),
        histograms=tuple(one for part in parts for one in part.histograms),
    )  # fmt: skip
