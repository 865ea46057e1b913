"""What a visual predictive check hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import altair as alt
import numpy as np
import polars as pl

from thrombokit.drawing.visual_check import visual_check_chart
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen

# The intervals are order statistics k/(replicates + 1): a new trial of the model falls inside as often as they say, at any number of replicates.
FEW = 5
"""Observations of a bin below which its percentiles say little."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VpcResult(FrozenArrays):
    """Observations (n,) and simulated trials (replicates, n_simulated) with the rows of each stratum and bin."""

    source: str
    model_file: str
    output: str
    seed: int
    replicates: int
    time_unit: str
    corrected: bool
    titrated: bool
    drop_out: float | None
    percentiles: tuple[float, float, float]
    confidence: float
    edges: Array
    strata: tuple[str, ...]
    stratum_column: str | None
    time: Array
    observed: Array
    observed_rows: Mapping[tuple[str, int], IntArray]
    simulated: Array
    simulated_rows: Mapping[tuple[str, int], IntArray]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("edges", "time", "observed", "simulated"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @cached_property
    def _rows(self) -> pl.DataFrame:
        rows: list[dict[str, object]] = []
        tail = 50.0 * (1.0 - self.confidence)
        for (stratum, k), places in self.observed_rows.items():
            simulated = self.simulated[:, self.simulated_rows[stratum, k]]
            seen = self.observed[places]
            there = np.isfinite(simulated).sum(axis=1)
            low_n, high_n = np.percentile(there, (tail, 100.0 - tail), method="weibull")
            levels = np.full((len(self.percentiles), self.replicates), np.nan)
            some = there > 0
            if some.any():
                levels[:, some] = np.nanpercentile(simulated[some], self.percentiles, axis=1)
            for number, level in enumerate(self.percentiles):
                known = levels[number, np.isfinite(levels[number])]
                low, middle, high = (
                    np.percentile(known, (tail, 50.0, 100.0 - tail), method="weibull") if known.size else (np.nan,) * 3
                )
                value = float(np.percentile(seen, level))
                rows.append({
                    "stratum": stratum, "bin": k + 1, "from": float(self.edges[k]), "to": float(self.edges[min(k + 1, self.edges.size - 1)]),
                    "time": float(np.median(self.time[places])), "percentile": level, "observed": value, "simulated": float(middle),
                    "low": float(low), "high": float(high), "inside": bool(low <= value <= high), "n_observed": places.size,
                    "n_low": float(low_n), "n_high": float(high_n), "few": places.size < FEW,
                })  # fmt: skip
        return pl.DataFrame(rows).with_columns(pl.col("simulated", "low", "high").fill_nan(None))

    def table(self) -> pl.DataFrame:
        """A row a stratum, bin and percentile: observed, and over the replicates median and interval of the simulated one.

        `inside`: the observed percentile lies in the interval. `n_low`, `n_high`: interval of how many simulated patients are still seen.
        """
        return self._rows

    def summary(self) -> str:
        """How many observed percentiles lie inside their interval, and where those lie that do not."""
        rows = self._rows.filter(~pl.col("few"))
        inside, n = int(rows["inside"].sum()), rows.height
        how = " with the titration simulated again" if self.titrated else ", prediction-corrected" if self.corrected else ""
        said = [f"Visual predictive check of {self.output} in {self.source} by {self.model_file}{how}: {self.replicates} simulated trials, "
                f"{self.observed.size} observations, seed {self.seed}."]  # fmt: skip
        said.append(f"{inside} of {n} observed percentiles lie inside their {100.0 * self.confidence:g} % interval.")
        for row in rows.filter(~pl.col("inside")).iter_rows(named=True):
            side = "above" if row["observed"] > row["high"] else "below"
            stratum = f", {row['stratum']}" if row["stratum"] else ""
            said.append(f"Percentile {row['percentile']:g} at {row['time']:g} {self.time_unit}{stratum} lies {side} ({row['observed']:.3g}; "
                        f"{row['low']:.3g} to {row['high']:.3g}).")  # fmt: skip
        few = self._rows.filter(pl.col("few"))
        if few.height:
            said.append(
                f"{few.select('stratum', 'bin').unique().height} bins hold fewer than {FEW} observations and are not counted."
            )
        return " ".join([*said, *self.notes])

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, for `--json`."""
        return {
            "schema": "thrombokit.vpc/1", "data": self.source, "model": self.model_file, "output": self.output, "seed": self.seed,
            "replicates": self.replicates, "corrected": self.corrected, "titrated": self.titrated, "drop_out_per_d": self.drop_out,
            "confidence": self.confidence, "bins": self._rows.to_dicts(), "notes": list(self.notes),
        }  # fmt: skip

    def plot(self) -> alt.TopLevelMixin:
        """Intervals of the simulated percentiles as bands, observed percentiles as lines, observations as points; a panel a stratum."""
        of_row = np.full(self.time.size, "", dtype=object)
        for (stratum, _), places in self.observed_rows.items():
            of_row[places] = stratum
        return visual_check_chart(
            self._rows.select("stratum", "time", "percentile", "observed", "simulated", "low", "high"), points_time=self.time,
            points_value=self.observed, points_stratum=[str(name) for name in of_row], time_title=f"time ({self.time_unit})",
            value_title=f"{self.output}{', prediction-corrected' if self.corrected else ''}", caption=self._caption(),
        )  # fmt: skip

    def _caption(self) -> str:
        low, middle, high = self.percentiles
        return (f"Bands: {100.0 * self.confidence:g} % intervals of the {low:g}th, {middle:g}th and {high:g}th percentile over "
                f"{self.replicates} simulated trials; lines: observed; points: observations.")  # fmt: skip
