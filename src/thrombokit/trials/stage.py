"""The trials stage of a study: what its report, workbook and archive need, in figures of arms. No subject stands in it unless that was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl


@dataclass(frozen=True, kw_only=True)
class TrialPicture:
    """A picture as a Vega-Lite spec with its data: `key` is a plain word for file names, `heading` and `caption` are for the reader."""

    key: str
    heading: str
    caption: str
    spec: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PublishedSource:
    """Where a published trial's counts were read, how much they can carry, and what must be known with them."""

    name: str
    title: str
    source: str
    locator: str
    tier: str
    note: str


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialsStage:
    """The answer of [trials].

    `document` is the trial's answer as plain values (empty without counts). `results` is the analysis-results data set: every number of counts, times
    and published trials with method, options, inputs and version. `estimands` has a row an estimand and arm, `by_visit` an arm and week, `flow` an
    arm, `subgroups` a level and arm, `curves` an arm and time (survival and incidence), `medians` an arm of the times given, `published` an endpoint
    and arm. `include_subjects` tells whether pictures hold single subjects.
    """

    title: str
    arms: tuple[str, ...]
    reference: str | None
    confidence: float
    include_subjects: bool
    answer: tuple[str, ...]
    caveats: tuple[str, ...]
    document: dict[str, Any]
    pictures: tuple[TrialPicture, ...]
    sources: tuple[PublishedSource, ...]
    results: pl.DataFrame = field(default_factory=pl.DataFrame)
    estimands: pl.DataFrame = field(default_factory=pl.DataFrame)
    by_visit: pl.DataFrame = field(default_factory=pl.DataFrame)
    flow: pl.DataFrame = field(default_factory=pl.DataFrame)
    subgroups: pl.DataFrame = field(default_factory=pl.DataFrame)
    curves: pl.DataFrame = field(default_factory=pl.DataFrame)
    medians: pl.DataFrame = field(default_factory=pl.DataFrame)
    published: pl.DataFrame = field(default_factory=pl.DataFrame)

    def table(self) -> pl.DataFrame:
        """The analysis-results data set: one row a number."""
        return self.results

    def summary(self) -> str:
        """The answer and what limits it, a line each."""
        return "\n".join([*self.answer, *self.caveats])
