"""Ploidy: how the cells of one tube share out over the DNA-content classes 2N to >= 64N; the noun that crosses from cells to report.

A value here is complete: shares with intervals, how sure the octave is, the peaks that were found, the histogram and the model's curves
behind it. How it was estimated is told in `docs/explanation/ploidy.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from thrombokit.domain.estimate import Estimate
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen

CLASSES: tuple[str, ...] = ("2N", "4N", "8N", "16N", "32N", "64N")
"""DNA-content classes; the last one is "64N and above"."""
CLASS_PLOIDY: Array = frozen([2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
"""Chromosome sets of each class, shape (6,)."""

Verdict = Literal["fit", "octave_assumed", "too_few_cells", "no_2n_peak", "saturated", "display_transformed"]
Method = Literal["maximum_likelihood", "windows", "dean_jett_fox"]
Assignment = Literal["lower", "upper", "excluded"]
Octave = Literal["reference", "plate", "assumed", "unknown"]

NUMBER_KEYS = (
    "mean_ploidy", "mean_ploidy_low", "mean_ploidy_high", "geometric_mean_ploidy", "geometric_mean_ploidy_low",
    "geometric_mean_ploidy_high", "ge8N", "ge8N_low", "ge8N_high", "ge16N", "ge16N_low", "ge16N_high", "polyploidisation_index",
    "g1_peak", "g1_cv", "exponent", "offset", "s_phase", "debris", "doublets", "chi_square_per_df",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """One peak of the histogram.

    `position` in the signal's own units, `cv` its coefficient of variation (0.05 is 5 %), `share` of all cells, `series` 0 for the
    comb that the classes are read from, 1, 2, ... for peaks off it (an internal standard beside the sample, say).
    """

    position: float
    cv: float
    share: float
    series: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Keys `position`, `cv`, `share`, `series`."""
        return {"position": _number(self.position), "cv": _number(self.cv), "share": _number(self.share), "series": self.series}


@dataclass(frozen=True, kw_only=True, eq=False)
class PloidyHistogram(FrozenArrays):
    """The histogram that was fitted, and what each part of the model expects in it.

    `edges` (n_bins + 1,) rising, in the signal's units; `counts` (n_bins,) events; `curves` (n_curves, n_bins) events expected from
    each part named in `names` ("2N" ... "64N" with their S-phase cells, "debris", "doublets", "other series").
    """

    edges: Array
    counts: Array
    names: tuple[str, ...]
    curves: Array

    def __post_init__(self) -> None:
        for name in ("edges", "counts", "curves"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def expected(self) -> Array:
        """Events the whole model expects, shape (n_bins,)."""
        return self.curves.sum(axis=0)

    def table(self) -> pl.DataFrame:
        """One row per bin: `signal_low`, `signal_high`, `events`, and one column of expected events per part."""
        columns = {"signal_low": self.edges[:-1], "signal_high": self.edges[1:], "events": self.counts}
        return pl.DataFrame({**columns, **dict(zip(self.names, self.curves, strict=True))})


@dataclass(frozen=True, kw_only=True, eq=False)
class Ploidy(FrozenArrays):
    """Shares of cells in the classes 2N to >= 64N of one tube.

    `fractions`, `low`, `high` of shape (6,): shares of cells and their 95 % intervals (NaN where `verdict` says that they cannot be
    known). `mean_ploidy` and its kin are derived from them; `polyploidisation_index` is the mean number of doublings beyond 2N.
    `g1_peak` is the 2N position in the signal's units, `g1_cv` its CV, `exponent` p and `offset` o of the law: class k at
    `g1_peak x (o + (1 - o) 2^(k p))`. `s_phase` is the share of cells between classes, counted as `s_assignment` says; `debris` and
    `doublets` are shares of the fitted events. `octave` says what placed 2N. `warnings` hold what a reader must know beside the
    verdict's `message`.
    """

    fractions: Array
    low: Array
    high: Array
    verdict: Verdict
    message: str
    octave: Octave
    method: Method = "maximum_likelihood"
    s_assignment: Assignment = "lower"
    mean_ploidy: float = math.nan
    mean_ploidy_low: float = math.nan
    mean_ploidy_high: float = math.nan
    geometric_mean_ploidy: float = math.nan
    geometric_mean_ploidy_low: float = math.nan
    geometric_mean_ploidy_high: float = math.nan
    ge8N: float = math.nan
    ge8N_low: float = math.nan
    ge8N_high: float = math.nan
    ge16N: float = math.nan
    ge16N_low: float = math.nan
    ge16N_high: float = math.nan
    polyploidisation_index: float = math.nan
    g1_peak: float = math.nan
    g1_cv: float = math.nan
    exponent: float = math.nan
    offset: float = math.nan
    s_phase: float = math.nan
    debris: float = math.nan
    doublets: float = math.nan
    chi_square_per_df: float = math.nan
    n_events: int = 0
    n_cells: float = 0.0
    peaks: tuple[Peak, ...] = ()
    warnings: tuple[str, ...] = ()
    histogram: PloidyHistogram | None = None

    def __post_init__(self) -> None:
        for name in ("fractions", "low", "high"):
            values = frozen(getattr(self, name))
            if values.shape != (len(CLASSES),):
                raise ValueError(f"{name} of shape {values.shape}: one value for each of {len(CLASSES)} classes")
            object.__setattr__(self, name, values)

    @property
    def is_known(self) -> bool:
        """Whether there are shares at all."""
        return bool(np.all(np.isfinite(self.fractions)))

    def class_estimate(self, name: str) -> Estimate:
        """Share of one class ("2N" ... "64N") with its interval."""
        k = CLASSES.index(name)
        return Estimate(estimate=float(self.fractions[k]), low=float(self.low[k]), high=float(self.high[k]))

    def estimate(self, name: Literal["mean_ploidy", "geometric_mean_ploidy", "ge8N", "ge16N"]) -> Estimate:
        """A derived number with its 95 % interval."""
        return Estimate(estimate=getattr(self, name), low=getattr(self, f"{name}_low"), high=getattr(self, f"{name}_high"))

    def to_dict(self) -> dict[str, Any]:
        """What `thrombokit cells ploidy --json` prints; numbers that are not known are None."""
        return {
            "schema": "thrombokit.ploidy/1",
            "verdict": self.verdict,
            "message": self.message,
            "octave": self.octave,
            "method": self.method,
            "fractions": {name: self.class_estimate(name).to_dict() for name in CLASSES},
            "s_assignment": self.s_assignment,
            **{name: _number(getattr(self, name)) for name in NUMBER_KEYS},
            "n_events": self.n_events,
            "n_cells": _number(self.n_cells),
            "peaks": [peak.to_dict() for peak in self.peaks],
            "warnings": list(self.warnings),
        }

    def table(self) -> pl.DataFrame:
        """One row per class: `class`, `fraction`, `low`, `high`."""
        columns = {"class": list(CLASSES), "fraction": self.fractions, "low": self.low, "high": self.high}
        return pl.DataFrame(columns).with_columns(pl.col("fraction", "low", "high").fill_nan(None))

    def summary(self) -> str:
        """A few plain sentences."""
        if not self.is_known:
            return f"No ploidy: {self.message}"
        shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in zip(CLASSES, self.fractions, strict=True))
        return (
            f"{shares} (64N: and above). Mean ploidy {self.mean_ploidy:.2f} ({self.mean_ploidy_low:.2f} to {self.mean_ploidy_high:.2f}), "
            f"{100 * self.ge8N:.1f} % at 8N or more ({100 * self.ge8N_low:.1f} to {100 * self.ge8N_high:.1f}). {self.message}"
        )


def unknown_ploidy(verdict: Verdict, message: str, *, n_events: int, warnings: tuple[str, ...] = ()) -> Ploidy:
    """A Ploidy without shares: what cannot be known is a verdict, not a number."""
    nothing = np.full(len(CLASSES), math.nan)
    return Ploidy(
        fractions=nothing, low=nothing, high=nothing, verdict=verdict, message=message, octave="unknown", n_events=n_events,
        warnings=warnings,
    )  # fmt: skip


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
