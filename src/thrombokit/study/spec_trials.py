"""[trials] of study.toml: a trial's counts and subjects, the estimands asked of them, times to an event, published trials beside."""

from __future__ import annotations

from pydantic import Field

from thrombokit.study.spec_section import Section
from thrombokit.study.spec_types import PositiveList, RelativePath, Text, TextList


class TrialsSection(Section):
    """[trials]: `data` with `estimands`, or `adtte`, or `published`, or several of them.

    `data` is ADLB (then `subjects` is ADSL) or a plain table of counts. `estimands` is the name of a shipped plan or a file. `reference`,
    `subgroups`, `weeks`, `before_d` and `after_d` stand in place of the plan's own; `strata` are added to every estimand that has none. Single
    subjects are drawn only with `include_subjects`.
    """

    data: RelativePath | None = Field(
        default=None, description="a table of platelet counts in the study folder", examples=["trial/counts.csv"]
    )
    subjects: RelativePath | None = Field(
        default=None, description="a table of subjects in the study folder", examples=["trial/subjects.csv"]
    )
    rescue: RelativePath | None = Field(
        default=None, description="a table of rescues in the study folder", examples=["trial/rescue.csv"]
    )
    param: Text | None = Field(default=None, description="the PARAMCD of the platelet count, a text", examples=["PLAT"])
    unit: Text | None = Field(default=None, description="the unit of counts that name none, a text", examples=["10^9/L"])
    estimands: Text | None = Field(
        default=None, description="a file of estimands, or the name of a shipped one", examples=["hetrombopag-phase3"]
    )
    reference: Text | None = Field(default=None, description="the arm the others are compared with, a text", examples=["placebo"])
    strata: TextList = Field(default=(), description="a list of factors of the subjects", examples=[["splenectomy"]])
    subgroups: TextList | None = Field(default=None, description="a list of factors of the subjects", examples=[["sex"]])
    weeks: PositiveList | None = Field(
        default=None, min_length=1, description="a list of planned weeks, above 0", examples=[[1, 2, 3, 4]]
    )
    before_d: float | None = Field(default=None, ge=0, description="days before a planned day, 0 or more", examples=[3])
    after_d: float | None = Field(default=None, ge=0, description="days after a planned day, 0 or more", examples=[3])
    adtte: RelativePath | None = Field(
        default=None, description="a data set of times to an event in the study folder", examples=["trial/adtte.xpt"]
    )
    adtte_param: Text | None = Field(default=None, description="the PARAMCD of the time to an event, a text", examples=["TTRESP"])
    published: TextList = Field(default=(), description="a list of published trials", examples=[["hetrombopag-phase3"]])
    include_subjects: bool = Field(default=False, description="true or false", examples=[True])
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0, description="a number above 0.5 and below 1", examples=[0.95])
