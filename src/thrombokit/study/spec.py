"""study.toml -> `StudySpec`: the one place where untrusted text becomes typed.

A study file says what was done; this module reads every word of it, and what it cannot mean is a fault with its line, all of
them in one pass. Nothing is looked up beyond the names of files and of shipped agonists: what stands in the files is for
`thrombokit.study.load`.

In faults, items of a list count from 1: plate.files[2] is the second [[plate.files]].
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationError

from thrombokit.domain.toml_places import TomlPlaces
from thrombokit.domain.toml_text import read_toml
from thrombokit.errors import SpecError, raise_all
from thrombokit.study.spec_cells import CellsSection
from thrombokit.study.spec_checks import check_spec, find_study_file
from thrombokit.study.spec_faults import faults_of, in_file_order
from thrombokit.study.spec_patients import PatientsSection
from thrombokit.study.spec_plate import PlateSection
from thrombokit.study.spec_section import Section
from thrombokit.study.spec_signalling import SignallingSection
from thrombokit.study.spec_trials import TrialsSection
from thrombokit.study.spec_types import RelativePath, Text

STUDY_SCHEMA = 1
"""The number of this form of study.toml; a new number where a key is renamed or removed."""


class StudySection(Section):
    """[study]: what the study is called, and its seed."""

    title: Text = Field(description="the study's title, a text", examples=["Agonists in 32D-MPL, May 2026"])
    seed: int = Field(default=1, ge=0, description="a whole number of 0 or more", examples=[1])
    note: Text | None = Field(default=None, description="a text", examples=["Third thaw."])
    synthetic: bool = Field(default=False, description="true or false", examples=[True])


class AgonistEntry(Section):
    """[[agonists]]: a shipped agonist by `name`, or a `file` of one's own; exactly one of the two is given."""

    name: Text | None = Field(default=None, description="the name of a shipped agonist", examples=["hetrombopag"])
    file: RelativePath | None = Field(
        default=None, description="an agonist file in the study folder", examples=["agonists/my_agonist.toml"]
    )


class ReportSection(Section):
    """[report]: what the page shows. Operators' codes are printed only where that is asked for."""

    show_operator: bool = Field(default=False, description="true or false", examples=[True])
    title: Text | None = Field(default=None, description="the report's title, a text", examples=["Potency of hetrombopag"])


class StudySpec(Section):
    """A study file, typed. `plate`, `cells`, `signalling`, `patients` or `trials` is None where there is no such section: that stage is not run.

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
    cells: CellsSection | None = Field(default=None, description="a table [cells]")
    signalling: SignallingSection | None = Field(default=None, description="a table [signalling]")
    patients: PatientsSection | None = Field(default=None, description="a table [patients]")
    trials: TrialsSection | None = Field(default=None, description="a table [trials]")
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
