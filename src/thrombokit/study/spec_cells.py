"""[cells] of study.toml: the flow-cytometry stage's files and choices."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from thrombokit.study.spec_section import Section
from thrombokit.study.spec_types import RelativePath, Text


class CellsSection(Section):
    """[cells]: sample sheet, panels, and how the tubes are compensated, gated and read.

    Names of FCS files in the sheet start from the sheet's own folder. `compensation`: "controls" computes spillover from the sheet's
    single stains, "file" takes each file's own matrix, "table" the one named by `spillover`, "none" none; "auto" is the first of table,
    controls and file that is there. `gates` names gates drawn by hand (Gating-ML 2.0) that are applied in place of the automatic ones.
    """

    sheet: RelativePath = Field(description="a sample sheet in the study folder", examples=["cells/sheet.csv"])
    panels: RelativePath = Field(description="a panel file in the study folder", examples=["cells/panels.toml"])
    yields: RelativePath | None = Field(
        default=None, description="a ledger of the cultures in the study folder", examples=["cells/yields.csv"]
    )
    compensation: Literal["auto", "controls", "file", "table", "none"] = Field(
        default="auto", description='"auto", "controls", "file", "table" or "none"', examples=["auto"]
    )
    spillover: RelativePath | None = Field(
        default=None, description="a spillover table in the study folder", examples=["cells/spillover.csv"]
    )
    gates: RelativePath | None = Field(
        default=None, description="a Gating-ML file in the study folder", examples=["cells/gates.xml"]
    )
    lock: RelativePath | None = Field(
        default=None, description="the lock of those gates, a file in the study folder", examples=["cells/gates.lock.json"]
    )
    comparator: Text | None = Field(
        default=None, description="the comparator's name in the sheet, a text", examples=["eltrombopag"]
    )
    fmo_percentile: float = Field(default=99.5, gt=50, lt=100, description="a number above 50 and below 100", examples=[99.5])
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0, description="a number above 0.5 and below 1", examples=[0.95])
