"""[plate] of study.toml: the plate stage's files, wells left out, and choices."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from thrombokit.study.spec_section import Section
from thrombokit.study.spec_types import Cell, DateText, Label, RelativePath, Text, Unit, Well


class PlateFile(Section):
    """[[plate.files]]: one reader export. `plate` is needed where it holds several; `run` names the independent repetition or
    donor.
    """

    file: RelativePath = Field(description="a reader export in the study folder", examples=["plate1.csv"])
    map: RelativePath | None = Field(default=None, description="a plate map in the study folder", examples=["map.csv"])
    map_origin: Cell | None = Field(default=None, description="the cell of the map that holds well A01", examples=["A1"])
    map_unit: Unit | None = Field(default=None, description="a concentration unit such as nM, uM or ng/mL", examples=["nM"])
    plate: Label | None = Field(default=None, description="the plate's name, a text or a whole number", examples=["P1"])
    run: Label | None = Field(default=None, description="the name of the run or donor, a text or a whole number", examples=["1"])
    date: DateText | None = Field(default=None, description="a date", examples=["2026-05-04"])
    cell_system: Text | None = Field(default=None, description="the cells in the wells, a text", examples=["32D-MPL"])
    hours: float | None = Field(default=None, ge=0, description="the hours of incubation, a number of 0 or more", examples=[72])
    day0: bool = Field(default=False, description="true or false", examples=[True])
    operator: Label | None = Field(default=None, description="the operator's code, a text", examples=["OP1"])


class ExcludedWell(Section):
    """[[plate.exclude]]: one well left out, and why. `plate` is needed where the file holds several."""

    file: RelativePath = Field(description="a file listed in [[plate.files]]", examples=["plate1.csv"])
    well: Well = Field(description="a well, A01 to AF48", examples=["B07"])
    reason: Text = Field(description="why the well is left out, a text", examples=["pipetting error"])
    plate: Label | None = Field(default=None, description="the plate's name, a text or a whole number", examples=["P1"])


class PlateSection(Section):
    """[plate]: what holds for all plates, their files, and the wells left out."""

    manifest: RelativePath | None = Field(
        default=None, description="a manifest workbook in the study folder", examples=["Manifest.xlsx"]
    )
    map: RelativePath | None = Field(default=None, description="a plate map in the study folder", examples=["map.csv"])
    map_origin: Cell = Field(default="A1", description="the cell of the map that holds well A01", examples=["A1"])
    map_unit: Unit | None = Field(default=None, description="a concentration unit such as nM, uM or ng/mL", examples=["nM"])
    vehicle: Text | None = Field(default=None, description="the vehicle's name in the map, a text", examples=["DMSO"])
    positive_control: Text | None = Field(
        default=None, description="the positive control's name in the map, a text", examples=["rhTPO"]
    )
    comparator: Text | None = Field(default=None, description="the comparator's name in the map, a text", examples=["eltrombopag"])
    weights: Literal["model", "none"] = Field(default="model", description='"model" or "none"', examples=["model"])
    interval: Literal["profile", "wald"] = Field(default="profile", description='"profile" or "wald"', examples=["profile"])
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0, description="a number above 0.5 and below 1", examples=[0.95])
    serum: Text | None = Field(default=None, description="the serum in the medium, a text", examples=["10 % FBS"])
    readout: Text = Field(default="luminescence", description="what was read, a text", examples=["luminescence"])
    hill_margin: tuple[float, float] = Field(
        default=(0.8, 1.25), strict=False, description="two hill ratios around 1 that still count as equal", examples=[[0.8, 1.25]]
    )
    plateau_margin_pct: float = Field(
        default=10.0, gt=0, le=100, description="a number above 0, % of the comparator's range", examples=[10]
    )
    files: tuple[PlateFile, ...] = Field(default=(), strict=False, description="tables [[plate.files]]")
    exclude: tuple[ExcludedWell, ...] = Field(default=(), strict=False, description="tables [[plate.exclude]]")
