"""study.toml -> `StudySpec`: the one place where untrusted text becomes typed.

A study file says what was done; this module reads every word of it, and what it cannot mean is a fault with its line, all of
them in one pass. Nothing is looked up beyond the names of files and of shipped agonists: what stands in the files is for
`thrombokit.study.load`.

In faults, items of a list count from 1: plate.files[2] is the second [[plate.files]].
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from thrombokit.domain.toml_places import TomlPlaces
from thrombokit.domain.toml_text import read_toml
from thrombokit.errors import SpecError, raise_all
from thrombokit.study.spec_checks import check_spec, find_study_file
from thrombokit.study.spec_faults import faults_of, in_file_order
from thrombokit.study.spec_types import Cell, DateText, Label, RelativePath, Text, Unit, Well

STUDY_SCHEMA = 1
"""The number of this form of study.toml; a new number where a key is renamed or removed."""


class _Section(BaseModel):
    """What every table of study.toml has in common. The description of a field is what a fault says was expected there; its first
    example is the value a fault proposes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class StudySection(_Section):
    """[study]: what the study is called, and its seed."""

    title: Text = Field(description="the study's title, a text", examples=["Agonists in 32D-MPL, May 2026"])
    seed: int = Field(default=1, ge=0, description="a whole number of 0 or more", examples=[1])
    note: Text | None = Field(default=None, description="a text", examples=["Third thaw."])
    synthetic: bool = Field(default=False, description="true or false", examples=[True])


class AgonistEntry(_Section):
    """[[agonists]]: a shipped agonist by `name`, or a `file` of one's own; exactly one of the two is given."""

    name: Text | None = Field(default=None, description="the name of a shipped agonist", examples=["hetrombopag"])
    file: RelativePath | None = Field(
        default=None, description="an agonist file in the study folder", examples=["agonists/my_agonist.toml"]
    )


class PlateFile(_Section):
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


class ExcludedWell(_Section):
    """[[plate.exclude]]: one well left out, and why. `plate` is needed where the file holds several."""

    file: RelativePath = Field(description="a file listed in [[plate.files]]", examples=["plate1.csv"])
    well: Well = Field(description="a well, A01 to AF48", examples=["B07"])
    reason: Text = Field(description="why the well is left out, a text", examples=["pipetting error"])
    plate: Label | None = Field(default=None, description="the plate's name, a text or a whole number", examples=["P1"])


class PlateSection(_Section):
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


class ReportSection(_Section):
    """[report]: what the page shows. Operators' codes are printed only where that is asked for."""

    show_operator: bool = Field(default=False, description="true or false", examples=[True])
    title: Text | None = Field(default=None, description="the report's title, a text", examples=["Potency of hetrombopag"])


class StudySpec(_Section):
    """A study file, typed. `plate` is None where there is no [plate]: that stage is not run.

    All paths are relative to `folder`, with forward slashes; `path_to` makes them whole. `place_of` gives a later fault its line.
    """

    schema_number: int = Field(
        alias="schema",
        ge=STUDY_SCHEMA,
        le=STUDY_SCHEMA,
        description="the number 1, the form of study.toml this version reads",
        examples=[STUDY_SCHEMA],
    )
    study: StudySection = Field(description="a table [study] with a title")
    agonists: tuple[AgonistEntry, ...] = Field(default=(), strict=False, description="tables [[agonists]]")
    plate: PlateSection | None = Field(default=None, description="a table [plate]")
    report: ReportSection = Field(default_factory=ReportSection, description="a table [report]")
    _path: Path = PrivateAttr(default=Path("study.toml"))
    _places: TomlPlaces = PrivateAttr(default_factory=lambda: TomlPlaces(file="study.toml", lines={}))

    def model_post_init(self, context: Any) -> None:
        """Take the file and the lines of its keys from the context of the validation."""
        if context is not None:
            self._path, self._places = context["path"], context["places"]

    @property
    def path(self) -> Path:
        """The study file."""
        return self._path

    @property
    def folder(self) -> Path:
        """The study folder, from which all paths in the file start."""
        return self._path.parent

    def path_to(self, relative: str) -> Path:
        """The whole path of a file named in the study file."""
        return self.folder / relative

    def place_of(self, key: str) -> str:
        """Words for a fault: `place_of("plate.files[2].map")` is "study.toml:12, plate.files[2].map".

        Items count from 1. A key that is not written has the line of the table it would stand in.
        """
        return self._places.place_of(key)


def read_spec(path: str | Path) -> StudySpec:
    """A study file, read and checked.

    Parameters
    ----------
    path : str or Path
        The study folder, or its study.toml (which may have another name).

    Returns
    -------
    StudySpec
        Every setting with its default; paths relative to the study folder, checked to exist.

    Raises
    ------
    SpecError
        With every fault found in one pass: form (line and column), unknown, missing and repeated keys, values, paths and names.
    """
    file = find_study_file(Path(path))
    document = read_toml(file)
    faults = list(document.faults)
    spec: StudySpec | None = None
    try:
        spec = StudySpec.model_validate(document.values, context={"path": file, "places": document.places})
    except ValidationError as error:
        faults.extend(faults_of(error, document, root=StudySpec))
    faults.extend(check_spec(document, folder=file.parent))
    raise_all(in_file_order(faults), SpecError)
    if spec is None:
        raise AssertionError("a study file that does not validate has a fault")
    return spec
