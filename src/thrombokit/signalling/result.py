"""What a simulation of signalling hands on: activity, fates and cells of every treatment, with what they rest on."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import numpy as np
import polars as pl

from thrombokit.domain.fates import FateRates
from thrombokit.drawing.numerals import three_digits
from thrombokit.drawing.time_courses import time_course_chart
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import Anchor
from thrombokit.signalling.cultures import CultureCourse
from thrombokit.signalling.fates import Activity
from thrombokit.signalling.treatments import Treatment

SHOWN = ("STAT5_p", "STAT5_nuclear", "ERK_p", "AKT_p", "MTORC1_active", "BCLXL", "CCND1")
"""Species a plot shows unless told otherwise."""
DRAWN_AT_MOST = 8
"""Treatments of one plot; of more, evenly spaced ones are drawn."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SignallingResult(FrozenArrays):
    """Treatments of one cell system over `time_h` (n_times,) hours.

    `activities`, `fates` and `treatments` run in parallel; `cells` (n_treatments, n_times) living cells a well; `response_pct` of the same
    shape, in % of the window from vehicle to the positive control at the same time (NaN where that is no window). `cultures` are empty
    unless a culture of megakaryocytes was asked for. `caption` belongs under every figure: the share of assumed rates, and what the
    others were fitted to.
    """

    cell_system: str
    hours: float
    positive_control: Treatment
    treatments: tuple[Treatment, ...]
    time_h: Array
    activities: tuple[Activity, ...]
    fates: tuple[FateRates, ...]
    cells: Array
    response_pct: Array
    bindings: tuple[Binding, ...]
    caption: str
    assumed_share: float
    anchors: tuple[Anchor, ...] = ()
    cultures: tuple[CultureCourse, ...] = ()
    species_names: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("time_h", "cells", "response_pct"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def at(self, hours: float) -> int:
        """Index of the time nearest to `hours`."""
        return int(np.argmin(np.abs(self.time_h - hours)))

    def table(self) -> pl.DataFrame:
        """One row a treatment: cells and response at the end, mean fates, peak and end of the phosphorylated proteins in nM."""
        rows = [self._row(k) for k in range(len(self.treatments))]
        return pl.DataFrame(rows, infer_schema_length=None)

    def time_courses(self, species: tuple[str, ...] = SHOWN) -> pl.DataFrame:
        """One row a treatment, species and time: `treatment`, `species`, `time_h`, `concentration_nM`."""
        n_wells, n_times = len(self.treatments), self.time_h.size
        levels = [activity[name] for activity in self.activities for name in species]
        columns = {
            "treatment": [treatment.label for treatment in self.treatments for _ in range(n_times * len(species))],
            "species": [name for name in species for _ in range(n_times)] * n_wells,
            "time_h": np.tile(self.time_h, n_wells * len(species)),
            "concentration_nM": np.concatenate([np.empty(0), *levels]),
        }
        return pl.DataFrame(columns, schema_overrides={"treatment": pl.String, "species": pl.String})

    def fate_table(self) -> pl.DataFrame:
        """One row a treatment and time: the four fates per day."""
        return pl.concat([fates.table() for fates in self.fates])

    def summary(self) -> str:
        """What was simulated, the highest response, how agonists are anchored, and the caption."""
        best = int(np.nanargmax(self.response_pct[:, -1])) if np.isfinite(self.response_pct[:, -1]).any() else None
        said = [f"{len(self.treatments)} treatments of {self.cell_system} over {self.hours:g} h."]
        if best is not None:
            top = three_digits(float(self.response_pct[best, -1]))
            said.append(f"Highest response: {self.treatments[best].label} with {top} % of {self.positive_control.label}.")
        return " ".join([*said, *(anchor.summary() for anchor in self.anchors), *self.notes, self.caption])

    def plot(self, species: tuple[str, ...] = SHOWN) -> alt.FacetChart:
        """Time courses of some species (nM over hours), a panel each, a line a treatment; the caption stands below.

        Raises
        ------
        InputError
            If no species is asked for.
        """
        kept = np.unique(np.linspace(0, len(self.treatments) - 1, DRAWN_AT_MOST).round().astype(int))
        names = dict(self.species_names)
        labels = [self.treatments[k].label for k in kept]
        rows = self.time_courses(species).filter(pl.col("treatment").is_in(labels))
        return time_course_chart(
            rows.select("treatment", pl.col("species").replace(names).alias("panel"), "time_h", value="concentration_nM"), series=labels,
            value_title="nM", caption=self.caption,
            description=f"Signalling in {self.cell_system} over time, in nM. {self.caption}",
        )  # fmt: skip

    def _row(self, k: int) -> dict[str, object]:
        treatment, activity = self.treatments[k], self.activities[k]
        row: dict[str, object] = {
            "treatment": treatment.label, "cell_system": self.cell_system, "hours": self.hours, "cells": float(self.cells[k, -1]),
            "response_pct": _known(self.response_pct[k, -1]), **self.fates[k].mean(from_h=min(24.0, 0.5 * self.hours)),
        }  # fmt: skip
        for name in ("STAT5_p", "ERK_p", "AKT_p"):
            levels = activity[name]
            row[f"{name}_peak_nM"], row[f"{name}_end_nM"] = float(levels.max()), float(levels[-1])
            row[f"{name}_peak_min"] = 60.0 * float(self.time_h[int(np.argmax(levels))]) if levels.max() > 0.0 else None
        if self.cultures:
            course = self.cultures[k]
            row |= {"cd41_share": float(course.cd41_share[-1]), "mean_ploidy": float(course.mean_ploidy[-1]), "ge8N": float(course.ge8N[-1]),
                    "megakaryocytes_per_seeded": float(course.megakaryocytes[-1])}  # fmt: skip
        return row


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
